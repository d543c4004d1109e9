package esm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/esm"
)

// flood is a stream with more records than a mapping may hold. It makes them when they are read, the nth for key n%keys, and counts those that
// something still holds. Every tenth is of the kind that a filter leaves out.
type flood struct {
	keys int
	at   time.Time

	live atomic.Int64 // records that are held
	read atomic.Int64 // records that reads gave

	mu      sync.Mutex
	ends    []int // the last record of each shard; all but the last are closed, and each is the parent of the next
	trimmed int   // records up to here are gone
	fails   func() bool
	news    chan struct{}
}

func newFlood(keys int, ends ...int) *flood {
	return &flood{keys: keys, at: time.Now(), ends: ends, fails: func() bool { return false }, news: make(chan struct{}, 1)}
}

func (f *flood) key(n int) string { return fmt.Sprint("key-", n%f.keys) }

func wanted(n int) bool { return n%10 != 0 }

// change does something to the stream and tells its reader.
func (f *flood) change(do func()) {
	f.mu.Lock()
	do()
	f.mu.Unlock()
	select {
	case f.news <- struct{}{}:
	default:
	}
}

func (f *flood) Shards() []esm.Shard {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []esm.Shard
	for i := range f.ends {
		s := esm.Shard{ID: fmt.Sprint("shard-", i), Closed: i+1 < len(f.ends)}
		if i > 0 {
			s.ParentID = fmt.Sprint("shard-", i-1)
		}
		all = append(all, s)
	}
	return all
}

func (f *flood) Latest(string) string { return "" }

func (f *flood) Read(id, after string, limit int) (records []esm.Record, closed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails() {
		return nil, false, errors.New("not now")
	}
	var shard, from int
	if _, err := fmt.Sscanf(id, "shard-%d", &shard); err != nil {
		return nil, false, err
	}
	if shard > 0 {
		from = f.ends[shard-1]
	}
	for n := max(from, number(after)/7, f.trimmed) + 1; n <= f.ends[shard] && len(records) < limit; n++ {
		kind := map[bool]string{true: "a", false: "b"}[wanted(n)]
		text := fmt.Appendf(make([]byte, 0, 128), `{"n":%d,"kind":%q,"key":%q}`, n, kind, f.key(n))
		f.live.Add(1)
		runtime.AddCleanup(&text[0], func(live *atomic.Int64) { live.Add(-1) }, &f.live)
		records = append(records, esm.Record{SequenceNumber: sequence(n), Key: f.key(n), ApproximateCreationDateTime: f.at, JSON: text})
	}
	f.read.Add(int64(len(records)))
	last := max(from, number(after)/7, f.trimmed) + len(records)
	return records, shard+1 < len(f.ends) && last >= f.ends[shard], nil
}

func (f *flood) Wait(ctx context.Context) error {
	select {
	case <-f.news:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// bank is the function of a flood. It keeps what is done of each key, in which nothing may come before what was written earlier.
type bank struct {
	t       *testing.T
	records *flood
	// answer decides about a batch: how many records at its head are done, or an error if the function was not run.
	answer func(numbers []int) (done int, err error)

	mu      sync.Mutex
	changed *sync.Cond
	done    map[int]int    // how often each record was done or given up
	last    map[string]int // the last one of each key
	given   int
}

func newBank(t *testing.T, f *flood) *bank {
	b := &bank{t: t, records: f, done: map[int]int{}, last: map[string]int{}}
	b.changed = sync.NewCond(&b.mu)
	return b
}

func (b *bank) Invoke(_ context.Context, _ string, payload []byte) (esm.Result, error) {
	numbers := numbersOf(b.t, payload)
	b.mu.Lock()
	defer b.mu.Unlock()
	done, err := b.answer(numbers)
	if err != nil {
		return esm.Result{}, err
	}
	b.settle(numbers, done)
	switch {
	case done == len(numbers):
		return esm.Result{Payload: []byte(`{}`)}, nil
	case done == 0:
		return esm.Result{FunctionError: "Unhandled"}, nil
	}
	return esm.Result{Payload: fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, sequence(numbers[done]))}, nil
}

func (b *bank) take(d esm.Delivery) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	numbers := numbersOf(b.t, []byte(d.Event))
	b.given += len(numbers)
	b.settle(numbers, len(numbers))
	return nil
}

