package attr

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func parse(t testing.TB, text string) Value {
	t.Helper()
	var v Value
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func parseItem(t testing.TB, text string) Item {
	t.Helper()
	var it Item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return it
}

func TestJSONRoundTrip(t *testing.T) {
	for in, want := range map[string]string{
		`{"S":""}`:                           `{"S":""}`,
		`{"S":"a<b>&\"\\\u0001é😀"}`:          `{"S":"a<b>&\"\\\u0001é😀"}`,
		`{ "N" : "1.50" }`:                   `{"N":"1.5"}`,
		`{"B":""}`:                           `{"B":""}`,
		`{"B":"AAEC/w=="}`:                   `{"B":"AAEC/w=="}`,
		`{"BOOL":false}`:                     `{"BOOL":false}`,
		`{"BOOL":true}`:                      `{"BOOL":true}`,
		`{"NULL":true,"S":null}`:             `{"NULL":true}`,
		`{"M":{}}`:                           `{"M":{}}`,
		`{"M":{"b":{"S":"x"},"a":{"L":[]}}}`: `{"M":{"a":{"L":[]},"b":{"S":"x"}}}`,
		`{"L":[{"N":"01"},{"NULL":true}]}`:   `{"L":[{"N":"1"},{"NULL":true}]}`,
		`{"SS":["b","","a"]}`:                `{"SS":["","a","b"]}`,
		`{"NS":["10","-1","9.0"]}`:           `{"NS":["-1","9","10"]}`,
		`{"BS":["Yg==","YQ=="]}`:             `{"BS":["YQ==","Yg=="]}`,
	} {
		if got := string(parse(t, in).AppendJSON(nil)); got != want {
			t.Errorf("%s came back as %s, want %s", in, got, want)
		}
	}
}

func TestJSONRefused(t *testing.T) {
	const (
		form  = "form"
		value = "value"
	)
	deep := func(levels int) string {
		return strings.Repeat(`{"L":[`, levels) + `{"S":"a"}` + strings.Repeat(`]}`, levels)
	}
	for _, c := range []struct{ in, kind, message string }{
		{`{}`, value, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"X":"a"}`, value, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"S":null}`, value, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"s":"a"}`, value, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"S":"a","N":"1"}`, value, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		{`{"S":"a","X":"1"}`, value, "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"},
		{`{"NULL":false}`, value, "One or more parameter values were invalid: Null attribute value types must have the value of true"},
		{`{"SS":[]}`, value, "One or more parameter values were invalid: An string set  may not be empty"},
		{`{"NS":[]}`, value, "One or more parameter values were invalid: An number set  may not be empty"},
		{`{"BS":[]}`, value, "One or more parameter values were invalid: Binary sets should not be empty"},
		{`{"SS":["a","b","a"]}`, value, "One or more parameter values were invalid: Input collection [a, b, a] contains duplicates."},
		{`{"NS":["1","1.0"]}`, value, "Input collection contains duplicates"},
		{`{"BS":["YQ==","YQ=="]}`, value, "One or more parameter values were invalid: Input collection [YQ==, YQ==]of type BS contains duplicates."},
		{`{"SS":[null]}`, value, "One or more parameter values were invalid: A set may not have a null as a member"},
		{`{"N":"x"}`, value, "The parameter cannot be converted to a numeric value: x"},
		{`{"M":{"":{"S":"a"}}}`, value, "Empty attribute name"},
		{deep(32), value, "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"},
		{`{"S":1}`, form, "NUMBER_VALUE cannot be converted to String"},
		{`{"N":1}`, form, "NUMBER_VALUE cannot be converted to String"},
		{`{"S":1.5}`, form, "DECIMAL_VALUE cannot be converted to String"},
		{`{"S":[]}`, form, "Unrecognized collection type class java.lang.String"},
		{`{"BOOL":"maybe"}`, form, "Unexpected token received from parser"},
		{`{"BOOL":1}`, form, "NUMBER_VALUE cannot be converted to Boolean"},
		{`{"L":{}}`, form, "Start of structure or map found where not expected"},
		{`{"M":[]}`, form, "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"},
		{`{"M":{"a":1}}`, form, "Unexpected value type in payload"},
		{`{"L":[[]]}`, form, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"},
		{`{"L":[null]}`, value, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{`{"SS":"a"}`, form, "Unexpected field type"},
		{`{"B":"a"}`, form, "Base64 encoded length is expected a multiple of 4 bytes but found: 1"},
		{`{"B":"YR=="}`, form, "Invalid last non-pad Base64 character dectected"},
		{`{"B":"YQ\n=="}`, form, "Base64 encoded length is expected a multiple of 4 bytes but found: 5"},
		{`{"B":1}`, form, "only base-64-encoded strings are convertible to bytes"},
		{`{"B":[]}`, form, "Unrecognized collection type class java.nio.ByteBuffer"},
		{`"x"`, form, "Unexpected value type in payload"},
		{`true`, form, "Unexpected value type in payload"},
		{`null`, value, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
	} {
		var v Value
		err := json.Unmarshal([]byte(c.in), &v)
		var formErr *FormError
		var valueErr *ValueError
		kind := ""
		switch {
		case errors.As(err, &formErr):
			kind = form
		case errors.As(err, &valueErr):
			kind = value
		}
		if err == nil || kind != c.kind || err.Error() != c.message {
			t.Errorf("%s: %s error %v, want %s error %s", c.in, kind, err, c.kind, c.message)
		}
	}
	parse(t, deep(31))
}

// The vectors are records of the service: key, images and the record's size.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		item string
		want int
	}{
		{`{"id":{"S":"id_value"}}`, 10},
		{`{"id2":{"S":"id2_new_value"},"id":{"S":"id_value"}}`, 26},
		{`{"n":{"N":"101"}}`, 4},
		{`{"n":{"N":"0"}}`, 1 + 1},
		{`{"n":{"N":"-0"}}`, 1 + 1},
		{`{"n":{"N":"1234"}}`, 1 + 3},
		{`{"n":{"N":"12345678901234567890123456789012345678"}}`, 1 + 20},
		{`{"n":{"N":"1010"}}`, 1 + 3},
		{`{"n":{"N":"10000000000"}}`, 1 + 2},
		{`{"n":{"N":"0.0001"}}`, 1 + 2},
		{`{"n":{"N":"0.15"}}`, 1 + 2},
		{`{"n":{"N":"1.5"}}`, 1 + 3},
		{`{"n":{"N":"3.14159"}}`, 1 + 5},
		{`{"n":{"N":"100.5"}}`, 1 + 4},
		{`{"n":{"N":"-42"}}`, 1 + 3},
		{`{"é":{"S":"é"}}`, 4},
		{`{"b":{"B":"AAEC"}}`, 4},
		{`{"b":{"BOOL":true}}`, 2},
		{`{"b":{"NULL":true}}`, 2},
		{`{"s":{"SS":["a","bc"]}}`, 4},
		{`{"s":{"NS":["1","22","333"]}}`, 8},
		{`{"s":{"BS":["AAEC","AA=="]}}`, 5},
		{`{"l":{"L":[]}}`, 4},
		{`{"l":{"L":[{"S":"ab"},{"BOOL":true}]}}`, 1 + 3 + (1 + 2) + (1 + 1)},
		{`{"m":{"M":{"k":{"S":"ab"}}}}`, 1 + 3 + (1 + 1 + 2)},
	} {
		if got := parseItem(t, c.item).Size(); got != c.want {
			t.Errorf("%s has %d bytes, want %d", c.item, got, c.want)
		}
	}
}

func TestEqualAndContains(t *testing.T) {
	for _, c := range []struct {
		a, b     string
		equal    bool
		contains bool
	}{
		{`{"N":"1.0"}`, `{"N":"1"}`, true, false},
		{`{"N":"1"}`, `{"S":"1"}`, false, false},
		{`{"SS":["a","b"]}`, `{"SS":["b","a"]}`, true, false},
		{`{"SS":["a","b"]}`, `{"S":"b"}`, false, true},
		{`{"NS":["1","2.0"]}`, `{"N":"2"}`, false, true},
		{`{"L":[{"N":"1"},{"N":"2"}]}`, `{"L":[{"N":"2"},{"N":"1"}]}`, false, false},
		{`{"L":[{"N":"1"},{"M":{"a":{"S":"b"}}}]}`, `{"M":{"a":{"S":"b"}}}`, false, true},
		{`{"S":"hello"}`, `{"S":"ell"}`, false, true},
		{`{"B":"YWJj"}`, `{"B":"Yg=="}`, false, true},
		{`{"M":{"a":{"S":"b"}}}`, `{"S":"a"}`, false, false},
		{`{"M":{"a":{"BOOL":true}}}`, `{"M":{"a":{"BOOL":false}}}`, false, false},
		{`{"NULL":true}`, `{"NULL":true}`, true, false},
		{`{"M":{}}`, `{"L":[]}`, false, false},
	} {
		a, b := parse(t, c.a), parse(t, c.b)
		if got := a.Equal(b); got != c.equal {
			t.Errorf("%s equal %s: %v", c.a, c.b, got)
		}
		if got := a.Contains(b); got != c.contains {
			t.Errorf("%s contains %s: %v", c.a, c.b, got)
		}
	}
}

func TestDepth(t *testing.T) {
	if got := parseItem(t, `{"a":{"S":"x"},"b":{"L":[{"M":{"c":{"N":"1"}}}]}}`).Depth(); got != 3 {
		t.Errorf("depth %d, want 3", got)
	}
}

// Encoded keys sort as the values do, alone and joined, and a common beginning is a common prefix.
func TestStringKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	random := func() string {
		b := make([]byte, r.IntN(4))
		for i := range b {
			b[i] = []byte{0, 1, 'a', 0xFE, 0xFF}[r.IntN(5)]
		}
		return string(b)
	}
	for range 20_000 {
		a, b, c, d := random(), random(), random(), random()
		left := AppendKey(AppendKey(nil, Binary([]byte(a))), String(c))
		right := AppendKey(AppendKey(nil, Binary([]byte(b))), String(d))
		want := strings.Compare(a, b)
		if want == 0 {
			want = strings.Compare(c, d)
		}
		if got := strings.Compare(string(left), string(right)); got != want {
			t.Fatalf("keys (%q,%q) and (%q,%q) compare as %d, want %d", a, c, b, d, got, want)
		}
		prefix, key := AppendKeyPrefix(nil, String(b)), AppendKey(nil, String(a))
		if got := strings.HasPrefix(string(key), string(prefix)); got != strings.HasPrefix(a, b) {
			t.Fatalf("%q begins with %q: keys say %v", a, b, got)
		}
	}
}

// Any string is written as a JSON string that encoding/json reads back the same.
func FuzzStringJSON(f *testing.F) {
	f.Add("a\"\\\x00\x1f\x7f\u2028\xff<>&😀")
	f.Fuzz(func(t *testing.T, s string) {
		var back Value
		if err := json.Unmarshal(String(s).AppendJSON(nil), &back); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(s)); back.Text() != want {
			t.Fatalf("%q came back as %q", s, back.Text())
		}
	})
}

// No JSON makes the decoder panic, and what it accepts comes back equal.
func FuzzItemJSON(f *testing.F) {
	f.Add([]byte(`{"a":{"L":[{"M":{"b":{"NS":["1","2"]}}}]},"c":{"B":"YQ=="}}`))
	f.Add([]byte(`{"a":{"S":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var it Item
		if json.Unmarshal(data, &it) != nil {
			return
		}
		var back Item
		if err := json.Unmarshal(it.AppendJSON(nil), &back); err != nil || !it.Equal(back) {
			t.Fatalf("%s came back as %s, %v", data, it.AppendJSON(nil), err)
		}
	})
}
