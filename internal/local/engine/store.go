package engine

import (
	"iter"
	"math/rand/v2"
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

// skipList is a store in memory: every operation takes time in the logarithm of the length.
// https://dl.acm.org/doi/10.1145/78973.78977
type skipList[V any] struct {
	head   *skipNode[V]
	random *rand.Rand
	length int
}

type skipNode[V any] struct {
	key   string
	value V
	next  []*skipNode[V]
}

const skipLevels = 24 // enough for 4^24 keys

func newSkipList[V any]() *skipList[V] {
	return &skipList[V]{head: &skipNode[V]{next: make([]*skipNode[V], skipLevels)}, random: rand.New(rand.NewPCG(1, 1))}
}

func (l *skipList[V]) len() int { return l.length }

// before gives on every level the last node with a smaller key.
func (l *skipList[V]) before(key string) [skipLevels]*skipNode[V] {
	var previous [skipLevels]*skipNode[V]
	n := l.head
	for level := skipLevels - 1; level >= 0; level-- {
		for n.next[level] != nil && n.next[level].key < key {
			n = n.next[level]
		}
		previous[level] = n
	}
	return previous
}

// floor is the last node with a smaller key: the head when there is none.
func (l *skipList[V]) floor(key string) *skipNode[V] {
	n := l.head
	for level := skipLevels - 1; level >= 0; level-- {
		for n.next[level] != nil && n.next[level].key < key {
			n = n.next[level]
		}
	}
	return n
}

func (l *skipList[V]) last() *skipNode[V] {
	n := l.head
	for level := skipLevels - 1; level >= 0; level-- {
		for n.next[level] != nil {
			n = n.next[level]
		}
	}
	return n
}

func (l *skipList[V]) get(key string) (V, bool) {
	if n := l.floor(key).next[0]; n != nil && n.key == key {
		return n.value, true
	}
	var none V
	return none, false
}

func (l *skipList[V]) set(key string, v V) {
	previous := l.before(key)
	if n := previous[0].next[0]; n != nil && n.key == key {
		n.value = v
		return
	}
	levels := 1
	for levels < skipLevels && l.random.IntN(4) == 0 {
		levels++
	}
	n := &skipNode[V]{key: key, value: v, next: make([]*skipNode[V], levels)}
	for level := range levels {
		n.next[level] = previous[level].next[level]
		previous[level].next[level] = n
	}
	l.length++
}

func (l *skipList[V]) delete(key string) {
	previous := l.before(key)
	n := previous[0].next[0]
	if n == nil || n.key != key {
		return
	}
	for level := range n.next {
		previous[level].next[level] = n.next[level]
	}
	l.length--
}

func (l *skipList[V]) ascend(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for n := l.floor(from).next[0]; n != nil && (to == "" || n.key < to); n = n.next[0] {
			if !yield(n.key, n.value) {
				return
			}
		}
	}
}

func (l *skipList[V]) descend(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		n := l.last()
		if to != "" {
			n = l.floor(to)
		}
		for n != l.head && n.key >= from {
			if !yield(n.key, n.value) {
				return
			}
			n = l.floor(n.key)
		}
	}
}
