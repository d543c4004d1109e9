package semantics

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// functionCall is a call that a process makes of the Runtime API, by hand.
type functionCall struct {
	call   string // the method and the path, below /2018-06-01/runtime/ unless it begins with a slash
	body   string
	size   int // of a body of x, in place of body
	header map[string]string
	trail  map[string]string
	want   string // the status and the body of the answer
}

// functionScript is the environment of a process that makes calls, and ends with a status if exit is not nil.
func functionScript(t *testing.T, calls []functionCall, exit *int) map[string]string {
	t.Helper()
	type step struct {
		Method, Path string
		Body         string            `json:",omitempty"`
		Size         int               `json:",omitempty"`
		Header       map[string]string `json:",omitempty"`
		Trailer      map[string]string `json:",omitempty"`
		Exit         *int              `json:",omitempty"`
	}
	var steps []step
	for _, c := range calls {
		method, path, _ := strings.Cut(c.call, " ")
		steps = append(steps, step{Method: method, Path: path, Body: c.body, Size: c.size, Header: c.header, Trailer: c.trail})
	}
	if exit != nil {
		steps = append(steps, step{Exit: exit})
	}
	text, err := json.Marshal(steps)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"SCRIPT": string(text)}
}

// functionAnswer is what a call was answered.
type functionAnswer struct {
	Status int
	Body   string
	Header http.Header
}

// answers are what the calls of a script were answered, from the log.
func (s *functionStand) answers(t *testing.T) (all []functionAnswer) {
	t.Helper()
	for _, line := range s.takeLines() {
		var a functionAnswer
		if strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &a) == nil {
			all = append(all, a)
		}
	}
	return all
}

const (
	functionOK           = `202 {"status":"OK"}`
	functionWrongID      = `400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
	functionOutOfOrder   = `403 {"errorMessage":"State transition is not allowed","errorType":"InvalidStateTransition"}`
	functionTooLarge     = `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`
	functionLargest      = 6291556
	functionErrorOfATest = `{"errorType":"Own","errorMessage":"no","stackTrace":["a"]}`
)

// TestFunctionRuntimeAPI has a process make calls of the Runtime API by hand, in and out of order. The last one is always for the next
// event, which does not come.
func TestFunctionRuntimeAPI(t *testing.T) {
	s := newFunctionStand(t)
	s.create(nil)
	next := functionCall{call: "GET invocation/next", want: `200 {"a":1}`}
	done := functionCall{call: "POST invocation/{id}/response", body: `"done"`, want: functionOK}
	one := 1
	for _, row := range []struct {
		name    string
		calls   []functionCall
		exit    *int
		payload string
		failed  bool
	}{
		{"next gives the event", []functionCall{next, done}, nil, `"done"`, false},
		{"a response is accepted", []functionCall{next, done}, nil, `"done"`, false},
		{"a response of the wrong id", []functionCall{next, {call: "POST invocation/none/response", body: `1`, want: functionWrongID}, done}, nil, `"done"`, false},
		{"a response before the first event", []functionCall{{call: "POST invocation/{id}/response", body: `1`, want: functionWrongID}, next, done}, nil, `"done"`, false},
		{"a second response", []functionCall{next, done, {call: "POST invocation/{id}/response", body: `"again"`, want: functionOutOfOrder}}, nil, `"done"`, false},
		{"next before the response", []functionCall{next, {call: "GET invocation/next", want: functionOutOfOrder}, done}, nil, `"done"`, false},
		{"the largest response", []functionCall{next, {call: "POST invocation/{id}/response", size: functionLargest, want: functionOK}}, nil, strings.Repeat("x", functionLargest), false},
		{"a response that is too large", []functionCall{next, {call: "POST invocation/{id}/response", size: functionLargest + 1,
			want: `413 {"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`}}, nil, functionTooLarge, true},
		{"a response of any content type", []functionCall{next, {call: "POST invocation/{id}/response", body: `"done"`, header: map[string]string{"Content-Type": "application/octet-stream"}, want: functionOK}},
			nil, `"done"`, false},
		{"a response in chunks", []functionCall{next, {call: "POST invocation/{id}/response", body: `"done"`, trail: map[string]string{"X-Other": "1"}, want: functionOK}}, nil, `"done"`, false},
		{"a response that breaks off", []functionCall{next, {call: "POST invocation/{id}/response", body: `"do`, want: functionOK, trail: map[string]string{
			"Lambda-Runtime-Function-Error-Type": "Own", "Lambda-Runtime-Function-Error-Body": base64.StdEncoding.EncodeToString([]byte(functionErrorOfATest))}}},
			nil, functionErrorOfATest, true},
		{"an error is accepted", []functionCall{next, {call: "POST invocation/{id}/error", body: functionErrorOfATest, want: functionOK}}, nil, functionErrorOfATest, true},
		{"an error with its headers", []functionCall{next, {call: "POST invocation/{id}/error", body: functionErrorOfATest, want: functionOK, header: map[string]string{
			"Lambda-Runtime-Function-Error-Type": "Own", "Lambda-Runtime-Function-XRay-Error-Cause": `{"working_directory":"/","exceptions":[],"paths":[]}`}}},
			nil, functionErrorOfATest, true},
		{"an error of the wrong id", []functionCall{next, {call: "POST invocation/none/error", body: `{}`, want: functionWrongID}, done}, nil, `"done"`, false},
		{"an error after the response", []functionCall{next, done, {call: "POST invocation/{id}/error", body: `{}`, want: functionOutOfOrder}}, nil, `"done"`, false},
		{"an error of the initialization", []functionCall{{call: "POST init/error", body: functionErrorOfATest, want: functionOK}}, &one, functionErrorOfATest, true},
		{"a second error of the initialization", []functionCall{{call: "POST init/error", body: functionErrorOfATest, want: functionOK}, {call: "POST init/error", body: `{}`, want: functionOutOfOrder}},
			&one, functionErrorOfATest, true},
		{"an error of the initialization after the first event", []functionCall{next, {call: "POST init/error", body: `{}`, want: functionOutOfOrder}, done}, nil, `"done"`, false},
		{"an extension without events registers", []functionCall{
			{call: "POST /2020-01-01/extension/register", body: `{"events":[]}`, header: map[string]string{"Lambda-Extension-Name": "own"},
				want: `200 {"functionName":"worker","functionVersion":"$LATEST","handler":"some.handler"}`}, next, done}, nil, `"done"`, false},
		{"an extension that wants events", []functionCall{
			{call: "POST /2020-01-01/extension/register", body: `{"events":["INVOKE"]}`, header: map[string]string{"Lambda-Extension-Name": "own"},
				want: `403 {"errorMessage":"streamgen local does not emulate events for extensions","errorType":"Extension.InvalidEventType"}`}, next, done}, nil, `"done"`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			calls := row.calls
			if row.exit == nil {
				calls = append(slices.Clone(calls), functionCall{call: "GET invocation/next"})
			}
			s.environment(functionScript(t, calls, row.exit))
			s.takeLines()
			out := s.invoke(`{"a":1}`)
			if got := string(out.Payload); got != row.payload || (aws.ToString(out.FunctionError) == "Unhandled") != row.failed || out.StatusCode != 200 {
				t.Errorf("%d %s %.300s", out.StatusCode, aws.ToString(out.FunctionError), got)
			}
			var got, want []string
			for _, a := range s.answers(t) {
				got = append(got, fmt.Sprint(a.Status, " ", a.Body))
			}
			for _, c := range row.calls {
				want = append(want, c.want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the calls were answered (-want +got):\n%s", diff)
			}
		})
	}
}

