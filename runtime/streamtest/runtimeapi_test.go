package streamtest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What Lambda answers a process, and what it takes a process's word for.
func TestRuntimeAPI(t *testing.T) {
	api, err := serveRuntimeAPI("arn")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	t.Cleanup(api.close)
	call := func(method, path, body string, header http.Header) (int, string, http.Header) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+api.listener.Addr().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range header {
			r.Header[name] = values
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, strings.TrimSpace(string(text)), response.Header
	}
	post := func(path, body string, wantStatus int, want string) {
		t.Helper()
		if status, got, _ := call(http.MethodPost, path, body, nil); status != wantStatus || !strings.Contains(got, want) {
			t.Errorf("POST %s: %d %s, want %d %s", path, status, got, wantStatus, want)
		}
	}
	next := func() *invocation {
		i := &invocation{id: requestID(7), number: 7, payload: []byte(`{"Records":[]}`), deadline: time.UnixMilli(1767225600123), answer: make(chan posted, 1)}
		go func() {
			select {
			case api.work <- i:
			case <-api.closed:
			}
		}()
		return i
	}
	const invocationPath, runtimePath = "/2018-06-01/runtime/invocation/", "/2018-06-01/runtime/"

	post(invocationPath+"x/response", "{}", http.StatusBadRequest, `"errorType":"InvalidRequestID"`)
	post(runtimePath+"init/error", `{"errorType":"E","errorMessage":"no"}`, http.StatusAccepted, `{"status":"OK"}`)
	post(runtimePath+"init/error", `{}`, http.StatusForbidden, `"errorType":"InvalidStateTransition"`)
	if err := api.initError(); err == nil || err.Error() != "E: no" {
		t.Errorf("init error %v", err)
	}

	for status, header := range map[int]http.Header{http.StatusOK: {"Lambda-Extension-Name": {"x"}}, http.StatusBadRequest: nil} {
		if got, _, _ := call(http.MethodPost, "/2020-01-01/extension/register", `{"events":null}`, header); got != status {
			t.Errorf("register: %d, want %d", got, status)
		}
	}
	if got, text, _ := call(http.MethodPost, "/2020-01-01/extension/register", `{"events":["INVOKE"]}`, http.Header{"Lambda-Extension-Name": {"x"}}); got != http.StatusForbidden {
		t.Errorf("register for events: %d %s", got, text)
	}

	for _, c := range []struct {
		path, body string
		status     int
		answer     string // the response, or the error after "!"
	}{
		{"response", `{"a":1}`, http.StatusAccepted, `{"a":1}`},
		{"error", `{"errorType":"E","errorMessage":"down"}`, http.StatusAccepted, "!E: down"},
		{"error", `{"errorMessage":"down"}`, http.StatusAccepted, "!down"},
		{"error", `down`, http.StatusAccepted, "!down"},
		{"response", strings.Repeat("x", maxResponse), http.StatusAccepted, strings.Repeat("x", maxResponse)},
		{"response", strings.Repeat("x", maxResponse+1), http.StatusRequestEntityTooLarge, "!Function.ResponseSizeTooLarge: " + tooLarge},
	} {
		i := next()
		status, payload, header := call(http.MethodGet, invocationPath+"next", "", nil)
		if status != http.StatusOK || payload != string(i.payload) || header.Get("Content-Type") != "application/json" ||
			header.Get("Lambda-Runtime-Aws-Request-Id") != i.id || header.Get("Lambda-Runtime-Deadline-Ms") != "1767225600123" ||
			header.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn" ||
			header.Get("Lambda-Runtime-Trace-Id") != "Root=1-00000000-000000000000000000000007;Parent=0000000000000007;Sampled=0" {
			t.Errorf("next: %d %s %v", status, payload, header)
		}
		if status, _, _ := call(http.MethodGet, invocationPath+"next", "", nil); status != http.StatusForbidden {
			t.Errorf("next while an invocation is out: %d", status)
		}
		post(runtimePath+"init/error", `{}`, http.StatusForbidden, "InvalidStateTransition")
		post(invocationPath+"other/response", "{}", http.StatusBadRequest, "InvalidRequestID")
		post(invocationPath+i.id+"/"+c.path, c.body, c.status, "")
		a := <-i.answer
		got := string(a.response)
		if a.err != nil {
			got = "!" + a.err.Error()
		}
		if got != c.answer {
			t.Errorf("%s %.40s: %.40s, want %.40s", c.path, c.body, got, c.answer)
		}
		post(invocationPath+i.id+"/response", "{}", http.StatusForbidden, "InvalidStateTransition")
	}
}

// A function that streams its response may fail on the way, and says so after it.
func TestResponseThatBreaksOff(t *testing.T) {
	api, err := serveRuntimeAPI("arn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.close)
	i := &invocation{id: "1", answer: make(chan posted, 1)}
	api.stage, api.current = busy, i
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+api.listener.Addr().String()+"/2018-06-01/runtime/invocation/1/response", io.MultiReader(strings.NewReader("half")))
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{
		"Lambda-Runtime-Function-Error-Type": {"E"},
		"Lambda-Runtime-Function-Error-Body": {"eyJlcnJvclR5cGUiOiJFIiwiZXJyb3JNZXNzYWdlIjoiZG93biJ9"}, // {"errorType":"E","errorMessage":"down"}
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if a := <-i.answer; a.err == nil || a.err.Error() != "E: down" {
		t.Errorf("%+v", a)
	}
}
