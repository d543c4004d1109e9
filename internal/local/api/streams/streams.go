// Package streams is the local stack's front end for DynamoDB Streams' API: it checks requests, hands them to the streams
// and writes their answers. It holds no state.
package streams

import (
	"context"
	"errors"
	"net/http"

	"streamgen/internal/local/streams"
	"streamgen/internal/local/wire"
)

type service struct{ registry *streams.Registry }

// New gives the handler of DynamoDB Streams' API for one account and region.
func New(r *streams.Registry) http.Handler {
	s := service{registry: r}
	return &wire.JSON{
		Version: "1.0",
		Target:  "DynamoDBStreams_20120810",
		Operations: map[string]wire.Operation{
			"DescribeStream":   operation("DescribeStream", s.describeStream),
			"GetRecords":       operation("GetRecords", s.getRecords),
			"GetShardIterator": operation("GetShardIterator", s.getShardIterator),
			"ListStreams":      operation("ListStreams", s.listStreams),
		},
	}
}

// operation is [wire.Typed] with the registry's errors put into the wire's form.
func operation[In, Out any](name string, f func(*In) (*Out, error)) wire.Operation {
	return wire.Typed(name, func(_ context.Context, in *In) (*Out, error) {
		out, err := f(in)
		var failed *streams.Error
		if errors.As(err, &failed) {
			return nil, wire.Errorf(failed.Code, "%s", failed.Message)
		}
		return out, err
	})
}
