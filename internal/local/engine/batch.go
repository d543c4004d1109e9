package engine

import (
	"maps"
	"slices"

	"streamgen/internal/local/attr"
)

// BatchItem is one write of a batch: it puts Item, or deletes the item with Key. One of them is nil.
type BatchItem struct {
	Item attr.Item
	Key  attr.Item
}

// BatchWrite makes all the writes, which are checked before the first is made. They are not one transaction: others see them one
// after the other. No item may occur twice.
func (e *Engine) BatchWrite(batch map[string][]BatchItem) error {
	for _, writes := range batch {
		for _, w := range writes {
			if err := checkSize(w.Item); err != nil {
				return err
			}
		}
	}
	tables := slices.Sorted(maps.Keys(batch))
	for _, name := range tables {
		if err := e.inspect(name, noItems, func(t *table) error { return t.checkBatch(batch[name]) }); err != nil {
			return err
		}
	}
	for _, name := range tables {
		for _, w := range batch[name] {
			var err error
			if w.Item != nil {
				_, err = e.Put(Put{Write: Write{Table: name}, Item: w.Item})
			} else {
				_, err = e.Delete(Delete{Write: Write{Table: name}, Key: w.Key})
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) checkBatch(writes []BatchItem) error {
	seen := map[string]bool{}
	for _, w := range writes {
		item := w.Key
		check := t.schema.checkKey
		if w.Item != nil {
			item, check = w.Item, t.schema.checkItem
		}
		if err := check(item); err != nil {
			return err
		}
		key := t.schema.storeKey(item)
		if seen[key] {
			return validation("Provided list of item keys contains duplicates")
		}
		seen[key] = true
	}
	return nil
}