// settle takes in a batch of which the first done records are settled. The caller holds b.mu.
func (b *bank) settle(numbers []int, done int) {
	here := maps.Clone(b.last)
	for i, n := range numbers {
		key := b.records.key(n)
		if before := b.before(n); wanted(n) && before > here[key] && before > b.records.trimmedTo() {
			b.t.Errorf("record %d of %s came when only those up to %d had come", n, key, here[key])
		}
		here[key] = max(here[key], n)
		if i < done {
			b.done[n]++
			b.last[key] = max(b.last[key], n)
		}
	}
	b.changed.Broadcast()
}

// before is the record of the same key that a function gets before the nth; 0 for none.
func (b *bank) before(n int) int {
	for n -= b.records.keys; n > 0 && !wanted(n); n -= b.records.keys {
	}
	return max(n, 0)
}

func (f *flood) trimmedTo() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trimmed
}

// await returns when a condition holds.
func (b *bank) await(what string, holds func() bool) {
	b.t.Helper()
	late := time.AfterFunc(time.Minute, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.changed.Broadcast()
	})
	defer late.Stop()
	deadline := time.Now().Add(time.Minute)
	b.mu.Lock()
	defer b.mu.Unlock()
	for !holds() {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: not after a minute, %d records are done", what, len(b.done))
		}
		b.changed.Wait()
	}
}

func numbersOf(t *testing.T, payload []byte) []int {
	var event struct{ Records []struct{ N int } }
	if err := json.Unmarshal(payload, &event); err != nil {
		t.Error(err)
	}
	numbers := make([]int, len(event.Records))
	for i, r := range event.Records {
		numbers[i] = r.N
	}
	return numbers
}

// sums adds up a mapping's metrics, and the records of its events of one kind.
type sums struct {
	mu       sync.Mutex
	metrics  map[string]float64
	filtered int
}

func (s *sums) options(o *esm.Options) {
	s.metrics = map[string]float64{}
	o.Metrics = func(m esm.Metric) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.metrics[m.Name] += m.Value
	}
	o.Observe = func(e esm.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if e.Kind == esm.Filtered {
			s.filtered += len(e.Records)
		}
	}
}

// drain starts a mapping of the flood to the bank.
func (b *bank) drain(journals journals, change func(*esm.Options), configure func(*esm.Config)) (*esm.Mappings, esm.Mapping) {
	b.t.Helper()
	options := esm.Options{
		Account: "000000000000", Region: "us-east-1", Clock: clock.System(), Invoker: b, Destination: b.take,
		Source:  func(string) (esm.Source, bool) { return b.records, true },
		Backoff: esm.Backoff{Base: 100 * time.Microsecond, Max: 5 * time.Millisecond}, PollInterval: time.Millisecond,
	}
	change(&options)
	m := esm.New(options)
	b.t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = m.Close(ctx)
	})
	if err := m.Restore(journals.mappings, journals.checkpoints); err != nil {
		b.t.Fatal(err)
	}
	if all := m.List(); len(all) > 0 {
		return m, all[0]
	}
	made, err := m.Create(config(func(c *esm.Config) {
		c.ReportBatchItemFailures, c.EventCount, c.OnFailure, c.Filters = true, true, queueARN, []string{`{"kind":["a"]}`}
		configure(c)
	}), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return m, made
}

func caughtUp(t *testing.T, m *esm.Mappings, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := m.AwaitCaughtUp(ctx, id); err != nil {
		t.Fatal(err)
	}
}

