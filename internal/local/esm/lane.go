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
	queue []queued
	ready int  // records at the head of the queue that are the next batch
	bytes int  // the length of their event
	full  bool // no further record fits

	since  time.Time // the last invocation ended, or the shard was begun
	window *window   // the tumbling window that is open; nil for none. It is written by the lane alone, under shard.mu
}

// queued is a record that waits in a lane.
type queued struct {
	Record
	place uint64
	since time.Time // it was read
}

// batch is records of a lane that are delivered together.
type batch struct {
	records []Record
	places  []uint64
}

func (b batch) head(n int) batch { return batch{b.records[:n], b.places[:n]} }
func (b batch) tail(n int) batch { return batch{b.records[n:], b.places[n:]} }

func (b batch) size() int {
	n := 0
	for i := range b.records {
		n += len(b.records[i].JSON)
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
			// What the function never sees opens no window, whose end it would see.
			if b = l.dropExpired(b, 0); len(b.records) > 0 {
				l.openWindow(b.records[0])
				l.process(ctx, b)
			}
		}
	}
}

// What a lane does next.
type next int

const (
	deliver next = iota
	windowOver
	drained
)

// gather waits for the next batch: the first of BatchSize records, the payload's limit, the end of the batching window or that of the
// shard. The batching window runs from when the last invocation ended, and over again while the lane is empty.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
func (l *lane) gather(ctx context.Context) (batch, next) {
	for ctx.Err() == nil {
		b, what, wait := l.look()
		if wait < 0 {
			return b, what
		}
		l.await(ctx, wait)
	}
	return batch{}, deliver
}

// never is a wait that only news end.
const never = time.Duration(1<<63 - 1)

// look gives what there is to do, or how long the lane waits for it; the wait is negative when there is something.
func (l *lane) look() (b batch, what next, wait time.Duration) {
	const now = -1
	l.mu.Lock()
	defer l.mu.Unlock()
	l.measure()
	over, untilOver := l.windowIsOver()
	switch {
	case over:
		return b, windowOver, now
	case l.ready == 0 && l.ended:
		return b, drained, now
	case l.ready == 0:
		return b, deliver, untilOver
	case l.full || l.ended:
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
	for !l.full && l.ready < len(l.queue) {
		r := &l.queue[l.ready]
		if l.ready > 0 && (l.bytes+len(r.JSON)+1 > maxPayload || !l.sameWindow(l.queue[0].Record, r.Record)) {
			l.full = true
			return
		}
		l.ready++
		l.bytes += len(r.JSON) + 1
		l.full = l.ready == l.config.BatchSize
	}
}

// cut takes the next batch from the queue. The caller holds the shard's mu.
func (l *lane) cut() batch {
	b := batch{make([]Record, l.ready), make([]uint64, l.ready)}
	for i := range l.ready {
		b.records[i], b.places[i] = l.queue[i].Record, l.queue[i].place
	}
	clear(l.queue[:l.ready])
	l.queue = l.queue[l.ready:]
	l.ready, l.full = 0, false
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
