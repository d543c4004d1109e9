package stream_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"streamgen/runtime/stream"
)

// bootstrap is the function that TestStart runs, in a process of its own because stream.Start does not return.
func bootstrap() {
	switch os.Getenv(asBootstrap) {
	case "fails":
		stream.ServeNew(func(context.Context) (*closer, error) { return nil, errDown }, (*closer).routes)
	case "closes":
		stream.ServeNew(func(context.Context) (*closer, error) { return &closer{}, nil }, (*closer).routes)
	}
	stream.Start(func(ctx context.Context, c stream.Change[Order]) error {
		lc, ok := lambdacontext.FromContext(ctx)
		if !ok {
			return fmt.Errorf("no Lambda context")
		}
		slog.Info("handled", "requestID", lc.AwsRequestID, "id", c.Keys.ID)
		return behave(ctx, c)
	})
}

type invocation struct {
	payload  []byte
	deadline time.Time
}

// report is what the function posted about an invocation.
type report struct {
	requestID, outcome, body string
}

// runtimeAPI plays Lambda's side of a function's process.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func runtimeAPI(t *testing.T, next <-chan invocation, reports chan<- report) *httptest.Server {
	mux := http.NewServeMux()
	count := 0 // the process asks for one invocation at a time
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case inv := <-next:
			count++
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprint("request-", count))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(inv.deadline.UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:111111111111:function:orders")
			_, _ = w.Write(inv.payload)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{outcome}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the report: %v", err)
		}
		w.WriteHeader(http.StatusAccepted)
		reports <- report{r.PathValue("id"), r.PathValue("outcome"), string(body)}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestStart(t *testing.T) {
	soon := stream.DefaultReserve / 2
	steps := []struct {
		name    string
		payload []byte
		timeout time.Duration
		outcome string
		body    string // as a whole for a response, a part of it for an error
	}{
		{"success", event(insertRecord("101", "a"), insertRecord("102", "b")), time.Minute, "response", allDone},
		{"failure", event(insertRecord("103", "c"), insertRecord("104", "fail"), insertRecord("105", "d")), time.Minute, "response", unfinishedFrom("104")},
		{"panic", event(insertRecord("106", "panic"), insertRecord("107", "e")), time.Minute, "response", unfinishedFrom("106")},
		{"malformed record", event(record("108", "INSERT", `"Keys":[]`)), time.Minute, "response", unfinishedFrom("108")},
		{"malformed event", []byte(`{"no":"records"}`), time.Minute, "error", "the event has no Records"},
		{"nameless record", event(`{"eventName":"INSERT"}`), time.Minute, "error", "record 1 of 1 failed"},
		{"out of time", event(insertRecord("109", "f"), insertRecord("110", "g")), soon, "response", unfinishedFrom("109")},
		{"success after all that", event(insertRecord("111", "h")), time.Minute, "response", allDone},
	}

	next, reports := make(chan invocation), make(chan report)
	server := runtimeAPI(t, next, reports)

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), asBootstrap+"=1", "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // it is killed at the end
	}()
	stop := func() {
		cancel()
		<-exited
	}
	defer stop()

	for i, step := range steps {
		select {
		case next <- invocation{step.payload, time.Now().Add(step.timeout)}:
		case <-exited:
			t.Fatalf("%s: the process is gone: %s", step.name, &stderr)
		}
		select {
		case got := <-reports:
			if want := fmt.Sprint("request-", i+1); got.requestID != want {
				t.Errorf("%s: report for %s, want %s", step.name, got.requestID, want)
			}
			matches := got.body == step.body || step.outcome == "error" && strings.Contains(got.body, step.body)
			if got.outcome != step.outcome || !matches {
				t.Errorf("%s: %s %s, want %s %s", step.name, got.outcome, got.body, step.outcome, step.body)
			}
		case <-exited:
			t.Fatalf("%s: the process is gone: %s", step.name, &stderr)
		}
	}

	stop()
	var handled, failed []string
	for _, line := range logLines(t, stdout.Bytes()) {
		switch line["msg"] {
		case "handled":
			handled = append(handled, fmt.Sprint(line["requestID"], " ", line["id"]))
		case "stream record failed", "stream records not started":
			failed = append(failed, fmt.Sprint(line["sequenceNumber"], " ", line["error"]))
		}
	}
	wantHandled := "request-1 a, request-1 b, request-2 c, request-2 fail, request-2 d, request-3 panic, request-3 e, request-8 h"
	if got := strings.Join(handled, ", "); got != wantHandled {
		t.Errorf("handled %s\nwant    %s", got, wantHandled)
	}
	wantFailed := []string{"104 index is down", "106 panic: out of cheese", "108 decode Keys: ", " the record has no", "109 not started: context deadline exceeded"}
	if len(failed) != len(wantFailed) {
		t.Fatalf("failed %q, want %q", failed, wantFailed)
	}
	for i, want := range wantFailed {
		if !strings.HasPrefix(failed[i], want) {
			t.Errorf("failed %q, want %q", failed[i], want)
		}
	}
}

// closer is a handler that notes its end.
type closer struct{}

func (c *closer) routes() []stream.Route {
	return []stream.Route{stream.On("orders", func(context.Context, stream.Change[Order]) error { return nil })}
}

func (c *closer) Close() error {
	fmt.Println("closed")
	return nil
}

// process starts the test binary as a function.
func process(t *testing.T, as, api string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), asBootstrap+"="+as, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api, "http://"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, &out
}

func TestServeNewFails(t *testing.T) {
	reported := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		reported <- r.URL.Path + " " + string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	cmd, out := process(t, "fails", server.URL)
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v, want exit code 1: %s", err, out)
	}
	want := `/2018-06-01/runtime/init/error {"errorMessage":"index is down","errorType":"Runtime.InitError"}`
	select {
	case got := <-reported:
		if got != want {
			t.Errorf("reported %s, want %s", got, want)
		}
	default:
		t.Errorf("nothing reported: %s", out)
	}
}

func TestServeNewCloses(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no SIGTERM")
	}
	asked := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/extension/register"):
			w.Header().Set("Lambda-Extension-Identifier", "1")
		case strings.HasSuffix(r.URL.Path, "/invocation/next"):
			asked <- struct{}{}
			<-r.Context().Done()
		default:
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	defer server.CloseClientConnections()
	cmd, out := process(t, "closes", server.URL)
	<-asked
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "closed") {
		t.Errorf("%v: %s", err, out)
	}
}
