package host

import (
	"context"
	"time"
)

// Ended is an invocation that ended, in whatever way.
type Ended struct {
	// Context is the one that the function was invoked with.
	Context     context.Context
	FunctionARN string
	Began       time.Time
	Took        time.Duration
	// Result and Err are what [Host.Invoke] gives.
	Result Result
	Err    error
}

// told gives the result of an invocation on, after it told who asked for it.
func (h *Host) told(ctx context.Context, arn string, began time.Time, result Result, err error) (Result, error) {
	if h.opts.Ended != nil {
		h.opts.Ended(Ended{ctx, arn, began, h.opts.Clock.Now().Sub(began), result, err})
	}
	return result, err
}
