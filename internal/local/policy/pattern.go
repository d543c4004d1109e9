package policy

import (
	"strings"
	"unicode/utf8"
)

// Keys gives the values of a condition key, whose name is in lower case. Nil says that the request has no such key; a key without
// values is empty and not nil. A Keys that is nil has none.
type Keys func(name string) []string

func (k Keys) values(name string) []string {
	if k == nil {
		return nil
	}
	return k(name)
}

// The elements of a glob that stand for no character.
const (
	anyText      = -1 - iota // *
	anyCharacter             // ?
	firstVariable
)

// glob is a text with wildcards and policy variables.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
type glob struct {
	elements  []rune // characters and the constants above; firstVariable-i stands for variables[i]
	variables []variable
}

type variable struct {
	key        string // in lower case
	otherwise  string // its default
	hasDefault bool
}

// newGlob reads a text, whose wildcards and variables count as such if the caller says so.
func newGlob(text string, wildcards, variables bool) (glob, error) {
	var g glob
	for len(text) > 0 {
		if variables && strings.HasPrefix(text, "${") {
			name, rest, closed := strings.Cut(text[2:], "}")
			if !closed {
				return g, errorf("Syntax errors in policy.")
			}
			text = rest
			if name == "*" || name == "?" || name == "$" { // the characters themselves
				g.elements = append(g.elements, rune(name[0]))
				continue
			}
			v, err := newVariable(name)
			if err != nil {
				return g, err
			}
			g.elements = append(g.elements, firstVariable-rune(len(g.variables)))
			g.variables = append(g.variables, v)
			continue
		}
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch {
		case wildcards && r == '*':
			r = anyText
		case wildcards && r == '?':
			r = anyCharacter
		}
		g.elements = append(g.elements, r)
	}
	return g, nil
}

// newVariable reads what stands within "${" and "}": a key, and after a comma a default in single quotes.
func newVariable(text string) (variable, error) {
	name, otherwise, hasDefault := strings.Cut(text, ",")
	v := variable{key: strings.ToLower(strings.TrimSpace(name)), hasDefault: hasDefault}
	if !Known(v.key) {
		return v, notEmulated("the policy variable ${%s}", name)
	}
	if hasDefault {
		otherwise = strings.TrimSpace(otherwise)
		if len(otherwise) < 2 || otherwise[0] != '\'' || otherwise[len(otherwise)-1] != '\'' {
			return v, errorf("Syntax errors in policy.")
		}
		v.otherwise = otherwise[1 : len(otherwise)-1]
	}
	return v, nil
}

// expand puts the variables' values in place. It is false when a variable has none.
func (g glob) expand(keys Keys) ([]rune, bool) {
	if len(g.variables) == 0 {
		return g.elements, true
	}
	var out []rune
	for _, e := range g.elements {
		if e > firstVariable {
			out = append(out, e)
			continue
		}
		v := g.variables[firstVariable-e]
		value := v.otherwise
		if values := keys.values(v.key); len(values) == 1 {
			value = values[0]
		} else if !v.hasDefault {
			return nil, false
		}
		for _, r := range value {
			out = append(out, r) // a wildcard in it is a character
		}
	}
	return out, true
}

// match says whether the glob fits the whole of a text.
func (g glob) match(text string, keys Keys) bool {
	elements, ok := g.expand(keys)
	return ok && fits(elements, text)
}

// fits goes back to the last "*" alone: that one may as well take what an earlier one would have.
func fits(elements []rune, text string) bool {
	at, star, rest := 0, -1, "" // rest is what is left after what the last "*" took
	for {
		if at < len(elements) && elements[at] == anyText {
			star, rest = at, text
			at++
			continue
		}
		if text == "" {
			for at < len(elements) && elements[at] == anyText {
				at++
			}
			return at == len(elements)
		}
		r, size := utf8.DecodeRuneInString(text)
		if at < len(elements) && (elements[at] == r || elements[at] == anyCharacter) {
			at, text = at+1, text[size:]
			continue
		}
		if star < 0 {
			return false
		}
		_, size = utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		at, text = star+1, rest
	}
}

// resource is what an ARN is compared with: each of an ARN's six parts on its own.
type resource struct {
	anything bool
	parts    [6]glob
}

func newResource(text string, variables bool) (resource, error) {
	if text == "*" {
		return resource{anything: true}, nil
	}
	var r resource
	for i := range r.parts {
		part := text
		if i < len(r.parts)-1 {
			end := colon(text, variables)
			if end < 0 {
				return r, errorf("Resource %s must be in ARN format or \"*\".", text)
			}
			part, text = text[:end], text[end+1:]
		}
		var err error
		if r.parts[i], err = newGlob(part, true, variables); err != nil {
			return r, err
		}
	}
	return r, nil
}

// colon is the place of the first colon that is not within a variable, -1 when there is none.
func colon(text string, variables bool) int {
	within := false
	for i := range len(text) {
		switch {
		case variables && strings.HasPrefix(text[i:], "${"):
			within = true
		case within && text[i] == '}':
			within = false
		case !within && text[i] == ':':
			return i
		}
	}
	return -1
}

func (r resource) match(arn string, keys Keys) bool {
	if r.anything {
		return true
	}
	for i, part := range r.parts {
		have, rest := arn, ""
		if i < len(r.parts)-1 {
			var more bool
			if have, rest, more = strings.Cut(arn, ":"); !more {
				return false
			}
		}
		if !part.match(have, keys) {
			return false
		}
		arn = rest
	}
	return true
}
