package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"streamgen/internal/tf"
)

// binariesVar lists the binaries that TestBinaries runs with, as a PATH lists folders; without it that is OpenTofu, where it was built or is
// on the PATH. TestScript has terraform.
const binariesVar = "STREAMGEN_TEST_BINARIES"

// TestBinaries holds the conversation of apply.txtar with another binary than TestScript does: the same words, where gen.yaml says which
// product applies it.
func TestBinaries(t *testing.T) {
	if os.Getenv("STREAMGEN_LONG") == "" {
		t.Skip("STREAMGEN_LONG is not set: make long")
	}
	installDir, err := tf.InstallDir()
	if err != nil {
		t.Fatal(err)
	}
	var listed []tf.FindOptions
	for _, path := range filepath.SplitList(os.Getenv(binariesVar)) {
		listed = append(listed, tf.FindOptions{Path: path})
	}
	if len(listed) == 0 {
		listed = append(listed, tf.FindOptions{Product: tf.ProductOpenTofu, InstallDir: installDir})
	}
	for _, o := range listed {
		b, err := tf.Find(t.Context(), o)
		if err != nil && o.Path == "" {
			t.Skipf("make opentofu: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint(b.Product, " ", b.Version), func(t *testing.T) {
			if !tf.ProviderAvailableTo(t.Context(), b.Product) {
				t.Skip("the AWS provider is not here: make provider")
			}
			params := scriptParams(t, true)
			params.Files = []string{scriptFor(t, b.Product, "apply")}
			folder := onlyBinary(t, b)
			setup := params.Setup
			params.Setup = func(e *testscript.Env) error {
				e.Setenv("PATH", folder+string(os.PathListSeparator)+e.Getenv("PATH"))
				return setup(e)
			}
			testscript.Run(t, params)
		})
	}
}

// onlyBinary makes a folder in which the binary has the name that gen looks for.
func onlyBinary(t *testing.T, b tf.Binary) string {
	t.Helper()
	folder := t.TempDir()
	name := string(b.Product)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.Symlink(b.Path, filepath.Join(folder, name)); err != nil {
		t.Skip(err)
	}
	return folder
}

// initialised is a line that makes a project whose gen.yaml the script does not write.
var initialised = regexp.MustCompile(`(?m)^exec gen init ([^-\s]+)$`)

// scriptFor makes a copy of a script in which every gen.yaml names the product. The key stands last, so that other lines keep their numbers.
func scriptFor(t *testing.T, p tf.Product, name string) string {
	t.Helper()
	script, err := txtar.ParseFile(filepath.Join("testdata", "script", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	key := fmt.Sprintf("terraform: {binary: %s}\n", string(p))
	script.Comment = initialised.ReplaceAll(script.Comment, []byte("$0\nedit $1/gen.yaml \\z '"+strings.ReplaceAll(key, "\n", `\n`)+"'"))
	for i, f := range script.Files {
		if filepath.Ext(f.Name) == ".yaml" {
			script.Files[i].Data = slices.Concat(f.Data, []byte(key)) // all files share one array
		}
	}
	path := filepath.Join(t.TempDir(), name+".txtar")
	if err := os.WriteFile(path, txtar.Format(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
