// Package streams holds the change streams of tables: shards with their lineage, sequence numbers, iterators and the
// retention of a day. It takes the changes that package engine makes and serves two kinds of readers: the Streams API,
// by iterators, and the event source mappings, which keep their own place.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
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

func fail(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Stream is one stream of a table, from its being enabled to a day after its being disabled. It is safe for concurrent use.
type Stream struct {
	arn, label, region string
	table              engine.StreamTable
	created            time.Time
	clock              clock.Clock

	mu       sync.Mutex
	disabled time.Time // zero while enabled
	shards   []*shard  // lineage order; all but the last are closed, and the last too when the stream is disabled
	last     sequence  // the latest that was given away
	version  uint64    // counts what a reader may want to know of
	changed  chan struct{}
}

// shard is a part of the stream. first is before its first record, end after its last.
type shard struct {
	id, parent string
	first, end sequence // end is 0 while the shard is open
	closed     time.Time
	records    []record
	trimmed    sequence // the latest record that is gone; 0 when all are there
}

// record is a change in the stream.
type record struct {
	sequence sequence
	change   engine.Change
	size     int
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
	ID string
	// ParentID is "" for a shard that has none.
	ParentID string
	// Closed shards get no more records.
	Closed bool
	// First is the sequence number with which the shard starts, Last the one with which it ends, "" while it is open.
	First, Last string
}

// ARN is the stream's Amazon Resource Name, which ends in its label.
func (s *Stream) ARN() string { return s.arn }

// Label is the stream's time of creation, which tells it from other streams of the table.
func (s *Stream) Label() string { return s.label }

// Append implements [engine.ChangeSink].
func (s *Stream) Append(c engine.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.disabled.IsZero() {
		return
	}
	c = s.view(c)
	open := s.shards[len(s.shards)-1]
	open.records = append(open.records, record{sequence: s.take(), change: c, size: c.Keys.Size() + c.Old.Size() + c.New.Size()})
	s.trim()
	s.announce()
}

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
	close(s.changed)
	s.changed = make(chan struct{})
}

// Close implements [engine.Stream]: it disables the stream.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.disabled.IsZero() {
		return
	}
	s.disabled = s.clock.Now()
	s.closeShard()
	s.announce()
}

func (s *Stream) closeShard() {
	open := s.shards[len(s.shards)-1]
	open.end = s.take()
	open.closed = s.clock.Now()
}

func (s *Stream) openShard(parent string) {
	first := s.take()
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %d", s.arn, first) // a hash's Write never fails
	id := fmt.Sprintf("shardId-%020d-%08x", s.clock.Now().UnixMilli(), h.Sum32())
	s.shards = append(s.shards, &shard{id: id, parent: parent, first: first})
}

// Roll closes the open shard and opens a child of it, as AWS does every few hours. It does nothing to a disabled stream.
func (s *Stream) Roll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.disabled.IsZero() {
		return
	}
	parent := s.shards[len(s.shards)-1].id
	s.closeShard()
	s.openShard(parent)
	s.announce()
}

// expired reports whether the stream is disabled for longer than the retention.
func (s *Stream) expired() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.disabled.IsZero() && s.clock.Now().Sub(s.disabled) >= Retention
}

// trim drops what is older than the retention. It is called whenever the stream is used.
func (s *Stream) trim() {
	horizon := s.clock.Now().Add(-Retention)
	for _, sh := range s.shards {
		n := 0
		for n < len(sh.records) && !sh.records[n].change.At.After(horizon) {
			n++
		}
		if n > 0 {
			sh.trimmed = sh.records[n-1].sequence
			clear(sh.records[:n])
			sh.records = sh.records[n:]
		}
	}
	s.shards = slices.DeleteFunc(s.shards, func(sh *shard) bool { return sh.end != 0 && !sh.closed.After(horizon) })
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

func (s *Stream) infos() []ShardInfo {
	s.trim()
	infos := make([]ShardInfo, len(s.shards))
	for i, sh := range s.shards {
		infos[i] = ShardInfo{ID: sh.id, ParentID: sh.parent, Closed: sh.end != 0, First: sh.first.String()}
		if sh.end != 0 {
			infos[i].Last = sh.end.String()
		}
	}
	return infos
}

func (s *Stream) find(shardID string) (*shard, bool) {
	s.trim()
	i := slices.IndexFunc(s.shards, func(sh *shard) bool { return sh.id == shardID })
	if i < 0 {
		return nil, false
	}
	return s.shards[i], true
}

// after gives the records with a greater sequence number.
func (sh *shard) after(n sequence) []record {
	i, _ := slices.BinarySearchFunc(sh.records, n+1, func(r record, n sequence) int { return r.sequence.compare(n) })
	return sh.records[i:]
}

// page takes up to limit records, no more of them than have the given size together, but one in any case.
func page(records []record, limit, bytes int) []record {
	records = records[:min(limit, len(records))]
	size := 0
	for i, r := range records {
		if size += r.size; i > 0 && size > bytes {
			return records[:i]
		}
	}
	return records
}

// Record is a record as Lambda delivers it.
type Record struct {
	SequenceNumber              string
	ApproximateCreationDateTime time.Time
	// JSON is the whole record.
	JSON json.RawMessage
}

// Shards are the shards of the stream.
func (s *Stream) Shards() []ShardInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.infos()
}

// Latest is the sequence number after which the records that are still to come begin; "" for an unknown shard.
func (s *Stream) Latest(shardID string) (after string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, found := s.find(shardID)
	if !found {
		return ""
	}
	return s.latest(sh).String()
}

func (s *Stream) latest(sh *shard) sequence {
	if sh.end != 0 {
		return sh.end
	}
	return s.last
}

// maxReadBytes bounds what one Read gives. It is the 6 MB that an invocation takes and more than the largest record, so that a reader
// who gets a part of what there is has a full batch.
const maxReadBytes = 8 << 20

// Read gives up to limit records with a greater sequence number than after, "" standing for the beginning; records that are gone
// are passed over. There may be more at once: one Read gives about 8 MB. closed says that no record follows these, ever.
func (s *Stream) Read(shardID, after string, limit int) (records []Record, closed bool, err error) {
	var from sequence
	if after != "" {
		if from, err = parseSequence(after); err != nil {
			return nil, false, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, found := s.find(shardID)
	if !found {
		return nil, false, noShard(shardID, s.arn)
	}
	rest := sh.after(from)
	for _, r := range page(rest, limit, maxReadBytes) {
		records = append(records, Record{
			SequenceNumber:              r.sequence.String(),
			ApproximateCreationDateTime: creationTime(r.change.At),
			JSON:                        s.render(&r, forLambda),
		})
	}
	return records, sh.end != 0 && len(records) == len(rest), nil
}

// Wait returns when there is something that a reader who has seen an earlier version does not know: a record, a shard, or that
// a shard is closed. It gives the version to wait on next; a new reader begins with 0. The error is the context's.
func (s *Stream) Wait(ctx context.Context, seen uint64) (version uint64, err error) {
	for {
		s.mu.Lock()
		version, changed := s.version, s.changed
		s.mu.Unlock()
		if version != seen {
			return version, ctx.Err()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return seen, ctx.Err()
		}
	}
}

func noShard(shardID, arn string) error {
	return fail("ResourceNotFoundException", "Requested resource not found: Shard: %s in Stream: %s not found", shardID, arn)
}

// creationTime is rounded down to the second, as stream records have it.
func creationTime(t time.Time) time.Time { return t.Truncate(time.Second) }
