package local

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/streams"
)

// versions is a function that keeps which versions of each item it got, in their order, and fails now and then.
type versions struct {
	mu     sync.Mutex
	random *rand.Rand
	got    map[string][]string
	total  int
	all    chan struct{} // closed when it got as many as are wanted
	want   int
}

func (v *versions) Invoke(_ context.Context, _ string, payload []byte) (esm.Result, error) {
	var event struct {
		Records []struct {
			DynamoDB struct {
				Keys     struct{ PK struct{ S string } }
				NewImage struct{ V struct{ N string } }
			}
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return esm.Result{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.random.IntN(10) == 0 {
		return esm.Result{FunctionError: "Unhandled"}, nil
	}
	for _, r := range event.Records {
		v.got[r.DynamoDB.Keys.PK.S] = append(v.got[r.DynamoDB.Keys.PK.S], r.DynamoDB.NewImage.V.N)
		if v.total++; v.total == v.want {
			close(v.all)
		}
	}
	return esm.Result{}, nil
}

// Shards split and roll while writers write and a mapping reads: the function gets every change once, and those of an item in order.
func TestMappingReadsSplitShards(t *testing.T) {
	const writers, items, writes = 4, 8, 150 // of each writer, which has its own items
	c := clock.System()
	registry := streams.New(streams.Options{Account: Account, Region: "us-east-1", Clock: c, SplitAbove: 100})
	e := engine.New(engine.Options{Account: Account, Region: "us-east-1", Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	d, err := e.CreateTable(engine.CreateTable{
		Name: "orders", Attributes: []engine.AttributeDefinition{{Name: "pk", Type: attr.S}},
		Keys: []engine.KeyElement{{Name: "pk", Role: engine.Hash}}, View: "NEW_IMAGE",
	})
	if err != nil {
		t.Fatal(err)
	}
	function := &versions{random: rand.New(rand.NewPCG(1, 1)), got: map[string][]string{}, all: make(chan struct{}), want: writers * writes}
	mappings := esm.New(esm.Options{
		Account: Account, Region: "us-east-1", Clock: c, Source: sources(registry, func(context.Context) error { return nil }), Invoker: function,
		Backoff: esm.Backoff{Base: time.Millisecond, Max: time.Millisecond},
	})
	t.Cleanup(func() { _ = mappings.Close(context.Background()) })
	_, err = mappings.Create(esm.Config{
		StreamARN: d.StreamARN, StartingPosition: esm.Latest, FunctionARN: "fn", Enabled: true, BatchSize: 7,
		MaximumRecordAgeInSeconds: -1, MaximumRetryAttempts: -1,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}

	stream, _ := registry.Lookup(d.StreamARN)
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for i := range writes {
				v, _ := attr.Number(fmt.Sprint(i / items)) // of an int: cannot fail
				pk := attr.String(fmt.Sprintf("%d-%d", writer, i%items))
				if _, err := e.Put(engine.Put{Write: engine.Write{Table: "orders"}, Item: attr.Item{"pk": pk, "v": v}}); err != nil {
					t.Error(err)
				}
				if i%40 == 10*writer {
					reshape(stream, writer%2 == 0)
				}
			}
		})
	}
	wg.Wait()
	select {
	case <-function.all:
	case <-time.After(time.Minute):
		t.Error("not all changes arrive")
	}
	if err := mappings.Close(t.Context()); err != nil {
		t.Error(err)
	}
	for pk, got := range function.got {
		for i, v := range got {
			if v != fmt.Sprint(i) {
				t.Errorf("item %s: versions %v", pk, got)
				break
			}
		}
	}
	if function.total != function.want || len(function.got) != writers*items {
		t.Errorf("%d changes of %d items", function.total, len(function.got))
	}
	if shards := stream.Shards(); len(shards) < 20 {
		t.Errorf("%d shards", len(shards))
	}
}

// reshape splits or rolls the open shards, as far as nobody else does.
func reshape(s *streams.Stream, split bool) {
	for _, sh := range s.Shards() {
		switch {
		case sh.Closed:
		case split:
			_, _ = s.Split(sh.ID)
		default:
			_, _ = s.Roll(sh.ID)
		}
	}
}
