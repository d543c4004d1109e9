package expr

import (
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/local/attr"
)

// maxPath is the number of steps that a document path may have: values nest no deeper.
const maxPath = attr.MaxDepth

// Path leads to a value in an item: the name of an attribute, then names of fields and indexes of elements.
type Path []Step

// Step is one part of a path: the element Index of a list, or the field Name of a map when Index is negative.
type Step struct {
	Name  string
	Index int
}

func field(name string) Step { return Step{Name: name, Index: -1} }

func (s Step) isIndex() bool { return s.Index >= 0 }

func (s Step) String() string {
	if s.isIndex() {
		return "[" + strconv.Itoa(s.Index) + "]"
	}
	return s.Name
}

// String writes the path as error messages show it: [a, [0], b].
func (p Path) String() string {
	steps := make([]string, len(p))
	for i, s := range p {
		steps[i] = s.String()
	}
	return "[" + strings.Join(steps, ", ") + "]"
}

// lookup is the value at the path, the zero value when there is none.
func (p Path) lookup(item attr.Item) attr.Value {
	v := item[p[0].Name]
	for _, s := range p[1:] {
		if s.isIndex() {
			elems := v.Elements()
			if s.Index >= len(elems) {
				return attr.Value{}
			}
			v = elems[s.Index]
		} else {
			v = v.Fields()[s.Name]
		}
	}
	return v
}

// branch is a place in a document: a tree of the paths that lead into it.
type branch struct {
	change change
	fields map[string]*branch
	elems  map[int]*branch
}

// change is what an update does with the value at the end of a path.
type change struct {
	kind  changeKind
	value attr.Value
}

type changeKind uint8

const (
	descend changeKind = iota // not the end of a path
	put
	remove
	keep
)

// grow gives the branch at the end of the path, making what is missing on the way.
func (b *branch) grow(p Path) *branch {
	for _, s := range p {
		var next *branch
		if s.isIndex() {
			if next = b.elems[s.Index]; next == nil {
				next = &branch{}
				if b.elems == nil {
					b.elems = map[int]*branch{}
				}
				b.elems[s.Index] = next
			}
		} else if next = b.fields[s.Name]; next == nil {
			next = &branch{}
			if b.fields == nil {
				b.fields = map[string]*branch{}
			}
			b.fields[s.Name] = next
		}
		b = next
	}
	return b
}

func (b *branch) indexes() []int {
	indexes := make([]int, 0, len(b.elems))
	for i := range b.elems {
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	return indexes
}

// Project gives the parts of the item that the paths lead to, in their maps and lists; lists close up.
func Project(item attr.Item, paths []Path) attr.Item {
	var root branch
	for _, p := range paths {
		root.grow(p).change.kind = keep
	}
	return root.project(attr.Map(item)).Fields()
}

func (b *branch) project(v attr.Value) attr.Value {
	switch {
	case b.change.kind != descend || v.IsZero():
		return v
	case v.Type() == attr.M && b.fields != nil:
		fields := attr.Item{}
		for name, next := range b.fields {
			if child := next.project(v.Fields()[name]); !child.IsZero() {
				fields[name] = child
			}
		}
		if len(fields) > 0 {
			return attr.Map(fields)
		}
	case v.Type() == attr.L && b.elems != nil:
		var elems []attr.Value
		for _, i := range b.indexes() {
			if i >= v.Len() {
				break
			}
			if child := b.elems[i].project(v.Elements()[i]); !child.IsZero() {
				elems = append(elems, child)
			}
		}
		if len(elems) > 0 {
			return attr.List(elems)
		}
	}
	return attr.Value{}
}
