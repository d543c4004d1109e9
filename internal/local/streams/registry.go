package streams

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
)

// Options say where a registry stands. All are needed.
type Options struct {
	Account, Region string
	Clock           clock.Clock
}

// Registry holds the streams of one account in one region: those that are enabled, and those disabled within the
// retention. It is safe for concurrent use.
type Registry struct {
	options Options

	mu      sync.Mutex
	streams map[string]*Stream // by ARN
}

// New gives a registry without streams.
func New(o Options) *Registry {
	return &Registry{options: o, streams: map[string]*Stream{}}
}

// Open implements [engine.Streams].
func (r *Registry) Open(table engine.StreamTable) engine.Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	prefix := "arn:aws:dynamodb:" + r.options.Region + ":" + r.options.Account + ":table/" + table.Name + "/stream/"
	now := r.options.Clock.Now()
	label := labelOf(now)
	for t := now; r.streams[prefix+label] != nil; label = labelOf(t) {
		t = t.Add(time.Millisecond) // two streams of a table in one millisecond
	}
	s := &Stream{
		arn: prefix + label, label: label, region: r.options.Region,
		table: table, created: now, clock: r.options.Clock, changed: make(chan struct{}),
	}
	s.openShard("")
	r.streams[s.arn] = s
	return s
}

func labelOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000") }

// Lookup gives the stream with the ARN.
func (r *Registry) Lookup(arn string) (*Stream, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	s, found := r.streams[arn]
	return s, found
}

// List gives the streams of a table, or of all tables for "", in the order of their ARNs.
func (r *Registry) List(table string) []*Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget()
	var all []*Stream
	for _, s := range r.streams {
		if table == "" || s.table.Name == table {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b *Stream) int { return cmp.Compare(a.arn, b.arn) })
	return all
}

// forget drops streams that were disabled too long ago.
func (r *Registry) forget() {
	for arn, s := range r.streams {
		if s.expired() {
			delete(r.streams, arn)
		}
	}
}
