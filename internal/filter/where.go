package filter

import (
	"fmt"
	"slices"
	"strings"
)

// Image is what a path in a condition begins with.
type Image string

// The parts of a record that a condition can look into. Keys are in every record, whatever the stream's view type.
const (
	New  Image = "new"
	Old  Image = "old"
	Keys Image = "keys"
)

// Attributes tells what a path in an item is: its type, such as "S", or "" with advice on what to write instead.
type Attributes func(image Image, path []string) (typ, advice string)

// Problem is what is wrong with a condition. Offset counts characters from its beginning.
type Problem struct {
	Offset          int
	Summary, Detail string
}

// Where is a condition on the attributes of a record. The zero Where holds for every record.
//
//	condition  = all { "||" all }
//	all        = one { "&&" one }
//	one        = "!" one | "(" condition ")" | comparison | call | attribute
//	comparison = operand ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) operand | attribute "in" "[" literal { "," literal } "]"
//	call       = "exists" "(" attribute ")" | ( "starts_with" | "ends_with" | "contains" ) "(" attribute "," literal ")"
//	operand    = attribute | literal
//	attribute  = ( "new" | "old" | "keys" ) ( "." NAME | "[" STRING "]" ) { "." NAME | "[" STRING "]" }
//	literal    = STRING | NUMBER | "true" | "false"
//
// A string stands in single or double quotes, with \ before a quote or a backslash. A comparison or call holds only when its
// attributes are there with their type, or two attributes with the same type; "!" turns it around, so that !(new.x == 1) also holds without an x. NULL counts as absent.
// A comparison of texts is that of their bytes, one of numbers is exact.
type Where struct {
	text string
	root expr
}

// String is the condition as it was written.
func (w Where) String() string { return w.text }

// Uses reports whether the condition looks into an image.
func (w Where) Uses(image Image) bool { return w.root != nil && uses(w.root, image) }

func uses(e expr, image Image) bool {
	switch e := e.(type) {
	case and:
		return uses(e.left, image) || uses(e.right, image)
	case or:
		return uses(e.left, image) || uses(e.right, image)
	case not:
		return uses(e.of, image)
	case test:
		return e.attribute.image == image || e.other != nil && e.other.image == image
	}
	return false
}

// expr is and, or, not or test.
type expr any

type (
	and struct{ left, right expr }
	or  struct{ left, right expr }
	not struct{ of expr }
)

// test is a comparison or a call. It has an attribute at its left: a comparison that was written the other way round is turned.
type test struct {
	op        op
	attribute attribute
	// other is set when two attributes are compared. Else there are literals, several for the op in and none for exists.
	other    *attribute
	literals []literal
	text     string
}

type op string

const (
	equal        op = "=="
	unequal      op = "!="
	less         op = "<"
	lessEqual    op = "<="
	greater      op = ">"
	greaterEqual op = ">="
	in           op = "in"
	exists       op = "exists"
	startsWith   op = "starts_with"
	endsWith     op = "ends_with"
	contains     op = "contains"
)

var turned = map[op]op{equal: equal, unequal: unequal, less: greater, lessEqual: greaterEqual, greater: less, greaterEqual: lessEqual}

type attribute struct {
	image Image
	path  []string
	typ   string
	at    int
}

// literal is text, a number in DynamoDB's normal form, or "true" or "false".
type literal struct {
	typ, text string
	at        int
}

// ParseWhere reads a condition. With problems the Where is of no use.
func ParseWhere(text string, attributes Attributes) (Where, []Problem) {
	p := parser{text: []rune(text), attributes: attributes}
	p.advance()
	root := p.condition()
	if p.token.kind != end {
		p.unexpected("")
	}
	if len(p.problems) > 0 {
		return Where{}, p.problems
	}
	return Where{text, root}, nil
}

type parser struct {
	text       []rune
	next       int // the offset after token
	token      token
	depth      int
	attributes Attributes
	problems   []Problem
	failed     bool // the grammar is broken: what follows is not understood
}

func (p *parser) report(at int, detail, format string, args ...any) {
	if !p.failed {
		p.problems = append(p.problems, Problem{at, fmt.Sprintf(format, args...), detail})
	}
}

