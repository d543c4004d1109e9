package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Window is one tumbling window of one shard.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
type Window struct {
	// Start and End bound the window by the time at which records were created.
	Start, End time.Time
	// ShardID names the shard: each has windows and a state of its own.
	ShardID string
	// Final is set for the window's last invocation, which has no changes: the state is dropped after it.
	Final bool
	// TerminatedEarly is set when the window ends before its time because its state grew beyond 1 MB.
	TerminatedEarly bool
}

// maxState is the most that Lambda keeps of a window, in bytes.
const maxState = 1 << 20

// OnWindow handles a table whose mapping has a tumbling window. handle gets the state that the window's invocation before returned,
// the zero S in the first, and returns the next; S must be what encoding/json can write and read again.
//
// All changes of a batch are handled together: an error fails the batch, and Lambda delivers it again with the state that it had.
func OnWindow[S, T any, P Image[T]](table string, handle func(ctx context.Context, w Window, state S, changes []Change[T]) (S, error), options ...Option) Route {
	w := windowed[S, T, P]{handle, optionsOf(options).where}
	return Route{table, w.invokeEvent}
}

type windowed[S, T any, P Image[T]] struct {
	handle func(context.Context, Window, S, []Change[T]) (S, error)
	where  func(Record) bool
}

// windowResponse is what Lambda expects of a function with a tumbling window.
type windowResponse struct {
	State             json.RawMessage `json:"state"`
	BatchItemFailures []itemFailure   `json:"batchItemFailures"`
}

func (w windowed[S, T, P]) invokeEvent(ctx context.Context, e event) ([]byte, error) {
	if absent(e.Window) {
		return nil, errors.New("the event has no window: the function keeps state for tumbling windows, so set tumbling_window_in_seconds")
	}
	var bounds struct{ Start, End time.Time }
	if err := json.Unmarshal(e.Window, &bounds); err != nil {
		return nil, fmt.Errorf("decode window: %w", err)
	}
	var state S
	if !absent(e.State) {
		if err := json.Unmarshal(e.State, &state); err != nil {
			return nil, fmt.Errorf("decode the state of the window: %w", err)
		}
	}
	changes, err := w.changes(e.Records)
	if err != nil {
		return nil, err
	}
	state, err = w.handle(ctx, Window{
		Start: bounds.Start, End: bounds.End, ShardID: e.ShardID, Final: e.IsFinalInvokeForWindow, TerminatedEarly: e.IsWindowTerminatedEarly,
	}, state, changes)
	if err != nil {
		return nil, err
	}
	next, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("encode the state of the window: %w", err)
	}
	if len(next) > maxState {
		return nil, fmt.Errorf("the state of the window has %d bytes, more than the %d that Lambda keeps", len(next), maxState)
	}
	return json.Marshal(windowResponse{State: next, BatchItemFailures: []itemFailure{}})
}

func (w windowed[S, T, P]) changes(records []json.RawMessage) ([]Change[T], error) {
	var changes []Change[T]
	for _, raw := range records {
		r, err := parseRecord(raw)
		if err != nil {
			return nil, err
		}
		if w.where != nil && !w.where(Record{r}) {
			continue
		}
		c, err := decodeChange[T, P](r)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", r.EventID, err)
		}
		changes = append(changes, c)
	}
	return changes, nil
}
