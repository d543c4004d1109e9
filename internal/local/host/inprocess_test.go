package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"streamgen/internal/local/host"
)

// weird is an error whose type a function's answer names.
type weird struct{}

func (*weird) Error() string { return "so it is" }

func TestFunctionsOfThisProcess(t *testing.T) {
	h, err := host.New(host.Options{Account: "000000000000", Region: "us-east-1", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	for _, test := range []struct {
		name, payload, failed string
		timeout               time.Duration
		f                     host.Func
	}{
		{"echo", `{"a":1}`, "", time.Minute, func(_ context.Context, i host.Invocation) ([]byte, error) { return i.Payload, nil }},
		{"fails", `{"errorMessage":"so it is","errorType":"weird"}`, "Unhandled", time.Minute, func(context.Context, host.Invocation) ([]byte, error) { return nil, &weird{} }},
		{"panics", `{"errorMessage":"panic: oh","errorType":"errorString"}`, "Unhandled", time.Minute, func(context.Context, host.Invocation) ([]byte, error) { panic("oh") }},
		{"too-large", "Function.ResponseSizeTooLarge", "Unhandled", time.Minute, func(context.Context, host.Invocation) ([]byte, error) { return make([]byte, host.MaxResponse+1), nil }},
		{"slow", "Task timed out after 0.00 seconds", "Unhandled", time.Millisecond, func(ctx context.Context, _ host.Invocation) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		{"client", `{"custom":{}}`, "", time.Minute, func(_ context.Context, i host.Invocation) ([]byte, error) { return i.ClientContext, nil }},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := h.Register(host.Config{Name: test.name, Timeout: test.timeout}, test.f)
			if err != nil {
				t.Fatal(err)
			}
			got, err := h.InvokeFor(t.Context(), f.ARN, []byte(`{"custom":{}}`), []byte(`{"a":1}`))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got.Payload), test.payload) || got.FunctionError != test.failed || got.RequestID == "" || !strings.Contains(got.LogTail, "REPORT RequestId: "+got.RequestID) {
				t.Errorf("got %.200s %q with the log %s, want %s %q", got.Payload, got.FunctionError, got.LogTail, test.payload, test.failed)
			}
			if _, err := h.Register(host.Config{Name: test.name}, test.f); err == nil {
				t.Error("a second one of the name is taken")
			}
			ref, err := h.Parse(test.name)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.UpdateConfiguration(ref, "", func(c *host.Config) error { c.Description = "new"; return nil })
			if err != nil {
				t.Fatal(err)
			}
			if again, err := h.InvokeFor(t.Context(), f.ARN, []byte(`{"custom":{}}`), []byte(`{"a":1}`)); err != nil || string(again.Payload) == "" {
				t.Errorf("after a new configuration: %v", err)
			}
			if err := h.Delete(ref); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Invoke(t.Context(), f.ARN, nil); err == nil {
				t.Error("runs after it was deleted")
			}
		})
	}
}

func TestAFunctionOfThisProcessEndsWithItsCaller(t *testing.T) {
	h, err := host.New(host.Options{Account: "000000000000", Region: "us-east-1", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	_, err = h.Register(host.Config{Name: "waits", Timeout: time.Minute}, func(ctx context.Context, _ host.Invocation) ([]byte, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Invoke(ctx, "waits", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
}
