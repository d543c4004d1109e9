package host

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// Invocation is what a [Func] is called with.
type Invocation struct {
	RequestID, FunctionARN string
	Payload                []byte // JSON
	ClientContext          []byte // JSON; nil for none
}

// Func is a function that runs within this process and gives its answer as JSON. Its error is the invocation's, as a handler's error is
// Lambda's. It must return when ctx ends: nothing can kill it.
type Func func(context.Context, Invocation) ([]byte, error)

// Register adds a function that runs within this process, for a test of its handler. It is shown, invoked, configured and deleted as
// every other; what it prints is not the log group's, and it is not kept in a [Journal].
func (h *Host) Register(c Config, f Func) (Function, error) {
	if c.LogGroup == "" {
		c.LogGroup = "/aws/lambda/" + c.Name
	}
	function := Function{Config: c, ARN: h.ARN(Ref{Name: c.Name})}
	function.setCode(nil)
	code := &code{run: f}
	code.hold()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return Function{}, ErrClosed
	}
	if h.functions[c.Name] != nil {
		return Function{}, errorf(ResourceConflict, "Function already exist: %s", c.Name)
	}
	return h.replace(function, code, nil), nil
}

// invokeFunc runs a function of this process once. Its timeout is the machine's time, as it is for what the function itself measures.
func (r *revision) invokeFunc(ctx context.Context, req request) (Result, error) {
	limited, cancel := context.WithTimeout(ctx, r.function.Timeout)
	defer cancel()
	log, id := r.newLog(), req.id
	r.started(log, id)
	began := r.host.opts.Clock.Now()
	answer, err := call(limited, r.code.run, Invocation{RequestID: id, FunctionARN: req.arn, Payload: req.payload, ClientContext: req.client})
	if ctx.Err() != nil {
		return Result{}, ctx.Err()
	}
	o := outcome{payload: answer, status: "success"}
	switch {
	case limited.Err() != nil:
		o = timedOut(id, r.function.Timeout)
	case err != nil:
		o = outcome{payload: errorPayload(err), status: "error"}
	case len(answer) > MaxResponse:
		o = found("Function.ResponseSizeTooLarge", tooLargeMessage)
	}
	return r.report(log, nil, id, o, r.host.opts.Clock.Now().Sub(began)), nil
}

// call makes a panic an error, as the handler's own process would end with it.
func call(ctx context.Context, f Func, i Invocation) (answer []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return f(ctx, i)
}

// errorPayload is how Go functions report an error.
// https://docs.aws.amazon.com/lambda/latest/dg/golang-exceptions.html
func errorPayload(err error) []byte {
	kind := reflect.TypeOf(err)
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	payload, _ := json.Marshal(struct { // strings only: cannot fail
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{err.Error(), kind.Name()})
	return payload
}
