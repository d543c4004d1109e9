package esm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/esm"
)

// windowRig is a rig whose function has tumbling windows of a minute. The clock begins six seconds into one.
type windowRig struct {
	*rig
	windows chan windowCall
}

// windowCall is one invocation, which waits for its answer.
type windowCall struct {
	call
	Records []struct{ N int }
	Window  struct{ Start, End time.Time }
	State   json.RawMessage
	Final   bool `json:"isFinalInvokeForWindow"`
	Early   bool `json:"isWindowTerminatedEarly"`
	ShardID string
}

func (w *windowRig) Invoke(ctx context.Context, _ string, payload []byte) (esm.Result, error) {
	answer := make(chan any, 1)
	c := windowCall{call: call{t: w.t, size: len(payload), at: w.clock.Now(), answer: answer}}
	if err := json.Unmarshal(payload, &c); err != nil {
		w.t.Errorf("%v: %.200s", err, payload)
	}
	for _, r := range c.Records {
		c.numbers = append(c.numbers, r.N)
	}
	select {
	case w.windows <- c:
	case <-ctx.Done():
		return esm.Result{}, ctx.Err()
	}
	select {
	case a := <-answer:
		if err, bad := a.(error); bad {
			return esm.Result{}, err
		}
		return a.(esm.Result), nil
	case <-ctx.Done():
		return esm.Result{}, ctx.Err()
	}
}

func newWindowRig(t *testing.T) *windowRig {
	return newWindowRigOf(t, newStream(clock.NewManual(epoch)), newJournals())
}

func newWindowRigOf(t *testing.T, s *stream, kept journals) *windowRig {
	t.Helper()
	w := &windowRig{windows: make(chan windowCall)}
	w.rig = newRigWithStream(t, s, func(o *esm.Options) { o.Invoker = w })
	if err := w.Restore(kept.mappings, kept.checkpoints); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *windowRig) create(change func(*esm.Config)) esm.Mapping {
	w.t.Helper()
	return w.rig.create(func(c *esm.Config) {
		c.TumblingWindowInSeconds = 60
		if change != nil {
			change(c)
		}
	})
}

func (w *windowRig) next() windowCall {
	w.t.Helper()
	select {
	case c := <-w.windows:
		return c
	case <-time.After(20 * time.Second):
		w.t.Fatal("not invoked")
	}
	return windowCall{}
}

// expect is the next invocation: with a state, and with records.
func (w *windowRig) expect(state string, numbers ...int) windowCall {
	w.t.Helper()
	c := w.next()
	if !slices.Equal(c.numbers, numbers) || string(c.State) != state || c.Final || c.Early || c.Records == nil {
		w.t.Fatalf("got records %v, state %.40s, final %v, early %v; want %v and %.40s", c.numbers, c.State, c.Final, c.Early, numbers, state)
	}
	return c
}

// final is the next invocation: the last one of a window, which began so many minutes after the first.
func (w *windowRig) final(state string, minute int, early bool) windowCall {
	w.t.Helper()
	c := w.next()
	start := epoch.Truncate(time.Minute).Add(time.Duration(minute) * time.Minute)
	if len(c.numbers) > 0 || string(c.State) != state || !c.Final || c.Early != early || c.Records == nil {
		w.t.Fatalf("got records %v, state %.40s, final %v, early %v; want the end of a window with %.40s, early %v",
			c.numbers, c.State, c.Final, c.Early, state, early)
	}
	if !c.Window.Start.Equal(start) || c.Window.End.Sub(start) != time.Minute {
		w.t.Fatalf("window %v, want one from %v", c.Window, start)
	}
	return c
}

// put adds records when the stream's reader is at rest.
func (w *windowRig) put(numbers ...int) {
	w.settle()
	w.stream.put("shard-1", numbers...)
}

// over lets the window end.
func (w *windowRig) over() { w.wait(time.Minute + time.Second) }

// state answers with a state.
func (c windowCall) state(state string) { c.ok(`{"state":` + state + `}`) }

// stateAndFailures answers with a state and reports records as failed.
func (c windowCall) stateAndFailures(state string, numbers ...int) {
	var items []string
	for _, n := range numbers {
		items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, sequence(n)))
	}
	c.ok(`{"state":` + state + `,"batchItemFailures":[` + join(items) + `]}`)
}

