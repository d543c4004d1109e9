package local

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/streams"
)

// recordsVariable says how many records TestAccountedFor writes.
const recordsVariable = "STREAMGEN_RECORDS"

// notes is a journal in memory.
type notes struct {
	mu      sync.Mutex
	entries map[string][]byte
}

func (n *notes) Put(key string, entry any) {
	text, err := json.Marshal(entry)
	if err != nil {
		panic(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.entries[key] = text
}

func (n *notes) Delete(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.entries, key)
}

func (n *notes) Each(f func(key string, entry []byte) error) error {
	entries := n.copy().entries
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if err := f(key, entries[key]); err != nil {
			return err
		}
	}
	return nil
}

func (n *notes) copy() *notes {
	n.mu.Lock()
	defer n.mu.Unlock()
	return &notes{entries: maps.Clone(n.entries)}
}

// account is a function that crashes, times out, is throttled and fails in part, all at random, and the destination of what it never does.
// It keeps which versions of each item are done or given up; before that may come none after it.
type account struct {
	mu      sync.Mutex
	random  *rand.Rand
	settled map[string]int // the version up to which all is done or given up, by item
	given   int            // records that the destination was told of, at least once each
	ended   map[string]int
	faults  []string
}

type accountEvent struct {
	Records []struct {
		DynamoDB struct {
			SequenceNumber              string
			Keys                        struct{ PK struct{ S string } }
			NewImage                    struct{ V struct{ N string } }
			ApproximateCreationDateTime float64
		}
	}
}

// check takes in records, of which the first done are settled.
func (a *account) check(e accountEvent, done int) {
	here := map[string]int{}
	for i, r := range e.Records {
		item := r.DynamoDB.Keys.PK.S
		v, err := strconv.Atoi(r.DynamoDB.NewImage.V.N)
		if before := max(a.settled[item], here[item]); err != nil || v > before+1 {
			a.faults = append(a.faults, fmt.Sprintf("item %s: version %q came when only those up to %d had come", item, r.DynamoDB.NewImage.V.N, before))
		}
		here[item] = max(here[item], v)
		if i < done {
			a.settled[item] = max(a.settled[item], v)
		}
	}
}

// versioned is one change of an item.
type versioned struct{ item, version string }

func (e accountEvent) versions() []versioned {
	all := make([]versioned, len(e.Records))
	for i, r := range e.Records {
		all[i] = versioned{r.DynamoDB.Keys.PK.S, r.DynamoDB.NewImage.V.N}
	}
	return all
}

// hopeless are the changes that no attempt helps.
func hopeless(v versioned) bool { return strings.HasSuffix(v.version, "13") }

func (a *account) Invoke(_ context.Context, _ string, payload []byte) (esm.Result, error) {
	var e accountEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return esm.Result{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	outcome := "done"
	if n := a.random.IntN(100); n < 12 {
		outcome = []string{"throttle", "crash", "timeout", "partial"}[n%4]
	}
	if slices.ContainsFunc(e.versions(), hopeless) {
		outcome = "crash"
	}
	a.ended[outcome]++
	switch outcome {
	case "throttle":
		return esm.Result{}, errors.New("rate exceeded")
	case "crash", "timeout":
		a.check(e, 0)
		return esm.Result{FunctionError: "Unhandled"}, nil
	case "partial":
		i := a.random.IntN(len(e.Records))
		a.check(e, i)
		return esm.Result{Payload: fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, e.Records[i].DynamoDB.SequenceNumber)}, nil
	}
	a.check(e, len(e.Records))
	return esm.Result{}, nil
}

func (a *account) take(d esm.Delivery) error {
	var e accountEvent
	if err := json.Unmarshal([]byte(d.Event), &e); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.given += len(e.Records)
	a.check(e, len(e.Records))
	return nil
}

// flow is a table whose stream a mapping delivers.
type flow struct {
	t        *testing.T
	registry *streams.Registry
	engine   *engine.Engine
	stream   *streams.Stream
	arn      string
	version  map[string]int // what was written last, by item
}

