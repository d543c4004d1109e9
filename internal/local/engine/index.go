package engine

import (
	"slices"

	"streamgen/internal/local/attr"
)

// indexStore holds the items of a secondary index, or the projected parts of them, sorted by the index's key and then by the
// table's: many items may have one index key. An item that lacks one of the index's key attributes is not in it.
//
// The table's lock guards it.
type indexStore struct {
	name  string
	keys  []KeyElement
	types []attr.Type // of keys
	// holds are the attributes that the index holds; nil for all.
	holds []string
	items store[attr.Item]
	bytes int // of items
}

func newIndexStore(s *schema, ix Index) *indexStore {
	is := &indexStore{name: ix.Name, keys: slices.Clone(ix.Keys), items: newStore[attr.Item]()}
	for _, k := range ix.Keys {
		is.types = append(is.types, s.typeOf(k.Name))
	}
	if ix.Projection.Type != "ALL" {
		is.holds = slices.Concat(names(ix.Keys), names(s.keys), ix.Projection.NonKey)
	}
	return is
}

// lacks gives those of the attributes that the index does not hold, each once.
func (is *indexStore) lacks(attributes []string) []string {
	if is.holds == nil {
		return nil
	}
	var lacking []string
	for _, name := range attributes {
		if !slices.Contains(is.holds, name) && !slices.Contains(lacking, name) {
			lacking = append(lacking, name)
		}
	}
	return lacking
}

// storeKey is where an item stands, whose key in the table's store is given. ok is false when it is not in the index: it lacks one
// of the key's attributes, or has had it with another type since before the index was made.
func (is *indexStore) storeKey(key string, item attr.Item) (at string, ok bool) {
	for i, k := range is.keys {
		if item[k.Name].Type() != is.types[i] {
			return "", false
		}
	}
	var room [keyRoom]byte
	return string(append(appendStoreKey(room[:0], is.keys, item), key...)), true
}

// project gives the part of an item that the index holds: the same item when that is all of it.
func (is *indexStore) project(item attr.Item) attr.Item {
	if is.holds == nil {
		return item
	}
	projected := item.Pick(is.holds...)
	if len(projected) == len(item) {
		return item
	}
	return projected
}

// replace follows a change of the item whose key in the table's store is given; old and next may be nil. It gives the units of write
// capacity that this takes: none where the index holds the same as before, and two writes where the item moves in it.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
func (is *indexStore) replace(key string, old, next attr.Item) (took float64) {
	from, was := is.storeKey(key, old)
	to, stays := is.storeKey(key, next)
	var before, after int
	var held, projected attr.Item
	if was {
		held, _ = is.items.get(from)
		before = held.Size()
	}
	if stays {
		projected = is.project(next)
		after = projected.Size()
	}
	switch moves := was && stays && from != to; {
	case !was && !stays, was && stays && !moves && is.holds != nil && held.Equal(projected):
		return 0
	case moves:
		took = units(before, writeUnit) + units(after, writeUnit)
	default:
		took = units(max(before, after), writeUnit)
	}
	is.bytes += after - before
	if was && from != to {
		is.items.delete(from)
	}
	if stays {
		is.items.set(to, projected)
	}
	return took
}

// reindex makes the stores of the indexes that the schema has now, of which one may have replaced the one that was deleted. New
// ones are filled with the table's items.
func (t *table) reindex(deleted string) {
	stores := make([]*indexStore, len(t.schema.indexes))
	for i, ix := range t.schema.indexes {
		if known := slices.IndexFunc(t.indexes, func(is *indexStore) bool { return is.name == ix.Name && is.name != deleted }); known >= 0 {
			stores[i] = t.indexes[known]
			continue
		}
		stores[i] = newIndexStore(&t.schema, ix)
		for key, item := range t.items.ascend("", "") {
			stores[i].replace(key, nil, item)
		}
	}
	t.indexes = stores
}
