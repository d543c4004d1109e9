package records

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// String tells a record to people in one line: its kind, its keys, and the attributes that changed, old → new. most bounds the length of
// each value, in characters.
func (r Record) String(most int) string {
	parts := []string{r.Kind}
	for _, name := range slices.Sorted(maps.Keys(r.Keys)) {
		parts = append(parts, attribute(name)+"="+Value(r.Keys[name], most))
	}
	var changes []string
	for _, name := range r.attributes() {
		before, was := r.Old[name]
		after, is := r.New[name]
		switch {
		case was && is && equal(before, after):
		case was && is:
			changes = append(changes, attribute(name)+": "+Value(before, most)+" → "+Value(after, most))
		case r.Old != nil && r.New != nil && is:
			changes = append(changes, "+"+attribute(name)+": "+Value(after, most))
		case r.Old != nil && r.New != nil:
			changes = append(changes, "-"+attribute(name)+": "+Value(before, most))
		case is:
			changes = append(changes, attribute(name)+": "+Value(after, most))
		default:
			changes = append(changes, attribute(name)+": "+Value(before, most))
		}
	}
	if len(changes) > 0 {
		parts = append(parts, "{"+strings.Join(changes, ", ")+"}")
	}
	return strings.Join(parts, " ")
}

// attributes are the names in the images but for the keys, sorted.
func (r Record) attributes() []string {
	names := map[string]bool{}
	for name := range r.Old {
		names[name] = true
	}
	for name := range r.New {
		names[name] = true
	}
	for name := range r.Keys {
		delete(names, name)
	}
	return slices.Sorted(maps.Keys(names))
}

// equal compares what one stream wrote: the same value has the same bytes.
func equal(a, b json.RawMessage) bool { return string(a) == string(b) }

// attribute is a name as it is, or quoted where it could be taken for something else.
func attribute(name string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' || r == '.'
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return strconv.Quote(name)
}

// Value tells a value in DynamoDB's JSON to people: numbers as they are, texts in quotes, and no types.
func Value(v json.RawMessage, most int) string { return Cut(value(v), most) }

// Cut tells a text to people: in one line that steers no terminal, and bounded in its length, in characters.
func Cut(s string, most int) string {
	n, last := 0, 0 // last is where the character begins that gives way when there are too many
	for i := range s {
		if n == most {
			return printable(s[:last]) + "…"
		}
		n, last = n+1, i
	}
	return printable(s)
}

func value(v json.RawMessage) string {
	var typed map[string]json.RawMessage
	if json.Unmarshal(v, &typed) != nil || len(typed) != 1 {
		return printable(string(v))
	}
	for kind, raw := range typed {
		switch kind {
		case "S", "B":
			var text string
			if json.Unmarshal(raw, &text) == nil {
				return strconv.Quote(text)
			}
		case "N":
			var text string
			if json.Unmarshal(raw, &text) == nil {
				return printable(text)
			}
		case "NULL":
			return "null"
		case "BOOL":
			return printable(string(raw))
		case "L":
			var list []json.RawMessage
			if json.Unmarshal(raw, &list) == nil {
				return "[" + join(list, value) + "]"
			}
		case "M":
			var fields map[string]json.RawMessage
			if json.Unmarshal(raw, &fields) == nil {
				return "{" + join(slices.Sorted(maps.Keys(fields)), func(name string) string {
					return attribute(name) + ": " + value(fields[name])
				}) + "}"
			}
		case "SS", "BS", "NS":
			var set []string
			if json.Unmarshal(raw, &set) == nil {
				return "<" + join(set, func(text string) string {
					if kind == "NS" {
						return printable(text)
					}
					return strconv.Quote(text)
				}) + ">"
			}
		}
	}
	return printable(string(v))
}

func join[E any](list []E, text func(E) string) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = text(e)
	}
	return strings.Join(parts, ", ")
}

// printable keeps what a record says from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Range tells from where to where records go, by the ends of their sequence numbers: 1 to 12 digits that differ are enough.
func Range(first, last string) string {
	if first == last {
		return first
	}
	same := 0
	for len(first) == len(last) && first[same] == last[same] {
		same++
	}
	if same < 6 {
		return fmt.Sprintf("%s–%s", first, last)
	}
	return fmt.Sprintf("%s–…%s", first, last[same:])
}
