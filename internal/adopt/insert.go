package adopt

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Insert puts an entry first below the key "tables" of a valid gen.yaml, and adds the key where it is missing. Nothing else of the file
// changes: comments, order, indentation and line ends stay.
func Insert(src []byte, e Entry) ([]byte, error) {
	ends := "\n"
	if strings.Contains(string(src), "\r\n") {
		ends = "\r\n"
	}
	text := strings.ReplaceAll(string(src), "\r\n", "\n")
	// In columns a tab, which only comments have, is one character for the parser when it is a space.
	file, err := parser.ParseBytes([]byte(strings.ReplaceAll(text, "\t", " ")), 0)
	if err != nil {
		return nil, fmt.Errorf("finding the tables of the spec: %w", err)
	}
	if len(file.Docs) == 0 {
		return nil, errors.New("finding the tables of the spec: the file holds none")
	}
	doc := file.Docs[0]
	root, ok := doc.Body.(*ast.MappingNode)
	if !ok || root.IsFlowStyle {
		return nil, errors.New("the spec is a map in braces: write each of its keys on a line of its own, or add the entry by hand")
	}
	last := strings.Count(text, "\n") + 1
	if doc.End != nil { // a line of three dots
		last = doc.End.Position.Line - 1
	}
	text, err = insert(text, root, last, e)
	if err != nil {
		return nil, err
	}
	return []byte(strings.ReplaceAll(text, "\n", ends)), nil
}

// usualIndent is that of a map that has no entry yet.
const usualIndent = 2

// insert puts the entry below the root's key "tables", or makes one after the last line.
func insert(text string, root *ast.MappingNode, last int, e Entry) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	for _, pair := range root.Values {
		if pair.Key.GetToken().Value != "tables" {
			continue
		}
		tables, ok := pair.Value.(*ast.MappingNode)
		if !ok {
			return "", fmt.Errorf("the key tables is no map, in line %d", pair.Key.GetToken().Position.Line)
		}
		if !tables.IsFlowStyle {
			indent := tables.Values[0].Key.GetToken().Position.Column - 1
			return below(lines, pair.Key.GetToken().Position.Line, e.YAML(indent)), nil
		}
		return braces(lines, tables, e), nil
	}
	return below(lines, last, "tables:\n"+e.YAML(usualIndent)), nil
}

// below puts a block after a line.
func below(lines []string, line int, block string) string {
	before := strings.Join(lines[:line], "")
	if !strings.HasSuffix(before, "\n") {
		before += "\n"
	}
	return before + block + strings.Join(lines[line:], "")
}

// braces puts an entry into a map in braces; one that is empty becomes a block.
func braces(lines []string, tables *ast.MappingNode, e Entry) string {
	from, to := tables.Start.Position, tables.End.Position
	line := []rune(lines[from.Line-1])
	if len(tables.Values) == 0 && from.Line == to.Line {
		rest := string(line[to.Column:])
		lines[from.Line-1] = strings.TrimRight(string(line[:from.Column-1]), " ") + rest
		return below(lines, from.Line, e.YAML(usualIndent))
	}
	entry := e.flow()
	if len(tables.Values) > 0 {
		entry += ", "
	}
	lines[from.Line-1] = string(line[:from.Column]) + entry + string(line[from.Column:])
	return strings.Join(lines, "")
}
