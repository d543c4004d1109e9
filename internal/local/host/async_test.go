package host_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/host"
)

// asynchronous is a host with one function of this process, whose clock stands, and what it delivers.
type asynchronous struct {
	*stack
	calls     chan host.Invocation
	delivered chan host.Delivery
}

func startAsync(t *testing.T, c host.Config, f func(n int) ([]byte, error)) *asynchronous {
	t.Helper()
	a := &asynchronous{calls: make(chan host.Invocation, 10), delivered: make(chan host.Delivery, 10)}
	a.stack = startManual(t, func(o *host.Options) {
		o.Deliver = func(_ context.Context, d host.Delivery) error { a.delivered <- d; return nil }
	})
	c.Name, c.Timeout = "fn", time.Minute
	n := 0
	if _, err := a.Register(c, func(_ context.Context, i host.Invocation) ([]byte, error) {
		n++
		a.calls <- i
		return f(n)
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *asynchronous) set(t *testing.T, change func(*host.AsyncConfig)) {
	t.Helper()
	if _, err := a.SetAsync(fn, true, func(c *host.AsyncConfig) error { change(c); return nil }); err != nil {
		t.Fatal(err)
	}
}

func (a *asynchronous) send(t *testing.T) string {
	t.Helper()
	id, err := a.InvokeAsync("fn", []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (a *asynchronous) idle(t *testing.T) {
	t.Helper()
	a.clock.AwaitSleepers(1)
	if len(a.calls) > 0 || len(a.delivered) > 0 {
		t.Fatalf("%d calls and %d deliveries before their time", len(a.calls), len(a.delivered))
	}
}

func checkDocument(t *testing.T, d host.Delivery, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(d.Document), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || d.FunctionARN != fnARN {
		t.Errorf("of %s (-want +got):\n%s", d.FunctionARN, diff)
	}
}

func TestEventThatSucceeds(t *testing.T) {
	a := startAsync(t, host.Config{}, func(int) ([]byte, error) { return []byte(`"well"`), nil })
	a.set(t, func(c *host.AsyncConfig) { c.OnSuccess, c.OnFailure = "good", "bad" })
	id := a.send(t)
	if call := <-a.calls; call.RequestID != id || string(call.Payload) != `{"a":1}` || call.FunctionARN != fnARN {
		t.Errorf("%+v", call)
	}
	d := <-a.delivered
	if d.Destination != "good" {
		t.Errorf("sent to %s", d.Destination)
	}
	checkDocument(t, d, map[string]any{
		"version": "1.0", "timestamp": "2026-11-23T04:05:06.000Z",
		"requestContext": map[string]any{"requestId": id, "functionArn": fnARN + ":$LATEST", "condition": "Success", "approximateInvokeCount": 1.0},
		"requestPayload": map[string]any{"a": 1.0}, "responsePayload": "well",
		"responseContext": map[string]any{"statusCode": 200.0, "executedVersion": "$LATEST"},
	})
}

// An event that fails comes again after one minute and after two, and then goes to the destination and the dead-letter queue.
func TestEventThatFails(t *testing.T) {
	a := startAsync(t, host.Config{DeadLetterARN: "dead"}, func(int) ([]byte, error) { return nil, errors.New("no luck") })
	a.set(t, func(c *host.AsyncConfig) { c.OnFailure = "bad" })
	id := a.send(t)
	<-a.calls
	for _, pause := range []time.Duration{time.Minute, 2 * time.Minute} {
		a.idle(t)
		a.clock.Advance(pause - time.Second)
		a.idle(t)
		a.clock.Advance(time.Second)
		if call := <-a.calls; call.RequestID != id {
			t.Errorf("request %s, want %s", call.RequestID, id)
		}
	}
	checkDocument(t, <-a.delivered, map[string]any{
		"version": "1.0", "timestamp": "2026-11-23T04:08:06.000Z",
		"requestContext": map[string]any{"requestId": id, "functionArn": fnARN + ":$LATEST", "condition": "RetriesExhausted", "approximateInvokeCount": 3.0},
		"requestPayload": map[string]any{"a": 1.0}, "responsePayload": map[string]any{"errorMessage": "no luck", "errorType": "errorString"},
		"responseContext": map[string]any{"statusCode": 200.0, "executedVersion": "$LATEST", "functionError": "Unhandled"},
	})
	want := host.Delivery{Destination: "dead", FunctionARN: fnARN, Document: `{"a":1}`, At: time.Date(2026, 11, 23, 4, 8, 6, 0, time.UTC),
		Attributes: map[string]string{"RequestID": id, "ErrorCode": "200", "ErrorMessage": "no luck"}}
	if diff := cmp.Diff(want, <-a.delivered); diff != "" {
		t.Error(diff)
	}
}

func TestEventThatSucceedsAtLast(t *testing.T) {
	a := startAsync(t, host.Config{}, func(n int) ([]byte, error) {
		if n == 1 {
			return nil, errors.New("not yet")
		}
		return []byte(`1`), nil
	})
	a.set(t, func(c *host.AsyncConfig) { c.OnSuccess, c.OnFailure = "good", "bad" })
	a.send(t)
	<-a.calls
	a.idle(t)
	a.clock.Advance(time.Minute)
	if d := <-a.delivered; d.Destination != "good" {
		t.Errorf("sent to %s", d.Destination)
	}
}

func TestEventWithoutRetries(t *testing.T) {
	a := startAsync(t, host.Config{}, func(int) ([]byte, error) { return nil, errors.New("no luck") })
	a.set(t, func(c *host.AsyncConfig) { c.OnFailure, c.Retries = "bad", new(0) })
	a.send(t)
	if d := <-a.delivered; d.Destination != "bad" {
		t.Errorf("sent to %s", d.Destination)
	}
}

// An event is given up when the retry would come after its age.
func TestEventThatAges(t *testing.T) {
	a := startAsync(t, host.Config{}, func(int) ([]byte, error) { return nil, errors.New("no luck") })
	a.set(t, func(c *host.AsyncConfig) { c.OnFailure, c.EventAge = "bad", new(90*time.Second) })
	id := a.send(t)
	<-a.calls
	a.idle(t)
	a.clock.Advance(time.Minute)
	<-a.calls
	a.idle(t)
	a.clock.Advance(30 * time.Second)
	checkDocument(t, <-a.delivered, map[string]any{
		"version": "1.0", "timestamp": "2026-11-23T04:06:36.000Z",
		"requestContext": map[string]any{"requestId": id, "functionArn": fnARN + ":$LATEST", "condition": "EventAgeExceeded", "approximateInvokeCount": 2.0},
		"requestPayload": map[string]any{"a": 1.0}, "responsePayload": map[string]any{"errorMessage": "no luck", "errorType": "errorString"},
		"responseContext": map[string]any{"statusCode": 200.0, "executedVersion": "$LATEST", "functionError": "Unhandled"},
	})
}

func TestEventOfAFunctionWithoutConcurrency(t *testing.T) {
	a := startAsync(t, host.Config{DeadLetterARN: "dead"}, func(int) ([]byte, error) { return nil, nil })
	a.set(t, func(c *host.AsyncConfig) { c.OnFailure = "bad" })
	if err := a.Reserve(fn, 0); err != nil {
		t.Fatal(err)
	}
	id := a.send(t)
	checkDocument(t, <-a.delivered, map[string]any{
		"version": "1.0", "timestamp": "2026-11-23T04:05:06.000Z", "requestPayload": map[string]any{"a": 1.0},
		"requestContext": map[string]any{"requestId": id, "functionArn": fnARN + ":$LATEST", "condition": "ZeroReservedConcurrency", "approximateInvokeCount": 0.0},
	})
	if d := <-a.delivered; d.Destination != "dead" || d.Attributes["ErrorCode"] != "429" {
		t.Errorf("%+v", d)
	}
}

// A throttled event waits with a growing pause; that is no try.
func TestEventThatIsThrottled(t *testing.T) {
	hold := make(chan struct{})
	a := startAsync(t, host.Config{}, func(n int) ([]byte, error) {
		if n == 1 {
			<-hold
		}
		return []byte(`1`), nil
	})
	a.set(t, func(c *host.AsyncConfig) { c.OnSuccess = "good" })
	if err := a.Reserve(fn, 1); err != nil {
		t.Fatal(err)
	}
	a.send(t)
	<-a.calls
	second := a.send(t)
	for _, pause := range []time.Duration{time.Second, 2 * time.Second} {
		a.idle(t)
		a.clock.Advance(pause)
	}
	a.idle(t)
	close(hold)
	<-a.delivered
	a.clock.Advance(4 * time.Second)
	if call := <-a.calls; call.RequestID != second {
		t.Errorf("request %s, want %s", call.RequestID, second)
	}
	<-a.delivered
}

func TestReservedConcurrency(t *testing.T) {
	hold := make(chan struct{})
	a := startAsync(t, host.Config{}, func(int) ([]byte, error) { <-hold; return []byte(`1`), nil })
	if err := a.Reserve(fn, 1); err != nil {
		t.Fatal(err)
	}
	a.send(t)
	<-a.calls
	_, err := a.Invoke(t.Context(), "fn", nil)
	var refused *host.Error
	if !errors.As(err, &refused) || *refused != (host.Error{Code: host.TooManyRequests, Message: "Rate Exceeded.", Reason: host.ReservedLimit}) {
		t.Errorf("%#v", err)
	}
	close(hold)
	if got := a.Account(); got.ConcurrentExecutions != 1000 || got.UnreservedConcurrentExecutions != 999 || got.FunctionCount != 1 {
		t.Errorf("%+v", got)
	}
	wantCode(t, a.Reserve(fn, 901), host.InvalidParameterValue, "below its minimum value of [100]")
	if err := a.Reserve(fn, 900); err != nil {
		t.Error(err)
	}
	wantCode(t, a.Reserve(host.Ref{Name: "fn", Qualifier: "1"}, 1), host.InvalidParameterValue, "Aliases and versions")
	if err := a.Unreserve(fn); err != nil || a.Account().UnreservedConcurrentExecutions != 1000 {
		t.Error(err, a.Account())
	}
}

// An event that waits does not keep the host open, nor a function that runs.
func TestCloseWithEvents(t *testing.T) {
	for name, change := range map[string]func(context.Context) ([]byte, error){
		"waits": func(context.Context) ([]byte, error) { return nil, errors.New("no luck") },
		"runs":  func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			s := startManual(t, nil)
			called := make(chan struct{}, 1)
			if _, err := s.Register(host.Config{Name: "fn", Timeout: time.Hour}, func(ctx context.Context, _ host.Invocation) ([]byte, error) {
				called <- struct{}{}
				return change(ctx)
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.InvokeAsync("fn", []byte(`1`)); err != nil {
				t.Fatal(err)
			}
			<-called
			if name == "waits" {
				s.clock.AwaitSleepers(1)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := s.InvokeAsync("fn", []byte(`1`)); !errors.Is(err, host.ErrClosed) {
				t.Errorf("error %v", err)
			}
		})
	}
}
