package streams

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
)

// shard is a part of the stream: the changes of the items whose partition keys have hashes in a range.
type shard struct {
	id, parent string
	low, high  uint64   // the range of hashes, both ends included
	first, end sequence // before its first record and after its last; end is 0 while the shard is open
	opened     time.Time
	closed     time.Time
	history    history
	load       load
}

// add appends a change to the shard.
func (sh *shard) add(n sequence, c engine.Change) {
	if c.New != nil || c.Old != nil {
		c.Keys = nil
	}
	sh.history.add(record{sequence: n, change: c})
}

// load is what was written into a shard in a second.
type load struct {
	second    int64
	writes    int
	low, high uint64 // the least and the greatest hash of what was written
}

func (l *load) count(at time.Time, hash uint64) {
	if second := at.Unix(); second != l.second || l.writes == 0 {
		*l = load{second: second, low: hash, high: hash}
	}
	l.writes++
	l.low, l.high = min(l.low, hash), max(l.high, hash)
}

// hashOf spreads partition keys evenly, and the same in every process: shards may outlive one. It is FNV-1a, whose bits are mixed
// once more, because that alone leaves the upper ones of short keys alike.
// https://www.ietf.org/archive/id/draft-eastlake-fnv-21.html
func hashOf(key attr.Value) uint64 {
	h := uint64(14695981039346656037)
	text := key.Text()
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// openFor gives the open shard of a hash.
func (s *Stream) openFor(hash uint64) *shard {
	i, _ := slices.BinarySearchFunc(s.open, hash, func(sh *shard, hash uint64) int { return cmp.Compare(sh.high, hash) })
	return s.open[i]
}

// find gives a shard by its ID; IDs are in order.
func (s *Stream) find(id string) (*shard, bool) {
	i, found := slices.BinarySearchFunc(s.shards, id, func(sh *shard, id string) int { return cmp.Compare(sh.id, id) })
	if !found {
		return nil, false
	}
	return s.shards[i], true
}

// openShard opens a shard for a range of hashes that no open shard has.
func (s *Stream) openShard(parent string, low, high uint64, now time.Time) *shard {
	sh := &shard{parent: parent, low: low, high: high, first: s.take(), opened: now}
	s.newest = max(s.newest+1, now.UnixMilli()) // two shards of one millisecond must sort too
	sh.id = newShardID(s.newest, s.arn, sh.first)
	s.shards = append(s.shards, sh)
	i, _ := slices.BinarySearchFunc(s.open, low, func(sh *shard, low uint64) int { return cmp.Compare(sh.low, low) })
	s.open = slices.Insert(s.open, i, sh)
	if s.journal != nil {
		s.journal.OpenShard(s.arn, sh.state())
	}
	return sh
}

func newShardID(milliseconds int64, arn string, first sequence) string {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%s %s", arn, first) // a hash's Write never fails
	return fmt.Sprintf("shardId-%020d-%08x", milliseconds, h.Sum32())
}

// millisecondsOf is the time in a shard's ID.
func millisecondsOf(id string) (milliseconds int64, err error) {
	if _, err := fmt.Sscanf(id, "shardId-%020d-", &milliseconds); err != nil {
		return 0, fmt.Errorf("it is no shard's ID: %w", err)
	}
	return milliseconds, nil
}

func (s *Stream) closeShard(sh *shard, now time.Time) {
	sh.end, sh.closed = s.take(), now
	s.open = slices.DeleteFunc(s.open, func(open *shard) bool { return open == sh })
	s.expectAt(now.Add(Retention))
	if s.journal != nil {
		s.journal.CloseShard(s.arn, sh.id, uint64(sh.end), now)
	}
}

func (s *Stream) roll(sh *shard, now time.Time) *shard {
	s.closeShard(sh, now)
	return s.openShard(sh.id, sh.low, sh.high, now)
}

// split divides a shard after the hash, which is in its range and not the last there.
func (s *Stream) split(sh *shard, after uint64, now time.Time) (lower, upper *shard) {
	s.closeShard(sh, now)
	return s.openShard(sh.id, sh.low, after, now), s.openShard(sh.id, after+1, sh.high, now)
}

// Roll closes an open shard and opens a child of it, as AWS does every few hours, and gives the child's ID. A shard that is unknown
// or closed is an error, see [Error].
func (s *Stream) Roll(shardID string) (child string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.settle(now)
	sh, err := s.openShardByID(shardID)
	if err != nil {
		return "", err
	}
	defer s.announce()
	return s.roll(sh, now).id, nil
}

// Split closes an open shard and opens two children of it, each for a half of its hashes, as AWS does to a partition that is busy or
// large. It gives the IDs of the children. A shard that is unknown or closed is an error, see [Error].
func (s *Stream) Split(shardID string) (children [2]string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.settle(now)
	sh, err := s.openShardByID(shardID)
	if err != nil {
		return children, err
	}
	if sh.low == sh.high {
		return children, fail("ValidationException", "Shard: %s has a single hash and cannot be split", shardID)
	}
	defer s.announce()
	lower, upper := s.split(sh, sh.low+(sh.high-sh.low)/2, now)
	return [2]string{lower.id, upper.id}, nil
}

func (s *Stream) openShardByID(id string) (*shard, error) {
	sh, found := s.find(id)
	switch {
	case !found:
		return nil, noShard(id, s.arn)
	case sh.end != 0:
		return nil, fail("ValidationException", "Shard: %s in Stream: %s is closed", id, s.arn)
	default:
		return sh, nil
	}
}

// relieve splits the shard when this second's writes to it are more than one shard shall take, between the hashes that were written:
// each child gets a part of them. One key's writes stay together, however many they are.
func (s *Stream) relieve(sh *shard, now time.Time) {
	if l := sh.load; l.writes > s.splitAbove && l.low < l.high {
		s.split(sh, l.low+(l.high-l.low)/2, now)
	}
}

// latest is the sequence number after which what is still to come begins.
func (s *Stream) latest(sh *shard) sequence {
	if sh.end != 0 {
		return sh.end
	}
	return s.last
}
