package stream_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"streamgen/runtime/stream"
)

type handlerFunc func(context.Context, []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// served gives what a handler's process posts, as "path body", when Lambda's side answers its requests for an invocation one after the other, and
// the error that ends it: after the last request the API fails.
func served(t *testing.T, h handlerFunc, next ...http.HandlerFunc) (posts []*http.Request, bodies []string, err error) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		if len(next) == 0 {
			http.Error(w, "no more", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprint("request-", len(posts)+1))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
		answer := next[0]
		next = next[1:]
		answer(w, r)
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		posts, bodies = append(posts, r), append(bodies, string(body))
		if strings.Contains(string(body), "too large") {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	t.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(server.URL, "http://"))
	t.Setenv("_X_AMZN_TRACE_ID", "")
	err = stream.ServeHandler(h)
	return posts, bodies, err
}

// whole answers with a length, inParts without one.
func whole(payload []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(payload)))
		_, _ = w.Write(payload)
	}
}

func inParts(payload []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for len(payload) > 0 {
			n := min(len(payload), 1000)
			_, _ = w.Write(payload[:n])
			_ = http.NewResponseController(w).Flush()
			payload = payload[n:]
		}
	}
}

func TestPayloadsShareMemory(t *testing.T) {
	a, b, c, d := bytes.Repeat([]byte("a"), 10_000), bytes.Repeat([]byte("b"), 9_000), bytes.Repeat([]byte("c"), 100_000), []byte("d")
	var got, at []byte
	moves := 0
	_, bodies, err := served(t, func(_ context.Context, payload []byte) ([]byte, error) {
		if at == nil || &at[0] != &payload[0] {
			at = payload
			moves++
		}
		got = append(got, payload...)
		return []byte("ok"), nil
	}, whole(a), whole(b), inParts(a), inParts(d), inParts(c), whole(d), whole(c), inParts(b))
	if want := bytes.Join([][]byte{a, b, a, d, c, d, c, b}, nil); !bytes.Equal(got, want) {
		t.Errorf("%d bytes of payloads that are not those that were sent, %d", len(got), len(want))
	}
	if moves != 2 || len(bodies) != 8 {
		t.Errorf("%d payloads in %d places, want 8 in 2", len(bodies), moves)
	}
	if err == nil || !strings.Contains(err.Error(), "ask for an invocation: the Runtime API answers 500") {
		t.Errorf("error %v", err)
	}
}

func TestInvocationContext(t *testing.T) {
	deadline := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	next := func(w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"Lambda-Runtime-Deadline-Ms": fmt.Sprint(deadline.UnixMilli()), "Lambda-Runtime-Invoked-Function-Arn": "arn:function",
			"Lambda-Runtime-Trace-Id": "Root=1-5759e988", "Lambda-Runtime-Aws-Tenant-Id": "tenant",
		} {
			w.Header().Set(name, value)
		}
	}
	posts, bodies, _ := served(t, func(ctx context.Context, _ []byte) ([]byte, error) {
		lc, _ := lambdacontext.FromContext(ctx)
		if want := (lambdacontext.LambdaContext{AwsRequestID: "request-1", InvokedFunctionArn: "arn:function", TenantID: "tenant"}); lc == nil || lc.AwsRequestID != want.AwsRequestID ||
			lc.InvokedFunctionArn != want.InvokedFunctionArn || lc.TenantID != want.TenantID {
			t.Errorf("Lambda context %+v, want %+v", lc, want)
		}
		if got, ok := ctx.Deadline(); !ok || !got.Equal(deadline) {
			t.Errorf("deadline %v, want %v", got, deadline)
		}
		if got := stream.TraceHeader(ctx); got != "Root=1-5759e988" || os.Getenv("_X_AMZN_TRACE_ID") != got {
			t.Errorf("trace %q, and %q in the environment", got, os.Getenv("_X_AMZN_TRACE_ID"))
		}
		return []byte(`{"done":true}`), nil
	}, next)
	if len(posts) != 1 || posts[0].URL.Path != "/2018-06-01/runtime/invocation/request-1/response" || bodies[0] != `{"done":true}` || posts[0].Header.Get("Content-Type") != "application/json" {
		t.Errorf("posted %v: %q", posts, bodies)
	}
}

func TestInvocationFails(t *testing.T) {
	log := captureLog(t)
	nothing := func(http.ResponseWriter, *http.Request) {}
	posts, bodies, _ := served(t, func(_ context.Context, payload []byte) ([]byte, error) {
		switch string(payload) {
		case "error":
			return nil, fmt.Errorf("<no> \"luck\": %w", errDown)
		case "panic":
			panic("out of cheese")
		}
		return []byte("ok"), nil
	}, whole([]byte("error")), whole([]byte("panic")), func(w http.ResponseWriter, _ *http.Request) { w.Header().Del("Lambda-Runtime-Deadline-Ms") }, nothing)
	want := []struct{ path, kind, message string }{
		{"request-1/error", "fmt.wrapError", `<no> "luck": index is down`},
		{"request-2/error", "stream.panicError", "panic: out of cheese"},
		{"request-3/error", "fmt.wrapError", `read the invocation's deadline: strconv.ParseInt: parsing "": invalid syntax`},
	}
	if len(posts) != 4 || bodies[3] != "ok" {
		t.Fatalf("posted %q; after a failure and a panic the process goes on", bodies)
	}
	for i, want := range want {
		type exception struct{ Type, Message string }
		var body struct{ ErrorType, ErrorMessage string }
		var cause struct{ Exceptions []exception }
		if err := errors.Join(json.Unmarshal([]byte(bodies[i]), &body), json.Unmarshal([]byte(posts[i].Header.Get("Lambda-Runtime-Function-Xray-Error-Cause")), &cause)); err != nil {
			t.Error(err)
		}
		if !strings.HasSuffix(posts[i].URL.Path, want.path) || body.ErrorType != want.kind || body.ErrorMessage != want.message ||
			posts[i].Header.Get("Lambda-Runtime-Function-Error-Type") != want.kind || len(cause.Exceptions) != 1 || cause.Exceptions[0] != (exception{want.kind, want.message}) {
			t.Errorf("posted to %s %s with %v, want %v", posts[i].URL.Path, bodies[i], posts[i].Header, want)
		}
	}
	lines := logLines(t, log.Bytes())
	if len(lines) != 3 || lines[0]["error"] != `<no> "luck": index is down` || !strings.Contains(fmt.Sprint(lines[1]["stack"]), "TestInvocationFails") {
		t.Errorf("log %v", lines)
	}
}

func TestAnswerRefused(t *testing.T) {
	_, _, err := served(t, func(context.Context, []byte) ([]byte, error) { return []byte("too large"), nil }, whole([]byte("{}")), whole([]byte("{}")))
	if err == nil || !strings.Contains(err.Error(), "answer an invocation: the Runtime API answers 413") {
		t.Errorf("error %v", err)
	}
}

// TestConcurrentInvocations has a process ask for as many invocations as Lambda may give it at a time.
func TestConcurrentInvocations(t *testing.T) {
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
			<-r.Context().Done() // there is none
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	t.Setenv("AWS_LAMBDA_MAX_CONCURRENCY", "3")
	cmd, _ := process(t, "concurrent", server.URL)
	t.Cleanup(func() { _ = cmd.Wait() }) // it is killed
	for range 3 {
		<-asked
	}
}

func TestOutsideOfLambda(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = []string{asBootstrap + "=1"}
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "AWS_LAMBDA_RUNTIME_API is not set") {
		t.Errorf("exit code %d: %s", cmd.ProcessState.ExitCode(), out)
	}
}
