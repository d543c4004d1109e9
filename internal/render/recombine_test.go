package render

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/goccy/go-yaml"

	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/templates"
)

// corpus is what the cases and examples write: whole entries, and each key's values.
type corpus struct {
	specs            []map[string]any
	tables, handlers []map[string]any
	keys             map[string]map[string][]any // by section and key
}

func readCorpus(t testing.TB) corpus {
	t.Helper()
	c := corpus{keys: map[string]map[string][]any{"tables": {}, "handlers": {}, "": {}}}
	for _, pattern := range []string{"testdata/cases/*/*.yaml", "../../examples/*/gen.yaml", "../spec/testdata/good/*/gen.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var s map[string]any
			if err := yaml.Unmarshal(src, &s); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			c.add(s)
		}
	}
	return c
}

func (c *corpus) add(s map[string]any) {
	c.specs = append(c.specs, s)
	for key, value := range s {
		if key != "tables" && key != "handlers" && key != "version" {
			c.keys[""][key] = append(c.keys[""][key], value)
		}
	}
	for section, list := range map[string]*[]map[string]any{"tables": &c.tables, "handlers": &c.handlers} {
		entries, _ := s[section].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			entry, ok := entries[name].(map[string]any)
			if !ok {
				continue
			}
			*list = append(*list, entry)
			for key, value := range entry {
				c.keys[section][key] = append(c.keys[section][key], value)
			}
		}
	}
}

// random gives an entry with some keys of others, and sometimes without one of its own.
func (c corpus) random(r *rand.Rand, section string, entry map[string]any) map[string]any {
	out := maps.Clone(entry)
	keys := slices.Sorted(maps.Keys(c.keys[section]))
	for range r.IntN(3) {
		key := keys[r.IntN(len(keys))]
		values := c.keys[section][key]
		out[key] = values[r.IntN(len(values))]
	}
	if r.IntN(4) == 0 {
		delete(out, keys[r.IntN(len(keys))])
	}
	return out
}

// spec gives a spec made of parts of others; most are refused, and the rest is what nobody has thought of.
func (c corpus) spec(r *rand.Rand) []byte {
	s := map[string]any{"version": 1, "project": "shop", "region": "us-east-1"}
	if r.IntN(2) == 0 {
		s["profile"] = "minimal"
	}
	settings := slices.Sorted(maps.Keys(c.keys[""]))
	if r.IntN(3) == 0 {
		key := settings[r.IntN(len(settings))]
		s[key] = c.keys[""][key][r.IntN(len(c.keys[""][key]))]
	}
	tables := map[string]any{}
	var names []string
	for i := range 1 + r.IntN(3) {
		name := "table-" + strconv.Itoa(i)
		tables[name] = c.random(r, "tables", c.tables[r.IntN(len(c.tables))])
		names = append(names, name)
	}
	handlers := map[string]any{}
	for i := range r.IntN(4) {
		h := c.random(r, "handlers", c.handlers[r.IntN(len(c.handlers))])
		h["table"] = names[r.IntN(len(names))]
		delete(h, "tables")
		for _, key := range []string{"reads", "writes"} {
			if h[key] != nil {
				h[key] = []string{names[r.IntN(len(names))]}
			}
		}
		handlers["handler-"+strconv.Itoa(i)] = h
	}
	s["tables"], s["handlers"] = tables, handlers
	src, err := yaml.Marshal(s)
	if err != nil {
		panic(err) // of values that came from YAML
	}
	return src
}

// checkRecombined renders a spec if it is valid: the HCL must parse, refer to nothing undeclared, and the Go must compile.
func checkRecombined(t *testing.T, src []byte) (valid bool) {
	t.Helper()
	s, findings := spec.Load("gen.yaml", src)
	if findings.Failed() {
		return false
	}
	var h fileplan.History
	s, h, _ = h.Next(s)
	files, collisions := fileplan.Plan(s, fileplan.Project{Module: "example.com/shop", History: h})
	if collisions.Failed() {
		return false
	}
	got, err := Render(files, Templates{FS: templates.FS})
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	proven, err := Render(files, Templates{FS: templates.FS, Proven: true})
	if err != nil || !maps.Equal(contents(got), contents(proven)) {
		t.Errorf("without parsing it is another tree: %v", err)
	}
	checkReferences(t, got)
	checkGo(t, got)
	if t.Failed() {
		t.Fatalf("of the spec\n%s", src)
	}
	return true
}

func TestRecombinedSpecs(t *testing.T) {
	c, valid := readCorpus(t), 0
	for seed := range uint64(600) {
		if checkRecombined(t, c.spec(rand.New(rand.NewPCG(seed, 7)))) {
			valid++
		}
	}
	if valid < 60 {
		t.Errorf("only %d of the specs are valid", valid)
	}
	t.Logf("%d valid specs", valid)
}

func FuzzRecombinedSpecs(f *testing.F) {
	c := readCorpus(f)
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkRecombined(t, c.spec(rand.New(rand.NewPCG(seed, 8)))) })
}
