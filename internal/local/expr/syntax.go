package expr

import (
	"strconv"
	"strings"

	"streamgen/internal/local/attr"
)

// node is a part of an expression's syntax tree.
type node interface{ children() []node }

type (
	pathNode struct {
		tokens []token // identifiers, #names and indexes
		path   Path    // set when names are resolved
	}
	valueNode struct {
		placeholder string
		value       attr.Value // set when values are resolved
	}
	callNode struct {
		function string
		args     []node
	}
	// operatorNode is a comparison, BETWEEN, IN, +, -, AND, OR or NOT.
	operatorNode struct {
		operator string
		operands []node
	}
	// parenNode keeps parentheses, which are an error when they stand doubled.
	parenNode struct{ inner node }
)

func (*pathNode) children() []node       { return nil }
func (*valueNode) children() []node      { return nil }
func (n *callNode) children() []node     { return n.args }
func (n *operatorNode) children() []node { return n.operands }
func (n *parenNode) children() []node    { return []node{n.inner} }

// isLogical reports whether the operator joins conditions rather than operands.
func (n *operatorNode) isLogical() bool {
	return n.operator == "AND" || n.operator == "OR" || n.operator == "NOT"
}

// bare is the node without its parentheses.
func bare(n node) node {
	for {
		p, ok := n.(*parenNode)
		if !ok {
			return n
		}
		n = p.inner
	}
}

// walk visits the node and all below it, in the order of the source.
func walk(n node, visit func(node)) {
	visit(n)
	for _, child := range n.children() {
		walk(child, visit)
	}
}

// parser is a recursive-descent parser; the first syntax error stays in err and the parser then runs to its end.
type parser struct {
	src    string
	tokens []token
	at     int
	err    error
}

func newParser(src string) (*parser, error) {
	if src == "" {
		return nil, errorf("The expression can not be empty;")
	}
	if len(src) > maxExpression {
		return nil, errorf("Expression size has exceeded the maximum allowed size; expression size: %d", len(src))
	}
	return &parser{src: src, tokens: tokenize(src)}, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != eof {
		p.at++
	}
	return t
}

// fail reports the token at hand with its neighbours and moves to the end of the source.
func (p *parser) fail() {
	if p.err != nil {
		return
	}
	start := 0
	if p.at > 0 {
		start = p.tokens[p.at-1].start
	}
	next := p.tokens[min(p.at+1, len(p.tokens)-1)]
	p.err = errorf("Syntax error; token: \"%s\", near: \"%s\"", p.peek().text, p.src[start:next.end])
	p.at = len(p.tokens) - 1
}

func (p *parser) is(text string) bool {
	t := p.peek()
	switch t.kind {
	case symbol:
		return t.text == text
	case keyword:
		return strings.EqualFold(t.text, text)
	default:
		return false
	}
}

func (p *parser) accept(text string) bool {
	found := p.is(text)
	if found {
		p.take()
	}
	return found
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail()
	}
}

func (p *parser) expectEnd() {
	if p.peek().kind != eof {
		p.fail()
	}
}

// operand is a path, a value, a function or one of them in parentheses.
func (p *parser) operand() node {
	switch t := p.peek(); {
	case t.kind == valueToken:
		p.take()
		return &valueNode{placeholder: t.text}
	case t.kind == identifier && p.tokens[p.at+1].text == "(":
		return p.call()
	case t.kind == identifier || t.kind == nameToken:
		return p.path()
	case p.accept("("):
		inner := p.operand()
		p.expect(")")
		return &parenNode{inner: inner}
	default:
		p.fail()
		return &pathNode{}
	}
}

func (p *parser) call() node {
	n := &callNode{function: p.take().text}
	p.expect("(")
	n.args = p.operands()
	p.expect(")")
	return n
}

func (p *parser) operands() []node {
	list := []node{p.operand()}
	for p.accept(",") {
		list = append(list, p.operand())
	}
	return list
}

