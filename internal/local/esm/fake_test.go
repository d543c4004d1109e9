package esm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/esm"
)

const (
	streamARN   = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-23T04:05:06.789"
	queueARN    = "arn:aws:sqs:us-east-1:000000000000:lost"
	functionARN = "arn:aws:lambda:us-east-1:000000000000:function:fn"
)

var epoch = time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)

// stream is a DynamoDB stream in memory.
type stream struct {
	clock *clock.Manual

	mu      sync.Mutex
	changed *sync.Cond
	version int
	shards  []*shard
	read    map[string]bool // sequence numbers that were read
	most    int             // records that a read asked for
	gone    int             // reads of shards that are not there
	listed  map[string]bool // shards that a reader was told of
	broken  bool
	failed  int                // reads while it was broken
	key     func(n int) string // of a record
}

type shard struct {
	esm.Shard
	records []esm.Record
}

func newStream(c *clock.Manual) *stream {
	s := &stream{clock: c, read: map[string]bool{}, listed: map[string]bool{}, key: func(int) string { return "" }}
	s.changed = sync.NewCond(&s.mu)
	s.open("shard-1", "")
	return s
}

func (s *stream) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.version++
	s.changed.Broadcast()
}

func (s *stream) open(id, parent string) {
	s.update(func() { s.shards = append(s.shards, &shard{Shard: esm.Shard{ID: id, ParentID: parent}}) })
}

func (s *stream) close(id string) { s.update(func() { s.find(id).Closed = true }) }

func (s *stream) find(id string) *shard {
	i := slices.IndexFunc(s.shards, func(sh *shard) bool { return sh.ID == id })
	return s.shards[i]
}

// put adds records to a shard; they are as old as the clock.
func (s *stream) put(id string, numbers ...int) {
	s.update(func() {
		for _, n := range numbers {
			s.add(id, n, 0)
		}
	})
}

func (s *stream) add(id string, n, padding int) {
	sh := s.find(id)
	number := sequence(n)
	sh.records = append(sh.records, esm.Record{
		SequenceNumber: number, Key: s.key(n), ApproximateCreationDateTime: s.clock.Now(),
		JSON: json.RawMessage(fmt.Sprintf(`{"n":%d,"padding":"%s"}`, n, bytes.Repeat([]byte("x"), padding))),
	})
}

// sequence makes sequence numbers of different lengths, which only sort as numbers.
func sequence(n int) string { return strconv.Itoa(n * 7) }

// reader is the stream as one mapping's Source.
type reader struct {
	*stream
	seen int
}

func (r *reader) Shards() []esm.Shard {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []esm.Shard
	for _, sh := range r.shards {
		all = append(all, sh.Shard)
		r.listed[sh.ID] = true
	}
	r.changed.Broadcast()
	return all
}

func (r *reader) Latest(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if records := r.find(id).records; len(records) > 0 {
		return records[len(records)-1].SequenceNumber
	}
	return ""
}

func (r *reader) Read(id, after string, limit int) ([]esm.Record, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken {
		r.failed++
		return nil, false, errors.New("no such stream")
	}
	if !slices.ContainsFunc(r.shards, func(sh *shard) bool { return sh.ID == id }) {
		r.gone++
		return nil, true, nil
	}
	r.most = max(r.most, limit)
	sh := r.find(id)
	begin := 0
	for after != "" && begin < len(sh.records) && number(sh.records[begin].SequenceNumber) <= number(after) {
		begin++
	}
	end := min(begin+limit, len(sh.records))
	for _, rec := range sh.records[begin:end] {
		r.read[rec.SequenceNumber] = true
	}
	r.changed.Broadcast()
	return slices.Clone(sh.records[begin:end]), sh.Closed && end == len(sh.records), nil
}

func number(s string) int { n, _ := strconv.Atoi(s); return n }

func (r *reader) Wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changed.Broadcast()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.seen == r.version && ctx.Err() == nil {
		r.changed.Wait()
	}
	r.seen = r.version
	return ctx.Err()
}

// awaitRead returns once a record was read.
func (s *stream) awaitRead(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.read[sequence(n)] {
		s.changed.Wait()
	}
}

// awaitListed returns once a reader was told of a shard.
func (s *stream) awaitListed(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.listed[id] {
		s.changed.Wait()
	}
}

// call is one invocation, which waits for its answer.
type call struct {
	t        *testing.T
	function string
	numbers  []int
	size     int
	at       time.Time
	answer   chan<- any
}

// ok answers with a payload; fail with a function error; refuse says that the function was not run.
func (c call) ok(payload string) { c.answer <- esm.Result{Payload: []byte(payload)} }
func (c call) fail() {
	c.answer <- esm.Result{Payload: []byte(`{"errorMessage":"no"}`), FunctionError: "Unhandled"}
}
func (c call) refuse() { c.answer <- errors.New("rate exceeded") }

// failItems reports records as failed.
func (c call) failItems(numbers ...int) {
	var items []string
	for _, n := range numbers {
		items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, sequence(n)))
	}
	c.ok(`{"batchItemFailures":[` + join(items) + `]}`)
}

func join(items []string) string {
	var b bytes.Buffer
	for i, item := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(item)
	}
	return b.String()
}

