package streamtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"streamgen/runtime/stream"
)

// Invocation is what came of one event.
type Invocation struct {
	// Records are those of the event. First is the index of the first of them among all that the test delivers.
	Records []Record
	First   int
	// Window is what the event said of a tumbling window; nil without one.
	Window *Window
	// Unfinished is the index of the lowest record that is not done, which Lambda delivers again with all after it. It is the index after
	// the last when all are done.
	Unfinished int
	// Response is what the function answered. Err is its error, or what is wrong with the response: upon either, nothing of the event is
	// done.
	Response []byte
	Err      error
}

// String tells what was delivered and what came of it, such as "INSERT Id=1, INSERT Id=2: unfinished from INSERT Id=2".
func (i Invocation) String() string {
	names := describeAll(i.Records)
	if i.Window != nil && i.Window.Final {
		names = append(names, "end of the window "+i.Window.Start.Format(time.RFC3339))
	}
	text := cmp.Or(strings.Join(names, ", "), "no records")
	switch done := i.Unfinished - i.First; {
	case i.Err != nil:
		return text + ": error: " + i.Err.Error()
	case done < len(i.Records):
		return text + ": unfinished from " + names[done]
	}
	return text + ": done"
}

// Invoke delivers the records to a handler once, as one batch, in a minute's time. What is no event ends the test.
func Invoke(t testing.TB, h lambda.Handler, records ...Record) Invocation {
	t.Helper()
	d := deliverer{t: t, handler: h, records: settle(records)}
	return d.invoke(0, len(records))
}

// withLambda gives a context what Lambda's runtime gives it: the request's id and its deadline.
func withLambda(ctx context.Context, request int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	return lambdacontext.NewContext(ctx, &lambdacontext.LambdaContext{AwsRequestID: requestID(request), InvokedFunctionArn: functionARN("function")}), cancel
}

// requestID is the id of a function's n-th invocation.
func requestID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func functionARN(name string) string {
	return "arn:aws:lambda:" + region + ":" + account + ":function:" + name
}

// answer is what Lambda reads in a response.
type answer struct {
	failures []map[string]json.RawMessage
	state    stream.JSON
}

// parseAnswer reads a response as Lambda does, with the names' case: what says nothing is success.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func parseAnswer(response []byte) (answer, error) {
	switch string(bytes.TrimSpace(response)) {
	case "", "null", `""`, "[]":
		return answer{}, nil
	}
	var members map[string]json.RawMessage // a struct would take the names in any case
	if err := json.Unmarshal(response, &members); err != nil {
		return answer{}, fmt.Errorf("the response is not what Lambda takes: %w", err)
	}
	var a answer
	if failures := members["batchItemFailures"]; failures != nil {
		if err := json.Unmarshal(failures, &a.failures); err != nil {
			return answer{}, fmt.Errorf("the response's batchItemFailures are not what Lambda takes: %w", err)
		}
	}
	if state := stream.JSON(members["state"]); state != "null" {
		a.state = state
	}
	return a, nil
}

// unfinished gives the index of the lowest record that an answer reports. One that is not of the batch fails all of it.
func (a answer) unfinished(records []Record) (int, error) {
	index := make(map[string]int, len(records))
	for i, r := range records {
		index[r.SequenceNumber] = i
	}
	lowest := len(records)
	for _, f := range a.failures {
		var id string
		err := json.Unmarshal(f["itemIdentifier"], &id)
		i, member := index[id]
		if err != nil || !member {
			return 0, fmt.Errorf("the response names %s, which is no sequence number of the batch: Lambda delivers all of it again", f["itemIdentifier"])
		}
		lowest = min(lowest, i)
	}
	return lowest, nil
}

var errNoState = errors.New("the response has no state: Lambda takes it for a failure")
