package attr

import "encoding/binary"

// AppendKey appends an encoding of an S, N or B to b that sorts, byte by byte, as [Compare] orders the values, and of which none is
// another's prefix, so that encodings can be joined into the encoding of a composite key.
func AppendKey(b []byte, v Value) []byte {
	if v.typ == N {
		return appendNumberKey(b, v.text)
	}
	return append(AppendKeyPrefix(b, v), 0x00, 0x01)
}

// AppendKeyPrefix appends what the encodings of all strings (or binaries) that begin with v have in common.
func AppendKeyPrefix(b []byte, v Value) []byte {
	// A zero byte is escaped, since 0x00 0x01 ends the encoding.
	for i := range len(v.text) {
		b = append(b, v.text[i])
		if v.text[i] == 0 {
			b = append(b, 0xFF)
		}
	}
	return b
}

// appendNumberKey writes sign, exponent and digits; a negative number has the last two inverted.
func appendNumberKey(b []byte, normal string) []byte {
	negative, digits, exponent, _ := scanNumber(normal)
	if digits == "" {
		return append(b, 0x80)
	}
	start := len(b)
	b = append(b, 0xC0)
	b = binary.BigEndian.AppendUint16(b, uint16(exponent+len(digits)-minExponent))
	b = append(b, digits...)
	b = append(b, 0x00)
	if negative {
		for i := start; i < len(b); i++ {
			b[i] = ^b[i]
		}
	}
	return b
}
