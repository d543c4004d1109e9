package streams

import (
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
	limit, err := limitOf(in.Limit, maxListed, "Limit cannot be greater than the maximum allowed size: 100")
	if err != nil {
		return nil, err
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
		d := stream.Describe()
		out.Streams = append(out.Streams, streamSummary{StreamArn: d.ARN, StreamLabel: d.Label, TableName: d.Table.Name})
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
	if in.StreamArn == "" {
		return nil, validation("Invalid StreamArn")
	}
	limit, err := limitOf(in.Limit, maxListed, "Limit cannot be greater than the maximum allowed size: 100")
	if err != nil {
		return nil, err
	}
	if in.ExclusiveStartShardId != "" {
		if err := checkShardID("exclusiveStartShardId", in.ExclusiveStartShardId); err != nil {
			return nil, err
		}
	}
	if err := in.ShardFilter.check(); err != nil {
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

// after gives the shards that the request asks for: those after the starting one, and of them the filter's.
func (in *describeStreamInput) after(all []streams.ShardInfo) []streams.ShardInfo {
	for i, info := range all {
		if info.ID == in.ExclusiveStartShardId {
			all = all[i+1:]
			break
		}
	}
	if in.ShardFilter == nil {
		return all
	}
	var children []streams.ShardInfo
	for _, info := range all {
		if info.ParentID == in.ShardFilter.ShardId {
			children = append(children, info)
		}
	}
	return children
}

func (f *shardFilter) check() error {
	switch {
	case f == nil:
		return nil
	case f.Type != "CHILD_SHARDS":
		return constraintError(f.Type, "shardFilter.type", "Member must satisfy enum value set: [CHILD_SHARDS]")
	default:
		return checkShardID("shardFilter.shardId", f.ShardId)
	}
}
