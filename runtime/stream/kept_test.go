package stream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"streamgen/runtime/stream"
)

// observer keeps all that a function can get hold of in an invocation.
type observer struct {
	mu   sync.Mutex
	kept []kept
}

// kept is a thing that was kept: what it said then, and how to ask it again.
type kept struct {
	what, said string
	say        func() string
}

func (o *observer) see(what string, say func() string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, kept{what, strings.Clone(say()), say})
}

func (o *observer) change(c stream.Change[Order]) {
	o.see("change", func() string {
		text, _ := json.Marshal(c)
		return fmt.Sprint(string(text), c.Changed("Id", "Tags"), c.Changed("Id"))
	})
}

func (o *observer) record(what string, r stream.Record) {
	o.see(what, func() string {
		return fmt.Sprint(r.EventID(), r.Table(), r.SequenceNumber(), r.Kind(), r.ByTTL(), r.Event(), r.DynamoDB(), r.Changed("Tags"),
			r.New("Id"), r.Old("Id"), r.Key("Id"))
	})
}

// context keeps what the log says of a context.
func (o *observer) context(ctx context.Context) {
	o.see("context", func() string {
		var line bytes.Buffer
		text := slog.NewTextHandler(&line, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "attempt" { // they go on
				return slog.Attr{}
			}
			return a
		}})
		slog.New(stream.LogHandler(text)).InfoContext(ctx, "kept")
		return line.String()
	})
}

// Enabled, Handle, WithAttrs and WithGroup implement slog.Handler.
func (o *observer) Enabled(context.Context, slog.Level) bool { return true }

func (o *observer) Handle(ctx context.Context, r slog.Record) error {
	o.context(ctx)
	o.see("log", func() string {
		line := r.Message
		r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
		return line
	})
	return nil
}

func (o *observer) WithAttrs([]slog.Attr) slog.Handler { return o }
func (o *observer) WithGroup(string) slog.Handler      { return o }

// Park implements stream.Parking.
func (o *observer) Park(_ context.Context, r stream.Record, _ error) error {
	o.record("parked", r)
	return nil
}

// Claim, Done and Release implement stream.Store.
func (o *observer) Claim(_ context.Context, eventID string, _ time.Time) (bool, error) {
	o.see("claim", func() string { return eventID })
	return false, nil
}

func (o *observer) Done(_ context.Context, eventID string) error {
	o.see("claim done", func() string { return eventID })
	return nil
}

func (o *observer) Release(_ context.Context, eventID string) error {
	o.see("claim released", func() string { return eventID })
	return nil
}

func (o *observer) around(ctx context.Context, r stream.Record, next func(context.Context) error) error {
	o.record("middleware's record", r)
	return next(ctx)
}

func (o *observer) where(r stream.Record) bool {
	o.record("condition's record", r)
	return r.EventID() != "event-unwanted"
}

func (o *observer) handle(ctx context.Context, c stream.Change[Order]) error {
	o.context(ctx)
	o.change(c)
	switch {
	case strings.HasPrefix(c.Keys.ID, "park"):
		return stream.Park(errDown)
	case strings.HasPrefix(c.Keys.ID, "skip"):
		return stream.Skip(errDown)
	}
	return behave(ctx, c)
}

func (o *observer) handleBatch(ctx context.Context, changes []stream.Change[Order]) error {
	o.context(ctx)
	var all error
	for _, c := range changes {
		err := c.Failed(o.handle(ctx, c))
		if err != nil {
			o.see("named error", err.Error)
		}
		all = errors.Join(all, err)
	}
	return all
}

