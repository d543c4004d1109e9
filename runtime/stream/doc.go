// Package stream runs a Lambda function that reads a DynamoDB stream, one typed change at a time.
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
// attributes; one written by hand is a switch over attribute names inside [DecodeImage].
//
// # Order and retries
//
// The records of an invocation are handled one after the other, in the order in which Lambda delivers them, which
// is the order of the changes of each item. The first record that fails ends the invocation: it is reported to Lambda
// as the lowest unfinished one, and Lambda delivers it and all records after it again; those before it are done. A
// record fails when the handler returns an error or panics, when it cannot be decoded, or when the invocation is
// out of time before the record's turn. Lambda delivers at least once, so a handler may see a change that it has already
// handled, and should do no harm then.
//
// This is Lambda's partial batch response. The event source mapping must list ReportBatchItemFailures in its
// function_response_types: without it Lambda takes every report for success, and failed records are lost.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
//
// A mapping with a tumbling window is refused, since a window needs a state in the response.
//
// # Logging
//
// A record that fails is logged through [slog.Default] at error level, with its eventID, eventName and
// sequenceNumber, the error and, after a panic, the stack. The package logs no attribute's value, nor puts one into
// its errors.
package stream
