package host

import (
	"errors"
	"fmt"
	"slices"
)

// The codes of [Error], as Lambda names them on the wire.
const (
	InvalidParameterValue = "InvalidParameterValueException"
	KMSAccessDenied       = "KMSAccessDeniedException"
	KMSDisabled           = "KMSDisabledException"
	KMSInvalidState       = "KMSInvalidStateException"
	KMSNotFound           = "KMSNotFoundException"
	NoProvisioned         = "ProvisionedConcurrencyConfigNotFoundException"
	PreconditionFailed    = "PreconditionFailedException"
	RequestTooLarge       = "RequestEntityTooLargeException"
	ResourceConflict      = "ResourceConflictException"
	ResourceNotFound      = "ResourceNotFoundException"
	TooManyRequests       = "TooManyRequestsException"
)

// ReservedLimit is the Reason of a [TooManyRequests] that is due to the function's reserved concurrency.
const ReservedLimit = "ReservedFunctionConcurrentInvocationLimitExceeded"

// Error is a refusal that a caller of Lambda's API would see.
type Error struct {
	// Code is one of the constants above.
	Code string
	// Message is what clients show.
	Message string
	// Reason is set for TooManyRequests: which limit it was.
	Reason string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// passing says whether an invocation that failed with an error may succeed later: it was throttled, or its environment cannot be decrypted.
func passing(err error) bool {
	var e *Error
	return isThrottle(err) || errors.As(err, &e) && slices.Contains([]string{KMSAccessDenied, KMSDisabled, KMSInvalidState, KMSNotFound}, e.Code)
}

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
