package stream_test

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"streamgen/runtime/stream"
)

func TestNumber(t *testing.T) {
	const fraction, overflow, noNumber, empty = "has a fraction", "overflows", "not a decimal number", "absent or NULL"
	tests := []struct {
		number       stream.Number
		int64        int64
		int64Error   string
		float64      float64
		float64Error string
	}{
		{number: "0"},
		{number: "-0"},
		{number: "0.00"},
		{number: "0E-130"},
		{number: "12", int64: 12, float64: 12},
		{number: "+12", int64: 12, float64: 12},
		{number: "-12", int64: -12, float64: -12},
		{number: "12.0", int64: 12, float64: 12},
		{number: "012", int64: 12, float64: 12},
		{number: "1.2E1", int64: 12, float64: 12},
		{number: "1.2e+1", int64: 12, float64: 12},
		{number: "1200E-2", int64: 12, float64: 12},
		{number: "-1.20E+3", int64: -1200, float64: -1200},
		{number: "12.5", int64Error: fraction, float64: 12.5},
		{number: "-0.5", int64Error: fraction, float64: -0.5},
		{number: ".5", int64Error: fraction, float64: 0.5},
		{number: "1E-130", int64Error: fraction, float64: 1e-130},
		{number: "9223372036854775807", int64: math.MaxInt64, float64: math.MaxInt64},
		{number: "9223372036854775807.000", int64: math.MaxInt64, float64: math.MaxInt64},
		{number: "-9223372036854775808", int64: math.MinInt64, float64: math.MinInt64},
		{number: "-9223372036854775808.0", int64: math.MinInt64, float64: math.MinInt64},
		{number: "9223372036854775808", int64Error: overflow, float64: 9223372036854775808},
		{number: "-9223372036854775809", int64Error: overflow, float64: -9223372036854775809},
		{number: "1E18", int64: 1e18, float64: 1e18},
		{number: "1E19", int64Error: overflow, float64: 1e19},
		{number: "9.9999999999999999999999999999999999999E+125", int64Error: overflow, float64: 1e126},
		{number: "0.12345678901234567890123456789012345678", int64Error: fraction, float64: 0.12345678901234568},
		{number: "1E400", int64Error: overflow, float64Error: overflow},
		{number: "-1E400", int64Error: overflow, float64Error: overflow},
		{number: "", int64Error: empty, float64Error: empty},
		{number: "1E32768", int64Error: noNumber, float64Error: noNumber},
		{number: "0.1E-9223372036854775808", int64Error: noNumber, float64Error: noNumber},
		{number: "1E99999999999999999999", int64Error: noNumber, float64Error: noNumber},
		{number: "abc", int64Error: noNumber, float64Error: noNumber},
		{number: "-", int64Error: noNumber, float64Error: noNumber},
		{number: ".", int64Error: noNumber, float64Error: noNumber},
		{number: "E5", int64Error: noNumber, float64Error: noNumber},
		{number: "1E", int64Error: noNumber, float64Error: noNumber},
		{number: "--1", int64Error: noNumber, float64Error: noNumber},
		{number: "1.2.3", int64Error: noNumber, float64Error: noNumber},
		{number: "1 ", int64Error: noNumber, float64Error: noNumber},
		{number: "1_000", int64Error: noNumber, float64Error: noNumber},
		{number: "0x10", int64Error: noNumber, float64Error: noNumber},
		{number: "Inf", int64Error: noNumber, float64Error: noNumber},
		{number: "NaN", int64Error: noNumber, float64Error: noNumber},
		{number: "١٢", int64Error: noNumber, float64Error: noNumber},
	}
	for _, test := range tests {
		t.Run(strconv.Quote(test.number.String()), func(t *testing.T) {
			i, err := test.number.Int64()
			if !fits(err, test.int64Error) || i != test.int64 {
				t.Errorf("Int64 gives %d, %v; want %d, %q", i, err, test.int64, test.int64Error)
			}
			f, err := test.number.Float64()
			if !fits(err, test.float64Error) || f != test.float64 {
				t.Errorf("Float64 gives %g, %v; want %g, %q", f, err, test.float64, test.float64Error)
			}
		})
	}
}

// fits says whether err is one with text in it, or nil when there is no text.
func fits(err error, text string) bool {
	if text == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), text)
}

// FuzzNumber compares conversions with exact arithmetic.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{"0", "-12.50", "1E+20", "9223372036854775807", "9223372036854775808", ".5e1", "-0e0", "1e-3", "0.001E3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 60 {
			return
		}
		n := stream.Number(text)
		i, intErr := n.Int64()
		float, floatErr := n.Float64()
		if n.String() != text {
			t.Fatalf("String gives %q", n.String())
		}
		// Rat knows fractions and other bases too, and computes 10^exponent.
		if _, exponent, _ := strings.Cut(strings.ToLower(text), "e"); len(exponent) > 4 || strings.ContainsAny(text, "/_xXbBoOpP") {
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			if intErr == nil || floatErr == nil {
				t.Fatalf("%q is no number; got %d, %v and %g, %v", text, i, intErr, float, floatErr)
			}
			return
		}
		if isInt64 := exact.IsInt() && exact.Num().IsInt64(); isInt64 != (intErr == nil) || isInt64 && i != exact.Num().Int64() {
			t.Fatalf("Int64 of %q gives %d, %v; exactly %s", text, i, intErr, exact.RatString())
		}
		nearest, _ := exact.Float64()
		if math.IsInf(nearest, 0) != (floatErr != nil) || floatErr == nil && float != nearest {
			t.Fatalf("Float64 of %q gives %g, %v; want %g", text, float, floatErr, nearest)
		}
	})
}
