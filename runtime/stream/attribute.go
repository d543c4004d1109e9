package stream

import (
	"slices"
	"strings"
)

// Attribute is one attribute of a [Record], or none. Its comparisons hold only when both sides are there and of the same type; NULL
// counts as absent.
type Attribute struct {
	typ string
	// text of an S, N, B or BOOL; members of a set.
	text    string
	members []string
}

// S gives a text to compare with.
func S(text string) Attribute { return Attribute{typ: "S", text: text} }

// N gives a number to compare with, in decimal.
func N(number Number) Attribute { return Attribute{typ: "N", text: string(number)} }

// BOOL gives a boolean to compare with.
func BOOL(b bool) Attribute {
	if b {
		return Attribute{typ: "BOOL", text: "true"}
	}
	return Attribute{typ: "BOOL", text: "false"}
}

// New gives an attribute of the image after the change, by its name and, inside of maps, the names that lead to it. A record without the
// image has none.
func (r Record) New(path ...string) Attribute {
	return attributeAt(r.record.part(r.record.newImage), path)
}

// Old is [Record.New] for the image before the change.
func (r Record) Old(path ...string) Attribute {
	return attributeAt(r.record.part(r.record.oldImage), path)
}

// Key gives an attribute of the primary key.
func (r Record) Key(path ...string) Attribute { return attributeAt(r.record.part(r.record.keys), path) }

// attributeAt looks a path up. What cannot be decoded is not there: the handler reports it when it decodes the record.
func attributeAt(image string, path []string) Attribute {
	for i := range path {
		var found [1]string
		if !membersOf(image, path[i:i+1], found[:]) {
			return Attribute{}
		}
		typ, value, ok := typed(found[0])
		if !ok {
			return Attribute{}
		}
		if i == len(path)-1 {
			return newAttribute(typ, value)
		}
		if image = value; typ != "M" {
			return Attribute{}
		}
	}
	return Attribute{}
}

// membersOf gives the values of the named members of a JSON object, those of absent ones empty. It is false for what is no object.
func membersOf(object string, names, values []string) bool {
	c := cursor{s: object}
	if !c.take('{') {
		return false
	}
	for first := true; c.next('}', &first); {
		name := c.key()
		value := c.skip()
		if i := slices.Index(names, name); i >= 0 {
			values[i] = value
		}
	}
	return c.err == nil
}

// typed takes {"S":"1"} apart.
func typed(value string) (typ, inner string, ok bool) {
	c := cursor{s: value}
	if !c.take('{') {
		return "", "", false
	}
	typ = c.key()
	inner = c.skip()
	return typ, inner, c.take('}') && c.err == nil
}

func newAttribute(typ, value string) Attribute {
	a := Attribute{typ: typ}
	c := cursor{s: value}
	switch typ {
	case "S", "N", "B":
		a.text = c.text()
	case "BOOL":
		a.text = value
	case "SS", "NS", "BS":
		if !c.take('[') {
			return Attribute{}
		}
		for first := true; c.next(']', &first); {
			a.members = append(a.members, c.text())
		}
	case "NULL":
		return Attribute{}
	}
	if c.err != nil {
		return Attribute{}
	}
	return a
}

// Is reports whether the attribute is there with a type, such as "S".
func (a Attribute) Is(typ string) bool { return a.typ == typ && typ != "" }

// Equal reports whether both are there, of one type and equal. Maps, lists and sets never are.
func (a Attribute) Equal(b Attribute) bool { n, ok := a.compare(b); return ok && n == 0 }

// NotEqual reports whether both are there, of one type and differ. Maps, lists and sets never do.
func (a Attribute) NotEqual(b Attribute) bool { n, ok := a.compare(b); return ok && n != 0 }

// Less reports whether both are texts, by their bytes, or both numbers, exactly, and a comes first.
func (a Attribute) Less(b Attribute) bool { n, ok := a.order(b); return ok && n < 0 }

// LessOrEqual is [Attribute.Less] or equal.
func (a Attribute) LessOrEqual(b Attribute) bool { n, ok := a.order(b); return ok && n <= 0 }

// Greater is b.Less(a).
func (a Attribute) Greater(b Attribute) bool { return b.Less(a) }

// GreaterOrEqual is b.LessOrEqual(a).
func (a Attribute) GreaterOrEqual(b Attribute) bool { return b.LessOrEqual(a) }

// In reports whether the attribute equals one of the others.
func (a Attribute) In(others ...Attribute) bool { return slices.ContainsFunc(others, a.Equal) }

// HasPrefix reports whether the attribute is a text that begins with prefix.
func (a Attribute) HasPrefix(prefix string) bool {
	return a.typ == "S" && strings.HasPrefix(a.text, prefix)
}

// HasSuffix reports whether the attribute is a text that ends with suffix.
func (a Attribute) HasSuffix(suffix string) bool {
	return a.typ == "S" && strings.HasSuffix(a.text, suffix)
}

// Contains reports whether the attribute is a text with the text b in it, or a set with the member b.
func (a Attribute) Contains(b Attribute) bool {
	if a.typ == "S" && b.typ == "S" {
		return strings.Contains(a.text, b.text)
	}
	return a.typ == b.typ+"S" && slices.ContainsFunc(a.members, func(m string) bool {
		return Attribute{typ: b.typ, text: m}.Equal(b)
	})
}

// compare orders two values of one type as far as they can be equal.
func (a Attribute) compare(b Attribute) (int, bool) {
	if n, ok := a.order(b); ok || a.typ != b.typ {
		return n, ok
	}
	return strings.Compare(a.text, b.text), a.typ == "B" || a.typ == "BOOL"
}

func (a Attribute) order(b Attribute) (int, bool) {
	switch {
	case a.typ != b.typ:
		return 0, false
	case a.typ == "S":
		return strings.Compare(a.text, b.text), true
	case a.typ == "N":
		return Number(a.text).compare(Number(b.text))
	}
	return 0, false
}