// TestLaneThatFailsForHoursLeavesTheOthersAlone puts 100,000 records behind one that fails for ever. The other lanes come to the stream's end,
// few records are held, and once the record succeeds nothing was lost, doubled or counted twice.
func TestLaneThatFailsForHoursLeavesTheOthersAlone(t *testing.T) {
	const lanes, keys, records = 4, 40, 100_000
	f := newFlood(keys, records)
	b := newBank(t, f)
	poison, healed, batches := 1, false, 0
	b.answer = func(numbers []int) (int, error) {
		switch {
		case healed:
			batches++
		case slices.Contains(numbers, poison):
			return 0, nil
		}
		return len(numbers), nil
	}
	var told sums
	m, mapping := b.drain(newJournals(), told.options, func(c *esm.Config) { c.ParallelizationFactor = lanes })
	others, all := 0, 0
	for n := 1; n <= records; n++ {
		if wanted(n) {
			all++
			if esm.LaneOf(f.key(n), lanes) != esm.LaneOf(f.key(poison), lanes) {
				others++
			}
		}
	}
	b.await("the other lanes are done", func() bool { return len(b.done) == others })
	// The lanes read 1,000 records ahead each, and the one that fails may have taken the room of all.
	const most = 2 * lanes * 1000
	runtime.GC()
	held := f.live.Load()
	for deadline := time.Now().Add(time.Minute); held > most && time.Now().Before(deadline); held = f.live.Load() {
		runtime.GC() // what it frees is counted a little later
	}
	if held > most || held == 0 {
		t.Errorf("%d records are held, want 1 to %d", held, most)
	}
	if places, err := m.Checkpoints(mapping.UUID); err != nil || places["shard-0"] != "" {
		t.Errorf("checkpoints %v, %v: the first record is not done", places, err)
	}
	b.mu.Lock()
	healed = true
	b.mu.Unlock()
	caughtUp(t, m, mapping.UUID)
	if places, err := m.Checkpoints(mapping.UUID); err != nil || places["shard-0"] != sequence(records) {
		t.Errorf("checkpoints %v, %v, want the last record", places, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, times := range b.done {
		if times != 1 {
			t.Errorf("record %d was done %d times", n, times)
		}
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	if len(b.done) != all || told.filtered != records-all {
		t.Errorf("%d records are done, want %d; %d were told of as filtered out, want %d", len(b.done), all, told.filtered, records-all)
	}
	polled, filtered := told.metrics[esm.PolledEventCount], told.metrics[esm.FilteredOutEventCount]
	if polled != records || int(filtered) != records-all {
		t.Errorf("%v records were counted as polled and %v as filtered out, want %d and %d", polled, filtered, records, records-all)
	}
	if full := (all - others + 99) / 100; batches > full+1 {
		t.Errorf("the lane that failed delivered the rest in %d batches: %d would have been full", batches, full)
	}
	if f.read.Load() == records {
		t.Error("no record was read twice, so the lane was never full")
	}
	t.Logf("%d records are held, %d were read", held, f.read.Load())
}

// TestLaneThatIsFarBehind passes over what the stream has forgotten since, as a mapping does that was disabled, and takes what came later.
func TestLaneThatIsFarBehind(t *testing.T) {
	const lanes, keys, records, more = 2, 4, 20_000, 500
	f := newFlood(keys, records)
	b := newBank(t, f)
	healed := false
	slow := func(n int) bool { return esm.LaneOf(f.key(n), lanes) == esm.LaneOf(f.key(1), lanes) }
	b.answer = func(numbers []int) (int, error) {
		if slow(numbers[0]) && !healed {
			return 0, errors.New("rate exceeded")
		}
		return len(numbers), nil
	}
	m, mapping := b.drain(newJournals(), func(*esm.Options) {}, func(c *esm.Config) { c.ParallelizationFactor = lanes })
	count := func(from, to int, of func(n int) bool) (found int) {
		for n := from; n <= to; n++ {
			if wanted(n) && of(n) {
				found++
			}
		}
		return found
	}
	fast := func(n int) bool { return !slow(n) }
	others, withLate := count(1, records, fast), count(1, records+more, fast)
	b.await("the other lane is done", func() bool { return len(b.done) == others })
	f.change(func() { f.trimmed, f.ends[0] = records, records+more })
	b.await("the other lane has what came later", func() bool { return len(b.done) == withLate })
	b.mu.Lock()
	healed = true
	b.mu.Unlock()
	caughtUp(t, m, mapping.UUID)
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := 0 // what the lane had read before it was full
	for n, times := range b.done {
		if times != 1 {
			t.Errorf("record %d was done %d times", n, times)
		}
		if slow(n) && n <= records {
			kept++
		}
	}
	if late := count(records+1, records+more, slow); len(b.done) != withLate+kept+late {
		t.Errorf("%d records are done: of those that came later some are lost", len(b.done))
	}
	if kept < 1000 || kept > 2100 {
		t.Errorf("the lane had kept %d records", kept)
	}
}

// TestLaneThatIsFarBehindGivesUp what grew older than the mapping allows, also what it has to read once more for that.
func TestLaneThatIsFarBehindGivesUp(t *testing.T) {
	const lanes, keys, records = 2, 4, 20_000
	f := newFlood(keys, records)
	b := newBank(t, f)
	slow := func(n int) bool { return esm.LaneOf(f.key(n), lanes) == esm.LaneOf(f.key(1), lanes) }
	others := 0
	for n := 1; n <= records; n++ {
		if wanted(n) && !slow(n) {
			others++
		}
	}
	b.answer = func(numbers []int) (int, error) {
		if slow(numbers[0]) {
			return 0, nil
		}
		return len(numbers), nil
	}
	c := clock.NewManual(f.at)
	m, mapping := b.drain(newJournals(), func(o *esm.Options) { o.Clock, o.PollInterval = c, pollInterval }, func(c *esm.Config) {
		c.ParallelizationFactor, c.MaximumRecordAgeInSeconds = lanes, 60
	})
	b.await("the other lane is done", func() bool { return len(b.done) == others })
	c.AwaitSleepers(3) // the poller, the reader and the lane that failed
	c.Advance(61 * time.Second)
	caughtUp(t, m, mapping.UUID)
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, times := range b.done {
		if times != 1 {
			t.Errorf("record %d was accounted for %d times", n, times)
		}
	}
	if want := records - records/10; len(b.done) != want || b.given != want-others {
		t.Errorf("%d records are accounted for, %d of them given up; want %d and %d", len(b.done), b.given, want, want-others)
	}
}

// TestLanesLoseNothing fails at random: the function, the stream and the process. One lane does not get on until the others are done.
func TestLanesLoseNothing(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			lanes, restarts := 2+random.IntN(2), int(seed%3)
			first := 6000 + random.IntN(3000)
			f := newFlood(1+random.IntN(40), first, first+500, first+600)
			var mu sync.Mutex
			reads := rand.New(rand.NewPCG(seed, 2))
			f.fails = func() bool {
				mu.Lock()
				defer mu.Unlock()
				return reads.IntN(20) == 0
			}
			b := newBank(t, f)
			stuck := random.IntN(lanes)
			others, all := 0, 0
			for n := 1; n <= first+600; n++ {
				if wanted(n) {
					all++
					if n <= first && esm.LaneOf(f.key(n), lanes) != stuck {
						others++
					}
				}
			}
			healed := others == 0
			b.answer = func(numbers []int) (int, error) {
				for _, n := range numbers {
					if n > first && len(b.done) < others {
						t.Errorf("record %d of a child came before its parent was drained", n)
					}
				}
				if !healed && esm.LaneOf(f.key(numbers[0]), lanes) == stuck {
					return 0, nil
				}
				switch random.IntN(10) {
				case 0:
					return 0, errors.New("rate exceeded")
				case 1:
					return 0, nil
				case 2:
					return random.IntN(len(numbers)), nil
				}
				return len(numbers), nil
			}
			kept := newJournals()
			begin := func() *esm.Mappings {
				m, _ := b.drain(kept, func(*esm.Options) {}, func(c *esm.Config) {
					c.ParallelizationFactor, c.BatchSize, c.BisectBatchOnFunctionError = lanes, 1+random.IntN(100), random.IntN(2) == 0
				})
				return m
			}
			m := begin()
			for i := range restarts {
				b.await("some are done", func() bool { return len(b.done) >= others*(i+1)/(restarts+1) })
				kept = kept.copy()
				ended, cancel := context.WithCancel(t.Context())
				cancel()
				_ = m.Close(ended)
				m = begin()
			}
			b.await("the other lanes are done", func() bool { return len(b.done) >= others }) // and more, where the one has no record
			b.mu.Lock()
			healed = true
			b.mu.Unlock()
			b.await("all is done", func() bool { return len(b.done) == all })
			if err := m.Close(t.Context()); err != nil {
				t.Error(err)
			}
			for n, times := range b.done {
				if times > 1 && restarts == 0 {
					t.Errorf("record %d was done %d times", n, times)
				}
			}
		})
	}
}
