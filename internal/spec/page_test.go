package spec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"streamgen/internal/spec"
)

// TestPages holds the pages about the spec to the rules and the schema; -update writes them.
func TestPages(t *testing.T) {
	for path, want := range map[string]string{
		"../../docs/rules.md": rulesPage(),
		"../../docs/spec.md":  specPage(t),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // a page that is committed
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, string(have)); d != "" {
			t.Errorf("%s is stale, run the test with -update:\n%s", path, d)
		}
	}
}

func rulesPage() string {
	var b strings.Builder
	b.WriteString("# The rules of gen.yaml\n\n`gen validate` names a finding by its rule's code. The code is stable: scripts may match on it.\n\n| code | rule | from |\n| --- | --- | --- |\n")
	for _, r := range spec.Rules() {
		source := r.Source
		if strings.HasPrefix(source, "https://") {
			source = "[AWS](" + source + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.Code, cell(r.Summary), source)
	}
	b.WriteString("\nThree more come from what is generated: `colliding-names` also for entries that would share a generated file and attributes that would\nshare a Go field, `not-normalized` for text that terraform would change to Unicode's normal form NFC, and `dropped-table`, a warning, for a\ntable that left the spec before and is back.\n")
	return b.String()
}

func specPage(t *testing.T) string {
	t.Helper()
	data, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# The keys of gen.yaml\n\nKeys that have an argument in Terraform have the name that the AWS provider gives it. What is not listed is refused. " +
		"`gen schema` is the same for\neditors and programs; [rules.md](rules.md) has what is checked beyond it.\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n")
	keyRows(&b, "", &schema)
	return b.String()
}

// keyRows writes a line for each key of an object, and for those of the objects below it.
func keyRows(b *strings.Builder, prefix string, object *jsonschema.Schema) {
	for pair := object.Properties.Oldest(); pair != nil; pair = pair.Next() {
		key, s := prefix+pair.Key, pair.Value
		preset := ""
		switch {
		case s.Default != nil:
			preset = fmt.Sprintf("`%v`", s.Default)
			if n, ok := s.Default.(float64); ok {
				preset = fmt.Sprintf("`%.f`", n)
			}
		case slices.Contains(object.Required, pair.Key):
			preset = "required"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", key, typeOf(s), preset, cell(s.Description))
		if strings.HasPrefix(key, "environments.NAME.") && s.AdditionalProperties != nil && s.AdditionalProperties.Properties != nil {
			fmt.Fprintf(b, "| `%s.NAME` | object |  | Of the keys above, these may differ: %s. |\n", key, strings.Join(keysOf(s.AdditionalProperties), ", "))
			continue
		}
		switch {
		case s.Properties != nil && s.Properties.Len() > 0:
			keyRows(b, key+".", s)
		case s.Items != nil && s.Items.Properties != nil:
			keyRows(b, key+"[].", s.Items)
		case s.AdditionalProperties != nil && s.AdditionalProperties.Properties != nil:
			keyRows(b, key+".NAME.", s.AdditionalProperties)
		}
	}
}

func keysOf(object *jsonschema.Schema) []string {
	var keys []string
	for pair := object.Properties.Oldest(); pair != nil; pair = pair.Next() {
		keys = append(keys, "`"+pair.Key+"`")
	}
	return keys
}

func typeOf(s *jsonschema.Schema) string {
	if s.Ref != "" {
		return "type, or object"
	}
	if len(s.OneOf) > 0 {
		var forms []string
		for _, one := range s.OneOf {
			forms = append(forms, typeOf(one))
		}
		return strings.Join(forms, "; or ")
	}
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprintf("`%v`", v))
		}
		return strings.Join(values, ", ")
	}
	text := s.Type
	if s.Type == "object" && (s.Properties == nil || s.Properties.Len() == 0) {
		text = "map"
	}
	if s.Minimum != "" || s.Maximum != "" {
		text += fmt.Sprintf(", %s to %s", s.Minimum, s.Maximum)
	}
	return text
}

// cell makes text fit into a cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
