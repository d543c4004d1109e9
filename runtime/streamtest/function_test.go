package streamtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/streamtest"
)

func TestFunction(t *testing.T) {
	f := streamtest.Start(t, function(t, "orders"))
	i := streamtest.Invoke(t, f, inserts("1", "fail", "2")...)
	if i.Unfinished != 1 || i.Err != nil || string(i.Response) != unfinishedFrom(1) {
		t.Errorf("%v: %s", i, i.Response)
	}
	if i = streamtest.Invoke(t, f, inserts("panic", "3")...); i.Unfinished != 0 || i.Err != nil {
		t.Errorf("%v", i)
	}
	if _, err := f.Invoke(t.Context(), []byte(`{"no":"records"}`)); err == nil || !strings.Contains(err.Error(), ": the event has no Records") {
		t.Errorf("error %v", err)
	}
	var got []string
	for _, line := range f.Log() {
		switch request, _ := line["requestId"].(string); line["msg"] {
		case "handled", "stream record failed":
			got = append(got, fmt.Sprint(request[len(request)-1:], " ", line["function"], " ", line["msg"], " ", line["keys"], " ", line["xrayTraceId"]))
		case nil:
			got = append(got, fmt.Sprint("metrics ", line["Records"], " ", line["Failures"], " of ", line["function"]))
		}
	}
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	trace := "1-00000000-00000000000000000000000"
	want := []string{
		"1 " + name + " handled map[Id:1] " + trace + "1",
		"1 " + name + " handled map[Id:fail] " + trace + "1",
		"1 " + name + " stream record failed map[Id:fail] " + trace + "1",
		"1 " + name + " handled map[Id:2] " + trace + "1",
		"metrics 3 1 of " + name,
		"2 " + name + " handled map[Id:panic] " + trace + "2",
		"2 " + name + " stream record failed map[Id:panic] " + trace + "2",
		"2 " + name + " handled map[Id:3] " + trace + "2",
		"metrics 2 1 of " + name,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s\nof\n%s", diff, f.Output())
	}
}

