package expr

import (
	"maps"
	"slices"

	"streamgen/internal/local/attr"
)

// invalidParameters is how errors of the legacy parameters begin.
const invalidParameters = "One or more parameter values were invalid: "

// Comparison is what QueryFilter, ScanFilter and KeyConditions say of one attribute.
type Comparison struct {
	// Operator is a ComparisonOperator, such as "EQ".
	Operator string
	// Values is the AttributeValueList.
	Values []attr.Value
}

// Comparisons are a QueryFilter, ScanFilter or KeyConditions: comparisons by the attributes' names.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
type Comparisons struct {
	Attributes map[string]Comparison
	// Or is ConditionalOperator OR: one of the comparisons is enough.
	Or bool
}

// Expectation is what Expected says of one attribute: a comparison, or the older form of Exists and Value.
type Expectation struct {
	// Comparison has no Operator in the older form. Values is nil when the request has no AttributeValueList.
	Comparison
	// Value stands for a list of one value; the zero Value when the request has none.
	Value attr.Value
	// Exists is nil when the request does not have it.
	Exists *bool
}

// Expected is the parameter of that name: expectations by the attributes' names.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.Expected.html
type Expected struct {
	Attributes map[string]Expectation
	// Or is ConditionalOperator OR: one of the expectations is enough.
	Or bool
}

// comparisonOperator says what a ComparisonOperator takes and what it is in an expression.
type comparisonOperator struct {
	least, most int
	types       []attr.Type // of the values; nil for all
	expression  string      // operator or function; "" for NOT_CONTAINS, which is none
	key         bool        // whether a key condition may have it
}

const anyNumber = 1<<31 - 1

var (
	scalarTypes = []attr.Type{attr.S, attr.N, attr.B}
	textTypes   = []attr.Type{attr.S, attr.B}
)

var comparisonOperators = map[string]comparisonOperator{
	"EQ":           {1, 1, nil, "=", true},
	"NE":           {1, 1, nil, "<>", false},
	"LE":           {1, 1, scalarTypes, "<=", true},
	"LT":           {1, 1, scalarTypes, "<", true},
	"GE":           {1, 1, scalarTypes, ">=", true},
	"GT":           {1, 1, scalarTypes, ">", true},
	"BETWEEN":      {2, 2, scalarTypes, "BETWEEN", true},
	"IN":           {1, anyNumber, scalarTypes, "IN", false},
	"BEGINS_WITH":  {1, 1, textTypes, "begins_with", true},
	"CONTAINS":     {1, 1, scalarTypes, "contains", false},
	"NOT_CONTAINS": {1, 1, scalarTypes, "", false},
	"NULL":         {0, 0, nil, "attribute_not_exists", false},
	"NOT_NULL":     {0, 0, nil, "attribute_exists", false},
}

// check makes the service's checks of the values in the service's order.
func (c Comparison) check() error {
	op, known := comparisonOperators[c.Operator]
	if n := len(c.Values); !known || n < op.least || n > op.most {
		return errorf(invalidParameters+"Invalid number of argument(s) for the %s ComparisonOperator", c.Operator)
	}
	for _, v := range c.Values {
		if v.Type() != c.Values[0].Type() {
			return errorf(invalidParameters + "AttributeValues inside AttributeValueList must be of same type")
		}
	}
	for _, v := range c.Values {
		if op.types != nil && !slices.Contains(op.types, v.Type()) {
			return errorf(invalidParameters+"ComparisonOperator %s is not valid for %s AttributeValue type", c.Operator, v.Type())
		}
	}
	if c.Operator == "BETWEEN" {
		if order, _ := attr.Compare(c.Values[0], c.Values[1]); order > 0 {
			return errorf("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
		}
	}
	return nil
}

// node is the comparison as an expression has it.
func (c Comparison) node(name string) node {
	operands := []node{&pathNode{path: Path{field(name)}}}
	for _, v := range c.Values {
		operands = append(operands, &valueNode{value: v})
	}
	op := comparisonOperators[c.Operator].expression
	switch _, isFunction := conditionFunctions[op]; {
	case c.Operator == "NOT_CONTAINS": // false, like CONTAINS, of an attribute that is not there
		return &operatorNode{operator: "AND", operands: []node{
			&callNode{function: "attribute_exists", args: operands[:1]},
			&operatorNode{operator: "NOT", operands: []node{&callNode{function: "contains", args: operands}}},
		}}
	case isFunction:
		return &callNode{function: op, args: operands}
	default:
		return &operatorNode{operator: op, operands: operands}
	}
}

// Filter gives the condition that the comparisons make, nil when there are none. The error is an [*Error].
func (c Comparisons) Filter() (*Condition, error) {
	var parts []node
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		if err := c.Attributes[name].check(); err != nil {
			return nil, err
		}
		parts = append(parts, c.Attributes[name].node(name))
	}
	return join(parts, c.Or), nil
}

