package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// reserve is kept of an invocation's time to report what is unfinished. Lambda's shortest timeout is a second. The
// report itself takes milliseconds; the rest is for a handler to return once its context is done.
const reserve = 200 * time.Millisecond

// Start runs handle for every change that Lambda delivers. It does not return; outside Lambda it ends the process
// with a message.
//
// An error of handle fails the record: see the package comment for what follows. The context carries the
// invocation's deadline, a little before Lambda's own so that unfinished records can still be reported; a handler that
// outlasts it by more than that is stopped by Lambda, which then delivers the whole batch again. lambdacontext.FromContext
// gives the request id.
//
// Lambda may run more than one invocation of a process at a time if the function is configured so; handle must then
// be safe for concurrent use.
func Start[T any, P Image[T]](handle func(context.Context, Change[T]) error) {
	lambda.Start(Handler[T, P](handle))
}

// Handler is what [Start] runs: for tests, and for a main function that calls lambda.StartWithOptions itself.
//
// Invoke takes the event of an event source mapping and returns the partial batch response. It returns an error, upon
// which Lambda delivers the whole batch again, when the payload is not such an event, when it belongs to a tumbling
// window, and when a record without a SequenceNumber fails, because then there is nothing to report it by.
func Handler[T any, P Image[T]](handle func(context.Context, Change[T]) error) lambda.Handler {
	return handler[T, P]{handle: handle}
}

type handler[T any, P Image[T]] struct {
	handle func(context.Context, Change[T]) error
	// where leaves out records; nil leaves out none.
	where func(Record) bool
}

// response is what Lambda expects of a function with ReportBatchItemFailures.
type response struct {
	BatchItemFailures []itemFailure `json:"batchItemFailures"`
}

type itemFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Invoke implements [lambda.Handler].
func (h handler[T, P]) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	return h.invokeEvent(ctx, e)
}

func (h handler[T, P]) invokeEvent(ctx context.Context, e event) ([]byte, error) {
	if !absent(e.Window) {
		return nil, errors.New("the event source mapping has a tumbling window, which this function keeps no state for: remove tumbling_window_in_seconds")
	}
	records := e.Records
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}

	for i, raw := range records {
		r, err := parseRecord(raw)
		switch {
		case err != nil:
		case ctx.Err() != nil:
			err = fmt.Errorf("not started: %w", context.Cause(ctx))
		default:
			err = h.process(ctx, r)
		}
		if err == nil {
			continue
		}
		logFailure(ctx, r, err)
		if r.change.SequenceNumber == "" {
			return nil, fmt.Errorf("record %d of %d failed and has no SequenceNumber to report it by: %w", i+1, len(records), err)
		}
		// Lambda delivers again from the lowest reported record on, so the first says it all.
		return json.Marshal(response{[]itemFailure{{r.change.SequenceNumber}}})
	}
	return json.Marshal(response{[]itemFailure{}})
}

// process decodes and handles one record. A panic on the way is the record's failure: one record that no code was
// written for must not take down the process and with it the report of what is done.
func (h handler[T, P]) process(ctx context.Context, r record) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	if h.where != nil && !h.where(Record{r}) {
		return nil
	}
	c, err := decodeChange[T, P](r)
	if err != nil {
		return err
	}
	return h.handle(ctx, c)
}

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

func logFailure(ctx context.Context, r record, err error) {
	attrs := []slog.Attr{
		slog.String("eventID", r.EventID),
		slog.String("eventName", r.EventName),
		slog.String("sequenceNumber", r.change.SequenceNumber),
		slog.Any("error", err),
	}
	if p, ok := errors.AsType[*panicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(p.stack)))
	}
	slog.LogAttrs(ctx, slog.LevelError, "stream record failed", attrs...)
}
