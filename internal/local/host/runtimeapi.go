package host

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/peer"
)

// MaxResponse is the largest answer of a function, in bytes.
const MaxResponse = 6<<20 + 100

// state is where a process stands in the Runtime API's cycle.
type state int

const (
	starting state = iota // before the first call for the next invocation
	broken                // it told that it cannot start; it should end
	waiting               // a call for the next invocation waits, or may come
	busy                  // an invocation is out, unanswered
	answered              // it is answered; it ends with the next call for one
)

// invocation is one event on its way through a process.
type invocation struct {
	request
	traceID  string
	deadline time.Time
	// begin is called when the process takes the invocation, before it sees the payload.
	begin    func()
	answer   chan answer   // of one
	finished chan struct{} // closed when the process asks for the next one
}

// answer is what a process posted for an invocation.
type answer struct {
	payload  []byte
	failed   bool // the process called it an error
	tooLarge bool
}

// runtimeAPI is the Runtime API for one process, on an address of its own.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	function Function
	user     int // who runs the host, and so the process
	listener net.Listener
	server   *http.Server

	ready     chan struct{}    // closed by the first call for the next invocation
	initError chan []byte      // of one; the body of /runtime/init/error
	work      chan *invocation // taken by a call for the next invocation
	closed    chan struct{}

	mu        sync.Mutex
	state     state
	current   *invocation
	extension bool // an extension is registered, so the process is asked to end before it is killed
}

func serveRuntimeAPI(f Function) (*runtimeAPI, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the runtime of %s: %w", f.Name, err)
	}
	a := &runtimeAPI{
		function: f, user: os.Geteuid(), listener: listener,
		ready: make(chan struct{}), initError: make(chan []byte, 1), work: make(chan *invocation), closed: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initFailure)
	mux.HandleFunc("POST /2020-01-01/extension/register", a.register)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", a.extensionNext)
	a.server = &http.Server{Handler: a.only(mux), ReadHeaderTimeout: 30 * time.Second, ConnContext: peer.Note}
	go a.server.Serve(listener) //nolint:errcheck // it ends when close says so
	return a, nil
}

func (a *runtimeAPI) addr() string { return a.listener.Addr().String() }

func (a *runtimeAPI) close() {
	close(a.closed)
	_ = a.server.Close()
}

// only keeps out the other users of the machine, and web pages that reach for the port through a browser: an image's address is asked for
// without an Origin.
// https://www.w3.org/TR/fetch-metadata/
func (a *runtimeAPI) only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, stranger := peer.Stranger(r.Context(), a.user)
		page := len(r.Header.Values("Origin")) > 0 || len(r.Header.Values("Sec-Fetch-Site")) > 0
		if stranger || page || r.Host != a.addr() {
			refuse(w, http.StatusForbidden, "Forbidden", "this is the Runtime API of one process")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// next gives the process its next invocation, however long that takes.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	if !a.await() {
		refuseState(w)
		return
	}
	var inv *invocation
	select {
	case inv = <-a.work:
	case <-r.Context().Done():
		return
	case <-a.closed:
		return
	}
	a.mu.Lock()
	a.state, a.current = busy, inv
	a.mu.Unlock()
	inv.begin()

	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	header.Set("Lambda-Runtime-Trace-Id", inv.traceID)
	if inv.client != nil {
		header.Set("Lambda-Runtime-Client-Context", string(inv.client))
	}
	_, _ = w.Write(inv.payload) // a process that is gone is seen by its end
}

// await ends the invocation that was answered, if any. It is false when one is still out.
func (a *runtimeAPI) await() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch a.state {
	case busy, broken:
		return false
	case starting:
		close(a.ready)
	case answered:
		close(a.current.finished)
		a.current = nil
	}
	a.state = waiting
	return true
}

// response takes what the function gave, and whether it broke off while it gave it.
func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.take(w, r, func(body []byte) answer {
		if r.Trailer.Get("Lambda-Runtime-Function-Error-Type") == "" {
			return answer{payload: body}
		}
		if cause, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err == nil {
			body = cause
		}
		return answer{payload: body, failed: true}
	})
}

func (a *runtimeAPI) failure(w http.ResponseWriter, r *http.Request) {
	a.take(w, r, func(body []byte) answer { return answer{payload: body, failed: true} })
}

// take hands a posted answer to who waits for it.
func (a *runtimeAPI) take(w http.ResponseWriter, r *http.Request, parse func(body []byte) answer) {
	if !a.check(w, r) {
		return
	}
	body, err := read(r)
	var ans answer
	switch {
	case errors.Is(err, errTooLarge):
		ans.tooLarge = true
	case err != nil:
		refuse(w, http.StatusBadRequest, "InvalidRequestFormat", err.Error())
		return
	default:
		ans = parse(body)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.allowed(w, r) {
		return
	}
	a.state = answered
	a.current.answer <- ans
	if ans.tooLarge {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", tooLargeMessage)
		return
	}
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// check refuses a post for any invocation but the one that is out.
func (a *runtimeAPI) check(w http.ResponseWriter, r *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.allowed(w, r)
}

func (a *runtimeAPI) allowed(w http.ResponseWriter, r *http.Request) bool {
	if a.current == nil || r.PathValue("id") != a.current.id {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return false
	}
	if a.state != busy {
		refuseState(w)
		return false
	}
	return true
}

func (a *runtimeAPI) initFailure(w http.ResponseWriter, r *http.Request) {
	body, err := read(r)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", err.Error())
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state != starting {
		refuseState(w)
		return
	}
	a.state = broken
	a.initError <- body // has room for one
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// register takes an extension inside the process that wants no events; aws-lambda-go registers one to be sent SIGTERM.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func (a *runtimeAPI) register(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Events []string `json:"events"`
	}
	body, err := read(r)
	if err != nil || json.Unmarshal(body, &in) != nil || r.Header.Get("Lambda-Extension-Name") == "" {
		refuse(w, http.StatusBadRequest, "InvalidRequestFormat", "an extension registers with its name and a list of events")
		return
	}
	if len(in.Events) > 0 {
		refuse(w, http.StatusForbidden, "Extension.InvalidEventType", "streamgen local does not emulate events for extensions")
		return
	}
	a.mu.Lock()
	a.extension = true
	a.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", uuid.NewString())
	reply(w, http.StatusOK, map[string]string{
		"functionName": a.function.Name, "functionVersion": a.function.Version, "handler": a.function.Handler,
	})
}

func (a *runtimeAPI) hasExtension() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.extension
}

// extensionNext never answers: no extension here has events to wait for.
func (a *runtimeAPI) extensionNext(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-a.closed:
	}
}

var errTooLarge = errors.New(tooLargeMessage)

// read gives a posted body; one over [MaxResponse] is errTooLarge.
func read(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxResponse+1))
	if err == nil && len(body) > MaxResponse {
		err = errTooLarge
	}
	return body, err
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
