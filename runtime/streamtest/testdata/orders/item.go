// Package orders has the item of the tests, in the form in which item types are generated.
package orders

import "streamgen/runtime/stream"

// Item is an item of the table "orders".
type Item struct {
	// ID is the attribute "Id", of type S: the key.
	ID     string
	Status string
	Total  int64
}

// UnmarshalImage implements [stream.Image].
func (it *Item) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			it.ID = d.String()
		case "Status":
			it.Status = d.String()
		case "Total":
			it.Total = d.Int64()
		}
	}
}

// MarshalImage implements [stream.Item].
func (it *Item) MarshalImage(e *stream.Encoder) {
	if it.ID != "" {
		e.Attr("Id")
		e.String(it.ID)
	}
	if it.Status != "" {
		e.Attr("Status")
		e.String(it.Status)
	}
	if it.Total != 0 {
		e.Attr("Total")
		e.Int64(it.Total)
	}
}

// KeyNames implements [stream.Item].
func (*Item) KeyNames() []string { return []string{"Id"} }