// KeyTests gives the tests that KeyConditions make, in the order of the attributes' names. An operator that no key takes
// gives a test without one, which is for the caller to refuse. The error is an [*Error].
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.KeyConditions.html
func (c Comparisons) KeyTests() ([]KeyTest, error) {
	var tests []KeyTest
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		comparison := c.Attributes[name]
		if err := comparison.check(); err != nil {
			return nil, err
		}
		test := KeyTest{Name: name, Values: comparison.Values}
		if op := comparisonOperators[comparison.Operator]; op.key {
			test.Operator = op.expression
		}
		tests = append(tests, test)
	}
	if len(tests) != 1 && len(tests) != 2 {
		return nil, errorf("Conditions can be of length 1 or 2 only")
	}
	return tests, nil
}

// Condition gives the condition that the expectations make, nil when there are none. The error is an [*Error].
func (e Expected) Condition() (*Condition, error) {
	var parts []node
	for _, name := range slices.Sorted(maps.Keys(e.Attributes)) {
		comparison, err := e.Attributes[name].comparison(name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, comparison.node(name))
	}
	return join(parts, e.Or), nil
}

// comparison brings both forms of an expectation into that of a comparison.
func (e Expectation) comparison(name string) (Comparison, error) {
	hasValue, hasList := !e.Value.IsZero(), e.Values != nil
	if hasValue && hasList {
		return Comparison{}, errorf(invalidParameters+"Value and AttributeValueList cannot be used together for Attribute: %s", name)
	}
	if e.Operator == "" {
		return e.older(name)
	}
	comparison := e.Comparison
	if hasValue {
		comparison.Values = []attr.Value{e.Value}
	}
	switch {
	case e.Exists != nil:
		return comparison, errorf(invalidParameters+"Exists and ComparisonOperator cannot be used together for Attribute: %s", name)
	case !hasValue && !hasList && comparisonOperators[e.Operator].least > 0:
		return comparison, errorf(invalidParameters+"Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s", e.Operator, name)
	default:
		return comparison, comparison.check()
	}
}

// older reads the form without ComparisonOperator.
func (e Expectation) older(name string) (Comparison, error) {
	hasValue := !e.Value.IsZero()
	switch {
	case e.Values != nil:
		return Comparison{}, errorf(invalidParameters+"AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", name)
	case e.Exists != nil && !*e.Exists:
		if hasValue {
			return Comparison{}, errorf(invalidParameters+"Value cannot be used when Exists is false for Attribute: %s", name)
		}
		return Comparison{Operator: "NULL"}, nil
	case !hasValue:
		given := "null"
		if e.Exists != nil {
			given = "true"
		}
		return Comparison{}, errorf(invalidParameters+"Value must be provided when Exists is %s for Attribute: %s", given, name)
	default:
		return Comparison{Operator: "EQ", Values: []attr.Value{e.Value}}, nil
	}
}

// join makes one condition of the parts, nil of none.
func join(parts []node, or bool) *Condition {
	if len(parts) == 0 {
		return nil
	}
	operator := "AND"
	if or {
		operator = "OR"
	}
	return &Condition{root: balanced(operator, parts)}
}

// balanced keeps the tree flat: unlike an expression, a request's map of attributes has no limit but the request's own.
func balanced(operator string, parts []node) node {
	if len(parts) == 1 {
		return parts[0]
	}
	half := len(parts) / 2
	return &operatorNode{operator: operator, operands: []node{balanced(operator, parts[:half]), balanced(operator, parts[half:])}}
}
