package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Pattern is a filter pattern of AWS. The zero Pattern matches every record.
type Pattern struct{ root object }

// object is what a pattern asks of an object: every field must match, and one alternative of each $or.
type object struct {
	fields []patternField
	ors    [][]object
}

// patternField is a field with either an object or entries of which one must match.
type patternField struct {
	name    string
	object  *object
	entries []entry
}

// entry matches a value of a record, nil pointer for one that is not there.
type entry func(v any, there bool) bool

// ParsePattern reads a pattern: what AWS would refuse is an error.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
func ParsePattern(text string) (Pattern, error) {
	if n := utf8.RuneCountInString(text); n > MaxPattern {
		return Pattern{}, fmt.Errorf("the pattern has %d characters, more than the %d that AWS allows", n, MaxPattern)
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return Pattern{}, fmt.Errorf("the pattern is no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Pattern{}, errors.New("there is more after the pattern")
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return Pattern{}, errors.New("the pattern is no JSON object")
	}
	root, err := parseObject(fields, "")
	return Pattern{root}, err
}

func parseObject(fields map[string]any, at string) (object, error) {
	var o object
	if len(fields) == 0 && at != "" {
		return o, fmt.Errorf("%s is an empty object", at)
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if list, ok := fields[name].([]any); ok && name == "$or" && len(list) > 1 {
			or, err := parseOr(list, at)
			if err != nil {
				return o, err
			}
			o.ors = append(o.ors, or)
			continue
		}
		f, err := parseField(strings.Split(name, "."), fields[name], strings.TrimPrefix(at+"."+name, "."))
		if err != nil {
			return o, err
		}
		o.fields = append(o.fields, f)
	}
	return o, nil
}

func parseOr(list []any, at string) ([]object, error) {
	var or []object
	for i, alternative := range list {
		where := strings.TrimPrefix(fmt.Sprintf("%s.$or[%d]", at, i), ".")
		fields, ok := alternative.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s is no object", where)
		}
		o, err := parseObject(fields, where)
		if err != nil {
			return nil, err
		}
		or = append(or, o)
	}
	return or, nil
}

// parseField reads a field. A name with dots is a path.
func parseField(path []string, v any, at string) (patternField, error) {
	f := patternField{name: path[0]}
	if len(path) > 1 {
		below, err := parseField(path[1:], v, at)
		f.object = &object{fields: []patternField{below}}
		return f, err
	}
	switch v := v.(type) {
	case map[string]any:
		o, err := parseObject(v, at)
		f.object = &o
		return f, err
	case []any:
		if len(v) == 0 {
			return f, fmt.Errorf("%s is an empty list", at)
		}
		for i, e := range v {
			parsed, err := parseEntry(e)
			if err != nil {
				return f, fmt.Errorf("%s[%d]: %w", at, i, err)
			}
			f.entries = append(f.entries, parsed)
		}
		return f, nil
	}
	return f, fmt.Errorf("%s is neither an object nor a list: a value stands in a list, such as [%s]", at, encode(v))
}

func parseEntry(v any) (entry, error) {
	switch v := v.(type) {
	case nil, bool, string:
		return func(got any, there bool) bool { return there && got == v }, nil
	case json.Number:
		want, err := v.Float64()
		return func(got any, there bool) bool { n, ok := float(got); return there && ok && n == want }, err
	case map[string]any:
		if len(v) != 1 {
			return nil, errors.New("an operator stands alone in its object")
		}
		for name, operand := range v {
			return parseOperator(name, operand)
		}
	}
	return nil, errors.New("a list in a list")
}

// parseOperator reads the operators that Lambda takes: of EventBridge's, wildcard and cidr are not among them.
func parseOperator(name string, operand any) (entry, error) {
	switch name {
	case "prefix":
		return parseAffix(name, operand, strings.HasPrefix)
	case "suffix":
		return parseAffix(name, operand, strings.HasSuffix)
	case "equals-ignore-case":
		return parseText(name, operand, strings.EqualFold)
	case "anything-but":
		return parseBut(operand)
	case "numeric":
		return parseNumeric(operand)
	case "exists":
		return parseExists(operand)
	}
	return nil, fmt.Errorf("%q is no operator of Lambda's filters: these are anything-but, equals-ignore-case, exists, numeric, prefix and suffix", name)
}

func parseText(name string, v any, matches func(got, want string) bool) (entry, error) {
	want, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("%s needs text", name)
	}
	return func(got any, _ bool) bool { s, ok := got.(string); return ok && matches(s, want) }, nil
}

func parseAffix(name string, v any, matches func(got, want string) bool) (entry, error) {
	folded, ok := v.(map[string]any)
	if !ok {
		return parseText(name, v, matches)
	}
	want, ok := folded["equals-ignore-case"].(string)
	if !ok || len(folded) != 1 {
		return nil, fmt.Errorf("%s needs text, or equals-ignore-case with text", name)
	}
	return parseText(name, strings.ToLower(want), func(got, want string) bool { return matches(strings.ToLower(got), want) })
}

