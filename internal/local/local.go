// Package local is the local stack: DynamoDB and its Streams, Lambda with the real handler processes, event source
// mappings, and as much of IAM, STS and CloudWatch Logs as they need, served over AWS's own protocols on a loopback
// address. Everything is in memory and gone after [Stack.Close], unless it has a data folder.
//
// It is a library too: a test starts a stack in-process in milliseconds.
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/api/s3"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/durable"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/objects"
	"streamgen/internal/local/peer"
	"streamgen/internal/local/wire"
)

// Account is the one account of the stack, whatever the caller's credentials say.
const Account = "000000000000"

// Options configure a stack. The zero value is the stack that `gen local` runs.
type Options struct {
	// Listen is the loopback address and port to serve; "" means 127.0.0.1:4566 and port 0 takes a free one. An address
	// that others than this machine can reach is refused.
	Listen string
	// Region is that of requests that no signature gives one; "" means us-east-1.
	Region string
	// Clock is the time of the stack; nil means the machine's, until the admin API sets it ahead.
	Clock clock.Clock
	// Logger is told each request, at level Info, and what goes wrong where nobody waits for an answer, above it; nil tells nobody.
	Logger *slog.Logger
	// Logs is called with each event that comes into a log group, on its writer's goroutine: it must not block. nil drops
	// them; the log groups have them all the same.
	Logs func(LogEvent)
	// DataDir is the folder in which everything outlives the process: what was acknowledged is there after it ended, however it ended.
	// One stack at a time may have it open. "" keeps everything in memory. Events of log groups are always in memory alone.
	DataDir string
	// RetryPause is how long a mapping waits before it delivers a failed batch again, at first; it doubles up to a minute. 0 means 500 ms.
	RetryPause time.Duration
	// Requests is called with each request of an AWS API that was answered, on its own goroutine. nil tells nobody.
	Requests func(Request)
	// Events is called with each event, on the goroutine of whoever does it: it must not block. nil tells nobody; GET /_streamgen/events
	// streams them all the same.
	Events func(Event)
	// AnyUser serves every user of this machine. Functions run with the rights of whoever started the stack, so that this gives these
	// rights to all of them. Otherwise requests of other users than that one and root are refused, where the system tells users apart: on Linux.
	AnyUser bool
	// IgnorePolicies lets every role do everything: its policies are kept and nobody asks them.
	IgnorePolicies bool
	// Denied is called with each thing that a role was not allowed, on its own goroutine. nil tells nobody.
	Denied func(Denial)
	// Dir is the folder under which functions' code is unpacked; "" means a folder in DataDir, or the system's for temporary files.
	// [Stack.Close] leaves nothing there.
	Dir string
}

// LogEvent is a log line of a handler, or of whoever wrote to a log group.
type LogEvent struct {
	Time                  time.Time
	Region, Group, Stream string
	Message               string // without the line's end
}

// Stack is a running local stack.
type Stack struct {
	opts     Options
	id       string
	user     int // who runs the stack
	listener net.Listener
	server   *http.Server
	served   chan struct{} // closed when the server has ended

	guards  map[string]guarded
	tells   toldDenials
	s3      http.Handler
	objects *objects.Store // of all regions
	faults  faults
	events  *feed

	resourcePolicies parsedPolicies
	folder           *durable.Folder // nil without DataDir
	locks            *engine.Locks   // of the tables of all regions

	mu      sync.Mutex
	closed  bool
	roles   atomic.Pointer[control.Roles] // changed under mu
	iam     http.Handler
	sts     http.Handler
	regions map[string]*regional
	// reopened is what the data folder had of regions that are not opened yet.
	reopened map[string]data
}

