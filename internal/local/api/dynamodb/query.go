package dynamodb

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/expr"
	"streamgen/internal/local/wire"
)

// readInput is what Query and Scan have in common.
type readInput struct {
	placeholders
	TableName              string
	AttributesToGet        []string
	ConditionalOperator    string
	IndexName              *string
	ConsistentRead         bool
	ExclusiveStartKey      json.RawMessage
	FilterExpression       *string
	Limit                  *int
	ProjectionExpression   *string
	ReturnConsumedCapacity string
	Select                 engine.Select
}

type pageOutput struct {
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
	Count            int
	Items            *[]attr.Item `json:",omitempty"` // nil for Select COUNT
	LastEvaluatedKey attr.Item    `json:",omitempty"`
	ScannedCount     int
}

// constraints are the rules on single members, further ones of the operation among them.
func (in *readInput) constraints(further ...constraint) []constraint {
	all := []constraint{oneOf("select", in.Select, engine.SelectSpecific, engine.SelectCount, engine.SelectAll, engine.SelectProjected)}
	if in.IndexName != nil {
		all = append(all, matches("indexName", *in.IndexName), length("indexName", *in.IndexName, len(*in.IndexName), 3, 255))
	}
	all = append(all, oneOf("returnConsumedCapacity", in.ReturnConsumedCapacity, "INDEXES", "TOTAL", "NONE"), tableName(in.TableName),
		conditionalOperator(in.ConditionalOperator))
	return append(append(all, further...), between("limit", in.Limit, 1, -1), attributesToGet("attributesToGet", in.AttributesToGet))
}

// startKey decodes ExclusiveStartKey. Most faults of values name the parameter, those of numbers and sets do not.
func (in *readInput) startKey() (attr.Item, error) {
	if isNull(in.ExclusiveStartKey) {
		return nil, nil
	}
	var key attr.Item
	err := key.UnmarshalJSON(in.ExclusiveStartKey)
	var invalid *attr.ValueError
	if !errors.As(err, &invalid) {
		return key, decodeError(err)
	}
	for _, plain := range []string{"contains duplicates", "number set", "numeric value", "significant digits", "Number overflow", "Number underflow"} {
		if strings.Contains(invalid.Message, plain) {
			return nil, decodeError(err)
		}
	}
	return nil, wire.Errorf("ValidationException", "The provided starting key is invalid: %v", invalid)
}

// read gives the engine's form of the members, which the caller has checked one by one, and reads the last expressions of the request.
// legacy has the filter and the projection that the request gives without expressions.
func (in *readInput) read(start attr.Item, legacy legacyRead, s *expr.Substitutions) (r engine.Read, err error) {
	r = engine.Read{
		Table: in.TableName, Consistent: in.ConsistentRead, Start: start, Select: in.Select, Filter: legacy.filter, Projection: legacy.projection,
	}
	if in.IndexName != nil {
		r.Index = *in.IndexName
	}
	if in.Limit != nil {
		r.Limit = *in.Limit
	}
	if in.FilterExpression != nil {
		if r.Filter, err = expr.ParseFilter(*in.FilterExpression, s); err != nil {
			return r, err
		}
	}
	if in.ProjectionExpression != nil {
		if r.Projection, err = expr.ParseProjection(*in.ProjectionExpression, s); err != nil {
			return r, err
		}
	}
	if err := s.CheckUsed(); err != nil {
		return r, err
	}
	return r, in.checkSelect()
}

