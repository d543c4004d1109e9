package render

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestModulesOfTheCopy holds what the runtime's copy requires to what its packages need, in the versions of this module.
func TestModulesOfTheCopy(t *testing.T) {
	runtime := modulesOf(t, "streamgen/runtime/stream", "streamgen/runtime/streamtest")
	adapters := slices.DeleteFunc(modulesOf(t, "streamgen/runtime/streamsqs", "streamgen/runtime/streamdynamodb"), func(m string) bool {
		return slices.Contains(runtime, m)
	})
	sums, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	hashes := func(modules []string) string {
		var b strings.Builder
		for line := range strings.Lines(string(sums)) {
			if slices.ContainsFunc(modules, func(m string) bool { return strings.HasPrefix(line, m+" ") || strings.HasPrefix(line, m+"/go.mod ") }) {
				b.WriteString(line)
			}
		}
		return b.String()
	}
	var requirements strings.Builder
	requirements.WriteString("require (\n")
	for _, m := range adapters {
		fmt.Fprintf(&requirements, "\t%s\n", m)
	}
	requirements.WriteString(")\n")
	for file, want := range map[string]string{
		"partial/adapters.mod.tmpl": requirements.String(),
		"go/runtime.sum.tmpl":       hashes(runtime) + "{{- if .Adapters}}\n" + hashes(adapters) + "{{- end}}\n",
	} {
		file = filepath.Join("../../templates", filepath.FromSlash(file))
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil { //nolint:gosec // a template that is committed
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, string(have)); d != "" {
			t.Errorf("%s (go test ./internal/render -update accepts):\n%s", file, d)
		}
	}
}

// modulesOf are the modules beside this one that packages need, as go.mod names them.
func modulesOf(t *testing.T, packages ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}"}, packages...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	modules := slices.DeleteFunc(strings.Split(string(out), "\n"), func(m string) bool { return m == "" })
	slices.Sort(modules)
	return slices.Compact(modules)
}