// Start starts a stack that runs until [Stack.Close]; ctx bounds the start alone. It gives an error when the address is
// no loopback address or is taken.
func Start(ctx context.Context, opts Options) (*Stack, error) {
	if opts.Listen == "" {
		opts.Listen = "127.0.0.1:4566"
	}
	if opts.Region == "" {
		opts.Region = "us-east-1"
	}
	if !regionName.MatchString(opts.Region) {
		return nil, fmt.Errorf("starting the local stack: %q is no region's name", opts.Region)
	}
	if opts.Clock == nil {
		opts.Clock = clock.NewOffset()
	}
	if opts.RetryPause == 0 {
		opts.RetryPause = 500 * time.Millisecond
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	store := objects.New(opts.Clock)
	s := &Stack{
		objects: store, s3: s3.New(store, Account, opts.policies()), events: newFeed(opts.Events), guards: guardedServices(),
		opts: opts, id: uuid.NewString(), user: os.Geteuid(), served: make(chan struct{}),
		regions: map[string]*regional{}, locks: engine.NewLocks(), reopened: map[string]data{},
	}
	s.setRoles(s.newRoles())
	if err := s.open(ctx, s.roles.Load()); err != nil {
		return nil, fmt.Errorf("starting the local stack: %w", err)
	}
	s.server = &http.Server{
		Handler:           s.guard(http.HandlerFunc(s.serve)),
		ReadHeaderTimeout: 30 * time.Second,
		ConnContext:       peer.Note,
		ErrorLog:          slog.NewLogLogger(opts.Logger.Handler(), slog.LevelWarn),
	}
	go func() {
		defer close(s.served)
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			opts.Logger.Error("the local stack's server ended", "error", err)
		}
	}()
	return s, nil
}

// open listens and opens the data folder, whose mappings begin to work at once: what their functions call waits for the server.
func (s *Stack) open(ctx context.Context, roles *control.Roles) (err error) {
	if s.listener, err = listen(ctx, s.opts.Listen); err != nil || s.opts.DataDir == "" {
		return err
	}
	if err = s.openData(roles); err == nil {
		err = s.restoreRegions()
	}
	if err != nil {
		s.closed = true
		err = errors.Join(err, s.closeRegions(ctx), s.listener.Close(), s.closeData())
	}
	return err
}

// Endpoint is the stack's URL, such as "http://127.0.0.1:4566": what AWS_ENDPOINT_URL takes.
func (s *Stack) Endpoint() string { return "http://" + s.listener.Addr().String() }

// region gives what the stack has in a region, and makes it on the region's first use.
func (s *Stack) region(name string) (*regional, error) {
	if !regionName.MatchString(name) {
		return nil, wire.Errorf("InvalidSignatureException", "streamgen local: %q is no region's name", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.New("the local stack is closing")
	}
	if r := s.regions[name]; r != nil {
		return r, nil
	}
	r, err := s.newRegional(name)
	if err != nil {
		return nil, fmt.Errorf("opening region %s: %w", name, err)
	}
	s.regions[name] = r
	return r, nil
}

// regionNames are the regions that were used so far, in order.
func (s *Stack) regionNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.regions))
}

// closeGrace is how long requests in flight may take to end once nothing runs any more that they could wait for.
const closeGrace = 2 * time.Second

// Close ends mappings, handler processes and the server, and returns when they are gone. Requests in flight are
// answered, unless ctx ends first. A second call does nothing.
func (s *Stack) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.served
		return nil
	}
	s.closed = true
	s.mu.Unlock()

	errs := []error{s.closeRegions(ctx)}
	s.events.close()
	grace, cancel := context.WithTimeout(ctx, closeGrace)
	defer cancel()
	if err := s.server.Shutdown(grace); err != nil {
		errs = append(errs, s.server.Close())
	}
	<-s.served
	return errors.Join(append(errs, s.closeData())...)
}

// closeRegions ends what runs in the regions. The stack is closed: none is added.
func (s *Stack) closeRegions(ctx context.Context) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(s.regions)) {
		if err := s.regions[name].close(ctx); err != nil {
			errs = append(errs, fmt.Errorf("closing region %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Stack) closeData() error {
	if s.folder == nil {
		return nil
	}
	return s.folder.Close()
}
