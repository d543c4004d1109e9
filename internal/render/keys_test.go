package render

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"streamgen/internal/spec"
)

// TestEveryKeyHasACase: what a spec can say is rendered in some case. Backends, and what applies it, are no part of what is rendered.
func TestEveryKeyHasACase(t *testing.T) {
	data, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	keysOfSchema("", &schema, known)
	folders, err := filepath.Glob("testdata/cases/*/gen.yaml")
	if err != nil || len(folders) == 0 {
		t.Fatal(err)
	}
	for _, file := range folders {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s any
		if err := yaml.Unmarshal(src, &s); err != nil {
			t.Fatal(err)
		}
		keysOfValue("", s, known)
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		if !known[key] && !strings.Contains(key, "backend") && key != ".terraform" && !strings.HasPrefix(key, ".terraform.") {
			t.Errorf("no case has %s", key)
		}
	}
	if len(known) < 150 {
		t.Errorf("only %d keys are known", len(known))
	}
}

// keysOfSchema notes every key with a name that the format fixes; those of maps with free names are all NAME.
func keysOfSchema(at string, s *jsonschema.Schema, known map[string]bool) {
	if s.Properties != nil {
		for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
			known[at+"."+pair.Key] = false
			keysOfSchema(at+"."+pair.Key, pair.Value, known)
		}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Properties != nil {
		keysOfSchema(at+".NAME", s.AdditionalProperties, known)
	}
	if s.Items != nil {
		keysOfSchema(at, s.Items, known)
	}
}

func keysOfValue(at string, v any, known map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			keysOfValue(at, item, known)
		}
	case map[string]any:
		for key, item := range v {
			below := at + "." + key
			if _, fixed := known[below]; !fixed {
				below = at + ".NAME"
			}
			if _, fixed := known[below]; fixed {
				known[below] = true
			}
			keysOfValue(below, item, known)
		}
	}
}