func newFlow(t *testing.T, c clock.Clock) *flow {
	t.Helper()
	registry := streams.New(streams.Options{Account: Account, Region: "us-east-1", Clock: c})
	e := engine.New(engine.Options{Account: Account, Region: "us-east-1", Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	d, err := e.CreateTable(engine.CreateTable{
		Name: "orders", Attributes: []engine.AttributeDefinition{{Name: "pk", Type: attr.S}},
		Keys: []engine.KeyElement{{Name: "pk", Role: engine.Hash}}, View: "NEW_IMAGE",
	})
	if err != nil {
		t.Fatal(err)
	}
	stream, _ := registry.Lookup(d.StreamARN)
	return &flow{t, registry, e, stream, d.StreamARN, map[string]int{}}
}

// write puts records, each the next version of an item, while shards roll and split and the process is started anew.
func (f *flow) write(records int, pick func(n int) int, restart func()) {
	f.t.Helper()
	const items, restarts = 64, 6
	for i := range records {
		item := fmt.Sprint(pick(items))
		f.version[item]++
		v, _ := attr.Number(fmt.Sprint(f.version[item])) // of an int: cannot fail
		if _, err := f.engine.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: attr.Item{"pk": attr.String(item), "v": v}}); err != nil {
			f.t.Fatal(err)
		}
		switch {
		case i%(records/8+1) == records/16:
			reshape(f.stream, i%2 == 0)
		case i%(records/restarts+1) == records/restarts/2:
			restart()
		}
	}
}

// mappings runs the mappings that the journals have.
func (f *flow) mappings(j [2]*notes, o esm.Options) *esm.Mappings {
	f.t.Helper()
	o.Account, o.Region, o.Source = Account, "us-east-1", sources(f.registry, func(context.Context) error { return nil })
	m := esm.New(o)
	if err := m.Restore(j[0], j[1]); err != nil {
		f.t.Fatal(err)
	}
	return m
}

// create makes the mapping that is tested.
func (f *flow) create(m *esm.Mappings, change func(*esm.Config)) esm.Mapping {
	f.t.Helper()
	c := esm.Config{
		StreamARN: f.arn, StartingPosition: esm.TrimHorizon, FunctionARN: "fn", Enabled: true, BatchSize: 25, MaximumRecordAgeInSeconds: -1,
		MaximumRetryAttempts: 3, BisectBatchOnFunctionError: true, ReportBatchItemFailures: true, OnFailure: "lost",
	}
	change(&c)
	created, err := m.Create(c, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return created
}

func newNotes() [2]*notes {
	return [2]*notes{{entries: map[string][]byte{}}, {entries: map[string][]byte{}}}
}

// crash ends mappings with what is in flight. What was noted until then is all that is left.
func crash(m *esm.Mappings) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = m.Close(ended)
}

