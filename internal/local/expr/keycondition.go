package expr

import (
	"slices"

	"streamgen/internal/local/attr"
)

// KeyTest is one condition on a key attribute.
type KeyTest struct {
	// Name of the attribute.
	Name string
	// Operator is "=", "<", "<=", ">", ">=", "BETWEEN" or "begins_with"; "" only where [Comparisons.KeyTests] says so.
	Operator string
	// Values are the operator's operands: two of BETWEEN, otherwise one.
	Values []attr.Value
}

// Holds reports whether the value passes the test.
func (t KeyTest) Holds(v attr.Value) bool {
	switch t.Operator {
	case "=":
		return equal(v, t.Values[0])
	case "BETWEEN":
		return ordered(v, ">=", t.Values[0]) && ordered(v, "<=", t.Values[1])
	case "begins_with":
		return beginsWith(v, t.Values[0])
	default:
		return ordered(v, t.Operator, t.Values[0])
	}
}

// ParseKeyCondition reads a KeyConditionExpression into the tests that it joins by AND, each on another attribute. Whether they fit a
// key schema is for the caller to say. The error is an [*Error].
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
func ParseKeyCondition(src string, s *Substitutions) ([]KeyTest, error) {
	root, err := parseCondition(src, s)
	if err != nil {
		return nil, in("KeyConditionExpression", err)
	}
	var tests []KeyTest
	for _, part := range conjuncts(root) {
		test, err := keyTest(part)
		if err != nil {
			return nil, err
		}
		tests = append(tests, test)
	}
	return tests, in("KeyConditionExpression", checkOnePerKey(tests))
}

func checkOnePerKey(tests []KeyTest) error {
	for i, test := range tests {
		if slices.ContainsFunc(tests[:i], func(other KeyTest) bool { return other.Name == test.Name }) {
			return errorf("KeyConditionExpressions must only contain one condition per key")
		}
	}
	return nil
}

// conjuncts are the conditions that AND joins.
func conjuncts(n node) []node {
	n = bare(n)
	if op, ok := n.(*operatorNode); ok && op.operator == "AND" {
		return append(conjuncts(op.operands[0]), conjuncts(op.operands[1])...)
	}
	return []node{n}
}

// mirrored are the comparisons with their operands exchanged.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func keyTest(n node) (KeyTest, error) {
	var operator string
	var operands []node
	switch n := n.(type) {
	case *operatorNode:
		operator, operands = n.operator, slices.Clone(n.operands)
	case *callNode:
		operator, operands = n.function, slices.Clone(n.args)
	}
	_, comparison := mirrored[operator]
	if !comparison && operator != "BETWEEN" && operator != "begins_with" {
		return KeyTest{}, errorf("Invalid operator used in KeyConditionExpression: %s", operator)
	}
	if _, valueFirst := bare(operands[0]).(*valueNode); valueFirst {
		if !comparison {
			return KeyTest{}, errorf("Invalid condition in KeyConditionExpression: %s operator must have the key attribute as its first operand", operator)
		}
		slices.Reverse(operands)
		operator = mirrored[operator]
	}
	return keyTestOf(operator, operands)
}

// keyTestOf takes the operands apart: one path to a key attribute, then values.
func keyTestOf(operator string, operands []node) (KeyTest, error) {
	test := KeyTest{Operator: operator}
	for i, operand := range operands {
		switch operand := bare(operand).(type) {
		case *callNode:
			return KeyTest{}, errorf("KeyConditionExpressions cannot contain nested operations")
		case *pathNode:
			if i > 0 {
				return KeyTest{}, errorf("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
			}
			if len(operand.path) > 1 {
				return KeyTest{}, errorf("KeyConditionExpressions cannot have conditions on nested attributes")
			}
			test.Name = operand.path[0].Name
		case *valueNode:
			test.Values = append(test.Values, operand.value)
		}
	}
	if test.Name == "" {
		return KeyTest{}, errorf("Invalid condition in KeyConditionExpression: No key attribute specified")
	}
	return test, nil
}
