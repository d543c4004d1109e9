// Package streams is the local stack's front end for DynamoDB Streams' API: it checks requests, hands them to the streams
// and writes their answers. It holds no state.
package streams

import (
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
			"DescribeStream":   wire.Func("DescribeStream", s.describeStream),
			"GetRecords":       wire.Func("GetRecords", s.getRecords),
			"GetShardIterator": wire.Func("GetShardIterator", s.getShardIterator),
			"ListStreams":      wire.Func("ListStreams", s.listStreams),
		},
	}
}
