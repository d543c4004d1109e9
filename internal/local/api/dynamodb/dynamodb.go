// Package dynamodb is the local stack's front end for DynamoDB's API: it checks requests, hands them to package engine
// and writes its answers. It holds no state.
//
// An input struct lists every member that is honoured; any other is refused by name, see [wire.DecodeStrict].
package dynamodb

import (
	"context"
	"errors"
	"net/http"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/control"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

type service struct {
	engine   *engine.Engine
	policies control.ResourcePolicies
}

// New gives the handler of DynamoDB's API for one account and region.
func New(e *engine.Engine, policies control.ResourcePolicies) http.Handler {
	s := service{e, policies}
	return &wire.JSON{
		Version:  "1.0",
		Target:   "DynamoDB_20120810",
		Checksum: true,
		MaxBody:  16 << 20,
		Operations: map[string]wire.Operation{
			"BatchGetItem":                        operation("BatchGetItem", s.batchGetItem),
			"BatchWriteItem":                      operation("BatchWriteItem", s.batchWriteItem),
			"CreateBackup":                        operation("CreateBackup", s.createBackup),
			"CreateTable":                         operation("CreateTable", s.createTable),
			"DeleteBackup":                        operation("DeleteBackup", s.deleteBackup),
			"DeleteItem":                          operation("DeleteItem", s.deleteItem),
			"DeleteResourcePolicy":                operation("DeleteResourcePolicy", s.deleteResourcePolicy),
			"DeleteTable":                         operation("DeleteTable", s.deleteTable),
			"DescribeBackup":                      operation("DescribeBackup", s.describeBackup),
			"DescribeContinuousBackups":           operation("DescribeContinuousBackups", s.describeContinuousBackups),
			"DescribeContributorInsights":         operation("DescribeContributorInsights", s.describeContributorInsights),
			"DescribeEndpoints":                   wire.Typed("DescribeEndpoints", describeEndpoints),
			"DescribeKinesisStreamingDestination": operation("DescribeKinesisStreamingDestination", s.describeKinesisStreamingDestination),
			"DescribeLimits":                      operation("DescribeLimits", s.describeLimits),
			"DescribeTable":                       operation("DescribeTable", s.describeTable),
			"DescribeTimeToLive":                  operation("DescribeTimeToLive", s.describeTimeToLive),
			"GetItem":                             operation("GetItem", s.getItem),
			"GetResourcePolicy":                   operation("GetResourcePolicy", s.getResourcePolicy),
			"ListBackups":                         operation("ListBackups", s.listBackups),
			"ListContributorInsights":             operation("ListContributorInsights", s.listContributorInsights),
			"ListTables":                          operation("ListTables", s.listTables),
			"ListTagsOfResource":                  operation("ListTagsOfResource", s.listTagsOfResource),
			"PutItem":                             operation("PutItem", s.putItem),
			"PutResourcePolicy":                   operation("PutResourcePolicy", s.putResourcePolicy),
			"Query":                               operation("Query", s.query),
			"RestoreTableFromBackup":              operation("RestoreTableFromBackup", s.restoreTableFromBackup),
			"Scan":                                operation("Scan", s.scan),
			"TagResource":                         operation("TagResource", s.tagResource),
			"TransactGetItems":                    operation("TransactGetItems", s.transactGetItems),
			"TransactWriteItems":                  operation("TransactWriteItems", s.transactWriteItems),
			"UntagResource":                       operation("UntagResource", s.untagResource),
			"UpdateContinuousBackups":             operation("UpdateContinuousBackups", s.updateContinuousBackups),
			"UpdateContributorInsights":           operation("UpdateContributorInsights", s.updateContributorInsights),
			"UpdateItem":                          operation("UpdateItem", s.updateItem),
			"UpdateTable":                         operation("UpdateTable", s.updateTable),
			"UpdateTimeToLive":                    operation("UpdateTimeToLive", s.updateTimeToLive),
		},
	}
}

// operation is [wire.Typed] with the engine's errors put into the wire's form.
func operation[In, Out any](name string, f func(*In) (*Out, error)) wire.Operation {
	return wire.Typed(name, func(_ context.Context, in *In) (*Out, error) {
		out, err := f(in)
		var failed *engine.Error
		if errors.As(err, &failed) {
			return nil, wireError(failed)
		}
		return out, err
	})
}

func wireError(failed *engine.Error) error {
	e := wire.Errorf(failed.Code, "%s", failed.Message)
	if failed.Item != nil {
		e.Fields = map[string]any{"Item": failed.Item}
	}
	if failed.Reasons != nil {
		reasons := make([]cancellationReason, len(failed.Reasons))
		for i, r := range failed.Reasons {
			reasons[i] = cancellationReason{Code: r.Code, Message: r.Message, Item: r.Item}
		}
		e.Fields = map[string]any{"CancellationReasons": reasons}
	}
	return e
}

type cancellationReason struct {
	Code    string
	Item    attr.Item `json:",omitempty"`
	Message string    `json:",omitempty"`
}
