package graph

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

func id(prefix string, n int) string { return prefix + strconv.Itoa(n) }

// Mermaid gives the graph as a Mermaid flowchart. https://mermaid.js.org/syntax/flowchart.html
func (g Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for _, n := range g.Nodes {
		open, end := mermaidShape(n.Kind)
		fmt.Fprintf(&b, "  %s%s\"%s\"%s\n", n.ID, open, mermaidText(n), end)
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Relation != Feeds {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s", e.From, arrow)
		if label := e.text(); label != "" {
			fmt.Fprintf(&b, "|\"%s\"|", mermaidEscape(label))
		}
		fmt.Fprintf(&b, " %s\n", e.To)
	}
	return b.String()
}

func mermaidShape(k Kind) (open, end string) {
	switch k {
	case Table:
		return "[(", ")]"
	case Handler:
		return "[[", "]]"
	default:
		return "[/", "/]"
	}
}

func mermaidText(n Node) string {
	text := mermaidEscape(n.Name)
	if n.Detail != "" {
		text += "<br/>" + mermaidEscape(n.Detail)
	}
	return text
}

// mermaidEscape writes what has a meaning inside quotes as entity codes.
func mermaidEscape(s string) string {
	return strings.NewReplacer("\n", " ", "#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;").Replace(s)
}

// DOT gives the graph in the language of Graphviz. https://graphviz.org/doc/info/lang.html
func (g Graph) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", fontsize=10];\n", dotQuote(g.Title))
	shapes := map[Kind]string{Table: "cylinder", Handler: "component", Destination: "box"}
	for _, n := range g.Nodes {
		label := n.Name
		if n.Detail != "" {
			label += "\n" + n.Detail
		}
		fmt.Fprintf(&b, "  %s [shape=%s, label=%s];\n", n.ID, shapes[n.Kind], dotQuote(label))
	}
	for _, e := range g.Edges {
		style := "solid"
		if e.Relation != Feeds {
			style = "dashed"
		}
		fmt.Fprintf(&b, "  %s -> %s [style=%s, label=%s];\n", e.From, e.To, style, dotQuote(e.text()))
	}
	b.WriteString("}\n")
	return b.String()
}

func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// text is what stands at an edge. That a stream feeds a handler goes without saying.
func (e Edge) text() string {
	if e.Relation == Feeds {
		return e.Label
	}
	return string(e.Relation)
}

func xmlEscape(s string) string { return html.EscapeString(s) }
