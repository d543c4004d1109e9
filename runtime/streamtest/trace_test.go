package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
	"streamgen/runtime/streamtest/testdata/orders"
)

func TestTrace(t *testing.T) {
	var trace streamtest.Trace
	fails := 2
	h := stream.Handler(func(_ context.Context, c stream.Change[orders.Item]) error {
		switch {
		case c.Keys.ID == "2" && fails > 0:
			fails--
			return errors.New("not yet")
		case c.Keys.ID == "3" && c.Kind == stream.Remove:
			return stream.Skip(errors.New("of no use"))
		case c.Keys.ID == "4":
			panic("out of cheese")
		}
		return nil
	}, stream.Around(trace.Middleware))
	two, paid := &orders.Item{ID: "2"}, &orders.Item{ID: "2", Status: "paid"}
	undecodable := streamtest.Record{Kind: stream.Insert, Keys: `{"Id":{"S":"5"}}`, New: `{"Id":7}`}
	records := append(inserts("1"), streamtest.Insert(two), streamtest.Modify(two, paid), streamtest.Remove(&orders.Item{ID: "3"}), undecodable)
	records = append(records, inserts("4")...)
	d := streamtest.Deliver(t, h, streamtest.Mapping{MaximumRetryAttempts: 1}, records...)

	lines := strings.Split(trace.String(), "\n")
	want := []string{
		"INSERT Id=1",
		"INSERT Id=2: not yet",
		"REMOVE Id=3: of no use",
		"INSERT Id=5: ", // and why it cannot be decoded
		"INSERT Id=4: panic",
		"INSERT Id=2, attempt 2: not yet",
		"INSERT Id=5, attempt 2: ",
		"INSERT Id=4, attempt 2: panic",
		"INSERT Id=2, attempt 3",
		"MODIFY Id=2",
	}
	for n, prefix := range want {
		if n >= len(lines) || !strings.HasPrefix(lines[n], prefix) {
			t.Fatalf("trace\n%v\nhas no %q in line %d", &trace, prefix, n)
		}
	}
	// The trace agrees with what was delivered: the same events, by the same names.
	of := trace.Of(records[2])
	if got := fmt.Sprint(of); got != "[INSERT Id=2: not yet INSERT Id=2, attempt 2: not yet INSERT Id=2, attempt 3 MODIFY Id=2]" {
		t.Errorf("of the item of %v: %s", records[2], got)
	}
	if got, want := of[3].EventID, d.Invocations[0].Records[2].EventID; got != want || of[3].Table != "table" || of[3].Attempt != 1 || of[0].Err == nil {
		t.Errorf("%+v, want the event %s", of[3], want)
	}
	for _, c := range trace.Again() {
		if c.Attempt < 2 {
			t.Errorf("%v is no second attempt", c)
		}
	}
	if got := len(trace.Again()) + len(inserts("1", "2", "3", "4", "5", "2 paid")); got != len(trace.Calls()) {
		t.Errorf("%d calls, want %d: \n%v", len(trace.Calls()), got, &trace)
	}
	elsewhere := records[1]
	elsewhere.Table = "elsewhere"
	if got := trace.Of(elsewhere); len(got) != 0 {
		t.Errorf("calls for another table's item: %v", got)
	}
}

func TestTraceOfBatchesAndWindows(t *testing.T) {
	var trace streamtest.Trace
	batch := stream.OnBatch("", func(context.Context, []stream.Change[orders.Item]) error { return nil }, stream.Around(trace.Middleware))
	streamtest.Invoke(t, stream.Router(batch), inserts("1", "2")...)
	window := stream.OnWindow("", func(context.Context, stream.Window, totals, []stream.Change[orders.Item]) (totals, error) {
		return totals{}, nil
	}, stream.Around(trace.Middleware))
	d := streamtest.Deliver(t, stream.Router(window), streamtest.Mapping{TumblingWindowInSeconds: 60}, inserts("3", "4")...)
	if got, want := trace.String(), "INSERT Id=1\nINSERT Id=3\nno record"; got != want || len(d.GivenUp) > 0 {
		t.Errorf("trace\n%s\nwant\n%s\nof\n%v", got, want, d)
	}
}

// With changes of many items under way at the same time, those of one are handled in order, and none again after it is done.
func TestTraceOfLanes(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		var records []streamtest.Record
		versions := map[string]int64{}
		for range 60 {
			id := fmt.Sprint(random.IntN(8))
			records = append(records, streamtest.Modify(&orders.Item{ID: id, Total: versions[id]}, &orders.Item{ID: id, Total: versions[id] + 1}))
			versions[id]++
		}
		var trace streamtest.Trace
		h := stream.Handler(func(context.Context, stream.Change[orders.Item]) error {
			if rand.IntN(4) == 0 {
				return errors.New("not now")
			}
			return nil
		}, stream.MaxConcurrency(8), stream.Around(trace.Middleware))
		d := streamtest.Deliver(t, h, streamtest.Mapping{BatchSize: 25, MaximumRetryAttempts: 100}, records...)
		if len(d.GivenUp) > 0 {
			t.Fatalf("seed %d:\n%v", seed, d)
		}
		order := map[string][]string{} // the events of an item as they were made
		for n, r := range records {
			delivered := d.Invocations[len(d.Invocations)-1]
			for _, i := range d.Invocations {
				if n >= i.First && n < i.First+len(i.Records) {
					delivered = i
				}
			}
			order[r.String()] = append(order[r.String()], delivered.Records[n-delivered.First].EventID)
		}
		for _, r := range records {
			var done []string
			for _, c := range trace.Of(r) {
				if c.Err == nil {
					done = append(done, c.EventID)
				}
			}
			if fmt.Sprint(done) != fmt.Sprint(order[r.String()]) {
				t.Errorf("seed %d: %v was done as %v, want %v", seed, r, done, order[r.String()])
			}
		}
	}
}
