package esm

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// pageSize is how many records are read at once: a source renders all that it gives, and of large ones few fit into a payload.
	pageSize = 100
	// leastAhead is how many records are read ahead for each lane, however small its batches are.
	leastAhead = 1000
	// afterError is how long a shard rests that could not be read.
	afterError = 250 * time.Millisecond
)

// shard is one shard that is being read. Its reader hands each record to the lane of its item; lanes deliver side by side.
type shard struct {
	*poller
	id    string
	lanes []*lane
	room  chan struct{} // holds a word when a lane may take more

	mu      sync.Mutex
	after   string    // the record that was read last
	settled string    // the checkpoint: all up to here is done
	held    int       // records in the lanes, with those in flight
	size    int       // of their JSON
	idle    bool      // there is nothing more to read for now
	failing bool      // it could not be read
	readAt  time.Time // when the last read began that did not fail
	ended   bool      // no record follows
}

// shard reads one shard from its checkpoint until it is drained.
func (p *poller) shard(ctx context.Context, id string) {
	s := &shard{poller: p, id: id, room: make(chan struct{}, 1), lanes: make([]*lane, max(p.config.ParallelizationFactor, 1))}
	s.after = p.progress.at(id).After
	s.settled = s.after
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
	after := s.after
	for ctx.Err() == nil {
		awake := s.awake()
		limit := s.vacancy()
		if limit <= 0 {
			select {
			case <-s.room:
			case <-ctx.Done():
			}
			continue
		}
		begun := s.opts.Clock.Now()
		records, closed, err := s.readSource(s.id, after, limit)
		if err != nil {
			s.fail()
			s.rest(ctx, awake, s.restAfterError())
			continue
		}
		s.count(PolledEventCount, len(records))
		more := !closed && len(records) == limit
		s.take(records, begun, more, closed)
		if n := len(records); n > 0 {
			after = records[n-1].SequenceNumber
		}
		switch {
		case closed:
			return
		case !more:
			s.rest(ctx, awake, s.opts.PollInterval)
		}
	}
}

func (s *shard) restAfterError() time.Duration { return min(afterError, s.opts.PollInterval) }

// share is how many records are read ahead for each lane.
func (s *shard) share() int { return max(2*s.config.BatchSize, leastAhead) }

// crowded says that the lanes together hold as much as is read ahead: for each two batches, by number and by size. The caller holds s.mu.
func (s *shard) crowded() bool {
	return s.held >= s.share()*len(s.lanes) || s.size >= 2*maxPayload*len(s.lanes)
}

// vacancy is how many records may be read next. Lanes that are slow make the reader wait, but not when others have no full batch any more:
// then it goes on for those, and the slow ones read for themselves later what they did not keep. With nothing to read, the lanes are told so.
func (s *shard) vacancy() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.crowded():
		return min(pageSize, s.share()*len(s.lanes)-s.held)
	case slices.ContainsFunc(s.lanes, (*lane).hungry):
		return pageSize
	}
	s.rested()
	return 0
}

// take hands records to their lanes. more says that others may follow at once, ended that none ever do.
func (s *shard) take(records []Record, begun time.Time, more, ended bool) {
	wanted, filtered := s.filter(records)
	s.mu.Lock()
	defer s.mu.Unlock()
	now, crowded := s.opts.Clock.Now(), s.crowded()
	for i, r := range records {
		if wanted(i) {
			l := s.lanes[laneOf(r.Key, len(s.lanes))]
			if !l.behind && crowded && l.full() {
				l.behind, l.from = true, s.after
			}
			if !l.behind {
				l.add(r, s.after, now)
			}
		}
		s.after = r.SequenceNumber
	}
	if filtered > 0 {
		s.advance(nil)
	}
	s.readAt, s.failing, s.ended = begun, false, ended
	if s.idle = false; !more {
		s.rested()
	}
}

// fail says that the shard could not be read.
func (s *shard) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = true
	s.rested()
}

// filter tells which records are to be delivered, and how many are not. Those count for no batch.
func (s *shard) filter(records []Record) (wanted func(i int) bool, filtered int) {
	if len(s.filters) == 0 || len(records) == 0 {
		return func(int) bool { return true }, 0
	}
	match := make([]bool, len(records))
	var others []Record
	for i, r := range records {
		if match[i] = s.wants(r); !match[i] {
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

// makeRoom wakes the reader if it waits for a lane.
func (s *shard) makeRoom() {
	select {
	case s.room <- struct{}{}:
	default:
	}
}

// advance moves the checkpoint to before the first record that is not done, and keeps the window there if one is given. The caller holds s.mu.
func (s *shard) advance(w *window) {
	to := s.after
	for _, l := range s.lanes {
		if before, undone := l.undone(); undone && precedes(before, to) {
			to = before
		}
	}
	if to == s.settled && w == nil {
		return
	}
	s.settled = to
	s.progress.move(s.id, func(c *checkpoint) {
		c.After = to
		if w != nil {
			c.Window = w
		}
	})
}

// precedes compares sequence numbers; "" is before all of them.
func precedes(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }
