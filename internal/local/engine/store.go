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
type tree[V any] struct{ entries btree.Map[string, V] }

func newStore[V any]() store[V] { return &tree[V]{} }

func (t *tree[V]) len() int { return t.entries.Len() }

func (t *tree[V]) get(key string) (V, bool) { return t.entries.Get(key) }

func (t *tree[V]) set(key string, v V) { t.entries.Set(key, v) }

func (t *tree[V]) delete(key string) { t.entries.Delete(key) }

func (t *tree[V]) ascend(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		at := t.entries.Iter()
		for more := at.Seek(from); more && (to == "" || at.Key() < to); more = at.Next() {
			if !yield(at.Key(), at.Value()) {
				return
			}
		}
	}
}

func (t *tree[V]) descend(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		at := t.entries.Iter()
		var more bool
		if to != "" && at.Seek(to) {
			more = at.Prev()
		} else {
			more = at.Last()
		}
		for ; more && at.Key() >= from; more = at.Prev() {
			if !yield(at.Key(), at.Value()) {
				return
			}
		}
	}
}
