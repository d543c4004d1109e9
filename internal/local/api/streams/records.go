package streams

import (
	"encoding/json"

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
	if in.StreamArn == "" {
		return nil, validation("Invalid StreamArn")
	}
	if in.ShardId == "" {
		return nil, validation("No ShardId specified.")
	}
	if err := checkShardID("shardId", in.ShardId); err != nil {
		return nil, err
	}
	switch in.ShardIteratorType {
	case streams.TrimHorizon, streams.LatestRecord:
		if in.SequenceNumber != "" {
			return nil, validation("One or more parameter values were invalid: SequenceNumber should not be passed for this iterator type")
		}
	case streams.AtSequenceNumber, streams.AfterSequenceNumber:
		if in.SequenceNumber == "" {
			return nil, validation("One or more parameter values were invalid: Invalid SequenceNumber")
		}
		if err := checkSequenceNumber(in.SequenceNumber); err != nil {
			return nil, err
		}
	default:
		return nil, validation("Invalid ShardIteratorType.")
	}
	stream, found := s.registry.Lookup(in.StreamArn)
	if !found {
		return nil, streams.NoStream(in.StreamArn)
	}
	token, err := stream.Iterator(in.ShardId, in.ShardIteratorType, in.SequenceNumber)
	return &getShardIteratorOutput{ShardIterator: token}, err
}

func checkSequenceNumber(number string) error {
	const least, most = 21, 40
	switch {
	case len(number) < least:
		return constraintError(number, "sequenceNumber", "Member must have length greater than or equal to 21")
	case len(number) > most:
		return constraintError(number, "sequenceNumber", "Member must have length less than or equal to 40")
	default:
		return nil
	}
}

type getRecordsInput struct {
	ShardIterator string
	Limit         *int
}

type getRecordsOutput struct {
	Records           []json.RawMessage
	NextShardIterator string `json:",omitempty"` // absent at the end of a closed shard
}

func (s service) getRecords(in *getRecordsInput) (*getRecordsOutput, error) {
	limit, err := limitOf(in.Limit, streams.MaxRecords, "Limit should be less than or equal to 1000")
	if err != nil {
		return nil, err
	}
	records, next, err := s.registry.Records(in.ShardIterator, limit)
	if records == nil {
		records = []json.RawMessage{}
	}
	return &getRecordsOutput{Records: records, NextShardIterator: next}, err
}
