package stream

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// reserve is what is kept of an invocation's time without [Reserve]. Lambda's shortest timeout is a second. The report itself takes
// milliseconds; the rest is for a handler to return once its context is done.
const reserve = 200 * time.Millisecond

// processor runs the records of a route's invocations.
type processor struct {
	options
	memory *memory
	// handle decodes and handles one record.
	handle func(context.Context, *Decoder, *record) error
}

func newProcessor(list []Option) *processor {
	o := optionsOf(list)
	return &processor{options: o, memory: newMemory(o.remember)}
}

func (p *processor) invoke(ctx context.Context, e event) ([]byte, error) {
	if e.window != "" {
		return nil, errWindow
	}
	started := time.Now()
	ctx, cancel := p.limit(ctx)
	defer cancel()
	b := newBatch(p, e.records)
	b.run(ctx)
	return b.finish(ctx, started)
}

// limit takes what is reserved from the context's time.
func (p *processor) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-p.reserve))
	}
	return ctx, func() {}
}

var errWindow = errors.New("the event source mapping has a tumbling window, which this function keeps no state for: remove tumbling_window_in_seconds")

// batch is the work of one invocation.
type batch struct {
	*processor
	records  []record
	outcomes []outcome
	// known is false when nothing is remembered, which spares the look for each record.
	known bool
}

func newBatch(p *processor, records []record) *batch {
	return &batch{processor: p, records: records, outcomes: make([]outcome, len(records)), known: !p.memory.empty()}
}

// run handles all records that can be.
func (b *batch) run(ctx context.Context) {
	if b.concurrency == 1 || len(b.records) == 1 {
		b.runInTurn(ctx)
		return
	}
	for from := 0; from < len(b.records); {
		l := newLanes(b, from)
		l.run(ctx)
		if from = l.end; from == len(b.records) {
			return
		}
		// This one does not say which item it changes, so that nobody knows whose later changes must wait for it.
		if b.outcomes[from] = b.process(ctx, new(Decoder), &b.records[from]); !b.outcomes[from].finished() {
			return
		}
		from++
	}
}

// runInTurn handles the records one after the other. Once one has failed, later changes of its item wait for the retry, and others go on.
func (b *batch) runInTurn(ctx context.Context) {
	var blocked map[uint64]bool
	d := new(Decoder)
	for i := range b.records {
		r := &b.records[i]
		if blocked != nil {
			if item, ok := itemOf(r); ok && blocked[item] {
				continue
			}
		}
		if b.outcomes[i] = b.process(ctx, d, r); b.outcomes[i] != failed {
			continue
		}
		item, ok := itemOf(r)
		if !ok {
			return // nobody knows whose changes must wait
		}
		if blocked == nil {
			blocked = map[uint64]bool{}
		}
		blocked[item] = true
	}
}

// lanes hand records out to workers in their order, but a change only when those of its item before it are done.
type lanes struct {
	*batch
	// end is the first record that is not handed out: it does not say which item it changes.
	end int
	// before and after are, by record, the changes of the same item around it; -1 where there is none.
	before, after []int32

	mu     sync.Mutex
	cursor int
	states []state
}

type state uint8

const (
	waiting state = iota // behind the cursor's turn
	running
	held    // its turn came while an earlier change of its item was under way
	settled // handled, or given up because an earlier change of its item failed
)

func newLanes(b *batch, from int) *lanes {
	n := len(b.records)
	links := make([]int32, 2*n)
	l := &lanes{batch: b, end: n, before: links[:n:n], after: links[n:], cursor: from, states: make([]state, n)}
	last := make(map[uint64]int32, n-from)
	for i := from; i < n; i++ {
		item, ok := itemOf(&b.records[i])
		if !ok {
			l.end = i
			break
		}
		l.before[i], l.after[i] = -1, -1
		if j, has := last[item]; has {
			l.before[i], l.after[j] = j, int32(i)
		}
		last[item] = int32(i)
	}
	return l
}

func (l *lanes) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range min(l.concurrency, l.end-l.cursor) {
		workers.Go(func() {
			d := new(Decoder)
			for i := l.first(); i >= 0; {
				i = l.next(i, l.process(ctx, d, &l.records[i]))
			}
		})
	}
	workers.Wait()
}

// first gives a worker its first record; -1 when there is none.
func (l *lanes) first() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take()
}

