package streams

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The limits of reading by iterators.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
const (
	IteratorLife = 15 * time.Minute
	MaxRecords   = 1000
	maxPageBytes = 1 << 20
)

// IteratorType says where in a shard an iterator begins.
type IteratorType string

// The four types of iterator.
const (
	TrimHorizon         IteratorType = "TRIM_HORIZON"
	LatestRecord        IteratorType = "LATEST"
	AtSequenceNumber    IteratorType = "AT_SEQUENCE_NUMBER"
	AfterSequenceNumber IteratorType = "AFTER_SEQUENCE_NUMBER"
)

// iterator is a place in a shard: after a sequence number, 0 standing for the oldest record that is left.
type iterator struct {
	arn, shard string
	after      sequence
	issued     time.Time
}

// token is the iterator as clients get it: the stream's ARN and a part that means nothing to them.
func (it iterator) token() string {
	secret := fmt.Sprintf("%s|%d|%d", it.shard, it.after, it.issued.UnixMilli())
	return it.arn + "|1|" + base64.StdEncoding.EncodeToString([]byte(secret))
}

func parseIterator(token string) (it iterator, err error) {
	invalid := fail("ValidationException", "Invalid ShardIterator")
	parts := strings.Split(token, "|")
	if len(parts) != 3 || parts[1] != "1" {
		return it, invalid
	}
	secret, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return it, invalid
	}
	fields := strings.Split(string(secret), "|")
	if len(fields) != 3 {
		return it, invalid
	}
	after, errAfter := strconv.ParseUint(fields[1], 10, 64)
	issued, errIssued := strconv.ParseInt(fields[2], 10, 64)
	if errAfter != nil || errIssued != nil {
		return it, invalid
	}
	return iterator{arn: parts[0], shard: fields[0], after: sequence(after), issued: time.UnixMilli(issued)}, nil
}

// Iterator gives an iterator for a shard. number is for the two types that begin at a sequence number.
func (s *Stream) Iterator(shardID string, t IteratorType, number string) (token string, err error) {
	var n sequence
	if number != "" {
		if n, err = parseSequence(number); err != nil {
			return "", err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.settle(now)
	sh, found := s.find(shardID)
	if !found {
		return "", noShard(shardID, s.arn)
	}
	it := iterator{arn: s.arn, shard: shardID, issued: now}
	switch t {
	case LatestRecord:
		it.after = s.latest(sh)
	case AtSequenceNumber, AfterSequenceNumber:
		if n < sh.first || n == sh.first && sh.history.trimmed > 0 {
			return "", trimmed(number)
		}
		if n > s.latest(sh) {
			return "", fail("ValidationException", "Invalid SequenceNumber: %s", number)
		}
		it.after = n
		if t == AtSequenceNumber {
			it.after--
		}
		if it.after < sh.history.trimmed {
			return "", trimmed(number)
		}
	}
	return it.token(), nil
}

func trimmed(number string) error {
	return fail("TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard: sequence number %s", number)
}

// Records gives up to limit records, no more than a megabyte of them, each as JSON for the Streams API, and the
// iterator that goes on, "" at the end of a closed shard.
func (r *Registry) Records(token string, limit int) (records []json.RawMessage, next string, err error) {
	it, err := parseIterator(token)
	if err != nil {
		return nil, "", err
	}
	s, found := r.Lookup(it.arn)
	if !found {
		return nil, "", NoStream(it.arn)
	}
	return s.records(it, limit)
}

func (s *Stream) records(it iterator, limit int) (records []json.RawMessage, next string, err error) {
	page, next, err := s.iterate(it, limit)
	records = make([]json.RawMessage, len(page))
	for i := range page {
		records[i] = s.render(&page[i], forAPI)
	}
	return records, next, err
}

// iterate gives the records at an iterator and the iterator that goes on.
func (s *Stream) iterate(it iterator, limit int) (page []record, next string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if now.Sub(it.issued) >= IteratorLife {
		return nil, "", fail("ExpiredIteratorException", "Iterator expired. The iterator was created at time %s while right now it is %s which is further in the future than the tolerated delay of %d milliseconds.",
			it.issued.UTC().Format(time.RFC1123), now.UTC().Format(time.RFC1123), IteratorLife.Milliseconds())
	}
	s.settle(now)
	sh, found := s.find(it.shard)
	if !found || it.after != 0 && it.after < sh.history.trimmed { // there was a shard, or there were no iterator
		return nil, "", trimmed((it.after + 1).String())
	}
	page, more := sh.history.page(it.after, limit, maxPageBytes, s.size)
	if sh.end != 0 && !more {
		return page, "", nil
	}
	if len(page) > 0 {
		it.after = page[len(page)-1].sequence
	}
	it.issued = now
	return page, it.token(), nil
}

// NoStream is the error for an ARN that no stream has.
func NoStream(arn string) error {
	return fail("ResourceNotFoundException", "Requested resource not found: Stream: %s not found", arn)
}
