package sqs

import (
	"testing"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
)

// A receiver that waits gets a message that becomes visible meanwhile.
func TestPollGetsWhatBecomesVisible(t *testing.T) {
	manual := clock.NewManual(time.Unix(1_800_000_000, 0))
	queues := control.NewQueues("000000000000", "us-east-1", manual)
	if err := queues.Create("q", nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := queues.Send("q", "late", nil, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	got := make(chan []control.Message)
	go func() {
		messages, err := service{queues: queues, clock: manual}.poll(t.Context(), "q", 1, time.Minute, 20*time.Second)
		if err != nil {
			t.Error(err)
		}
		got <- messages
	}()
	manual.AwaitSleepers(2)
	manual.Advance(5 * time.Second)
	if messages := <-got; len(messages) != 1 || messages[0].Body != "late" {
		t.Errorf("got %+v", messages)
	}
}