// unexpected reports a token that the grammar does not have here, and ends the parse.
func (p *parser) unexpected(want string) {
	detail := "See the grammar of conditions in docs/filters.md."
	if want != "" {
		detail = "Write " + want + " here."
	}
	switch p.token.text {
	case "and", "AND":
		detail = "Write && for and."
	case "or", "OR":
		detail = "Write || for or."
	case "not", "NOT":
		detail = "Write ! for not."
	case "=":
		detail = "Write == for =."
	case "<>":
		detail = "Write != for <>."
	case "null", "NULL":
		detail = "NULL counts as absent: write exists(…) or !exists(…)."
	}
	what := "ends too early"
	if p.token.kind != end {
		what = fmt.Sprintf("has an unexpected %q", p.token.text)
	}
	p.report(p.token.at, detail, "the condition %s", what)
	p.giveUp()
}

// giveUp ends the parse: what follows is not understood, and nothing more is said.
func (p *parser) giveUp() {
	p.failed = true
	p.token, p.next = token{kind: end, at: len(p.text)}, len(p.text)
}

func (p *parser) accept(text string) bool {
	if p.token.kind != symbol || p.token.text != text {
		return false
	}
	p.advance()
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.unexpected(text)
	}
}

func (p *parser) condition() expr {
	e := p.all()
	for p.accept("||") {
		e = or{e, p.all()}
	}
	return e
}

func (p *parser) all() expr {
	e := p.one()
	for p.accept("&&") {
		e = and{e, p.one()}
	}
	return e
}

func (p *parser) one() expr {
	const deepest = 50
	if p.depth++; p.depth > deepest {
		p.report(p.token.at, "Write it flatter.", "the condition is nested more than %d deep", deepest)
		p.giveUp()
	}
	defer func() { p.depth-- }()
	switch {
	case p.accept("!"):
		return not{p.one()}
	case p.accept("("):
		e := p.condition()
		p.expect(")")
		return e
	case p.token.kind == word && callOps[op(p.token.text)]:
		return p.call()
	}
	return p.comparison()
}

var callOps = map[op]bool{exists: true, startsWith: true, endsWith: true, contains: true}

func (p *parser) call() expr {
	t := test{op: op(p.token.text)}
	start := p.token.at
	p.advance()
	p.expect("(")
	a, ok := p.attribute()
	if !ok {
		return t
	}
	t.attribute = a
	if t.op != exists {
		p.expect(",")
		l, ok := p.literal()
		if !ok {
			p.unexpected("a text or a number")
			return t
		}
		t.literals = []literal{l}
	}
	p.expect(")")
	t.text = p.since(start)
	p.checkCall(t)
	return t
}

// since is the text from an offset to the token that comes next.
func (p *parser) since(start int) string { return strings.TrimSpace(string(p.text[start:p.token.at])) }

func (p *parser) comparison() expr {
	start := p.token.at
	left, isLiteral := p.literal()
	t := test{}
	if !isLiteral {
		a, ok := p.attribute()
		if !ok {
			return t
		}
		t.attribute = a
	}
	switch {
	case p.token.kind == symbol && turned[op(p.token.text)] != "":
		t.op = op(p.token.text)
		p.advance()
	case p.token.kind == word && p.token.text == string(in) && !isLiteral:
		p.advance()
		t.op, t.literals = in, p.list()
	case isLiteral:
		p.unexpected("a comparison")
		return t
	default: // a boolean attribute says it all
		t.op, t.literals, t.text = equal, []literal{{"BOOL", "true", start}}, p.since(start)
		if typ := t.attribute.typ; typ != "" && typ != "BOOL" {
			if p.token.kind == end || p.token.text == ")" || p.token.text == "&&" || p.token.text == "||" {
				p.report(start, "Compare it, such as with == or exists(…).", "%s is of type %s and not a condition by itself", t.text, typ)
			}
		}
		return t
	}
	if t.op != in {
		p.right(&t, left, isLiteral)
	}
	t.text = p.since(start)
	p.checkComparison(t)
	return t
}

// right reads what is compared with; a literal at the left changes places with it.
func (p *parser) right(t *test, left literal, isLiteral bool) {
	if isLiteral {
		a, ok := p.attribute()
		if ok {
			t.op, t.attribute, t.literals = turned[t.op], a, []literal{left}
		}
		return
	}
	if l, ok := p.literal(); ok {
		t.literals = []literal{l}
		return
	}
	if a, ok := p.attribute(); ok {
		t.other = &a
	}
}

