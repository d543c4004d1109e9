package esm

import (
	"context"
	"sync"
	"time"
)

const (
	// pageSize is how many records are read at once: a source renders all that it gives, and of large ones few fit into a payload.
	pageSize = 100
	// leastAhead is how many records are read ahead for each lane, however small its batches are, so that one that fails lets the others
	// go on for a while.
	leastAhead = 1000
	// afterError is how long a shard rests that could not be read.
	afterError = 250 * time.Millisecond
)

// shard is one shard that is being read. Its reader hands each record to the lane of its item; lanes deliver side by side.
type shard struct {
	*poller
	id    string
	lanes []*lane
	room  chan struct{} // holds a word when a lane got shorter

	mu     sync.Mutex
	order  order
	held   int       // records in the lanes, with those in flight
	size   int       // of their JSON
	idle   bool      // there is nothing more to read for now
	readAt time.Time // when the last read began
	ended  bool      // no record follows
}

// shard reads one shard from its checkpoint until it is drained.
func (p *poller) shard(ctx context.Context, id string) {
	s := &shard{poller: p, id: id, room: make(chan struct{}, 1), lanes: make([]*lane, max(p.config.ParallelizationFactor, 1))}
	var delivering sync.WaitGroup
	for i := range s.lanes {
		l := &lane{shard: s, number: i, since: p.opts.Clock.Now(), news: make(chan struct{}, 1)}
		s.lanes[i] = l
		delivering.Go(func() { l.run(ctx) })
	}
	s.read(ctx)
	delivering.Wait()
	if ctx.Err() == nil {
		p.progress.drained(id)
		p.rouse() // its children may be read now
	}
}

// read fills the lanes until the shard has no more records, or ctx ends.
func (s *shard) read(ctx context.Context) {
	after := s.progress.at(s.id).After
	for ctx.Err() == nil {
		awake := s.awake()
		limit := min(s.vacancy(), pageSize)
		if limit <= 0 {
			select {
			case <-s.room:
			case <-ctx.Done():
			}
			continue
		}
		begun := s.opts.Clock.Now()
		records, closed, err := s.readSource(s.id, after, limit)
		if err == nil {
			s.count(PolledEventCount, len(records))
		}
		if n := len(records); n > 0 {
			after = records[n-1].SequenceNumber
		}
		ended := err == nil && closed
		more := !ended && err == nil && len(records) == limit
		s.take(records, begun, more, ended)
		switch {
		case ended:
			return
		case err != nil:
			s.rest(ctx, awake, min(afterError, s.opts.PollInterval))
		case !more:
			s.rest(ctx, awake, s.opts.PollInterval)
		}
	}
}

// vacancy is how many records may be read: for each lane two batches, by number and by size. Without any, the lanes are told that nothing
// comes for now.
func (s *shard) vacancy() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := max(2*s.config.BatchSize, leastAhead)*len(s.lanes) - s.held
	if s.size >= 2*maxPayload*len(s.lanes) {
		left = 0
	}
	if left <= 0 {
		s.rested()
	}
	return left
}

// take hands records to their lanes. more says that others may follow at once, ended that none ever do.
func (s *shard) take(records []Record, begun time.Time, more, ended bool) {
	wanted, filtered := s.filter(records)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Clock.Now()
	for i, r := range records {
		place := s.order.add(r.SequenceNumber, !wanted(i))
		if !wanted(i) {
			continue
		}
		l := s.lanes[laneOf(r.Key, len(s.lanes))]
		l.queue = append(l.queue, queued{r, place, now})
		s.held++
		s.size += len(r.JSON)
		l.tell()
	}
	if filtered > 0 {
		s.advance(nil)
	}
	s.readAt, s.ended = begun, ended
	if s.idle = false; !more {
		s.rested()
	}
}

// filter tells which records are to be delivered, and how many are not. Those count for no batch.
func (s *shard) filter(records []Record) (wanted func(i int) bool, filtered int) {
	if len(s.filters) == 0 || len(records) == 0 {
		return func(int) bool { return true }, 0
	}
	match := make([]bool, len(records))
	var others []Record
	for i, r := range records {
		if match[i] = matches(s.filters, r); !match[i] {
			others = append(others, r)
		}
	}
	s.count(FilteredOutEventCount, len(others))
	if len(others) > 0 {
		s.observe(Event{Kind: Filtered, ShardID: s.id, Records: others})
	}
	return func(i int) bool { return match[i] }, len(others)
}

// rested tells the lanes that nothing is to be read for now, so that what they have may go. The caller holds s.mu.
func (s *shard) rested() {
	s.idle = true
	for _, l := range s.lanes {
		if len(l.queue) > 0 || l.window != nil || s.ended {
			l.tell()
		}
	}
}

// finish says that the records at these places are done: delivered or given up. change is for the checkpoint, and may be nil.
func (s *shard) finish(places []uint64, size int, change func(*checkpoint)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.order.finish(places)
	s.held -= len(places)
	s.size -= size
	s.advance(change)
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// advance moves the checkpoint to where all is done. The caller holds s.mu.
func (s *shard) advance(change func(*checkpoint)) {
	to, moved := s.order.settle()
	if !moved && change == nil {
		return
	}
	s.progress.move(s.id, func(c *checkpoint) {
		if moved {
			c.After = to
		}
		if change != nil {
			change(c)
		}
	})
}

// order is that in which records were read. It tells up to where all of them are done.
type order struct {
	first   uint64 // the place of entries[0]
	entries []entry
}

type entry struct {
	number string
	done   bool
}

// add gives the place of a record that was read.
func (o *order) add(number string, done bool) (place uint64) {
	o.entries = append(o.entries, entry{number, done})
	return o.first + uint64(len(o.entries)) - 1
}

func (o *order) finish(places []uint64) {
	for _, place := range places {
		o.entries[place-o.first].done = true
	}
}

// settle gives the sequence number of the last record that is done with all before it, if there is a new one.
func (o *order) settle() (number string, moved bool) {
	n := 0
	for n < len(o.entries) && o.entries[n].done {
		n++
	}
	if n == 0 {
		return "", false
	}
	number = o.entries[n-1].number
	clear(o.entries[:n])
	o.entries = o.entries[n:]
	o.first += uint64(n)
	return number, true
}
