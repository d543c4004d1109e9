package local

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
)

// The kinds of [Event]. Those above EventInvocation are what a mapping does, in the order in which a batch meets them.
const (
	// EventInvoke is a batch that goes to its function; EventSuccess is one that the function is done with.
	EventInvoke  = esm.Invoking
	EventSuccess = esm.Succeeded
	// EventPartial is a batch of which the function left the records of the event, EventFailure one that it failed with.
	EventPartial = esm.Partial
	EventFailure = esm.Failed
	// EventRefused is a batch whose function was not run, EventRetry one that comes again after a pause, EventBisect one that is now two.
	EventRefused = esm.NotInvoked
	EventRetry   = esm.Retrying
	EventBisect  = esm.Bisected
	// EventDrop are records that were given up, EventFiltered records that match no filter.
	EventDrop     = esm.Dropped
	EventFiltered = esm.Filtered
	// EventInvocation is an invocation that no mapping made.
	EventInvocation = "invocation"
	// EventLog is a line that came into a log group.
	EventLog = "log"
	// EventLost says that whoever is told came so far behind that events were dropped for him.
	EventLost = "lost"
)

// EventKinds are the kinds that GET /_streamgen/events may be asked for.
func EventKinds() []string { return slices.Clone(eventKinds[:]) }

// eventKinds are those that a subscriber may ask for; that he lost some he is told always.
var eventKinds = [...]string{
	EventInvoke, EventSuccess, EventPartial, EventFailure, EventRefused, EventRetry, EventBisect, EventDrop, EventFiltered, EventInvocation, EventLog,
}

// Event is something that happened to records or functions, as GET /_streamgen/events tells it. What does not apply is empty.
type Event struct {
	// Time is on the stack's clock.
	Time   time.Time `json:"time"`
	Kind   string    `json:"kind"`
	Region string    `json:"region,omitempty"`
	// Function is a name; that of a log line is in the name of its group.
	Function    string `json:"function,omitempty"`
	FunctionARN string `json:"function_arn,omitempty"`
	Table       string `json:"table,omitempty"`
	StreamARN   string `json:"stream_arn,omitempty"`
	// Mapping is a UUID.
	Mapping string `json:"mapping,omitempty"`
	Shard   string `json:"shard,omitempty"`
	// Count is the number of records that it is about, First and Last are their sequence numbers.
	Count int    `json:"count,omitempty"`
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
	// Records are the records as the function gets them; they are not the receiver's to change.
	Records []json.RawMessage `json:"records,omitempty"`
	// Attempt is how often the function was invoked with this batch.
	Attempt   int    `json:"attempt,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	// TookMS is how long the invocation took, PauseMS how long the batch waits for the next one, in milliseconds.
	TookMS  float64 `json:"took_ms,omitempty"`
	PauseMS float64 `json:"pause_ms,omitempty"`
	Error   string  `json:"error,omitempty"`
	// ErrorType and ErrorMessage are what a function that failed says itself.
	ErrorType    string `json:"error_type,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
	// Condition is why records were given up, Destination the ARN that was told of them.
	Condition   string `json:"condition,omitempty"`
	Destination string `json:"destination,omitempty"`
	// Group, LogStream and Message are those of a log line.
	Group     string `json:"group,omitempty"`
	LogStream string `json:"log_stream,omitempty"`
	Message   string `json:"message,omitempty"`
	// Lost is how many events the receiver was not told of.
	Lost int `json:"lost,omitempty"`
}

// size is about what the event takes in memory, in bytes.
func (e *Event) size() int {
	n := 512 + len(e.Message) + len(e.Error) + len(e.ErrorMessage)
	for _, r := range e.Records {
		n += len(r)
	}
	return n
}

// tellError takes over what a function says of its failure.
func (e *Event) tellError(answer []byte) {
	var says struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	_ = json.Unmarshal(answer, &says) // an answer of another form says nothing
	e.ErrorType, e.ErrorMessage = says.Type, says.Message
}

// tellAll gives a function that tells each receiver in turn; a nil one is left out.
func tellAll[E any](receivers ...func(E)) func(E) {
	receivers = slices.DeleteFunc(receivers, func(r func(E)) bool { return r == nil })
	return func(e E) {
		for _, r := range receivers {
			r(e)
		}
	}
}

