package stream

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
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
	// cursor is the record whose turn is next.
	cursor atomic.Int32
	// ready counts, by record with one before it, what it waits for: that its turn comes, and that the record before it is settled. Whoever
	// sees the second come handles the record, or gives it up because the one before it failed.
	ready []atomic.Int32
}

func newLanes(b *batch, from int) *lanes {
	n := len(b.records)
	links := make([]int32, 2*n)
	l := &lanes{batch: b, end: n, before: links[:n:n], after: links[n:], ready: make([]atomic.Int32, n)}
	l.cursor.Store(int32(from))
	last := newLatest(n)
	for i := from; i < n; i++ {
		item, ok := itemOf(&b.records[i])
		if !ok {
			l.end = i
			break
		}
		l.before[i], l.after[i] = last.swap(item, int32(i)), -1
		if j := l.before[i]; j >= 0 {
			l.after[j] = int32(i)
		}
	}
	return l
}

// latest knows the latest record of each item. A map would hash anew what are hashes already, at a fifth of what a lane costs in all.
type latest struct {
	slots []int32 // the record and one, 0 where there is none; an item's slot is the first free one from its number on
	items []uint64
}

func newLatest(records int) latest {
	return latest{make([]int32, 1<<bits.Len(uint(2*records))), make([]uint64, records)}
}

// swap makes i the latest record of the item, and gives the one before it; -1 when there is none.
func (l latest) swap(item uint64, i int32) int32 {
	mask := uint64(len(l.slots) - 1)
	at := item & mask
	for l.slots[at] > 0 && l.items[l.slots[at]-1] != item {
		at = (at + 1) & mask
	}
	j := l.slots[at] - 1
	l.slots[at], l.items[i] = i+1, item
	return j
}

func (l *lanes) run(ctx context.Context) {
	var workers sync.WaitGroup
	for range min(l.concurrency, l.end-int(l.cursor.Load())) {
		workers.Go(func() {
			d := new(Decoder)
			for i := l.take(); i >= 0; {
				l.outcomes[i] = l.process(ctx, d, &l.records[i])
				if i = l.settle(i); i < 0 {
					i = l.take()
				}
			}
		})
	}
	workers.Wait()
}

// take gives a worker the next record that can be handled; -1 when there is none.
func (l *lanes) take() int32 {
	for {
		i := l.cursor.Add(1) - 1
		if int(i) >= l.end {
			return -1
		}
		if l.before[i] < 0 {
			return i
		}
		if l.ready[i].Add(1) < 2 {
			continue
		}
		if l.outcomes[l.before[i]].finished() {
			return i
		}
		l.settle(i) // given up, as are those after it
	}
}

// settle ends the wait for a record that was handled or given up, and gives the next change of its item if that can be handled now; -1 if not.
func (l *lanes) settle(i int32) int32 {
	for j := l.after[i]; j >= 0 && l.ready[j].Add(1) == 2; i, j = j, l.after[j] {
		if l.outcomes[i].finished() {
			return j
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
	w := d.work()
	*w = work{ctx, b.processor, d.own(r)}
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
