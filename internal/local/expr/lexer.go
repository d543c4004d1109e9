package expr

import (
	"strings"
	"unicode/utf8"
)

type kind uint8

const (
	eof kind = iota
	identifier
	nameToken  // #name
	valueToken // :name
	number
	symbol  // an operator or a bracket
	keyword // AND, SET …; token.text is as written
	unknown // a character that no expression has
)

type token struct {
	kind       kind
	text       string
	start, end int // in the source
}

// keywords are no attribute names, in whatever case and in whichever kind of expression.
var keywords = map[string]bool{
	"AND": true, "OR": true, "NOT": true, "BETWEEN": true, "IN": true,
	"SET": true, "REMOVE": true, "ADD": true, "DELETE": true,
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isPart(c byte) bool   { return isLetter(c) || isDigit(c) || c == '_' }

// tokenize splits the source; the last token is always eof.
func tokenize(src string) []token {
	var tokens []token
	for i := 0; i < len(src); {
		if strings.IndexByte(" \t\r\n", src[i]) >= 0 {
			i++
			continue
		}
		t := next(src, i)
		tokens = append(tokens, t)
		i = t.end
	}
	return append(tokens, token{kind: eof, text: "<EOF>", start: len(src), end: len(src)})
}

func next(src string, start int) token {
	k, end := unknown, start+1
	switch c := src[start]; {
	case isLetter(c):
		k, end = identifier, partsEnd(src, end)
		if keywords[strings.ToUpper(src[start:end])] {
			k = keyword
		}
	case c == '#' || c == ':':
		if end = partsEnd(src, end); end > start+1 {
			k = nameToken
			if c == ':' {
				k = valueToken
			}
		}
	case c == '0':
		k = number
	case isDigit(c):
		for k = number; end < len(src) && isDigit(src[end]); end++ {
		}
	case strings.IndexByte("()[],.=<>+-", c) >= 0:
		k = symbol
		if end < len(src) && (c == '<' && (src[end] == '=' || src[end] == '>') || c == '>' && src[end] == '=') {
			end++
		}
	default:
		_, size := utf8.DecodeRuneInString(src[start:])
		end = start + size
	}
	return token{kind: k, text: src[start:end], start: start, end: end}
}

func partsEnd(src string, i int) int {
	for i < len(src) && isPart(src[i]) {
		i++
	}
	return i
}
