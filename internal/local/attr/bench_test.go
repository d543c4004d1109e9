package attr

import (
	"encoding/json"
	"strings"
	"testing"
)

// oneKilobyte is an item as an order may be.
var oneKilobyte = []byte(`{"Id":{"S":"order-000000000017"},"At":{"N":"1764122400"},"Total":{"N":"129.95"},"Paid":{"BOOL":true},` +
	`"Tags":{"SS":["new","priority"]},"Lines":{"L":[{"M":{"Sku":{"S":"sku-1"},"Count":{"N":"2"}}},{"M":{"Sku":{"S":"sku-2"},"Count":{"N":"1"}}}]},` +
	`"Note":{"S":"` + strings.Repeat("a note of some length. ", 36) + `"}}`)

// An item is read from JSON; json.Valid is what looking at each byte costs.
func BenchmarkDecode(b *testing.B) {
	b.Run("item", func(b *testing.B) {
		b.SetBytes(int64(len(oneKilobyte)))
		b.ReportAllocs()
		for b.Loop() {
			var it Item
			if err := it.UnmarshalJSON(oneKilobyte); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json.Valid", func(b *testing.B) {
		b.SetBytes(int64(len(oneKilobyte)))
		for b.Loop() {
			json.Valid(oneKilobyte)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	var it Item
	if err := it.UnmarshalJSON(oneKilobyte); err != nil {
		b.Fatal(err)
	}
	var text []byte
	b.ReportAllocs()
	for b.Loop() {
		text = it.AppendJSON(text[:0])
	}
}
