package engine

import (
	"iter"

	"github.com/tidwall/btree"
)

// store keeps values in the byte order of their keys. A table has one for its items and one for their expiry; the
// table's lock guards both.
type store[V any] interface {
	get(key string) (V, bool)
	set(key string, v V)
	delete(key string)
	// ascend gives the keys from <= key < to in order; to = "" means no end. The store must not change meanwhile.
	ascend(from, to string) iter.Seq2[string, V]
	// descend gives the same keys in reverse.
	descend(from, to string) iter.Seq2[string, V]
	len() int
}

// tree is a store in memory.
type tree[V any] struct {
	entries *btree.BTreeG[entry[V]]
}

type entry[V any] struct {
	key   string
	value V
}

func newStore[V any]() store[V] {
	before := func(a, b entry[V]) bool { return a.key < b.key }
	return tree[V]{btree.NewBTreeGOptions(before, btree.Options{NoLocks: true})}
}

func (t tree[V]) len() int { return t.entries.Len() }

func (t tree[V]) get(key string) (V, bool) {
	e, found := t.entries.Get(entry[V]{key: key})
	return e.value, found
}

func (t tree[V]) set(key string, v V) { t.entries.Set(entry[V]{key, v}) }

func (t tree[V]) delete(key string) { t.entries.Delete(entry[V]{key: key}) }

func (t tree[V]) ascend(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		t.entries.Ascend(entry[V]{key: from}, func(e entry[V]) bool {
			return (to == "" || e.key < to) && yield(e.key, e.value)
		})
	}
}

func (t tree[V]) descend(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		visit := func(e entry[V]) bool { return e.key >= from && yield(e.key, e.value) }
		if to == "" {
			t.entries.Reverse(visit)
			return
		}
		t.entries.Descend(entry[V]{key: to}, func(e entry[V]) bool { return e.key == to || visit(e) })
	}
}
