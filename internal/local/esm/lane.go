package esm

import (
	"context"
	"time"
)

// lane delivers the records of some of a shard's items, one batch after the other, so that the changes of an item stay in order. Without
// a ParallelizationFactor a shard has one lane.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html#services-dynamodb-eventsourcemapping-polling-and-batching
type lane struct {
	*shard
	number int
	news   chan struct{} // holds a word when the queue, or what follows it, changed

	// Guarded by shard.mu.
	queue    []queued // what is not done, in order
	flight   int      // records at the head of the queue that are being delivered
	waiting  int      // the length of the JSON of those behind
	ready    int      // records at the head of the queue that are the next batch
	bytes    int      // the length of their event
	complete bool     // no further record fits
	behind   bool     // records were read that the queue does not have: they are read once more when the lane comes to them
	from     string   // they follow this one

	since  time.Time // the last invocation ended, or the shard was begun
	window *window   // the tumbling window that is open; nil for none. It is written by the lane alone, under shard.mu
}

// queued is a record in a lane.
type queued struct {
	Record
	before string    // the sequence number of the record before it in the shard
	since  time.Time // it was read
}

// add appends a record that was read. The caller holds the shard's mu.
func (l *lane) add(r Record, before string, now time.Time) {
	l.queue = append(l.queue, queued{r, before, now})
	l.waiting += len(r.JSON)
	l.held++
	l.size += len(r.JSON)
	l.tell()
}

// full says that the lane has its share of what is read ahead. The caller holds the shard's mu.
func (l *lane) full() bool { return len(l.queue) >= l.share() || l.waiting >= 2*maxPayload }

// hungry says that the lane needs the reader to have a full batch after the one in flight. The caller holds the shard's mu.
func (l *lane) hungry() bool {
	return !l.behind && len(l.queue)-l.flight < l.config.BatchSize && l.waiting < maxPayload
}

// undone gives the sequence number before the lane's first record that is not done, if there may be one. The caller holds the shard's mu.
func (l *lane) undone() (before string, found bool) {
	switch {
	case len(l.queue) > 0:
		return l.queue[0].before, true
	case l.behind:
		return l.from, true
	}
	return "", false
}

// catchUp reads some of the records that the queue does not have because the lane was full when they came. Those that the stream has
// forgotten since are passed over, as they are by a reader that comes too late.
func (l *lane) catchUp(ctx context.Context) {
	from, to := l.gap()
	records, _, err := l.readSource(l.id, from, pageSize)
	if err != nil {
		l.rest(ctx, nil, l.restAfterError())
		return
	}
	mine := make([]bool, len(records))
	for i, r := range records {
		mine[i] = laneOf(r.Key, len(l.lanes)) == l.number && l.wants(r)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.opts.Clock.Now()
	for i, r := range records {
		if to = r.SequenceNumber; precedes(l.after, to) {
			to = l.after // the reader has not come further
			break
		}
		if mine[i] {
			l.add(r, l.from, now)
		}
		l.from = to
	}
	l.from, l.behind = to, to != l.after
	l.advance(nil)
	l.makeRoom()
}

// gap gives what the queue lacks: the records after from, up to to.
func (l *lane) gap() (from, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.from, l.after
}

// finish takes records at the head of the queue out: they are delivered or given up.
func (l *lane) finish(done []Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(done)
	clear(l.queue[:n])
	l.queue, l.flight = l.queue[n:], l.flight-n
	l.held -= n
	l.size -= sizeOf(done)
	l.advance(l.window)
	l.makeRoom()
}

func sizeOf(records []Record) int {
	n := 0
	for i := range records {
		n += len(records[i].JSON)
	}
	return n
}

// laneOf spreads partition keys over lanes, always in the same way. It is FNV-1a.
func laneOf(key string, lanes int) int {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return int((h ^ h>>32) % uint64(lanes))
}

// tell wakes the lane.
func (l *lane) tell() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// run delivers until the shard is drained or ctx ends.
func (l *lane) run(ctx context.Context) {
	l.resumeWindow(ctx)
	for ctx.Err() == nil {
		b, next := l.gather(ctx)
		switch {
		case ctx.Err() != nil, next == drained:
			return
		case next == windowOver:
			l.endWindow(ctx, false)
		default:
			l.process(ctx, b)
		}
	}
}

// What a lane does next.
type next int

const (
	deliver next = iota
	lag
	windowOver
	drained
)

// gather waits for the next batch: the first of BatchSize records, the payload's limit, the end of the batching window or that of the
// shard. The batching window runs from when the last invocation ended, and over again while the lane is empty.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
func (l *lane) gather(ctx context.Context) ([]Record, next) {
	for ctx.Err() == nil {
		b, what, wait := l.look()
		switch {
		case what == lag:
			l.catchUp(ctx)
		case wait < 0:
			return b, what
		default:
			l.await(ctx, wait)
		}
	}
	return nil, deliver
}

// never is a wait that only news end.
const never = time.Duration(1<<63 - 1)

// look gives what there is to do, or how long the lane waits for it; the wait is negative when there is something.
func (l *lane) look() (b []Record, what next, wait time.Duration) {
	const now = -1
	l.mu.Lock()
	defer l.mu.Unlock()
	l.measure()
	over, untilOver := l.windowIsOver()
	switch {
	case over:
		return b, windowOver, now
	case l.behind && !l.complete:
		return b, lag, now
	case l.ready == 0 && l.ended:
		return b, drained, now
	case l.ready == 0:
		return b, deliver, untilOver
	case l.complete || l.ended:
		return l.cut(), deliver, now
	case !l.idle: // more may be there already
		return b, deliver, never
	}
	wait = min(l.batchingWindow(), untilOver)
	if wait > 0 {
		return b, deliver, wait
	}
	return l.cut(), deliver, now
}

// batchingWindow is what is left of the window in which the batch is gathered.
func (l *lane) batchingWindow() time.Duration {
	length := time.Duration(l.config.MaximumBatchingWindowInSeconds) * time.Second
	if length == 0 {
		return 0
	}
	since := l.since
	if empty := l.queue[0].since.Sub(since); empty > 0 {
		since = since.Add(empty.Truncate(length))
	}
	return since.Add(length).Sub(l.opts.Clock.Now())
}

// measure counts what is the next batch. The caller holds the shard's mu.
func (l *lane) measure() {
	if l.ready == 0 {
		l.bytes = l.eventSize()
	}
	for !l.complete && l.ready < len(l.queue) {
		r := &l.queue[l.ready]
		if l.ready > 0 && (l.bytes+len(r.JSON)+1 > maxPayload || !l.sameWindow(l.queue[0].Record, r.Record)) {
			l.complete = true
			return
		}
		l.ready++
		l.bytes += len(r.JSON) + 1
		l.complete = l.ready == l.config.BatchSize
	}
}

// cut gives the next batch, which is in flight from now on. The caller holds the shard's mu.
func (l *lane) cut() []Record {
	b := make([]Record, l.ready)
	for i := range b {
		b[i] = l.queue[i].Record
	}
	l.flight, l.waiting = l.ready, l.waiting-sizeOf(b)
	l.ready, l.complete = 0, false
	l.makeRoom()
	return b
}

// await returns at the lane's next news, after d, or when ctx ends.
func (l *lane) await(ctx context.Context, d time.Duration) {
	if d == never {
		select {
		case <-l.news:
		case <-ctx.Done():
		}
		return
	}
	timer, stop := l.opts.Clock.After(d)
	defer stop()
	select {
	case <-l.news:
	case <-timer:
	case <-ctx.Done():
	}
}
