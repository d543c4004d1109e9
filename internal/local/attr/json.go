package attr

import (
	"encoding/base64"
	"slices"
	"unicode/utf8"
)

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