// A process that ends takes its event with it, and the next event goes to a new one.
func TestFunctionExits(t *testing.T) {
	f := streamtest.Start(t, function(t, "orders"))
	d := streamtest.Deliver(t, f, streamtest.Mapping{BisectBatchOnFunctionError: true}, inserts("1", "exit", "2", "leave")...)
	want := "INSERT Id=1, INSERT Id=exit, INSERT Id=2, INSERT Id=leave: error: Runtime.ExitError: RequestId: 00000000-0000-4000-8000-000000000001 Error: Runtime exited with error: exit status 3\n" +
		"INSERT Id=1, INSERT Id=exit: error: Runtime.ExitError: RequestId: 00000000-0000-4000-8000-000000000002 Error: Runtime exited with error: exit status 3\n" +
		"INSERT Id=1: done\n" +
		"INSERT Id=exit: error: Runtime.ExitError: RequestId: 00000000-0000-4000-8000-000000000004 Error: Runtime exited with error: exit status 3\n" +
		"INSERT Id=2, INSERT Id=leave: error: Runtime.ExitError: RequestId: 00000000-0000-4000-8000-000000000005 Error: Runtime exited without providing a reason\n" +
		"INSERT Id=2: done\n" +
		"INSERT Id=leave: error: Runtime.ExitError: RequestId: 00000000-0000-4000-8000-000000000007 Error: Runtime exited without providing a reason\n" +
		"given up: INSERT Id=exit, INSERT Id=leave"
	if diff := cmp.Diff(want, d.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// aws-lambda-go reports a panic and then ends the process.
func TestFunctionPanics(t *testing.T) {
	f := streamtest.Start(t, function(t, "panics"))
	for range 2 {
		if i := streamtest.Invoke(t, f, inserts("1")...); i.Err == nil || i.Err.Error() != "string: out of cheese" {
			t.Errorf("%v", i)
		}
	}
	f.Stop()
	var pids []string
	for line := range strings.Lines(f.Output()) {
		var pid int
		if _, err := fmt.Sscanf(line, "%d\n", &pid); err == nil {
			pids = append(pids, line)
		}
	}
	if len(pids) != 2 || pids[0] == pids[1] {
		t.Errorf("processes %q, want two\n%s", pids, f.Output())
	}
}

func TestFunctionDeadline(t *testing.T) {
	f := streamtest.Start(t, function(t, "deadline"))
	deadline := time.Now().Add(7 * time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	if response, err := f.Invoke(ctx, []byte(`{}`)); err != nil || string(response) != fmt.Sprint(deadline.UnixMilli()) {
		t.Errorf("the function's deadline is %s, want %d: %v", response, deadline.UnixMilli(), err)
	}
}

func TestFunctionOutOfTime(t *testing.T) {
	f := streamtest.Start(t, function(t, "hangs"))
	pid := func() string {
		t.Helper()
		response, err := f.Invoke(t.Context(), []byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		return string(response)
	}
	first := pid()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := f.Invoke(ctx, []byte(`{"Hang":true}`))
	if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "Sandbox.Timedout: RequestId: 00000000-0000-4000-8000-000000000002 Error: Task timed out after 0.01 seconds" {
		t.Errorf("error %v", err)
	}
	second := pid()
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := f.Invoke(ctx, []byte(`{"Hang":true}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if third := pid(); first == second || second == third {
		t.Errorf("processes %s, %s and %s, want another after each that hung", first, second, third)
	}
}

// Events wait for their turn.
func TestFunctionInTurn(t *testing.T) {
	f := streamtest.Start(t, function(t, "hangs"))
	var wg sync.WaitGroup
	responses := make([]string, 8)
	for n := range responses {
		wg.Go(func() {
			response, err := f.Invoke(t.Context(), []byte(`{}`))
			responses[n] = fmt.Sprint(string(response), err)
		})
	}
	wg.Wait()
	if slices.Sort(responses); responses[0] != responses[7] || !strings.HasSuffix(responses[0], "<nil>") {
		t.Errorf("responses %q, want one process", responses)
	}
}

func TestFunctionThatDoesNotBegin(t *testing.T) {
	f := streamtest.Start(t, function(t, "no runtime"))
	for n := range 2 {
		want := fmt.Sprintf("Runtime.ExitError: RequestId: 00000000-0000-4000-8000-%012d Error: Runtime exited without providing a reason", n+1)
		if _, err := f.Invoke(t.Context(), nil); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if got := f.Output(); got != "hello\nhello\n" {
		t.Errorf("output %q, want that of two processes", got)
	}
	f.Stop()
	if _, err := f.Invoke(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "it is stopped") {
		t.Errorf("error %v", err)
	}
}

func TestFunctionAnswersTooMuch(t *testing.T) {
	f := streamtest.Start(t, function(t, "large"))
	if _, err := f.Invoke(t.Context(), []byte(`{}`)); err == nil || !strings.HasPrefix(err.Error(), "Function.ResponseSizeTooLarge: ") {
		t.Errorf("error %v", err)
	}
}

// The function has Lambda's environment, and none of the credentials of whoever runs the test.
func TestEnvironment(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION"} {
		t.Setenv(name, "secret")
	}
	t.Setenv("INHERITED", "yes")
	f := streamtest.Start(t, function(t, "environment", "TABLE=orders", "AWS_LAMBDA_FUNCTION_NAME=other", "TZ=Europe/Berlin"))
	response, err := f.Invoke(t.Context(), []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	env := decode[[]string](t, response)
	if i := slices.IndexFunc(env, func(s string) bool { return strings.HasSuffix(s, "=secret") }); i >= 0 {
		t.Errorf("the function has the test's %s", env[i])
	}
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	for _, want := range []string{
		"TABLE=orders", "INHERITED=yes", "TZ=Europe/Berlin", "_HANDLER=bootstrap", "AWS_ACCESS_KEY_ID=test", "AWS_REGION=us-east-1",
		"AWS_LAMBDA_FUNCTION_NAME=" + name, "AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("the environment %q has no %s", env, want)
		}
	}
}

// Lambda sends SIGTERM to processes that have asked for it, and to no others.
func TestStop(t *testing.T) {
	f := streamtest.Start(t, function(t, "unregistered"))
	f.Stop()
	if strings.Contains(f.Output(), "SIGTERM") {
		t.Errorf("output %q", f.Output())
	}
	if runtime.GOOS == "windows" {
		return // it has no SIGTERM
	}
	if got := failure(t, func(t testing.TB) { streamtest.Start(t, function(t.(*failing).T, "ends badly")).Stop() }); !strings.HasSuffix(got, "upon SIGTERM: exit status 4") {
		t.Errorf("failed with %q", got)
	}
	// It ends by itself after its panic, whenever that is, and not upon SIGTERM.
	f = streamtest.Start(t, function(t, "panics, extended"))
	if i := streamtest.Invoke(t, f, inserts("1")...); i.Err == nil {
		t.Errorf("%v", i)
	}
	f.Stop()
	f = streamtest.Start(t, function(t, "deaf"))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.StopWithin(over); err == nil || !strings.Contains(err.Error(), "still running after SIGTERM") {
		t.Errorf("error %v", err)
	}
}

// Nothing stays: not the process, nor what it has started, nor a goroutine.
func TestNothingIsLeft(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process there has no group")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	f := streamtest.Start(t, function(t, "parent", "DIAL="+listener.Addr().String()))
	child, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Close() }()
	if i := streamtest.Invoke(t, f, inserts("1")...); i.Err != nil {
		t.Fatal(i.Err)
	}
	f.Stop()
	if err := child.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n, err := child.Read(make([]byte, 1)); n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the function's child lives on: read %d, %v", n, err)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, frame := range []string{"streamtest.(*process)", "streamtest.(*runtimeAPI)", "net/http.(*Server).Serve("} {
		if strings.Contains(string(stacks), frame) {
			t.Errorf("%s runs still:\n%s", frame, stacks)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	over, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for want, do := range map[string]func(testing.TB){
		"executable file not found": func(t testing.TB) { streamtest.Start(t, exec.Command("no-such-program")) },
		"start nothing: ":           func(t testing.TB) { streamtest.Start(t, exec.Command(filepath.Join(t.TempDir(), "nothing"))) },
		"of its command, Start takes": func(t testing.TB) {
			cmd := function(t.(*failing).T, "orders")
			cmd.Stdout = io.Discard
			streamtest.Start(t, cmd)
		},
		"has not asked for an event (context deadline exceeded)": func(t testing.TB) {
			t.(*failing).ctx = over
			streamtest.Start(t, function(t.(*failing).T, "never asks"))
		},
		"build ./testdata/nothing: ": func(t testing.TB) { streamtest.Build(t, "./testdata/nothing") },
		"build ./testdata/orders: ":  func(t testing.TB) { streamtest.Build(t, "./testdata/orders") },
	} {
		if got := failure(t, do); !strings.Contains(got, want) {
			t.Errorf("failed with %q, want %q", got, want)
		}
	}
}

// The whole of a main: settings that it lacks, changes, its log, its end.
func TestBuild(t *testing.T) {
	cmd := streamtest.Build(t, "./testdata/ship")
	f := streamtest.Start(t, cmd)
	if i := streamtest.Invoke(t, f, inserts("1")...); i.Err == nil || i.Err.Error() != "Runtime.InitError: CARRIER is not set" {
		t.Errorf("%v", i)
	}
	if log := f.Log(); len(log) != 1 || log[0]["msg"] != "init failed" || log[0]["error"] != "CARRIER is not set" {
		t.Errorf("log %v", log)
	}
	cmd.Env = append(cmd.Environ(), "CARRIER=post")
	f = streamtest.Start(t, cmd) // a command starts as often as one likes
	f.Stop()
	f.Stop()
	log, err := json.Marshal(f.Log())
	if err != nil {
		t.Fatal(err)
	}
	if closed := strings.Contains(string(log), `"msg":"closed"`); closed != (runtime.GOOS != "windows") {
		t.Errorf("log %s", log)
	}
}
