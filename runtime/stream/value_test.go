package stream_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
)

func TestUnmarshalImage(t *testing.T) {
	tests := map[string]struct {
		image string
		want  Order
	}{
		"every type": {
			image: `{"Id":{"S":"o-1"},"Total":{"N":"12.50"},"Paid":{"BOOL":true},"Receipt":{"B":"AAEqQQ=="},
				"Tags":{"SS":["b","a"]},"Discounts":{"NS":["2","1.0"]},"Signatures":{"BS":["AAEqQQ==","QSoBAA=="]}}`,
			want: Order{
				ID: "o-1", Total: "12.50", Paid: true, Receipt: []byte{0, 1, 42, 65},
				Tags: []string{"b", "a"}, Discounts: []stream.Number{"2", "1.0"}, Signatures: [][]byte{{0, 1, 42, 65}, {65, 42, 1, 0}},
			},
		},
		"empty": {
			image: `{"Id":{"S":""},"Paid":{"BOOL":false},"Receipt":{"B":""},"Tags":{"SS":[]},"Discounts":{"NS":[]},"Signatures":{"BS":[""]}}`,
			want:  Order{Receipt: []byte{}, Tags: []string{}, Discounts: []stream.Number{}, Signatures: [][]byte{{}}},
		},
		"null": {
			image: `{"Id":{"NULL":true},"Total":{"NULL":true},"Paid":{"NULL":true},"Receipt":{"NULL":true},
				"Tags":{"NULL":true},"Discounts":{"NULL":true},"Signatures":{"NULL":true}}`,
		},
		"no attribute": {image: `{}`},
		"no image":     {image: `null`},
		"unknown attributes": {
			image: `{"Lines":{"L":[{"M":{"Sku":{"S":"x"}}}]},"Id":{"S":"o-1"},"Customer":{"M":{}},"Later":{"X":1},"Odd":7}`,
			want:  Order{ID: "o-1"},
		},
		"38 digits":         {image: `{"Total":{"N":"-0.99999999999999999999999999999999999999"}}`, want: Order{Total: "-0.99999999999999999999999999999999999999"}},
		"escapes":           {image: `{"\u0049d":{"S":"\u00e9\n\ud83d\ude00"}}`, want: Order{ID: "é\n😀"}},
		"invalid UTF-8":     {image: "{\"Id\":{\"S\":\"a\xffb\"}}", want: Order{ID: "a\uFFFDb"}},
		"last of a name":    {image: `{"Id":{"S":"1"},"Id":{"S":"2"}}`, want: Order{ID: "2"}},
		"null after string": {image: `{"Id":{"S":"1"},"Id":{"NULL":true}}`},
		"spaces":            {image: " {\n\"Id\" : { \"S\" : \"1\" } , \"Tags\" : { \"SS\" : [ \"a\" , \"b\" ] } } ", want: Order{ID: "1", Tags: []string{"a", "b"}}},
		"case counts":       {image: `{"id":{"S":"1"},"ID":{"S":"2"}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := stream.Unmarshal[Order]([]byte(test.image))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnmarshalImageErrors(t *testing.T) {
	tests := map[string]struct{ image, want string }{
		"not JSON":           {image: `x`, want: "decode image"},
		"cut off":            {image: `{"Id":{"S":"1"}`, want: "decode image"},
		"trailing data":      {image: `{"Id":{"S":"1"}}{}`, want: "decode image"},
		"not an object":      {image: `[]`, want: "decode image"},
		"type of another":    {image: `{"Id":{"N":"1"}}`, want: `attribute "Id": want type S, have N`},
		"map for string":     {image: `{"Id":{"M":{}}}`, want: `attribute "Id": want type S, have M`},
		"set for one":        {image: `{"Total":{"NS":["1"]}}`, want: `attribute "Total": want type N, have NS`},
		"one for set":        {image: `{"Tags":{"S":"1"}}`, want: `attribute "Tags": want type SS, have S`},
		"string for bool":    {image: `{"Paid":{"S":"true"}}`, want: `attribute "Paid": want type BOOL, have S`},
		"lower-case type":    {image: `{"Id":{"s":"1"}}`, want: `attribute "Id": want type S, have "s", which is no type of DynamoDB`},
		"plain JSON":         {image: `{"Id":"1"}`, want: `attribute "Id": decode attribute value`},
		"JSON null":          {image: `{"Id":null}`, want: `attribute "Id": an attribute value has exactly one type, this one none`},
		"no type":            {image: `{"Id":{}}`, want: `attribute "Id": an attribute value has exactly one type, this one none`},
		"two types":          {image: `{"Id":{"S":"1","N":"1"}}`, want: `attribute "Id": an attribute value has exactly one type, this one more`},
		"S null":             {image: `{"Id":{"S":null}}`, want: `attribute "Id": decode type S: not a JSON string`},
		"S number":           {image: `{"Id":{"S":1}}`, want: `attribute "Id": decode type S: not a JSON string`},
		"N number":           {image: `{"Total":{"N":1}}`, want: `attribute "Total": decode type N: not a JSON string`},
		"BOOL null":          {image: `{"Paid":{"BOOL":null}}`, want: `attribute "Paid": decode type BOOL: neither true nor false`},
		"BOOL string":        {image: `{"Paid":{"BOOL":"true"}}`, want: `attribute "Paid": decode type BOOL: neither true nor false`},
		"SS null":            {image: `{"Tags":{"SS":null}}`, want: `attribute "Tags": decode type SS: not a JSON array`},
		"SS null member":     {image: `{"Tags":{"SS":["a",null]}}`, want: `attribute "Tags": decode type SS: member 2: not a JSON string`},
		"NS number member":   {image: `{"Discounts":{"NS":[1]}}`, want: `attribute "Discounts": decode type NS: member 1: not a JSON string`},
		"B null":             {image: `{"Receipt":{"B":null}}`, want: `attribute "Receipt": decode type B: not a JSON string`},
		"B no padding":       {image: `{"Receipt":{"B":"AAEqQQ"}}`, want: `attribute "Receipt": decode type B: illegal base64`},
		"B for URLs":         {image: `{"Receipt":{"B":"-_-_"}}`, want: `attribute "Receipt": decode type B: illegal base64`},
		"B with line break":  {image: `{"Receipt":{"B":"AAEq\nQQ=="}}`, want: `attribute "Receipt": decode type B: illegal base64 data at input byte 4`},
		"B with stray bits":  {image: `{"Receipt":{"B":"AAEqQR=="}}`, want: `attribute "Receipt": decode type B: illegal base64`},
		"BS malformed":       {image: `{"Signatures":{"BS":["AAEqQQ==","*"]}}`, want: `attribute "Signatures": decode type BS: member 2: illegal base64`},
		"first in the image": {image: `{"Total":{"S":""},"Paid":{"S":""},"Id":{"N":""}}`, want: `attribute "Total"`},
		"error after a good": {image: `{"Id":{"S":"1"},"Id":{"N":"1"}}`, want: `attribute "Id": want type S, have N`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := stream.Unmarshal[Order]([]byte(test.image))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// custom is an item type that does unusual things.
type custom struct {
	calls int
}

func (c *custom) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		c.calls++
		if d.Name() == "fail" {
			d.Fail(errDown)
		}
		if d.Name() == "twice" {
			_ = d.String()
			_ = d.String()
		}
		if d.Name() == "null?" && !d.Null() {
			_ = d.String()
		}
	}
}

func TestDecoderFail(t *testing.T) {
	for image, want := range map[string]string{
		`{"fail":{"S":""},"other":{"S":""}}`: `attribute "fail": index is down`,
		`{"twice":{"S":""}}`:                 `attribute "twice": the value was read before`,
		`{"null?":{"NULL":true},"fail":7}`:   `attribute "fail": index is down`,
		`{"null?":{"S":"x"},"fail":7}`:       `attribute "fail": index is down`,
		`{"null?":{"N":"1"}}`:                `attribute "null?": want type S, have N`,
		`{"null?":7}`:                        `attribute "null?": decode attribute value: not a JSON object`,
		`{"other":7,}`:                       `not a JSON string`,
		`{"other":[}`:                        `not valid JSON`,
	} {
		if _, err := stream.Unmarshal[custom]([]byte(image)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", image, err, want)
		}
	}
	if _, err := stream.Unmarshal[custom]([]byte(`{"fail":{"S":""}}`)); !errors.Is(err, errDown) {
		t.Errorf("error %v, want errDown in it", err)
	}
}

func TestDecodedMayBeKept(t *testing.T) {
	image := []byte(`{"Id":{"S":"o-1"},"Total":{"N":"12"},"Receipt":{"B":"AAEqQQ=="},"Tags":{"SS":["a"]}}`)
	got, err := stream.Unmarshal[Order](image)
	if err != nil {
		t.Fatal(err)
	}
	for i := range image {
		image[i] = '#'
	}
	want := &Order{ID: "o-1", Total: "12", Receipt: []byte{0, 1, 42, 65}, Tags: []string{"a"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// Lists share memory, and yet do not reach into each other.
	_ = append(got.Tags, "x")
	_ = append(got.Receipt, 7)
}

func TestMarshal(t *testing.T) {
	for _, it := range []*Order{
		{}, {ID: "<é\"\n\x00>", Total: "-0.99999999999999999999999999999999999999", Paid: true},
		{Receipt: []byte{}, Tags: []string{"", "b"}, Discounts: []stream.Number{"1", "2E-3"}, Signatures: [][]byte{{}, {1, 2}}},
	} {
		image, err := stream.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		got, err := stream.Unmarshal[Order](image)
		if err != nil {
			t.Fatalf("%s: %v", image, err)
		}
		if diff := cmp.Diff(it, got); diff != "" {
			t.Errorf("%s: %s", image, diff)
		}
	}
	for want, it := range map[string]*Order{
		`encode attribute "Total": not a decimal number`:     {Total: "x"},
		`encode attribute "Discounts": not a decimal number`: {Discounts: []stream.Number{"1", "NaN"}},
	} {
		if _, err := stream.Marshal(it); err == nil || err.Error() != want {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
