package stream_test

import (
	"context"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"streamgen/runtime/stream"
)

// recordOf gives a record with two images.
func recordOf(t *testing.T, old, current string) stream.Record {
	t.Helper()
	var got stream.Record
	look := stream.Where(func(r stream.Record) bool { got = r; return false })
	handle := func(context.Context, stream.Change[Order]) error { return nil }
	if _, err := stream.Router(stream.On("orders", handle, look)).Invoke(t.Context(), streamEvent("orders", `"OldImage":`+old+`,"NewImage":`+current)); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAttributes(t *testing.T) {
	r := recordOf(t, `{"n":{"N":"2"},"s":{"S":"m"}}`, `{
		"n":{"N":"10"},"s":{"S":"mm"},"t":{"BOOL":true},"z":{"NULL":true},"b":{"B":"eA=="},"ss":{"SS":["a","b"]},"ns":{"NS":["1.0","2"]},
		"m":{"M":{"s":{"S":"deep"},"m":{"M":{"n":{"N":"1"}}}}},"l":{"L":[]},"odd":7,"two":{"S":"x","N":"1"}}`)
	for name, c := range map[string]struct{ got, want bool }{
		"equal":                {r.New("n").Equal(stream.N("1E1")), true},
		"other type":           {r.New("n").Equal(stream.S("10")), false},
		"other type, unequal":  {r.New("n").NotEqual(stream.S("10")), false},
		"unequal":              {r.New("s").NotEqual(stream.S("m")), true},
		"absent":               {r.New("gone").Equal(stream.S("")), false},
		"absent, unequal":      {r.New("gone").NotEqual(stream.S("x")), false},
		"both absent":          {r.New("gone").Equal(r.Old("gone")), false},
		"NULL":                 {r.New("z").Is("NULL"), false},
		"NULL and NULL":        {r.New("z").Equal(r.New("z")), false},
		"numbers, not texts":   {r.Old("n").Less(r.New("n")), true},
		"texts":                {r.Old("s").Less(r.New("s")), true},
		"less or equal":        {r.Old("s").LessOrEqual(r.Old("s")), true},
		"greater":              {r.New("s").Greater(r.Old("s")), true},
		"greater or equal":     {r.Old("n").GreaterOrEqual(r.New("n")), false},
		"boolean":              {r.New("t").Equal(stream.BOOL(true)), true},
		"boolean, unequal":     {r.New("t").NotEqual(stream.BOOL(false)), true},
		"booleans in order":    {stream.BOOL(false).Less(r.New("t")), false},
		"binary":               {r.New("b").Equal(r.New("b")), true},
		"in":                   {r.New("s").In(stream.S("x"), stream.S("mm")), true},
		"not in":               {r.New("s").In(stream.S("x")), false},
		"prefix":               {r.New("s").HasPrefix("m"), true},
		"suffix":               {r.New("s").HasSuffix("x"), false},
		"prefix of a number":   {r.New("n").HasPrefix("1"), false},
		"part":                 {r.New("m", "s").Contains(stream.S("ee")), true},
		"member":               {r.New("ss").Contains(stream.S("b")), true},
		"member by value":      {r.New("ns").Contains(stream.N("1")), true},
		"member of other type": {r.New("ns").Contains(stream.S("1")), false},
		"map":                  {r.New("m").Is("M"), true},
		"maps":                 {r.New("m").Equal(r.New("m")), false},
		"list":                 {r.New("l").Is("L"), true},
		"deep":                 {r.New("m", "m", "n").Equal(stream.N("1")), true},
		"through no map":       {r.New("s", "x").Is("S"), false},
		"malformed":            {r.New("odd").Is("S"), false},
		"two types":            {r.New("two").Is("S"), false},
		"no path":              {r.New().Is("M"), false},
		"key":                  {r.Key("Id").Equal(stream.S("0")), true},
		"no type":              {r.New("gone").Is(""), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}

// TestNumberOrder holds the order of numbers to that of exact fractions.
func TestNumberOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		text := []string{"", "-"}[r.IntN(2)] + strconv.Itoa(r.IntN(1200))
		if r.IntN(2) == 0 {
			text += "." + strconv.Itoa(r.IntN(100)) + []string{"", "0"}[r.IntN(2)]
		}
		if r.IntN(3) == 0 {
			text += "E" + strconv.Itoa(r.IntN(9)-4)
		}
		return text
	}
	numbers := []string{"0", "-0", "0.00", "0E5", "100", "1E2", "99999999999999999999999999999999999999"}
	for range 300 {
		numbers = append(numbers, random())
	}
	for range 20_000 {
		a, b := numbers[r.IntN(len(numbers))], numbers[r.IntN(len(numbers))]
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		m, n := stream.N(stream.Number(a)), stream.N(stream.Number(b))
		if got, want := [2]bool{m.Less(n), m.Equal(n)}, [2]bool{x.Cmp(y) < 0, x.Cmp(y) == 0}; got != want {
			t.Fatalf("%s and %s: less and equal are %v, want %v", a, b, got, want)
		}
	}
	if stream.N("x").Equal(stream.N("x")) {
		t.Error("what is no number equals itself")
	}
}
