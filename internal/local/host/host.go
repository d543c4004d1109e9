// Package host is the Lambda of the local stack: a registry of functions, and the processes that run their compiled code
// over the real Runtime API.
//
// A function runs as its own process, with the rights of whoever runs the stack: the host isolates nothing. Memory and
// /tmp are not limited to what the function's configuration says.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/clock"
)

// Options configure a Host.
type Options struct {
	// Account and Region are those of the functions' ARNs.
	Account, Region string
	// Clock times everything: timeouts, idle ends, log events. Nil means the machine's.
	Clock clock.Clock
	// Logs receives what the functions write. Nil drops it.
	Logs LogSink
	// Dir is the folder under which the host makes its own, for unpacked code; "" means the system's folder for
	// temporary files. [Host.Close] removes the host's folder, never Dir itself.
	Dir string
	// Endpoint is asked, when a process starts, for the stack's URL, which the process finds in AWS_ENDPOINT_URL; nil or
	// an empty answer leaves the variable out.
	Endpoint func() string
	// Credentials gives the credentials that a process of a function has, of the function's role; nil gives ones that are nobody's.
	Credentials func(Function) Credentials
	// MayStart says why no process of a function may start now, as an [*Error]; the invocation fails with it. Nil lets every one.
	MayStart func(Function) error
	// Ended is told of each invocation of a function that there is, on its goroutine. Nil drops it.
	Ended func(Ended)
	// MayLog says whether a function may write to a log stream now; what it may not is dropped. Nil allows every function.
	MayLog func(f Function, group, stream string) bool
	// Deliver sends what an asynchronous invocation ended with to its destination or dead-letter queue. Nil refuses every one.
	Deliver func(context.Context, Delivery) error
	// Logger is told what goes wrong where nobody waits for an answer. Nil tells nobody.
	Logger *slog.Logger
	// IdleTimeout is how long a process waits for its next invocation before it is ended; 0 means five minutes.
	IdleTimeout time.Duration
	// Concurrency is how many invocations may run at once over all functions; 0 means 1000, a new account's quota.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	Concurrency int
}

// Credentials are what a process signs its requests with.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// ErrClosed says that the host was closed before or during an invocation or the creation of a function.
var ErrClosed = errors.New("the Lambda host is closed")

// Host holds functions and runs them. It is safe for concurrent use.
type Host struct {
	opts   Options
	dir    string
	closed chan struct{} // closed by Close

	mu        sync.Mutex
	functions map[string]*family
	processes map[*process]struct{}
	layers    map[string]*layer
	layerCode map[string]*code // of a layer's version, by its ARN

	journal  Journal // nil keeps nothing
	packages Packages

	wg sync.WaitGroup // of processes and of packages that are being unpacked; added to under mu while the host is open
}

// New makes a host without functions and its folder.
func New(opts Options) (*Host, error) {
	if opts.Clock == nil {
		opts.Clock = clock.System()
	}
	if opts.Logs == nil {
		opts.Logs = discard{}
	}
	if opts.Credentials == nil {
		opts.Credentials = func(Function) Credentials { return Credentials{"test", "test", "test"} }
	}
	if opts.Deliver == nil {
		opts.Deliver = func(_ context.Context, d Delivery) error {
			return fmt.Errorf("nothing takes what is sent to %s", d.Destination)
		}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.IdleTimeout == 0 {
		opts.IdleTimeout = 5 * time.Minute
	}
	if opts.Concurrency == 0 {
		opts.Concurrency = 1000
	}
	withhold()
	dir, err := os.MkdirTemp(opts.Dir, "streamgen-functions-")
	if err != nil {
		return nil, fmt.Errorf("making the folder for functions' code: %w", err)
	}
	return &Host{
		opts: opts, dir: dir, closed: make(chan struct{}),
		functions: map[string]*family{}, processes: map[*process]struct{}{}, layers: map[string]*layer{}, layerCode: map[string]*code{},
	}, nil
}

// Close ends every process, among them those with an invocation in flight, waits until they are gone, and removes the
// host's folder. Calling it again does nothing.
func (h *Host) Close() error {
	h.mu.Lock()
	if h.isClosed() {
		h.mu.Unlock()
		return nil
	}
	close(h.closed)
	for p := range h.processes {
		go p.shutdown()
	}
	h.mu.Unlock()
	h.wg.Wait()
	if err := os.RemoveAll(h.dir); err != nil {
		return fmt.Errorf("removing functions' code: %w", err)
	}
	return nil
}

// isClosed is exact while h.mu is held.
func (h *Host) isClosed() bool {
	select {
	case <-h.closed:
		return true
	default:
		return false
	}
}

// enter counts an invocation in and gives the revision of the function that it runs on.
func (h *Host) enter(ref Ref) (*revision, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.isClosed() {
		return nil, ErrClosed
	}
	rev, err := h.find(ref)
	if err != nil {
		return nil, err
	}
	if err := h.throttled(rev.family); err != nil {
		return nil, err
	}
	rev = rev.family.route(ref.Qualifier)
	rev.family.running++
	rev.hold()
	return rev, nil
}

func (h *Host) leave(rev *revision) {
	rev.drop()
	h.mu.Lock()
	defer h.mu.Unlock()
	rev.family.running--
}

// Invoke runs a function once and gives its answer. ref is a name or ARN as [Host.Parse] takes them; payload is JSON.
//
// What goes wrong inside the function, its process or its package is a Result with FunctionError, as it is on AWS. An error
// means that the function was not run to an end: an [*Error] with code [ResourceNotFound] or [TooManyRequests], [ErrClosed],
// or ctx's error, whose end kills the process.
func (h *Host) Invoke(ctx context.Context, ref string, payload []byte) (Result, error) {
	return h.InvokeFor(ctx, ref, nil, payload)
}

// InvokeFor is [Host.Invoke] with what the caller says of himself, JSON or nil for nothing.
func (h *Host) InvokeFor(ctx context.Context, ref string, client, payload []byte) (Result, error) {
	r, err := h.Parse(ref)
	if err != nil {
		return Result{}, err
	}
	return h.invoke(ctx, r, request{id: uuid.NewString(), payload: payload, client: client})
}

// invoke runs a function once.
func (h *Host) invoke(ctx context.Context, r Ref, req request) (Result, error) {
	began := h.opts.Clock.Now()
	rev, err := h.enter(r)
	switch {
	case isThrottle(err):
		return h.told(ctx, h.ARN(r), began, Result{}, err)
	case err != nil:
		return Result{}, err
	}
	defer h.leave(rev)
	req.arn = h.ARN(r)
	result, err := rev.invoke(ctx, req)
	return h.told(ctx, req.arn, began, result, err)
}
