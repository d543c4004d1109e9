package expr

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/local/attr"
)

// Condition is a parsed ConditionExpression or FilterExpression.
type Condition struct{ root node }

// ParseCondition reads a ConditionExpression and resolves its placeholders. The error is an [*Error].
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
func ParseCondition(src string, s *Substitutions) (*Condition, error) {
	root, err := parseCondition(src, s)
	if err != nil {
		return nil, in("ConditionExpression", err)
	}
	return &Condition{root: root}, nil
}

// ParseFilter reads a FilterExpression, which is written as a ConditionExpression is. The error is an [*Error].
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.FilterExpression.html
func ParseFilter(src string, s *Substitutions) (*Condition, error) {
	root, err := parseCondition(src, s)
	if err != nil {
		return nil, in("FilterExpression", err)
	}
	return &Condition{root: root}, nil
}

func parseCondition(src string, s *Substitutions) (node, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	root := p.or()
	p.condition(root)
	p.expectEnd()
	if p.err != nil {
		return nil, p.err
	}
	if err := checkCondition(root, s); err != nil {
		return nil, err
	}
	return root, nil
}

// or, and, not and comparison give an operand instead of a condition when nothing follows the operand; whoever
// needs a condition then asks for one.
func (p *parser) or() node  { return p.chain("OR", p.and) }
func (p *parser) and() node { return p.chain("AND", p.not) }

func (p *parser) chain(operator string, next func() node) node {
	n := next()
	for p.is(operator) {
		p.condition(n)
		p.take()
		right := next()
		p.condition(right)
		n = &operatorNode{operator: operator, operands: []node{n, right}}
	}
	return n
}

func (p *parser) not() node {
	if !p.accept("NOT") {
		return p.comparison()
	}
	n := p.not()
	p.condition(n)
	return &operatorNode{operator: "NOT", operands: []node{n}}
}

func (p *parser) comparison() node {
	left := p.primary()
	if _, isCondition := bare(left).(*operatorNode); isCondition {
		return left
	}
	switch t := p.peek(); {
	case t.kind == symbol && slices.Contains([]string{"=", "<>", "<", "<=", ">", ">="}, t.text):
		p.take()
		return &operatorNode{operator: t.text, operands: []node{left, p.operand()}}
	case p.accept("BETWEEN"):
		low := p.operand()
		p.expect("AND")
		return &operatorNode{operator: "BETWEEN", operands: []node{left, low, p.operand()}}
	case p.accept("IN"):
		p.expect("(")
		n := &operatorNode{operator: "IN", operands: append([]node{left}, p.operands()...)}
		p.expect(")")
		return n
	default:
		return left
	}
}

// primary is an operand, or a whole condition in parentheses.
func (p *parser) primary() node {
	if !p.accept("(") {
		return p.operand()
	}
	inner := p.or()
	p.expect(")")
	return &parenNode{inner: inner}
}

// condition fails at the token at hand when n is a path or a value and cannot stand as a condition.
func (p *parser) condition(n node) {
	switch bare(n).(type) {
	case *pathNode, *valueNode:
		p.fail()
	}
}

// conditionFunctions are the functions of conditions and how many operands each has.
var conditionFunctions = map[string]int{
	"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2, "size": 1,
}

// checkCondition makes the service's checks in the service's order.
func checkCondition(root node, s *Substitutions) error {
	if err := checkForm([]node{root}); err != nil {
		return err
	}
	if err := checkPlaces(root, true, conditionFunction); err != nil {
		return err
	}
	if err := checkPaths([]node{root}); err != nil {
		return err
	}
	for _, leaf := range leaves(root) {
		if err := checkLeaf(leaf, s); err != nil {
			return err
		}
	}
	return nil
}

// leaves are the comparisons and functions that AND, OR and NOT join.
func leaves(n node) []node {
	n = bare(n)
	op, ok := n.(*operatorNode)
	if !ok || !op.isLogical() {
		return []node{n}
	}
	var all []node
	for _, operand := range op.operands {
		all = append(all, leaves(operand)...)
	}
	return all
}

// conditionFunction refuses unknown functions, size where a condition belongs, and any other where an operand belongs.
func conditionFunction(call *callNode, asCondition bool) error {
	if _, known := conditionFunctions[call.function]; !known {
		return unknownFunction(call)
	}
	if (call.function == "size") == asCondition {
		return misplacedFunction(call)
	}
	return nil
}

// checkLeaf resolves a comparison's or function's placeholders and checks its operands.
func checkLeaf(leaf node, s *Substitutions) error {
	if err := resolve(leaf, s); err != nil {
		return err
	}
	var err error
	walk(leaf, func(n node) {
		if err != nil {
			return
		}
		switch n := n.(type) {
		case *callNode:
			err = checkCall(n)
		case *operatorNode:
			err = checkComparison(n)
		}
	})
	return err
}

func checkCall(n *callNode) error {
	if want := conditionFunctions[n.function]; len(n.args) != want {
		return wrongCount(n)
	}
	if err := checkDistinct(n.function, n.args); err != nil {
		return err
	}
	switch n.function {
	case "attribute_exists", "attribute_not_exists":
		return requirePath(n)
	case "attribute_type":
		return checkAttributeType(n.args[1])
	case "begins_with":
		return requireTypes(n.function, n.args, attr.S, attr.B)
	case "size":
		return requireTypes(n.function, n.args, attr.S, attr.B, attr.M, attr.L, attr.SS, attr.NS, attr.BS)
	default:
		return nil
	}
}

func wrongCount(n *callNode) error {
	return errorf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", n.function, len(n.args))
}

func requirePath(n *callNode) error {
	if _, ok := bare(n.args[0]).(*pathNode); !ok {
		return errorf("Operator or function requires a document path; operator or function: %s", n.function)
	}
	return nil
}

