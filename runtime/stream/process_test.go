package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"streamgen/runtime/stream"
)

// world is what the property test knows of its records, by their numbers.
type world struct {
	mu       sync.Mutex
	items    []int // which item a record changes
	failures []int // how often a record still fails
	finished []bool
	running  map[int]bool // by item
	wrong    string
}

func (w *world) complain(format string, args ...any) {
	if w.wrong == "" {
		w.wrong = fmt.Sprintf(format, args...)
	}
}

// begin says what is to become of a record, and checks that it may run.
func (w *world) begin(n int) (fails bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.finished[n] {
		w.complain("record %d runs again after it succeeded", n)
	}
	if w.running[w.items[n]] {
		w.complain("record %d runs beside another change of item %d", n, w.items[n])
	}
	for i := range n {
		if w.items[i] == w.items[n] && !w.finished[i] {
			w.complain("record %d runs before record %d, an earlier change of item %d, has succeeded", n, i, w.items[n])
		}
	}
	w.running[w.items[n]] = true
	if w.failures[n] > 0 {
		w.failures[n]--
		return true
	}
	return false
}

func (w *world) end(n int, finished bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.running, w.items[n])
	w.finished[n] = finished
}

// TestNothingIsLostNorRunTwice plays Lambda: it delivers batches of any size, some of them twice, takes the lowest reported record for its
// checkpoint and goes on from there. Changes fail, panic, are skipped, and run out of time.
func TestNothingIsLostNorRunTwice(t *testing.T) {
	for seed := range uint64(400) {
		for _, form := range []string{"one", "batch"} {
			if wrong := playLambda(t, rand.New(rand.NewPCG(seed, 0)), form); wrong != "" {
				t.Fatalf("seed %d, %s: %s", seed, form, wrong)
			}
		}
	}
}

func playLambda(t *testing.T, rng *rand.Rand, form string) string {
	n := 1 + rng.IntN(40)
	w := &world{items: make([]int, n), failures: make([]int, n), finished: make([]bool, n), running: map[int]bool{}}
	records := make([]string, n)
	for i := range records {
		w.items[i] = rng.IntN(8)
		w.failures[i] = max(0, rng.IntN(6)-3)
		records[i] = record(fmt.Sprint(1000+i), "MODIFY", fmt.Sprintf(`"Keys":{"Id":{"S":"%d"}},"NewImage":{"Id":{"S":"%[1]d"},"Total":{"N":"%d"}}`, w.items[i], i))
	}
	var chance atomic.Uint64
	chance.Store(rng.Uint64())
	dice := func(n uint64) uint64 { return chance.Add(0x9e3779b97f4a7c15) >> 33 % n } // of any goroutine

	var cancel atomic.Pointer[context.CancelFunc]
	one := func(_ context.Context, c stream.Change[Order]) (err error) {
		i, _ := strconv.Atoi(string(c.New.Total))
		fails := w.begin(i)
		defer func() { w.end(i, !fails) }()
		if dice(3) == 0 {
			runtime.Gosched()
		}
		if dice(12) == 0 {
			(*cancel.Load())()
		}
		switch {
		case fails && dice(2) == 0 && form == "one":
			panic("not yet")
		case fails:
			return errDown
		case dice(5) == 0:
			return stream.Skip(errDown)
		}
		return nil
	}
	var h = stream.Handler(one, stream.MaxConcurrency(1+rng.IntN(8)))
	if form == "batch" {
		h = stream.Router(stream.OnBatch("orders", func(ctx context.Context, changes []stream.Change[Order]) error {
			var errs []error
			failed := map[string]bool{}
			for _, c := range changes {
				if failed[c.Keys.ID] {
					continue
				}
				err := c.Failed(one(ctx, c))
				errs = append(errs, err)
				failed[c.Keys.ID] = errors.Is(err, errDown) && w.failed(c)
			}
			return errors.Join(errs...)
		}))
	}

	for checkpoint, invocations := 0, 0; checkpoint < n; invocations++ {
		if invocations > 50*n {
			return fmt.Sprint("stuck at record ", checkpoint)
		}
		size := 1 + rng.IntN(n-checkpoint)
		ctx, stop := context.WithCancel(t.Context())
		cancel.Store(&stop)
		got, err := h.Invoke(ctx, event(records[checkpoint:checkpoint+size]...))
		stop()
		if err != nil {
			return err.Error()
		}
		next, wrong := checkpointOf(got, checkpoint, size)
		if wrong == "" {
			wrong = w.wrong
		}
		if wrong != "" {
			return wrong
		}
		for i := checkpoint; i < next; i++ {
			if !w.finished[i] {
				return fmt.Sprintf("record %d is lost: the response %s is beyond it", i, got)
			}
		}
		if next < checkpoint+size && w.finished[next] {
			return fmt.Sprintf("record %d has succeeded and is reported", next)
		}
		checkpoint = next
	}
	return ""
}

