package graph

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The measures of a drawing, in pixels. Text is measured by its characters: a little wider than any font sets them.
const (
	charWidth  = 7.5
	nodeHeight = 48
	nodeGap    = 28
	margin     = 24
	minNode    = 140
	minLayers  = 140 // between two layers, without labels
	maxLabel   = 48  // characters of an edge's label
)

// box is where a node is drawn.
type box struct{ x, y, width float64 }

// SVG draws the graph: tables with readers on the left, handlers in the middle, what they use on the right.
func (g Graph) SVG() string {
	boxes, width, height := g.place()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="Helvetica, Arial, sans-serif" font-size="13">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", xmlEscape(g.Title))
	b.WriteString(`<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" fill="#555"/></marker></defs>` + "\n")
	b.WriteString(`<rect width="100%" height="100%" fill="#fff"/>` + "\n")
	for _, e := range g.Edges {
		drawEdge(&b, e, boxes[e.From], boxes[e.To])
	}
	for _, n := range g.Nodes {
		drawNode(&b, n, boxes[n.ID])
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// place gives each node its box, layer by layer.
func (g Graph) place() (boxes map[string]box, width, height float64) {
	boxes = map[string]box{}
	x := float64(margin)
	for layer := range 3 {
		widest, y, any := float64(minNode), float64(margin), false
		for _, n := range g.Nodes {
			if n.Layer == layer {
				any = true
				widest = max(widest, textWidth(n.Name)+24, textWidth(n.Detail)+24)
			}
		}
		if !any {
			continue
		}
		for _, n := range g.Nodes {
			if n.Layer == layer {
				boxes[n.ID] = box{x, y, widest}
				y += nodeHeight + nodeGap
			}
		}
		height = max(height, y-nodeGap+margin)
		width = x + widest + margin
		x += widest + g.gapAfter(layer)
	}
	return boxes, max(width, 2*margin), max(height, 2*margin)
}

// gapAfter leaves room for the labels of the edges that begin in a layer.
func (g Graph) gapAfter(layer int) float64 {
	layers := map[string]int{}
	for _, n := range g.Nodes {
		layers[n.ID] = n.Layer
	}
	gap := float64(minLayers)
	for _, e := range g.Edges {
		if min(layers[e.From], layers[e.To]) == layer {
			gap = max(gap, textWidth(clip(e.text()))+48)
		}
	}
	return gap
}

func textWidth(s string) float64 { return charWidth * float64(utf8.RuneCountInString(s)) }

func clip(s string) string {
	if utf8.RuneCountInString(s) <= maxLabel {
		return s
	}
	return string([]rune(s)[:maxLabel-1]) + "…"
}

func drawEdge(b *strings.Builder, e Edge, from, to box) {
	x1, x2 := from.x+from.width, to.x
	if to.x < from.x { // back to a layer on the left
		x1, x2 = from.x, to.x+to.width
	}
	y1, y2 := from.y+nodeHeight/2, to.y+nodeHeight/2
	if e.Relation == Reads || e.Relation == Writes {
		// A handler may be fed by a table that it also uses: the two edges must not lie on one another.
		y1, y2 = y1+10, y2+10
	}
	middle, dash := (x1+x2)/2, ""
	if e.Relation != Feeds {
		dash = ` stroke-dasharray="5 4"`
	}
	fmt.Fprintf(b, `<path d="M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f" fill="none" stroke="#555"%s marker-end="url(#arrow)"/>`+"\n",
		x1, y1, middle, y1, middle, y2, x2, y2, dash)
	if label := e.text(); label != "" {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" font-size="11" fill="#333"><title>%s</title>%s</text>`+"\n",
			middle, (y1+y2)/2-6, xmlEscape(label), xmlEscape(clip(label)))
	}
}

func drawNode(b *strings.Builder, n Node, at box) {
	fill := map[Kind]string{Table: "#dbe9ff", Handler: "#ffe8cc", Destination: "#f3d9e6"}[n.Kind]
	fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="8" fill="%s" stroke="#555"/>`+"\n", at.x, at.y, at.width, nodeHeight, fill)
	y := at.y + nodeHeight/2 + 4
	if n.Detail != "" {
		y -= 8
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" font-size="11" fill="#555">%s</text>`+"\n", at.x+at.width/2, y+17, xmlEscape(n.Detail))
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", at.x+at.width/2, y, xmlEscape(n.Name))
}
