package stream

import (
	"cmp"
	"errors"
	"strconv"
	"strings"
)

// Number is a DynamoDB number as the decimal text that it came as, such as "12.50". Nothing is lost: DynamoDB's
// numbers have up to 38 significant digits, more than any number type of Go. The zero Number "" is no number: the
// attribute is absent or NULL.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
type Number string

// Errors of conversions name no value: they reach logs, where an item's content must not be.
var (
	errNoNumber = errors.New("not a decimal number")
	errEmpty    = errors.New("no number: the attribute is absent or NULL")
	errFraction = errors.New("the number has a fraction and is no int64")
	errInt64    = errors.New("the number overflows int64")
	errFloat64  = errors.New("the number overflows float64")
)

// String gives the text as it came.
func (n Number) String() string { return string(n) }

// Int64 gives the number if an int64 holds it exactly, as for "12", "12.0" and "1.2E1"; a fraction, an overflow and
// what is no number are errors.
func (n Number) Int64() (int64, error) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i, nil
	}
	d, err := n.parse()
	if err != nil {
		return 0, err
	}
	switch {
	case d.digits == "":
		return 0, nil
	case d.exponent < 0:
		return 0, errFraction
	case len(d.digits)+d.exponent > len("9223372036854775808"):
		return 0, errInt64
	}
	const zeros = "0000000000000000000"
	i, err := strconv.ParseInt(d.sign+d.digits+zeros[:d.exponent], 10, 64)
	if err != nil {
		return 0, errInt64
	}
	return i, nil
}

// Float64 gives the float64 nearest to the number. A float64 has 15 to 17 significant digits, so a longer number is
// rounded. An overflow and what is no number are errors.
func (n Number) Float64() (float64, error) {
	// strconv knows more forms than DynamoDB: Inf, NaN, hexadecimal.
	if _, err := n.parse(); err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return 0, errFloat64
	}
	return f, nil
}

// decimal is sign, digits × 10^exponent, with no zeros at either end of digits; zero has no digits.
type decimal struct {
	sign, digits string
	exponent     int
}

func (n Number) parse() (decimal, error) {
	if n == "" {
		return decimal{}, errEmpty
	}
	var d decimal
	text := string(n)
	if text[0] == '-' || text[0] == '+' {
		d.sign, text = text[:1], text[1:]
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		// DynamoDB's exponents end at 125; 16 bits keep the arithmetic below from overflowing.
		exponent, err := strconv.ParseInt(text[i+1:], 10, 16)
		if err != nil {
			return decimal{}, errNoNumber
		}
		d.exponent, text = int(exponent), text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return decimal{}, errNoNumber
	}
	d.exponent -= len(fraction)
	d.digits = strings.TrimRight(digits, "0")
	d.exponent += len(digits) - len(d.digits)
	d.digits = strings.TrimLeft(d.digits, "0")
	return d, nil
}

// compare orders two numbers exactly; ok is false when one is no number.
func (n Number) compare(m Number) (order int, ok bool) {
	a, errA := n.parse()
	b, errB := m.parse()
	if errA != nil || errB != nil {
		return 0, false
	}
	switch x, y := a.signum(), b.signum(); {
	case x != y || x == 0:
		return cmp.Compare(x, y), true
	case x < 0:
		return b.compareMagnitude(a), true
	}
	return a.compareMagnitude(b), true
}

func (d decimal) signum() int {
	switch {
	case d.digits == "":
		return 0
	case d.sign == "-":
		return -1
	}
	return 1
}

// compareMagnitude orders two numbers without their signs: first by where the first digit stands, then digit by digit.
func (d decimal) compareMagnitude(e decimal) int {
	if c := cmp.Compare(len(d.digits)+d.exponent, len(e.digits)+e.exponent); c != 0 {
		return c
	}
	return strings.Compare(d.digits, e.digits) // without trailing zeros, a prefix is the smaller
}