// gaveUp compares what was dropped.
func (w *windowRig) gaveUp(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.drops.all()); diff != "" {
		w.t.Errorf("drops (-want +got):\n%s", diff)
	}
}

// TestTumblingWindow carries the state through a window to its end, and retries what came without a state.
func TestTumblingWindow(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1, 2)
	w.create(func(c *esm.Config) { c.BatchSize = 1 })
	w.expect(`{}`, 1).state(`{"n":1}`)
	for _, answer := range []string{`{}`, `{"State":{"n":2}}`, `{"state":null}`, `null`, ``, `"state"`, `<html>`} {
		w.expect(`{"n":1}`, 2).ok(answer) // no state: it failed
		w.wait(time.Minute)
	}
	w.expect(`{"n":1}`, 2).state(`[2]`)
	w.final(`[2]`, 0, false).state(`{}`)
	w.put(3)
	w.expect(`{}`, 3).state(`7`)
}

// TestWindowsWithoutRecords: no function is invoked for them.
func TestWindowsWithoutRecords(t *testing.T) {
	w := newWindowRig(t)
	w.create(nil)
	w.pass(10 * time.Minute)
	w.put(1)
	w.expect(`{}`, 1).state(`1`)
	w.over()
	w.final(`1`, 10, false).state(`{}`)
	w.pass(10 * time.Minute)
	w.put(2)
	w.expect(`{}`, 2).state(`2`)
	w.over()
	w.final(`2`, 21, false)
}

// TestBatchEndsWithItsWindow, also when there are more records at once. The window of the first is over when one of the next comes.
func TestBatchEndsWithItsWindow(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1, 2)
	w.clock.Advance(time.Minute)
	w.stream.put("shard-1", 3, 4)
	w.clock.Advance(2 * time.Minute)
	w.stream.put("shard-1", 5)
	w.create(func(c *esm.Config) { c.MaximumBatchingWindowInSeconds = 300 })
	w.expect(`{}`, 1, 2).state(`12`)
	w.final(`12`, 0, false).state(`{}`)
	w.expect(`{}`, 3, 4).state(`34`)
	w.final(`34`, 1, false).state(`{}`)
	w.over() // the batch goes with its window, although the batching window is longer
	w.expect(`{}`, 5).state(`5`)
	w.final(`5`, 3, false)
}

// TestWindowBisected: the second half begins with the state after the first, whatever became of that.
func TestWindowBisected(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1, 2, 3, 4, 5, 6, 7, 8)
	w.create(func(c *esm.Config) { c.BisectBatchOnFunctionError, c.MaximumRetryAttempts = true, 0 })
	w.expect(`{}`, 1, 2, 3, 4, 5, 6, 7, 8).fail()
	w.expect(`{}`, 1, 2, 3, 4).state(`"1-4"`)
	w.expect(`"1-4"`, 5, 6, 7, 8).fail()
	w.expect(`"1-4"`, 5, 6).ok(`{}`) // without a state it failed
	w.expect(`"1-4"`, 5).fail()      // and is given up
	w.expect(`"1-4"`, 6).state(`"1-4,6"`)
	w.expect(`"1-4,6"`, 7, 8).state(`"1-4,6-8"`)
	w.over()
	w.final(`"1-4,6-8"`, 0, false)
	w.gaveUp("RetryAttemptsExhausted 5..5 (1) after 1")
}

// TestWindowWithPartialFailures: what the function did is in the state that it answers, unless it did nothing.
func TestWindowWithPartialFailures(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1, 2, 3)
	m := w.create(func(c *esm.Config) { c.ReportBatchItemFailures, c.BisectBatchOnFunctionError = true, false })
	w.expect(`{}`, 1, 2, 3).stateAndFailures(`"1"`, 2)
	w.expect(`"1"`, 2, 3).stateAndFailures(`"nothing"`, 2)
	w.wait(time.Second)
	w.expect(`"1"`, 2, 3).failItems(3) // without a state all failed
	w.wait(time.Second)
	w.expect(`"1"`, 2, 3).stateAndFailures(`"1-2"`, 3)
	w.expect(`"1-2"`, 3).stateAndFailures(`"1-3"`)
	w.caughtUp(m)
	w.over()
	w.final(`"1-3"`, 0, false).stateAndFailures(`{}`, 3) // no record to report
	w.wait(time.Second)
	w.final(`"1-3"`, 0, false).stateAndFailures(`{}`)
	w.put(4)
	w.expect(`{}`, 4)
}

