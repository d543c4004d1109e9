package host_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/host"
)

const account, region = "000000000000", "us-east-1"

var bootstrap []byte // the compiled testdata/bootstrap

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "bootstrap-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "bootstrap"), "./testdata/bootstrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("building the test function: %w\n%s", err, out)
	}
	if bootstrap, err = os.ReadFile(filepath.Join(dir, "bootstrap")); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// file is one entry of a package.
type file struct {
	name string
	mode fs.FileMode
	data []byte
}

func pack(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		head := &zip.FileHeader{Name: f.name, Method: zip.Store}
		head.SetMode(f.mode)
		w, err := z.CreateHeader(head)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// logs keeps log events and tells each as it comes.
type logs struct {
	mu      sync.Mutex
	lines   []string
	groups  map[string]bool
	streams map[string]bool
	came    chan string
}

func newLogs() *logs {
	return &logs{groups: map[string]bool{}, streams: map[string]bool{}, came: make(chan string, 1<<16)}
}

func (l *logs) Append(group, stream string, _ time.Time, message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, message)
	l.groups[group], l.streams[stream] = true, true
	l.came <- message
}

func (l *logs) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

func (l *logs) await(t *testing.T, line string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case got := <-l.came:
			if got == line {
				return
			}
		case <-timeout:
			t.Fatalf("no log line %q in %q", line, l.all())
		}
	}
}

type stack struct {
	*host.Host
	logs  *logs
	clock *clock.Manual // nil with the machine's
	dir   string
}

func start(t *testing.T, change func(*host.Options)) *stack {
	t.Helper()
	s := &stack{logs: newLogs(), dir: t.TempDir()}
	opts := host.Options{Account: account, Region: region, Logs: s.logs, Dir: s.dir}
	if change != nil {
		change(&opts)
	}
	var err error
	if s.Host, err = host.New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(s.dir); err != nil || len(left) > 0 {
			t.Errorf("the host left %v (%v)", left, err)
		}
	})
	return s
}

func startManual(t *testing.T, change func(*host.Options)) *stack {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC))
	s := start(t, func(o *host.Options) {
		o.Clock = c
		if change != nil {
			change(o)
		}
	})
	s.clock = c
	return s
}

func config(mode string) host.Config {
	return host.Config{
		Name: "fn", Role: "arn:aws:iam::000000000000:role/r", Runtime: "provided.al2023", Handler: "bootstrap", Architecture: "arm64",
		Timeout: 3 * time.Second, MemorySize: 128, Environment: map[string]string{"MODE": mode},
	}
}

