// Package streamtest tests functions that read a DynamoDB stream. It makes records of typed items, and plays Lambda's side: events,
// batches, retries, tumbling windows, and the process that a function runs in.
//
// # A handler
//
// [Insert], [Modify], [Remove] and [Expire] make records. [Invoke] delivers them to a handler once, as one batch:
//
//	func TestShip(t *testing.T) {
//		got := streamtest.Invoke(t, stream.Handler(ship.Handle),
//			streamtest.Insert(&orders.Item{ID: "1", Status: "new"}),
//			streamtest.Modify(&orders.Item{ID: "1", Status: "new"}, &orders.Item{ID: "1", Status: "paid"}),
//		)
//		if got.Unfinished != 2 {
//			t.Error(got)
//		}
//	}
//
// A [Record] has fields for what else a record says: its table, its time, its names. [Record.View] gives it as streams of other view types
// have it.
//
// # Retries
//
// [Deliver] goes on until each record is done or given up, as the event source mapping does that [Mapping] describes: batches, reports of
// failed records, retries, halves of batches that fail. A [Trace] in the handler's route notes what the handler was called with, in which
// order, how often and with what result:
//
//	var trace streamtest.Trace
//	h := stream.Handler(ship.Handle, stream.Around(trace.Middleware))
//	d := streamtest.Deliver(t, h, streamtest.Mapping{BatchSize: 10, MaximumRetryAttempts: 3}, records...)
//	if len(d.GivenUp) > 0 {
//		t.Error(d) // a line for each invocation
//	}
//	if calls := trace.Of(records[0]); len(calls) != 2 || calls[1].Err != nil {
//		t.Errorf("the item's changes: %v", calls)
//	}
//
// Invocations have a minute each, and there is no wait between attempts. In a bubble of testing/synctest that minute costs no time, so that
// the end of the time can be tested too.
//
// # Windows
//
// With TumblingWindowInSeconds, records are delivered window after window, by their CreatedAt. Each window ends with its final invocation;
// [FinalStates] gives the states that windows ended with, in the handler's type:
//
//	h := stream.Router(stream.OnWindow("orders", sum))
//	d := streamtest.Deliver(t, h, streamtest.Mapping{TumblingWindowInSeconds: 300}, records...)
//	if got := streamtest.FinalStates[Totals](t, d); len(got) != 1 || got[0].Orders != 2 {
//		t.Errorf("totals %+v of\n%v", got, d)
//	}
//
// # A whole function
//
// [Start] runs the function's own program as Lambda runs it, with a Runtime API, Lambda's environment and SIGTERM at the end. What it gives
// is a handler as well, so that all of the above holds for main.go too, with its settings, its log, and how it ends:
//
//	f := streamtest.Start(t, streamtest.Build(t, "../../generated/functions/ship"))
//	got := streamtest.Invoke(t, f, records...)
//	for _, line := range f.Log() {
//		…
//	}
//
// # Events
//
// [Event] and [WindowEvent] give events as Lambda writes them, byte for byte, for what else takes one: another context, another tool.
package streamtest
