package local

import (
	"context"
	"sync/atomic"

	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/streams"
)

// source is a table's stream as one mapping reads it.
type source struct {
	*streams.Stream
	settle func(context.Context) error
	seen   atomic.Uint64 // the version that the mapping was told of
}

func (s *source) Wait(ctx context.Context) error {
	version, err := s.Stream.Wait(ctx, s.seen.Load())
	s.seen.Store(version)
	return err
}

func (s *source) Shards() []esm.Shard {
	infos := s.Stream.Shards()
	shards := make([]esm.Shard, len(infos))
	for i, info := range infos {
		shards[i] = esm.Shard{ID: info.ID, ParentID: info.ParentID, Closed: info.Closed}
	}
	return shards
}

// Read gives no record that a crash could still take back: its function would have seen what never was.
func (s *source) Read(shardID, after string, limit int) ([]esm.Record, bool, error) {
	read, closed, err := s.Stream.Read(shardID, after, limit)
	if len(read) > 0 {
		if err := s.settle(context.Background()); err != nil {
			return nil, false, err
		}
	}
	records := make([]esm.Record, len(read))
	for i, r := range read {
		records[i] = esm.Record{SequenceNumber: r.SequenceNumber, Key: r.PartitionKey, ApproximateCreationDateTime: r.ApproximateCreationDateTime, JSON: r.JSON}
	}
	return records, closed, err
}

// sources finds the streams that mappings read.
func sources(registry *streams.Registry, settle func(context.Context) error) func(arn string) (esm.Source, bool) {
	return func(arn string) (esm.Source, bool) {
		stream, found := registry.Lookup(arn)
		if !found {
			return nil, false
		}
		return &source{Stream: stream, settle: settle}, true
	}
}

// invoker runs the functions that mappings invoke.
type invoker struct{ host *host.Host }

func (i invoker) Invoke(ctx context.Context, functionARN string, payload []byte) (esm.Result, error) {
	result, err := i.host.Invoke(withMapping(ctx), functionARN, payload)
	return esm.Result{Payload: result.Payload, FunctionError: result.FunctionError, RequestID: result.RequestID, ExecutedVersion: result.ExecutedVersion}, err
}
