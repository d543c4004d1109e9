package stream_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"streamgen/runtime/stream"
)

// TestEventAgain: the event of a record is handled though the record is done, and differs from what came in the record's name alone.
func TestEventAgain(t *testing.T) {
	var handled []string
	var again []byte
	h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		handled = append(handled, c.EventID+" "+c.Keys.ID)
		if c.Keys.ID == "fails" {
			return errors.New("so that the other is remembered")
		}
		return nil
	}, stream.Around(func(ctx context.Context, r stream.Record, next func(context.Context) error) error {
		if r.SequenceNumber() == "102" {
			again = []byte(r.Event())
		}
		return next(ctx)
	}))
	payload := event(insertRecord("101", "fails"), insertRecord("102", "done"))
	for range 2 {
		if _, err := h.Invoke(t.Context(), payload); err != nil {
			t.Fatal(err)
		}
	}
	var came, goes struct{ Records []map[string]any }
	if err := errors.Join(json.Unmarshal(payload, &came), json.Unmarshal(again, &goes)); err != nil {
		t.Fatal(err)
	}
	id := came.Records[1]["eventID"].(string)
	if goes.Records[0]["eventID"] != id+"-again" {
		t.Errorf("the event has the eventID %v", goes.Records[0]["eventID"])
	}
	came.Records[1]["eventID"] = id + "-again"
	if want, got := toJSON(t, came.Records[1]), toJSON(t, goes.Records[0]); want != got {
		t.Errorf("event %s, want %s", got, want)
	}
	if _, err := h.Invoke(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(handled[len(handled)-1:], ""); got != id+"-again done" || len(handled) != 4 {
		t.Errorf("handled %q", handled)
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWindowStates: a window begins with {} whatever its state is, and always answers with a state.
func TestWindowStates(t *testing.T) {
	const window = `{"Records":[],"window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:05:00Z"},"shardId":"s-1","state":`
	invoke := func(route stream.Route, state string) string {
		t.Helper()
		got, err := stream.Router(route).Invoke(t.Context(), []byte(window+state+"}"))
		if err != nil {
			t.Errorf("state %s: %v", state, err)
		}
		return string(got)
	}
	count := stream.OnWindow("t", func(_ context.Context, _ stream.Window, n int, _ []stream.Change[Order]) (int, error) {
		return n + 1, nil
	})
	none := stream.OnWindow("t", func(_ context.Context, _ stream.Window, _ map[string]int, _ []stream.Change[Order]) (map[string]int, error) {
		return nil, nil
	})
	for _, c := range []struct {
		route       stream.Route
		state, want string
	}{
		{count, "{}", `{"state":1,"batchItemFailures":[]}`},
		{count, "1", `{"state":2,"batchItemFailures":[]}`},
		{none, "{}", `{"state":{},"batchItemFailures":[]}`},
	} {
		if got := invoke(c.route, c.state); got != c.want {
			t.Errorf("state %s: %s, want %s", c.state, got, c.want)
		}
	}
	if _, err := stream.Router(count).Invoke(t.Context(), []byte(window+`"x"}`)); err == nil {
		t.Error("a state of another type is taken")
	}
}