// TestKeptOutlivesPayload has a function keep all that it gets, and then uses the payload's memory for something else, as aws-lambda-go does
// with the next invocation.
func TestKeptOutlivesPayload(t *testing.T) {
	order := func(sequenceNumber, id string) string {
		const attributes = `"Total":{"N":"12.50"},"Receipt":{"B":"AAEqQQ=="},"Tags":{"SS":["a","b \u00e9"]},"Discounts":{"NS":["1","2"]},"Other":{"L":[{"S":"x"}]}`
		return record(sequenceNumber, "MODIFY", fmt.Sprintf(`"Keys":{"Id":{"S":%q}},"OldImage":{"Id":{"S":%[1]q}},"NewImage":{"Id":{"S":%[1]q},%s}`, id, attributes))
	}
	payload := event(
		order("101", "a"), order("102", "park"), order("103", "skip"), order("104", "fail"), order("105", "fail"), order("106", "panic"), order("unwanted", "b"),
		order("107", strings.Repeat("long", 10_000)), order("108", strings.Repeat("longer", 1_000)),
		strings.Replace(order("109", "in another case"), "eventID", "EVENTID", 1), strings.Replace(order("110", "escaped"), "event-", `event-\u00e9`, 1),
		record("111", "REMOVE", `"Keys":{"Id":{"S":"malformed"}},"OldImage":[]`), record("112", "REMOVED", `"Keys":{"Id":{"S":"of no kind"}}`),
		order("113", "c"),
	)
	window := slices.Concat([]byte(`{"window":{"start":"2020-07-30T17:00:00Z","end":"2020-07-30T17:05:00Z"},"state":{"seen":"before"},"shardId":"shard-1",`),
		event(order("101", "a"), order("unwanted", "b"), order("102", "c"))[1:])
	past, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	all := func(o *observer) []stream.Option {
		return []stream.Option{stream.Where(o.where), stream.Around(o.around)}
	}

	tests := map[string]struct {
		ctx     context.Context
		payload []byte
		handler func(*observer) lambda.Handler
		// want is how many things of a kind are kept, wantAgain how many changes are handled when all comes again.
		want      map[string]int
		wantAgain int
	}{
		"one by one": {t.Context(), payload, func(o *observer) lambda.Handler {
			return stream.Handler(o.handle, append(all(o), stream.ParkTo(o))...)
		}, map[string]int{"change": 10, "condition's record": 13, "middleware's record": 12, "parked": 1, "context": 16, "log": 6}, 5},
		"lanes": {t.Context(), payload, func(o *observer) lambda.Handler {
			return stream.Handler(o.handle, append(all(o), stream.MaxConcurrency(4), stream.ParkTo(o), stream.Once(o))...)
		}, map[string]int{"change": 10, "condition's record": 13, "middleware's record": 12, "parked": 1, "claim": 12}, 5},
		"batch": {t.Context(), payload, func(o *observer) lambda.Handler {
			return stream.Router(stream.OnBatch("orders", o.handleBatch, append(all(o), stream.ParkTo(o))...))
		}, map[string]int{"change": 6, "condition's record": 14, "middleware's record": 1}, 6},
		"batch that fails as a whole": {t.Context(), payload, func(o *observer) lambda.Handler {
			return stream.Router(stream.OnBatch("orders", func(_ context.Context, changes []stream.Change[Order]) error {
				for _, c := range changes {
					o.change(c)
				}
				clear(changes)
				return errDown
			}))
		}, map[string]int{"change": 12}, 12},
		"window": {t.Context(), window, func(o *observer) lambda.Handler {
			return stream.Router(stream.OnWindow("orders", func(_ context.Context, w stream.Window, state json.RawMessage, changes []stream.Change[Order]) (json.RawMessage, error) {
				o.see("window", func() string { return w.ShardID })
				o.see("state", func() string { return string(state) })
				for _, c := range changes {
					o.change(c)
				}
				return state, nil
			}, all(o)...))
		}, map[string]int{"window": 1, "state": 1, "change": 2, "condition's record": 3, "middleware's record": 1}, 2},
		"out of time": {past, payload, func(o *observer) lambda.Handler {
			return stream.Handler(o.handle, all(o)...)
		}, map[string]int{"context": 1, "log": 1}, 0},
		"no place to report": {t.Context(), event(`{"eventID":"event-1","eventName":"INSERT","dynamodb":{"Keys":{"Id":{"S":"a"}}}}`), func(o *observer) lambda.Handler {
			return stream.Handler(o.handle, all(o)...)
		}, map[string]int{"context": 1, "log": 1, "error": 1}, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := &observer{}
			before := slog.Default()
			t.Cleanup(func() { slog.SetDefault(before) })
			slog.SetDefault(slog.New(stream.LogHandler(o)))

			// The next invocation's payload takes the memory of the last one's.
			memory := bytes.Clone(test.payload)
			h := test.handler(o)
			if response, err := h.Invoke(test.ctx, memory); err != nil {
				o.see("error", err.Error)
			} else {
				o.see("response", func() string { return string(response) })
			}
			for i := range memory {
				memory[i] = 'x'
			}

			counts := map[string]int{}
			for _, k := range o.kept {
				counts[k.what]++
				if says := k.say(); says != k.said || says == "" {
					t.Errorf("%s says %s\nand said %s", k.what, says, k.said)
				}
			}
			for what, n := range test.want {
				if counts[what] != n {
					t.Errorf("%d of %s, want %d: of all %v", counts[what], what, n, slices.Sorted(maps.Keys(counts)))
				}
			}

			// What is remembered from one invocation to the next is right as well.
			o.kept = nil
			if _, err := h.Invoke(test.ctx, bytes.Clone(test.payload)); (err != nil) != (counts["error"] > 0) {
				t.Error(err)
			}
			again := 0
			for _, k := range o.kept {
				if k.what == "change" {
					again++
				}
			}
			if again != test.wantAgain {
				t.Errorf("%d changes are handled again, want %d", again, test.wantAgain)
			}
		})
	}
}
