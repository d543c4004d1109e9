package local

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// subscribeTo gives the events that the stack streams for a query, one at a call. It gives none once the stream has ended.
func subscribeTo(t *testing.T, s *Stack, query string) func() (Event, bool) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint()+"/_streamgen/events?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r) // and from now on it is subscribed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	lines := bufio.NewReader(res.Body)
	return func() (e Event, more bool) {
		t.Helper()
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return e, false
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return e, true
	}
}

// attach makes a mapping of a table's stream to a function of this process.
func attach(t *testing.T, s *Stack, table, function, more string, f Function) {
	t.Helper()
	arn, err := s.Register("us-east-1", function, time.Minute, f)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.openStream("", table)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint()+"/2015-03-31/event-source-mappings",
		strings.NewReader(fmt.Sprintf(`{"EventSourceArn":%q,"FunctionName":%q,"StartingPosition":"TRIM_HORIZON"%s}`, stream.ARN(), arn, more)))
	if err != nil {
		t.Fatal(err)
	}
	if status, text := send(t, r); status != http.StatusAccepted {
		t.Fatal(status, text)
	}
}

func TestEvents(t *testing.T) {
	var mu sync.Mutex
	hooked := 0
	s := start(t, Options{RetryPause: time.Millisecond, Events: func(Event) {
		mu.Lock()
		defer mu.Unlock()
		hooked++
	}})
	createTable(t, s, "us-east-1", "orders")
	createTable(t, s, "us-east-1", "others")
	failures := 1
	attach(t, s, "orders", "ship", `,"MaximumRetryAttempts":1`, func(context.Context, Invocation) ([]byte, error) {
		if failures--; failures >= 0 {
			return nil, errors.New("no")
		}
		return []byte("{}"), nil
	})
	attach(t, s, "others", "bill", "", func(context.Context, Invocation) ([]byte, error) { return []byte("{}"), nil })

	all := subscribeTo(t, s, "table=orders&records=1")
	lean := subscribeTo(t, s, "function=ship&kind=success&kind=log")
	if status, text := putItem(t, s, "others", "0"); status != http.StatusOK {
		t.Fatal(text)
	}
	if status, text := putItem(t, s, "orders", "1"); status != http.StatusOK {
		t.Fatal(text)
	}
	var kinds []string
	var e Event
	for e.Kind != EventSuccess {
		var more bool
		if e, more = all(); !more {
			t.Fatalf("the stream ended after %q", kinds)
		}
		kinds = append(kinds, e.Kind)
		if e.Table != "orders" || e.Function != "ship" || e.Region != "us-east-1" || e.Count != 1 || e.First == "" || e.First != e.Last ||
			len(e.Records) != 1 || !strings.Contains(string(e.Records[0]), e.First) || e.Mapping == "" || e.Shard == "" || e.Time.IsZero() {
			t.Errorf("event %+v", e)
		}
		switch e.Kind {
		case EventFailure:
			if e.Error != "Unhandled" || e.ErrorType != "errorString" || e.ErrorMessage != "no" || e.Attempt != 1 || e.RequestID == "" || e.TookMS < 0 {
				t.Errorf("event %+v", e)
			}
		case EventRetry:
			if e.PauseMS != 1 {
				t.Errorf("event %+v", e)
			}
		case EventSuccess:
			if e.Attempt != 2 {
				t.Errorf("event %+v", e)
			}
		}
	}
	if d := cmp.Diff([]string{EventInvoke, EventFailure, EventRetry, EventInvoke, EventSuccess}, kinds); d != "" {
		t.Errorf("kinds (-want +got):\n%s", d)
	}
	for kinds = nil; ; kinds = append(kinds, e.Kind) {
		if e, _ = lean(); e.Kind == EventSuccess {
			break
		}
		if e.Kind != EventLog || e.Group != "/aws/lambda/ship" || e.Message == "" || e.LogStream == "" {
			t.Errorf("event %+v", e)
		}
	}
	if e.Records != nil || len(kinds) < 6 {
		t.Errorf("records that nobody asked for, or too few lines: %+v, %q", e, kinds)
	}

	// An invocation that is nobody's mapping's, and then the end.
	invocations := subscribeTo(t, s, "kind=invocation")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint()+"/2015-03-31/functions/bill/invocations", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if status, text := send(t, r); status != http.StatusOK {
		t.Fatal(text)
	}
	if e, _ := invocations(); e.Kind != EventInvocation || e.Function != "bill" || e.RequestID == "" || e.Error != "" {
		t.Errorf("event %+v", e)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if e, more := invocations(); more {
		t.Errorf("after the end: %+v", e)
	}
	mu.Lock()
	defer mu.Unlock()
	if hooked < 12 {
		t.Errorf("the library's hook was told of %d events", hooked)
	}
}

func TestEventsRefuse(t *testing.T) {
	s := start(t, Options{})
	for query, want := range map[string]string{
		"kind=nothing": "want one of invoke, success", "tables=orders": `no parameter \"tables\"`, "records=yes": "want records=1",
	} {
		if status, text := ask(t, s, "GET", "events?"+query, ""); status != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", query, status, text)
		}
	}
	if status, text := ask(t, s, "POST", "events", ""); status != http.StatusMethodNotAllowed || !strings.Contains(text, "takes GET") {
		t.Errorf("%d %s", status, text)
	}
}

// TestSlowSubscriber: one that takes nothing is told how much it lost, at the place where it did.
func TestSlowSubscriber(t *testing.T) {
	f := newFeed(nil)
	sub, cancel := f.subscribe(wantedEvents{})
	for range mostQueued + 7 {
		f.tell(Event{Kind: EventLog})
	}
	got := sub.take()
	if len(got) != mostQueued+1 || got[mostQueued].Kind != EventLost || got[mostQueued].Lost != 7 {
		t.Fatalf("%d events, the last %+v", len(got), got[len(got)-1])
	}
	f.tell(Event{Kind: EventInvoke})
	if got := sub.take(); len(got) != 1 || got[0].Kind != EventInvoke {
		t.Errorf("afterwards %+v", got)
	}
	large := Event{Kind: EventLog, Message: strings.Repeat("x", mostQueuedBytes/2)}
	for range 3 {
		f.tell(large)
	}
	if got := sub.take(); len(got) != 2 || got[1].Lost != 2 {
		t.Errorf("of large ones %d", len(got))
	}
	cancel()
	if f.wanted() {
		t.Error("nobody listens, and events are made")
	}
}

func TestDurations(t *testing.T) {
	var d durations
	for i := range mostDurations + 1 {
		d.put(fmt.Sprint(i), time.Second)
	}
	if d.take("0") != 0 || d.take("1") != time.Second || d.take("1") != 0 || len(d.order) != mostDurations {
		t.Error("the oldest gives way, and each is given once")
	}
}
