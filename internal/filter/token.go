package filter

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

type kind int

const (
	end kind = iota
	word
	text
	number
	symbol
)

// token is a word of a condition: text holds a string without its quotes.
type token struct {
	kind kind
	text string
	at   int
}

// symbols are tried in this order: = and <> are not of the grammar but are often meant for others.
var symbols = []string{"||", "&&", "==", "!=", "<=", ">=", "<>", "<", ">", "!", "(", ")", "[", "]", ",", ".", "="}

// advance reads the next token.
func (p *parser) advance() {
	for p.next < len(p.text) && unicode.IsSpace(p.text[p.next]) {
		p.next++
	}
	p.token = token{kind: end, at: p.next}
	if p.next == len(p.text) {
		return
	}
	switch r := p.text[p.next]; {
	case letter(r):
		p.take(word, func(r rune) bool { return letter(r) || digit(r) })
	case digit(r) || r == '-':
		p.number()
	case r == '\'' || r == '"':
		p.string(r)
	default:
		p.symbol()
	}
}

func letter(r rune) bool { return r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
func digit(r rune) bool  { return '0' <= r && r <= '9' }

func (p *parser) take(k kind, more func(rune) bool) {
	start := p.next
	for p.next < len(p.text) && more(p.text[p.next]) {
		p.next++
	}
	p.token = token{k, string(p.text[start:p.next]), start}
}

func (p *parser) number() {
	before := rune(0)
	p.take(number, func(r rune) bool {
		sign := (r == '-' || r == '+') && (before == 0 || before == 'e' || before == 'E')
		more := sign || digit(r) || r == '.' || letter(r)
		before = r
		return more
	})
}

func (p *parser) string(quote rune) {
	start := p.next
	var b strings.Builder
	for p.next++; p.next < len(p.text); p.next++ {
		r := p.text[p.next]
		if r == quote {
			p.next++
			p.token = token{text, b.String(), start}
			return
		}
		if r == '\\' {
			if p.next++; p.next == len(p.text) || !strings.ContainsRune(`\'"`, p.text[p.next]) {
				p.report(p.next-1, `Write \\ for a backslash.`, "a backslash in a string stands before a quote or a backslash")
				p.giveUp()
				return
			}
			r = p.text[p.next]
		}
		b.WriteRune(r)
	}
	p.report(start, "Close it.", "the string has no end")
	p.giveUp()
}

func (p *parser) symbol() {
	rest := string(p.text[p.next:min(p.next+2, len(p.text))])
	i := slices.IndexFunc(symbols, func(s string) bool { return strings.HasPrefix(rest, s) })
	s := string(p.text[p.next : p.next+1])
	if i >= 0 {
		s = symbols[i]
	}
	p.token = token{symbol, s, p.next}
	p.next += len([]rune(s))
}

// normal brings a number to DynamoDB's normal form, without an exponent, as it stands in records.
func normal(n string) (string, bool) {
	mantissa, exp, hasExp := strings.Cut(strings.ToLower(n), "e")
	exponent := 0
	if hasExp {
		var err error
		if exponent, err = strconv.Atoi(exp); err != nil || exponent < -1000 || exponent > 1000 {
			return n, false
		}
	}
	sign := ""
	if rest, negative := strings.CutPrefix(mantissa, "-"); negative {
		sign, mantissa = "-", rest
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if whole == "" || strings.Trim(digits, "0123456789") != "" || strings.HasSuffix(mantissa, ".") {
		return n, false
	}
	point := len(whole) + exponent // where the decimal point stands among the digits
	trimmed := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(trimmed)
	trimmed = strings.TrimRight(trimmed, "0")
	switch {
	case trimmed == "":
		return "0", true
	case len(trimmed) > 38 || point > 126 || point < -129:
		return n, false
	case point <= 0:
		return sign + "0." + strings.Repeat("0", -point) + trimmed, true
	case point >= len(trimmed):
		return sign + trimmed + strings.Repeat("0", point-len(trimmed)), true
	}
	return sign + trimmed[:point] + "." + trimmed[point:], true
}
