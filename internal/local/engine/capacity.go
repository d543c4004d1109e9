package engine

import (
	"slices"

	"streamgen/internal/local/attr"
)

// Units of capacity: a write takes one for each begun KB of the item, a consistent read one for each begun 4 KB, and any other read half
// of that. What is in a transaction takes twice as much.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const (
	writeUnit = 1 << 10 // bytes
	readUnit  = 4 << 10
)

// Consumed is the capacity that an operation took of a table and its indexes, in units.
type Consumed struct {
	Table string
	// Units are those of the table itself.
	Units float64
	// Indexes are those of the indexes from which something was taken; nil for none.
	Indexes []IndexConsumed
}

// IndexConsumed is the capacity that an operation took of an index.
type IndexConsumed struct {
	Name  string
	Local bool
	Units float64
}

// Total are the units of the table and its indexes together.
func (c Consumed) Total() float64 {
	total := c.Units
	for _, ix := range c.Indexes {
		total += ix.Units
	}
	return total
}

// times gives as many times the capacity.
func (c Consumed) times(factor float64) Consumed {
	out := Consumed{Table: c.Table, Units: c.Units * factor}
	for _, ix := range c.Indexes {
		ix.Units *= factor
		out.Indexes = append(out.Indexes, ix)
	}
	return out
}

// Add gives the sum of what was taken of one table.
func (c Consumed) Add(other Consumed) Consumed {
	out := Consumed{Table: other.Table, Units: c.Units + other.Units}
	out.Indexes = append(out.Indexes, c.Indexes...)
next:
	for _, ix := range other.Indexes {
		for i := range out.Indexes {
			if out.Indexes[i].Name == ix.Name {
				out.Indexes[i].Units += ix.Units
				continue next
			}
		}
		out.Indexes = append(out.Indexes, ix)
	}
	return out
}

// units are the begun units of a size; an item that is not there takes one.
func units(size, unit int) float64 { return float64(max(1, (size+unit-1)/unit)) }

func readUnits(size int, consistent bool) float64 {
	if consistent {
		return units(size, readUnit)
	}
	return units(size, readUnit) / 2
}

// consumed is the capacity that a page took.
func (s *source) consumed(p Page, consistent bool) Consumed {
	c := Consumed{Table: s.table.name}
	own := readUnits(p.Bytes, consistent)
	if s.index == nil {
		c.Units = own
		return c
	}
	c.Indexes = []IndexConsumed{{Name: s.index.Name, Local: s.index.Local, Units: own}}
	if p.Fetched > 0 {
		c.Units = readUnits(p.Fetched, consistent)
	}
	return c
}

// Collection is the items of a table that have one hash key, and those of them in local indexes.
type Collection struct {
	// Key is the hash key; nil in a table without local indexes, which has no limit on collections.
	Key attr.Item
	// Bytes of the collection, in the table and its local indexes.
	Bytes int
}

// collection measures the collection that a write's item belongs to, if the request asks for it.
func (t *table) collection(a action, w staged) Collection {
	item := w.item
	if item == nil {
		item = w.old
	}
	if !a.write().Measure || item == nil || !slices.ContainsFunc(t.schema.indexes, func(ix Index) bool { return ix.Local }) {
		return Collection{}
	}
	c := Collection{Key: item.Pick(t.schema.keys[0].Name)}
	within := beginning(appendStoreKey(nil, t.schema.keys[:1], c.Key))
	sum := func(items store[attr.Item]) {
		for _, item := range items.ascend(within.from, within.to) {
			c.Bytes += item.Size()
		}
	}
	sum(t.items)
	for i, ix := range t.schema.indexes {
		if ix.Local {
			sum(t.indexes[i].items)
		}
	}
	return c
}