func (s *stack) create(t *testing.T, c host.Config) host.Function {
	t.Helper()
	f, err := s.Create(c, nil, pack(t, file{"bootstrap", 0o755, bootstrap}))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (s *stack) invoke(t *testing.T, payload string) host.Result {
	t.Helper()
	r, err := s.Invoke(t.Context(), "fn", []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var reportLine = regexp.MustCompile(`^REPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t` +
	`(Max Memory Used: \d+ MB\t)?(Init Duration: \d+\.\d\d ms\t)?(Status: (error|timeout)\t)?(Error Type: \S+\t)?$`)

var goLogTime = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d`)

// shape replaces what differs from run to run.
func shape(lines []string, id string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		switch {
		case reportLine.MatchString(line):
			line = "REPORT"
			if m := regexp.MustCompile(`Status: .*`).FindString(lines[i]); m != "" {
				line += " " + strings.TrimSuffix(m, "\t")
			}
		default:
			line = goLogTime.ReplaceAllString(strings.ReplaceAll(line, id, "ID"), "TIME")
		}
		out[i] = line
	}
	return out
}

func TestInvocation(t *testing.T) {
	exit := func(reason string) string {
		return `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: ` + reason + `"}`
	}
	const failed = "REPORT Status: error"
	tests := []struct {
		mode, payload string
		want          string // the answer's payload; a prefix when it ends in …
		failed        bool
		logs          []string // between START and END/REPORT; nil: not looked at
		report        string
	}{
		{"ok", `{"a":1}`, `{"a":1}`, false, []string{`handling {"a":1}`}, "REPORT"},
		{"error", `1`, `{"errorMessage":"no luck","errorType":"errorString"}`, true, []string{`TIME {"errorMessage":"no luck","errorType":"errorString"}`}, failed},
		{"panic", `1`, `{"errorMessage":"at the disco","errorType":"string","stackTrace":[…`, true, nil, failed},
		{"exit", `0`, exit("Runtime exited without providing a reason"), true, []string{"leaving", "RequestId: ID Error: Runtime exited without providing a reason", "Runtime.ExitError"}, failed + "\tError Type: Runtime.ExitError"},
		{"exit", `127`, exit("Runtime exited with error: exit status 127"), true, []string{"leaving", "RequestId: ID Error: Runtime exited with error: exit status 127", "Runtime.ExitError"}, failed + "\tError Type: Runtime.ExitError"},
		{"size", strconv.Itoa(host.MaxResponse), `"xxx…`, false, nil, "REPORT"},
		{"size", strconv.Itoa(host.MaxResponse + 1), `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`, true, nil, failed + "\tError Type: Function.ResponseSizeTooLarge"},
		{"init-exit", `1`, exit("Runtime exited with error: exit status 3"), true, nil, failed + "\tError Type: Runtime.ExitError"},
		{"init-error", `1`, `{"errorType":"Config","errorMessage":"no table"}`, true, nil, failed},
		{"raw", `1`, `"done"`, false, nil, "REPORT"},
	}
	for _, test := range tests {
		t.Run(test.mode+" "+test.payload, func(t *testing.T) {
			s := start(t, nil)
			s.create(t, config(test.mode))
			r := s.invoke(t, test.payload)
			got := strings.ReplaceAll(string(r.Payload), r.RequestID, "ID")
			want, cut := strings.CutSuffix(test.want, "…")
			if cut && !strings.HasPrefix(got, want) || !cut && got != want {
				t.Errorf("payload %.200s, want %s", got, test.want)
			}
			if (r.FunctionError == "Unhandled") != test.failed || !test.failed && r.FunctionError != "" {
				t.Errorf("FunctionError %q", r.FunctionError)
			}
			lines := shape(s.logs.all(), r.RequestID)
			if !slices.Contains(lines, "START RequestId: ID Version: $LATEST") {
				t.Errorf("no START in %q", lines)
			}
			if diff := cmp.Diff([]string{"END RequestId: ID", test.report}, lines[len(lines)-2:]); diff != "" {
				t.Errorf("last lines (-want +got):\n%s", diff)
			}
			if test.logs != nil {
				if diff := cmp.Diff(test.logs, lines[1:len(lines)-2]); diff != "" {
					t.Errorf("lines (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestRuntimeAPIRefusals(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("raw"))
	r := s.invoke(t, `1`)
	want := []string{
		`post 400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`,
		`START RequestId: ID Version: $LATEST`,
		`next 403 {"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}`,
		`post 400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`,
		`post 400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`,
		`post 403 {"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}`,
		`browser 403 true`,
		`browser 403 true`,
		`post 202 {"status":"OK"}`,
		`post 403 {"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}`,
		`post 403 {"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}`,
		`END RequestId: ID`,
		`REPORT`,
	}
	if diff := cmp.Diff(want, shape(s.logs.all(), r.RequestID)); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestProcessSeesOnlyItsOwnEnvironment(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("STREAMGEN_SECRET", "x")
	s := startManual(t, func(o *host.Options) { o.Endpoint = func() string { return "http://127.0.0.1:4566" } })
	c := config("describe")
	c.Environment["TABLE"] = "orders"
	c.LogGroup = "/own/group"
	s.create(t, c)
	r, err := s.Invoke(t.Context(), "arn:aws:lambda:us-east-1:000000000000:function:fn:$LATEST", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Env                 []string
		Cwd, RequestID, ARN string
		Deadline            int64
	}
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, pair := range got.Env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	root, stream, trace := env["LAMBDA_TASK_ROOT"], env["AWS_LAMBDA_LOG_STREAM_NAME"], env["_X_AMZN_TRACE_ID"]
	want := map[string]string{
		"MODE": "describe", "TABLE": "orders", "_HANDLER": "bootstrap", "AWS_LAMBDA_FUNCTION_NAME": "fn", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_GROUP_NAME": "/own/group", "AWS_LAMBDA_LOG_STREAM_NAME": stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_RUNTIME_API": env["AWS_LAMBDA_RUNTIME_API"], "AWS_REGION": region,
		"AWS_DEFAULT_REGION": region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "test",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "LAMBDA_TASK_ROOT": root, "LAMBDA_RUNTIME_DIR": "/var/runtime", "TZ": ":UTC",
		"LANG": "en_US.UTF-8", "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH":          "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + root + ":" + root + "/lib:/opt/lib",
		"AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR", "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000", "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
		"_AWS_XRAY_DAEMON_PORT": "2000", "_X_AMZN_TRACE_ID": trace,
	}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if !filepath.IsAbs(root) || got.Cwd != root || !strings.HasPrefix(root, s.dir) {
		t.Errorf("cwd %s, task root %s, want the same below %s", got.Cwd, root, s.dir)
	}
	if !regexp.MustCompile(`^2026/11/23/\[\$LATEST\][0-9a-f]{32}$`).MatchString(stream) || !s.logs.streams[stream] || !s.logs.groups["/own/group"] {
		t.Errorf("log stream %q, logged to %v %v", stream, s.logs.groups, s.logs.streams)
	}
	if !regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`).MatchString(trace) {
		t.Errorf("trace %q", trace)
	}
	if want := s.clock.Now().Add(3 * time.Second).UnixMilli(); got.Deadline != want {
		t.Errorf("deadline %d, want %d", got.Deadline, want)
	}
	if got.RequestID != r.RequestID || got.ARN != "arn:aws:lambda:us-east-1:000000000000:function:fn:$LATEST" {
		t.Errorf("request %s, ARN %s", got.RequestID, got.ARN)
	}
}

func TestTimeoutKillsTheProcess(t *testing.T) {
	for _, mode := range []string{"sleep", "deaf"} {
		t.Run(mode, func(t *testing.T) {
			s := startManual(t, nil)
			s.create(t, config(mode))
			result := make(chan host.Result, 1)
			go func() { result <- s.invoke(t, `1`) }()
			s.logs.await(t, map[string]string{"sleep": "sleeping", "deaf": "deaf"}[mode])
			s.clock.Advance(3 * time.Second)
			r := <-result
			want := fmt.Sprintf(`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: %s Error: Task timed out after 3.00 seconds"}`, r.RequestID)
			if string(r.Payload) != want || r.FunctionError != "Unhandled" {
				t.Errorf("got %s %s", r.FunctionError, r.Payload)
			}
			lines := shape(s.logs.all(), r.RequestID)
			wantLines := []string{"2026-11-23T04:05:09.000Z ID Task timed out after 3.00 seconds", "END RequestId: ID", "REPORT Status: timeout"}
			if diff := cmp.Diff(wantLines, lines[len(lines)-3:]); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInitIsTriedAgainWithinTheFunctionsTimeout(t *testing.T) {
	s := startManual(t, nil)
	s.create(t, config("init-hang"))
	result := make(chan host.Result, 1)
	go func() { result <- s.invoke(t, `1`) }()
	s.logs.await(t, "hanging")
	s.clock.Advance(10 * time.Second)
	s.logs.await(t, "hanging")
	s.clock.Advance(3 * time.Second)
	if r := <-result; !strings.Contains(string(r.Payload), "Sandbox.Timedout") {
		t.Errorf("got %s", r.Payload)
	}
}

func TestProcessesAreReusedAndEnded(t *testing.T) {
	s := startManual(t, func(o *host.Options) { o.IdleTimeout = time.Minute })
	s.create(t, config("pid"))
	first := pid(t, s.invoke(t, `1`))
	if second := pid(t, s.invoke(t, `1`)); second != first {
		t.Errorf("the second invocation ran in %d, not in %d", second, first)
	}
	s.clock.AwaitSleepers(1)
	s.clock.Advance(time.Minute)
	awaitEnd(t, first)
	if third := pid(t, s.invoke(t, `1`)); third == first {
		t.Error("the idle process was not ended")
	}
}

func TestProcessThatDiedIdleIsReplaced(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("pid"))
	first := pid(t, s.invoke(t, `1`))
	p, err := os.FindProcess(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, first)
	// Its death may be noticed only by the invocation that was given to it.
	r := s.invoke(t, `1`)
	if strings.Contains(string(r.Payload), "Runtime.ExitError") {
		r = s.invoke(t, `1`)
	}
	if second := pid(t, r); second == first {
		t.Error("the same process again")
	}
}

// TestIdleProcessThatAsksNoMore has a process that lives on but takes no invocation.
func TestIdleProcessThatAsksNoMore(t *testing.T) {
	s := start(t, nil)
	c := config("quitter")
	c.Timeout = time.Second
	s.create(t, c)
	s.invoke(t, `1`)
	s.logs.await(t, "gone")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := s.Invoke(ctx, "fn", []byte(`2`))
	if err != nil || !strings.Contains(string(r.Payload), "Task timed out after 1.00 seconds") {
		t.Errorf("got %s %v", r.Payload, err)
	}
	if lines := shape(s.logs.all(), r.RequestID); lines[len(lines)-1] != "REPORT Status: timeout" {
		t.Errorf("log %q", lines)
	}
	if r := s.invoke(t, `3`); string(r.Payload) != `"done"` {
		t.Errorf("got %s of the process after it", r.Payload)
	}
}

func TestProcessIsNotReusedAfterAPanic(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("panic"))
	for range 2 {
		if r := s.invoke(t, `1`); !strings.Contains(string(r.Payload), "at the disco") {
			t.Errorf("got %s", r.Payload)
		}
	}
	if n := len(s.logs.streams); n != 2 {
		t.Errorf("%d log streams, want one per process", n)
	}
}

func TestConcurrentInvocationsHaveTheirOwnProcesses(t *testing.T) {
	s := start(t, func(o *host.Options) { o.Concurrency = 2 })
	c := config("meet")
	c.Timeout = 20 * time.Second
	c.Environment["MEETING"] = filepath.Join(t.TempDir(), "meeting")
	s.create(t, c)
	pids := make(chan int, 2)
	for range 2 {
		go func() { pids <- pid(t, s.invoke(t, `1`)) }()
	}
	if a, b := <-pids, <-pids; a == b {
		t.Errorf("both ran in %d", a)
	}
}

func TestThrottle(t *testing.T) {
	s := startManual(t, func(o *host.Options) { o.Concurrency = 1 })
	s.create(t, config("sleep"))
	go s.Invoke(t.Context(), "fn", []byte(`1`)) //nolint:errcheck // Close ends it
	s.logs.await(t, "sleeping")
	_, err := s.Invoke(t.Context(), "fn", []byte(`1`))
	var e *host.Error
	if !errors.As(err, &e) || e.Code != host.TooManyRequests || e.Reason != "ConcurrentInvocationLimitExceeded" {
		t.Errorf("got %v", err)
	}
}

func TestUpdateReplacesProcesses(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("pid"))
	first := pid(t, s.invoke(t, `1`))
	ref := host.Ref{Name: "fn"}
	f, err := s.UpdateConfiguration(ref, "", func(c *host.Config) error { c.Environment["MODE"] = "ok"; return nil })
	if err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, first)
	if r := s.invoke(t, `{"new":true}`); string(r.Payload) != `{"new":true}` {
		t.Errorf("got %s", r.Payload)
	}
	if _, err := s.UpdateCode(ref, "stale", "", pack(t)); !hasCode(err, host.PreconditionFailed) {
		t.Errorf("stale revision: %v", err)
	}
	g, err := s.UpdateCode(ref, f.RevisionID, "x86_64", pack(t, file{"readme", 0o644, nil}))
	if err != nil {
		t.Fatal(err)
	}
	if g.CodeSHA256 == f.CodeSHA256 || g.RevisionID == f.RevisionID || g.Architecture != "x86_64" {
		t.Errorf("got %+v after %+v", g, f)
	}
	if r := s.invoke(t, `1`); !strings.Contains(string(r.Payload), "Runtime.InvalidEntrypoint") {
		t.Errorf("got %s", r.Payload)
	}
	awaitOneFolder(t, filepath.Join(s.dir, "*"))
}

// awaitOneFolder waits for code that no process needs any more to go.
func awaitOneFolder(t *testing.T, dir string) {
	t.Helper()
	var dirs []string
	for range 2000 {
		dirs, _ = filepath.Glob(filepath.Join(dir, "*"))
		if len(dirs) == 1 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("code folders %v, want the present one alone", dirs)
}

func TestInFlightInvocationOutlivesDelete(t *testing.T) {
	s := start(t, nil)
	c := config("meet")
	c.Timeout = 20 * time.Second
	c.Environment["MEETING"] = filepath.Join(t.TempDir(), "meeting")
	s.create(t, c)
	done := make(chan int)
	go func() { done <- pid(t, s.invoke(t, `1`)) }()
	s.logs.awaitPrefix(t, "START")
	if err := s.Delete(host.Ref{Name: "fn"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Invoke(t.Context(), "fn", nil); !hasCode(err, host.ResourceNotFound) {
		t.Errorf("deleted function: %v", err)
	}
	if err := os.WriteFile(c.Environment["MEETING"], []byte("1\n2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, <-done)
}

func TestCloseLeavesNoProcess(t *testing.T) {
	s := start(t, nil)
	c := config("child")
	s.create(t, c)
	child := pid(t, s.invoke(t, `1`))
	c.Name, c.Environment = "busy", map[string]string{"MODE": "sleep"}
	s.create(t, c)
	failed := make(chan error)
	go func() {
		_, err := s.Invoke(context.Background(), "busy", []byte(`1`))
		failed <- err
	}()
	s.logs.await(t, "sleeping")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, child)
	if err := <-failed; !errors.Is(err, host.ErrClosed) {
		t.Errorf("invocation in flight: %v", err)
	}
	if _, err := s.Invoke(t.Context(), "fn", nil); !errors.Is(err, host.ErrClosed) {
		t.Errorf("invocation after Close: %v", err)
	}
}

// TestCloseWhileUnpacking closes a host that is about to have a function; [start] sees whether a folder is left.
func TestCloseWhileUnpacking(t *testing.T) {
	s := start(t, nil)
	var files []file
	for i := range 2000 {
		files = append(files, file{fmt.Sprintf("d%d/f%d", i%50, i), 0o644, []byte("x")})
	}
	pkg := pack(t, files...)
	created := make(chan error)
	go func() {
		_, err := s.Create(config("ok"), nil, pkg)
		created <- err
	}()
	for folders := []string(nil); len(folders) == 0; time.Sleep(time.Millisecond) {
		folders, _ = filepath.Glob(filepath.Join(s.dir, "*", "*", "*"))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-created; !errors.Is(err, host.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Create(config("ok"), nil, pkg); !errors.Is(err, host.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestExtensionIsAskedToEnd(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("sigterm"))
	s.invoke(t, `1`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.logs.all(), "terminating") {
		t.Errorf("no SIGTERM: %q", s.logs.all())
	}
}

// TestExtensionThatDoesNotEndIsKilled, also where the clock stands.
func TestExtensionThatDoesNotEndIsKilled(t *testing.T) {
	s := startManual(t, nil)
	c := config("sigterm")
	c.Environment["STAYS"] = "1"
	s.create(t, c)
	s.invoke(t, `1`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.logs.all(), "terminating") {
		t.Errorf("no SIGTERM: %q", s.logs.all())
	}
}

func TestCanceledInvocationKillsTheProcess(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("sleep"))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := s.Invoke(ctx, "fn", []byte(`1`))
		failed <- err
	}()
	s.logs.await(t, "sleeping")
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLogIsWholeAndInOrder(t *testing.T) {
	s := start(t, nil)
	s.create(t, config("flood"))
	r := s.invoke(t, `1`)
	var want []string
	want = append(want, "START RequestId: ID Version: $LATEST")
	for i := range 5000 {
		want = append(want, fmt.Sprint("line ", i))
	}
	want = append(want, "no newlinehandling 1", "END RequestId: ID", "REPORT")
	if diff := cmp.Diff(want, shape(s.logs.all(), r.RequestID)); diff != "" {
		t.Errorf("log (-want +got):\n%.2000s", diff)
	}
	if !strings.HasSuffix(r.LogTail, "ms\t\n") || len(r.LogTail) != 4<<10 || strings.Contains(r.LogTail, "START") {
		t.Errorf("tail of %d bytes: %q", len(r.LogTail), r.LogTail)
	}
	if r := s.invoke(t, `1`); !strings.Contains(r.LogTail, "END RequestId: "+r.RequestID) {
		t.Errorf("second tail %q", r.LogTail)
	}
}

func pid(t *testing.T, r host.Result) int {
	t.Helper()
	n, err := strconv.Atoi(string(r.Payload))
	if err != nil {
		t.Errorf("no process id: %s", r.Payload)
	}
	return n
}

func hasCode(err error, code string) bool {
	var e *host.Error
	return errors.As(err, &e) && e.Code == code
}

func (l *logs) awaitPrefix(t *testing.T, prefix string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case got := <-l.came:
			if strings.HasPrefix(got, prefix) {
				return
			}
		case <-timeout:
			t.Fatalf("no log line %q…", prefix)
		}
	}
}