// publishLive publishes the function as it is, and makes it what the alias live means.
func (s *functionStand) publishLive() {
	s.Helper()
	v, err := s.lambda.PublishVersion(s.Context(), &lambda.PublishVersionInput{FunctionName: aws.String(functionName)})
	s.must(err)
	_, err = s.lambda.CreateAlias(s.Context(), &lambda.CreateAliasInput{FunctionName: aws.String(functionName), Name: aws.String("live"), FunctionVersion: v.Version})
	s.must(err)
}

// TestFunctionNextHeaders is what comes with an event.
func TestFunctionNextHeaders(t *testing.T) {
	s := newFunctionStand(t)
	s.create(func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(7) })
	script := functionScript(t, []functionCall{{call: "GET invocation/next"}, {call: "POST invocation/{id}/response", body: "1"}, {call: "GET invocation/next"}}, nil)
	head := func(change func(*lambda.UpdateFunctionConfigurationInput), asked ...func(*lambda.InvokeInput)) (http.Header, *lambda.InvokeOutput) {
		t.Helper()
		s.environment(script)
		if change != nil {
			s.configure(change)
		}
		s.takeLines()
		out := s.invoke(`{}`, asked...)
		return s.answers(t)[0].Header, out
	}
	plain, out := head(nil)
	id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata)
	traced, _ := head(func(in *lambda.UpdateFunctionConfigurationInput) {
		in.TracingConfig = &lambdatypes.TracingConfig{Mode: lambdatypes.TracingModeActive}
	})
	about, _ := head(nil, func(in *lambda.InvokeInput) {
		in.ClientContext = aws.String(base64.StdEncoding.EncodeToString([]byte("{\"custom\": {\"a\":\n\"ä\"}}")))
	})
	s.publishLive()
	aliased, _ := head(nil, func(in *lambda.InvokeInput) { in.Qualifier = aws.String("live") })
	for _, row := range []struct {
		name   string
		of     http.Header
		header string
		want   string // a regular expression, "" for none
	}{
		{"Content-Type", plain, "Content-Type", `application/json`},
		{"Lambda-Runtime-Aws-Request-Id", plain, "Lambda-Runtime-Aws-Request-Id", regexp.QuoteMeta(id)},
		{"Lambda-Runtime-Aws-Request-Id is a UUID", plain, "Lambda-Runtime-Aws-Request-Id", `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`},
		{"Lambda-Runtime-Deadline-Ms", plain, "Lambda-Runtime-Deadline-Ms", fmt.Sprint(functionBegan.Add(7 * time.Second).UnixMilli())},
		{"Lambda-Runtime-Invoked-Function-Arn", plain, "Lambda-Runtime-Invoked-Function-Arn", functionOfARN},
		{"Lambda-Runtime-Invoked-Function-Arn with a qualifier", aliased, "Lambda-Runtime-Invoked-Function-Arn", functionOfARN + ":live"},
		{"Lambda-Runtime-Trace-Id", plain, "Lambda-Runtime-Trace-Id", fmt.Sprintf(`Root=1-%08x-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0`, functionBegan.Unix())},
		{"Lambda-Runtime-Trace-Id of active tracing", traced, "Lambda-Runtime-Trace-Id", `Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1`},
		{"Lambda-Runtime-Client-Context", about, "Lambda-Runtime-Client-Context", `\{"custom":\{"a":"ä"\}\}`},
		{"no Lambda-Runtime-Client-Context", plain, "Lambda-Runtime-Client-Context", ""},
		{"no Lambda-Runtime-Cognito-Identity", plain, "Lambda-Runtime-Cognito-Identity", ""},
		{"no Lambda-Runtime-Aws-Tenant-Id", plain, "Lambda-Runtime-Aws-Tenant-Id", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.of.Get(row.header); !regexp.MustCompile(`^(?:` + row.want + `)$`).MatchString(got) {
				t.Errorf("got %q, want %s", got, row.want)
			}
		})
	}
}

