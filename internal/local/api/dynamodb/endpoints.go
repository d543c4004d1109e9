package dynamodb

import (
	"context"

	"streamgen/internal/local/wire"
)

type endpoint struct {
	Address              string
	CachePeriodInMinutes int
}

type describeEndpointsOutput struct{ Endpoints []endpoint }

// describeEndpoints sends whoever discovers endpoints back to where the request came to. A day is what AWS lets it be kept.
func describeEndpoints(ctx context.Context, _ *struct{}) (*describeEndpointsOutput, error) {
	return &describeEndpointsOutput{Endpoints: []endpoint{{Address: wire.HostFrom(ctx), CachePeriodInMinutes: 1440}}}, nil
}

type kinesisStreamingDestinations struct {
	KinesisDataStreamDestinations []struct{}
	TableName                     string
}

// describeKinesisStreamingDestination finds none: none can be enabled.
func (s service) describeKinesisStreamingDestination(in *tableInput) (*kinesisStreamingDestinations, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	d, err := s.engine.DescribeTable(in.TableName)
	return &kinesisStreamingDestinations{KinesisDataStreamDestinations: []struct{}{}, TableName: d.Name}, err
}
