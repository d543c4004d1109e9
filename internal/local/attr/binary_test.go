package attr

import (
	"encoding/json"
	"fmt"
	"testing"
)

const everyType = `{"s":{"S":"é"},"e":{"S":""},"n":{"N":"-1.5"},"b":{"B":"AP8="},"t":{"BOOL":true},"f":{"BOOL":false},"0":{"NULL":true},
	"m":{"M":{"x":{"M":{}},"l":{"L":[]}}},"l":{"L":[{"S":"a"},{"L":[{"N":"1"}]}]},"ss":{"SS":["b","a"]},"ns":{"NS":["10","9"]},"bs":{"BS":["YQ=="]}}`

func TestBinaryRoundTrip(t *testing.T) {
	for _, text := range []string{`{}`, everyType} {
		it := parseItem(t, text)
		b, err := it.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseBinary(string(b))
		if err != nil || !back.Equal(it) {
			t.Errorf("%s came back as %s, %v", it.AppendJSON(nil), back.AppendJSON(nil), err)
		}
		for i := range b {
			if _, err := ParseBinary(string(b[:i])); err == nil {
				t.Errorf("of %d bytes the first %d are an item", len(b), i)
			}
		}
		if _, err := ParseBinary(string(b) + "x"); err == nil {
			t.Error("a byte more is an item too")
		}
	}
}

// Every item comes back from its binary form, and no other text makes the parser panic.
func FuzzBinary(f *testing.F) {
	f.Add([]byte(everyType), "\x01\x01a\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, data []byte, form string) {
		if it, err := ParseBinary(form); err == nil {
			if b, _ := it.AppendBinary(nil); len(b) == 0 {
				t.Fatal("an item has no binary form")
			}
		}
		var it Item
		if json.Unmarshal(data, &it) != nil {
			return
		}
		b, _ := it.AppendBinary(nil)
		if back, err := ParseBinary(string(b)); err != nil || !back.Equal(it) {
			t.Fatalf("%s came back as %s, %v", it.AppendJSON(nil), back.AppendJSON(nil), err)
		}
	})
}

// Ten attributes, 1 KB together.
func BenchmarkBinary(b *testing.B) {
	it := Item{"id": String("x")}
	for i := range 9 {
		it[fmt.Sprintf("attribute%d", i)] = String(fmt.Sprintf("%0100d", i))
	}
	form, _ := it.AppendBinary(nil)
	b.Run("append", func(b *testing.B) {
		for b.Loop() {
			form, _ = it.AppendBinary(form[:0])
		}
	})
	text := string(form)
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			if _, err := ParseBinary(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}
