package semantics

import (
	"debug/elf"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"streamgen/internal/local/conformance/bootstrap"
)

// functionText is a JSON string of so many bytes.
func functionText(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }

// TestFunctionInvoke is what goes into an invocation and what comes out of one that succeeds, or that is refused before it runs.
func TestFunctionInvoke(t *testing.T) {
	s := newFunctionStand(t)
	s.create(nil)
	s.publishLive()
	named := func(name string) func(*lambda.InvokeInput) {
		return func(in *lambda.InvokeInput) { in.FunctionName = &name }
	}
	typed := func(kind lambdatypes.InvocationType) func(*lambda.InvokeInput) {
		return func(in *lambda.InvokeInput) { in.InvocationType = kind }
	}
	qualified := func(qualifier string) func(*lambda.InvokeInput) {
		return func(in *lambda.InvokeInput) { in.Qualifier = &qualifier }
	}
	for _, row := range []struct {
		name    string
		payload string
		change  func(*lambda.InvokeInput)
		status  int32
		version string
		answer  string
	}{
		{"RequestResponse", `{}`, typed("RequestResponse"), 200, "$LATEST", `"did nothing"`},
		{"no type", `{}`, func(*lambda.InvokeInput) {}, 200, "$LATEST", `"did nothing"`},
		{"no payload", ``, func(*lambda.InvokeInput) {}, 200, "$LATEST", `"did nothing"`},
		{"Event", `{}`, typed("Event"), 202, "", ""},
		{"DryRun", `{}`, typed("DryRun"), 204, "", ""},
		{"the name", `{}`, named(functionName), 200, "$LATEST", `"did nothing"`},
		{"the partial ARN", `{}`, named("000000000000:function:" + functionName), 200, "$LATEST", `"did nothing"`},
		{"the ARN", `{}`, named(functionOfARN), 200, "$LATEST", `"did nothing"`},
		{"a qualifier in the name", `{}`, named(functionName + ":live"), 200, "1", `"did nothing"`},
		{"a qualifier in the ARN", `{}`, named(functionOfARN + ":1"), 200, "1", `"did nothing"`},
		{"a qualifier beside the name", `{}`, qualified("live"), 200, "1", `"did nothing"`},
		{"$LATEST", `{}`, qualified("$LATEST"), 200, "$LATEST", `"did nothing"`},
		{"a payload of 6 MB", `{"Text":` + functionText(6<<20-len(`{"Text":}`)) + `}`, func(*lambda.InvokeInput) {}, 200, "$LATEST", `"did nothing"`},
		{"an answer of 6 MB", `{"Do":"size","Code":6291556}`, func(*lambda.InvokeInput) {}, 200, "$LATEST", functionText(functionLargest)},
		{"an event of 1 MB", `{"Text":` + functionText(1<<20-len(`{"Text":}`)) + `}`, typed("Event"), 202, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			out := s.invoke(row.payload, row.change)
			if out.StatusCode != row.status || aws.ToString(out.ExecutedVersion) != row.version || string(out.Payload) != row.answer || out.FunctionError != nil {
				t.Errorf("got %d %q %.100s %q, want %d %q %.100s", out.StatusCode, aws.ToString(out.ExecutedVersion), out.Payload, aws.ToString(out.FunctionError),
					row.status, row.version, row.answer)
			}
		})
	}
	for _, row := range []struct {
		name    string
		payload string
		change  func(*lambda.InvokeInput)
		status  int
		code    string
		message string
	}{
		{"an unknown function", `{}`, named("gone"), 404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:gone"},
		{"an unknown qualifier", `{}`, qualified("dead"), 404, "ResourceNotFoundException", "Function not found: " + functionOfARN + ":dead"},
		{"an unknown function, dry", `{}`, func(in *lambda.InvokeInput) { typed("DryRun")(in); named("gone")(in) }, 404, "ResourceNotFoundException", "Function not found:"},
		{"an unknown function, as an event", `{}`, func(in *lambda.InvokeInput) { typed("Event")(in); named("gone")(in) }, 404, "ResourceNotFoundException", "Function not found:"},
		{"two qualifiers", `{}`, func(in *lambda.InvokeInput) { named(functionName + ":live")(in); qualified("1")(in) }, 400, "InvalidParameterValueException", "The derived qualifier"},
		{"a payload that is no JSON", `{`, func(*lambda.InvokeInput) {}, 400, "InvalidRequestContentException", "Could not parse request body into json"},
		{"a payload above 6 MB", functionText(6<<20 + 1), func(*lambda.InvokeInput) {}, 413, "RequestTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation"},
		{"an event above 1 MB", functionText(1<<20 + 1), typed("Event"), 413, "RequestTooLargeException", "Request must be smaller than 1048576 bytes for the InvokeFunction operation"},
		{"an unknown type", `{}`, typed("Later"), 400, "ValidationException", "Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"},
		{"an unknown log type", `{}`, func(in *lambda.InvokeInput) { in.LogType = "All" }, 400, "ValidationException", "Value 'All' at 'logType' failed to satisfy constraint: Member must satisfy enum value set: [None, Tail]"},
		{"a client context that is no JSON", `{}`, func(in *lambda.InvokeInput) { in.ClientContext = aws.String("x") }, 400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."},
		{"a client context above 3583 bytes", `{}`, func(in *lambda.InvokeInput) { in.ClientContext = aws.String(strings.Repeat("x", 3584)) }, 400, "ValidationException", "less than or equal to 3583"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := s.try(row.payload, row.change)
			s.refused(t, err, row.status, row.code, row.message)
		})
	}
	t.Run("the type of an error", func(t *testing.T) {
		_, err := s.try(`{}`, named("gone"))
		var gone *lambdatypes.ResourceNotFoundException
		if !errors.As(err, &gone) || aws.ToString(gone.Type) != "User" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the client context", func(t *testing.T) {
		d := s.describe(func(in *lambda.InvokeInput) {
			in.ClientContext = aws.String(base64.StdEncoding.EncodeToString([]byte(`{"custom":{"a":"b"}}`)))
		})
		if d.ClientContext.Custom["a"] != "b" {
			t.Errorf("got %v", d.ClientContext)
		}
	})
	t.Run("the request id", func(t *testing.T) {
		out := s.invoke(`{"Do":"describe"}`)
		id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
		if id == "" || !strings.Contains(string(out.Payload), `"RequestID":"`+id+`"`) || !strings.Contains(functionTail(t, out), "START RequestId: "+id) {
			t.Errorf("%q is not in %s", id, out.Payload)
		}
	})
	t.Run("no log without LogType Tail", func(t *testing.T) {
		if out := s.invoke(`{}`, func(in *lambda.InvokeInput) { in.LogType = "" }); out.LogResult != nil {
			t.Errorf("got %s", functionTail(t, out))
		}
	})
	t.Run("the last 4 KB of the log", func(t *testing.T) {
		lines := strings.Repeat(`"`+strings.Repeat("x", 99)+`",`, 100)
		tail := functionTail(t, s.invoke(`{"Lines":[`+strings.TrimSuffix(lines, ",")+`]}`))
		if len(tail) != 4096 || strings.Contains(tail, "START") || !strings.Contains(tail, strings.Repeat("x", 99)+"\nEND RequestId: ") {
			t.Errorf("%d bytes: %s", len(tail), tail)
		}
	})
	t.Run("the log of this invocation alone", func(t *testing.T) {
		s.invoke(`{"Lines":["one"]}`)
		if tail := functionTail(t, s.invoke(`{"Lines":["two"]}`)); strings.Contains(tail, "one") || !strings.Contains(tail, "two\n") {
			t.Errorf("it is %s", tail)
		}
	})
}

