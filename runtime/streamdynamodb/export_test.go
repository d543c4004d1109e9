package streamdynamodb

import "time"

// At has the store's time told by now.
func (s *Store) At(now func() time.Time) *Store {
	s.now = now
	return s
}
