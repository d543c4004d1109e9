package streamtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"streamgen/runtime/stream"
)

// Trace notes each time that a handler is called, in the order in which the calls begin. It is a middleware of the route that is tested:
//
//	var trace streamtest.Trace
//	h := stream.Handler(Handle, stream.Around(trace.Middleware))
//
// A handler of whole batches, or of windows, is called once for all of their changes, and noted with the first. The zero Trace is ready to
// use, by several goroutines too.
type Trace struct {
	mu    sync.Mutex
	calls []Call
	// attempts are counted by event id.
	attempts map[string]int
}

// Call is one call of a handler.
type Call struct {
	// EventID and Table are those of the record, Kind what happened to the item.
	EventID, Table string
	Kind           stream.Kind
	// Keys is the item's primary key as it came.
	Keys stream.JSON
	// Attempt is 1 when the handler is called with the record for the first time.
	Attempt int
	// Err is what the handler returned, that of stream.Skip and stream.Park included. A change that could not be decoded has an error
	// though the handler never saw it.
	Err error
}

// String tells the call in a line, such as "MODIFY Id=1, attempt 2: not yet".
func (c Call) String() string {
	text := describe(c.Kind, c.Keys)
	if text == "" {
		text = "no record"
	}
	if c.Attempt > 1 {
		text += fmt.Sprint(", attempt ", c.Attempt)
	}
	if c.Err != nil {
		text += ": " + c.Err.Error()
	}
	return text
}

var errPanic = errors.New("panic")

// Middleware is what stream.Around takes.
func (t *Trace) Middleware(ctx context.Context, r stream.Record, next func(context.Context) error) error {
	n := t.begin(r)
	err := errPanic // unless next returns
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.calls[n].Err = err
	}()
	err = next(ctx)
	return err
}

func (t *Trace) begin(r stream.Record) int {
	var change struct{ Keys json.RawMessage }
	_ = json.Unmarshal([]byte(r.DynamoDB()), &change) // what cannot be read has no key; a window's end has no record
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.attempts == nil {
		t.attempts = map[string]int{}
	}
	c := Call{EventID: r.EventID(), Table: r.Table(), Kind: r.Kind(), Keys: stream.JSON(change.Keys), Attempt: 1}
	if c.EventID != "" {
		t.attempts[c.EventID]++
		c.Attempt = t.attempts[c.EventID]
	}
	t.calls = append(t.calls, c)
	return len(t.calls) - 1
}

// Calls gives all calls.
func (t *Trace) Calls() []Call {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.calls)
}

// Of gives the calls for changes of the item that the record changes.
func (t *Trace) Of(r Record) []Call {
	r = r.settled(0)
	return slices.DeleteFunc(t.Calls(), func(c Call) bool { return c.Table != r.Table || !equalJSON(c.Keys, r.Keys) })
}

func equalJSON(a, b stream.JSON) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// Again gives the calls for records that the handler had been called with before.
func (t *Trace) Again() []Call {
	return slices.DeleteFunc(t.Calls(), func(c Call) bool { return c.Attempt == 1 })
}

// String gives a line for each call.
func (t *Trace) String() string {
	var lines []string
	for _, c := range t.Calls() {
		lines = append(lines, c.String())
	}
	return strings.Join(lines, "\n")
}
