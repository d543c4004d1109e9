package local

import (
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"streamgen/internal/local/wire"
)

// serve answers one request that the guard let through.
func (s *Stack) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, adminPath) {
		s.admin(w, r)
		return
	}
	d := s.route(r)
	answer := &answer{ResponseWriter: w, settle: func() error { return s.settle(r.Context()) }}
	if s.told() {
		defer s.tell(answer, d, s.tablesOf(r, &d), time.Now())
	}
	defer answerUnsettled(answer, d)
	if d.err != nil {
		d.fail(answer, d.err)
		return
	}
	defer s.answerPanic(answer, d)
	if denial, err := s.authorize(r, &d); err != nil {
		if denial != nil {
			answer.missing = denial.Missing
			s.tellDenial(*denial)
		}
		d.fail(answer, err)
		return
	}
	r = r.WithContext(wire.WithCaller(r.Context(), d.caller))
	if !s.faults.any() {
		d.handler.ServeHTTP(answer, r)
		return
	}
	s.serveFaulty(answer, r, d)
}

// answerPanic makes a front end's panic an error of its protocol. It is a 400 as every other: see [wire.NotEmulated].
func (s *Stack) answerPanic(w *answer, d destination) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so, too
		panic(cause)
	}
	s.opts.Logger.Error("panic", "service", d.caller.Service, "operation", d.operation, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer is out: the connection must end
	}
	d.fail(w, wire.Errorf("InternalFailure", "streamgen local failed in %s.%s: %v; run it with a request log to see where", d.caller.Service, d.operation, cause))
}

// answerUnsettled says why an answer was not let out. The request may have done something that the stack will not remember.
func answerUnsettled(w *answer, d destination) {
	if w.unsettled == nil {
		return
	}
	err := wire.Errorf("InternalFailure", "streamgen local: %v", w.unsettled)
	clear(w.Header())
	w.unsettled, w.settle = nil, func() error { return nil }
	d.fail(w, err)
}

// answer notes the status of what is written through it, and lets nothing out before what it acknowledges, or tells of, is settled.
type answer struct {
	http.ResponseWriter
	settle    func() error
	status    int
	code      string // of the error that was written
	missing   string // the statement for want of which it was denied
	unsettled error  // why nothing of what was written is let out
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		if a.unsettled == nil {
			a.unsettled = a.settle()
		}
		if a.unsettled != nil {
			return
		}
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.status == 0 { // it is unsettled
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// NoteError implements [wire.ErrorNoter].
func (a *answer) NoteError(code string) { a.code = code }

// Unwrap serves [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// health says who answers here. The id names one life of the stack: what another life made is not in this one.
func (s *Stack) health(*http.Request) (any, error) {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		version = info.Main.Version
	}
	regions := s.regionNames()
	if regions == nil {
		regions = []string{}
	}
	return struct {
		Status  string   `json:"status"`
		ID      string   `json:"id"`
		Version string   `json:"version"`
		Account string   `json:"account"`
		Regions []string `json:"regions"`
	}{"ok", s.id, version, Account, regions}, nil
}