func (p *parser) path() *pathNode {
	if k := p.peek().kind; k != identifier && k != nameToken {
		p.fail()
		return &pathNode{}
	}
	n := &pathNode{tokens: []token{p.take()}}
	for {
		switch {
		case p.accept("."):
			if k := p.peek().kind; k != identifier && k != nameToken {
				p.fail()
				return n
			}
			n.tokens = append(n.tokens, p.take())
		case p.accept("["):
			if p.peek().kind != number {
				p.fail()
				return n
			}
			n.tokens = append(n.tokens, p.take())
			p.expect("]")
		default:
			return n
		}
	}
}

// checkForm limits the operators and functions, and refuses doubled parentheses.
func checkForm(roots []node) error {
	operators, redundant := 0, false
	for _, root := range roots {
		walk(root, func(n node) {
			switch n := n.(type) {
			case *operatorNode, *callNode:
				operators++
			case *parenNode:
				_, doubled := n.inner.(*parenNode)
				redundant = redundant || doubled
			}
		})
	}
	if operators > maxOperators {
		return errorf("The expression contains too many operators; operator count: %d", maxOperators+1)
	}
	if redundant {
		return errorf("The expression has redundant parentheses;")
	}
	return nil
}

// checkPlaces goes through the tree in the order of the source: it refuses reserved words and what function refuses. whole
// says whether a function stands for a whole condition or assigned value, and not for an operand.
func checkPlaces(n node, whole bool, function func(call *callNode, whole bool) error) error {
	n = bare(n)
	within := false // whether the parts are whole themselves
	switch n := n.(type) {
	case *pathNode:
		for _, t := range n.tokens {
			if t.kind == identifier && reserved(t.text) {
				return errorf("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
			}
		}
	case *callNode:
		if err := function(n, whole); err != nil {
			return err
		}
	case *operatorNode:
		within = n.isLogical()
	}
	for _, child := range n.children() {
		if err := checkPlaces(child, within, function); err != nil {
			return err
		}
	}
	return nil
}

func unknownFunction(call *callNode) error {
	return errorf("Invalid function name; function: %s", call.function)
}

func misplacedFunction(call *callNode) error {
	return errorf("The function is not allowed to be used this way in an expression; function: %s", call.function)
}

func checkPaths(roots []node) error {
	for _, n := range pathsIn(roots) {
		if len(n.tokens) > maxPath {
			return errorf("The document path has too many nesting levels; nesting levels: %d", len(n.tokens))
		}
		for _, t := range n.tokens {
			if t.kind != number {
				continue
			}
			if i, err := strconv.ParseInt(t.text, 10, 64); err != nil || i > maxListIndex {
				return errorf("List index is not within the allowable range; index: [%s]", t.text)
			}
		}
	}
	return nil
}

func pathsIn(roots []node) []*pathNode {
	var paths []*pathNode
	for _, root := range roots {
		walk(root, func(n node) {
			if path, ok := n.(*pathNode); ok {
				paths = append(paths, path)
			}
		})
	}
	return paths
}

func nested(roots []node) []string {
	var names []string
	for _, n := range pathsIn(roots) {
		if len(n.path) > 1 {
			names = append(names, n.path[0].Name)
		}
	}
	return names
}

// resolve replaces placeholders by what they stand for. Indexes are in range: see checkPaths.
func resolve(root node, s *Substitutions) error {
	var first error
	walk(root, func(n node) {
		var err error
		switch n := n.(type) {
		case *pathNode:
			err = n.resolve(s)
		case *valueNode:
			n.value, err = s.value(n.placeholder)
		}
		if first == nil {
			first = err
		}
	})
	return first
}

func (n *pathNode) resolve(s *Substitutions) error {
	n.path = make(Path, len(n.tokens))
	for i, t := range n.tokens {
		switch t.kind {
		case nameToken:
			name, err := s.name(t.text)
			if err != nil {
				return err
			}
			n.path[i] = field(name)
		case number:
			index, err := strconv.Atoi(t.text)
			if err != nil {
				return errorf("List index is not within the allowable range; index: [%s]", t.text)
			}
			n.path[i] = Step{Index: index}
		default:
			n.path[i] = field(t.text)
		}
	}
	return nil
}

// typeOf is the type that an operand is known to have before an item is at hand; zero for a path.
func typeOf(n node) attr.Type {
	switch n := bare(n).(type) {
	case *valueNode:
		return n.value.Type()
	case *callNode:
		if n.function == "size" {
			return attr.N
		}
	}
	return 0
}