// feed tells subscribers of events. It never waits for one.
type feed struct {
	hook        func(Event) // nil for none
	subscribed  atomic.Int32
	ended       chan struct{} // closed by close
	mu          sync.Mutex
	subscribers map[*subscriber]struct{}
	took        durations
}

func newFeed(hook func(Event)) *feed {
	return &feed{hook: hook, ended: make(chan struct{}), subscribers: map[*subscriber]struct{}{}}
}

// close lets every subscriber end once it has what happened so far.
func (f *feed) close() { close(f.ended) }

// wanted says whether anybody is told: where nobody is, an event costs nothing.
func (f *feed) wanted() bool { return f.hook != nil || f.subscribed.Load() > 0 }

func (f *feed) tell(e Event) {
	if f.hook != nil {
		f.hook(e)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.subscribers {
		s.push(e)
	}
}

func (f *feed) subscribe(w wantedEvents) (s *subscriber, cancel func()) {
	s = &subscriber{wanted: w, news: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.subscribers[s] = struct{}{}
	f.subscribed.Add(1)
	return s, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subscribers, s)
		f.subscribed.Add(-1)
	}
}

// ofMapping tells of what a region's mappings do.
func (f *feed) ofMapping(region string) func(esm.Event) {
	return func(e esm.Event) {
		if !f.wanted() {
			return
		}
		out := Event{
			Time: e.Time, Kind: e.Kind, Region: region, Function: functionOfARN(e.FunctionARN), FunctionARN: e.FunctionARN, Table: tableOfARN(e.StreamARN),
			StreamARN: e.StreamARN, Mapping: e.Mapping, Shard: e.ShardID, Count: len(e.Records), Attempt: e.Attempt, RequestID: e.RequestID,
			TookMS: inMS(f.took.take(e.RequestID)), PauseMS: inMS(e.Pause), Error: e.Error, Condition: e.Condition, Destination: e.Destination,
		}
		out.tellError(e.Payload)
		if n := len(e.Records); n > 0 {
			out.First, out.Last = e.Records[0].SequenceNumber, e.Records[n-1].SequenceNumber
			out.Records = make([]json.RawMessage, n)
			for i, r := range e.Records {
				out.Records[i] = r.JSON
			}
		}
		f.tell(out)
	}
}

// ofHost tells of the invocations of a region's functions. Those of mappings are told by the mappings themselves, once they know what the
// answer means.
func (f *feed) ofHost(region string) func(host.Ended) {
	return func(e host.Ended) {
		switch {
		case !f.wanted() || e.Throttled:
			return
		case isByMapping(e.Context):
			f.took.put(e.Result.RequestID, e.Took)
			return
		}
		out := Event{
			Time: e.Began.Add(e.Took), Kind: EventInvocation, Region: region, Function: functionOfARN(e.FunctionARN), FunctionARN: e.FunctionARN,
			RequestID: e.Result.RequestID, TookMS: inMS(e.Took), Error: e.Result.FunctionError,
		}
		if e.Err != nil {
			out.Error = e.Err.Error()
		}
		if e.Result.FunctionError != "" {
			out.tellError(e.Result.Payload)
		}
		f.tell(out)
	}
}

// ofLogs tells of the lines of a region's log groups.
func (f *feed) ofLogs(region string) func(control.LogEvent) {
	return func(e control.LogEvent) {
		if !f.wanted() {
			return
		}
		function, _ := strings.CutPrefix(e.Group, "/aws/lambda/")
		if function == e.Group {
			function = ""
		}
		f.tell(Event{Time: e.At, Kind: EventLog, Region: region, Function: function, Group: e.Group, LogStream: e.Stream, Message: e.Message})
	}
}

type byMapping struct{}

// withMapping marks an invocation as a mapping's.
func withMapping(ctx context.Context) context.Context {
	return context.WithValue(ctx, byMapping{}, true)
}

func isByMapping(ctx context.Context) bool { return ctx.Value(byMapping{}) != nil }

