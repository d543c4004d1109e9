// Package control holds the registries of the local stack for resources that have no behaviour there: IAM roles with
// their policies, log groups with their events, and scalable targets. Permissions are kept and given back, never enforced.
package control

import "fmt"

// Error is a rule of AWS's that a call broke.
type Error struct {
	// Code is AWS's name for the rule, such as "NoSuchEntity".
	Code string
	// Message is AWS's text for it.
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// MaxTags is how many tags a resource may have.
const MaxTags = 50
