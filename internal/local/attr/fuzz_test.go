package attr

import (
	"bytes"
	"testing"
)

// The encodings of keys sort as the values do, and none is another's prefix: so do the encodings of composite keys.
func FuzzKeyOrder(f *testing.F) {
	f.Add("1", "10", []byte("a"), []byte("a\x00"))
	f.Add("-1e-130", "1e125", []byte("\x00\x01"), []byte("\x00\xFF"))
	f.Add("-99999999999999999999999999999999999999", "-99999999999999999999999999999999999998", []byte("\xFF"), []byte("\xFF\xFF"))
	f.Add("0", "-0.0", []byte(""), []byte("\x00"))
	f.Fuzz(func(t *testing.T, x, y string, a, b []byte) {
		checkKeyOrder(t, Binary(a), Binary(b))
		checkKeyOrder(t, String(string(a)), String(string(b)))
		one, err := Number(x)
		if err != nil {
			return
		}
		other, err := Number(y)
		if err != nil {
			return
		}
		checkKeyOrder(t, one, other)
		sum, err := Add(one, other)
		if err != nil {
			return
		}
		if back, err := Subtract(sum, other); err == nil && !back.Equal(one) {
			t.Fatalf("%s + %s - %s = %s", one.Text(), other.Text(), other.Text(), back.Text())
		}
		if order, _ := Compare(other, Value{typ: N, text: "0"}); order > 0 {
			checkKeyOrder(t, one, sum)
		}
	})
}

func checkKeyOrder(t *testing.T, v, w Value) {
	t.Helper()
	one, other := AppendKey(nil, v), AppendKey(nil, w)
	want, ok := Compare(v, w)
	if !ok {
		t.Fatalf("%s and %s have no order", v.Type(), w.Type())
	}
	if got := bytes.Compare(one, other); got != want {
		t.Fatalf("%q and %q compare as %d, their keys %x and %x as %d", v.Text(), w.Text(), want, one, other, got)
	}
	if want != 0 && (bytes.HasPrefix(one, other) || bytes.HasPrefix(other, one)) {
		t.Fatalf("of %q and %q one key is a prefix: %x, %x", v.Text(), w.Text(), one, other)
	}
	if v.Type() == N {
		return
	}
	prefix := AppendKeyPrefix(nil, v)
	if got, want := bytes.HasPrefix(other, prefix), bytes.HasPrefix([]byte(w.Text()), []byte(v.Text())); got != want {
		t.Fatalf("%q begins with %q: the keys say %v", w.Text(), v.Text(), got)
	}
}

// A decoded item has no value that is none, is no deeper than allowed, and is written the same way every time.
func FuzzItemForm(f *testing.F) {
	f.Add([]byte(`{"a":{"L":[{"M":{"b":{"NS":["1","2"]}}},{"BS":["AA==","/w=="]}]},"c":{"N":"1e3"},"d":{"NULL":true}}`))
	f.Add([]byte(`{"a":{"S":null,"N":"1"}, "\u0061" : {"SS":["\ud800"]}}`))
	f.Add([]byte(`{"":{"M":{"":{"L":[]}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var it Item
		if it.UnmarshalJSON(data) != nil {
			return
		}
		if it.Depth() > MaxDepth {
			t.Fatalf("%s has %d levels", data, it.Depth())
		}
		for name, v := range it {
			checkForm(t, name, v)
		}
		var back Item
		text := it.AppendJSON(nil)
		if err := back.UnmarshalJSON(text); err != nil || !bytes.Equal(back.AppendJSON(nil), text) || back.Size() != it.Size() {
			t.Fatalf("%s was written as %s, then as %s (%v)", data, text, back.AppendJSON(nil), err)
		}
	})
}

func checkForm(t *testing.T, name string, v Value) {
	t.Helper()
	if v.IsZero() || v.Size() < 0 {
		t.Fatalf("attribute %q is %+v of size %d", name, v, v.Size())
	}
	for field, e := range v.Fields() {
		checkForm(t, field, e)
	}
	for _, e := range v.Elements() {
		checkForm(t, name, e)
	}
	members := v.Members()
	if v.Type().IsSet() && len(members) == 0 {
		t.Fatalf("attribute %q is an empty set", name)
	}
	for i, m := range members {
		if i > 0 && order(t, members[i-1], m) >= 0 {
			t.Fatalf("attribute %q has %q before %q", name, members[i-1].Text(), m.Text())
		}
	}
}

func order(t *testing.T, v, w Value) int {
	t.Helper()
	o, ok := Compare(v, w)
	if !ok {
		t.Fatalf("a set has %s beside %s", v.Type(), w.Type())
	}
	return o
}
