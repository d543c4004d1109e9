package adopt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// imported is an entry that no file of the tests has.
func imported() Entry {
	return Entry{Name: "imported-table", Notes: []string{"read from AWS"}, Keys: Map{
		{"import", true}, {"hash_key", "Id"}, {"attributes", Map{{"Id", "S"}}},
	}}
}

func TestInsert(t *testing.T) {
	const head = "version: 1\nproject: p\nregion: eu-west-1\n"
	for name, c := range map[string]struct{ src, want string }{
		"first of a block": {
			head + "tables: # all of them\n  # what is sold\n  orders: {hash_key: Id, attributes: {Id: S}} # keys alone\n\nhandlers: {}\n",
			head + `tables: # all of them
  # read from AWS
  imported-table:
    import: true
    hash_key: Id
    attributes:
      Id: S
  # what is sold
  orders: {hash_key: Id, attributes: {Id: S}} # keys alone

handlers: {}
`,
		},
		"indented by four": {
			head + "tables:\n    orders:\n        hash_key: Id\n        attributes: {Id: S}\n",
			head + "tables:\n    # read from AWS\n    imported-table:\n        import: true\n        hash_key: Id\n        attributes:\n            Id: S\n    orders:\n        hash_key: Id\n        attributes: {Id: S}\n",
		},
		"empty braces": {
			head + "tables: {} # none yet\nhandlers: {}\n",
			head + "tables: # none yet\n  # read from AWS\n  imported-table:\n    import: true\n    hash_key: Id\n    attributes:\n      Id: S\nhandlers: {}\n",
		},
		"empty braces over two lines": {
			head + "tables: {\n}\n",
			head + "tables: {imported-table: {import: true, hash_key: Id, attributes: {Id: S}}\n}\n",
		},
		"braces": {
			head + "tables: { # ä\n  orders: {hash_key: Id, attributes: {Id: S}}}\n",
			head + "tables: {imported-table: {import: true, hash_key: Id, attributes: {Id: S}},  # ä\n  orders: {hash_key: Id, attributes: {Id: S}}}\n",
		},
		"no tables and no line end": {
			strings.TrimSuffix(head, "\n"),
			head + "tables:\n  # read from AWS\n  imported-table:\n    import: true\n    hash_key: Id\n    attributes:\n      Id: S\n",
		},
		"no line end after braces": {
			head + "tables: {}",
			head + "tables:\n  # read from AWS\n  imported-table:\n    import: true\n    hash_key: Id\n    attributes:\n      Id: S\n",
		},
		"lines of Windows": {
			strings.ReplaceAll(head+"tables:\n  orders: {hash_key: Id, attributes: {Id: S}}\n", "\n", "\r\n"),
			strings.ReplaceAll(head+"tables:\n  # read from AWS\n  imported-table:\n    import: true\n    hash_key: Id\n    attributes:\n      Id: S\n  orders: {hash_key: Id, attributes: {Id: S}}\n", "\n", "\r\n"),
		},
		"a quoted key behind a document mark": {
			"---\n" + head + "\"tables\":\n  # tab:\there\n  orders: {hash_key: Id, attributes: {Id: S}}\n",
			"---\n" + head + "\"tables\":\n  # read from AWS\n  imported-table:\n    import: true\n    hash_key: Id\n    attributes:\n      Id: S\n  # tab:\there\n  orders: {hash_key: Id, attributes: {Id: S}}\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Insert([]byte(c.src), imported())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, string(got)); d != "" {
				t.Error(d)
			}
			inserted(t, []byte(c.src), got)
		})
	}
	for name, src := range map[string]string{"braces": "{version: 1, project: p, region: eu-west-1}", "a list": "- 1\n", "no map": head + "tables: 7\n", "no YAML": "a: [", "nothing": ""} {
		if got, err := Insert([]byte(src), imported()); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Every good spec that the loader is tested with takes an entry, but for one that is in braces as a whole.
func TestInsertIntoEverySpec(t *testing.T) {
	files, err := filepath.Glob("../spec/testdata/good/*/gen.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		after, err := Insert(src, imported())
		if err != nil {
			if !strings.HasPrefix(string(src), "{") {
				t.Errorf("%s: %v", file, err)
			}
			continue
		}
		inserted(t, src, after)
	}
}

// inserted fails unless the new file has the old one's lines, in their order, and says what it said and the entry.
func inserted(t *testing.T, before, after []byte) {
	t.Helper()
	was, findings := spec.Load("gen.yaml", before)
	if findings.Failed() {
		t.Fatalf("the case is wrong: %v", findings)
	}
	is, findings := spec.Load("gen.yaml", after)
	if findings.Failed() {
		t.Fatalf("%v\n%s", findings, after)
	}
	if is.Tables[0].Name != "imported-table" && is.Tables[len(is.Tables)-1].Name != "imported-table" {
		t.Fatalf("the entry is missing:\n%s", after)
	}
	places := cmpopts.IgnoreTypes(diag.Position{}, map[string]diag.Position{})
	others := func(tables []spec.Table) []spec.Table {
		var rest []spec.Table
		for _, table := range tables {
			if table.Name != "imported-table" {
				rest = append(rest, table)
			}
		}
		return rest
	}
	is.Tables = others(is.Tables)
	for i := range is.Environments {
		is.Environments[i].Tables = others(is.Environments[i].Tables)
	}
	if d := cmp.Diff(was, is, places, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("something else changed:\n%s\n%s", d, after)
	}
	rest := string(after)
	for line := range strings.FieldsSeq(string(before)) {
		_, behind, found := strings.Cut(rest, strings.Trim(line, "{}"))
		if !found {
			t.Fatalf("%q is gone:\n%s", line, after)
		}
		rest = behind
	}
}

// FuzzInsert holds every file that loads to what an insertion promises.
func FuzzInsert(f *testing.F) {
	files, err := filepath.Glob("../spec/testdata/good/*/gen.yaml")
	if err != nil || len(files) < 10 {
		f.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("version: 1\nproject: p\nregion: eu-west-1\ntables: {}\n...\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		_, findings := spec.Load("gen.yaml", src)
		if findings.Failed() || strings.Contains(strings.ToLower(string(src)), "imported-table") {
			t.Skip()
		}
		after, err := Insert(src, imported())
		if err != nil {
			t.Skip() // it says why
		}
		if _, findings := spec.Load("gen.yaml", after); findings.Failed() {
			t.Skip() // it is not written then
		}
		inserted(t, src, after)
	})
}