// failed reports whether the change's record did not succeed.
func (w *world) failed(c stream.Change[Order]) bool {
	i, _ := strconv.Atoi(string(c.New.Total))
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.finished[i]
}

// checkpointOf reads a response as Lambda does: the record to go on from.
func checkpointOf(response []byte, checkpoint, size int) (next int, wrong string) {
	var r struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return 0, fmt.Sprintf("response %s: %v", response, err)
	}
	next = checkpoint + size
	for _, f := range r.BatchItemFailures {
		n, err := strconv.Atoi(f.ItemIdentifier)
		if n -= 1000; err != nil || n < checkpoint || n >= checkpoint+size {
			return 0, fmt.Sprintf("response %s: no record of the batch", response)
		}
		next = min(next, n)
	}
	return next, ""
}

func TestLanes(t *testing.T) {
	for concurrency, want := range map[int]time.Duration{1: 6 * time.Second, 2: 3 * time.Second, 3: 2 * time.Second, 8: 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			h := stream.Handler(func(context.Context, stream.Change[Order]) error { time.Sleep(time.Second); return nil }, stream.MaxConcurrency(concurrency))
			started := time.Now()
			// Three items with two changes each.
			got, err := h.Invoke(t.Context(), event(insertRecord("1", "a"), insertRecord("2", "a"), insertRecord("3", "b"), insertRecord("4", "c"), insertRecord("5", "b"), insertRecord("6", "c")))
			if err != nil || string(got) != allDone {
				t.Errorf("response %s, %v", got, err)
			}
			if d := time.Since(started); d != want {
				t.Errorf("%d lanes: %v, want %v", concurrency, d, want)
			}
		})
	}
}

// A record that does not say which item it changes fails, and nothing after it is started: it may be a change of any item.
func TestUnknownItemHoldsBackTheRest(t *testing.T) {
	for _, concurrency := range []int{1, 4} {
		var handled atomic.Int32
		h := stream.Handler(func(context.Context, stream.Change[Order]) error { handled.Add(1); return nil }, stream.MaxConcurrency(concurrency))
		got, err := h.Invoke(t.Context(), event(insertRecord("1", "a"), record("2", "MODIFY", `"Keys":7`), insertRecord("3", "b")))
		if err != nil || string(got) != unfinishedFrom("2") || handled.Load() != 1 {
			t.Errorf("%d lanes: response %s, %v, %d handled", concurrency, got, err, handled.Load())
		}
	}
}

// Keys are the same whatever the order of their attributes.
func TestItemIsItsWholeKey(t *testing.T) {
	change := func(n, keys string) string { return record(n, "MODIFY", `"Keys":`+keys) }
	h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		if c.SequenceNumber == "1" {
			return errDown
		}
		if c.SequenceNumber == "2" {
			t.Error("a change runs although an earlier one of its item has failed")
		}
		return nil
	})
	got, err := h.Invoke(t.Context(), event(change("1", `{"Id":{"S":"a"},"Total":{"N":"1"}}`), change("2", `{"Total":{"N":"1"},"Id":{"S":"a"}}`), change("3", `{"Id":{"S":"a"},"Total":{"N":"2"}}`)))
	if err != nil || string(got) != unfinishedFrom("1") {
		t.Errorf("response %s, %v", got, err)
	}
}

