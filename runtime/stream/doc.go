// Package stream runs a Lambda function that reads a DynamoDB stream, in typed changes.
//
// The function's main hands a handler to [Start], and the handler returns an error for a change that it could not process:
//
//	func main() { stream.Start(handle) }
//
//	func handle(ctx context.Context, c stream.Change[orders.Item]) error {
//		if c.Kind == stream.Remove {
//			return archive(ctx, c.Old)
//		}
//		return index(ctx, c.New)
//	}
//
// orders.Item is an item type: a struct whose pointer implements [Image]. It is usually generated from a table's
// attributes; one written by hand is a switch over attribute names, see [Decoder].
//
// # Forms
//
// [On] handles one change at a time, [OnBatch] all changes of an invocation at once, and [OnWindow] those of a tumbling window with a state
// that is handed on. [Serve] runs several of them, one for each table; [ServeNew] does so for a handler that has to be made first.
//
// # Order and retries
//
// The changes of one item, by its full primary key, are handled one after the other, in the order in which they were made. With
// [MaxConcurrency] changes of different items run at the same time.
//
// A change whose handling fails is delivered again, and until then later changes of its item wait. All others go on. The function reports
// the lowest unfinished record, and Lambda delivers again from there on; what is done beyond it is remembered, and not handled a second time
// when it comes again to the same process. [Once] makes that hold for all processes of the function. Lambda delivers at least once in
// any case, so a handler should do no harm when it sees a change that it has already handled.
//
// A change fails when the handler returns an error or panics, when it cannot be decoded, and when the time is over before its turn. A handler
// that gives a change up returns [Skip], or [Park] to have it kept in a queue. A record that does not say which item it changes holds back
// everything after it.
//
// This is Lambda's partial batch response. The event source mapping must list ReportBatchItemFailures in its
// function_response_types: without it Lambda takes every report for success, and failed records are lost.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
//
// # The end of the time
//
// Shortly before the function's timeout, see [Reserve], no further change is started and the context of those under way is done. What is
// unfinished is reported. A handler must heed its context: one that outlasts it is stopped by Lambda together with the report.
//
// # Seeing
//
// [Start] and [Serve] make slog's default logger one that writes JSON and adds, from the context, which invocation and which change a line
// belongs to, unless the function has set one of its own; see [LogHandler]. A record that fails is logged at error level, one that is skipped or parked as a warning. Of an item the
// package logs the key alone, which [RedactKeys] hides, and no attribute's value is in its errors. [Metrics] are written into the log as
// well. [TraceHeader] gives the X-Ray header.
package stream
