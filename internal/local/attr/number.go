package attr

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// The range of a number: at most 38 significant digits, the first of them worth 10^125 at most and 10^-130 at least.
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// Number gives a value of type N from decimal text such as "-1.50", "3e10" or ".5", brought to DynamoDB's normal
// form: plain digits without exponent, leading or trailing zeros. The error is a [*ValueError].
func Number(text string) (Value, error) {
	normal, err := normalNumber(text)
	if err != nil {
		return Value{}, err
	}
	return Value{typ: N, text: normal}, nil
}

func normalNumber(text string) (string, error) {
	negative, digits, exponent, ok := scanNumber(text)
	if !ok {
		if text == "" {
			return "", invalid("The parameter cannot be converted to a numeric value")
		}
		return "", invalid("The parameter cannot be converted to a numeric value: %s", text)
	}
	if digits == "" {
		return "0", nil
	}
	switch first := exponent + len(digits) - 1; {
	case first > maxExponent:
		return "", invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case first < minExponent:
		return "", invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	case len(digits) > maxDigits:
		return "", invalid("Attempting to store more than 38 significant digits in a Number")
	}
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	switch point := len(digits) + exponent; { // where the decimal point stands among the digits
	case exponent >= 0:
		b.WriteString(digits)
		b.WriteString(strings.Repeat("0", exponent))
	case point > 0:
		b.WriteString(digits[:point])
		b.WriteByte('.')
		b.WriteString(digits[point:])
	default:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -point))
		b.WriteString(digits)
	}
	return b.String(), nil
}

// scanNumber reads decimal text as digits × 10^exponent. digits has no zero at either end and is "" for zero.
func scanNumber(text string) (negative bool, digits string, exponent int, ok bool) {
	mantissa, power, hasPower := text, "", false
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power, hasPower = text[:i], text[i+1:], true
	}
	switch {
	case strings.HasPrefix(mantissa, "-"):
		negative, mantissa = true, mantissa[1:]
	case strings.HasPrefix(mantissa, "+"):
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = whole + fraction
	if digits == "" || !onlyDigits(digits) {
		return false, "", 0, false
	}
	if hasPower {
		if exponent, ok = scanExponent(power); !ok {
			return false, "", 0, false
		}
	}
	exponent -= len(fraction)
	digits = strings.TrimLeft(digits, "0")
	trimmed := strings.TrimRight(digits, "0")
	return negative, trimmed, exponent + len(digits) - len(trimmed), true
}

// scanExponent reads a signed decimal; one too large to matter is cut to ±10^9, beyond any number's range.
func scanExponent(text string) (exponent int, ok bool) {
	unsigned := strings.TrimPrefix(strings.TrimPrefix(text, "+"), "-")
	if len(text)-len(unsigned) > 1 || unsigned == "" || !onlyDigits(unsigned) {
		return 0, false
	}
	const limit = 1_000_000_000
	exponent, err := strconv.Atoi(unsigned)
	if err != nil || exponent > limit {
		exponent = limit
	}
	if text[0] == '-' {
		exponent = -exponent
	}
	return exponent, true
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// compareNumbers orders two numbers in normal form.
func compareNumbers(a, b string) int {
	negativeA, negativeB := strings.HasPrefix(a, "-"), strings.HasPrefix(b, "-")
	switch {
	case negativeA && negativeB:
		return compareMagnitudes(b[1:], a[1:])
	case negativeA:
		return -1
	case negativeB:
		return 1
	default:
		return compareMagnitudes(a, b)
	}
}

func compareMagnitudes(a, b string) int {
	wholeA, fractionA, _ := strings.Cut(a, ".")
	wholeB, fractionB, _ := strings.Cut(b, ".")
	return cmp.Or(
		cmp.Compare(len(wholeA), len(wholeB)),
		cmp.Compare(wholeA, wholeB),
		cmp.Compare(fractionA, fractionB), // a shorter one that is a prefix is the smaller: neither ends in zero
	)
}

// Add gives the exact sum of two numbers. A sum outside the range, or of more than 38 digits, is a [*ValueError].
func Add(v, w Value) (Value, error) { return calculate((*apd.Context).Add, v, w) }

// Subtract gives the exact difference of two numbers, with the errors of [Add].
func Subtract(v, w Value) (Value, error) { return calculate((*apd.Context).Sub, v, w) }

func calculate(op func(c *apd.Context, d, x, y *apd.Decimal) (apd.Condition, error), v, w Value) (Value, error) {
	var x, y, sum apd.Decimal
	if _, _, err := x.SetString(v.text); err != nil {
		return Value{}, invalid("The parameter cannot be converted to a numeric value: %s", v.text)
	}
	if _, _, err := y.SetString(w.text); err != nil {
		return Value{}, invalid("The parameter cannot be converted to a numeric value: %s", w.text)
	}
	// Precision 0 turns rounding off: operands span 256 digits at most, so the sum is exact and Number judges it.
	if _, err := op(&apd.BaseContext, &sum, &x, &y); err != nil {
		return Value{}, invalid("The parameter cannot be converted to a numeric value: %v", err)
	}
	return Number(sum.Text('E'))
}
