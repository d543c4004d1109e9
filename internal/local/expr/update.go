package expr

import (
	"maps"
	"slices"

	"streamgen/internal/local/attr"
)

// Update is a parsed UpdateExpression.
type Update struct{ actions []action }

// action is one clause of a section: SET path = operand, REMOVE path, ADD path value or DELETE path value.
type action struct {
	section string
	path    *pathNode
	operand node // nil for REMOVE
	legacy  bool // is of AttributeUpdates, whose ADD takes lists and which words a wrong type in its own way
}

// ParseUpdate reads an UpdateExpression and resolves its placeholders. The error is an [*Error].
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
func ParseUpdate(src string, s *Substitutions) (*Update, error) {
	u, err := parseUpdate(src, s)
	return u, in("UpdateExpression", err)
}

func parseUpdate(src string, s *Substitutions) (*Update, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	u := &Update{}
	var sections []string
	for more := true; more; more = p.err == nil && p.peek().kind != eof {
		sections = append(sections, u.section(p))
	}
	if p.err != nil {
		return nil, p.err
	}
	if err := u.check(sections, s); err != nil {
		return nil, err
	}
	return u, nil
}

// section reads one section and gives its keyword.
func (u *Update) section(p *parser) string {
	for _, keyword := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if !p.accept(keyword) {
			continue
		}
		u.actions = append(u.actions, p.action(keyword))
		for p.accept(",") {
			u.actions = append(u.actions, p.action(keyword))
		}
		return keyword
	}
	p.fail()
	return ""
}

func (p *parser) action(section string) action {
	a := action{section: section, path: p.path()}
	switch section {
	case "SET":
		p.expect("=")
		a.operand = p.assigned()
	case "ADD", "DELETE":
		t := p.peek()
		if t.kind != valueToken {
			p.fail()
		}
		p.take()
		a.operand = &valueNode{placeholder: t.text}
	}
	return a
}

// assigned is the right side of SET: an operand, or two of them joined by + or -; once, and not nested.
func (p *parser) assigned() node {
	var left node
	if p.accept("(") {
		inner := p.assigned()
		p.expect(")")
		left = &parenNode{inner: inner}
		if _, isSum := bare(inner).(*operatorNode); isSum {
			return left
		}
	} else {
		left = p.operand()
	}
	for _, operator := range []string{"+", "-"} {
		if p.accept(operator) {
			return &operatorNode{operator: operator, operands: []node{left, p.operand()}}
		}
	}
	return left
}

func (u *Update) check(sections []string, s *Substitutions) error {
	roots := u.roots()
	if err := checkForm(roots); err != nil {
		return err
	}
	for _, root := range roots {
		if err := checkPlaces(root, true, updateFunction); err != nil {
			return err
		}
	}
	for i, section := range sections {
		if slices.Contains(sections[:i], section) {
			return errorf("The \"%s\" section can only be used once in an update expression;", section)
		}
	}
	if err := checkPaths(roots); err != nil {
		return err
	}
	for _, a := range u.actions {
		if err := resolve(a.path, s); err != nil {
			return err
		}
	}
	if err := checkOverlap(u.Paths()); err != nil {
		return err
	}
	for _, a := range slices.Backward(u.actions) { // as the service does
		if err := a.check(s); err != nil {
			return err
		}
	}
	return nil
}

// updateFunction refuses functions that are none of SET's, and list_append as an operand: it stands alone.
func updateFunction(call *callNode, alone bool) error {
	switch call.function {
	case "if_not_exists":
		return nil
	case "list_append":
		if !alone {
			return misplacedFunction(call)
		}
		return nil
	}
	if _, found := conditionFunctions[call.function]; found {
		return errorf("The function is not allowed in an update expression; function: %s", call.function)
	}
	return unknownFunction(call)
}

// check resolves the operand and checks its type as far as it is known.
func (a action) check(s *Substitutions) error {
	if a.operand == nil {
		return nil
	}
	if err := resolve(a.operand, s); err != nil {
		return err
	}
	switch a.section {
	case "SET":
		return checkAssigned(a.operand)
	case "ADD":
		return a.requireOperand("ALLOWED_FOR_ADD_OPERAND", attr.N, attr.SS, attr.NS, attr.BS)
	default:
		return a.requireOperand("ALLOWED_FOR_DELETE_OPERAND", attr.SS, attr.NS, attr.BS)
	}
}

