// Package differential sends random requests, valid and invalid, to the local stack and to another implementation of DynamoDB's API, and
// compares the answers. It has nothing but a test.
package differential