// next settles a record and gives the one to handle after it: the change of the same item that was held back, if there is one.
func (l *lanes) next(i int, o outcome) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outcomes[i], l.states[i] = o, settled
	for j := l.after[i]; j >= 0 && l.states[j] == held; j = l.after[j] {
		if o.finished() {
			l.states[j] = running
			return int(j)
		}
		l.states[j] = settled
	}
	return l.take()
}

func (l *lanes) take() int {
	for l.cursor < l.end {
		i := l.cursor
		l.cursor++
		j := l.before[i]
		switch {
		case j < 0 || l.outcomes[j].finished():
			l.states[i] = running
			return i
		case l.states[j] == settled:
			l.states[i] = settled
		default:
			l.states[i] = held
		}
	}
	return -1
}

var seed = maphash.MakeSeed()

// itemOf gives a number for the item that a record changes, by its full primary key; ok is false when the record does not say it. Two items
// with the same number, one of some 10^19, would just wait for one another.
func itemOf(r *record) (item uint64, ok bool) {
	c := cursor{s: r.part(r.keys)}
	if !c.take('{') {
		return 0, false
	}
	// The order of the attributes says nothing, so neither does that of the sum.
	for first := true; c.next('}', &first); ok = true {
		name := c.key()
		item += maphash.String(seed, name) * (maphash.String(seed, c.skip()) | 1)
	}
	return item, ok && c.err == nil
}

// process does with one record all that there is to do, unless the time is over.
func (b *batch) process(ctx context.Context, d *Decoder, r *record) outcome {
	if b.known && b.memory.has(r) {
		return replayed
	}
	if ctx.Err() != nil {
		return unfinished
	}
	w := &work{ctx, b.processor, d.own(r)}
	ctx, r = w, &w.record
	var o outcome
	err := r.err
	if err == nil {
		err = recovered(func() (err error) {
			if b.where != nil && !b.where(Record{r}) {
				o = unwanted
				return nil
			}
			o, err = b.attempt(ctx, d, r)
			return err
		})
	}
	if err != nil {
		o = failed
		b.log(ctx, r, "stream record failed", err)
		b.memory.failed(r)
	}
	return o
}

// attempt handles a record that is wanted.
func (b *batch) attempt(ctx context.Context, d *Decoder, r *record) (outcome, error) {
	handle := func() (outcome, error) {
		err := b.call(ctx, Record{r}, func(ctx context.Context) error { return b.handle(ctx, d, r) })
		return b.settle(ctx, r, err)
	}
	if b.store == nil {
		return handle()
	}
	return b.once(ctx, r, handle)
}

// finish answers Lambda, as it expects of a function with ReportBatchItemFailures, and remembers what it will deliver again although it is done.
func (b *batch) finish(ctx context.Context, started time.Time) ([]byte, error) {
	b.report(ctx, started)
	if b.known {
		b.forgetFailures()
	}
	lowest := 0
	for lowest < len(b.outcomes) && b.outcomes[lowest].finished() {
		lowest++
	}
	if lowest == len(b.records) {
		return []byte(`{"batchItemFailures":[]}`), nil
	}
	r := &b.records[lowest]
	place := r.part(r.sequenceNumber)
	if place == "" {
		b.rememberFrom(0) // Lambda delivers the whole batch again
		err := r.err
		if err == nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("record %d of %d failed and has no SequenceNumber to report it by: %w", lowest+1, len(b.records), err)
	}
	if b.outcomes[lowest] == unfinished {
		own := new(Decoder).own(r)
		b.log(ctx, &own, "stream records not started", fmt.Errorf("not started: %w", context.Cause(ctx)))
	}
	b.rememberFrom(lowest)
	// Lambda delivers again from the lowest reported record on, so the lowest says it all.
	return fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%s}]}`, quoted(place)), nil
}

// forgetFailures drops those of records that are done now. A batch's are known to be only after all of it was handled.
func (b *batch) forgetFailures() {
	for i, o := range b.outcomes {
		if o.finished() {
			b.memory.forget(&b.records[i])
		}
	}
}

func (b *batch) rememberFrom(lowest int) {
	for i := lowest; i < len(b.records); i++ {
		if b.outcomes[i].finished() {
			b.memory.add(&b.records[i])
		}
	}
}
