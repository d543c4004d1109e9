package dynamodb

import (
	"encoding/json"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/wire"
)

// readInput is what Query and Scan have in common.
type readInput struct {
	TableName              string
	ConsistentRead         bool // every read is
	ExclusiveStartKey      json.RawMessage
	Limit                  *int
	ReturnConsumedCapacity string
	Select                 string
}

type pageOutput struct {
	Count            int
	Items            *[]attr.Item `json:",omitempty"` // nil for Select COUNT
	LastEvaluatedKey attr.Item    `json:",omitempty"`
	ScannedCount     int
}

func (in *readInput) read(operation string) (r engine.Read, err error) {
	if err := check(
		tableName(in.TableName),
		between("limit", in.Limit, 1, -1),
		oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"),
		oneOf("select", in.Select, "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"),
	); err != nil {
		return r, err
	}
	if err := noConsumedCapacity(operation, in.ReturnConsumedCapacity); err != nil {
		return r, err
	}
	switch in.Select {
	case "SPECIFIC_ATTRIBUTES":
		return r, wire.Errorf("ValidationException", "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case "ALL_PROJECTED_ATTRIBUTES":
		return r, wire.Errorf("ValidationException", "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	r.Table = in.TableName
	if in.Limit != nil {
		r.Limit = *in.Limit
	}
	r.Start, err = decodeItem(in.ExclusiveStartKey)
	return r, err
}

func (in *readInput) output(page engine.Page) *pageOutput {
	out := &pageOutput{Count: len(page.Items), ScannedCount: len(page.Items), LastEvaluatedKey: page.Last}
	if in.Select != "COUNT" {
		items := page.Items
		if items == nil {
			items = []attr.Item{}
		}
		out.Items = &items
	}
	return out
}

type queryInput struct {
	readInput
	KeyConditionExpression    *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues json.RawMessage
	ScanIndexForward          *bool
}

func (s service) query(in *queryInput) (*pageOutput, error) {
	read, err := in.read("Query")
	if err != nil {
		return nil, err
	}
	if in.KeyConditionExpression == nil {
		return nil, wire.Errorf("ValidationException", "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	values, err := decodeValues(in.ExpressionAttributeValues)
	if err != nil {
		return nil, err
	}
	page, err := s.engine.Query(engine.Query{
		Read: read, KeyCondition: *in.KeyConditionExpression, Names: in.ExpressionAttributeNames, Values: values,
		Backward: in.ScanIndexForward != nil && !*in.ScanIndexForward,
	})
	if err != nil {
		return nil, err
	}
	return in.output(page), nil
}

type scanInput struct{ readInput }

func (s service) scan(in *scanInput) (*pageOutput, error) {
	read, err := in.read("Scan")
	if err != nil {
		return nil, err
	}
	page, err := s.engine.Scan(read)
	if err != nil {
		return nil, err
	}
	return in.output(page), nil
}
