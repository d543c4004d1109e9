package streamtest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// invocation is one event on its way through a process.
type invocation struct {
	id       string
	number   int
	payload  []byte
	deadline time.Time
	answer   chan posted // of one
}

// posted is what a process answered.
type posted struct {
	response []byte
	err      error
}

// stage is where a process stands in the Runtime API's cycle.
type stage int

const (
	starting stage = iota // before it asks for its first invocation
	idle                  // it asks for an invocation, or has answered the one before
	busy                  // an invocation is out
)

// runtimeAPI is Lambda's side of one process.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	function string // its ARN
	listener net.Listener
	server   http.Server
	ready    chan struct{}    // closed when the process asks for its first invocation
	work     chan *invocation // taken when it asks for one
	asking   chan struct{}    // has something whenever it asks for one
	closed   chan struct{}
	serving  sync.WaitGroup // the server and its connections

	mu       sync.Mutex
	stage    stage
	current  *invocation
	initErr  error // what the process posted instead of asking for an invocation
	extended bool  // an extension is registered, so that the process gets SIGTERM
}

func serveRuntimeAPI(function string) (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the function's process: %w", err)
	}
	a := &runtimeAPI{
		function: function, listener: listener,
		ready: make(chan struct{}), work: make(chan *invocation), asking: make(chan struct{}), closed: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initFailure)
	mux.HandleFunc("POST /2020-01-01/extension/register", a.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", a.extensionNext)
	a.server.Handler = mux
	a.server.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			a.serving.Add(1)
		case http.StateClosed:
			a.serving.Done()
		}
	}
	a.serving.Go(func() { _ = a.server.Serve(listener) }) // it ends when close says so
	return a, nil
}

// close ends the server and waits for all that it runs.
func (a *runtimeAPI) close() {
	close(a.closed)
	_ = a.server.Close() // the listener is not needed any more
	a.serving.Wait()
}

// next gives the process its next invocation, however long that takes.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	switch a.stage {
	case busy:
		a.mu.Unlock()
		refuseState(w)
		return
	case starting:
		close(a.ready)
		a.stage = idle
	}
	a.mu.Unlock()
	for {
		select {
		case i := <-a.work:
			a.give(w, i)
			return
		case a.asking <- struct{}{}:
		case <-r.Context().Done():
			return
		case <-a.closed:
			panic(http.ErrAbortHandler)
		}
	}
}

func (a *runtimeAPI) give(w http.ResponseWriter, i *invocation) {
	a.mu.Lock()
	a.stage, a.current = busy, i
	a.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", i.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(i.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", a.function)
	header.Set("Lambda-Runtime-Trace-Id", fmt.Sprintf("Root=1-00000000-%024x;Parent=%016x;Sampled=0", i.number, i.number))
	_, _ = w.Write(i.payload) // a process that is gone is seen by its end
}

// response takes what the function gave, and whether it broke off while it gave it.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.take(w, r, func(body []byte) posted {
		if r.Trailer.Get("Lambda-Runtime-Function-Error-Type") == "" {
			return posted{response: body}
		}
		cause, _ := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		return posted{err: functionError(cause)}
	})
}

func (a *runtimeAPI) failure(w http.ResponseWriter, r *http.Request) {
	a.take(w, r, func(body []byte) posted { return posted{err: functionError(body)} })
}

// take hands what was posted to who waits for it.
func (a *runtimeAPI) take(w http.ResponseWriter, r *http.Request, parse func(body []byte) posted) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.current == nil || r.PathValue("id") != a.current.id:
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	case a.stage != busy:
		refuseState(w)
	case len(body) > maxResponse:
		a.stage = idle
		a.current.answer <- posted{err: &lambdaError{kind: "Function.ResponseSizeTooLarge", message: tooLarge}}
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", tooLarge)
	default:
		a.stage = idle
		a.current.answer <- parse(body)
		reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
	}
}

// maxResponse is the largest response of a function, in bytes.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxResponse = 6<<20 + 100
	tooLarge    = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
)

func (a *runtimeAPI) initFailure(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stage != starting || a.initErr != nil {
		refuseState(w)
		return
	}
	a.initErr = functionError(body)
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// register takes an extension inside of the process that wants no events; aws-lambda-go registers one to get SIGTERM.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func (a *runtimeAPI) register(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Events []string `json:"events"`
	}
	switch err := json.NewDecoder(r.Body).Decode(&in); {
	case err != nil || r.Header.Get("Lambda-Extension-Name") == "":
		refuse(w, http.StatusBadRequest, "InvalidRequestFormat", "an extension registers with its name and a list of events")
		return
	case len(in.Events) > 0:
		refuse(w, http.StatusForbidden, "Extension.InvalidEventType", "streamtest has no events for extensions")
		return
	}
	a.mu.Lock()
	a.extended = true
	a.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", requestID(0))
	reply(w, http.StatusOK, map[string]string{"functionVersion": "$LATEST"})
}

// extensionNext never answers: no extension here has events to wait for.
func (a *runtimeAPI) extensionNext(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-a.closed:
		panic(http.ErrAbortHandler)
	}
}

// initError gives what the process posted instead of asking for an invocation, if it did.
func (a *runtimeAPI) initError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.initErr
}

func (a *runtimeAPI) hasExtension() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.extended
}

// functionError is the error that a process posted.
func functionError(body []byte) error {
	var e struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(body, &e); err != nil || e.ErrorMessage == "" {
		return errors.New(string(body))
	}
	if e.ErrorType == "" {
		return errors.New(e.ErrorMessage)
	}
	return &lambdaError{kind: e.ErrorType, message: e.ErrorMessage}
}

func reply(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a process that is gone is seen by its end
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	reply(w, status, map[string]string{"errorType": errorType, "errorMessage": message})
}

func refuseState(w http.ResponseWriter) {
	refuse(w, http.StatusForbidden, "InvalidStateTransition", "State transition is not allowed")
}
