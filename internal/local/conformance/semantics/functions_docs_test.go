package semantics

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFunctionDocs: docs/semantics/functions.md names tests and rows that there are, every test of functions and filters, and every row.
func TestFunctionDocs(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/semantics/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("f*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{} // the source of each
	var rows []string
	for _, file := range files {
		rows = append(rows, rowsOf(t, file)...)
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range regexp.MustCompile(`(?ms)^func (Test(?:Function|Filter)\w+)\(.*?^}$`).FindAllStringSubmatch(string(source), -1) {
			tests[f[1]] = f[0]
		}
	}
	named := map[string]bool{"TestFunctionDocs": true}
	for _, name := range regexp.MustCompile("`(Test[A-Za-z]+)(?:/([^`]+))?`").FindAllStringSubmatch(string(text), -1) {
		source, found := tests[name[1]]
		named[name[1]] = true
		if !found || name[2] != "" && !strings.Contains(source, `"`+name[2]+`"`) {
			t.Errorf("there is no %s", name[0])
		}
	}
	for _, row := range rows {
		if !strings.Contains(string(text), "`"+row+"`") {
			t.Errorf("the page does not name %s", row)
		}
	}
	for test := range tests {
		if !named[test] {
			t.Errorf("%s is not in the docs", test)
		}
	}
}
