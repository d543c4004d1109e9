package semantics

import (
	"sync"
	"time"

	"streamgen/internal/local"
	"streamgen/internal/local/clock"
)

// handClock is a manual clock that tells what is waited for.
type handClock struct {
	*clock.Manual

	mu      sync.Mutex
	waits   []wait // all that there ever were
	changed chan struct{}
}

// wait is a call of After.
type wait struct {
	since, until time.Time
	taken        bool // a test has let it pass
}

func newHandClock(at time.Time) *handClock {
	return &handClock{Manual: clock.NewManual(at), changed: make(chan struct{})}
}

func (c *handClock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	c.waits = append(c.waits, wait{since: now, until: now.Add(d)})
	close(c.changed)
	c.changed = make(chan struct{})
	return c.Manual.After(d)
}

func (c *handClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Manual.Advance(d)
}

// take takes a wait that fits, which may be over already. Without one it gives the channel that is closed when somebody waits anew.
func (c *handClock) take(fits func(wait) bool) (until time.Time, none <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, w := range c.waits {
		if !w.taken && fits(w) {
			c.waits[i].taken = true
			return w.until, nil
		}
	}
	return time.Time{}, c.changed
}

// passPause lets time pass when an event says that a batch pauses: the batch begins to wait soon after it was told.
func (s *stand) passPause(e local.Event) {
	s.Helper()
	if e.Kind != local.EventRetry && e.Kind != local.EventRefused {
		return
	}
	pause := time.Duration(e.PauseMS * float64(time.Millisecond))
	until := s.await(pause, func(w wait) bool { return !w.since.Before(e.Time) && w.until.Sub(w.since) == pause })
	if left := until.Sub(s.clock.Now()); left > 0 {
		s.clock.Advance(left)
	}
}

// until waits until there were n events of a kind. Where a batch pauses, its time passes.
func (s *stand) until(kind string, n int) {
	s.Helper()
	s.untilOf(n, func(e local.Event) bool { return e.Kind == kind })
}

func (s *stand) untilOf(n int, fits func(local.Event) bool) {
	s.Helper()
	for timeout := time.After(patience); n > 0; {
		select {
		case <-s.told:
		case <-timeout:
			s.Fatalf("there should be %d events more", n)
		}
		for _, e := range s.heard() {
			s.passPause(e)
			if fits(e) {
				n--
			}
		}
	}
}

// pass lets time pass once somebody waits for exactly that.
func (s *stand) pass(d time.Duration) {
	s.Helper()
	now := s.clock.Now()
	s.await(d, func(w wait) bool { return w.until.Equal(now.Add(d)) })
	s.clock.Advance(d)
}

// await returns when a wait that fits ends, once there is one.
func (s *stand) await(d time.Duration, fits func(wait) bool) (until time.Time) {
	s.Helper()
	for timeout := time.After(patience); ; {
		until, none := s.clock.take(fits)
		if none == nil {
			return until
		}
		select {
		case <-none:
		case <-timeout:
			s.Fatalf("nobody waits for %v", d)
		}
	}
}
