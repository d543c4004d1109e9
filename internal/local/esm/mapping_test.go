package esm_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/esm"
)

func TestStartingPosition(t *testing.T) {
	for _, test := range []struct {
		position string
		want     []int
	}{{esm.TrimHorizon, []int{1, 2, 3}}, {esm.Latest, []int{3}}} {
		t.Run(test.position, func(t *testing.T) {
			r := newRig(t)
			r.stream.put("shard-1", 1, 2)
			r.create(func(c *esm.Config) { c.StartingPosition = test.position })
			r.stream.put("shard-1", 3) // at once: the position is fixed already
			if test.position == esm.TrimHorizon {
				// The first read may have come before the third record.
				c := <-r.calls
				c.ok(`{}`)
				if len(c.numbers) == 2 {
					r.expect(3).ok(`{}`)
				} else if diff := cmp.Diff(test.want, c.numbers); diff != "" {
					t.Error(diff)
				}
				return
			}
			r.expect(test.want...).ok(`{}`)
		})
	}
}

func TestLatestReadsLaterShardsFromTheirBeginning(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1)
	r.stream.close("shard-1")
	r.stream.open("shard-2", "shard-1")
	r.stream.put("shard-2", 2)
	r.create(func(c *esm.Config) { c.StartingPosition = esm.Latest })
	r.settle()
	r.stream.update(func() {
		r.stream.find("shard-2").Closed = true
		r.stream.shards = append(r.stream.shards, &shard{Shard: esm.Shard{ID: "shard-3", ParentID: "shard-2"}})
		r.stream.add("shard-3", 3, 0)
	})
	r.expect(3).ok(`{}`)
}

func TestParentIsDrainedBeforeItsChildren(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1, 2)
	r.stream.close("shard-1")
	r.stream.open("left", "shard-1")
	r.stream.open("grandchild", "left")
	r.stream.put("left", 3)
	r.stream.put("grandchild", 4)
	r.stream.close("left")
	r.create(func(c *esm.Config) { c.BatchSize = 1 })
	r.expect(1).ok(`{}`)
	r.expect(2).fail() // it blocks the children too
	r.wait(time.Minute)
	r.expect(2).ok(`{}`)
	r.expect(3).ok(`{}`)
	r.expect(4).ok(`{}`)
}

// The children of a shard that was split wait for it, and then are read side by side.
func TestSplit(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1)
	r.create(nil)
	parent := r.expect(1)
	r.stream.update(func() {
		r.stream.find("shard-1").Closed = true
		for i, id := range []string{"lower", "upper"} {
			r.stream.shards = append(r.stream.shards, &shard{Shard: esm.Shard{ID: id, ParentID: "shard-1"}})
			r.stream.add(id, 2+i, 0)
		}
	})
	r.stream.awaitListed("upper")
	for range 3 {
		parent.fail()
		r.wait(time.Minute)
		parent = r.expect(1)
	}
	parent.ok(`{}`)
	calls := map[int]call{}
	for range 2 {
		c := <-r.calls
		calls[c.numbers[0]] = c
	}
	calls[2].fail()
	calls[3].ok(`{}`)
	r.stream.put("upper", 4)
	r.expect(4).ok(`{}`)
	r.clock.AwaitSleepers(1)
	r.clock.Advance(time.Minute)
	r.expect(2).ok(`{}`)
}

// A shard that is trimmed before it was drained is not asked for any more, and holds nothing up.
func TestShardIsGone(t *testing.T) {
	r := newRig(t)
	r.create(nil)
	r.stream.put("shard-1", 1)
	r.expect(1).ok(`{}`)
	r.settle()
	r.stream.update(func() {
		r.stream.shards = []*shard{{Shard: esm.Shard{ID: "child", ParentID: "shard-1"}}}
		r.stream.add("child", 2, 0)
		r.stream.gone = 0
	})
	r.expect(2).ok(`{}`)
	for range 5 {
		r.pass(time.Second)
	}
	r.stream.put("child", 3)
	r.expect(3).ok(`{}`)
	r.stream.update(func() {
		if r.stream.gone > 1 {
			t.Errorf("a shard that is gone was read %d times", r.stream.gone)
		}
	})
}

func TestDisableKeepsTheCheckpoint(t *testing.T) {
	r := newRig(t)
	m := r.create(func(c *esm.Config) { c.ReportBatchItemFailures, c.StartingPosition = true, esm.Latest })
	r.stream.put("shard-1", 1, 2, 3)
	first := <-r.calls
	rest := map[int][]int{1: {2, 3}, 2: {3}, 3: nil}[len(first.numbers)]
	first.ok(`{}`)
	if len(rest) > 0 {
		r.expect(rest...).ok(`{}`)
	}
	r.settle()

	got := r.update(m.UUID, func(c *esm.Config) { c.Enabled = false })
	if got.State != esm.Disabling {
		t.Errorf("answer to disabling: %s", got.State)
	}
	r.state(m.UUID, esm.Disabled)
	r.stream.put("shard-1", 4, 5)
	got = r.update(m.UUID, func(c *esm.Config) { c.Enabled = true })
	if got.State != esm.Enabling {
		t.Errorf("answer to enabling: %s", got.State)
	}
	r.state(m.UUID, esm.Enabled)
	r.expect(4, 5).ok(`{}`)
}

func TestChangeLetsTheBatchInFlightEnd(t *testing.T) {
	r := newRig(t)
	m := r.create(func(c *esm.Config) { c.ReportBatchItemFailures, c.BatchSize = true, 3 })
	r.stream.update(func() {
		for n := range 3 {
			r.stream.add("shard-1", n+1, 0)
		}
	})
	c := r.expect(1, 2, 3)
	if got := r.update(m.UUID, func(c *esm.Config) { c.BatchSize = 1 }); got.State != esm.Updating {
		t.Errorf("answer: %s", got.State)
	}
	r.state(m.UUID, esm.Enabled)
	select {
	case c := <-r.calls:
		t.Fatalf("%v beside the batch in flight", c.numbers)
	default:
	}
	c.failItems(2) // record 1 is done; the rest comes again under the new configuration
	r.expect(2).ok(`{}`)
	r.expect(3).ok(`{}`)
}

func TestDisabledFromTheBeginning(t *testing.T) {
	r := newRig(t)
	r.stream.put("shard-1", 1)
	m := r.create(func(c *esm.Config) { c.Enabled, c.StartingPosition = false, esm.Latest })
	if m.State != esm.Creating {
		t.Errorf("answer: %s", m.State)
	}
	r.state(m.UUID, esm.Disabled)
	r.stream.put("shard-1", 2)
	r.update(m.UUID, func(c *esm.Config) { c.Enabled = true })
	r.stream.put("shard-1", 3)
	r.expect(3).ok(`{}`)
}

func TestDelete(t *testing.T) {
	r := newRig(t)
	m := r.create(nil)
	r.stream.put("shard-1", 1)
	c := r.expect(1)
	got, err := r.Delete(m.UUID)
	if err != nil || got.State != esm.Deleting {
		t.Fatalf("got %+v, %v", got, err)
	}
	c.fail() // and nobody tries again
	_, err = r.Get(m.UUID)
	_, err2 := r.Delete(m.UUID)
	_, err3 := r.Update(m.UUID, func(*esm.Config) error { return nil })
	for _, err := range []error{err, err2, err3, r.UpdateTags(m.UUID, nil)} {
		isError(t, err, esm.ResourceNotFound, "The resource you requested does not exist.")
	}
	if err := r.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCreateRefusals(t *testing.T) {
	r := newRig(t)
	m := r.create(nil)
	_, err := r.Create(config(nil), nil)
	isError(t, err, esm.ResourceConflict, `The event source arn (" `+streamARN+` ") and function (" fn ") provided mapping already exists. `+
		`Please update or delete the existing mapping with UUID `+m.UUID)
	_, err = r.Create(config(func(c *esm.Config) { c.StreamARN += "0" }), nil)
	isError(t, err, esm.InvalidParameterValue, "Stream not found: "+streamARN+"0")
	other := r.create(func(c *esm.Config) { c.FunctionARN += ":$LATEST" })
	_, err = r.Update(other.UUID, func(c *esm.Config) error { c.FunctionARN = functionARN; return nil })
	isError(t, err, esm.ResourceConflict, "already exists")
	refusal := errors.New("no")
	if _, err := r.Update(m.UUID, func(c *esm.Config) error { c.BatchSize = 7; return refusal }); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
	if got, err := r.Get(m.UUID); err != nil || got.BatchSize != 100 {
		t.Errorf("a refused update changed the mapping: %+v, %v", got, err)
	}
	if all := r.List(); len(all) != 2 || all[0].UUID != m.UUID || all[1].UUID != other.UUID {
		t.Errorf("list: %+v", all)
	}
}

func TestVanishedStreamDoesNotChangeTheState(t *testing.T) {
	r := newRig(t)
	m := r.create(nil)
	r.settle()
	r.stream.update(func() { r.stream.broken = true })
	r.pass(time.Second)
	r.settle()
	r.state(m.UUID, esm.Enabled)
	r.stream.update(func() { r.stream.broken = false; r.stream.add("shard-1", 1, 0) })
	r.expect(1).ok(`{}`)
}

// TestPollsWithoutNews: a source whose Wait says nothing is polled by the clock.
func TestPollsWithoutNews(t *testing.T) {
	r := newRig(t)
	r.create(nil)
	r.settle()
	r.stream.mu.Lock()
	r.stream.add("shard-1", 1, 0) // and nobody is told
	r.stream.mu.Unlock()
	r.clock.polls.Advance(pollInterval)
	r.expect(1).ok(`{}`)
}

func TestCloseWaitsForTheBatchInFlight(t *testing.T) {
	r := newRig(t)
	r.create(nil)
	r.stream.put("shard-1", 1)
	c := r.expect(1)
	closed := make(chan error)
	go func() { closed <- r.Close(t.Context()) }()
	select {
	case err := <-closed:
		t.Fatalf("closed with a batch in flight: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	c.ok(`{}`)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	noGoroutine(t)
}

func TestCloseGivesUpWaiting(t *testing.T) {
	r := newRig(t)
	r.create(nil)
	r.stream.put("shard-1", 1)
	r.expect(1)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := r.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	noGoroutine(t)
}

func noGoroutine(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if strings.Contains(string(stacks), "esm.(*poller)") {
		t.Errorf("a poller is left:\n%s", stacks)
	}
}

func (r *rig) update(id string, change func(*esm.Config)) esm.Mapping {
	r.t.Helper()
	m, err := r.Update(id, func(c *esm.Config) error { change(c); return nil })
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *rig) state(id, want string) {
	r.t.Helper()
	if m, err := r.Get(id); err != nil || m.State != want {
		r.t.Errorf("state %s (%v), want %s", m.State, err, want)
	}
}

func isError(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *esm.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}