// TestWindowGoesOnWithoutWhatIsGivenUp, with the state that the function answered last.
func TestWindowGoesOnWithoutWhatIsGivenUp(t *testing.T) {
	t.Run("after retries", func(t *testing.T) {
		w := newWindowRig(t)
		w.stream.put("shard-1", 1, 2, 3)
		w.create(func(c *esm.Config) { c.BatchSize, c.MaximumRetryAttempts = 1, 1 })
		w.expect(`{}`, 1).state(`1`)
		w.expect(`1`, 2).fail()
		w.wait(time.Second)
		w.expect(`1`, 2).fail()
		w.expect(`1`, 3).state(`13`)
		w.over()
		w.final(`13`, 0, false)
		w.gaveUp("RetryAttemptsExhausted 2..2 (1) after 2")
	})
	t.Run("with age", func(t *testing.T) {
		w := newWindowRig(t)
		w.stream.put("shard-1", 1, 2)
		w.clock.Advance(50 * time.Second)
		w.stream.put("shard-1", 3, 4)
		w.create(func(c *esm.Config) { c.BatchSize, c.MaximumRecordAgeInSeconds = 3, 60 })
		w.expect(`{}`, 1, 2, 3).fail()
		w.wait(11 * time.Second)
		w.expect(`{}`, 3).state(`3`)
		w.expect(`3`, 4).state(`34`)
		w.final(`34`, 0, false)
		w.gaveUp("RecordAgeExceeded 1..2 (2) after 1")
	})
	t.Run("all of it", func(t *testing.T) { // the function was invoked, so the window was open
		s, kept := newStream(clock.NewManual(epoch)), newJournals()
		w := newWindowRigOf(t, s, kept)
		s.put("shard-1", 1)
		m := w.create(func(c *esm.Config) { c.MaximumRetryAttempts = 0 })
		w.expect(`{}`, 1).fail()
		w.caughtUp(m)
		w.gaveUp("RetryAttemptsExhausted 1..1 (1) after 1")
		again := newWindowRigOf(t, s, kept.copy())
		w.over()
		w.final(`{}`, 0, false)
		again.final(`{}`, 0, false)
	})
	t.Run("before the function saw it", func(t *testing.T) { // then no window was open
		w := newWindowRig(t)
		w.stream.put("shard-1", 1)
		w.clock.Advance(2 * time.Minute)
		w.stream.put("shard-1", 2)
		w.create(func(c *esm.Config) { c.MaximumRecordAgeInSeconds, c.OnFailure = 60, queueARN })
		w.expect(`{}`, 2).refuse()
		w.wait(2 * time.Minute)
		w.put(3)
		w.expect(`{}`, 3).state(`3`)
		w.over()
		w.final(`3`, 4, false)
		w.gaveUp()
		for range 2 {
			if got := <-w.documents; !strings.Contains(got, "RecordAgeExceeded") {
				t.Errorf("the destination got %s", got)
			}
		}
	})
}

// TestWindowEndsWithItsShard, and each child begins with an empty state after that.
func TestWindowEndsWithItsShard(t *testing.T) {
	for _, children := range [][]string{{"shard-2"}, {"shard-2", "shard-3"}} {
		w := newWindowRig(t)
		w.stream.put("shard-1", 1)
		w.create(nil)
		w.expect(`{}`, 1).state(`1`)
		for i, id := range children {
			w.stream.open(id, "shard-1")
			w.stream.put(id, i+2)
		}
		w.stream.close("shard-1")
		c := w.final(`1`, 0, false)
		if c.ShardID != "shard-1" {
			t.Errorf("the end of a window of %s", c.ShardID)
		}
		c.fail() // until it succeeds, no child is read
		w.wait(time.Second)
		w.final(`1`, 0, false).state(`"after"`)
		left := map[string]int{}
		for range children {
			c := w.next()
			if string(c.State) != `{}` || c.Final || len(c.numbers) != 1 {
				t.Errorf("a child begins with %v and state %s", c.numbers, c.State)
			}
			left[c.ShardID] = c.numbers[0]
			c.state(fmt.Sprintf(`"%d"`, c.numbers[0]))
		}
		w.clock.AwaitSleepers(len(children))
		w.clock.Advance(2 * time.Minute)
		for range children {
			c := w.next()
			if want := fmt.Sprintf(`"%d"`, left[c.ShardID]); string(c.State) != want || !c.Final {
				t.Errorf("the window of %s ends with %s, final %v; want %s", c.ShardID, c.State, c.Final, want)
			}
			c.state(`{}`)
		}
	}
}

