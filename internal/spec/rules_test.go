package spec_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"streamgen/internal/spec"
)

// TestRules holds the list of rules, the codes in the source and the case folders to each other.
func TestRules(t *testing.T) {
	listed := map[string]bool{}
	for _, r := range spec.Rules() {
		if listed[r.Code] {
			t.Errorf("%s is listed twice", r.Code)
		}
		listed[r.Code] = true
		if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(r.Code) {
			t.Errorf("the code %q is not in kebab case", r.Code)
		}
		if r.Summary == "" || strings.HasSuffix(r.Summary, ".") {
			t.Errorf("%s: the summary is %q", r.Code, r.Summary)
		}
		if r.Source != "YAML" && r.Source != "streamgen" && !strings.HasPrefix(r.Source, "https://docs.aws.amazon.com/") {
			t.Errorf("%s: the source is %q", r.Code, r.Source)
		}
	}
	shown := map[string]bool{}
	for _, kind := range []string{"bad/*/want.txt", "good/*/want.json"} {
		paths, err := filepath.Glob(filepath.Join("testdata", kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			for _, m := range regexp.MustCompile(`(?m)\[([a-z0-9-]+)\]$|"code": "([a-z0-9-]+)"`).FindAllSubmatch(read(t, path), -1) {
				shown[string(m[1])+string(m[2])] = true
			}
		}
	}
	for name, want := range map[string]map[string]bool{"the source": codes(t), "the case folders": shown} {
		if got, want := slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
			t.Errorf("listed are the codes\n%v\nin %s are\n%v", got, name, want)
		}
	}
}

// codes gives the values of the constants of type code.
func codes(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	paths, err := filepath.Glob("rules*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		codesOf(t, file, out)
	}
	return out
}

func codesOf(t *testing.T, file *ast.File, out map[string]bool) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "code" {
			value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out[value] = true
		}
		return true
	})
}
