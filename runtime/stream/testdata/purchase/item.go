// Package purchase has the items that benchmarks decode, and events with them.
package purchase

import "streamgen/runtime/stream"

// Item has some of everything, in the form in which item types are generated.
type Item struct {
	ID, Customer, Status, Note string
	Total                      stream.Number
	Version                    int64
	Paid                       bool
	Tags                       []string
	Address                    Address
	Lines                      []Line
}

// Address is a map inside an item.
type Address struct{ Street, City, Country, Zip string }

// Line is an element of a list inside an item.
type Line struct {
	SKU      string
	Name     string
	Quantity int64
	Price    stream.Number
}

// UnmarshalImage implements [stream.Image].
func (it *Item) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			it.ID = d.String()
		case "Customer":
			it.Customer = d.String()
		case "Status":
			it.Status = d.String()
		case "Note":
			it.Note = d.String()
		case "Total":
			it.Total = d.Number()
		case "Version":
			it.Version = d.Int64()
		case "Paid":
			it.Paid = d.Bool()
		case "Tags":
			it.Tags = d.StringSet()
		case "Address":
			it.Address = decodeAddress(d)
		case "Lines":
			it.Lines = stream.ListOf(d, decodeLine)
		}
	}
}

func decodeAddress(d *stream.Decoder) (it Address) {
	for in := d.Map(); in && d.Next(); {
		switch d.Name() {
		case "Street":
			it.Street = d.String()
		case "City":
			it.City = d.String()
		case "Country":
			it.Country = d.String()
		case "Zip":
			it.Zip = d.String()
		}
	}
	return it
}

func decodeLine(d *stream.Decoder) (it Line) {
	for in := d.Map(); in && d.Next(); {
		switch d.Name() {
		case "Sku":
			it.SKU = d.String()
		case "Name":
			it.Name = d.String()
		case "Quantity":
			it.Quantity = d.Int64()
		case "Price":
			it.Price = d.Number()
		}
	}
	return it
}