func parseBut(v any) (entry, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var entries []entry
	var texts, numbers int
	for _, e := range list {
		switch e.(type) {
		case string:
			texts++
		case json.Number:
			numbers++
		}
		if parsed, err := parseEntry(e); err == nil {
			entries = append(entries, parsed)
		}
	}
	if len(list) == 0 || texts != len(list) && numbers != len(list) {
		return nil, errors.New("anything-but needs a text, a number, or a list of texts or of numbers")
	}
	return func(got any, there bool) bool {
		return there && !slices.ContainsFunc(entries, func(e entry) bool { return e(got, there) })
	}, nil
}

func parseExists(v any) (entry, error) {
	want, ok := v.(bool)
	if !ok {
		return nil, errors.New("exists needs true or false")
	}
	return func(_ any, there bool) bool { return there == want }, nil
}

var comparisons = map[string]func(a, b float64) bool{
	"=":  func(a, b float64) bool { return a == b },
	"<":  func(a, b float64) bool { return a < b },
	"<=": func(a, b float64) bool { return a <= b },
	">":  func(a, b float64) bool { return a > b },
	">=": func(a, b float64) bool { return a >= b },
}

func parseNumeric(v any) (entry, error) {
	bad := errors.New(`numeric needs a comparison and a number, or a lower and an upper bound, such as [">", 0, "<=", 5]`)
	list, ok := v.([]any)
	if !ok || len(list) != 2 && len(list) != 4 {
		return nil, bad
	}
	type bound struct {
		holds func(a, b float64) bool
		limit float64
	}
	var bounds []bound
	var kinds []string
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		holds, known := comparisons[name]
		limit, isNumber := float(list[i+1])
		if !known || !isNumber {
			return nil, bad
		}
		bounds, kinds = append(bounds, bound{holds, limit}), append(kinds, name[:1])
	}
	if len(kinds) == 2 && (kinds[0] == kinds[1] || slices.Contains(kinds, "=")) {
		return nil, bad
	}
	return func(got any, _ bool) bool {
		n, ok := float(got)
		return ok && !slices.ContainsFunc(bounds, func(b bound) bool { return !b.holds(n, b.limit) })
	}, nil
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil && !math.IsInf(f, 0)
	}
	return 0, false
}

// Match reports whether a record, in the JSON that Lambda hands to a function, matches the pattern. What is no JSON does not match.
func (p Pattern) Match(record []byte) bool {
	d := json.NewDecoder(bytes.NewReader(record))
	d.UseNumber()
	var v any
	return d.Decode(&v) == nil && p.root.match(v)
}

func (o object) match(v any) bool {
	fields, _ := v.(map[string]any)
	for _, f := range o.fields {
		got, there := fields[f.name]
		if !f.match(got, there) {
			return false
		}
	}
	for _, or := range o.ors {
		if !slices.ContainsFunc(or, func(o object) bool { return o.match(v) }) {
			return false
		}
	}
	return true
}

// match holds a field to its value. Of a list any element may match; an object is no leaf, so that entries see nothing there.
func (f patternField) match(v any, there bool) bool {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return slices.ContainsFunc(list, func(e any) bool { return f.match(e, true) })
	}
	if f.object != nil {
		return f.object.match(v)
	}
	switch v.(type) {
	case map[string]any, []any:
		there = false
	}
	return slices.ContainsFunc(f.entries, func(e entry) bool { return e(v, there) })
}

// Trap is a place in a pattern that AWS takes and that cannot match as it is meant.
type Trap struct{ Summary, Detail string }

// Traps finds what a pattern for DynamoDB's records asks for in vain.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html
func Traps(pattern string) []Trap {
	var fields map[string]any
	if json.Unmarshal([]byte(pattern), &fields) != nil {
		return nil
	}
	var traps []Trap
	var visit func(v any, path []string)
	visit = func(v any, path []string) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if list, ok := v[name].([]any); ok && name == "$or" {
					for _, alternative := range list {
						visit(alternative, path)
					}
					continue
				}
				visit(v[name], slices.Concat(path, strings.Split(name, ".")))
			}
		case []any:
			traps = append(traps, leafTraps(path, v)...)
		}
	}
	visit(fields, nil)
	return traps
}

var images = []string{"NewImage", "OldImage", "Keys"}

// leafTraps finds the traps of a leaf. In an image, an attribute's value stands below its type: {"Status": {"S": "PAID"}}.
func leafTraps(path []string, entries []any) []Trap {
	if len(path) < 3 || path[0] != "dynamodb" || !slices.Contains(images, path[1]) {
		return nil
	}
	at := strings.Join(path[1:], ".")
	if len(path)%2 == 1 || !slices.Contains([]string{"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L"}, path[len(path)-1]) {
		return []Trap{{
			fmt.Sprintf("the filter looks at %s, which is an object in a stream record, and sees nothing there", at),
			fmt.Sprintf(`An attribute's value stands below its type: write %s.S, or another type's name, before the list.`, at),
		}}
	}
	if path[len(path)-1] != "N" {
		return nil
	}
	for _, e := range entries {
		_, isNumber := e.(float64)
		o, _ := e.(map[string]any)
		if _, isNumeric := o["numeric"]; isNumber || isNumeric {
			return []Trap{{
				fmt.Sprintf("the filter compares %s as a number, and it is text in a stream record: it never matches", at),
				`Write a number as text, such as ["100"]; for a range use the key where, which gen checks in the function.`,
			}}
		}
	}
	return nil
}