func (a action) requireOperand(typeSet string, allowed ...attr.Type) error {
	t := typeOf(a.operand)
	if slices.Contains(allowed, t) {
		return nil
	}
	long := map[attr.Type]string{
		attr.S: "STRING", attr.N: "NUMBER", attr.B: "BINARY", attr.BOOL: "BOOLEAN", attr.NULL: "NULL", attr.M: "MAP", attr.L: "LIST",
	}[t]
	return errorf("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: %s", a.section, long, typeSet)
}

func checkAssigned(n node) error {
	var err error
	walk(n, func(n node) {
		if err != nil {
			return
		}
		switch n := n.(type) {
		case *operatorNode:
			err = requireTypes(n.operator, n.operands, attr.N)
		case *callNode:
			switch {
			case len(n.args) != 2:
				err = wrongCount(n)
			case n.function == "if_not_exists":
				if err = requirePath(n); err == nil {
					err = checkDistinct(n.function, n.args)
				}
			default:
				err = requireTypes(n.function, n.args, attr.L)
			}
		}
	})
	return err
}

// Paths are the document paths that the update touches, in the order of the expression.
func (u *Update) Paths() []Path {
	paths := make([]Path, len(u.actions))
	for i, a := range u.actions {
		paths[i] = a.path.path
	}
	return paths
}

// Attributes are the item's attributes with which the update's paths begin, those that it reads too, in the order of the expression.
func (u *Update) Attributes() []string {
	var names []string
	for _, n := range pathsIn(u.roots()) {
		names = append(names, n.path[0].Name)
	}
	return names
}

// Types are the types that the update names, before an item is at hand, for attributes as a whole.
func (u *Update) Types() map[string]attr.Type {
	types := map[string]attr.Type{}
	for _, a := range u.actions {
		if t := assignedType(a.operand); t != 0 && len(a.path.path) == 1 {
			types[a.path.path[0].Name] = t
		}
	}
	return types
}

// assignedType is the type that an operand is known to have, zero when only an item tells.
func assignedType(n node) attr.Type {
	if n == nil {
		return 0
	}
	switch n := bare(n).(type) {
	case *operatorNode:
		return attr.N
	case *callNode:
		if n.function == "list_append" {
			return attr.L
		}
		return assignedType(n.args[1])
	default:
		return typeOf(n)
	}
}

// OnlyTakes reports whether the update sets nothing: all its clauses are REMOVE and DELETE.
func (u *Update) OnlyTakes() bool {
	return !slices.ContainsFunc(u.actions, func(a action) bool { return a.section == "SET" || a.section == "ADD" })
}

// Nested are the attributes through which the update's paths lead further.
func (u *Update) Nested() []string { return nested(u.roots()) }

func (u *Update) roots() []node {
	var roots []node
	for _, a := range u.actions {
		roots = append(roots, a.path)
		if a.operand != nil {
			roots = append(roots, a.operand)
		}
	}
	return roots
}

// Apply gives the item as the update leaves it; the given one stays as it is. Operands and list indexes mean the item
// before the update.
func (u *Update) Apply(item attr.Item) (attr.Item, error) {
	var root branch
	ends := make([]*branch, len(u.actions))
	for i, a := range u.actions {
		ends[i] = root.grow(a.path.path)
		ends[i].change.kind = keep
	}
	changes := make([]change, len(u.actions))
	for i, a := range u.actions {
		var err error
		if changes[i], err = a.change(item); err != nil {
			return nil, err
		}
	}
	if !root.fits(attr.Map(item)) {
		return nil, errorf("The document path provided in the update expression is invalid for update")
	}
	for i, c := range changes {
		ends[i].change = c
	}
	return root.apply(attr.Map(item)).Fields(), nil
}

// The service's words for an update that does not fit the item.
func errMissing() error {
	return errorf("The provided expression refers to an attribute that does not exist in the item")
}

func errOperand() error {
	return errorf("An operand in the update expression has an incorrect data type")
}

func (a action) change(item attr.Item) (change, error) {
	if a.section == "REMOVE" {
		return change{kind: remove}, nil
	}
	v, err := assign(a.operand, item)
	if err != nil {
		return change{}, err
	}
	if a.section == "SET" {
		return change{kind: put, value: v}, nil
	}
	old := a.path.path.lookup(item)
	switch {
	case old.IsZero() && a.section == "ADD":
		return change{kind: put, value: v}, nil
	case old.IsZero():
		return change{kind: keep}, nil
	case old.Type() != v.Type() && a.legacy:
		return change{}, errorf("Type mismatch for attribute to update")
	case old.Type() != v.Type():
		return change{}, errOperand()
	case a.section == "DELETE":
		return without(old, v), nil
	case v.Type() == attr.N:
		sum, err := attr.Add(old, v)
		return change{kind: put, value: sum}, err
	case v.Type() == attr.L:
		return change{kind: put, value: attr.List(slices.Concat(old.Elements(), v.Elements()))}, nil
	default:
		return change{kind: put, value: attr.Set(old.Type(), append(old.Members(), v.Members()...))}, nil
	}
}

