package control

import (
	"testing"
	"time"

	"streamgen/internal/local/clock"
)

// A message keeps the count of its receipts as a dead letter, and yet has all receipts of a dead-letter queue that has one itself.
func TestDeadLetterOfADeadLetterQueue(t *testing.T) {
	manual := clock.NewManual(time.Unix(1_800_000_000, 0))
	q := NewQueues("000000000000", "us-east-1", manual)
	for _, name := range []string{"first", "second", "third"} {
		if err := q.Create(name, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, pair := range [][2]string{{"first", "second"}, {"second", "third"}} {
		if err := q.Set(pair[0], map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"` + q.arn(pair[1]) + `","maxReceiveCount":2}`}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Send("first", "a", nil, 0); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"first", "first", "second", "second", "third"} {
		for _, from := range []string{"first", "second"} {
			if from != name && i > 0 {
				if _, err := q.Receive(from, 0, 0); err != nil { // moves what is due
					t.Fatal(err)
				}
			}
		}
		got, err := q.Receive(name, 1, time.Second)
		if err != nil || len(got) != 1 || got[0].Received != i+1 {
			t.Fatalf("receipt %d, from %s: %+v, %v", i+1, name, got, err)
		}
		if in, ok := q.Due(name); !ok || in != time.Second {
			t.Errorf("it is due in %v, %v", in, ok)
		}
		manual.Advance(time.Second)
	}
}

// The sums are SQS's own, as other emulators have recorded them.
func TestMD5OfMessageAttributes(t *testing.T) {
	text := func(value string) MessageAttribute { return MessageAttribute{"String", []byte(value)} }
	for want, attributes := range map[string]MessageAttributes{
		"":                                 {},
		"235c5c510d26fb653d073faed50ae77c": {"timestamp": {"Number", []byte("1493147359900")}},
		"4c360f3fdafd970e05fae2f149d997f5": {"Help.Me": text("Me"), "Hello": text("There"), "General": text("Kenobi")},
	} {
		if got := attributes.MD5(); got != want {
			t.Errorf("%v: %s, want %s", attributes, got, want)
		}
	}
}
