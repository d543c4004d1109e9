package local

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
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
	for _, arn := range []string{"arn:aws:sqs:us-east-1:" + Account + ":gone", "arn:aws:s3:::gone", "arn:aws:sqs:us-east-1:123456789012:lost", "arn:aws:events:us-east-1:" + Account + ":event-bus/default", "x"} {
		d.Destination = arn
		if err := s.report(d); err == nil {
			t.Errorf("%s: no error", arn)
		}
	}
}
