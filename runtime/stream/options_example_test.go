package stream_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"streamgen/runtime/stream"
	"streamgen/runtime/stream/testdata/purchase"
	"streamgen/runtime/streamtest"
)

// deliver gives the records of two orders to a handler.
func deliver(h lambda.Handler) {
	payload, err := streamtest.Event(streamtest.Insert(&Order{ID: "o-1"}), streamtest.Modify(&Order{ID: "o-2", Total: "1"}, &Order{ID: "o-2", Total: "2"}))
	if err != nil {
		panic(err)
	}
	response, err := h.Invoke(context.Background(), payload)
	fmt.Println(string(response), err)
}

var errNotNow = errors.New("not now")

// All changes of an invocation at once. What fails is named; all else is done.
func ExampleOnBatch() {
	deliver(stream.Router(stream.OnBatch("orders", func(_ context.Context, changes []stream.Change[Order]) error {
		var errs []error
		for _, c := range changes {
			if c.Kind == stream.Modify {
				errs = append(errs, c.Failed(errNotNow))
			}
		}
		return errors.Join(errs...)
	})))
	// Output: {"batchItemFailures":[{"itemIdentifier":"100000000000000000001"}]} <nil>
}

// A sum over each window. The state goes from one invocation of the window to the next.
func ExampleOnWindow() {
	type totals struct{ Orders int }
	route := stream.OnWindow("orders", func(ctx context.Context, w stream.Window, t totals, changes []stream.Change[Order]) (totals, error) {
		t.Orders += len(changes)
		if w.Final {
			slog.InfoContext(ctx, "window is over", "end", w.End, "orders", t.Orders)
		}
		return t, nil
	})
	stream.Serve(route)
}

// One function for the streams of two tables.
func ExampleServe() {
	orders := func(context.Context, stream.Change[Order]) error { return nil }
	purchases := func(context.Context, stream.Change[purchase.Item]) error { return nil }
	stream.Serve(stream.On("orders", orders), stream.On("purchases", purchases, stream.MaxConcurrency(8)))
}

// shipper is a handler with what it needs.
type shipper struct{ carrier *os.File }

func newShipper(context.Context) (*shipper, error) {
	carrier, err := os.Open("carrier")
	return &shipper{carrier}, err
}

func (s *shipper) Handle(context.Context, stream.Change[Order]) error { return nil }

// Close is called when Lambda shuts the execution environment down.
func (s *shipper) Close() error { return s.carrier.Close() }

// A handler that is made once a process, and closed at its end.
func ExampleServeNew() {
	stream.ServeNew(newShipper, func(s *shipper) []stream.Route {
		return []stream.Route{stream.On("orders", s.Handle)}
	})
}

// An error that must not hold the item back.
func ExampleSkip() {
	deliver(stream.Handler(func(context.Context, stream.Change[Order]) error { return stream.Skip(errNotNow) }))
	// Output: {"batchItemFailures":[]} <nil>
}

// notes is a parking place for an example.
type notes struct{}

func (notes) Park(_ context.Context, r stream.Record, cause error) error {
	fmt.Println("parked", r.Kind(), r.SequenceNumber(), cause)
	return nil
}

// What cannot be handled is put aside, and its item goes on.
func ExamplePark() {
	deliver(stream.Handler(func(context.Context, stream.Change[Order]) error { return stream.Park(errNotNow) }, stream.ParkTo(notes{})))
	// Output:
	// parked INSERT 100000000000000000000 not now
	// parked MODIFY 100000000000000000001 not now
	// {"batchItemFailures":[]} <nil>
}

// Two orders at the same time; the changes of each one in their order.
func ExampleMaxConcurrency() {
	deliver(stream.Handler(func(context.Context, stream.Change[Order]) error {
		time.Sleep(time.Millisecond)
		return nil
	}, stream.MaxConcurrency(2)))
	// Output: {"batchItemFailures":[]} <nil>
}

// A second try handles only what is not done.
func ExampleRemember() {
	h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		fmt.Println(c.Keys.ID)
		if c.Kind == stream.Insert {
			return errNotNow
		}
		return nil
	}, stream.Remember(1000))
	deliver(h)
	deliver(h)
	// Output:
	// o-1
	// o-2
	// {"batchItemFailures":[{"itemIdentifier":"100000000000000000000"}]} <nil>
	// o-1
	// {"batchItemFailures":[{"itemIdentifier":"100000000000000000000"}]} <nil>
}

// More time for what is under way when the function's timeout comes near.
func ExampleReserve() {
	deliver(stream.Handler(func(context.Context, stream.Change[Order]) error { return nil }, stream.Reserve(2*time.Second)))
	// Output: {"batchItemFailures":[]} <nil>
}

// Middleware sees every change before and after it is handled.
func ExampleAround() {
	timed := func(ctx context.Context, r stream.Record, next func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err := next(ctx)
		fmt.Println(r.Kind(), err)
		return err
	}
	deliver(stream.Handler(func(context.Context, stream.Change[Order]) error { return nil }, stream.Around(timed)))
	// Output:
	// INSERT <nil>
	// MODIFY <nil>
	// {"batchItemFailures":[]} <nil>
}

// A record that any process of the function has handled is not handled again.
func ExampleOnce() {
	shared := &store{states: map[string]string{}}
	for range 2 { // two processes
		deliver(stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
			fmt.Println(c.Keys.ID)
			return nil
		}, stream.Once(shared)))
	}
	// Output:
	// o-1
	// o-2
	// {"batchItemFailures":[]} <nil>
	// {"batchItemFailures":[]} <nil>
}

// No metrics.
func ExampleMetrics() {
	deliver(stream.Handler(func(context.Context, stream.Change[Order]) error { return nil }, stream.Metrics(nil)))
	// Output: {"batchItemFailures":[]} <nil>
}

// Only what changes the total, which is seen before anything is decoded.
func ExampleWhere() {
	deliver(stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		fmt.Println(c.Keys.ID)
		return nil
	}, stream.Where(func(r stream.Record) bool { return r.Kind() == stream.Modify && r.Changed("Total") })))
	// Output:
	// o-2
	// {"batchItemFailures":[]} <nil>
}

func ExampleChange_Changed() {
	const total stream.Attr[Order] = "Total" // as it is generated
	deliver(stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		fmt.Println(c.Kind, c.Changed(total))
		return nil
	}))
	// Output:
	// INSERT false
	// MODIFY true
	// {"batchItemFailures":[]} <nil>
}

// What a handler logs says by itself which change it is about, here without the time and with the key hidden.
func ExampleRedactKeys() {
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(stream.LogHandler(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "eventID" {
				return slog.Attr{}
			}
			return a
		},
	}))))
	deliver(stream.Handler(func(ctx context.Context, c stream.Change[Order]) error {
		if c.Kind == stream.Modify {
			slog.InfoContext(ctx, "shipped")
		}
		return nil
	}, stream.RedactKeys("Id")))
	// Output:
	// {"level":"INFO","msg":"shipped","table":"table","keys":{"Id":"REDACTED"}}
	// {"batchItemFailures":[]} <nil>
}