// without takes the members of one set from another; an empty set cannot exist and goes.
func without(set, members attr.Value) change {
	left := slices.DeleteFunc(set.Members(), members.Contains)
	if len(left) == 0 {
		return change{kind: remove}
	}
	return change{kind: put, value: attr.Set(set.Type(), left)}
}

// assign evaluates what SET assigns.
func assign(n node, item attr.Item) (attr.Value, error) {
	switch n := bare(n).(type) {
	case *operatorNode:
		return calculate(n, item)
	case *callNode:
		if n.function == "list_append" {
			return appendLists(n, item)
		}
		// The second operand has to have a value even where the first one counts.
		fallback, err := assign(n.args[1], item)
		if v := evaluate(n.args[0], item); err == nil && !v.IsZero() {
			return v, nil
		}
		return fallback, err
	default:
		v := evaluate(n, item)
		if v.IsZero() {
			return attr.Value{}, errMissing()
		}
		return v, nil
	}
}

// both evaluates two operands that must be of one type.
func both(operands []node, item attr.Item, t attr.Type) (left, right attr.Value, err error) {
	if left, err = typed(operands[0], item, t); err != nil {
		return left, right, err
	}
	right, err = typed(operands[1], item, t)
	return left, right, err
}

func typed(n node, item attr.Item, t attr.Type) (attr.Value, error) {
	v, err := assign(n, item)
	if err == nil && v.Type() != t {
		err = errOperand()
	}
	return v, err
}

func calculate(n *operatorNode, item attr.Item) (attr.Value, error) {
	left, right, err := both(n.operands, item, attr.N)
	if err != nil {
		return attr.Value{}, err
	}
	if n.operator == "-" {
		return attr.Subtract(left, right)
	}
	return attr.Add(left, right)
}

func appendLists(n *callNode, item attr.Item) (attr.Value, error) {
	left, right, err := both(n.args, item, attr.L)
	if err != nil {
		return attr.Value{}, err
	}
	return attr.List(slices.Concat(left.Elements(), right.Elements())), nil
}

// fits reports whether the document has the maps and lists through which the paths lead.
func (b *branch) fits(v attr.Value) bool {
	switch {
	case b.change.kind != descend:
		return true
	case v.Type() == attr.M && b.fields != nil:
		for name, next := range b.fields {
			if !next.fits(v.Fields()[name]) {
				return false
			}
		}
		return true
	case v.Type() == attr.L && b.elems != nil:
		for i, next := range b.elems {
			var elem attr.Value
			if i < v.Len() {
				elem = v.Elements()[i]
			}
			if !next.fits(elem) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// apply gives the value at this branch, which fits it, as the changes leave it; no value when they remove it.
func (b *branch) apply(v attr.Value) attr.Value {
	switch {
	case b.change.kind == put:
		return b.change.value
	case b.change.kind == remove:
		return attr.Value{}
	case b.change.kind == keep:
		return v
	case v.Type() == attr.M:
		return b.applyFields(v.Fields())
	default:
		return b.applyElements(v.Elements())
	}
}

func (b *branch) applyFields(old attr.Item) attr.Value {
	fields := make(attr.Item, len(old)+len(b.fields))
	maps.Copy(fields, old)
	for name, next := range b.fields {
		if v := next.apply(old[name]); v.IsZero() {
			delete(fields, name)
		} else {
			fields[name] = v
		}
	}
	return attr.Map(fields)
}

// applyElements keeps the order of the indexes: those beyond the end append.
func (b *branch) applyElements(old []attr.Value) attr.Value {
	elems := make([]attr.Value, 0, len(old)+len(b.elems))
	for i, v := range old {
		if next := b.elems[i]; next != nil {
			v = next.apply(v)
		}
		if !v.IsZero() {
			elems = append(elems, v)
		}
	}
	for _, i := range b.indexes() {
		if i < len(old) {
			continue
		}
		if v := b.elems[i].apply(attr.Value{}); !v.IsZero() {
			elems = append(elems, v)
		}
	}
	return attr.List(elems)
}