// checkSelect checks that Select fits the other members.
func (in *readInput) checkSelect() error {
	projects, parameter := in.ProjectionExpression != nil || in.AttributesToGet != nil, "ProjectionExpression"
	if in.AttributesToGet != nil {
		parameter = "AttributesToGet"
	}
	switch {
	case in.Select == engine.SelectSpecific && !projects:
		return wire.Errorf("ValidationException", "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case in.Select == engine.SelectCount && projects:
		return wire.Errorf("ValidationException", "Cannot specify the %s when choosing to get only the Count", parameter)
	case slices.Contains([]engine.Select{engine.SelectAll, engine.SelectProjected}, in.Select) && projects:
		return wire.Errorf("ValidationException", "Cannot specify the %s when choosing to get %s", parameter, in.Select)
	case in.Select == engine.SelectProjected && in.IndexName == nil:
		return wire.Errorf("ValidationException", "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	default:
		return nil
	}
}

func (in *readInput) output(page engine.Page) *pageOutput {
	out := &pageOutput{
		ConsumedCapacity: consumed(in.ReturnConsumedCapacity, page.Consumed), Count: page.Count, ScannedCount: page.Scanned, LastEvaluatedKey: page.Last,
	}
	if in.Select != engine.SelectCount {
		items := page.Items
		if items == nil {
			items = []attr.Item{}
		}
		out.Items = &items
	}
	return out
}

// invalidExpression gives an error of an expression its code.
func invalidExpression(err error) error {
	var invalid *expr.Error
	if errors.As(err, &invalid) {
		return wire.Errorf("ValidationException", "%v", invalid)
	}
	return err
}

type queryInput struct {
	readInput
	KeyConditions          map[string]comparison
	KeyConditionExpression *string
	QueryFilter            map[string]comparison
	ScanIndexForward       *bool
}

func (s service) query(in *queryInput) (*pageOutput, error) {
	q, err := in.query()
	if err != nil {
		return nil, invalidExpression(err)
	}
	page, err := s.engine.Query(q)
	if err != nil {
		return nil, err
	}
	return in.output(page), nil
}

// query makes the checks that need no table.
func (in *queryInput) query() (q engine.Query, err error) {
	if err := check(append(in.constraints(comparisonConstraints("queryFilter", in.QueryFilter)...),
		comparisonConstraints("keyConditions", in.KeyConditions)...)...); err != nil {
		return q, err
	}
	if err := in.notMixed(); err != nil {
		return q, err
	}
	usesValues := in.FilterExpression != nil || in.KeyConditionExpression != nil
	if err := in.allow("FilterExpression and KeyConditionExpression are", usesValues || in.ProjectionExpression != nil, usesValues); err != nil {
		return q, err
	}
	legacy, err := in.legacy()
	if err != nil {
		return q, err
	}
	start, err := in.startKey()
	if err != nil {
		return q, err
	}
	if in.KeyConditionExpression == nil && in.KeyConditions == nil {
		return q, wire.Errorf("ValidationException", "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	s, err := in.substitutions()
	if err != nil {
		return q, err
	}
	if q.Key, err = in.keyTests(s); err != nil {
		return q, err
	}
	q.Backward = in.ScanIndexForward != nil && !*in.ScanIndexForward
	q.QueryFilter = in.QueryFilter != nil
	q.Read, err = in.read(start, legacy, s)
	return q, err
}

type scanInput struct {
	readInput
	ScanFilter    map[string]comparison
	Segment       *int
	TotalSegments *int
}

func (s service) scan(in *scanInput) (*pageOutput, error) {
	scan, err := in.scan()
	if err != nil {
		return nil, invalidExpression(err)
	}
	page, err := s.engine.Scan(scan)
	if err != nil {
		return nil, err
	}
	return in.output(page), nil
}

// maxSegments is the most parts of a parallel scan. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
const maxSegments = 1_000_000

// scan makes the checks that need no table.
func (in *scanInput) scan() (scan engine.Scan, err error) {
	if err := check(append(in.constraints(
		between("totalSegments", in.TotalSegments, 1, maxSegments),
		between("segment", in.Segment, 0, maxSegments-1),
	), comparisonConstraints("scanFilter", in.ScanFilter)...)...); err != nil {
		return scan, err
	}
	if err := in.notMixed(); err != nil {
		return scan, err
	}
	usesValues := in.FilterExpression != nil
	if err := in.allow("FilterExpression is", usesValues || in.ProjectionExpression != nil, usesValues); err != nil {
		return scan, err
	}
	legacy, err := in.legacy()
	if err != nil {
		return scan, err
	}
	start, err := in.startKey()
	if err != nil {
		return scan, err
	}
	if scan.Segment, scan.Segments, err = in.segment(); err != nil {
		return scan, err
	}
	s, err := in.substitutions()
	if err != nil {
		return scan, err
	}
	scan.Read, err = in.read(start, legacy, s)
	return scan, err
}

func (in *scanInput) segment() (segment, segments int, err error) {
	switch {
	case in.Segment == nil && in.TotalSegments == nil:
		return 0, 0, nil
	case in.TotalSegments == nil:
		return 0, 0, wire.Errorf("ValidationException", "The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.Segment == nil:
		return 0, 0, wire.Errorf("ValidationException", "The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *in.Segment >= *in.TotalSegments:
		return 0, 0, wire.Errorf("ValidationException", "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d",
			*in.Segment, *in.TotalSegments)
	default:
		return *in.Segment, *in.TotalSegments, nil
	}
}
