package engine

import (
	"maps"
	"slices"

	"streamgen/internal/local/attr"
)

// maxBatchRead is how many bytes of items one batch reads: the item that would exceed it is left unread, and all after it.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const maxBatchRead = 16 << 20

// BatchItem is one write of a batch: it puts Item, or deletes the item with Key. One of them is nil.
type BatchItem struct {
	Item attr.Item
	Key  attr.Item
}

func (w BatchItem) action(table string, measure bool) action {
	write := Write{Table: table, Measure: measure}
	if w.Item != nil {
		return Put{Write: write, Item: w.Item}
	}
	return Delete{Write: write, Key: w.Key}
}

// BatchWritten is what a batch of writes did.
type BatchWritten struct {
	Consumed    []Consumed
	Collections map[string][]Collection
}

// BatchWrite makes all the writes, which are checked before the first is made. They are not one transaction: others see them one
// after the other. No item may occur twice. measure asks for the sizes of the items' collections.
func (e *Engine) BatchWrite(batch map[string][]BatchItem, measure bool) (out BatchWritten, err error) {
	tables := slices.Sorted(maps.Keys(batch))
	for _, name := range tables {
		if err := e.inspect(name, noItems, func(t *table) error { return t.checkBatch(batch[name]) }); err != nil {
			return out, err
		}
	}
	out.Collections = map[string][]Collection{}
	for _, name := range tables {
		for _, w := range batch[name] {
			done, err := e.do(w.action(name, measure))
			if err != nil {
				return out, err
			}
			out.Consumed = append(out.Consumed, done.Consumed)
			if done.Collection.Key != nil {
				out.Collections[name] = append(out.Collections[name], done.Collection)
			}
		}
	}
	out.Consumed = byTable(out.Consumed)
	return out, nil
}

func (t *table) checkBatch(writes []BatchItem) error {
	seen := map[string]bool{}
	for _, w := range writes {
		if w.Item != nil {
			if err := t.schema.checkKey(t.schema.keyOf(w.Item)); err != nil {
				return err // a batch words a missing key as of a Key, unlike a put
			}
		}
		key, err := w.action(t.name, false).locate(&t.schema)
		if err != nil {
			return err
		}
		if seen[key] {
			return validation("Provided list of item keys contains duplicates")
		}
		seen[key] = true
	}
	return nil
}

// BatchGot is what a batch of reads gave.
type BatchGot struct {
	// Items are those that there are, by table.
	Items    map[string][]attr.Item
	Consumed []Consumed
	// Unread are the keys that found no room in the answer, by table.
	Unread map[string][]attr.Item
}

// BatchGet reads the items with the keys of each table, which are otherwise read as the table's Get says.
func (e *Engine) BatchGet(batch map[string]Get, keys map[string][]attr.Item) (out BatchGot, err error) {
	out = BatchGot{Items: map[string][]attr.Item{}, Unread: map[string][]attr.Item{}}
	tables := slices.Sorted(maps.Keys(batch))
	for _, name := range tables {
		if err := e.inspect(name, noItems, func(t *table) error { return t.checkKeys(keys[name]) }); err != nil {
			return out, err
		}
	}
	size := 0
	for _, name := range tables {
		out.Items[name] = []attr.Item{}
		for i, key := range keys[name] {
			g := batch[name]
			g.Key = key
			got, err := e.Get(g)
			if err != nil {
				return out, err
			}
			if size += got.size; size > maxBatchRead {
				out.Unread[name] = keys[name][i:]
				break
			}
			out.Consumed = append(out.Consumed, got.Consumed)
			if got.Item != nil {
				out.Items[name] = append(out.Items[name], got.Item)
			}
		}
	}
	out.Consumed = byTable(out.Consumed)
	return out, nil
}

func (t *table) checkKeys(keys []attr.Item) error {
	for _, key := range keys {
		if err := t.schema.checkKey(key); err != nil {
			return err
		}
	}
	return nil
}
