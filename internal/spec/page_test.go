package spec_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/spec"
)

// TestRulesPage holds docs/rules.md to the rules; -update writes it.
func TestRulesPage(t *testing.T) {
	const page = "../../docs/rules.md"
	var b strings.Builder
	b.WriteString("# The rules of gen.yaml\n\n`gen validate` names a finding by its rule's code. The code is stable: scripts may match on it.\n\n| code | rule | from |\n| --- | --- | --- |\n")
	for _, r := range spec.Rules() {
		source := r.Source
		if strings.HasPrefix(source, "https://") {
			source = "[AWS](" + source + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Code, strings.ReplaceAll(r.Summary, "|", `\|`), source)
	}
	b.WriteString("\nTwo more come from what is generated: `colliding-names` also for entries that would share a generated file and attributes that would\nshare a Go field, and `not-normalized` for text that terraform would change to Unicode's normal form NFC.\n")
	if *update {
		if err := os.WriteFile(page, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), string(have)); d != "" {
		t.Errorf("docs/rules.md is stale, run the test with -update:\n%s", d)
	}
}
