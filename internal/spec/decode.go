package spec

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"streamgen/internal/diag"
)

// decoder collects what is to be said about one file.
type decoder struct {
	file string
	// widths holds the number of characters of each line.
	widths   []int
	findings diag.Findings
	// minimal is set when the spec has the profile minimal.
	minimal bool
	// broken holds the paths of values that are missing or wrong and were reported: what depends on them is not checked, so
	// that one cause gives one finding.
	broken map[string]bool
	// spoilt holds the lines of values that were reported before they were read.
	spoilt map[int]bool
}

func newDecoder(file string, src []byte) *decoder {
	d := &decoder{file: file, broken: map[string]bool{}, spoilt: map[int]bool{}}
	for line := range bytes.SplitSeq(src, []byte("\n")) {
		d.widths = append(d.widths, utf8.RuneCount(line))
	}
	return d
}

func (d *decoder) report(c code, at diag.Position, detail, format string, args ...any) {
	if d.spoilt[at.Line] {
		return
	}
	d.findings.Add(string(c), at, fmt.Sprintf(format, args...), detail)
}

// warn reports what stops nothing.
func (d *decoder) warn(c code, at diag.Position, detail, format string, args ...any) {
	before := len(d.findings)
	d.report(c, at, detail, format, args...)
	for i := range d.findings[before:] {
		d.findings[before+i].Severity = diag.Warning
	}
}

// fail reports what is wrong with a value and marks the value as broken.
func (d *decoder) fail(v value, c code, detail, format string, args ...any) {
	d.broken[v.path] = true
	d.report(c, v.pos, detail, format, args...)
}

// at gives a position that is inside the file: the parser places some of its errors after the end.
func (d *decoder) at(line, column int) diag.Position {
	line = min(max(line, 1), len(d.widths))
	return diag.Position{File: d.file, Line: line, Column: min(max(column, 1), d.widths[line-1]+1)}
}

func (d *decoder) token(tk *token.Token) diag.Position {
	if tk == nil {
		return d.at(1, 1)
	}
	return d.at(tk.Position.Line, tk.Position.Column)
}

func (d *decoder) refusedLines() map[int]bool {
	lines := map[int]bool{}
	for _, f := range d.findings {
		lines[f.Pos.Line] = true
	}
	return lines
}

// value is a node of the document and its place.
type value struct {
	node ast.Node
	// path names the place in the document, such as "tables.orders.hash_key".
	path string
	// what is the name that messages use.
	what string
	// pos is the position of the value, or of its key where the value is empty.
	pos, keyPos diag.Position
}

// entry is one key of a map and its value.
type entry struct {
	key string
	value
}

// start gives the position of a node's first character.
func (d *decoder) start(n ast.Node) diag.Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return d.start(n.Values[0].Key)
		}
		return d.token(n.Start)
	case *ast.LiteralNode:
		return d.token(n.Start)
	default:
		return d.token(n.GetToken())
	}
}

// child gives a value below v.
func (d *decoder) child(v value, n ast.Node, step, what string, keyPos diag.Position) value {
	c := value{node: n, path: join(v.path, step), what: what, keyPos: keyPos, pos: keyPos}
	if n != nil && (n.Type() != ast.NullType || n.GetToken().Type == token.NullType) {
		c.pos = d.start(n)
	}
	return c
}

// unwrap gives the node inside an anchor and reports whether a value is left to read. What was refused before parsing is not
// reported again.
func (d *decoder) unwrap(v *value) bool {
	for {
		switch n := v.node.(type) {
		case *ast.AnchorNode:
			v.node = n.Value
		case *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode, nil:
			d.broken[v.path] = true
			return false
		case *ast.NullNode:
			d.fail(*v, codeMissingValue, "Give it a value; a key that is not needed may be left out.", "%s has no value", v.what)
			return false
		default:
			return true
		}
	}
}

// wrongType reports that a value is not of the type that is wanted; form shows how to write it.
func (d *decoder) wrongType(v value, wanted, form string) {
	d.fail(v, codeWrongType, form, "%s must be %s, not %s", v.what, wanted, kindOf(v.node))
}

func kindOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a map"
	case *ast.SequenceNode:
		return "a list"
	case *ast.BoolNode:
		return "the boolean " + n.Token.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + clip(n.GetToken().Value)
	default:
		return "text"
	}
}

// entries gives the entries of a map in the order of the file, each key once.
func (d *decoder) entries(v value, form string) ([]entry, bool) {
	if !d.unwrap(&v) {
		return nil, false
	}
	m, ok := v.node.(*ast.MappingNode)
	if !ok {
		d.wrongType(v, "a map", form)
		return nil, false
	}
	var list []entry
	lines := map[string]int{}
	for _, pair := range m.Values {
		at := d.start(pair.Key)
		key, ok := d.key(pair.Key)
		if !ok {
			// Which key is meant is not known, so no key is reported as missing.
			d.broken[v.path] = true
			continue
		}
		if line, ok := lines[key]; ok {
			d.report(codeDuplicateKey, at, "Remove one of the two.", "the key %s stands in line %d already", quote(key), line)
			continue
		}
		lines[key] = at.Line
		list = append(list, entry{key, d.child(v, pair.Value, key, clip(key), at)})
	}
	return list, true
}

// key reads a key of a map. A key that is refused as such is not reported again.
func (d *decoder) key(n ast.MapKeyNode) (string, bool) {
	switch k := n.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.NullNode:
		text := n.GetToken().Value
		d.report(codeWrongType, d.start(n), fmt.Sprintf("Put it in quotes: %q.", clip(text)), "the key %s is not text", clip(text))
	}
	return "", false
}

// items gives the items of a list.
func (d *decoder) items(v value, form string) ([]value, bool) {
	if !d.unwrap(&v) {
		return nil, false
	}
	s, ok := v.node.(*ast.SequenceNode)
	if !ok {
		d.wrongType(v, "a list", form)
		return nil, false
	}
	var list []value
	for i, n := range s.Values {
		what := fmt.Sprintf("item %d of %s", i+1, v.what)
		item := d.child(v, n, strconv.Itoa(i), what, v.keyPos)
		item.keyPos = item.pos
		list = append(list, item)
	}
	return list, true
}

// clip makes a text fit a message: short and on one line.
func clip(s string) string { return printable(shorten(s)) }

func quote(s string) string { return fmt.Sprintf("%q", shorten(s)) }

func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// nearest gives the word that was probably meant, empty if none is near.
func nearest(word string, words []string) string {
	if len(word) > 100 {
		return ""
	}
	plain := func(s string) string { return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(s)) }
	best, shortest := "", max(1, len(word)/3)+1
	for _, w := range words {
		if n := levenshtein.Distance(plain(word), plain(w), nil); n < shortest && n < len(w) {
			best, shortest = w, n
		}
	}
	return best
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// oneOf says which words there are, the one that was probably meant first.
func oneOf(word string, words []string, list string) string {
	if w := nearest(word, words); w != "" {
		return fmt.Sprintf("Did you mean %s?", clip(w))
	}
	return list + " " + enumerate(words) + "."
}

func enumerate(words []string) string {
	shown := make([]string, len(words))
	for i, w := range words {
		shown[i] = clip(w)
	}
	switch n := len(shown); n {
	case 0:
		return "none"
	case 1:
		return shown[0]
	default:
		return strings.Join(shown[:n-1], ", ") + " and " + shown[n-1]
	}
}
