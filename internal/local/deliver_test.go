package local

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/objects"
)

// What a mapping gives up while the stack closes still comes to its destination.
func TestDeliverWhileClosing(t *testing.T) {
	s := start(t, Options{})
	r, err := s.region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.queues.Create("lost", nil, nil); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	err = s.report(esm.Delivery{Destination: "arn:aws:sqs:us-east-1:" + Account + ":lost", Document: "{}"})
	s.mu.Lock()
	s.closed = false
	s.mu.Unlock()
	if got, _ := r.queues.Receive("lost", 1, 0); err != nil || len(got) != 1 {
		t.Errorf("the queue has %v, %v", got, err)
	}
}

// TestDeliver sends one report to each kind of destination, in another region too.
func TestReport(t *testing.T) {
	s := start(t, Options{})
	here, err := s.region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	there, err := s.region("eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*regional{here, there} {
		if err := r.queues.Create("lost", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	topic, err := here.topics.Create("lost", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := here.topics.Subscribe(topic, "sqs", "arn:aws:sqs:eu-west-1:"+Account+":lost", map[string]string{"RawMessageDelivery": "true"}); err != nil {
		t.Fatal(err)
	}
	if err := s.objects.Create("lost", "us-east-1", nil); err != nil {
		t.Fatal(err)
	}
	d := esm.Delivery{
		Mapping: "2b0b0b0b-0000-4000-8000-000000000000", ShardID: "shardId-1", At: time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC),
		Document: `{"version":"1.0","requestContext":{"condition":"RetryAttemptsExhausted"}}`, Event: `{"Records":[{"a":"<&>"}]}`,
	}
	for _, arn := range []string{"arn:aws:sqs:us-east-1:" + Account + ":lost", topic, "arn:aws:s3:::lost"} {
		d.Destination = arn
		if err := s.report(d); err != nil {
			t.Errorf("%s: %v", arn, err)
		}
	}
	for name, q := range map[string]*control.Queues{"queue": here.queues, "topic": there.queues} {
		got, err := q.Receive("lost", 10, 0)
		if err != nil || len(got) != 1 || got[0].Body != d.Document {
			t.Errorf("by the %s: %v, %v", name, got, err)
		}
	}
	page, err := s.objects.List("lost", objects.Query{Most: 10})
	if err != nil || len(page.Objects) != 1 {
		t.Fatalf("the bucket has %v, %v", page.Objects, err)
	}
	o := page.Objects[0]
	if !regexp.MustCompile(`^aws/lambda/2b0b0b0b-0000-4000-8000-000000000000/shardId-1/2026/11/24/2026-11-24T01\.02\.03-[0-9a-f-]{36}$`).MatchString(o.Key) {
		t.Errorf("its key is %s", o.Key)
	}
	var document struct{ Version, Payload string }
	if err := json.Unmarshal(o.Body, &document); err != nil || document.Version != "1.0" || document.Payload != d.Event {
		t.Errorf("the object is %s, %v", o.Body, err)
	}
	checkOutcomes(t, s, here, there)
	for _, arn := range []string{"arn:aws:sqs:us-east-1:" + Account + ":gone", "arn:aws:s3:::gone", "arn:aws:sqs:us-east-1:123456789012:lost", "arn:aws:events:us-east-1:" + Account + ":event-bus/default", "x"} {
		d.Destination = arn
		if err := s.report(d); err == nil {
			t.Errorf("%s: no error", arn)
		}
	}
}

// checkOutcomes sends the outcome of an asynchronous invocation to a topic as a dead letter, and to a bucket.
func checkOutcomes(t *testing.T, s *Stack, here, there *regional) {
	t.Helper()
	d := host.Delivery{FunctionARN: "arn:aws:lambda:us-east-1:" + Account + ":function:fn", Document: `{"a":1}`, At: time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC)}
	d.Destination, d.Attributes = "arn:aws:sns:us-east-1:"+Account+":lost", map[string]string{"RequestID": "1", "ErrorCode": "200", "ErrorMessage": ""}
	if err := s.outcome(here.functions, d); err != nil {
		t.Error(err)
	}
	want := control.MessageAttributes{"RequestID": {DataType: "String", Value: []byte("1")}, "ErrorCode": {DataType: "Number", Value: []byte("200")}}
	got, err := there.queues.Receive("lost", 10, 0)
	if last := len(got) - 1; err != nil || last < 0 || got[last].Body != d.Document || cmp.Diff(want, got[last].Attributes) != "" {
		t.Errorf("by the topic: %v, %v", got, err)
	}
	d.Destination = "arn:aws:s3:::lost"
	if err := s.outcome(here.functions, d); err != nil {
		t.Error(err)
	}
	page, err := s.objects.List("lost", objects.Query{Prefix: "aws/lambda/async/", Most: 10})
	if err != nil || len(page.Objects) != 1 {
		t.Fatalf("the bucket has %v, %v", page.Objects, err)
	}
	if o := page.Objects[0]; string(o.Body) != d.Document || !regexp.MustCompile(`^aws/lambda/async/fn/2026/11/24/2026-11-24T01\.02\.03-[0-9a-f-]{36}$`).MatchString(o.Key) {
		t.Errorf("the object %s is %s", o.Key, o.Body)
	}
	d.Document, d.Destination = strings.Repeat("x", control.MostPublished+1), "arn:aws:sns:us-east-1:"+Account+":lost"
	if err := s.outcome(here.functions, d); err == nil {
		t.Error("a topic takes more than it may")
	}
}
