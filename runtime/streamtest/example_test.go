package streamtest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
	"streamgen/runtime/streamtest/testdata/orders"
)

// handle is the handler that most examples test: it wants orders to be paid.
func handle(_ context.Context, c stream.Change[orders.Item]) error {
	if c.New != nil && c.New.Status != "paid" {
		return errors.New("not paid")
	}
	return nil
}

// One batch, once.
func ExampleInvoke() {
	paid, open := &orders.Item{ID: "1", Status: "paid"}, &orders.Item{ID: "2", Status: "new"}
	got := streamtest.Invoke(t, stream.Handler(handle), streamtest.Insert(paid), streamtest.Insert(open), streamtest.Remove(paid))
	fmt.Println(got.Unfinished, string(got.Response))
	fmt.Println(got)
	// Output:
	// 1 {"batchItemFailures":[{"itemIdentifier":"100000000000000000001"}]}
	// INSERT Id=1, INSERT Id=2, REMOVE Id=1: unfinished from INSERT Id=2
}

// Batches and retries, until each record is done or given up.
func ExampleDeliver() {
	m := streamtest.Mapping{BatchSize: 3, MaximumRetryAttempts: 1}
	d := streamtest.Deliver(t, stream.Handler(handle), m,
		streamtest.Insert(&orders.Item{ID: "1", Status: "paid"}),
		streamtest.Insert(&orders.Item{ID: "2", Status: "new"}),
		streamtest.Insert(&orders.Item{ID: "3", Status: "paid"}),
		streamtest.Insert(&orders.Item{ID: "4", Status: "paid"}),
	)
	fmt.Println(d)
	// Output:
	// INSERT Id=1, INSERT Id=2, INSERT Id=3: unfinished from INSERT Id=2
	// INSERT Id=2, INSERT Id=3: unfinished from INSERT Id=2
	// INSERT Id=2, INSERT Id=3: unfinished from INSERT Id=2
	// INSERT Id=4: done
	// given up: INSERT Id=2, INSERT Id=3
}

// A batch that fails is halved, until the record that makes it fail is alone.
func ExampleDeliver_bisect() {
	h := stream.Router(stream.OnBatch("orders", func(_ context.Context, changes []stream.Change[orders.Item]) error {
		for _, c := range changes {
			if c.New.Status != "paid" {
				return errors.New("one of these is not paid")
			}
		}
		return nil
	}))
	d := streamtest.Deliver(t, h, streamtest.Mapping{BisectBatchOnFunctionError: true},
		streamtest.Insert(&orders.Item{ID: "1", Status: "paid"}),
		streamtest.Insert(&orders.Item{ID: "2", Status: "paid"}),
		streamtest.Insert(&orders.Item{ID: "3", Status: "new"}),
		streamtest.Insert(&orders.Item{ID: "4", Status: "paid"}),
	)
	fmt.Println(d)
	// Output:
	// INSERT Id=1, INSERT Id=2, INSERT Id=3, INSERT Id=4: unfinished from INSERT Id=1
	// INSERT Id=1, INSERT Id=2: done
	// INSERT Id=3, INSERT Id=4: unfinished from INSERT Id=3
	// INSERT Id=3: unfinished from INSERT Id=3
	// INSERT Id=4: done
	// given up: INSERT Id=3
}

// In which order changes were handled, and what was handled again.
func ExampleTrace() {
	var trace streamtest.Trace
	h := stream.Handler(handle, stream.Around(trace.Middleware))
	open, paid := &orders.Item{ID: "1", Status: "new"}, &orders.Item{ID: "1", Status: "paid"}
	pay := streamtest.Modify(open, paid)
	streamtest.Deliver(t, h, streamtest.Mapping{MaximumRetryAttempts: 1}, streamtest.Insert(open), pay, streamtest.Insert(&orders.Item{ID: "2", Status: "paid"}))
	fmt.Println(&trace)
	fmt.Println("of the item:", len(trace.Of(pay)), "again:", trace.Again())
	// Output:
	// INSERT Id=1: not paid
	// INSERT Id=2
	// INSERT Id=1, attempt 2: not paid
	// of the item: 2 again: [INSERT Id=1, attempt 2: not paid]
}

// A tumbling window: batches with a state that is handed on, and the window's end.
func ExampleFinalStates() {
	type totals struct{ Orders, Total int64 }
	h := stream.Router(stream.OnWindow("orders", func(_ context.Context, _ stream.Window, s totals, changes []stream.Change[orders.Item]) (totals, error) {
		for _, c := range changes {
			s.Orders++
			s.Total += c.New.Total
		}
		return s, nil
	}))
	later := streamtest.Insert(&orders.Item{ID: "3", Total: 1})
	later.CreatedAt = time.Date(2026, 1, 1, 0, 5, 0, 0, time.UTC)
	d := streamtest.Deliver(t, h, streamtest.Mapping{BatchSize: 1, TumblingWindowInSeconds: 300},
		streamtest.Insert(&orders.Item{ID: "1", Total: 5}), streamtest.Insert(&orders.Item{ID: "2", Total: 7}), later)
	fmt.Println(d)
	fmt.Printf("%+v\n", streamtest.FinalStates[totals](t, d))
	// Output:
	// INSERT Id=1: done
	// INSERT Id=2: done
	// end of the window 2026-01-01T00:00:00Z: done
	// INSERT Id=3: done
	// end of the window 2026-01-01T00:05:00Z: done
	// [{Orders:2 Total:12} {Orders:1 Total:1}]
}

// One invocation of a window, here one that ends early.
func ExampleWindowEvent() {
	type totals struct{ Orders int }
	h := stream.Router(stream.OnWindow("orders", func(_ context.Context, w stream.Window, s totals, _ []stream.Change[orders.Item]) (totals, error) {
		fmt.Println(s.Orders, w.Final, w.TerminatedEarly)
		return totals{}, nil
	}))
	payload, err := streamtest.WindowEvent(streamtest.Window{Table: "orders", State: `{"Orders":9}`, Final: true, TerminatedEarly: true})
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.Invoke(t.Context(), payload)
	fmt.Println(string(response), err)
	// Output:
	// 9 true true
	// {"state":{"Orders":0},"batchItemFailures":[]} <nil>
}

// An event of one record, as Lambda writes it.
func ExampleEvent() {
	expired := streamtest.Expire(&orders.Item{ID: "1"}).View("KEYS_ONLY")
	expired.Table, expired.EventID = "orders", "5fd4e1ab4d9e4d11a21a35c2ef6ae3c7"
	payload, err := streamtest.Event(expired)
	fmt.Println(string(payload), err)
	// Output:
	// {"Records":[{"eventID":"5fd4e1ab4d9e4d11a21a35c2ef6ae3c7","eventName":"REMOVE","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1767225600.0,"Keys":{"Id":{"S":"1"}},"SequenceNumber":"100000000000000000000","SizeBytes":3,"StreamViewType":"KEYS_ONLY"},"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"}]} <nil>
}
