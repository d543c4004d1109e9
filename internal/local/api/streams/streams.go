// Package streams is the local stack's front end for DynamoDB Streams' API: it checks requests, hands them to the streams
// and writes their answers. It holds no state.
package streams

import (
	"context"
	"errors"
	"net/http"
	"strconv"

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

func validation(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

// constraintError words a rule on one member that a request breaks.
func constraintError(value, member, constraint string) error {
	return validation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

// limitOf gives a Limit, most when the request has none.
func limitOf(limit *int, most int, tooMany string) (int, error) {
	switch {
	case limit == nil:
		return most, nil
	case *limit < 1:
		return 0, constraintError(strconv.Itoa(*limit), "limit", "Member must have value greater than or equal to 1")
	case *limit > most:
		return 0, validation("One or more parameter values were invalid: %s", tooMany)
	default:
		return *limit, nil
	}
}

func checkShardID(member, id string) error {
	const least, most = 28, 65
	switch {
	case len(id) < least:
		return constraintError(id, member, "Member must have length greater than or equal to 28")
	case len(id) > most:
		return constraintError(id, member, "Member must have length less than or equal to 65")
	default:
		return nil
	}
}
