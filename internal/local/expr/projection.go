package expr

import "streamgen/internal/local/attr"

// Projection picks parts of items: a parsed ProjectionExpression.
type Projection struct {
	paths []Path
	// root is the tree of the paths; nil when all of them are attributes, which are picked without it.
	root *branch
}

// ParseProjection reads a ProjectionExpression and resolves its placeholders. The error is an [*Error].
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html
func ParseProjection(src string, s *Substitutions) (*Projection, error) {
	paths, err := parseProjection(src, s)
	if err != nil {
		return nil, in("ProjectionExpression", err)
	}
	return newProjection(paths), nil
}

func parseProjection(src string, s *Substitutions) ([]Path, error) {
	p, err := newParser(src)
	if err != nil {
		return nil, err
	}
	roots := []node{p.path()}
	for p.accept(",") {
		roots = append(roots, p.path())
	}
	p.expectEnd()
	if p.err != nil {
		return nil, p.err
	}
	for _, root := range roots {
		if err := checkPlaces(root, false, nil); err != nil {
			return nil, err
		}
	}
	if err := checkPaths(roots); err != nil {
		return nil, err
	}
	var paths []Path
	for _, n := range pathsIn(roots) {
		if err := n.resolve(s); err != nil {
			return nil, err
		}
		paths = append(paths, n.path)
	}
	return paths, checkOverlap(paths)
}

// ProjectAttributes gives the projection on whole attributes.
func ProjectAttributes(names []string) *Projection {
	paths := make([]Path, len(names))
	for i, name := range names {
		paths[i] = Path{field(name)}
	}
	return newProjection(paths)
}

func newProjection(paths []Path) *Projection {
	p := &Projection{paths: paths}
	for _, path := range paths {
		if len(path) > 1 {
			p.root = tree(paths)
			break
		}
	}
	return p
}

// Attributes are the item's attributes of which the projection takes something, in the order of the expression.
func (p *Projection) Attributes() []string {
	names := make([]string, len(p.paths))
	for i, path := range p.paths {
		names[i] = path[0].Name
	}
	return names
}

// Nested are the attributes through which the projection's paths lead further.
func (p *Projection) Nested() []string {
	var names []string
	for _, path := range p.paths {
		if len(path) > 1 {
			names = append(names, path[0].Name)
		}
	}
	return names
}

// Of gives the parts of the item that the paths lead to, in their maps and lists; lists close up. It is empty, and not nil, when
// the item has none of them.
func (p *Projection) Of(item attr.Item) attr.Item {
	if p.root != nil {
		return p.root.pick(item)
	}
	picked := make(attr.Item, len(p.paths))
	for _, path := range p.paths {
		if v, found := item[path[0].Name]; found {
			picked[path[0].Name] = v
		}
	}
	return picked
}

// Project gives the parts of the item that the paths lead to, as a [Projection] does.
func Project(item attr.Item, paths []Path) attr.Item { return tree(paths).pick(item) }

// tree gives the branches that lead to the ends of the paths.
func tree(paths []Path) *branch {
	root := &branch{}
	for _, p := range paths {
		root.grow(p).change.kind = keep
	}
	return root
}

func (b *branch) pick(item attr.Item) attr.Item {
	picked := make(attr.Item, len(b.fields))
	for name, next := range b.fields {
		if v := next.project(item[name]); !v.IsZero() {
			picked[name] = v
		}
	}
	return picked
}

func (b *branch) project(v attr.Value) attr.Value {
	switch {
	case b.change.kind != descend || v.IsZero():
		return v
	case v.Type() == attr.M && b.fields != nil:
		if fields := b.pick(v.Fields()); len(fields) > 0 {
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