func inMS(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// functionOfARN gives the function's name in its ARN, qualified or not.
func functionOfARN(arn string) string {
	_, rest, _ := strings.Cut(arn, ":function:")
	name, _, _ := strings.Cut(rest, ":")
	return name
}

// durations keep how long invocations took until their mapping tells of them. Those that none asks for give way to later ones.
type durations struct {
	mu    sync.Mutex
	byID  map[string]time.Duration
	order []string
}

// mostDurations is more than may run at once.
const mostDurations = 2048

func (d *durations) put(id string, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byID == nil {
		d.byID = map[string]time.Duration{}
	}
	d.byID[id] = took
	if d.order = append(d.order, id); len(d.order) > mostDurations {
		delete(d.byID, d.order[0])
		d.order = d.order[1:]
	}
}

func (d *durations) take(id string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	took := d.byID[id]
	delete(d.byID, id)
	return took
}

// wantedEvents is what a subscriber asked for; an empty list is everything.
type wantedEvents struct {
	kinds, regions []string
	// An event passes that is about one of the tables or one of the functions.
	tables, functions []string
	records           bool
}

func (w wantedEvents) has(e *Event) bool {
	either := len(w.tables)+len(w.functions) == 0 || slices.Contains(w.tables, e.Table) || slices.Contains(w.functions, e.Function)
	return either && anyOrOneOf(w.kinds, e.Kind) && anyOrOneOf(w.regions, e.Region)
}

func anyOrOneOf(list []string, s string) bool { return len(list) == 0 || slices.Contains(list, s) }

// What a subscriber that is slow may leave untaken.
const (
	mostQueued      = 4096
	mostQueuedBytes = 32 << 20
)

// subscriber is a queue of events that nobody waits for: what it has no room for is lost to it, and counted.
type subscriber struct {
	wanted wantedEvents
	news   chan struct{} // of one: there is something to take

	mu    sync.Mutex
	queue []Event
	bytes int
	lost  int
	since time.Time // when the first of the lost ones happened
}

func (s *subscriber) push(e Event) {
	if !s.wanted.has(&e) {
		return
	}
	if !s.wanted.records {
		e.Records = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	size := e.size()
	if s.lost > 0 || len(s.queue) >= mostQueued || s.bytes+size > mostQueuedBytes && len(s.queue) > 0 {
		if s.lost++; s.lost == 1 {
			s.since = e.Time
		}
		return
	}
	s.queue, s.bytes = append(s.queue, e), s.bytes+size
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// take gives what has come since it was called last, and at its end how much did not.
func (s *subscriber) take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.queue
	if s.lost > 0 {
		taken = append(taken, Event{Time: s.since, Kind: EventLost, Lost: s.lost})
	}
	s.queue, s.bytes, s.lost = nil, 0, 0
	return taken
}

// eventsPath is the admin API's path of events.
const eventsPath = "events"

// serveEvents streams events as lines of JSON until the client goes or the stack ends.
func (s *Stack) serveEvents(w http.ResponseWriter, r *http.Request) error {
	wanted, err := parseWanted(r.URL.Query())
	if err != nil {
		return err
	}
	sub, cancel := s.events.subscribe(wanted)
	defer cancel()
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	out, lines := http.NewResponseController(w), json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for last := false; ; {
		if err := out.Flush(); err != nil {
			return nil // the client is gone: there is nobody left to tell
		}
		if last {
			return nil
		}
		select {
		case <-sub.news:
		case <-r.Context().Done():
			return nil
		case <-s.events.ended:
			last = true
		}
		for _, e := range sub.take() {
			if err := lines.Encode(e); err != nil {
				return nil // as above
			}
		}
	}
}

// parseWanted reads a request's parameters, of which none is ignored.
func parseWanted(query url.Values) (w wantedEvents, err error) {
	for name, values := range query {
		switch name {
		case "kind":
			w.kinds = values
		case "region":
			w.regions = values
		case "table":
			w.tables = values
		case "function":
			w.functions = values
		case "records":
			if w.records = values[0] == "1"; len(values) != 1 || !w.records {
				return w, refuseAdmin(http.StatusBadRequest, "records=%s: want records=1, or none of it", values[0])
			}
		default:
			return w, refuseAdmin(http.StatusBadRequest, "there is no parameter %q: want kind, table, function or region, each as often as it takes, and records=1", name)
		}
	}
	for _, kind := range w.kinds {
		if !slices.Contains(eventKinds[:], kind) {
			return w, refuseAdmin(http.StatusBadRequest, "kind=%s: want one of %s", kind, strings.Join(eventKinds[:], ", "))
		}
	}
	return w, nil
}
