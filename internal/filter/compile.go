package filter

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// match is one entry of a pattern's leaf, of which one must match.
type match struct {
	op matchOp
	// values are JSON; several only for but.
	values []string
}

type matchOp string

const (
	is     matchOp = ""
	but    matchOp = "anything-but"
	prefix matchOp = "prefix"
	suffix matchOp = "suffix"
	there  matchOp = "exists"
	gone   matchOp = "exists-not"
)

func value(text string) match { return match{is, []string{encode(text)}} }

func (m match) equal(n match) bool { return m.op == n.op && slices.Equal(m.values, n.values) }

// leaf is the path of a leaf in a record. Its steps are joined by a character that no step has.
type leaf string

const between = "\x00"

func leafOf(steps ...string) leaf { return leaf(strings.Join(steps, between)) }

// conjunction is one pattern: every leaf must match one of its entries.
type conjunction map[leaf][]match

// MaxPattern is how many characters AWS allows a filter of a mapping.
// https://docs.aws.amazon.com/lambda/latest/api/API_Filter.html
const MaxPattern = 4096

// most is AWS's number of filters of a mapping.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
const (
	most = 5
	// widest bounds the alternatives of a condition, which can double with each part of it.
	widest = 64
)

func beyond(patterns []string) string {
	if len(patterns) > most {
		return fmt.Sprintf("the condition has %d alternatives, and AWS allows %d filters; it is checked in the function", len(patterns), most)
	}
	for _, p := range patterns {
		if n := len([]rune(p)); n > MaxPattern {
			return fmt.Sprintf("the condition has %d characters as a pattern, and AWS allows %d; it is checked in the function", n, MaxPattern)
		}
	}
	return ""
}

// alternatives gives the condition as conjunctions of which one must match. They let through every record that meets the
// condition; where they let through more, there are reasons.
func (w Where) alternatives() ([]conjunction, []string) {
	if w.root == nil {
		return []conjunction{{}}, nil
	}
	c := compiler{}
	list := c.compile(w.root, false)
	return list, c.reasons
}

type compiler struct{ reasons []string }

// any is what stands for a part of a condition that no pattern can say.
func (c *compiler) any(format string, args ...any) []conjunction {
	reason := fmt.Sprintf(format, args...) + "; it is checked in the function"
	if !slices.Contains(c.reasons, reason) {
		c.reasons = append(c.reasons, reason)
	}
	return []conjunction{{}}
}

// compile gives an expression, or its negation, as alternatives. Negations go down to the tests, so that a test that is taken for
// always true never makes a record fail.
func (c *compiler) compile(e expr, negated bool) []conjunction {
	switch e := e.(type) {
	case not:
		return c.compile(e.of, !negated)
	case and:
		return c.join(e.left, e.right, negated, negated)
	case or:
		return c.join(e.left, e.right, negated, !negated)
	case test:
		return c.test(e, negated)
	}
	panic(fmt.Sprintf("an expression of type %T", e)) // there are no others
}

func (c *compiler) join(left, right expr, negated, either bool) []conjunction {
	l, r := c.compile(left, negated), c.compile(right, negated)
	if either {
		l = append(l, r...)
	} else {
		var exact bool
		if l, exact = products(l, r); !exact {
			c.any("two tests of one attribute do not fit into one of AWS's filters")
		}
	}
	if l = merge(l); len(l) > widest {
		return c.any("the condition has more than %d alternatives", widest)
	}
	return l
}

