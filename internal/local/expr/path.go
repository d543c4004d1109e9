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

// checkOverlap refuses two paths of which one leads through the other, or which treat a value as list and as map.
func checkOverlap(paths []Path) error {
	var conflict error
	for j, two := range paths {
		for _, one := range paths[:j] {
			i := 0
			for i < min(len(one), len(two)) && one[i] == two[i] {
				i++
			}
			switch {
			case i == min(len(one), len(two)):
				return errorf("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", one, two)
			case conflict == nil && one[i].isIndex() != two[i].isIndex():
				conflict = errorf("Two document paths conflict with each other; must remove or rewrite one of these paths; path one: %s, path two: %s", one, two)
			}
		}
	}
	return conflict
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
