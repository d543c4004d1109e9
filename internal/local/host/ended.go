package host

import (
	"context"
	"errors"
	"time"
)

// Ended is an invocation that ended, in whatever way, or was throttled.
type Ended struct {
	// Context is the one that the function was invoked with.
	Context     context.Context
	FunctionARN string
	Began       time.Time
	// Took is from then on, with the start of a process; [Result] has what the function took alone.
	Took time.Duration
	// Result and Err are what [Host.Invoke] gives.
	Result Result
	Err    error
	// Throttled says that the function was not run as too many others run.
	Throttled bool
	// Running is how many invocations of all functions there are, with this one unless it was throttled.
	Running int
}

// told gives the result of an invocation on, after it told who asked for it. Of a function that there is not nobody is told.
func (h *Host) told(ctx context.Context, arn string, began time.Time, result Result, err error) (Result, error) {
	if h.opts.Ended != nil {
		h.opts.Ended(Ended{
			Context: ctx, FunctionARN: arn, Began: began, Took: h.opts.Clock.Now().Sub(began), Result: result, Err: err, Throttled: isThrottle(err), Running: h.running(),
		})
	}
	return result, err
}

func isThrottle(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == TooManyRequests
}

// running is how many invocations of all functions there are.
func (h *Host) running() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.functions {
		n += f.running
	}
	return n
}
