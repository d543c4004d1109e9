package stream

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// mostRecords is the most that Lambda delivers in one batch.
const mostRecords = 10_000

// memory holds what this process knows of records that Lambda will deliver again: those that are done although an earlier one is not, and
// how often others have failed. It forgets the oldest first.
type memory struct {
	limit int

	mu       sync.Mutex
	done     map[string]struct{}
	order    []string // of done, oldest at next once it is full
	next     int
	attempts map[string]int
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, done: map[string]struct{}{}, attempts: map[string]int{}}
}

// has reports whether a record is done.
func (m *memory) has(r *record) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, has := m.done[r.part(r.eventID)]
	return has
}

// empty reports whether there is nothing to look up.
func (m *memory) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.done) == 0 && len(m.attempts) == 0
}

// add remembers that a record is done.
func (m *memory) add(r *record) {
	id := r.part(r.eventID)
	if id == "" || m.limit == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, has := m.done[id]; has {
		return
	}
	id = strings.Clone(id) // the event's memory is used again
	if len(m.order) < m.limit {
		m.order = append(m.order, id)
	} else {
		delete(m.done, m.order[m.next])
		m.order[m.next] = id
		m.next = (m.next + 1) % m.limit
	}
	m.done[id] = struct{}{}
}

// failed counts a failure of a record.
func (m *memory) failed(r *record) {
	id := r.part(r.eventID)
	if id == "" || m.limit == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.attempts) >= m.limit {
		clear(m.attempts)
	}
	m.attempts[strings.Clone(id)]++
}

// forget drops the failures of a record that is done.
func (m *memory) forget(r *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.attempts, r.part(r.eventID))
}

// attempt is the number of a record's attempt that is under way, as far as this process knows: 1 for the first.
func (m *memory) attempt(r *record) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.attempts[r.part(r.eventID)] + 1
}

// ErrClaimed is what a [Store] says of a record that another invocation is at work on, perhaps in another execution environment. The record
// fails, and is delivered again.
var ErrClaimed = errors.New("another invocation is at work on the record")

// Store keeps, for all execution environments of a function, which records are done; see [Once]. It must be safe for concurrent use, and
// belong to one function: all functions that read a stream get the same eventIDs.
type Store interface {
	// Claim takes a record on, by its eventID, until the given time: whoever claims it before then gets an error that wraps [ErrClaimed].
	// Any other error may leave a claim behind. done is true, without a claim, when the record is done already.
	Claim(ctx context.Context, eventID string, until time.Time) (done bool, err error)
	// Done notes that a claimed record is done.
	Done(ctx context.Context, eventID string) error
	// Release gives a claim up, so that the record can be claimed anew.
	Release(ctx context.Context, eventID string) error
}

// longestInvocation is Lambda's largest timeout.
const longestInvocation = 15 * time.Minute

// once runs handle unless the store knows the record to be done. It gives whether it was.
func (p *processor) once(ctx context.Context, r *record, handle func() (outcome, error)) (outcome, error) {
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(longestInvocation)
	}
	id := r.part(r.eventID)
	known, err := p.store.Claim(ctx, id, until.Add(p.reserve))
	if err != nil {
		return failed, err
	}
	if known {
		return replayed, nil
	}
	var o outcome
	err = recovered(func() (err error) { o, err = handle(); return err })
	// What is done must be noted even if the time to handle more is over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(p.reserve, time.Second))
	defer cancel()
	if !o.finished() {
		if releaseErr := p.store.Release(ctx, id); releaseErr != nil {
			p.log(ctx, r, "claim not released; it ends by itself", releaseErr)
		}
		return o, err
	}
	if err := p.store.Done(ctx, id); err != nil {
		p.log(ctx, r, "stream record is done, and the store does not know", err)
	}
	return o, nil
}