// functionDescription is what the function tells of itself.
type functionDescription struct {
	Env, Args      []string
	Dir            string
	PID            int
	RequestID, ARN string
	Trace          string
	DeadlineMS     int64
	ClientContext  struct{ Custom map[string]string }
}

func (s *functionStand) describe(change ...func(*lambda.InvokeInput)) (d functionDescription) {
	s.Helper()
	out := s.invoke(`{"Do":"describe"}`, change...)
	if err := json.Unmarshal(out.Payload, &d); err != nil || out.FunctionError != nil {
		s.Fatalf("%s: %v", out.Payload, err)
	}
	return d
}

// TestFunctionProcesses is what Lambda does with the processes of a function.
func TestFunctionProcesses(t *testing.T) {
	s := newFunctionStand(t)
	s.create(nil)
	for _, row := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"a process is used again", func(t *testing.T) {
			if first, second := s.describe().PID, s.describe().PID; first != second {
				t.Errorf("in %d, then in %d", first, second)
			}
		}},
		{"the first next ends the initialization", func(t *testing.T) {
			for _, want := range []bool{true, false} {
				out := s.invoke(`{}`)
				if log := functionTail(t, out); strings.Contains(log, "Init Duration:") != want {
					t.Errorf("want an Init Duration: %v, in\n%s", want, log)
				}
			}
		}},
		{"next waits without an end", func(t *testing.T) {
			first := s.describe().PID
			s.clock.AwaitSleeper(5 * time.Minute)
			s.clock.Advance(5*time.Minute - time.Second)
			if second := s.describe().PID; first != second {
				t.Errorf("in %d, then in %d", first, second)
			}
		}},
		{"one event at a time in a process", func(t *testing.T) {
			came, release := make(chan struct{}), make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				close(came)
				<-release
			}))
			defer server.Close()
			first := s.invoking(`{"Do":"visit","URL":"` + server.URL + `"}`)
			<-came
			second := s.describe().PID
			close(release)
			if out := <-first; string(out.Payload) == fmt.Sprint(second) || out.FunctionError != nil {
				t.Errorf("the first answers %s, and the second ran in %d", out.Payload, second)
			}
		}},
		{"a new configuration begins new processes", func(t *testing.T) {
			before := s.describe()
			s.environment(map[string]string{"OWN": "new"})
			after := s.describe()
			if before.PID == after.PID || slices.Contains(before.Env, "OWN=new") || !slices.Contains(after.Env, "OWN=new") {
				t.Errorf("in %d with %q, then in %d with %q", before.PID, before.Env, after.PID, after.Env)
			}
		}},
		{"an idle process ends", func(t *testing.T) {
			s.environment(map[string]string{"ENDS": "1"})
			first := s.describe().PID
			s.clock.AwaitSleeper(5 * time.Minute)
			s.clock.Advance(5 * time.Minute)
			s.awaitLine(t, "asked to end")
			if second := s.describe().PID; first == second {
				t.Errorf("both are in %d", first)
			}
		}},
		{"a process with an internal extension is sent SIGTERM", func(t *testing.T) {
			s.environment(map[string]string{"ENDS": "1"})
			s.invoke(`{}`)
			s.environment(nil)
			s.awaitLine(t, "asked to end")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.environment(nil) // a new configuration: no process is left
			s.takeLines()
			row.run(t)
		})
	}
}

// functionTail is the end of an invocation's log.
func functionTail(t *testing.T, out *lambda.InvokeOutput) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
