package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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

// emptyState is the one that a window begins with.
const emptyState = "{}"

// maxState is the most that Lambda keeps of a window, in bytes.
const maxState = 1 << 20

// OnWindow handles a table whose mapping has a tumbling window. handle gets the state that the window's invocation before returned,
// the zero S in the first, and returns the next; S must be what encoding/json can write and read again.
//
// All changes of a batch are handled together: an error fails the batch, and Lambda delivers it again with the state that it had. So
// OnWindow panics if it gets one of the options for single changes: [MaxConcurrency], [Once] and [ParkTo].
func OnWindow[S, T any, P Image[T]](table string, handle func(ctx context.Context, w Window, state S, changes []Change[T]) (S, error), list ...Option) Route {
	p := newProcessor(list)
	if p.concurrency > 1 || p.store != nil || p.parking != nil {
		panic("stream: OnWindow takes none of MaxConcurrency, Once and ParkTo: the changes of a window make one state")
	}
	return Route{table, windowed[S, T, P]{p, handle}.invoke}
}

type windowed[S, T any, P Image[T]] struct {
	*processor
	handle func(context.Context, Window, S, []Change[T]) (S, error)
}

// invoke answers as Lambda expects of a function with a tumbling window.
func (w windowed[S, T, P]) invoke(ctx context.Context, e event) ([]byte, error) {
	if e.window == "" {
		return nil, errors.New("the event has no window: the function keeps state for tumbling windows, so set tumbling_window_in_seconds")
	}
	started := time.Now()
	ctx, cancel := w.limit(ctx)
	defer cancel()
	var bounds struct{ Start, End time.Time }
	if err := json.Unmarshal([]byte(e.window), &bounds); err != nil {
		return nil, fmt.Errorf("decode window: %w", err)
	}
	var state S
	if e.state != "" {
		// Lambda begins with {}, whatever S is.
		if err := json.Unmarshal([]byte(e.state), &state); err != nil && e.state != emptyState {
			return nil, fmt.Errorf("decode the state of the window: %w", err)
		}
	}
	window := Window{Start: bounds.Start, End: bounds.End, ShardID: strings.Clone(e.shardID), Final: e.final, TerminatedEarly: e.terminatedEarly}

	changes, b, err := w.changes(e.records)
	if err != nil {
		return nil, err
	}
	err = w.call(ctx, b.firstRecord(), func(ctx context.Context) (err error) {
		state, err = w.handle(ctx, window, state, changes)
		return err
	})
	if err != nil {
		return nil, err
	}
	next, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("encode the state of the window: %w", err)
	}
	if string(next) == "null" {
		next = []byte(emptyState) // a response without a state counts as a failure
	}
	if len(next) > maxState {
		return nil, fmt.Errorf("the state of the window has %d bytes, more than the %d that Lambda keeps", len(next), maxState)
	}
	b.report(ctx, started)
	return fmt.Appendf(nil, `{"state":%s,"batchItemFailures":[]}`, next), nil
}

// changes decodes the changes of a batch. One that cannot be decoded fails it: what is in the state must not depend on which could.
func (w windowed[S, T, P]) changes(records []record) ([]Change[T], *batch, error) {
	b := newBatch(w.processor, records)
	var changes []Change[T]
	d := new(Decoder)
	for i := range records {
		r := d.own(&records[i])
		if r.err != nil {
			return nil, nil, r.err
		}
		if w.where != nil {
			kept := r
			if !w.where(Record{&kept}) {
				b.outcomes[i] = unwanted
				continue
			}
		}
		c, err := decodeChange[T, P](d, &r)
		if err != nil {
			return nil, nil, fmt.Errorf("record %s: %w", r.part(r.eventID), err)
		}
		changes = append(changes, c)
		b.outcomes[i] = done
	}
	return changes, b, nil
}

// firstRecord is what middleware is told of a batch; in the last invocation of a window it is a record of nothing.
func (b *batch) firstRecord() Record {
	if len(b.records) == 0 {
		return Record{new(record)}
	}
	own := new(Decoder).own(&b.records[0])
	return Record{&own}
}