type parking struct {
	events []string
	err    error
}

func (p *parking) Park(_ context.Context, r stream.Record, cause error) error {
	p.events = append(p.events, string(r.Event())+" "+cause.Error())
	return p.err
}

func TestSkipAndPark(t *testing.T) {
	handle := func(_ context.Context, c stream.Change[Order]) error {
		if c.Keys.ID == "skip" {
			return fmt.Errorf("order: %w", stream.Skip(errDown))
		}
		return stream.Park(errDown)
	}
	payload := event(insertRecord("1", "skip"), insertRecord("2", "park"), insertRecord("3", "skip"))
	full, none := &parking{}, &parking{err: errors.New("queue is full")}
	for name, c := range map[string]struct {
		options []stream.Option
		want    string
	}{
		"parked":           {[]stream.Option{stream.ParkTo(full)}, allDone},
		"no queue":         {nil, unfinishedFrom("2")},
		"queue is not had": {[]stream.Option{stream.ParkTo(none)}, unfinishedFrom("2")},
	} {
		got, err := stream.Handler(handle, c.options...).Invoke(t.Context(), payload)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: response %s, %v; want %s", name, got, err, c.want)
		}
	}
	if want := strings.Replace(string(event(insertRecord("2", "park"))), "event-2", "event-2-again", 1) + " index is down"; len(full.events) != 1 || full.events[0] != want {
		t.Errorf("parked %q, want %q", full.events, want)
	}
	if stream.Skip(nil) != nil || stream.Park(nil) != nil {
		t.Error("no error is skipped or parked")
	}
}

// store is a Store in memory.
type store struct {
	mu     sync.Mutex
	states map[string]string
	fail   string
	until  time.Time
}

func (s *store) step(name, id, state string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == name {
		return errors.New(name + " fails")
	}
	s.states[id] = state
	return nil
}

func (s *store) Claim(_ context.Context, id string, until time.Time) (bool, error) {
	s.mu.Lock()
	state := s.states[id]
	s.until = until
	s.mu.Unlock()
	switch state {
	case "done":
		return true, nil
	case "claimed":
		return false, errors.New("claimed by another")
	}
	return false, s.step("claim", id, "claimed")
}

func (s *store) Done(_ context.Context, id string) error    { return s.step("done", id, "done") }
func (s *store) Release(_ context.Context, id string) error { return s.step("release", id, "") }

func TestOnce(t *testing.T) {
	var handled []string
	var fails bool
	s := &store{states: map[string]string{"event-2": "done", "event-3": "claimed"}}
	environment := func() func(string) string {
		h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
			handled = append(handled, c.EventID)
			if fails {
				panic("no")
			}
			return nil
		}, stream.Once(s))
		return func(n string) string {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			got, err := h.Invoke(ctx, event(insertRecord(n, "a")))
			if err != nil {
				t.Fatal(err)
			}
			if deadline, _ := ctx.Deadline(); !s.until.Equal(deadline) {
				t.Errorf("claimed until %v, want the deadline %v", s.until, deadline)
			}
			return string(got)
		}
	}
	first, second := environment(), environment()
	fails = true
	if got := first("1"); got != unfinishedFrom("1") || s.states["event-1"] != "" {
		t.Errorf("failure: %s, %q; want it released", got, s.states["event-1"])
	}
	fails = false
	if got := first("1"); got != allDone || s.states["event-1"] != "done" {
		t.Errorf("success: %s, %q; want it noted", got, s.states["event-1"])
	}
	if got := second("1"); got != allDone || len(handled) != 2 {
		t.Errorf("elsewhere: %s, handled %q; want it replayed", got, handled)
	}
	if got := second("3"); got != unfinishedFrom("3") || len(handled) != 2 {
		t.Errorf("claimed: %s, handled %q; want it unfinished", got, handled)
	}
	s.fail = "done"
	if got := second("4"); got != allDone {
		t.Errorf("not noted: %s; the record is done nevertheless", got)
	}
}

