package pack

import (
	"sync"
	"time"
)

// stopwatch adds up the time during which at least one of several activities ran.
type stopwatch struct {
	mu      sync.Mutex
	running int
	since   time.Time
	sum     time.Duration
}

// start begins an activity; the function that it gives ends it.
func (s *stopwatch) start() (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == 0 {
		s.since = time.Now()
	}
	s.running++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running--; s.running == 0 {
			s.sum += time.Since(s.since)
		}
	}
}

func (s *stopwatch) total() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sum
}
