package streams

import (
	"encoding/json"
	"slices"

	"streamgen/internal/local/streams"
)

type getShardIteratorInput struct {
	StreamArn         string
	ShardId           string
	ShardIteratorType streams.IteratorType
	SequenceNumber    string
}

type getShardIteratorOutput struct{ ShardIterator string }

func (s service) getShardIterator(in *getShardIteratorInput) (*getShardIteratorOutput, error) {
	err := check(
		required("streamArn", in.StreamArn), arnLength("streamArn", in.StreamArn),
		required("shardId", in.ShardId), shardIDLength("shardId", in.ShardId),
		required("shardIteratorType", string(in.ShardIteratorType)),
		oneOf("shardIteratorType", in.ShardIteratorType,
			streams.AfterSequenceNumber, streams.LatestRecord, streams.AtSequenceNumber, streams.TrimHorizon),
		sequenceLength("sequenceNumber", in.SequenceNumber),
	)
	if err != nil {
		return nil, err
	}
	if err := checkARN(in.StreamArn); err != nil {
		return nil, err
	}
	numbered := in.ShardIteratorType == streams.AtSequenceNumber || in.ShardIteratorType == streams.AfterSequenceNumber
	switch {
	case numbered && in.SequenceNumber == "":
		return nil, validation("One or more parameter values were invalid: Invalid SequenceNumber")
	case !numbered && in.SequenceNumber != "":
		return nil, validation("One or more parameter values were invalid: SequenceNumber should not be passed for this iterator type")
	}
	stream, found := s.registry.Lookup(in.StreamArn)
	if !found {
		return nil, streams.NoStream(in.StreamArn)
	}
	token, err := stream.Iterator(in.ShardId, in.ShardIteratorType, in.SequenceNumber)
	return &getShardIteratorOutput{ShardIterator: token}, err
}

type getRecordsInput struct {
	ShardIterator string
	Limit         *int
}

type getRecordsOutput struct {
	records []json.RawMessage
	next    string // "" at the end of a closed shard
}

// AppendJSON implements [wire.Appender].
func (out *getRecordsOutput) AppendJSON(b []byte) []byte {
	size := 64 + len(out.next)
	for _, record := range out.records {
		size += len(record) + 1
	}
	b = append(slices.Grow(b, size), `{"Records":[`...)
	for i, record := range out.records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, record...)
	}
	b = append(b, ']')
	if out.next != "" { // which has no characters that JSON escapes
		b = append(b, `,"NextShardIterator":"`...)
		b = append(b, out.next...)
		b = append(b, '"')
	}
	return append(b, '}')
}

func (s service) getRecords(in *getRecordsInput) (*getRecordsOutput, error) {
	err := check(required("shardIterator", in.ShardIterator), length("shardIterator", in.ShardIterator, 1, 2048), positive(in.Limit))
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, streams.MaxRecords, "Limit should be less than or equal to 1000")
	if err != nil {
		return nil, err
	}
	records, next, err := s.registry.Records(in.ShardIterator, limit)
	return &getRecordsOutput{records: records, next: next}, err
}
