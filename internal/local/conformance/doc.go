// Package conformance holds the local stack against what AWS's own clients expect of it. Its tests talk to an endpoint
// through the AWS SDK: a stack of their own, or the one that STREAMGEN_CONFORMANCE_ENDPOINT names, in which they
// leave nothing behind.
package conformance
