package semantics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const page = "../../../../docs/semantics/streams-and-mappings.md"

// TestRowsAreDocumented holds the page about streams and mappings against the tests: each row that it names is there, and each row of a test
// of this package's files about streams and mappings is named.
func TestRowsAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, found := range regexp.MustCompile("`(Test[A-Za-z]+/[^`]+)`").FindAllStringSubmatch(string(text), -1) {
		named = append(named, found[1])
	}
	var rows []string
	for _, pattern := range []string{"streams_test.go", "changes_test.go", "mapping_*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			rows = append(rows, rowsOf(t, file)...)
		}
	}
	for _, name := range named {
		if !slices.Contains(rows, name) {
			t.Errorf("the page names %s, which is no row", name)
		}
	}
	for _, name := range rows {
		if !slices.Contains(named, name) {
			t.Errorf("the page does not name %s", name)
		}
	}
}

// rowsOf are the rows of a file's tests: the names in tables whose rows begin with a name, and those of subtests that are written out.
func rowsOf(t *testing.T, file string) (rows []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range parsed.Decls {
		f, isFunc := d.(*ast.FuncDecl)
		if !isFunc || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") {
			continue
		}
		add := func(e ast.Expr) {
			if name, isText := e.(*ast.BasicLit); isText && name.Kind == token.STRING {
				text, err := strconv.Unquote(name.Value)
				if err != nil {
					t.Fatal(err)
				}
				rows = append(rows, f.Name.Name+"/"+text)
			}
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, isSelector := n.Fun.(*ast.SelectorExpr); isSelector && s.Sel.Name == "Run" && len(n.Args) == 2 {
					add(n.Args[0])
				}
			case *ast.CompositeLit:
				if !isTable(n.Type) {
					return true
				}
				for _, row := range n.Elts {
					first := row.(*ast.CompositeLit).Elts[0]
					if keyed, isKeyed := first.(*ast.KeyValueExpr); isKeyed {
						first = keyed.Value
					}
					add(first)
				}
			}
			return true
		})
	}
	return rows
}

// isTable says whether a type is a list of rows, the first of whose fields is their name.
func isTable(e ast.Expr) bool {
	list, isList := e.(*ast.ArrayType)
	if !isList {
		return false
	}
	switch row := list.Elt.(type) {
	case *ast.Ident:
		return row.Name == "mappingRow" || row.Name == "standRow"
	case *ast.StructType:
		return len(row.Fields.List) > 0 && row.Fields.List[0].Names[0].Name == "name"
	}
	return false
}