// test gives a test as a single leaf.
func (c *compiler) test(t test, negated bool) []conjunction {
	a := t.attribute
	matches, why := t.matches(negated)
	switch {
	case t.other != nil:
		return c.any("%s: AWS's filters compare a record with constants, not its attributes with one another", t.text)
	case !slices.Contains([]string{"S", "N", "BOOL", "B"}, a.typ):
		return c.any("%s: AWS's filters see texts, numbers and booleans, not what is of type %s", t.text, a.typ)
	case slices.ContainsFunc(a.path, func(s string) bool { return strings.ContainsAny(s, ".\x00") || strings.HasPrefix(s, "$") }):
		return c.any("%s: AWS's filters take a dot or a $ in a name for something else", t.text)
	case why != "":
		return c.any("%s: %s", t.text, why)
	}
	steps := []string{"dynamodb", map[Image]string{New: "NewImage", Old: "OldImage", Keys: "Keys"}[a.image]}
	for i, name := range a.path {
		if i > 0 {
			steps = append(steps, "M")
		}
		steps = append(steps, name)
	}
	return []conjunction{{leafOf(append(steps, a.typ)...): matches}}
}

// matches gives the entries of a test's leaf, or why there are none. A test holds when its attribute is there; its negation
// also when it is not.
func (t test) matches(negated bool) (list []match, why string) {
	values := make([]string, len(t.literals))
	for i, l := range t.literals {
		values[i] = l.json()
	}
	if t.op == equal || t.op == in {
		t.op = in
		if negated {
			t.op = unequal
		}
		slices.Sort(values)
		values = slices.Compact(values)
	} else if t.op == unequal && negated {
		t.op = in
	}
	switch t.op {
	case in:
		list = literalMatches(values)
	case unequal:
		if list = []match{{but, values}}; t.attribute.typ == "BOOL" {
			list = literalMatches(otherBools(values))
		}
	case exists:
		if negated {
			return []match{{op: gone}}, ""
		}
		return []match{{op: there}}, ""
	case startsWith, endsWith:
		if negated {
			return nil, "AWS's filters cannot leave out by a prefix or suffix"
		}
		return []match{{map[op]matchOp{startsWith: prefix, endsWith: suffix}[t.op], values}}, ""
	case contains:
		return nil, "AWS's filters do not look into texts and sets"
	default:
		if t.attribute.typ == "N" {
			return nil, "a number is text in a stream record, so that AWS's numeric filters never match it"
		}
		return nil, "AWS's filters do not know the order of texts"
	}
	if negated {
		list = append(list, match{op: gone})
	}
	return list, ""
}

func literalMatches(values []string) []match {
	list := make([]match, len(values))
	for i, v := range values {
		list[i] = match{is, []string{v}}
	}
	return list
}

func otherBools(values []string) []string {
	var others []string
	for _, v := range []string{"false", "true"} {
		if !slices.Contains(values, v) {
			others = append(others, v)
		}
	}
	return others
}

// json is the literal as it stands in a record: a number is text there.
func (l literal) json() string {
	if l.typ == "BOOL" {
		return l.text
	}
	return encode(l.text)
}

// products gives the conjunctions of each of one list with each of another. Where the result is not exact, it lets more through.
func products(list, others []conjunction) (out []conjunction, exact bool) {
	exact = true
	for _, a := range list {
		for _, b := range others {
			joined, possible := maps.Clone(a), true
			for path, matches := range b {
				have, shared := joined[path]
				if shared {
					var fits bool
					matches, fits = both(have, matches)
					exact = exact && fits
				}
				joined[path] = matches
				possible = possible && len(matches) > 0
			}
			if possible {
				out = append(out, joined)
			}
		}
	}
	return out, exact
}

// both gives entries that match what one of a and one of b match. Without exact they match more.
func both(a, b []match) (list []match, exact bool) {
	exact = true
	for _, x := range a {
		for _, y := range b {
			m, possible, fits := x.and(y)
			exact = exact && fits
			if possible && !slices.ContainsFunc(list, m.equal) {
				list = append(list, m)
			}
		}
	}
	return list, exact
}

