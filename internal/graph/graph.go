// Package graph draws a spec's topology: which handlers read which tables' streams, what else they use, and where the records go
// that they give up.
package graph

import (
	"strings"

	"streamgen/internal/filter"
	"streamgen/internal/spec"
)

// Kind is what a node stands for.
type Kind string

// The kinds of nodes.
const (
	Table       Kind = "table"
	Handler     Kind = "handler"
	Destination Kind = "destination"
)

// Relation is what an edge stands for.
type Relation string

// The relations: a stream feeds a handler, a handler reads or writes a table, and a mapping gives up records.
const (
	Feeds  Relation = "feeds"
	Reads  Relation = "reads"
	Writes Relation = "writes"
	Fails  Relation = "on failure"
)

// Node is a table, a handler or a destination of failed records.
type Node struct {
	// ID is unique in the graph and made of letters, digits and underscores.
	ID   string
	Kind Kind
	Name string
	// Detail is a second line; may be empty.
	Detail string
	// Layer orders the drawing from left to right: 0 are tables with readers, 1 handlers, 2 what handlers use.
	Layer int
}

// Edge joins two nodes by their IDs.
type Edge struct {
	From, To string
	Relation Relation
	// Label says more about the relation; may be empty.
	Label string
}

// Graph is a spec's topology. Nodes and edges stand in the order of the spec.
type Graph struct {
	Title string
	Nodes []Node
	Edges []Edge
}

// Of gives the topology of a spec.
func Of(s *spec.Spec) Graph {
	g := Graph{Title: s.Project}
	tables := map[string]string{} // node ids by name
	for i, t := range s.Tables {
		n := Node{ID: id("t", i), Kind: Table, Name: t.Name, Detail: tableDetail(t), Layer: tableLayer(s, t)}
		tables[t.Name] = n.ID
		g.Nodes = append(g.Nodes, n)
	}
	for i, h := range s.Handlers {
		n := Node{ID: id("h", i), Kind: Handler, Name: h.Name, Layer: 1}
		g.Nodes = append(g.Nodes, n)
		for _, source := range h.Sources {
			g.join(Edge{tables[source.Table], n.ID, Feeds, sourceLabel(source)})
		}
		for _, name := range h.Reads {
			g.join(Edge{tables[name], n.ID, Reads, ""})
		}
		for _, name := range h.Writes {
			g.join(Edge{n.ID, tables[name], Writes, ""})
		}
		g.destinations(n, i, h)
	}
	return g
}

// join adds an edge; one of a spec that names no table is left out.
func (g *Graph) join(e Edge) {
	if e.From != "" && e.To != "" {
		g.Edges = append(g.Edges, e)
	}
}

// destinations adds each destination of a handler's mappings once.
func (g *Graph) destinations(handler Node, index int, h spec.Handler) {
	made := map[string]bool{}
	for _, source := range h.Sources {
		name, detail := h.FunctionName+spec.FailuresSuffix, strings.ToUpper(source.OnFailure.Type)
		switch source.OnFailure.Type {
		case "", "none":
			continue
		case "arn":
			name, detail = source.OnFailure.ARN, ""
		}
		if made[name+detail] {
			continue
		}
		made[name+detail] = true
		n := Node{ID: id("d", len(made)-1) + id("_", index), Kind: Destination, Name: name, Detail: detail, Layer: 2}
		g.Nodes = append(g.Nodes, n)
		g.join(Edge{handler.ID, n.ID, Fails, ""})
	}
}

// tableLayer puts tables that are used and never read as a stream behind the handlers that use them.
func tableLayer(s *spec.Spec, t spec.Table) int {
	used := 0
	for _, h := range s.Handlers {
		for _, source := range h.Sources {
			if source.Table == t.Name {
				return 0
			}
		}
		for _, name := range append(append([]string{}, h.Reads...), h.Writes...) {
			if name == t.Name {
				used = 2
			}
		}
	}
	return used
}

func tableDetail(t spec.Table) string {
	parts := []string{t.StreamViewType}
	if t.StreamViewType == "" {
		parts = []string{"no stream"}
	}
	if t.Existing {
		parts = append(parts, "existing")
	}
	for _, r := range t.Replicas {
		parts = append(parts, "replica "+r.RegionName)
	}
	return strings.Join(parts, ", ")
}

func sourceLabel(source spec.Source) string {
	var parts []string
	if text := (filter.Selection{On: source.On, Changed: source.Changed}).String(); text != "" {
		parts = append(parts, text)
	}
	if text := source.Where.Text; text != "" {
		parts = append(parts, "where "+strings.Join(strings.Fields(text), " "))
	}
	if len(source.Patterns) > 0 {
		parts = append(parts, "filtered by patterns")
	}
	if !source.Enabled {
		parts = append(parts, "disabled")
	}
	return strings.Join(parts, "; ")
}