// TestWindowsAndFilters: a record that matches no filter opens no window, and ends none.
func TestWindowsAndFilters(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1, 2)
	m := w.create(func(c *esm.Config) { c.Filters = []string{`{"n":[2,4,6]}`} })
	w.expect(`{}`, 2).state(`2`)
	w.caughtUp(m)
	w.put(3)
	w.caughtUp(m)
	w.put(4)
	w.expect(`2`, 4).state(`24`)
	w.over()
	w.final(`24`, 0, false).state(`{}`)
	w.put(5)
	w.caughtUp(m)
	w.pass(5 * time.Minute)
	w.put(6)
	c := w.expect(`{}`, 6)
	if want := epoch.Add(6 * time.Minute).Truncate(time.Minute); !c.Window.Start.Equal(want) {
		t.Errorf("window %v, want one from %v", c.Window, want)
	}
}

// TestWindowsAndThrottles: what was not invoked changes nothing, and the end of a window waits for its function, however long that is gone.
func TestWindowsAndThrottles(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1, 2)
	m := w.create(func(c *esm.Config) { c.BatchSize, c.MaximumRetryAttempts, c.MaximumRecordAgeInSeconds = 1, 0, 7200 })
	w.expect(`{}`, 1).refuse()
	w.wait(time.Second)
	w.expect(`{}`, 1).state(`1`)
	w.expect(`1`, 2).refuse()
	w.wait(time.Second)
	w.expect(`1`, 2).state(`12`)
	w.caughtUp(m)
	w.over()
	w.final(`12`, 0, false).refuse()
	w.stream.put("shard-1", 3)
	for range 200 { // more than three hours
		w.wait(time.Minute)
		w.final(`12`, 0, false).refuse()
	}
	w.stream.put("shard-1", 4)
	w.wait(time.Minute)
	w.final(`12`, 0, false).fail() // MaximumRetryAttempts are not for it
	w.wait(time.Minute)
	w.final(`12`, 0, false).state(`{}`)
	w.expect(`{}`, 4).state(`4`)
	w.gaveUp("RecordAgeExceeded 3..3 (1) after 0")
	if got, err := w.Get(m.UUID); err != nil || got.State != esm.Enabled {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWindowTerminatedEarly: a state above 1 MB ends the window. What comes later in it begins with an empty state, and has an end of its own.
func TestWindowTerminatedEarly(t *testing.T) {
	limit := `"` + strings.Repeat("x", 1<<20-2) + `"`
	big := `"` + strings.Repeat("x", 1<<20-1) + `"`
	w := newWindowRig(t)
	w.stream.put("shard-1", 1, 2, 3, 4)
	m := w.create(func(c *esm.Config) {
		c.ReportBatchItemFailures, c.BatchSize, c.BisectBatchOnFunctionError = true, 2, true
	})
	w.expect(`{}`, 1, 2).state(limit)
	w.expect(limit, 3, 4).stateAndFailures(big, 4)
	w.final(big, 0, true).refuse()
	w.wait(time.Second)
	w.final(big, 0, true).fail()
	w.wait(time.Second)
	w.final(big, 0, true).state(`{}`)
	w.expect(`{}`, 4).state(`4`)
	w.put(5, 6)
	w.expect(`4`, 5, 6).fail()
	w.expect(`4`, 5).state(big) // half of a batch
	w.final(big, 0, true).state(big)
	w.expect(`{}`, 6).state(`6`)
	w.caughtUp(m)
	w.over()
	w.final(`6`, 0, false).state(`{}`)
	w.put(7)
	w.expect(`{}`, 7).state(big)
	w.final(big, 1, true).state(`{}`)
	w.caughtUp(m)
	w.pass(5 * time.Minute) // nothing came after that, so there is no other end
	w.put(8)
	w.expect(`{}`, 8)
}

// TestWindowStateGrows while a batch is delivered: an event stays under the limit of an invocation.
func TestWindowStateGrows(t *testing.T) {
	const most = 6<<20 + 100
	large := `"` + strings.Repeat("x", 1<<20-2) + `"`
	w := newWindowRig(t)
	w.stream.update(func() {
		w.stream.add("shard-1", 1, 0)
		for n := range 6 {
			w.stream.add("shard-1", n+2, 1<<20-200)
		}
	})
	w.create(func(c *esm.Config) { c.ReportBatchItemFailures = true })
	c := w.expect(`{}`, 1, 2, 3, 4, 5, 6, 7)
	if c.size > most {
		t.Errorf("event of %d bytes", c.size)
	}
	c.stateAndFailures(large, 2)
	c = w.expect(large, 2, 3, 4, 5, 6)
	if c.size > most {
		t.Errorf("event of %d bytes", c.size)
	}
	c.state(`"small"`)
	w.expect(`"small"`, 7).state(`{}`)
}

// TestWindowAndRestart: the state lies with the checkpoint, so that a restart goes on with both at any point of a window.
func TestWindowAndRestart(t *testing.T) {
	big := `"` + strings.Repeat("x", 1<<20) + `"`
	s, kept := newStream(clock.NewManual(epoch)), newJournals()
	s.put("shard-1", 1, 2)
	w := newWindowRigOf(t, s, kept)
	w.create(func(c *esm.Config) { c.BatchSize = 1 })
	restart := func() {
		kept = kept.copy()
		w = newWindowRigOf(t, s, kept)
	}
	w.expect(`{}`, 1).state(`1`)
	w.expect(`1`, 2)
	restart() // with a record in flight
	w.expect(`1`, 2).state(`12`)
	w.settle()
	w.clock.AwaitSleepers(1)
	restart() // between the last record and the end
	w.settle()
	w.clock.AwaitSleepers(1)
	s.clock.Advance(2 * time.Minute)
	w.final(`12`, 0, false)
	restart() // with the end in flight
	w.final(`12`, 0, false).fail()
	w.clock.AwaitSleepers(1)
	restart() // between its attempts
	w.final(`12`, 0, false).state(`{}`)
	w.put(3)
	w.expect(`{}`, 3).state(big)
	w.final(big, 2, true)
	restart() // with an early end in flight
	w.final(big, 2, true).state(`{}`)
	w.put(4)
	w.expect(`{}`, 4).state(`4`)
	w.put(5)
	w.expect(`4`, 5) // so that record 4 is settled
	s.close("shard-1")
	restart() // with its shard at its end
	w.expect(`4`, 5).state(`45`)
	w.final(`45`, 2, false)
	s.open("shard-2", "shard-1")
	s.put("shard-2", 6)
	restart()
	w.final(`45`, 2, false).state(`{}`)
	w.expect(`{}`, 6).state(`6`)
}

// TestWindowsOfAnotherLength: the state of a window is forgotten with the length of windows; what was done stays done.
func TestWindowsOfAnotherLength(t *testing.T) {
	w := newWindowRig(t)
	m := w.create(func(c *esm.Config) { c.BatchSize = 1 })
	set := func(seconds int) {
		t.Helper()
		w.update(m.UUID, func(c *esm.Config) { c.TumblingWindowInSeconds = seconds })
	}
	w.stream.put("shard-1", 1)
	w.expect(`{}`, 1).state(`1`)
	w.caughtUp(m)
	set(120)
	w.stream.put("shard-1", 2)
	c := w.expect(`{}`, 2)
	if c.Window.End.Sub(c.Window.Start) != 2*time.Minute {
		t.Errorf("window %v", c.Window)
	}
	c.state(`2`)
	w.caughtUp(m)
	set(0)
	w.stream.put("shard-1", 3)
	w.next().ok(`{}`) // without a state
	w.caughtUp(m)
	set(60)
	w.stream.put("shard-1", 4)
	w.expect(`{}`, 4).state(`4`)
	w.caughtUp(m)
	w.update(m.UUID, func(c *esm.Config) { c.BatchSize = 2 }) // another setting keeps the window
	w.stream.put("shard-1", 5)
	w.expect(`4`, 5).state(`45`)
	w.over()
	w.final(`45`, 0, false)
}

// TestDisabledMappingKeepsItsWindow, and ends it when it is enabled again.
func TestDisabledMappingKeepsItsWindow(t *testing.T) {
	w := newWindowRig(t)
	m := w.create(nil)
	enable := func(on bool) { w.update(m.UUID, func(c *esm.Config) { c.Enabled = on }) }
	w.stream.put("shard-1", 1)
	c := w.expect(`{}`, 1)
	enable(false) // with a batch in flight, which ends
	c.state(`1`)
	w.caughtUp(m)
	w.stream.put("shard-1", 2)
	enable(true)
	w.expect(`1`, 2).state(`12`)
	w.caughtUp(m)
	enable(false)
	w.clock.Advance(10 * time.Minute)
	w.stream.put("shard-1", 3)
	enable(true)
	w.final(`12`, 0, false).state(`{}`)
	w.expect(`{}`, 3).state(`3`)
	w.caughtUp(m)
	w.over()
	c = w.final(`3`, 10, false)
	enable(false) // with the end of a window in flight, which is not repeated
	c.state(`{}`)
	w.stream.put("shard-1", 4)
	enable(true)
	w.expect(`{}`, 4)
}

// TestLateRecords have the window of their time, and end the one that is open; one that is over has a second end for them.
func TestLateRecords(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1)
	w.clock.Advance(time.Minute)
	w.stream.put("shard-1", 2)
	w.stream.update(func() {
		w.stream.add("shard-1", 3, 0)
		records := w.stream.find("shard-1").records
		records[2].ApproximateCreationDateTime = epoch
	})
	w.stream.put("shard-1", 4)
	w.create(nil)
	w.expect(`{}`, 1).state(`1`)
	w.final(`1`, 0, false).state(`{}`)
	w.expect(`{}`, 2).state(`2`)
	w.final(`2`, 1, false).state(`{}`)
	w.expect(`{}`, 3).state(`3`)
	w.final(`3`, 0, false).state(`{}`)
	w.expect(`{}`, 4).state(`4`)
	w.over()
	w.final(`4`, 1, false)
}

