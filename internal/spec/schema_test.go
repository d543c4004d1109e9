package spec_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("gen.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("gen.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// document reads a case as a JSON document, as an editor does that checks YAML with a schema.
func document(t *testing.T, src []byte) any {
	t.Helper()
	raw, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestSchemaTakesGoodCases holds the schema to every spec in the repository that is one.
func TestSchemaTakesGoodCases(t *testing.T) {
	schema := compiled(t)
	files := []string{"../../gen.yaml"}
	for _, pattern := range []string{"testdata/good/*/gen.yaml", "../render/testdata/cases/*/*.yaml", "../../examples/*/gen.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 10 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if err := schema.Validate(document(t, read(t, filepath.Dir(file), filepath.Base(file)))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What a schema can say: other rules compare values with one another, or look at the file's text.
var schemaCodes = []string{"unknown-key", "missing-key", "missing-value", "wrong-type", "out-of-range", "too-many"}

// beyondSchema are cases with a finding of such a kind that a schema cannot see, and why.
var beyondSchema = map[string]string{
	"capacity":           "billing_mode decides which keys are needed",
	"stack-backends":     "only stacks need the key",
	"too-many-projected": "the limit is that of all indexes together",
	"wrong-type-key":     "JSON has no other keys than text",
}

// TestSchemaCatches holds the schema to every bad case that it can see: those with a finding of its kind, and those that say so.
func TestSchemaCatches(t *testing.T) {
	schema := compiled(t)
	caught := 0
	for _, dir := range cases(t, "bad") {
		src := read(t, dir, "gen.yaml")
		marked := bytes.HasPrefix(src, []byte("# schema: catches\n"))
		_, findings := spec.Load("gen.yaml", src)
		has := func(codes ...string) bool {
			return slices.ContainsFunc(findings, func(f diag.Finding) bool { return slices.Contains(codes, f.Code) })
		}
		if !marked && !has(schemaCodes...) || has("yaml-anchor") { // whose bombs a converter would let off
			continue
		}
		raw, err := yaml.YAMLToJSON(src)
		if err != nil {
			continue // an editor says so
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			continue
		}
		caught++
		if reason, taken := beyondSchema[filepath.Base(dir)], schema.Validate(doc) == nil; taken != (reason != "") {
			t.Errorf("%s: the schema takes it: %v", filepath.Base(dir), taken)
		}
	}
	if caught < 20 {
		t.Errorf("only %d bad cases are looked at", caught)
	}
}

func TestSchemaDefaults(t *testing.T) {
	raw, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Tables, Handlers struct {
				AdditionalProperties struct {
					Properties map[string]property
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	defaults := func(properties map[string]property) map[string]any {
		out := map[string]any{}
		for key, p := range properties {
			if v := p.value(); v != nil {
				out[key] = v
			}
		}
		return out
	}
	table := defaults(schema.Properties.Tables.AdditionalProperties.Properties)
	handler := defaults(schema.Properties.Handlers.AdditionalProperties.Properties)
	if len(table) < 6 || len(handler) < 15 {
		t.Errorf("the defaults are %v and %v", table, handler)
	}
	// What these maps are when they are there needs more than the defaults of their keys.
	for _, key := range []string{"autoscaling", "ttl", "contributor_insights"} {
		delete(table, key)
	}
	delete(handler, "vpc_config")
	table["hash_key"], table["attributes"], table["stream_view_type"] = "Id", map[string]string{"Id": "S"}, "KEYS_ONLY"
	handler["table"] = "orders"
	written, err := json.Marshal(map[string]any{
		"version": 1, "project": "shop", "region": "us-east-1",
		"tables": map[string]any{"orders": table}, "handlers": map[string]any{"bill": handler},
	})
	if err != nil {
		t.Fatal(err)
	}
	const short = `{version: 1, project: shop, region: us-east-1, handlers: {bill: {table: orders}},
 tables: {orders: {hash_key: Id, attributes: {Id: S}, stream_view_type: KEYS_ONLY}}}`
	long, findings := spec.Load("gen.yaml", written)
	if long == nil {
		t.Fatalf("%s\n%s", written, render(findings))
	}
	brief, findings := spec.Load("gen.yaml", []byte(short))
	if brief == nil {
		t.Fatalf("%s", render(findings))
	}
	plain := cmp.Options{cmpopts.IgnoreTypes(spec.Origin{}, diag.Position{}), cmpopts.EquateEmpty()}
	if d := cmp.Diff(brief.Tables[0], long.Tables[0], plain); d != "" {
		t.Errorf("the table without and with the defaults of the schema:\n%s", d)
	}
	if d := cmp.Diff(brief.Handlers[0], long.Handlers[0], plain); d != "" {
		t.Errorf("the handler without and with the defaults of the schema:\n%s", d)
	}
}

type property struct {
	Default    any
	Properties map[string]property
}

// value gives the property's default, put together from those of its keys where it has some.
func (p property) value() any {
	if p.Default != nil {
		return p.Default
	}
	out := map[string]any{}
	for key, child := range p.Properties {
		if v := child.value(); v != nil {
			out[key] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func TestSchemaDescribesEveryKey(t *testing.T) {
	raw, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	again, err := spec.Schema()
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("the schema differs from call to call (%v)", err)
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var keys []string
	var walk func(node any)
	walk = func(node any) {
		object, ok := node.(map[string]any)
		if !ok {
			return
		}
		if properties, ok := object["properties"].(map[string]any); ok {
			if object["additionalProperties"] != false {
				t.Errorf("an object takes any key: %v", properties)
			}
			for key, p := range properties {
				keys = append(keys, key)
				if p.(map[string]any)["description"] == nil {
					t.Errorf("%s has no description", key)
				}
				walk(p)
			}
		}
		walk(object["items"])
		walk(object["additionalProperties"])
	}
	walk(doc)
	for _, key := range []string{"version", "stream_view_type", "non_key_attributes", "enabled", "variables", "retention_in_days"} {
		if !slices.Contains(keys, key) {
			t.Errorf("the schema has no key %s", key)
		}
	}
}
