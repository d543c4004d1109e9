package streams

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
)

// Options say where a registry stands and how its streams behave.
type Options struct {
	// Account, Region and Clock are needed.
	Account, Region string
	Clock           clock.Clock
	// RollEvery is the age at which an open shard is closed and goes on in a child, which AWS does about every four hours; 0 means never.
	// It happens when the stream is used next, by a write or a reader.
	RollEvery time.Duration
	// SplitAbove is how many writes a shard takes within a second of the clock; with one more it is split so that each child gets a part
	// of them. 0 means any number. Writes of one partition key are never divided.
	SplitAbove int
	// Journal is told what happens to the streams; nil tells nobody.
	Journal Journal
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
	s := r.newStream(prefix+label, label, table, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal != nil {
		s.journal.OpenStream(StreamState{ARN: s.arn, Table: table, Created: now})
	}
	s.openShard("", 0, math.MaxUint64, now)
	r.streams[s.arn] = s
	return s
}

// newStream gives a stream without shards.
func (r *Registry) newStream(arn, label string, table engine.StreamTable, created time.Time) *Stream {
	s := &Stream{
		arn: arn, label: label, region: r.options.Region, table: table, created: created, clock: r.options.Clock,
		rollEvery: r.options.RollEvery, splitAbove: r.options.SplitAbove, journal: r.options.Journal,
	}
	for _, k := range table.Keys { // the partition key is the first
		s.keys = append(s.keys, k.Name)
	}
	return s
}

func labelOf(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000") }

// Lookup gives the stream with the ARN.
func (r *Registry) Lookup(arn string) (*Stream, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, found := r.streams[arn]
	if found && s.expired() {
		delete(r.streams, arn)
		return nil, false
	}
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