func TestMiddleware(t *testing.T) {
	var seen []string
	note := func(name string) stream.Middleware {
		return func(ctx context.Context, r stream.Record, next func(context.Context) error) error {
			err := next(ctx)
			seen = append(seen, fmt.Sprint(name, " ", r.EventID(), " ", r.Kind(), " ", err))
			return err
		}
	}
	ignore := func(ctx context.Context, _ stream.Record, next func(context.Context) error) error {
		return stream.Skip(next(ctx))
	}
	h := stream.Handler(behave, stream.Around(note("outer"), ignore), stream.Around(note("inner")))
	got, err := h.Invoke(t.Context(), event(insertRecord("1", "fail")))
	if err != nil || string(got) != allDone {
		t.Errorf("response %s, %v", got, err)
	}
	if want := "[inner event-1 INSERT index is down outer event-1 INSERT index is down]"; fmt.Sprint(seen) != want {
		t.Errorf("seen %v, want %s", seen, want)
	}
}

func TestRememberIsBounded(t *testing.T) {
	for limit, want := range map[int]int{0: 6, 1: 5, 3: 3} {
		runs := 0
		h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
			if c.Keys.ID == "fail" {
				return errDown
			}
			runs++
			return nil
		}, stream.Remember(limit))
		payload := event(insertRecord("1", "fail"), insertRecord("2", "a"), insertRecord("3", "b"), insertRecord("4", "c"))
		for range 2 {
			if got, err := h.Invoke(t.Context(), payload); err != nil || string(got) != unfinishedFrom("1") {
				t.Fatalf("response %s, %v", got, err)
			}
		}
		if runs != want {
			t.Errorf("remembering %d: %d runs, want %d", limit, runs, want)
		}
	}
}

func TestBatchErrors(t *testing.T) {
	other := errors.New("something else")
	for name, c := range map[string]struct {
		handle func(changes []stream.Change[Order]) error
		want   string
	}{
		"all done":        {func([]stream.Change[Order]) error { return nil }, allDone},
		"no name":         {func([]stream.Change[Order]) error { return other }, unfinishedFrom("1")},
		"one":             {func(c []stream.Change[Order]) error { return c[1].Failed(other) }, unfinishedFrom("2")},
		"wrapped":         {func(c []stream.Change[Order]) error { return fmt.Errorf("x: %w", c[1].Failed(other)) }, unfinishedFrom("2")},
		"two":             {func(c []stream.Change[Order]) error { return errors.Join(c[2].Failed(other), c[1].Failed(other)) }, unfinishedFrom("2")},
		"one and no name": {func(c []stream.Change[Order]) error { return errors.Join(c[2].Failed(other), other) }, unfinishedFrom("1")},
		"skipped":         {func(c []stream.Change[Order]) error { return c[1].Failed(stream.Skip(other)) }, allDone},
		"skipped and failed": {func(c []stream.Change[Order]) error {
			return errors.Join(c[0].Failed(stream.Skip(other)), c[2].Failed(other))
		}, unfinishedFrom("3")},
		"panic": {func([]stream.Change[Order]) error { panic(other) }, unfinishedFrom("1")},
	} {
		h := stream.Router(stream.OnBatch("orders", func(_ context.Context, changes []stream.Change[Order]) error { return c.handle(changes) }))
		got, err := h.Invoke(t.Context(), event(insertRecord("1", "a"), insertRecord("2", "b"), insertRecord("3", "c")))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: response %s, %v; want %s", name, got, err, c.want)
		}
	}
}

// The attempts of a batch are counted like those of single changes.
func TestBatchAttempts(t *testing.T) {
	log := captureLog(t)
	h := stream.Router(stream.OnBatch("orders", func(_ context.Context, changes []stream.Change[Order]) error { return changes[0].Failed(errDown) }))
	for range 3 {
		if _, err := h.Invoke(t.Context(), event(insertRecord("1", "a"))); err != nil {
			t.Fatal(err)
		}
	}
	var attempts []any
	for _, line := range logLines(t, log.Bytes()) {
		attempts = append(attempts, line["attempt"])
	}
	if fmt.Sprint(attempts) != "[<nil> 2 3]" {
		t.Errorf("attempts %v", attempts)
	}
}
