package attr

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// FormError says that JSON has another shape than an attribute value's: DynamoDB calls it a SerializationException.
type FormError struct{ Message string }

func (e *FormError) Error() string { return e.Message }

// ValueError says that a value is well formed and yet not allowed: DynamoDB calls it a ValidationException.
type ValueError struct{ Message string }

func (e *ValueError) Error() string { return e.Message }

func misformed(format string, args ...any) error {
	return &FormError{Message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return &ValueError{Message: fmt.Sprintf(format, args...)}
}

// UnmarshalJSON decodes an item in DynamoDB's JSON, such as {"Id":{"S":"a"}}.
func (it *Item) UnmarshalJSON(data []byte) error {
	item, err := decodeItem(data, 1)
	if err != nil {
		return err
	}
	*it = item
	return nil
}

// UnmarshalJSON decodes a value in DynamoDB's JSON: an object with exactly one type descriptor.
func (v *Value) UnmarshalJSON(data []byte) error {
	value, err := decode(data, 1)
	if err != nil {
		return err
	}
	*v = value
	return nil
}

func decodeItem(data []byte, depth int) (Item, error) {
	raw, err := object(data)
	if err != nil {
		return nil, err
	}
	item := make(Item, len(raw))
	for _, name := range slices.Sorted(maps.Keys(raw)) { // in order, so that the first error is always the same
		if name == "" {
			return nil, invalid("Empty attribute name")
		}
		if item[name], err = decode(raw[name], depth); err != nil {
			return nil, err
		}
	}
	return item, nil
}

func decode(data []byte, depth int) (Value, error) {
	if depth > MaxDepth {
		return Value{}, invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
	}
	raw, err := object(data)
	if err != nil {
		return Value{}, err
	}
	maps.DeleteFunc(raw, func(_ string, content json.RawMessage) bool { return isNull(content) })
	if len(raw) > 1 {
		return Value{}, invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	for descriptor, content := range raw {
		if t, ok := ParseType(descriptor); ok {
			return decodeTyped(t, content, depth)
		}
	}
	return Value{}, invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func decodeTyped(t Type, content json.RawMessage, depth int) (Value, error) {
	switch t {
	case S, N, B:
		return decodeScalar(t, content)
	case BOOL:
		b, err := boolean(content)
		return Bool(b), err
	case NULL:
		null, err := boolean(content)
		if err == nil && !null {
			err = invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return Null(), err
	case M:
		fields, err := decodeItem(content, depth+1)
		return Map(fields), err
	case L:
		raw, err := array(content)
		if err != nil {
			return Value{}, err
		}
		elems := make([]Value, len(raw))
		for i := range raw {
			if elems[i], err = decode(raw[i], depth+1); err != nil {
				return Value{}, err
			}
		}
		return List(elems), nil
	default:
		return decodeSet(t, content)
	}
}

func decodeScalar(t Type, content json.RawMessage) (Value, error) {
	s, err := text(content)
	if err != nil {
		return Value{}, err
	}
	switch t {
	case N:
		return Number(s)
	case B:
		data, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || strings.ContainsAny(s, "\r\n") { // which the decoder skips
			return Value{}, misformed("Base64 encoded data is malformed: %s", s)
		}
		return Binary(data), nil
	default:
		return String(s), nil
	}
}

func decodeSet(t Type, content json.RawMessage) (Value, error) {
	raw, err := array(content)
	if err != nil {
		return Value{}, err
	}
	if len(raw) == 0 {
		return Value{}, invalid("One or more parameter values were invalid: %s", map[Type]string{
			SS: "An string set  may not be empty", NS: "An number set  may not be empty", BS: "Binary sets should not be empty"}[t])
	}
	members := make([]Value, len(raw))
	for i := range raw {
		if isNull(raw[i]) {
			return Value{}, invalid("One or more parameter values were invalid: A set may not have a null as a member")
		}
		if members[i], err = decodeScalar(t.Element(), raw[i]); err != nil {
			return Value{}, err
		}
	}
	set := Set(t, members)
	if set.Len() == len(members) {
		return set, nil
	}
	switch t {
	case SS:
		given := make([]string, len(members))
		for i, m := range members {
			given[i] = m.text
		}
		return Value{}, invalid("One or more parameter values were invalid: Input collection [%s] contains duplicates.", strings.Join(given, ", "))
	case NS:
		return Value{}, invalid("Input collection contains duplicates")
	default:
		return Value{}, invalid("One or more parameter values were invalid: Input collection of type BS contains duplicates.")
	}
}

func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }

func object(data []byte) (fields map[string]json.RawMessage, err error) {
	if kindOf(data) != '{' {
		return nil, unexpected(data, "Map")
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, misformed("%v", err)
	}
	return fields, nil
}

func array(data []byte) (elems []json.RawMessage, err error) {
	if kindOf(data) != '[' {
		return nil, unexpected(data, "List")
	}
	if err := json.Unmarshal(data, &elems); err != nil {
		return nil, misformed("%v", err)
	}
	return elems, nil
}

func text(data []byte) (s string, err error) {
	if kindOf(data) != '"' {
		return "", unexpected(data, "String")
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return "", misformed("%v", err)
	}
	return s, nil
}

func boolean(data []byte) (bool, error) {
	switch string(bytes.TrimSpace(data)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return false, unexpected(data, "Boolean")
	}
}

// kindOf is the first byte of a JSON text, which tells its kind.
func kindOf(data []byte) byte {
	data = bytes.TrimLeft(data, " \t\r\n")
	if len(data) == 0 {
		return 0
	}
	return data[0]
}

// unexpected words the error as DynamoDB's parser does.
func unexpected(data []byte, want string) error {
	switch kindOf(data) {
	case '{':
		return misformed("Start of structure or map found where not expected")
	case '[':
		return misformed("Start of list found where not expected")
	case '"':
		return misformed("STRING_VALUE cannot be converted to %s", want)
	case 't':
		return misformed("TRUE_VALUE cannot be converted to %s", want)
	case 'f':
		return misformed("FALSE_VALUE cannot be converted to %s", want)
	case 'n':
		return misformed("NULL_VALUE cannot be converted to %s", want)
	default:
		return misformed("NUMBER_VALUE cannot be converted to %s", want)
	}
}

// MarshalJSON encodes the item in DynamoDB's JSON, attributes in the order of their names.
func (it Item) MarshalJSON() ([]byte, error) { return it.AppendJSON(nil), nil }

// MarshalJSON encodes the value in DynamoDB's JSON.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the item in DynamoDB's JSON to b.
func (it Item) AppendJSON(b []byte) []byte {
	var few [16]string // most items have no more attributes: their names take no memory
	names := few[:0]
	for name := range it {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		b = it[name].AppendJSON(b)
	}
	return append(b, '}')
}

// AppendJSON appends the value in DynamoDB's JSON to b.
func (v Value) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = appendString(b, v.typ.String())
	b = append(b, ':')
	switch v.typ {
	case BOOL:
		if v.flag {
			b = append(b, "true"...)
		} else {
			b = append(b, "false"...)
		}
	case NULL:
		b = append(b, "true"...)
	case M:
		b = v.more.fields.AppendJSON(b)
	case L:
		b = append(b, '[')
		for i, e := range v.more.elems {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.AppendJSON(b)
		}
		b = append(b, ']')
	case SS, NS, BS:
		b = append(b, '[')
		for i, text := range v.more.set {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendScalar(b, v.typ.Element(), text)
		}
		b = append(b, ']')
	default:
		b = appendScalar(b, v.typ, v.text)
	}
	return append(b, '}')
}

func appendScalar(b []byte, t Type, text string) []byte {
	if t != B {
		return appendString(b, text)
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, []byte(text))
	return append(b, '"')
}

// appendString writes a JSON string; unlike encoding/json it leaves <, > and & as they are.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	written := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7F && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[written:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
			i++
		case c < utf8.RuneSelf:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // what is no UTF-8 becomes U+FFFD
			i += size
		}
		written = i
	}
	b = append(b, s[written:]...)
	return append(b, '"')
}
