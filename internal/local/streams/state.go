package streams

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"streamgen/internal/local/engine"
)

// StreamState is all there is to a stream, as plain values. [Registry.State] gives it and [Restore] takes it.
type StreamState struct {
	ARN     string
	Table   engine.StreamTable
	Created time.Time
	// Disabled is zero while the stream is enabled.
	Disabled time.Time
	// Shards are in the order of their IDs.
	Shards []ShardState
}

// ShardState is all there is to a shard.
type ShardState struct {
	// ParentID is "" for a shard that has none. The parent may be trimmed.
	ID, ParentID string
	// LowHash and HighHash bound the hashes of the shard's partition keys, both included.
	LowHash, HighHash uint64
	// First is before the shard's first record, End after its last: 0 while it is open.
	First, End uint64
	Opened     time.Time
	// Closed is zero while the shard is open.
	Closed time.Time
	// Trimmed is the latest record that is gone, 0 when all are there.
	Trimmed uint64
	// Records are in the order of their sequence numbers.
	Records []RecordState
}

// RecordState is a record: its sequence number, and the change as far as the stream's view type shows it.
type RecordState struct {
	Sequence uint64
	Change   engine.Change
}

// Journal is told of all that happens to a registry's streams but for what the clock alone brings about: that records, shards and
// streams are trimmed. Each call is made under the stream's lock, in the order of what happened, and before anybody can see that it
// did; AppendRecord is called under the table's lock as well. A journal must not call the registry.
type Journal interface {
	// OpenStream tells of a new stream, which has no shards yet.
	OpenStream(StreamState)
	// CloseStream tells that a stream is disabled. Its shards were closed before.
	CloseStream(streamARN string, at time.Time)
	// OpenShard tells of a new shard, which has no records yet. When it has a parent, that was closed before.
	OpenShard(streamARN string, shard ShardState)
	// CloseShard tells that a shard gets no more records. end is its [ShardState.End].
	CloseShard(streamARN, shardID string, end uint64, at time.Time)
	// AppendRecord tells of a shard's new record.
	AppendRecord(streamARN, shardID string, record RecordState)
}

// state tells of a shard but for its records.
func (sh *shard) state() ShardState {
	return ShardState{
		ID: sh.id, ParentID: sh.parent, LowHash: sh.low, HighHash: sh.high, First: uint64(sh.first), End: uint64(sh.end),
		Opened: sh.opened, Closed: sh.closed, Trimmed: uint64(sh.history.trimmed),
	}
}

// State gives what [Restore] makes an equal registry from. Each stream is as it stood at a moment between the first and the last.
func (r *Registry) State() []StreamState {
	streams := r.List("")
	states := make([]StreamState, len(streams))
	for i, s := range streams {
		states[i] = s.State()
	}
	return states
}

// State gives the stream as it stands. Its changes' items are shared and must not be written to.
func (s *Stream) State() StreamState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.clock.Now())
	state := StreamState{ARN: s.arn, Table: s.table, Created: s.created, Disabled: s.disabled}
	for _, sh := range s.shards {
		shard := sh.state()
		for _, r := range sh.history.all() {
			change := r.change
			change.Keys = r.image().Pick(s.keys...)
			shard.Records = append(shard.Records, RecordState{Sequence: uint64(r.sequence), Change: change})
		}
		state.Shards = append(state.Shards, shard)
	}
	return state
}

// Restore gives a registry with these streams, of which the journal is not told again. It is an error when they are none that
// [Registry.State] gave.
func Restore(o Options, states []StreamState) (*Registry, error) {
	r := New(o)
	for _, state := range states {
		if r.streams[state.ARN] != nil {
			return nil, fmt.Errorf("restoring stream %s: it is there twice", state.ARN)
		}
		s, err := r.restore(state)
		if err != nil {
			return nil, fmt.Errorf("restoring stream %s: %w", state.ARN, err)
		}
		r.streams[state.ARN] = s
	}
	return r, nil
}

func (r *Registry) restore(state StreamState) (*Stream, error) {
	_, label, found := strings.Cut(state.ARN, "/stream/")
	if !found {
		return nil, errors.New("it is no stream's ARN")
	}
	if len(state.Table.Keys) == 0 {
		return nil, errors.New("its table has no keys")
	}
	s := r.newStream(state.ARN, label, state.Table, state.Created)
	s.disabled = state.Disabled
	s.version = 1 // what is restored is news to every reader
	for _, shard := range state.Shards {
		sh, err := restoreShard(shard)
		if err != nil {
			return nil, fmt.Errorf("shard %s: %w", shard.ID, err)
		}
		if err := s.adopt(sh); err != nil {
			return nil, fmt.Errorf("shard %s: %w", shard.ID, err)
		}
	}
	return s, s.checkRanges()
}

func restoreShard(state ShardState) (*shard, error) {
	sh := &shard{
		id: state.ID, parent: state.ParentID, low: state.LowHash, high: state.HighHash, first: sequence(state.First), end: sequence(state.End),
		opened: state.Opened, closed: state.Closed, history: history{trimmed: sequence(state.Trimmed)},
	}
	last := max(sh.first, sh.history.trimmed)
	for _, r := range state.Records {
		if sequence(r.Sequence) <= last || sh.end != 0 && sequence(r.Sequence) >= sh.end {
			return nil, fmt.Errorf("record %s is out of order", sequence(r.Sequence))
		}
		last = sequence(r.Sequence)
		sh.add(last, r.Change)
	}
	return sh, nil
}

// adopt adds a shard that is younger than those there are.
func (s *Stream) adopt(sh *shard) error {
	newest, err := millisecondsOf(sh.id)
	if err != nil {
		return err
	}
	if newest <= s.newest {
		return errors.New("it is not in the order of the IDs")
	}
	s.newest = newest
	s.shards = append(s.shards, sh)
	s.last = max(s.last, sh.first, sh.end, sh.history.trimmed)
	if sh.end == 0 {
		s.open = append(s.open, sh)
	} else {
		s.expectAt(sh.closed.Add(Retention))
	}
	if at, found := sh.history.oldest(); found {
		s.expectAt(at.Add(Retention))
		last := sh.history.chunks[len(sh.history.chunks)-1]
		s.last = max(s.last, last[len(last)-1].sequence)
	}
	return nil
}

// checkRanges says what is wrong with the open shards, which together must have every hash once, or none when the stream is disabled.
func (s *Stream) checkRanges() error {
	if !s.disabled.IsZero() {
		if len(s.open) > 0 {
			return fmt.Errorf("it is disabled, but shard %s is open", s.open[0].id)
		}
		return nil
	}
	slices.SortFunc(s.open, func(a, b *shard) int { return cmp.Compare(a.low, b.low) })
	next := uint64(0)
	for i, sh := range s.open {
		if sh.low != next || sh.high < sh.low || i > 0 && next == 0 {
			return fmt.Errorf("shard %s overlaps another one or leaves a gap", sh.id)
		}
		next = sh.high + 1
	}
	if len(s.open) == 0 || next != 0 {
		return errors.New("its open shards do not have every hash")
	}
	return nil
}