// pollInterval is one that no test's clock comes to.
const pollInterval = 1000 * time.Hour

// clocks keep a poller's rests apart from what a test waits for: batching windows, pauses between attempts, the end of tumbling windows.
type clocks struct {
	*clock.Manual
	polls *clock.Manual
}

func (c clocks) After(d time.Duration) (<-chan time.Time, func()) {
	if d == pollInterval {
		return c.polls.After(d)
	}
	return c.Manual.After(d)
}

// rig is mappings with a stream and a function in the test's hands.
type rig struct {
	*esm.Mappings
	t      *testing.T
	clock  clocks
	stream *stream
	calls  chan call
	drops  *drops
	// documents are what the destination got.
	documents chan string
}

func newRig(t *testing.T) *rig { return newRigWith(t, func(*esm.Options) {}) }

func newRigOf(t *testing.T, s *stream) *rig { return newRigWithStream(t, s, func(*esm.Options) {}) }

func newRigWith(t *testing.T, change func(*esm.Options)) *rig {
	return newRigWithStream(t, newStream(clock.NewManual(epoch)), change)
}

func newRigWithStream(t *testing.T, s *stream, change func(*esm.Options)) *rig {
	c := clocks{s.clock, clock.NewManual(epoch)}
	r := &rig{t: t, clock: c, stream: s, calls: make(chan call), drops: &drops{}, documents: make(chan string, 10)}
	options := esm.Options{
		Account: "000000000000", Region: "us-east-1", Clock: c, Invoker: r, Logger: slog.New(r.drops), PollInterval: pollInterval,
		Destination: func(d esm.Delivery) error {
			if d.Destination != queueARN {
				return errors.New("no such queue")
			}
			r.documents <- d.Document
			return nil
		},
		Source: func(arn string) (esm.Source, bool) { return &reader{stream: r.stream}, arn == streamARN },
	}
	change(&options)
	r.Mappings = esm.New(options)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Close(ctx) // a test may leave an invocation unanswered
	})
	return r
}

func (r *rig) Invoke(ctx context.Context, function string, payload []byte) (esm.Result, error) {
	var event struct{ Records []struct{ N int } }
	if err := json.Unmarshal(payload, &event); err != nil {
		r.t.Error(err)
	}
	answer := make(chan any, 1)
	c := call{t: r.t, function: function, size: len(payload), at: r.clock.Now(), answer: answer}
	for _, rec := range event.Records {
		c.numbers = append(c.numbers, rec.N)
	}
	select {
	case r.calls <- c:
	case <-ctx.Done():
		return esm.Result{}, ctx.Err()
	}
	select {
	case a := <-answer:
		if err, bad := a.(error); bad {
			return esm.Result{}, err
		}
		return a.(esm.Result), nil
	case <-ctx.Done():
		return esm.Result{}, ctx.Err()
	}
}

// expect is the next invocation, which must bring these records.
func (r *rig) expect(numbers ...int) call {
	r.t.Helper()
	select {
	case c := <-r.calls:
		if !slices.Equal(c.numbers, numbers) {
			r.t.Fatalf("invoked with %v, want %v", c.numbers, numbers)
		}
		return c
	case <-time.After(20 * time.Second):
		r.t.Fatalf("not invoked, want %v", numbers)
	}
	return call{}
}

// settle returns when the reader of one shard has come to rest.
func (r *rig) settle() { r.clock.polls.AwaitSleepers(2) }

// pass lets time go by while a shard is at rest.
func (r *rig) pass(d time.Duration) {
	r.settle()
	r.clock.Advance(d)
}

// wait lets time go by when a lane waits for it.
func (r *rig) wait(d time.Duration) {
	r.clock.AwaitSleepers(1)
	r.clock.Advance(d)
}

// caughtUp returns when the mapping is done with all that is in the stream.
func (r *rig) caughtUp(m esm.Mapping) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	if err := r.AwaitCaughtUp(ctx, m.UUID); err != nil {
		r.t.Fatal(err)
	}
}

func config(change func(*esm.Config)) esm.Config {
	c := esm.Config{
		StreamARN: streamARN, FunctionARN: functionARN, StartingPosition: esm.TrimHorizon, Enabled: true, BatchSize: 100,
		MaximumRecordAgeInSeconds: -1, MaximumRetryAttempts: -1,
	}
	if change != nil {
		change(&c)
	}
	return c
}

func (r *rig) create(change func(*esm.Config)) esm.Mapping {
	r.t.Helper()
	m, err := r.Create(config(change), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

// drops are the records that were dropped, as the log tells it.
type drops struct {
	mu   sync.Mutex
	list []string
}

func (*drops) Enabled(context.Context, slog.Level) bool { return true }
func (d *drops) WithAttrs([]slog.Attr) slog.Handler     { return d }
func (d *drops) WithGroup(string) slog.Handler          { return d }
func (d *drops) Handle(_ context.Context, r slog.Record) error {
	if r.Level != slog.LevelWarn {
		return nil
	}
	attrs := map[string]string{}
	r.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value.String(); return true })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, fmt.Sprintf("%s %d..%d (%s) after %s", attrs["condition"],
		number(attrs["first"])/7, number(attrs["last"])/7, attrs["records"], attrs["invokes"]))
	return nil
}

func (d *drops) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.list)
}