// functionExit is how Lambda reports a process that ended.
func functionExit(reason string) string {
	return `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: ` + reason + `"}`
}

// functionWithID gives what an invocation answered, with ID in place of its request's.
func functionWithID(out *lambda.InvokeOutput, text string) string {
	id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
	return strings.ReplaceAll(text, id, "ID")
}

// TestFunctionFailures is what the caller gets of an invocation that failed: always status 200 and Unhandled. Each row says too whether the
// next invocation is in a new process.
func TestFunctionFailures(t *testing.T) {
	s := newFunctionStand(t)
	s.create(func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) })
	exit := func(code int) map[string]string { return functionScript(t, nil, &code) }
	other := make([]byte, 64)
	copy(other, "\x7fELF\x02\x01\x01") // the head of a program of 64 bits, little-endian, and nothing behind it
	other[16], other[18], other[20], other[52] = byte(elf.ET_EXEC), byte(elf.EM_RISCV), byte(elf.EV_CURRENT), 64
	for _, row := range []struct {
		name        string
		environment map[string]string
		file        *bootstrap.File // the package; nil is the function of the tests
		payload     string
		beside      func() // what happens while it runs
		want        string // with … at its end, how it begins
		cold        bool   // the next one is
		skip        bool
	}{
		{name: "an error of the handler", payload: `{"Do":"fail","Text":"no luck"}`, want: `{"errorMessage":"no luck","errorType":"errorString"}`},
		{name: "a panic", payload: `{"Do":"panic","Text":"at the disco"}`, want: `{"errorMessage":"at the disco","errorType":"string","stackTrace":[…`, cold: true},
		{name: "a timeout", payload: `{"Do":"hang"}`, beside: func() {
			s.awaitLine(t, "hanging")
			s.clock.Advance(time.Second)
		}, want: `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.00 seconds"}`, cold: true},
		{name: "an exit with a status", payload: `{"Do":"exit","Code":127}`, want: functionExit("Runtime exited with error: exit status 127"), cold: true},
		{name: "an exit without one", payload: `{"Do":"exit"}`, want: functionExit("Runtime exited without providing a reason"), cold: true},
		{name: "a signal", payload: `{"Do":"die"}`, want: functionExit("Runtime exited with error: signal: killed"), cold: true, skip: runtime.GOOS == "windows"},
		{name: "an answer that is too large", payload: `{"Do":"size","Code":6291557}`, want: functionTooLarge, cold: true},
		{name: "an exit of the initialization", environment: exit(3), payload: `{}`, want: functionExit("Runtime exited with error: exit status 3")},
		{name: "an exit of the initialization without a status", environment: exit(0), payload: `{}`, want: functionExit("Runtime exited without providing a reason")},
		{name: "an error of the initialization", environment: functionScript(t, []functionCall{{call: "POST init/error", body: functionErrorOfATest}}, aws.Int(1)), payload: `{}`,
			want: functionErrorOfATest},
		{name: "no bootstrap", file: &bootstrap.File{Name: "main", Mode: 0o755, Data: []byte("#!/bin/sh\n")}, payload: `{}`,
			want: `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ID Error: the package has no bootstrap at its top"}`},
		{name: "a bootstrap that is not executable", file: &bootstrap.File{Name: "bootstrap", Mode: 0o644, Data: []byte("#!/bin/sh\n")}, payload: `{}`,
			want: `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ID Error: bootstrap is not an executable file (…`,
			skip: runtime.GOOS == "windows"},
		{name: "a bootstrap of another architecture", file: &bootstrap.File{Name: "bootstrap", Mode: 0o755, Data: other}, payload: `{}`, skip: runtime.GOOS != "linux",
			want: `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ID Error: bootstrap is built for EM_RISCV, but this machine is ` + runtime.GOARCH +
				`: build the package for this machine"}`},
		{name: "a bootstrap that is no program", file: &bootstrap.File{Name: "bootstrap", Mode: 0o755, Data: []byte("text")}, payload: `{}`,
			want: `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: ID Error: bootstrap is no executable: it is neither ELF, Mach-O, PE nor a script"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.skip {
				t.Skip("not on " + runtime.GOOS)
			}
			if row.file != nil {
				code, err := bootstrap.Pack(*row.file)
				s.must(err)
				_, err = s.lambda.UpdateFunctionCode(t.Context(), &lambda.UpdateFunctionCodeInput{FunctionName: aws.String(functionName), ZipFile: code})
				s.must(err)
			}
			s.environment(row.environment)
			s.takeLines()
			done := s.invoking(row.payload)
			if row.beside != nil {
				row.beside()
			}
			out := <-done
			got := functionWithID(out, string(out.Payload))
			want, begins := strings.CutSuffix(row.want, "…")
			asWanted := got == want || begins && strings.HasPrefix(got, want)
			if !asWanted || out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" || aws.ToString(out.ExecutedVersion) != "$LATEST" {
				t.Errorf("got %d %s %s, want %s", out.StatusCode, aws.ToString(out.FunctionError), got, row.want)
			}
			if row.file != nil || row.environment != nil {
				return
			}
			if cold := strings.Contains(functionTail(t, s.invoke(`{}`)), "Init Duration:"); cold != row.cold {
				t.Errorf("the next one is cold: %v", cold)
			}
		})
	}
}

// TestFunctionThrottles: what is not run as too many others run.
func TestFunctionThrottles(t *testing.T) {
	s := newFunctionStand(t)
	s.create(nil)
	reserve := func(n int32) {
		t.Helper()
		_, err := s.lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: aws.String(functionName), ReservedConcurrentExecutions: &n})
		s.must(err)
	}
	throttled := func(t *testing.T, err error) {
		t.Helper()
		s.refused(t, err, 429, "TooManyRequestsException", "Rate Exceeded.")
		var too *lambdatypes.TooManyRequestsException
		if errors.As(err, &too) && (too.Reason != lambdatypes.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded || aws.ToString(too.Type) != "User") {
			t.Errorf("the reason is %s, the type %s", too.Reason, aws.ToString(too.Type))
		}
	}
	for _, row := range []struct {
		name     string
		reserved int32
		busy     int
		want     bool
	}{
		{"a reserved concurrency of 0", 0, 0, true},
		{"a reserved concurrency that is free", 1, 0, false},
		{"a reserved concurrency that is used up", 1, 1, true},
		{"a reserved concurrency of which one is left", 2, 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			reserve(row.reserved)
			came, release := make(chan struct{}), make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				came <- struct{}{}
				<-release
			}))
			defer server.Close()
			var busy []<-chan *lambda.InvokeOutput
			for range row.busy {
				busy = append(busy, s.invoking(`{"Do":"visit","URL":"`+server.URL+`"}`))
				<-came
			}
			_, err := s.try(`{}`)
			close(release)
			for _, done := range busy {
				<-done
			}
			if row.want {
				throttled(t, err)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("an event is taken all the same", func(t *testing.T) {
		reserve(0)
		if out := s.invoke(`{}`, func(in *lambda.InvokeInput) { in.InvocationType = lambdatypes.InvocationTypeEvent }); out.StatusCode != 202 {
			t.Errorf("got %d", out.StatusCode)
		}
	})
}

// TestFunctionInitialization is the limit of the time in which a process must ask for its first event, and what follows.
func TestFunctionInitialization(t *testing.T) {
	sleeps := map[string]string{"SCRIPT": `[{"Print":"it started"}]`} // and asks for nothing
	s := newFunctionStand(t)
	s.create(nil)
	broken := map[string]string{"SCRIPT": `[{"Method":"POST","Path":"init/error","Body":` + strconv.Quote(functionErrorOfATest) + `},{"Print":"it started"}]`}
	for _, row := range []struct {
		name        string
		environment map[string]string
		waits       []time.Duration
		want        string
	}{
		{"10 s, and then within the function's timeout", sleeps, []time.Duration{10 * time.Second, 7 * time.Second},
			`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 7.00 seconds"}`},
		{"an error whose process does not end", broken, []time.Duration{10 * time.Second}, functionErrorOfATest},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
				in.Timeout = aws.Int32(7)
				in.Environment = &lambdatypes.Environment{Variables: row.environment}
			})
			done := s.invoking(`{}`)
			for _, wait := range row.waits {
				s.awaitLine(t, "it started")
				s.takeLines()
				s.clock.AwaitSleeper(wait)
				s.clock.Advance(wait)
			}
			out := <-done
			if got := functionWithID(out, string(out.Payload)); got != row.want || aws.ToString(out.FunctionError) != "Unhandled" {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
	t.Run("it is not of the timeout", func(t *testing.T) {
		came := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			s.clock.Advance(9 * time.Second)
			close(came)
		}))
		defer server.Close()
		s.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
			in.Timeout = aws.Int32(2)
			in.Environment = &lambdatypes.Environment{Variables: map[string]string{"VISIT": server.URL}}
		})
		began := s.clock.Now()
		d := s.describe()
		<-came
		if want := began.Add(11 * time.Second).UnixMilli(); d.DeadlineMS != want {
			t.Errorf("the deadline is %d, want %d", d.DeadlineMS, want)
		}
	})
}

