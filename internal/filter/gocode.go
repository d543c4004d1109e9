package filter

import (
	"fmt"
	"strconv"
	"strings"
)

// GoExpr is a condition in Go over a stream.Record in the named variable: what the patterns let through is wanted when it holds.
// It is empty where the patterns are exact.
func (s Selection) GoExpr(record string) string {
	c := s.Compile()
	var parts []string
	if c.inFunction("changed") {
		names := make([]string, len(s.Changed))
		for i, name := range s.Changed {
			names[i] = strconv.Quote(name)
		}
		changed := fmt.Sprintf("%s.Kind() != stream.Modify || %s.Changed(%s)", record, record, strings.Join(names, ", "))
		if c.inFunction("where") {
			changed = "(" + changed + ")"
		}
		parts = append(parts, changed)
	}
	if c.inFunction("where") {
		where := goExpr(s.Where.root, record)
		if _, isOr := s.Where.root.(or); isOr && len(parts) > 0 {
			where = "(" + where + ")"
		}
		parts = append(parts, where)
	}
	return strings.Join(parts, " && ")
}

func goExpr(e expr, record string) string {
	switch e := e.(type) {
	case not:
		of := goExpr(e.of, record)
		if _, isTest := e.of.(test); isTest {
			return "!" + of
		}
		return "!(" + of + ")"
	case and:
		return goOperand(e.left, record) + " && " + goOperand(e.right, record)
	case or:
		return goExpr(e.left, record) + " || " + goExpr(e.right, record)
	case test:
		return e.goExpr(record)
	}
	panic(fmt.Sprintf("an expression of type %T", e)) // there are no others
}

// goOperand is an operand of &&.
func goOperand(e expr, record string) string {
	text := goExpr(e, record)
	if _, isOr := e.(or); isOr {
		return "(" + text + ")"
	}
	return text
}

var goMethods = map[op]string{
	equal: "Equal", unequal: "NotEqual", less: "Less", lessEqual: "LessOrEqual", greater: "Greater", greaterEqual: "GreaterOrEqual",
	in: "In", exists: "Is", startsWith: "HasPrefix", endsWith: "HasSuffix", contains: "Contains",
}

func (t test) goExpr(record string) string {
	args := make([]string, len(t.literals))
	for i, l := range t.literals {
		args[i] = l.goExpr()
	}
	switch {
	case t.other != nil:
		args = []string{t.other.goExpr(record)}
	case t.op == exists:
		args = []string{strconv.Quote(t.attribute.typ)}
	case t.op == startsWith || t.op == endsWith:
		args = []string{strconv.Quote(t.literals[0].text)}
	}
	return fmt.Sprintf("%s.%s(%s)", t.attribute.goExpr(record), goMethods[t.op], strings.Join(args, ", "))
}

func (a attribute) goExpr(record string) string {
	names := make([]string, len(a.path))
	for i, name := range a.path {
		names[i] = strconv.Quote(name)
	}
	method := map[Image]string{New: "New", Old: "Old", Keys: "Key"}[a.image]
	return fmt.Sprintf("%s.%s(%s)", record, method, strings.Join(names, ", "))
}

func (l literal) goExpr() string {
	switch l.typ {
	case "BOOL":
		return "stream.BOOL(" + l.text + ")"
	case "N":
		return "stream.N(" + strconv.Quote(l.text) + ")"
	}
	return "stream.S(" + strconv.Quote(l.text) + ")"
}
