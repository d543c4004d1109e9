package attr

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestNumberNormalForm(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"0", "0"}, {"-0", "0"}, {"0E5", "0"}, {"0e999999999999", "0"}, {"000", "0"},
		{"1", "1"}, {"+5", "5"}, {"5.", "5"}, {".5", "0.5"}, {"100.00", "100"}, {"1E10", "10000000000"}, {"1e+5", "100000"},
		{"0.00001", "0.00001"}, {"1e-10", "0.0000000001"}, {"-12.3400", "-12.34"}, {"0012", "12"},
		{"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
		{"1234567890123456789012345678901234567800000", "1234567890123456789012345678901234567800000"},
		{"1e125", "1" + strings.Repeat("0", 125)},
		{"1e-130", "0." + strings.Repeat("0", 129) + "1"},
		{"9.9999999999999999999999999999999999999E+125", strings.Repeat("9", 38) + strings.Repeat("0", 88)},
		{"0." + strings.Repeat("0", 200) + "1e201", "1"},
	} {
		got, err := Number(c.in)
		if err != nil || got.Text() != c.want {
			t.Errorf("Number(%q) = %q, %v; want %q", c.in, got.Text(), err, c.want)
		}
	}
}

func TestNumberRefused(t *testing.T) {
	const (
		notANumber = "The parameter cannot be converted to a numeric value"
		overflow   = "Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow  = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
		digits     = "Attempting to store more than 38 significant digits in a Number"
	)
	for in, want := range map[string]string{
		"": notANumber, "abc": notANumber + ": abc", " 5": notANumber + ":  5", "5 ": notANumber + ": 5 ", "1_0": notANumber + ": 1_0",
		"0x1": notANumber + ": 0x1", "NaN": notANumber + ": NaN", "Infinity": notANumber + ": Infinity", "1e": notANumber + ": 1e",
		"1e+-5": notANumber + ": 1e+-5", "--1": notANumber + ": --1", ".": notANumber + ": .", "e5": notANumber + ": e5", "1.2.3": notANumber + ": 1.2.3",
		"1e126": overflow, "-1e126": overflow, "1e999999999999": overflow, "1e-131": underflow, "1e-99999999999": underflow,
		"123456789012345678901234567890123456789": digits, "1.00000000000000000000000000000000000001": digits,
	} {
		if got, err := Number(in); err == nil || err.Error() != want {
			t.Errorf("Number(%q) = %q, %v; want %q", in, got.Text(), err, want)
		}
	}
}

// randomNumber gives text of a number in DynamoDB's range, in all the ways to write it.
func randomNumber(r *rand.Rand) string {
	digits := make([]byte, 1+r.IntN(maxDigits))
	for i := range digits {
		digits[i] = byte('0' + r.IntN(10))
	}
	sign := []string{"", "-", "+"}[r.IntN(3)]
	switch r.IntN(3) {
	case 0:
		return sign + string(digits)
	case 1:
		point := r.IntN(len(digits))
		return sign + string(digits[:point]) + "." + string(digits[point:])
	default:
		return fmt.Sprintf("%s%se%d", sign, digits, r.IntN(maxExponent+130-40)-130)
	}
}

func rational(t *testing.T, text string) *big.Rat {
	t.Helper()
	x, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("math/big does not read %q", text)
	}
	return x
}

// Values, order, sums and key encodings of random numbers agree with math/big.
func TestNumbersAgreeWithMathBig(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		textX, textY := randomNumber(r), randomNumber(r)
		x, errX := Number(textX)
		y, errY := Number(textY)
		if errX != nil || errY != nil {
			t.Fatalf("Number(%q): %v, Number(%q): %v", textX, errX, textY, errY)
		}
		exactX, exactY := rational(t, textX), rational(t, textY)
		if rational(t, x.Text()).Cmp(exactX) != 0 {
			t.Fatalf("Number(%q) = %s, another value", textX, x.Text())
		}
		if again, err := Number(x.Text()); err != nil || again.Text() != x.Text() {
			t.Fatalf("the normal form %s of %q is not its own: %s, %v", x.Text(), textX, again.Text(), err)
		}
		want := exactX.Cmp(exactY)
		if got, ok := Compare(x, y); !ok || got != want {
			t.Fatalf("Compare(%s, %s) = %d, want %d", textX, textY, got, want)
		}
		if got := strings.Compare(string(AppendKey(nil, x)), string(AppendKey(nil, y))); got != want {
			t.Fatalf("keys of %s and %s compare as %d, want %d", textX, textY, got, want)
		}
		checkResult(t, "+", textX, textY, new(big.Rat).Add(exactX, exactY), Add, x, y)
		checkResult(t, "-", textX, textY, new(big.Rat).Sub(exactX, exactY), Subtract, x, y)
	}
}

func checkResult(t *testing.T, op, textX, textY string, exact *big.Rat, do func(Value, Value) (Value, error), x, y Value) {
	t.Helper()
	want, wantErr := Number(exact.FloatString(2 * -minExponent))
	got, err := do(x, y)
	if (err == nil) != (wantErr == nil) || got.Text() != want.Text() {
		t.Fatalf("%s %s %s = %s, %v; want %s, %v", textX, op, textY, got.Text(), err, want.Text(), wantErr)
	}
}

func TestArithmeticLimits(t *testing.T) {
	number := func(text string) Value {
		v, err := Number(text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if _, err := Add(number("5"), number("1e-38")); err == nil || !strings.Contains(err.Error(), "38 significant digits") {
		t.Errorf("a sum of 39 digits gives %v", err)
	}
	if _, err := Add(number("9e125"), number("9e125")); err == nil || !strings.HasPrefix(err.Error(), "Number overflow") {
		t.Errorf("a sum over the range gives %v", err)
	}
	if got, err := Subtract(number("9e125"), number("9e125")); err != nil || got.Text() != "0" {
		t.Errorf("9e125 - 9e125 = %s, %v", got.Text(), err)
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"0", "-1.5e10", ".5", "1e126", "1e-131", "12.", "+0", "e", "9999999999999999999999999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Number(text)
		if err != nil {
			return
		}
		again, err := Number(v.Text())
		if err != nil || again.Text() != v.Text() {
			t.Fatalf("%q became %q, which becomes %q, %v", text, v.Text(), again.Text(), err)
		}
	})
}
