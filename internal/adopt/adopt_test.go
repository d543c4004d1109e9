package adopt

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each case is what AWS says of a table and the entry that comes of it, which loads.
func TestCases(t *testing.T) {
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil || len(folders) < 7 {
		t.Fatalf("%d cases, %v", len(folders), err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			var table Table
			var o Options
			read(t, filepath.Join(folder, "table.json"), &table)
			read(t, filepath.Join(folder, "options.json"), &o)
			entry := table.Entry(o)
			got := entry.YAML(2)
			golden := filepath.Join(folder, "entry.yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
			base := "version: 1\nproject: shop\nregion: eu-west-1\n"
			if strings.Contains(*table.Description.TableArn, "us-east-1") {
				base = strings.Replace(base, "eu-west-1", "us-east-1", 1)
			}
			if o.Minimal {
				base += "profile: minimal\n"
			}
			for style, text := range map[string]string{"block": base + "tables:\n" + got, "braces": base + "tables: {" + entry.flow() + "}\n"} {
				if s, findings := spec.Load("gen.yaml", []byte(text)); len(findings) > 0 || len(s.Tables) != 1 {
					t.Errorf("in %s: %v\n%s", style, findings, text)
				}
			}
		})
	}
}

func read(t *testing.T, file string, to any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// Every key that a table may have is in some case, or AWS cannot tell it.
func TestEveryKeyOfATable(t *testing.T) {
	untold := map[string]string{
		"unknown_attributes": "about generated code",
		"prevent_destroy":    "about terraform",
		"existing":           "of tables that are not adopted",
		"stream_arn":         "of tables that are not adopted",
		"renamed_from":       "about the spec",
		"stack":              "about the spec",
		"autoscaling":        "Application Auto Scaling's",
		"warm_throughput":    "AWS raises it: see Table.Entry",
		"resource_policy":    "stays as it is",
		"ttl.enabled":        "said by leaving ttl out",
	}
	var all strings.Builder
	folders, err := filepath.Glob("testdata/cases/*/entry.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	data, err := spec.Schema()
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Properties           map[string]*schema
		AdditionalProperties json.RawMessage
		Items                *schema
	}
	var root schema
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	var table schema
	if err := json.Unmarshal(root.Properties["tables"].AdditionalProperties, &table); err != nil || len(table.Properties) < 20 {
		t.Fatalf("%d keys of a table, %v", len(table.Properties), err)
	}
	var walk func(path string, s *schema)
	walk = func(path string, s *schema) {
		if s.Items != nil {
			s = s.Items
		}
		for key, below := range s.Properties {
			name := strings.TrimPrefix(path+"."+key, ".")
			_, isUntold := untold[name]
			if _, anywhere := untold[key]; isUntold || anywhere {
				continue
			}
			if !strings.Contains(all.String(), " "+key+": ") && !strings.Contains(all.String(), " "+key+":\n") {
				t.Errorf("no case has the key %s", name)
			}
			walk(name, below)
		}
	}
	walk("", &table)
}