func wrongType(operator, given string) error {
	return errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", operator, given)
}

// requireTypes checks those operands whose type is known before an item is at hand.
func requireTypes(operator string, operands []node, allowed ...attr.Type) error {
	for _, operand := range operands {
		if t := typeOf(operand); t != 0 && !slices.Contains(allowed, t) {
			return wrongType(operator, t.String())
		}
	}
	return nil
}

func checkAttributeType(n node) error {
	v, ok := bare(n).(*valueNode)
	if !ok {
		return wrongType("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if v.value.Type() != attr.S {
		return wrongType("attribute_type", v.value.Type().String())
	}
	if _, known := attr.ParseType(v.value.Text()); !known {
		return errorf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", v.value.Text())
	}
	return nil
}

// checkDistinct refuses to compare a path with itself.
func checkDistinct(operator string, operands []node) error {
	first, ok := bare(operands[0]).(*pathNode)
	if !ok {
		return nil
	}
	for _, operand := range operands[1:] {
		if other, ok := bare(operand).(*pathNode); ok && slices.Equal(first.path, other.path) {
			return errorf("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", operator, first.path)
		}
	}
	return nil
}

func checkComparison(n *operatorNode) error {
	if n.operator == "IN" && len(n.operands)-1 > maxInOperands {
		return errorf("The IN operator is provided with too many operands; number of operands: %d", len(n.operands)-1)
	}
	if err := checkDistinct(n.operator, n.operands); err != nil {
		return err
	}
	switch n.operator {
	case "<", "<=", ">", ">=":
		return requireTypes(n.operator, n.operands, attr.S, attr.N, attr.B)
	case "BETWEEN":
		if err := checkBounds(n.operands[1], n.operands[2]); err != nil {
			return err
		}
		return requireTypes(n.operator, n.operands, attr.S, attr.N, attr.B)
	default:
		return nil
	}
}

func checkBounds(low, high node) error {
	lower, ok := bare(low).(*valueNode)
	if !ok {
		return nil
	}
	upper, ok := bare(high).(*valueNode)
	if !ok {
		return nil
	}
	var fault string
	switch order, _ := attr.Compare(lower.value, upper.value); {
	case lower.value.Type() != upper.value.Type():
		fault = "same data type for lower and upper bounds"
	case order > 0:
		fault = "upper bound to be greater than or equal to lower bound"
	default:
		return nil
	}
	return errorf("The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
		fault, show(lower.value), show(upper.value))
}

// show is a value as the service's errors have it.
func show(v attr.Value) string {
	text := v.Text()
	switch v.Type() {
	case attr.B:
		text = base64.StdEncoding.EncodeToString([]byte(text))
	case attr.BOOL, attr.NULL:
		text = strconv.FormatBool(v.Truth() || v.Type() == attr.NULL)
	case attr.SS, attr.NS, attr.BS:
		var members []string
		for _, m := range v.Members() {
			one := show(m)
			members = append(members, one[strings.Index(one, ":")+1:len(one)-1])
		}
		text = strings.Join(members, ",")
	}
	return "{" + v.Type().String() + ":" + text + "}"
}

// Attributes are the item's attributes with which the condition's paths begin, in the order of the expression.
func (c *Condition) Attributes() []string {
	var names []string
	for _, n := range pathsIn([]node{c.root}) {
		names = append(names, n.path[0].Name)
	}
	return names
}

// Nested are the attributes through which the condition's paths lead further.
func (c *Condition) Nested() []string { return nested([]node{c.root}) }

// Holds reports whether the condition is true of the item; nil stands for no item.
func (c *Condition) Holds(item attr.Item) bool { return holds(c.root, item) }

func holds(n node, item attr.Item) bool {
	switch n := bare(n).(type) {
	case *callNode:
		return n.holds(item)
	case *operatorNode:
		return n.holds(item)
	default:
		return false
	}
}

func (n *callNode) holds(item attr.Item) bool {
	v := evaluate(n.args[0], item)
	switch n.function {
	case "attribute_exists":
		return !v.IsZero()
	case "attribute_not_exists":
		return v.IsZero()
	case "attribute_type":
		return v.Type().String() == evaluate(n.args[1], item).Text()
	case "begins_with":
		return beginsWith(v, evaluate(n.args[1], item))
	case "contains":
		return v.Contains(evaluate(n.args[1], item))
	default:
		return false
	}
}

func (n *operatorNode) holds(item attr.Item) bool {
	switch n.operator {
	case "AND":
		return holds(n.operands[0], item) && holds(n.operands[1], item)
	case "OR":
		return holds(n.operands[0], item) || holds(n.operands[1], item)
	case "NOT":
		return !holds(n.operands[0], item)
	}
	left, right := evaluate(n.operands[0], item), evaluate(n.operands[1], item)
	switch n.operator {
	case "=":
		return equal(left, right)
	case "<>":
		return !equal(left, right)
	case "IN":
		return slices.ContainsFunc(n.operands[1:], func(operand node) bool { return equal(left, evaluate(operand, item)) })
	case "BETWEEN":
		return ordered(left, ">=", right) && ordered(left, "<=", evaluate(n.operands[2], item))
	default:
		return ordered(left, n.operator, right)
	}
}

func beginsWith(v, prefix attr.Value) bool {
	return (v.Type() == attr.S || v.Type() == attr.B) && v.Type() == prefix.Type() && strings.HasPrefix(v.Text(), prefix.Text())
}

// equal is false of what does not exist, even of both.
func equal(v, w attr.Value) bool { return !v.IsZero() && v.Equal(w) }

func ordered(v attr.Value, operator string, w attr.Value) bool {
	order, ok := attr.Compare(v, w)
	if !ok {
		return false
	}
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}
