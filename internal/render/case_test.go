package render

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/internal/tree"
	"streamgen/templates"
)

var update = flag.Bool("update", false, "rewrite the expected trees under testdata")

// TestCases renders each folder's gen.yaml and compares with the tree in its folder want.
func TestCases(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			s, project := loadCase(t, folder)
			got := renderSpec(t, s, project)
			want := filepath.Join(folder, "want")
			if *update {
				writeTree(t, want, got)
			}
			if diff := cmp.Diff(readTree(t, want), contents(got)); diff != "" {
				t.Errorf("(-want +got; go test ./internal/render -update accepts)\n%s", diff)
			}
			checkReferences(t, got)
			checkGo(t, got)
		})
	}
}

// loadCase loads a folder's gen.yaml, as what comes after its before.yaml where it has one.
func loadCase(t *testing.T, folder string) (*spec.Spec, fileplan.Project) {
	t.Helper()
	var h fileplan.History
	if before := filepath.Join(folder, "before.yaml"); exists(before) {
		_, h, _ = h.Next(loadSpec(t, before))
	}
	s, h, findings := h.Next(loadSpec(t, filepath.Join(folder, "gen.yaml")))
	if findings.Failed() {
		t.Fatal(findings)
	}
	return s, fileplan.Project{Module: "example.com/shop", History: h}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func loadSpec(t *testing.T, file string) *spec.Spec {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, findings := spec.Load("gen.yaml", src)
	if findings.Failed() {
		t.Fatal(findings)
	}
	return s
}

func renderSpec(t *testing.T, s *spec.Spec, p fileplan.Project) tree.Tree {
	t.Helper()
	files, findings := fileplan.Plan(s, p)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	got, err := Render(files, Templates{FS: templates.FS})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func contents(files tree.Tree) map[string]string {
	m := make(map[string]string, len(files))
	for _, f := range files {
		m[f.Path] = string(f.Data)
	}
	return m
}

func readTree(t *testing.T, root string) map[string]string {
	t.Helper()
	m := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(root, path))
		m[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func writeTree(t *testing.T, root string, files tree.Tree) {
	t.Helper()
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		file := filepath.Join(root, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
