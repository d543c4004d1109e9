package streams

import (
	"slices"

	"streamgen/internal/local/streams"
	"streamgen/internal/local/wire"
)

type listStreamsInput struct {
	TableName               string
	ExclusiveStartStreamArn string
	Limit                   *int
}

type streamSummary struct{ StreamArn, StreamLabel, TableName string }

type listStreamsOutput struct {
	Streams                []streamSummary
	LastEvaluatedStreamArn string `json:",omitempty"`
}

const maxListed = 100 // streams or shards in an answer

func (s service) listStreams(in *listStreamsInput) (*listStreamsOutput, error) {
	err := check(tableName(in.TableName), positive(in.Limit), arnLength("exclusiveStartStreamArn", in.ExclusiveStartStreamArn))
	if err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, maxListed, "Limit cannot be greater than the maximum allowed size: 100")
	if err != nil {
		return nil, err
	}
	if in.ExclusiveStartStreamArn != "" {
		if err := checkARN(in.ExclusiveStartStreamArn); err != nil {
			return nil, err
		}
	}
	out := &listStreamsOutput{Streams: []streamSummary{}}
	for _, stream := range s.registry.List(in.TableName) {
		if stream.ARN() <= in.ExclusiveStartStreamArn {
			continue
		}
		if len(out.Streams) == limit {
			out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
			break
		}
		out.Streams = append(out.Streams, streamSummary{StreamArn: stream.ARN(), StreamLabel: stream.Label(), TableName: stream.Table().Name})
	}
	return out, nil
}

type describeStreamInput struct {
	StreamArn             string
	ExclusiveStartShardId string
	Limit                 *int
	ShardFilter           *shardFilter
}

type shardFilter struct{ ShardId, Type string }

type describeStreamOutput struct{ StreamDescription streamDescription }

type streamDescription struct {
	StreamArn, StreamLabel  string
	StreamStatus            streams.Status
	StreamViewType          string
	CreationRequestDateTime wire.EpochSeconds
	TableName               string
	KeySchema               []keySchemaElement
	Shards                  []shard
	LastEvaluatedShardId    string `json:",omitempty"`
}

type keySchemaElement struct {
	AttributeName string
	KeyType       string
}

type shard struct {
	ShardId             string
	SequenceNumberRange sequenceNumberRange
	ParentShardId       string `json:",omitempty"`
}

type sequenceNumberRange struct {
	StartingSequenceNumber string
	EndingSequenceNumber   string `json:",omitempty"`
}

func (s service) describeStream(in *describeStreamInput) (*describeStreamOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, maxListed, "Limit cannot be greater than the maximum allowed size: 100")
	if err != nil {
		return nil, err
	}
	stream, found := s.registry.Lookup(in.StreamArn)
	if !found {
		return nil, streams.NoStream(in.StreamArn)
	}
	d := stream.Describe()
	out := streamDescription{
		StreamArn: d.ARN, StreamLabel: d.Label, StreamStatus: d.Status, StreamViewType: d.Table.View,
		CreationRequestDateTime: wire.EpochSeconds(d.Created), TableName: d.Table.Name, Shards: []shard{},
	}
	for _, k := range d.Table.Keys {
		out.KeySchema = append(out.KeySchema, keySchemaElement{AttributeName: k.Name, KeyType: string(k.Role)})
	}
	for _, info := range in.after(d.Shards) {
		if len(out.Shards) == limit {
			out.LastEvaluatedShardId = out.Shards[limit-1].ShardId
			break
		}
		out.Shards = append(out.Shards, shard{
			ShardId: info.ID, ParentShardId: info.ParentID,
			SequenceNumberRange: sequenceNumberRange{StartingSequenceNumber: info.First, EndingSequenceNumber: info.Last},
		})
	}
	return &describeStreamOutput{StreamDescription: out}, nil
}

func (in *describeStreamInput) check() error {
	faults := []string{
		required("streamArn", in.StreamArn), arnLength("streamArn", in.StreamArn), positive(in.Limit),
		shardIDLength("exclusiveStartShardId", in.ExclusiveStartShardId),
	}
	if f := in.ShardFilter; f != nil {
		faults = append(faults,
			required("shardFilter.type", f.Type), oneOf("shardFilter.type", f.Type, "CHILD_SHARDS"),
			required("shardFilter.shardId", f.ShardId), shardIDLength("shardFilter.shardId", f.ShardId))
	}
	if err := check(faults...); err != nil {
		return err
	}
	return checkARN(in.StreamArn)
}

// after gives the shards that the request asks for: those after the starting one, which may be gone, and of them the filter's.
func (in *describeStreamInput) after(all []streams.ShardInfo) []streams.ShardInfo {
	return slices.DeleteFunc(all, func(info streams.ShardInfo) bool {
		return info.ID <= in.ExclusiveStartShardId || in.ShardFilter != nil && info.ParentID != in.ShardFilter.ShardId
	})
}
