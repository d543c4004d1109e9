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
			SequenceNumber string
			Keys           struct{ PK struct{ S string } }
			NewImage       struct{ V struct{ N string } }
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
	for _, r := range e.Records {
		if v := r.DynamoDB.NewImage.V.N; len(v) > 1 && v[len(v)-2:] == "13" { // nothing helps these
			outcome = "crash"
		}
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

// TestAccountedFor: whatever happens to the function, the shards and the process, each record is done at least once or told to the
// destination, and never before one of the same item that was written earlier.
func TestAccountedFor(t *testing.T) {
	const items, restarts = 64, 6
	records, err := strconv.Atoi(cmp.Or(os.Getenv(recordsVariable), "3000"))
	if err != nil {
		t.Fatal(err)
	}
	c := clock.System()
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
	a := &account{random: rand.New(rand.NewPCG(3, 4)), settled: map[string]int{}, ended: map[string]int{}}
	mappings, checkpoints := &notes{entries: map[string][]byte{}}, &notes{entries: map[string][]byte{}}
	begin := func() *esm.Mappings {
		m := esm.New(esm.Options{
			Account: Account, Region: "us-east-1", Clock: c, Source: sources(registry, func(context.Context) error { return nil }),
			Invoker: a, Destination: a.take, Backoff: esm.Backoff{Base: 100 * time.Microsecond, Max: time.Millisecond},
		})
		if err := m.Restore(mappings, checkpoints); err != nil {
			t.Fatal(err)
		}
		return m
	}
	running := begin()
	created, err := running.Create(esm.Config{
		StreamARN: d.StreamARN, StartingPosition: esm.TrimHorizon, FunctionARN: "fn", Enabled: true, BatchSize: 25, ParallelizationFactor: 10,
		MaximumRecordAgeInSeconds: -1, MaximumRetryAttempts: 3, BisectBatchOnFunctionError: true, ReportBatchItemFailures: true, OnFailure: "lost",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, _ := registry.Lookup(d.StreamARN)
	version := map[string]int{}
	for i := range records {
		item := fmt.Sprint(a.pick(items))
		version[item]++
		v, _ := attr.Number(fmt.Sprint(version[item])) // of an int: cannot fail
		if _, err := e.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: attr.Item{"pk": attr.String(item), "v": v}}); err != nil {
			t.Fatal(err)
		}
		switch {
		case i%(records/8+1) == records/16:
			reshape(stream, i%2 == 0)
		case i%(records/restarts+1) == records/restarts/2: // what was noted until now is all that is left
			mappings, checkpoints = mappings.copy(), checkpoints.copy()
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			_ = running.Close(ended)
			running = begin()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := running.AwaitCaughtUp(ctx, created.UUID); err != nil {
		t.Error(err)
	}
	if err := running.Close(ctx); err != nil {
		t.Error(err)
	}
	if len(a.faults) > 0 {
		t.Errorf("%d faults, the first: %s", len(a.faults), a.faults[0])
	}
	if !maps.Equal(a.settled, version) {
		t.Errorf("lost: settled are %v, written were %v", a.settled, version)
	}
	for _, outcome := range []string{"done", "throttle", "crash", "timeout", "partial"} {
		if a.ended[outcome] == 0 {
			t.Errorf("no invocation ended with %q", outcome)
		}
	}
	if a.given == 0 || len(stream.Shards()) < 4 {
		t.Errorf("%d records were given up, %d shards", a.given, len(stream.Shards()))
	}
	t.Logf("%d records, %d told to the destination, %d shards, invocations: %v", records, a.given, len(stream.Shards()), a.ended)
}

func (a *account) pick(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.random.IntN(n)
}