// TestFunctionLogLines is what Lambda itself logs of an invocation.
func TestFunctionLogLines(t *testing.T) {
	s := newFunctionStand(t)
	s.create(func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(2) })
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.clock.Advance(1234500 * time.Microsecond) }))
	defer server.Close()
	memory := ""
	if runtime.GOOS == "linux" {
		memory = `Max Memory Used: \d+ MB\t`
	}
	const start, end = `START RequestId: ID Version: \$LATEST`, `END RequestId: ID`
	byLibrary := `\d{4}/\d\d/\d\d \d\d:\d\d:\d\d .*` // what the Lambda library writes of an error
	report := func(duration, billed, rest string) string {
		return `REPORT RequestId: ID\tDuration: ` + duration + ` ms\tBilled Duration: ` + billed + ` ms\tMemory Size: 128 MB\t` + memory + rest
	}
	for _, row := range []struct {
		name    string
		payload string
		beside  func()
		want    []string // regular expressions
	}{
		{"a first invocation", `{}`, nil, []string{start, end, report(`0\.00`, "1", `Init Duration: 0\.00 ms\t`)}},
		{"a later one", `{}`, nil, []string{start, end, report(`0\.00`, "0", "")}},
		{"its duration", `{"Do":"visit","URL":"` + server.URL + `"}`, nil, []string{start, end, report(`1234\.50`, "1235", "")}},
		{"what it writes", `{"Lines":["one","two"]}`, nil, []string{start, "one", "two", end, report(`0\.00`, "0", "")}},
		{"an error", `{"Do":"fail","Text":"no"}`, nil, []string{start, byLibrary, end, report(`0\.00`, "0", `Status: error\t`)}},
		{"an answer that is too large", `{"Do":"size","Code":6291557}`, nil, []string{start, byLibrary, `Response payload size exceeded maximum allowed payload size \(6291556 bytes\)\.`,
			`Function\.ResponseSizeTooLarge`, end, report(`0\.00`, "0", `Status: error\tError Type: Function\.ResponseSizeTooLarge\t`)}},
		{"a timeout", `{"Do":"hang"}`, func() {
			s.awaitLine(t, "hanging")
			s.clock.Advance(2 * time.Second)
		}, []string{start, "hanging", `2026-11-23T04:05:09\.234Z ID Task timed out after 2\.00 seconds`, end, report(`2000\.00`, "2001", `Init Duration: 0\.00 ms\tStatus: timeout\t`)}},
		{"an exit", `{"Do":"exit","Code":1}`, nil, []string{start, `RequestId: ID Error: Runtime exited with error: exit status 1`, `Runtime\.ExitError`, end,
			report(`0\.00`, "1", `Init Duration: 0\.00 ms\tStatus: error\tError Type: Runtime\.ExitError\t`)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.takeLines()
			done := s.invoking(row.payload)
			if row.beside != nil {
				row.beside()
			}
			out := <-done
			lines := s.takeLines()
			whole := functionWithID(out, strings.Join(lines, "\n"))
			if !regexp.MustCompile("^" + strings.Join(row.want, "\n") + "$").MatchString(whole) {
				t.Errorf("got\n%s\nwant\n%s", whole, strings.Join(row.want, "\n"))
			}
			if tail := functionTail(t, out); strings.TrimSuffix(tail, "\n") != strings.Join(lines, "\n") {
				t.Errorf("the end of the log is\n%s\nof\n%s", tail, strings.Join(lines, "\n"))
			}
		})
	}
	for _, row := range []struct {
		name, payload string
		system        lambdatypes.SystemLogLevel
		want          []string // the types of the platform's events
		status        string
	}{
		{"JSON", `{}`, "", []string{"platform.start", "platform.report"}, "success"},
		{"JSON at DEBUG", `{}`, lambdatypes.SystemLogLevelDebug, []string{"platform.start", "platform.runtimeDone", "platform.report"}, "success"},
		{"JSON at WARN", `{}`, lambdatypes.SystemLogLevelWarn, nil, ""},
		{"JSON of an error at WARN", `{"Do":"fail","Text":"no"}`, lambdatypes.SystemLogLevelWarn, []string{"platform.runtimeDone", "platform.report"}, "error"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.configure(func(in *lambda.UpdateFunctionConfigurationInput) {
				in.LoggingConfig = &lambdatypes.LoggingConfig{LogFormat: lambdatypes.LogFormatJson, SystemLogLevel: row.system}
			})
			s.takeLines()
			out := s.invoke(row.payload)
			id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
			var got []string
			for _, line := range s.takeLines() {
				if regexp.MustCompile("^" + byLibrary + "$").MatchString(line) {
					continue
				}
				var e struct {
					Time, Type string
					Record     struct{ RequestID, Version, Status string }
				}
				if err := json.Unmarshal([]byte(line), &e); err != nil || e.Record.RequestID != id || e.Time != "2026-11-23T04:05:09.234Z" {
					t.Errorf("%s: %v", line, err)
				}
				if want := map[bool]string{true: row.status}[e.Type != "platform.start"]; e.Record.Status != want {
					t.Errorf("the status of %s is %q, want %q", e.Type, e.Record.Status, want)
				}
				got = append(got, e.Type)
			}
			if fmt.Sprint(got) != fmt.Sprint(row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