func (p *parser) list() []literal {
	p.expect("[")
	var list []literal
	for {
		l, ok := p.literal()
		if !ok {
			p.unexpected("a text or a number")
			return list
		}
		list = append(list, l)
		if !p.accept(",") {
			p.expect("]")
			return list
		}
	}
}

func (p *parser) literal() (literal, bool) {
	l := literal{text: p.token.text, at: p.token.at}
	switch {
	case p.token.kind == text:
		l.typ = "S"
	case p.token.kind == number:
		l.typ = "N"
		var ok bool
		if l.text, ok = normal(l.text); !ok {
			p.report(l.at, "DynamoDB's numbers have up to 38 digits and lie between 1E-130 and 1E+126.", "%s is no number of DynamoDB", p.token.text)
		}
	case p.token.kind == word && (l.text == "true" || l.text == "false"):
		l.typ = "BOOL"
	default:
		return l, false
	}
	p.advance()
	return l, true
}

func (p *parser) attribute() (attribute, bool) {
	a := attribute{image: Image(p.token.text), at: p.token.at}
	if p.token.kind != word || !slices.Contains([]Image{New, Old, Keys}, a.image) {
		p.unexpected("an attribute, such as new.status")
		return a, false
	}
	p.advance()
	for {
		switch {
		case p.accept("."):
			if p.token.kind != word {
				p.unexpected("a name, or ['name'] for one with other characters than letters, digits and _")
				return a, false
			}
			a.path = append(a.path, p.token.text)
			p.advance()
		case p.accept("["):
			if p.token.kind != text {
				p.unexpected("a name in quotes: a list's elements cannot be told apart by their place")
				return a, false
			}
			a.path = append(a.path, p.token.text)
			p.advance()
			p.expect("]")
		default:
			if len(a.path) == 0 {
				p.unexpected(string(a.image) + ".NAME")
				return a, false
			}
			var advice string
			if a.typ, advice = p.attributes(a.image, a.path); a.typ == "" {
				p.report(a.at, advice, "%s is no attribute of the table", p.since(a.at))
			}
			return a, !p.failed
		}
	}
}

func (p *parser) checkComparison(t test) {
	typ := t.attribute.typ
	if typ == "" || t.other != nil && t.other.typ == "" {
		return // reported
	}
	ordered := t.op != equal && t.op != unequal && t.op != in
	switch {
	case t.other != nil && t.other.typ != typ:
		p.report(t.other.at, "Values of different types are never equal.", "%s compares type %s with type %s", t.text, typ, t.other.typ)
	case !slices.Contains([]string{"S", "N", "BOOL", "B"}, typ):
		p.report(t.attribute.at, "Maps, lists and sets cannot be compared: compare what is in them, use contains(…) for a set, or the key changed.",
			"%s compares an attribute of type %s", t.text, typ)
	case typ == "B" && t.other == nil:
		p.report(t.attribute.at, "Compare it with another attribute, or use exists(…).", "%s compares binary data with a literal", t.text)
	case ordered && typ != "S" && typ != "N":
		p.report(t.attribute.at, "Only texts and numbers have an order.", "%s orders values of type %s", t.text, typ)
	}
	for _, l := range t.literals {
		if l.typ != typ && typ != "B" {
			p.report(l.at, "The spec says what types a table's attributes have.", "%s compares type %s with type %s", t.text, typ, l.typ)
		}
	}
}

func (p *parser) checkCall(t test) {
	typ := t.attribute.typ
	if typ == "NULL" {
		p.report(t.attribute.at, "Leave it out.", "NULL counts as absent, so that %s never holds", t.text)
	}
	if typ == "" || typ == "NULL" || t.op == exists {
		return
	}
	want := map[string]string{"S": "S"}
	if t.op == contains {
		want = map[string]string{"S": "S", "SS": "S", "NS": "N"}
	}
	switch l := t.literals[0]; {
	case want[typ] == "":
		p.report(t.attribute.at, "It works on texts"+map[bool]string{true: " and on sets of texts and numbers"}[t.op == contains]+".", "%s does not work on type %s", t.op, typ)
	case want[typ] != l.typ:
		p.report(l.at, "A text stands in quotes, a number does not.", "%s needs type %s here, not type %s", t.op, want[typ], l.typ)
	}
}
