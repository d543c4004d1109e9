package streams

import (
	"context"
	"encoding/json"
	"time"
)

// Record is a record as Lambda delivers it.
type Record struct {
	SequenceNumber string
	// PartitionKey is the item's, as text.
	PartitionKey                string
	ApproximateCreationDateTime time.Time
	// JSON is the whole record.
	JSON json.RawMessage
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

// Len is how many records can be read.
func (s *Stream) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.clock.Now())
	n := 0
	for _, sh := range s.shards {
		n += sh.history.len()
	}
	return n
}

// maxReadBytes bounds what one Read gives. It is the 6 MB that an invocation takes and more than the largest record, so that a reader
// who gets a part of what there is has a full batch.
const maxReadBytes = 8 << 20

// Read gives up to limit records with a greater sequence number than after, "" standing for the beginning; records that are gone
// are passed over. There may be more at once: one Read gives about 8 MB. closed says that no record follows these, ever, which is so
// of a shard that is trimmed or was never there, too.
func (s *Stream) Read(shardID, after string, limit int) (records []Record, closed bool, err error) {
	var from sequence
	if after != "" {
		if from, err = parseSequence(after); err != nil {
			return nil, false, err
		}
	}
	page, closed := s.readPage(shardID, from, limit)
	records = make([]Record, len(page))
	for i := range page {
		records[i] = Record{
			SequenceNumber:              page[i].sequence.String(),
			PartitionKey:                page[i].image()[s.keys[0]].Text(),
			ApproximateCreationDateTime: creationTime(page[i].change.At),
			JSON:                        s.render(&page[i], forLambda),
		}
	}
	return records, closed, nil
}

func (s *Stream) readPage(shardID string, from sequence, limit int) (page []record, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle(s.clock.Now())
	sh, found := s.find(shardID)
	if !found {
		return nil, true
	}
	page, more := sh.history.page(from, limit, maxReadBytes, s.size)
	return page, sh.end != 0 && !more
}

// Wait returns when there is something that a reader who has seen an earlier version does not know: a record, a shard, or that
// a shard is closed. It gives the version to wait on next; a new reader begins with 0. The error is the context's.
func (s *Stream) Wait(ctx context.Context, seen uint64) (version uint64, err error) {
	for {
		version, changed := s.news(seen)
		if changed == nil {
			return version, ctx.Err()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return seen, ctx.Err()
		}
	}
}

// news gives the version, and when it is the one that was seen, a channel that is closed at the next.
func (s *Stream) news(seen uint64) (version uint64, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version != seen {
		return s.version, nil
	}
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.version, s.changed
}

// creationTime is rounded down to the second, as stream records have it.
func creationTime(t time.Time) time.Time { return t.Truncate(time.Second) }
