package clock

import (
	"sync"
	"time"
)

// Offset is the machine's clock, ahead by as much as it was told. It is safe for concurrent use.
type Offset struct {
	mu       sync.Mutex
	ahead    time.Duration
	sleepers map[*timedSleeper]struct{}
}

type timedSleeper struct {
	sleeper
	timer *time.Timer
}

// NewOffset gives a clock that tells the machine's time.
func NewOffset() *Offset { return &Offset{sleepers: map[*timedSleeper]struct{}{}} }

// Now implements [Clock].
func (o *Offset) Now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now()
}

func (o *Offset) now() time.Time { return time.Now().Add(o.ahead) }

// After implements [Clock].
func (o *Offset) After(d time.Duration) (<-chan time.Time, func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := &timedSleeper{sleeper: sleeper{at: o.now().Add(d), c: make(chan time.Time, 1)}}
	o.sleepers[s] = struct{}{}
	s.timer = time.AfterFunc(d, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.wake(s)
	})
	return s.c, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		s.timer.Stop()
		delete(o.sleepers, s)
	}
}

// wake sends once. The caller holds o.mu.
func (o *Offset) wake(s *timedSleeper) {
	if _, asleep := o.sleepers[s]; !asleep {
		return
	}
	delete(o.sleepers, s)
	s.timer.Stop()
	s.c <- o.now()
}

// Advance sets the clock further ahead by d, which is not negative, and wakes every sleeper whose time has come.
func (o *Offset) Advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.sleepers {
		// A timer runs on the machine's time: the time that is skipped comes off it.
		left := s.at.Sub(o.now()) - d
		s.timer.Reset(max(left, 0))
	}
	o.ahead += d
	for s := range o.sleepers {
		if !s.at.After(o.now()) {
			o.wake(s)
		}
	}
}
