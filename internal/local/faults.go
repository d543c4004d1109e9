package local

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"streamgen/internal/local/wire"
)

// The kinds of a [Fault].
const (
	Throttle   = "throttle"   // the service's own throttling error
	Failure    = "error"      // an error of any code and status
	Latency    = "latency"    // a pause before the answer
	Disconnect = "disconnect" // the connection ends without an answer
)

// When a [Fault] strikes.
const (
	Before = "before" // the operation does not take place
	After  = "after"  // the operation takes place, and its answer is lost
)

// Fault is what is done to requests in place of the right answer, so that a client's way with failures can be tested.
type Fault struct {
	// ID is given by the stack.
	ID string `json:"id"`
	// Kind is [Throttle], [Failure], [Latency] or [Disconnect].
	Kind string `json:"kind"`
	// Service, Operation, Table and Region choose the requests; "" is any. A request that names several tables is chosen by each.
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	Table     string `json:"table,omitempty"`
	Region    string `json:"region,omitempty"`
	// Rate is the share of the chosen requests that are struck, above 0 and up to 1; 0 means 1. Which ones they are follows from Seed.
	Rate float64 `json:"rate"`
	Seed uint64  `json:"seed"`
	// Times ends the fault after so many strikes; 0 is never.
	Times int `json:"times,omitempty"`
	// When is [Before] or [After]; "" means before.
	When string `json:"when"`
	// Code, Status and Message are an error's. Status is 400 to 599; 0 means 500.
	Code    string `json:"code,omitempty"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	// LatencyMS is the pause of a latency in milliseconds, on the stack's clock.
	LatencyMS int `json:"latency_ms,omitempty"`
	// Struck counts the requests that were.
	Struck int `json:"struck"`
}

// check completes a fault and says what is wrong with it.
func (f *Fault) check() error {
	f.Rate, f.When = cmp.Or(f.Rate, 1), cmp.Or(f.When, Before)
	f.ID, f.Struck = "", 0
	isError := f.Kind == Failure
	switch {
	case !slices.Contains([]string{Throttle, Failure, Latency, Disconnect}, f.Kind):
		return fmt.Errorf("kind %q: want throttle, error, latency or disconnect", f.Kind)
	case f.Rate < 0 || f.Rate > 1:
		return fmt.Errorf("rate %v: want a share above 0 and up to 1", f.Rate)
	case f.When != Before && f.When != After:
		return fmt.Errorf("when %q: want before or after", f.When)
	case f.Times < 0:
		return fmt.Errorf("times %d: want how many requests to strike, or 0 for no end", f.Times)
	case isError && f.Code == "":
		return fmt.Errorf("kind error needs a code, such as InternalServerError")
	case !isError && (f.Code != "" || f.Status != 0 || f.Message != ""):
		return fmt.Errorf("code, status and message belong to kind error, not to %s", f.Kind)
	case isError && f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("status %d: want 400 to 599", f.Status)
	case f.Kind == Latency && f.LatencyMS <= 0:
		return fmt.Errorf("kind latency needs latency_ms, a number of milliseconds above 0")
	case f.Kind != Latency && f.LatencyMS != 0:
		return fmt.Errorf("latency_ms belongs to kind latency, not to %s", f.Kind)
	case f.Table != "" && f.Service != "" && f.Service != "dynamodb" && f.Service != "streams":
		return fmt.Errorf("table %s: requests to %s name no table", f.Table, f.Service)
	}
	return nil
}

func (f *Fault) chooses(d destination, tables []string) bool {
	return (f.Service == "" || f.Service == d.caller.Service) &&
		(f.Operation == "" || f.Operation == d.operation) &&
		(f.Region == "" || f.Region == d.caller.Region) &&
		(f.Table == "" || slices.Contains(tables, f.Table))
}

// err is what the fault answers with.
func (f *Fault) err(service string) error {
	if f.Kind == Throttle {
		switch service {
		case "dynamodb":
			return wire.Errorf("ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded. "+
				"Consider increasing your provisioning level with the UpdateTable API.")
		case "lambda":
			return wire.StatusErrorf(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
		}
		return wire.Errorf("ThrottlingException", "Rate exceeded")
	}
	return wire.StatusErrorf(cmp.Or(f.Status, http.StatusInternalServerError), f.Code, "%s", cmp.Or(f.Message, "streamgen local: a fault of the admin API"))
}

// faults are those that are set, in the order in which they were. The zero value has none.
type faults struct {
	mu   sync.Mutex
	last int
	set  []*setFault
}

type setFault struct {
	Fault
	random *rand.Rand
}

func (fs *faults) any() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return len(fs.set) > 0
}

func (fs *faults) add(f Fault) (Fault, error) {
	if err := f.check(); err != nil {
		return Fault{}, err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.last++
	f.ID = strconv.Itoa(fs.last)
	fs.set = append(fs.set, &setFault{Fault: f, random: rand.New(rand.NewPCG(f.Seed, 0))}) //nolint:gosec // the same faults for the same seed
	return f, nil
}

func (fs *faults) list() []Fault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	all := make([]Fault, len(fs.set))
	for i, f := range fs.set {
		all[i] = f.Fault
	}
	return all
}

// remove takes away the fault of an ID, or all for "". It gives how many there were.
func (fs *faults) remove(id string) int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	before := len(fs.set)
	fs.set = slices.DeleteFunc(fs.set, func(f *setFault) bool { return id == "" || f.ID == id })
	return before - len(fs.set)
}

// strike gives what is done to a request: the pause, and the first fault, if any, that takes its answer.
func (fs *faults) strike(d destination, tables []string) (pause time.Duration, struck *Fault) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, f := range fs.set {
		if f.Kind != Latency && struck != nil || f.Times > 0 && f.Struck >= f.Times || !f.chooses(d, tables) || f.random.Float64() >= f.Rate {
			continue
		}
		f.Struck++
		if f.Kind == Latency {
			pause += time.Duration(f.LatencyMS) * time.Millisecond
			continue
		}
		copied := f.Fault
		struck = &copied
	}
	return pause, struck
}

// serveFaulty answers a request while faults are set.
func (s *Stack) serveFaulty(w *answer, r *http.Request, d destination) {
	tables := s.tablesOf(r, &d)
	if d.err != nil {
		d.fail(w, d.err)
		return
	}
	pause, fault := s.faults.strike(d, tables)
	if pause > 0 {
		timer, stop := s.opts.Clock.After(pause)
		defer stop()
		select {
		case <-timer:
		case <-r.Context().Done(): // the client is gone, as it would be from a slow service
			panic(http.ErrAbortHandler)
		}
	}
	if fault == nil {
		d.handler.ServeHTTP(w, r)
		return
	}
	if fault.When == After {
		d.handler.ServeHTTP(lost{}, r)
	}
	if fault.Kind == Disconnect {
		panic(http.ErrAbortHandler)
	}
	d.fail(w, fault.err(d.caller.Service))
}

// lost is the answer that nobody gets.
type lost struct{}

func (lost) Header() http.Header         { return http.Header{} }
func (lost) Write(p []byte) (int, error) { return len(p), nil }
func (lost) WriteHeader(int)             {}
