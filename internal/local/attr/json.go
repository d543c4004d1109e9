package attr

import (
	"encoding/base64"
	"maps"
	"slices"
	"unicode/utf8"
)

// MarshalJSON encodes the item in DynamoDB's JSON, attributes in the order of their names.
func (it Item) MarshalJSON() ([]byte, error) { return it.AppendJSON(nil), nil }

// MarshalJSON encodes the value in DynamoDB's JSON.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the item in DynamoDB's JSON to b.
func (it Item) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(it)) {
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
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
			i++
		case c < ' ' || c == 0x7F:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
			i++
		case c < utf8.RuneSelf:
			b = append(b, c)
			i++
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r) // what is no UTF-8 becomes U+FFFD
			i += size
		}
	}
	return append(b, '"')
}
