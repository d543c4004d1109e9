package render

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/internal/tree"
	"streamgen/templates"
)

func TestRenderCarriesThePlan(t *testing.T) {
	files := []fileplan.File{
		{Path: "b/x.tf", Template: "x.tmpl", View: "b", Origin: spec.Origin{Path: "tables.b"}},
		{Path: "a/x.tf", Template: "x.tmpl", View: "a", Ownership: fileplan.Once},
	}
	got, err := Render(files, Templates{FS: fstest.MapFS{"x.tmpl": {Data: []byte("name={{hcl .}}\nn   =   1\n")}}})
	if err != nil {
		t.Fatal(err)
	}
	want := tree.Tree{
		{Path: "a/x.tf", Data: []byte("name = \"a\"\nn    = 1\n"), Once: true},
		{Path: "b/x.tf", Data: []byte("name = \"b\"\nn    = 1\n"), Origin: "tables.b"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(tree.File{}, "Template")); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

// A file's version is that of its template and of the partials, which it may use, and of nothing else.
func TestTemplateVersions(t *testing.T) {
	version := func(change string) string {
		set := fstest.MapFS{}
		for _, name := range []string{"x.tmpl", "y.tmpl", "partial/p.tmpl"} {
			text := "a = 1\n"
			if name == change {
				text = "a = 2\n"
			}
			set[name] = &fstest.MapFile{Data: []byte(text)}
		}
		got, err := Render([]fileplan.File{{Path: "x.tf", Template: "x.tmpl"}}, Templates{FS: set})
		if err != nil {
			t.Fatal(err)
		}
		return got[0].Template
	}
	first := version("")
	for change, same := range map[string]bool{"": true, "x.tmpl": false, "y.tmpl": true, "partial/p.tmpl": false} {
		if got := version(change); first == "" || got == first != same {
			t.Errorf("%q changed: %s is now %s", change, first, got)
		}
	}
}

// TestMistakes: every mistake of ours names the file, the template and the line, and gives no tree.
func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		path, text string
		want       []string
	}{
		"no template":        {"x.tf", "", []string{`"x.tmpl"`}},
		"template syntax":    {"x.tf", "a\n{{if}}", []string{"x.tmpl:2"}},
		"no such field":      {"x.tf", "a\n\n{{.Nonsense}}", []string{"x.tf", "x.tmpl:3", "Nonsense"}},
		"no such key":        {"x.tf", "{{.Map.nonsense}}", []string{"x.tf", "x.tmpl:1", "nonsense"}},
		"no such function":   {"x.tf", "{{nonsense .}}", []string{"x.tmpl:1", "nonsense"}},
		"not a text":         {"x.tf", "a = {{hcl .Map}}", []string{"x.tf", "x.tmpl:1", "map[string]string"}},
		"HCL syntax":         {"x.tf", "a = 1\nb = = 2\n", []string{"x.tf", "template x.tmpl", "line 2", "b = = 2"}},
		"Go syntax":          {"x.go", "package x\n\nfunc {\n", []string{"x.go", "template x.tmpl", "line 3", "func {"}},
		"piece of a Go file": {"x.go", "x := 1\n", []string{"x.go", "template x.tmpl", "line 1", "x := 1"}},
		"go.mod syntax":      {"go.mod", "module x\n\nnonsense\n", []string{"go.mod", "template x.tmpl", "line 3", "nonsense"}},
		"kind of file":       {"x.toml", "a", []string{"x.toml", "template x.tmpl"}},
	} {
		t.Run(name, func(t *testing.T) {
			set := fstest.MapFS{"x.tmpl": {Data: []byte(c.text)}}
			if c.text == "" {
				set = fstest.MapFS{}
			}
			view := struct{ Map map[string]string }{map[string]string{"a": "b"}}
			got, err := Render([]fileplan.File{{Path: c.path, Template: "x.tmpl", View: view}}, Templates{FS: set})
			if err == nil || got != nil {
				t.Fatalf("Render gave %v, %v, want an error", got, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not name %q", err, want)
				}
			}
		})
	}
}

// TestProjectBuilds vets a generated project as its user would: a module of its own with a copy of the runtime.
func TestProjectBuilds(t *testing.T) {
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	s, _ := loadCase(t, "testdata/cases/names")
	project := t.TempDir()
	writeTree(t, project, renderSpec(t, s, fileplan.Project{Module: "example.com/shop", VendorRuntime: true}).
		With(tree.File{Path: "go.sum", Data: sums}).
		With(tree.File{Path: "go.mod", Data: []byte(`module example.com/shop

go 1.26.0

require streamgen v0.0.0

require github.com/aws/aws-lambda-go v1.55.1 // indirect

replace streamgen => ./generated/streamgen
`)}))
	run := func(args ...string) string {
		cmd := exec.Command("go", args...)
		cmd.Dir = project
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("vet", "./...")
	packages := strings.Fields(run("list", "./..."))
	for _, h := range s.Handlers {
		if want := "example.com/shop/generated/functions/" + h.Name; !slices.Contains(packages, want) {
			t.Errorf("%s is not among the packages %v", want, packages)
		}
	}
}

// TestTemplatesAreUsed fails for a template that no plan can reach.
func TestTemplatesAreUsed(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, folder := range folders {
		s, project := loadCase(t, folder)
		project.VendorRuntime = true
		files, _ := fileplan.Plan(s, project)
		for _, f := range files {
			used[f.Template] = true
		}
	}
	set, _, err := parse(templates.FS)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range set.Templates() {
		kind, _, _ := strings.Cut(one.Name(), "/")
		if (kind == "go" || kind == "terraform") && !used[one.Name()] {
			t.Errorf("%s is in no plan", one.Name())
		}
	}
}