// TestAccountedFor: whatever happens to the function, the shards and the process, each record is done at least once or told to the
// destination, and never before one of the same item that was written earlier. With tumbling windows each is in the state that exactly one
// window ended with. Those are a twentieth of the records, as only one batch of a shard is under way at a time.
func TestAccountedFor(t *testing.T) {
	records, err := strconv.Atoi(cmp.Or(os.Getenv(recordsVariable), "3000"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("lanes", func(t *testing.T) { accountForLanes(t, records) })
	t.Run("windows", func(t *testing.T) { accountForWindows(t, max(records/20, 3000)) })
}

func accountForLanes(t *testing.T, records int) {
	f := newFlow(t, clock.System())
	a := &account{random: rand.New(rand.NewPCG(3, 4)), settled: map[string]int{}, ended: map[string]int{}}
	noted := newNotes()
	begin := func() *esm.Mappings {
		return f.mappings(noted, esm.Options{
			Clock: clock.System(), Invoker: a, Destination: a.take, Backoff: esm.Backoff{Base: 100 * time.Microsecond, Max: time.Millisecond},
		})
	}
	running := begin()
	created := f.create(running, func(c *esm.Config) { c.ParallelizationFactor = 10 })
	f.write(records, a.pick, func() {
		noted = [2]*notes{noted[0].copy(), noted[1].copy()}
		crash(running)
		running = begin()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := running.AwaitCaughtUp(ctx, created.UUID); err != nil {
		t.Error(err)
	}
	if err := running.Close(ctx); err != nil {
		t.Error(err)
	}
	a.report(t, f, "done", "throttle", "crash", "timeout", "partial")
	if !maps.Equal(a.settled, f.version) {
		t.Errorf("lost: settled are %v, written were %v", a.settled, f.version)
	}
	t.Logf("%d records, %d told to the destination, %d shards, invocations: %v", records, a.given, len(f.stream.Shards()), a.ended)
}

// report tells of the faults, and of what did not happen that should have.
func (a *account) report(t *testing.T, f *flow, outcomes ...string) {
	t.Helper()
	if len(a.faults) > 0 {
		t.Errorf("%d faults, the first: %s", len(a.faults), a.faults[0])
	}
	for _, outcome := range outcomes {
		if a.ended[outcome] == 0 {
			t.Errorf("no invocation ended with %q", outcome)
		}
	}
	if a.given == 0 || len(f.stream.Shards()) < 4 {
		t.Errorf("%d records were given up, %d shards", a.given, len(f.stream.Shards()))
	}
}

func (a *account) pick(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.random.IntN(n)
}

// hurried is a clock that runs a hundred times as fast as the machine's.
type hurried struct{ begun time.Time }

func (h hurried) Now() time.Time { return h.begun.Add(100 * time.Since(h.begun)) }

func (h hurried) After(d time.Duration) (<-chan time.Time, func()) {
	return clock.System().After(d / 100)
}

// tally is an account whose function has tumbling windows. A state names a step: the records of one invocation, and the step before it in the
// window.
type tally struct {
	account
	changed *sync.Cond
	life    int // of the process; what an earlier one still does never happened
	steps   []step
	summed  map[versioned]int // in how many windows' ends a record was
	lost    map[versioned]bool
}

type step struct {
	before  int // 0 for none
	records []versioned
	end     int // the step with which its window ended; 0 for none
}

type tallyEvent struct {
	accountEvent
	Window struct{ Start, End time.Time }
	State  struct{ At int }
	Final  bool `json:"isFinalInvokeForWindow"`
	Early  bool `json:"isWindowTerminatedEarly"`
}

// in gives the tally to one process.
type in struct {
	*tally
	life int
}

func (p in) Invoke(_ context.Context, _ string, payload []byte) (esm.Result, error) {
	var e tallyEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return esm.Result{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.life != p.tally.life {
		return esm.Result{}, errors.New("the process is gone")
	}
	if e.Final {
		return p.end(e)
	}
	outcome := "done"
	if n := p.random.IntN(100); n < 20 {
		outcome = []string{"throttle", "crash", "partial", "no state"}[n%4]
	}
	if slices.ContainsFunc(e.versions(), hopeless) {
		outcome = "crash"
	}
	for _, r := range e.Records {
		if at := time.Unix(int64(r.DynamoDB.ApproximateCreationDateTime), 0); at.Before(e.Window.Start) || !at.Before(e.Window.End) {
			p.faults = append(p.faults, fmt.Sprintf("a record of %v came in the window from %v", at, e.Window.Start))
		}
	}
	done := 0
	switch outcome {
	case "done":
		done = len(e.Records)
	case "partial":
		done = p.random.IntN(len(e.Records))
	}
	p.ended[outcome]++
	p.check(e.accountEvent, done)
	switch outcome {
	case "throttle":
		return esm.Result{}, errors.New("rate exceeded")
	case "crash":
		return esm.Result{FunctionError: "Unhandled"}, nil
	case "no state":
		return esm.Result{Payload: []byte(`{}`)}, nil
	}
	p.steps = append(p.steps, step{before: e.State.At, records: e.versions()[:done]})
	at := len(p.steps) - 1
	state := map[string]any{"at": at}
	if at%40 == 20 && at < 1000 { // such a state costs time
		state["padding"] = make([]byte, 1<<20) // ends the window early
	}
	answer := map[string]any{"state": state}
	if done < len(e.Records) {
		answer["batchItemFailures"] = []any{map[string]any{"itemIdentifier": e.Records[done].DynamoDB.SequenceNumber}}
	}
	text, err := json.Marshal(answer)
	return esm.Result{Payload: text}, err
}

// end is the final invocation of a window. Should it come again, as after a restart, it ends with the same step. The caller holds t.mu.
func (t *tally) end(e tallyEvent) (esm.Result, error) {
	switch t.random.IntN(4) {
	case 0:
		t.ended["throttle at the end"]++
		return esm.Result{}, errors.New("rate exceeded")
	case 1:
		t.ended["crash at the end"]++
		return esm.Result{FunctionError: "Unhandled"}, nil
	}
	t.ended[map[bool]string{true: "early end", false: "end"}[e.Early]]++
	for at := e.State.At; at != 0; at = t.steps[at].before {
		s := &t.steps[at]
		if s.end == e.State.At {
			break
		}
		if s.end != 0 {
			t.faults = append(t.faults, fmt.Sprintf("what ended with step %d ended with %d too", s.end, e.State.At))
		}
		s.end = e.State.At
		for _, v := range s.records {
			t.summed[v]++
		}
	}
	t.changed.Broadcast()
	return esm.Result{Payload: []byte(`{"state":{}}`)}, nil
}

func (p in) take(d esm.Delivery) error {
	var e accountEvent
	if err := json.Unmarshal([]byte(d.Event), &e); err != nil {
		return err
	}
	p.mu.Lock()
	dead := p.life != p.tally.life
	for _, v := range e.versions() {
		p.lost[v] = p.lost[v] || !dead
	}
	p.changed.Broadcast()
	p.mu.Unlock()
	if dead {
		return errors.New("the process is gone")
	}
	return p.account.take(d)
}

// accounted is how many records are in an end of a window or given up. The caller holds t.mu.
func (t *tally) accounted() int {
	n := len(t.summed)
	for v, lost := range t.lost {
		if lost && t.summed[v] == 0 {
			n++
		}
	}
	return n
}

func accountForWindows(t *testing.T, records int) {
	c := hurried{time.Now()}
	f := newFlow(t, c)
	sum := &tally{
		account: account{random: rand.New(rand.NewPCG(5, 6)), settled: map[string]int{}, ended: map[string]int{}},
		steps:   make([]step, 1), summed: map[versioned]int{}, lost: map[versioned]bool{},
	}
	sum.changed = sync.NewCond(&sum.mu)
	noted := newNotes()
	begin := func() *esm.Mappings {
		p := in{sum, sum.life}
		return f.mappings(noted, esm.Options{
			Clock: c, Invoker: p, Destination: p.take, Backoff: esm.Backoff{Base: 10 * time.Millisecond, Max: 100 * time.Millisecond},
		})
	}
	running := begin()
	created := f.create(running, func(c *esm.Config) { c.TumblingWindowInSeconds = 1 })
	f.write(records, sum.pick, func() {
		sum.mu.Lock()
		noted = [2]*notes{noted[0].copy(), noted[1].copy()}
		sum.life++
		sum.mu.Unlock()
		crash(running)
		running = begin()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := running.AwaitCaughtUp(ctx, created.UUID); err != nil {
		t.Error(err)
	}
	late := context.AfterFunc(ctx, sum.changed.Broadcast)
	defer late()
	sum.mu.Lock()
	for sum.accounted() < records && ctx.Err() == nil {
		sum.changed.Wait()
	}
	sum.mu.Unlock()
	if err := running.Close(ctx); err != nil {
		t.Error(err)
	}
	sum.report(t, f, "done", "throttle", "crash", "partial", "no state", "end", "early end", "crash at the end", "throttle at the end")
	if got := sum.accounted(); got != records {
		t.Errorf("%d records were written, %d are in a window's end or given up", records, got)
	}
	for v, times := range sum.summed {
		if times != 1 {
			t.Errorf("version %s of item %s is in %d windows' ends", v.version, v.item, times)
		}
	}
	t.Logf("%d records, %d told to the destination, %d shards, invocations: %v", records, sum.given, len(f.stream.Shards()), sum.ended)
}
