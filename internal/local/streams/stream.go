// Package streams holds the change streams of tables: shards with their lineage, sequence numbers, iterators and the
// retention of a day. It takes the changes that package engine makes and serves two kinds of readers: the Streams API,
// by iterators, and the event source mappings, which keep their own place.
//
// All that a stream holds is in memory: a record of about a hundred bytes for each change of the last day, and the images that its view
// type shows, or the keys, some 450 bytes, when it shows none. A new image is the table's own item, and an old one was until then, so that
// a change keeps at most one version of an item that the table has no more. What is older than a day goes when its stream is used next, by
// a write or a reader.
//
// The service's limits on rates and on readers of a shard, and so LimitExceededException, are not emulated.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
package streams

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
)

// Retention is how long a record, a closed shard and a disabled stream stay readable.
const Retention = 24 * time.Hour

// Error is an answer of the Streams API that is no success.
type Error struct {
	// Code is the error's name on the wire, such as "TrimmedDataAccessException".
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// APIError gives what the error is called on the wire, and what clients show.
func (e *Error) APIError() (code, message string) { return e.Code, e.Message }

func fail(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Stream is one stream of a table, from its being enabled to a day after its being disabled. It is safe for concurrent use.
type Stream struct {
	arn, label, region string
	table              engine.StreamTable
	keys               []string // the names of the table's key attributes, the partition key's first
	created            time.Time
	clock              clock.Clock
	rollEvery          time.Duration
	splitAbove         int
	journal            Journal

	mu       sync.Mutex
	disabled time.Time // zero while enabled
	shards   []*shard  // in the order of their IDs, which is that of their opening
	open     []*shard  // in the order of their hashes: together they have them all, or none when the stream is disabled
	newest   int64     // the time in the ID of the shard that was opened last, in Unix milliseconds
	last     sequence  // the latest that was given away
	due      time.Time // when the next record or shard is too old; zero when there is none
	version  uint64    // counts what a reader may want to know of
	changed  chan struct{}
}

// Status is a stream's state as DescribeStream tells it: "ENABLED" or "DISABLED".
type Status string

// The states of a stream. The passing ones, ENABLING and DISABLING, are over before anybody can see them.
const (
	Enabled  Status = "ENABLED"
	Disabled Status = "DISABLED"
)

// Description tells of a stream as it stands.
type Description struct {
	ARN, Label string
	Table      engine.StreamTable
	Created    time.Time
	Status     Status
	Shards     []ShardInfo
}

// ShardInfo tells of a shard. A parent stands before its children.
type ShardInfo struct {
	// ID sorts behind those of older shards of the stream.
	ID string
	// ParentID is "" for a shard that has none. The parent may be trimmed already.
	ParentID string
	// Closed shards get no more records.
	Closed bool
	// First is the sequence number with which the shard starts, Last the one with which it ends, "" while it is open.
	First, Last string
	// LowHash and HighHash bound the hashes of the shard's partition keys, both included. AWS does not tell them.
	LowHash, HighHash uint64
}

// ARN is the stream's Amazon Resource Name, which ends in its label.
func (s *Stream) ARN() string { return s.arn }

// Label is the stream's time of creation, which tells it from other streams of the table.
func (s *Stream) Label() string { return s.label }

// Table is the table whose changes the stream has.
func (s *Stream) Table() engine.StreamTable { return s.table }

// Append implements [engine.ChangeSink].
func (s *Stream) Append(c engine.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.disabled.IsZero() {
		return
	}
	c = s.view(c)
	hash := hashOf(c.Keys[s.keys[0]])
	sh := s.openFor(hash)
	if s.aged(sh, c.At) {
		sh = s.roll(sh, c.At)
	}
	n := s.take()
	sh.add(n, c)
	s.expectAt(c.At.Add(Retention))
	if s.journal != nil {
		s.journal.AppendRecord(s.arn, sh.id, RecordState{Sequence: uint64(n), Change: c})
	}
	if s.splitAbove > 0 {
		sh.load.count(c.At, hash)
		s.relieve(sh, c.At)
	}
	if c.At.Sub(s.due) >= trimPause {
		s.trim(c.At)
	}
	s.announce()
}

// trimPause is how long records that are too old may lie there while nobody but writers uses the stream: to look at all shards for each
// record that comes and each that goes would take the writers' time.
const trimPause = time.Second

// view leaves of a change what the stream's view type shows.
func (s *Stream) view(c engine.Change) engine.Change {
	if s.table.View != "NEW_IMAGE" && s.table.View != "NEW_AND_OLD_IMAGES" {
		c.New = nil
	}
	if s.table.View != "OLD_IMAGE" && s.table.View != "NEW_AND_OLD_IMAGES" {
		c.Old = nil
	}
	return c
}

// take gives the next sequence number.
func (s *Stream) take() sequence {
	s.last++
	return s.last
}

// announce wakes those who wait.
func (s *Stream) announce() {
	s.version++
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Close implements [engine.Stream]: it disables the stream.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.disabled.IsZero() {
		return
	}
	s.disabled = s.clock.Now()
	for _, sh := range slices.Clone(s.open) {
		s.closeShard(sh, s.disabled)
	}
	if s.journal != nil {
		s.journal.CloseStream(s.arn, s.disabled)
	}
	s.announce()
}

// expired reports whether the stream is disabled for longer than the retention.
func (s *Stream) expired() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.disabled.IsZero() && s.clock.Now().Sub(s.disabled) >= Retention
}

// settle does what was due before a reader looks: shards that are old enough are rolled, and what is older than the retention goes.
func (s *Stream) settle(now time.Time) {
	if s.rollEvery > 0 {
		for _, sh := range slices.Clone(s.open) {
			if s.aged(sh, now) {
				s.roll(sh, now)
				s.announce()
			}
		}
	}
	s.trim(now)
}

func (s *Stream) aged(sh *shard, now time.Time) bool {
	return s.rollEvery > 0 && now.Sub(sh.opened) >= s.rollEvery
}

// expectAt notes when something will be too old.
func (s *Stream) expectAt(due time.Time) {
	if s.due.IsZero() || due.Before(s.due) {
		s.due = due
	}
}

// trim drops what is older than the retention.
func (s *Stream) trim(now time.Time) {
	if s.due.IsZero() || now.Before(s.due) {
		return
	}
	horizon := now.Add(-Retention)
	s.shards = slices.DeleteFunc(s.shards, func(sh *shard) bool { return sh.end != 0 && !sh.closed.After(horizon) })
	s.due = time.Time{}
	for _, sh := range s.shards {
		sh.history.trim(horizon)
		if at, found := sh.history.oldest(); found {
			s.expectAt(at.Add(Retention))
		} else if sh.end != 0 {
			s.expectAt(sh.closed.Add(Retention))
		}
	}
}

// Describe tells of the stream.
func (s *Stream) Describe() Description {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Enabled
	if !s.disabled.IsZero() {
		status = Disabled
	}
	return Description{ARN: s.arn, Label: s.label, Table: s.table, Created: s.created, Status: status, Shards: s.infos()}
}

// Shards are the shards of the stream that can still be read, in the order of their IDs.
func (s *Stream) Shards() []ShardInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.infos()
}

func (s *Stream) infos() []ShardInfo {
	s.settle(s.clock.Now())
	infos := make([]ShardInfo, len(s.shards))
	for i, sh := range s.shards {
		infos[i] = ShardInfo{ID: sh.id, ParentID: sh.parent, Closed: sh.end != 0, First: sh.first.String(), LowHash: sh.low, HighHash: sh.high}
		if sh.end != 0 {
			infos[i].Last = sh.end.String()
		}
	}
	return infos
}

func noShard(shardID, arn string) error {
	return fail("ResourceNotFoundException", "Requested resource not found: Shard: %s in Stream: %s not found", shardID, arn)
}
