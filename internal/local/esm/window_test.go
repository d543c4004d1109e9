package esm_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/esm"
)

// windows invokes a function of tumbling windows, which the test answers.
type windows struct {
	calls   chan windowCall
	answers chan string
}

type windowCall struct {
	Records []struct{ N int }
	Window  struct{ Start, End time.Time }
	State   json.RawMessage
	Final   bool `json:"isFinalInvokeForWindow"`
	Early   bool `json:"isWindowTerminatedEarly"`
	ShardID string
}

func (w *windows) Invoke(ctx context.Context, _ string, payload []byte) (esm.Result, error) {
	var c windowCall
	if err := json.Unmarshal(payload, &c); err != nil {
		return esm.Result{}, err
	}
	select {
	case w.calls <- c:
	case <-ctx.Done():
		return esm.Result{}, ctx.Err()
	}
	select {
	case a := <-w.answers:
		return esm.Result{Payload: []byte(a)}, nil
	case <-ctx.Done():
		return esm.Result{}, ctx.Err()
	}
}

// TestTumblingWindow carries the state through a window to its end, retries what came without a state, and ends one early.
func TestTumblingWindow(t *testing.T) {
	w := &windows{make(chan windowCall), make(chan string)}
	s := newStream(clock.NewManual(epoch)) // six seconds into a minute
	var told events
	r := newRigWithStream(t, s, func(o *esm.Options) { o.Invoker, o.Observe = w, told.add })
	s.put("shard-1", 1, 2)
	r.create(func(c *esm.Config) { c.TumblingWindowInSeconds, c.BatchSize = 60, 1 })
	expect := func(n int, state string, final, early bool, answer string) {
		t.Helper()
		c := <-w.calls
		got := 0
		if len(c.Records) > 0 {
			got = c.Records[0].N
		}
		if got != n || string(c.State) != state || c.Final != final || c.Early != early || c.Window.End.Sub(c.Window.Start) != time.Minute || c.Window.Start.Second() != 0 {
			t.Fatalf("got record %d, state %.40s, final %v, early %v, window %v; want %d, %.40s, %v, %v", got, c.State, c.Final, c.Early, c.Window, n, state, final, early)
		}
		w.answers <- answer
	}
	expect(1, `{}`, false, false, `{"state":{"n":1}}`)
	expect(2, `{"n":1}`, false, false, `{}`) // no state: it failed
	r.wait(time.Second)
	expect(2, `{"n":1}`, false, false, `{"state":{"n":2}}`)
	r.clock.AwaitSleepers(1)
	r.clock.Advance(time.Minute)
	expect(0, `{"n":2}`, true, false, `{}`) // blocks the shard
	s.put("shard-1", 3)
	r.wait(time.Second)
	expect(0, `{"n":2}`, true, false, `{"state":{}}`)
	big := `"` + strings.Repeat("x", 1<<20) + `"`
	expect(3, `{}`, false, false, `{"state":`+big+`}`)
	expect(0, big, true, true, `{"state":{}}`)
	const why = " the answer has no state, and the window needs one"
	want := []string{
		"invoke 1", "success 1", "invoke 1", "failure 1" + why + " {}", "retry 1 500ms", "invoke 1", "success 1", "invoke 0", "retry 0 500ms" + why, "invoke 0", "success 0",
	}
	if diff := cmp.Diff(want, told.list()[:len(want)]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestExpiredRecordOpensNoWindow: a function that never saw a record of a window is not told of its end.
func TestExpiredRecordOpensNoWindow(t *testing.T) {
	w := &windows{make(chan windowCall), make(chan string)}
	s := newStream(clock.NewManual(epoch))
	r := newRigWithStream(t, s, func(o *esm.Options) { o.Invoker = w })
	s.put("shard-1", 1)
	r.clock.Advance(2 * time.Minute)
	s.put("shard-1", 2)
	r.create(func(c *esm.Config) { c.TumblingWindowInSeconds, c.MaximumRecordAgeInSeconds = 60, 60 })
	if c := <-w.calls; c.Final || len(c.Records) != 1 || c.Records[0].N != 2 {
		t.Errorf("invoked with %v, final %v; want record 2", c.Records, c.Final)
	}
	w.answers <- `{"state":{}}`
}
