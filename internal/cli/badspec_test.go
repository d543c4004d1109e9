package cli_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/cli"
)

var placed = regexp.MustCompile(`(?m)^gen\.yaml:\d+:\d+: error: .+ \[[a-z0-9-]+\]\n(  .+\n)+`)

// TestBadSpecs runs the commands on every bad spec there is: exit code 2, a place, a way out, and not a byte written.
func TestBadSpecs(t *testing.T) {
	cases, err := filepath.Glob("../spec/testdata/bad/*/gen.yaml")
	if err != nil || len(cases) < 20 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, file := range cases {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for name, data := range map[string]string{"gen.yaml": string(src), "go.mod": "module example.com/bad\n\ngo 1.26.0\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := contents(t, dir)
			for _, command := range [][]string{{"validate"}, {"generate"}, {"generate", "--diff"}, {"build"}, {"plan", "--env", "local"}, {"init", "--no-terraform"}} {
				var out, story bytes.Buffer
				code := cli.Run(t.Context(), append([]string{"-C", dir}, command...), strings.NewReader(""), &out, &story)
				if code != cli.ExitInput || !placed.MatchString(story.String()) || out.Len() > 0 {
					t.Errorf("gen %v: exit code %d\n%s%s", command, code, out.String(), story.String())
				}
			}
			if d := cmp.Diff(before, contents(t, dir)); d != "" {
				t.Errorf("something was written:\n%s", d)
			}
		})
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