// and gives an entry that matches what both match; without exact it matches more.
func (m match) and(n match) (both match, possible, exact bool) {
	if n.op == is || n.op == there || m.op == gone {
		m, n = n, m
	}
	switch {
	case m.equal(n):
		return m, true, true
	case m.op == there:
		return n, n.op != gone, true
	case n.op == there:
		return m, m.op != gone, true
	case m.op == gone || n.op == gone:
		return m, false, true // the two differ, see above
	case m.op == is:
		return m, n.admits(m.values[0]), true
	case m.op == but && n.op == but:
		values := slices.Concat(m.values, n.values)
		slices.Sort(values)
		return match{but, slices.Compact(values)}, true, true
	}
	return m, true, false
}

// admits reports whether an entry matches a value that is there.
func (m match) admits(encoded string) bool {
	switch m.op {
	case is, but:
		return slices.Contains(m.values, encoded) == (m.op == is)
	case prefix, suffix:
		text, part := decodeText(encoded), decodeText(m.values[0])
		return m.op == prefix && strings.HasPrefix(text, part) || m.op == suffix && strings.HasSuffix(text, part)
	}
	return m.op == there
}

func decodeText(encoded string) string {
	var s string
	_ = json.Unmarshal([]byte(encoded), &s) // we encoded it
	return s
}

// merge makes one of conjunctions that differ in a single leaf, whose entries are alternatives already, and leaves out those that
// match nothing that another does not.
func merge(list []conjunction) []conjunction {
	var out []conjunction
next:
	for _, c := range list {
		if slices.ContainsFunc(out, func(have conjunction) bool { return have.includes(c) }) {
			continue
		}
		out = slices.DeleteFunc(out, c.includes)
		for i, have := range out {
			if path, ok := differ(have, c); ok {
				out[i] = maps.Clone(have)
				if path != "" {
					out[i][path] = union(have[path], c[path])
				}
				continue next
			}
		}
		out = append(out, c)
	}
	if len(out) < len(list) {
		return merge(out)
	}
	return out
}

// includes reports whether all that d matches is seen to match c too.
func (c conjunction) includes(d conjunction) bool {
	for path, matches := range c {
		others, shared := d[path]
		if !shared || slices.ContainsFunc(others, func(m match) bool { return !slices.ContainsFunc(matches, m.equal) }) {
			return false
		}
	}
	return true
}

// differ gives the only leaf in which two conjunctions differ, empty for none; ok is false when they differ in more.
func differ(a, b conjunction) (only leaf, ok bool) {
	if len(a) != len(b) {
		return "", false
	}
	for path, matches := range a {
		others, shared := b[path]
		if !shared {
			return "", false
		}
		if slices.EqualFunc(matches, others, match.equal) {
			continue
		}
		if only != "" {
			return "", false
		}
		only = path
	}
	return only, true
}

func union(a, b []match) []match {
	out := slices.Clone(a)
	for _, m := range b {
		if !slices.ContainsFunc(out, m.equal) {
			out = append(out, m)
		}
	}
	return out
}

func encodeAll(list []conjunction) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.encode())
	}
	return out
}

// encode gives a conjunction as a pattern.
func (c conjunction) encode() string {
	root := map[string]any{}
	for path, matches := range c {
		at := root
		steps := strings.Split(string(path), between)
		for _, step := range steps[:len(steps)-1] {
			next, ok := at[step].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[step] = next
			}
			at = next
		}
		entries := make([]json.RawMessage, len(matches))
		for i, m := range matches {
			entries[i] = m.encode()
		}
		at[steps[len(steps)-1]] = entries
	}
	return encode(root)
}

func (m match) encode() json.RawMessage {
	switch m.op {
	case is:
		return json.RawMessage(m.values[0])
	case there, gone:
		return json.RawMessage(fmt.Sprintf(`{"exists":%t}`, m.op == there))
	case but:
		return json.RawMessage(`{"anything-but":[` + strings.Join(m.values, ",") + `]}`)
	}
	return json.RawMessage(fmt.Sprintf(`{%q:%s}`, m.op, m.values[0]))
}

// encode gives texts, and maps and lists of them, as JSON that is the same each time.
func encode(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // of no value that this package makes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
