package dynamodb

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/expr"
	"streamgen/internal/local/wire"
)

// The legacy parameters are what requests had before there were expressions. The engine takes both for the same conditions, updates
// and projections.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html

// legacyCondition are the legacy parameters of a write's condition.
type legacyCondition struct {
	ConditionalOperator string
	Expected            map[string]expectation
}

// expectation is an ExpectedAttributeValue.
type expectation struct {
	comparison
	Exists *bool
	Value  json.RawMessage
}

// comparison is a Condition as QueryFilter, ScanFilter and KeyConditions have it.
type comparison struct {
	AttributeValueList []json.RawMessage // nil when there is none
	ComparisonOperator *string
}

// attributeUpdate is an AttributeValueUpdate.
type attributeUpdate struct {
	Action string
	Value  json.RawMessage
}

func (c *legacyCondition) constraints() []constraint {
	constraints := []constraint{conditionalOperator(c.ConditionalOperator)}
	for _, name := range slices.Sorted(maps.Keys(c.Expected)) {
		if e := c.Expected[name]; e.ComparisonOperator != nil {
			constraints = append(constraints, e.constraint("expected."+name))
		}
	}
	return constraints
}

func conditionalOperator(value string) constraint {
	return oneOf("conditionalOperator", value, "OR", "AND")
}

func comparisonConstraints(member string, comparisons map[string]comparison) []constraint {
	var constraints []constraint
	for _, name := range slices.Sorted(maps.Keys(comparisons)) {
		constraints = append(constraints, comparisons[name].constraint(member+"."+name))
	}
	return constraints
}

// constraint wants one of the operators to be there.
func (c comparison) constraint(at string) constraint {
	at += ".member.comparisonOperator"
	if c.ComparisonOperator == nil {
		return required(at, false)
	}
	return oneOf(at, *c.ComparisonOperator, "IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE", "BEGINS_WITH",
		"GE", "CONTAINS")
}

func updateConstraints(updates map[string]attributeUpdate) []constraint {
	var constraints []constraint
	for _, name := range slices.Sorted(maps.Keys(updates)) {
		constraints = append(constraints, oneOf("attributeUpdates."+name+".member.action", updates[name].Action, "ADD", "PUT", "DELETE"))
	}
	return constraints
}

// attributesToGet wants a list that is there to have members.
func attributesToGet(member string, names []string) constraint {
	if names == nil {
		return func() string { return "" }
	}
	return length(member, "["+strings.Join(names, ", ")+"]", len(names), 1, 255)
}

// parameter says whether a request has the parameter of that name.
type parameter struct {
	name  string
	given bool
}

// notMixed refuses legacy parameters in a request with expressions.
func notMixed(legacy, expressions []parameter) error {
	given := func(parameters []parameter) string {
		var names []string
		for _, p := range parameters {
			if p.given {
				names = append(names, p.name)
			}
		}
		return strings.Join(names, ", ")
	}
	one, other := given(legacy), given(expressions)
	if one == "" || other == "" {
		return nil
	}
	return wire.Errorf("ValidationException", "Can not use both expression and non-expression parameters in the same request: "+
		"Non-expression parameters: {%s} Expression parameters: {%s}", one, other)
}

// checkConditionalOperator refuses a ConditionalOperator that joins nothing.
func checkConditionalOperator(operator string, comparisons int) error {
	switch {
	case operator == "" || comparisons > 1:
		return nil
	case comparisons == 0:
		return wire.Errorf("ValidationException", "ConditionalOperator cannot be used without Filter or Expected")
	default:
		return wire.Errorf("ValidationException", "ConditionalOperator can only be used when Filter or Expected has two or more elements")
	}
}

// expected gives the condition's form in package expr.
func (c *legacyCondition) expected() (expr.Expected, error) {
	expected := expr.Expected{Attributes: make(map[string]expr.Expectation, len(c.Expected)), Or: c.ConditionalOperator == "OR"}
	if err := checkConditionalOperator(c.ConditionalOperator, len(c.Expected)); err != nil {
		return expected, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Expected)) {
		in := c.Expected[name]
		out := expr.Expectation{Exists: in.Exists}
		var err error
		if out.Comparison, err = in.decode(name); err != nil {
			return expected, err
		}
		if out.Value, err = decodeLegacyValue(in.Value); err != nil {
			return expected, err
		}
		expected.Attributes[name] = out
	}
	return expected, nil
}

// decodeComparisons gives a filter's or a key condition's form in package expr; conditionalOperator is "" of the latter.
func decodeComparisons(comparisons map[string]comparison, conditionalOperator string) (expr.Comparisons, error) {
	decoded := expr.Comparisons{Attributes: make(map[string]expr.Comparison, len(comparisons)), Or: conditionalOperator == "OR"}
	for _, name := range slices.Sorted(maps.Keys(comparisons)) {
		c, err := comparisons[name].decode(name)
		if err != nil {
			return decoded, err
		}
		decoded.Attributes[name] = c
	}
	return decoded, nil
}

