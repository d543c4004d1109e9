package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// cursor reads a JSON text from left to right. The first error stays and ends all reading. What is skipped is only followed to its end:
// its brackets and strings must be whole, what else is in it is not looked at.
type cursor struct {
	s   string
	i   int
	err error
}

var errSyntax = errors.New("not valid JSON")

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// peek gives the next byte that is no space, or 0 at the end: no JSON text has it outside of strings.
func (c *cursor) peek() byte {
	for c.i < len(c.s) {
		switch b := c.s[c.i]; b {
		case ' ', '\n', '\t', '\r':
			c.i++
		default:
			return b
		}
	}
	return 0
}

// take steps over the byte b, and reports whether it was there.
func (c *cursor) take(b byte) bool {
	if c.peek() != b {
		return false
	}
	c.i++
	return true
}

// next moves to the following member or element of what ends with end, and reports whether there is one. first is true before the
// first.
func (c *cursor) next(end byte, first *bool) bool {
	switch b := c.peek(); {
	case c.err != nil:
		return false
	case b == end:
		c.i++
		return false
	case *first:
		*first = false
	case b == ',':
		c.i++
	default:
		c.fail(errSyntax)
		return false
	}
	return true
}

// key reads a member's name and its colon.
func (c *cursor) key() string {
	name := c.text()
	if c.err == nil && !c.take(':') {
		c.fail(errSyntax)
	}
	return name
}

// text reads a string. What is not UTF-8, and escapes, are encoding/json's to decide.
func (c *cursor) text() string {
	if c.peek() != '"' {
		c.fail(errors.New("not a JSON string"))
		return ""
	}
	start := c.i
	end, plain := scanPlain(c.s, start+1)
	if plain {
		c.i = end + 1
		return c.s[start+1 : end]
	}
	if end = stringEnd(c.s, end); end < 0 {
		c.fail(errSyntax)
		return ""
	}
	c.i = end + 1
	text := c.s[start+1 : end]
	if strings.IndexByte(text, '\\') < 0 && utf8.ValidString(text) && strings.IndexFunc(text, isControl) < 0 {
		return text
	}
	var decoded string
	if err := json.Unmarshal([]byte(c.s[start:c.i]), &decoded); err != nil {
		c.fail(fmt.Errorf("decode a string: %w", err))
	}
	return decoded
}

func isControl(r rune) bool { return r < ' ' }

// skip steps over a value and gives its text.
func (c *cursor) skip() string {
	var start, end int
	switch first := c.peek(); first {
	case '{', '[':
		start = c.i
		end = bracketEnd(c.s, start+1)
	case '"':
		start = c.i
		end = stringEnd(c.s, start+1)
	default:
		return c.literal()
	}
	if end < 0 {
		c.fail(errSyntax)
		return ""
	}
	c.i = end + 1
	return c.s[start:c.i]
}

// bracketEnd gives the offset of the bracket that ends the object or array whose text goes on at i; -1 when there is none.
func bracketEnd(s string, i int) int {
	depth, inString := 1, uint64(0)
	for i < len(s) {
		// Word by word, unless there is an escape in it or it may be the last.
		for ; i+8 <= len(s); i += 8 {
			v := wordAt(s, i)
			escapes := v ^ '\\'*ones
			quotes := equal(v, '"')
			// In each byte the high bit is set when it is in a string: when the quotes up to it are odd in number.
			inside := quotes ^ quotes<<8
			inside ^= inside << 16
			inside ^= inside<<32 ^ inString
			brackets := v | ' '*ones // { and [ alike, } and ] alike
			closing := bits.OnesCount64(equal(brackets, '}') &^ inside)
			if (escapes-ones)&^escapes&highs != 0 || depth <= closing {
				break
			}
			depth += bits.OnesCount64(equal(brackets, '{')&^inside) - closing
			inString = uint64(int64(inside)>>63) & highs
		}
		for end := min(i+8, len(s)); i < end; i++ {
			switch b := s[i]; {
			case inString != 0:
				switch b {
				case '\\':
					i++
				case '"':
					inString = 0
				}
			case b == '"':
				inString = highs
			case b == '{' || b == '[':
				depth++
			case b == '}' || b == ']':
				if depth--; depth == 0 {
					return i
				}
			}
		}
	}
	return -1
}

const ones, highs = 0x0101010101010101, 0x8080808080808080

// wordAt gives the eight bytes from i on.
func wordAt(s string, i int) uint64 {
	w := s[i : i+8]
	return uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 | uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
}

// equal sets the high bit of each byte of v that is b.
func equal(v uint64, b byte) uint64 {
	x := v ^ uint64(b)*ones
	return ^((x&^highs + ^uint64(highs)) | x) & highs
}

// literal reads a number, true, false or null.
func (c *cursor) literal() string {
	start := c.i
	if end := strings.IndexAny(c.s[start:], ",}] \n\t\r"); end >= 0 {
		c.i += end
	} else {
		c.i = len(c.s)
	}
	text := c.s[start:c.i]
	if text != "true" && text != "false" && text != "null" && !json.Valid([]byte(text)) {
		c.fail(errSyntax)
	}
	return text
}

// scanPlain goes to the first byte from i on that is not plain ASCII text: the quote that ends the string, upon which plain is true, or
// a backslash, a control character, a byte beyond ASCII, or the end of s.
func scanPlain(s string, i int) (at int, plain bool) {
	for ; i+8 <= len(s); i += 8 {
		v := wordAt(s, i)
		quote, escape := v^'"'*ones, v^'\\'*ones
		// In each byte the high bit is set where it is a quote, a backslash, below a space or beyond ASCII. A borrow can only
		// set bits above the lowest one, which is what counts.
		if found := (v | (quote-ones)&^quote | (escape-ones)&^escape | (v-' '*ones)&^v) & highs; found != 0 {
			i += bits.TrailingZeros64(found) / 8
			return i, s[i] == '"'
		}
	}
	for ; i < len(s); i++ {
		if b := s[i]; b == '"' || b == '\\' || b < ' ' || b >= utf8.RuneSelf {
			return i, b == '"'
		}
	}
	return i, false
}

// stringEnd gives the offset of the quote that ends the string whose text goes on at i; -1 when there is none.
func stringEnd(s string, i int) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}
