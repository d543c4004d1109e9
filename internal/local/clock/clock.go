// Package clock is the local stack's source of time: the machine's in production, a manual one in tests,
// so that no test waits for luck.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time and wakes sleepers.
type Clock interface {
	// Now is the current time.
	Now() time.Time
	// After sends the time once, after d has passed. stop releases the timer; calling it late or twice is harmless.
	After(d time.Duration) (c <-chan time.Time, stop func())
}

// System is the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now() }

func (system) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// Manual is a clock that moves only when told to. It is safe for concurrent use.
type Manual struct {
	mu       sync.Mutex
	now      time.Time
	sleepers map[*sleeper]struct{}
	changed  chan struct{}
}

type sleeper struct {
	at time.Time
	c  chan time.Time
}

// NewManual gives a clock that stands at now.
func NewManual(now time.Time) *Manual {
	return &Manual{now: now, sleepers: map[*sleeper]struct{}{}, changed: make(chan struct{})}
}

// Now implements [Clock].
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// After implements [Clock].
func (m *Manual) After(d time.Duration) (<-chan time.Time, func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &sleeper{at: m.now.Add(d), c: make(chan time.Time, 1)}
	if d <= 0 {
		s.c <- m.now
		return s.c, func() {}
	}
	m.sleepers[s] = struct{}{}
	m.notify()
	return s.c, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.sleepers, s)
	}
}

// Advance moves the clock and wakes every sleeper whose time has come.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	for s := range m.sleepers {
		if !s.at.After(m.now) {
			s.c <- m.now
			delete(m.sleepers, s)
		}
	}
}

// AwaitSleepers returns once at least n sleepers wait, so that a test advances the clock only when the
// code under test has come to rest.
func (m *Manual) AwaitSleepers(n int) {
	m.await(func() bool { return len(m.sleepers) >= n })
}

// AwaitSleeper returns once somebody sleeps who is due in exactly d: where others sleep too, a test waits for the one that it means.
func (m *Manual) AwaitSleeper(d time.Duration) {
	m.await(func() bool {
		due := m.now.Add(d)
		for s := range m.sleepers {
			if s.at.Equal(due) {
				return true
			}
		}
		return false
	})
}

// await returns once holds is true of the sleepers.
func (m *Manual) await(holds func() bool) {
	for {
		m.mu.Lock()
		if holds() {
			m.mu.Unlock()
			return
		}
		changed := m.changed
		m.mu.Unlock()
		<-changed
	}
}

func (m *Manual) notify() {
	close(m.changed)
	m.changed = make(chan struct{})
}
