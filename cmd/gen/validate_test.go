package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"streamgen/internal/tf"
)

// TestTerraformValidates lets the real terraform and the real AWS provider validate what every case of the renderer expects: the modules
// all at once, and those root modules that have more than a call of theirs.
func TestTerraformValidates(t *testing.T) {
	if testing.Short() || !tf.ProviderAvailable(t.Context()) {
		t.Skip("needs the AWS provider: make provider")
	}
	const cases = "../../internal/render/testdata/cases"
	folders, err := filepath.Glob(filepath.Join(cases, "*", "want", "generated", "terraform"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	all := t.TempDir()
	var calls strings.Builder
	for _, folder := range folders {
		name, _, _ := strings.Cut(strings.TrimPrefix(filepath.ToSlash(folder), cases+"/"), "/")
		copyFolder(t, filepath.Join(folder, "module"), filepath.Join(all, name))
		fmt.Fprintf(&calls, "module %q {\n  source = \"./%s\"\n}\n", name, name)
	}
	if err := os.WriteFile(filepath.Join(all, "main.tf"), []byte(calls.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	validate(t, all)
	for _, name := range []string{"environments", "environments-tables", "table-import", "dropped"} {
		root := t.TempDir()
		copyFolder(t, filepath.Join(cases, name, "want", "generated", "terraform"), root)
		validate(t, root)
	}
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// validate runs terraform init and terraform validate in a folder.
func validate(t *testing.T, folder string) {
	t.Helper()
	mirror, err := tf.MirrorDir()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "terraform.rc")
	if err := tf.WriteCLIConfig(config, mirror); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-backend=false", "-no-color"}, {"validate", "-no-color"}} {
		cmd := exec.CommandContext(t.Context(), "terraform", args...)
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "TF_CLI_CONFIG_FILE="+config)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("terraform %s: %v\n%s", args[0], err, out)
		}
	}
}
