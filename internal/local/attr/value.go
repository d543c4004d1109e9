// Package attr holds DynamoDB's attribute values: typed, immutable, with exact decimal numbers, and with the
// sizes, the order and the JSON form that the service gives them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
package attr

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Type is one of DynamoDB's ten data types. The zero Type belongs to no value.
type Type uint8

// The data types, named by their descriptors.
const (
	S Type = iota + 1
	N
	B
	BOOL
	NULL
	M
	L
	SS
	NS
	BS
)

// types spells the data types as JSON does.
var types = [...]string{S: "S", N: "N", B: "B", BOOL: "BOOL", NULL: "NULL", M: "M", L: "L", SS: "SS", NS: "NS", BS: "BS"}

// String is the type's descriptor, such as "NS"; "" for the zero Type.
func (t Type) String() string {
	if int(t) >= len(types) {
		return ""
	}
	return types[t]
}

// ParseType gives the type of a descriptor.
func ParseType(descriptor string) (t Type, ok bool) {
	i := slices.Index(types[1:], descriptor)
	return Type(i + 1), i >= 0
}

// IsSet reports whether the type is one of the three sets.
func (t Type) IsSet() bool { return t == SS || t == NS || t == BS }

// Value is one attribute value. It never changes: what its methods hand out is shared and must not be written to.
// The zero Value is no value at all, see [Value.IsZero].
type Value struct {
	typ  Type
	flag bool   // BOOL
	text string // S; B as raw bytes; N in normal form
	more *parts // M, L and the sets
}

// parts is what a value holds that is no scalar.
type parts struct {
	fields Item
	elems  []Value
	set    []string // each like Value.text, sorted
}

// Item is a set of attributes by name: an item of a table, a key, or the content of a map.
type Item map[string]Value

// String gives a value of type S.
func String(s string) Value { return Value{typ: S, text: s} }

// Binary gives a value of type B.
func Binary(b []byte) Value { return Value{typ: B, text: string(b)} }

// Bool gives a value of type BOOL.
func Bool(b bool) Value { return Value{typ: BOOL, flag: b} }

// Null gives the value of type NULL.
func Null() Value { return Value{typ: NULL} }

// Map gives a value of type M. It keeps fields, which must not change any more.
func Map(fields Item) Value { return Value{typ: M, more: &parts{fields: fields}} }

// List gives a value of type L. It keeps elems, which must not change any more.
func List(elems []Value) Value { return Value{typ: L, more: &parts{elems: elems}} }

// Set gives a set of the given type from scalar values. The values must be of the set's element type; duplicates
// count once. Without values there is no set, and the zero Value is returned.
func Set(t Type, members []Value) Value {
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = m.text
	}
	sortSet(t, texts)
	texts = slices.Compact(texts)
	if len(texts) == 0 {
		return Value{}
	}
	return Value{typ: t, more: &parts{set: texts}}
}

func sortSet(t Type, members []string) {
	if t == NS {
		slices.SortFunc(members, compareNumbers)
	} else {
		slices.Sort(members)
	}
}

// Type is the value's data type.
func (v Value) Type() Type { return v.typ }

// IsZero reports whether v is no value.
func (v Value) IsZero() bool { return v.typ == 0 }

// Text is the content of an S, the normal form of an N, the raw bytes of a B, and "" of anything else.
func (v Value) Text() string { return v.text }

// Truth is the content of a BOOL.
func (v Value) Truth() bool { return v.flag }

// Fields is the content of an M, nil of anything else.
func (v Value) Fields() Item {
	if v.more == nil {
		return nil
	}
	return v.more.fields
}

// Elements is the content of an L, nil of anything else.
func (v Value) Elements() []Value {
	if v.more == nil {
		return nil
	}
	return v.more.elems
}

// Members are the scalars in a set, in order; nil for anything else.
func (v Value) Members() []Value {
	if !v.typ.IsSet() {
		return nil
	}
	members := make([]Value, len(v.more.set))
	for i, text := range v.more.set {
		members[i] = Value{typ: v.typ.Element(), text: text}
	}
	return members
}

// Element is the type of a set's members; zero for a type that is no set.
func (t Type) Element() Type {
	switch t {
	case SS:
		return S
	case NS:
		return N
	case BS:
		return B
	default:
		return 0
	}
}

// Len is the number of elements of an L, M or set.
func (v Value) Len() int {
	if v.more == nil {
		return 0
	}
	return len(v.more.elems) + len(v.more.fields) + len(v.more.set)
}

// Equal compares by type and content: numbers by value, sets without order.
func (v Value) Equal(w Value) bool {
	if v.typ != w.typ || v.flag != w.flag || v.text != w.text {
		return false
	}
	if v.more == w.more {
		return true
	}
	if v.more == nil || w.more == nil {
		return false
	}
	return v.more.fields.Equal(w.more.fields) && slices.EqualFunc(v.more.elems, w.more.elems, Value.Equal) &&
		slices.Equal(v.more.set, w.more.set)
}

// Compare orders two values of the same type S, N or B: numbers by value, strings and binaries by their bytes.
// ok is false when the two have no order.
func Compare(v, w Value) (order int, ok bool) {
	if v.typ != w.typ {
		return 0, false
	}
	switch v.typ {
	case N:
		return compareNumbers(v.text, w.text), true
	case S, B:
		return cmp.Compare(v.text, w.text), true
	default:
		return 0, false
	}
}

// Contains reports whether v is a string or binary that holds w as a part, a set that holds w as a member, or a
// list that holds an element equal to w.
func (v Value) Contains(w Value) bool {
	switch v.typ {
	case S, B:
		return w.typ == v.typ && strings.Contains(v.text, w.text)
	case L:
		return slices.ContainsFunc(v.more.elems, w.Equal)
	case SS, NS, BS:
		return w.typ == v.typ.Element() && slices.Contains(v.more.set, w.text)
	default:
		return false
	}
}

// Equal reports whether both have the same attributes with equal values.
func (it Item) Equal(other Item) bool { return maps.EqualFunc(it, other, Value.Equal) }

// Pick gives an item with those of the named attributes that it has.
func (it Item) Pick(names ...string) Item {
	picked := make(Item, len(names))
	for _, name := range names {
		if v, found := it[name]; found {
			picked[name] = v
		}
	}
	return picked
}
