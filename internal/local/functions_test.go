package local

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/control"
	"streamgen/internal/local/host"
)

// askLambda makes a request of Lambda's API, and fails the test if it is refused.
func askLambda(t *testing.T, s *Stack, method, path, body string, headers ...string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Endpoint()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if status, text := send(t, r); status >= 300 {
		t.Fatal(path, text)
	}
}

const queueARN = "arn:aws:sqs:us-east-1:000000000000:failed"

// failing is a stack with a function that always fails, and a queue.
func failing(t *testing.T, name string) (*Stack, *regional) {
	t.Helper()
	s := start(t, Options{})
	if _, err := s.Register("us-east-1", name, time.Minute, func(context.Context, Invocation) ([]byte, error) {
		return nil, errors.New("no luck")
	}); err != nil {
		t.Fatal(err)
	}
	r, err := s.region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.queues.Create("failed", nil, nil); err != nil {
		t.Fatal(err)
	}
	return s, r
}

func await(t *testing.T, r *regional) control.Message {
	t.Helper()
	for {
		news := r.queues.News()
		got, err := r.queues.Receive("failed", 1, -1)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) > 0 {
			return got[0]
		}
		select {
		case <-news:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came into the queue")
		}
	}
}

// What an asynchronous invocation gives up goes to a queue and to another function, and with attributes to the dead-letter queue.
func TestAsynchronousDestinations(t *testing.T) {
	s, r := failing(t, "fails")
	got := make(chan Invocation, 1)
	arn, err := s.Register("us-east-1", "hears", time.Minute, func(_ context.Context, i Invocation) ([]byte, error) {
		got <- i
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	configure := func(destination string) {
		askLambda(t, s, "PUT", "/2019-09-25/functions/fails/event-invoke-config",
			`{"MaximumRetryAttempts":0,"DestinationConfig":{"OnFailure":{"Destination":"`+destination+`"}}}`)
	}
	invoke := func() {
		askLambda(t, s, "POST", "/2015-03-31/functions/fails/invocations", `{"a":1}`, "X-Amz-Invocation-Type", "Event")
	}
	const condition = `"condition":"RetriesExhausted","approximateInvokeCount":1`
	configure(queueARN)
	invoke()
	if m := await(t, r); !strings.Contains(m.Body, condition) {
		t.Error(m.Body)
	}
	configure(arn)
	invoke()
	if i := <-got; !strings.Contains(string(i.Payload), condition) {
		t.Error(string(i.Payload))
	}
	askLambda(t, s, "PUT", "/2015-03-31/functions/fails/configuration", `{"DeadLetterConfig":{"TargetArn":"`+queueARN+`"}}`)
	invoke()
	m := await(t, r)
	delete(m.Attributes, "RequestID")
	want := control.MessageAttributes{"ErrorCode": {DataType: "Number", Value: []byte("200")}, "ErrorMessage": {DataType: "String", Value: []byte("no luck")}}
	if diff := cmp.Diff(want, m.Attributes); diff != "" || m.Body != `{"a":1}` {
		t.Error(m.Body, diff)
	}
}

// A mapping on an alias reports the version that ran.
func TestMappingOfAnAlias(t *testing.T) {
	s, r := failing(t, "fails")
	askLambda(t, s, "POST", "/2015-03-31/functions/fails/versions", `{}`)
	askLambda(t, s, "POST", "/2015-03-31/functions/fails/aliases", `{"Name":"live","FunctionVersion":"1"}`)
	createTable(t, s, "us-east-1", "orders")
	alias := r.functions.List()[0].ARN + ":live"
	askLambda(t, s, "POST", "/2015-03-31/event-source-mappings", `{"EventSourceArn":"`+dumpOf(t, s)["us-east-1"].Streams[0].ARN+`","FunctionName":"`+alias+
		`","StartingPosition":"TRIM_HORIZON","MaximumRetryAttempts":0,"DestinationConfig":{"OnFailure":{"Destination":"`+queueARN+`"}}}`)
	if status, text := call(t, s, "us-east-1", "DynamoDB_20120810.PutItem", `{"TableName":"orders","Item":{"id":{"S":"a"}}}`); status != 200 {
		t.Fatal(text)
	}
	var document struct {
		RequestContext  struct{ FunctionARN string }
		ResponseContext struct{ ExecutedVersion string }
	}
	if err := json.Unmarshal([]byte(await(t, r).Body), &document); err != nil {
		t.Fatal(err)
	}
	if document.RequestContext.FunctionARN != alias || document.ResponseContext.ExecutedVersion != "1" {
		t.Errorf("%+v", document)
	}
	if err := r.functions.Delete(host.Ref{Name: "fails"}); err != nil {
		t.Error(err)
	}
}