// TestWindowOfStreamThatCannotBeRead does not end: its last records may still be there.
func TestWindowOfStreamThatCannotBeRead(t *testing.T) {
	w := newWindowRig(t)
	w.stream.put("shard-1", 1)
	m := w.create(nil)
	w.expect(`{}`, 1).state(`1`)
	w.caughtUp(m)
	w.settle()
	w.stream.update(func() {
		w.stream.add("shard-1", 2, 0)
		w.stream.broken = true
	})
	w.clock.AwaitSleepers(2) // the end of the window, and the reader that rests
	for range 5 {
		w.clock.Advance(time.Minute)
		w.clock.AwaitSleepers(1)
		for range 1000 { // a reader that does not rest would read on
			runtime.Gosched()
		}
	}
	w.stream.update(func() {
		if n := w.stream.failed; n > 10 {
			t.Errorf("it was read %d times in vain", n)
		}
		w.stream.broken = false
	})
	w.expect(`1`, 2).state(`12`)
	w.final(`12`, 0, false).state(`{}`)
	w.put(3) // and the next window ends on time
	w.expect(`{}`, 3).state(`3`)
	w.over()
	w.final(`3`, 5, false)
}

// TestEventsOfWindows tells of the end of a window as it does of a batch.
func TestEventsOfWindows(t *testing.T) {
	var told events
	w := &windowRig{windows: make(chan windowCall)}
	w.rig = newRigWithStream(t, newStream(clock.NewManual(epoch)), func(o *esm.Options) { o.Invoker, o.Observe = w, told.add })
	w.stream.put("shard-1", 1)
	w.create(nil)
	w.expect(`{}`, 1).ok(`{}`)
	w.wait(time.Second)
	w.expect(`{}`, 1).state(`1`)
	w.over()
	w.final(`1`, 0, false).refuse()
	w.wait(time.Second)
	w.final(`1`, 0, false).fail()
	w.wait(time.Second)
	w.final(`1`, 0, false).state(`{}`)
	w.put(2)
	w.expect(`{}`, 2)
	want := []string{
		"invoke 1", "failure 1 the answer has no state, and the window needs one {}", "retry 1 500ms", "invoke 1", "success 1",
		"invoke 0", "refused 0 500ms rate exceeded", "invoke 0", `failure 0 Unhandled {"errorMessage":"no"}`, "retry 0 1s", "invoke 0", "success 0", "invoke 1",
	}
	if diff := cmp.Diff(want, told.list()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
