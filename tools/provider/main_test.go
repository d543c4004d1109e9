package main

import (
	"os"
	"testing"

	"golang.org/x/mod/modfile"

	"streamgen/internal/tf"
)

// What is built is what gen looks for.
func TestOpenTofuIsOfOneVersion(t *testing.T) {
	const path = "../opentofu/go.mod"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.ParseLax(path, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Require {
		if r.Mod.Path == "github.com/opentofu/opentofu" {
			if want := "v" + tf.OpenTofuVersion; r.Mod.Version != want {
				t.Errorf("%s requires %s, and internal/tf says %s", path, r.Mod.Version, want)
			}
			return
		}
	}
	t.Errorf("%s does not require OpenTofu", path)
}