func (c comparison) decode(name string) (decoded expr.Comparison, err error) {
	if err := checkAttributeName(name); err != nil {
		return decoded, err
	}
	if c.ComparisonOperator != nil {
		decoded.Operator = *c.ComparisonOperator
	}
	if c.AttributeValueList != nil {
		decoded.Values = make([]attr.Value, len(c.AttributeValueList))
	}
	for i, raw := range c.AttributeValueList {
		if err := decoded.Values[i].UnmarshalJSON(raw); err != nil {
			return decoded, decodeError(err)
		}
	}
	return decoded, nil
}

func decodeUpdates(updates map[string]attributeUpdate) (expr.AttributeUpdates, error) {
	decoded := make(expr.AttributeUpdates, len(updates))
	for _, name := range slices.Sorted(maps.Keys(updates)) {
		if err := checkAttributeName(name); err != nil {
			return nil, err
		}
		v, err := decodeLegacyValue(updates[name].Value)
		if err != nil {
			return nil, err
		}
		decoded[name] = expr.AttributeUpdate{Action: updates[name].Action, Value: v}
	}
	return decoded, nil
}

// decodeLegacyValue decodes a value that may be missing: then it is the zero Value.
func decodeLegacyValue(raw json.RawMessage) (v attr.Value, err error) {
	if isNull(raw) {
		return v, nil
	}
	err = v.UnmarshalJSON(raw)
	return v, decodeError(err)
}

func checkAttributeName(name string) error {
	if name == "" {
		return wire.Errorf("ValidationException", "Empty attribute name")
	}
	return nil
}

// projectAttributes gives the projection on AttributesToGet, nil when the request has none.
func projectAttributes(names []string) (*expr.Projection, error) {
	if names == nil {
		return nil, nil
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return nil, wire.Errorf("ValidationException", "One or more parameter values were invalid: Duplicate value in attribute name: %s", name)
		}
		seen[name] = true
	}
	return expr.ProjectAttributes(names), nil
}

// legacyRead is what a query or scan filters and projects by legacy parameters; nil where it has none.
type legacyRead struct {
	filter     *expr.Condition
	projection *expr.Projection
}

// legacyFilter reads the filter of a query or scan, nil when it has none.
func (in *readInput) legacyFilter(filter map[string]comparison) (*expr.Condition, error) {
	if err := checkConditionalOperator(in.ConditionalOperator, len(filter)); err != nil {
		return nil, err
	}
	comparisons, err := decodeComparisons(filter, in.ConditionalOperator)
	if err != nil {
		return nil, err
	}
	return comparisons.Filter()
}

// legacy reads the query's filter and projection, in the order in which the service checks them.
func (in *queryInput) legacy() (read legacyRead, err error) {
	if read.filter, err = in.legacyFilter(in.QueryFilter); err != nil {
		return read, err
	}
	read.projection, err = projectAttributes(in.AttributesToGet)
	return read, err
}

// legacy reads the scan's projection and filter, in the order in which the service checks them.
func (in *scanInput) legacy() (read legacyRead, err error) {
	if read.projection, err = projectAttributes(in.AttributesToGet); err != nil {
		return read, err
	}
	read.filter, err = in.legacyFilter(in.ScanFilter)
	return read, err
}

// notMixed has one exception, as the service has: KeyConditions may stand beside other expressions than its own.
func (in *queryInput) notMixed() error {
	return notMixed([]parameter{
		{"AttributesToGet", in.AttributesToGet != nil},
		{"QueryFilter", in.QueryFilter != nil},
		{"ConditionalOperator", in.ConditionalOperator != ""},
		{"KeyConditions", in.KeyConditions != nil && in.KeyConditionExpression != nil},
	}, []parameter{
		{"ProjectionExpression", in.ProjectionExpression != nil},
		{"FilterExpression", in.FilterExpression != nil},
		{"KeyConditionExpression", in.KeyConditionExpression != nil},
	})
}

func (in *scanInput) notMixed() error {
	return notMixed([]parameter{
		{"AttributesToGet", in.AttributesToGet != nil},
		{"ScanFilter", in.ScanFilter != nil},
		{"ConditionalOperator", in.ConditionalOperator != ""},
	}, []parameter{
		{"ProjectionExpression", in.ProjectionExpression != nil},
		{"FilterExpression", in.FilterExpression != nil},
	})
}

// keyTests reads the query's condition on the key.
func (in *queryInput) keyTests(s *expr.Substitutions) ([]expr.KeyTest, error) {
	if in.KeyConditionExpression != nil {
		return expr.ParseKeyCondition(*in.KeyConditionExpression, s)
	}
	comparisons, err := decodeComparisons(in.KeyConditions, "")
	if err != nil {
		return nil, err
	}
	return comparisons.KeyTests()
}
