package spec_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

var update = flag.Bool("update", false, "rewrite the expected files of the case folders")

// cases gives the case folders of a kind, "good" or "bad".
func cases(t *testing.T, kind string) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no case folders for %s: %v", kind, err)
	}
	return dirs
}

func read(t *testing.T, elem ...string) []byte {
	t.Helper()
	out, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// golden compares got with the file, or rewrites the file.
func golden(t *testing.T, got []byte, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(read(t, path)), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func render(findings diag.Findings) []byte {
	var out strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&out, "%s: %s: %s [%s]\n", f.Pos, f.Severity, f.Summary, f.Code)
		fmt.Fprintf(&out, "    %s\n", f.Detail)
	}
	return []byte(out.String())
}

func TestBad(t *testing.T) {
	for _, dir := range cases(t, "bad") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			src := read(t, dir, "gen.yaml")
			s, findings := spec.Load("gen.yaml", src)
			if s != nil || !findings.Failed() {
				t.Errorf("the spec loads; findings:\n%s", render(findings))
			}
			checkFindings(t, src, findings)
			got := render(findings)
			if bytes.Contains(got, []byte("%!")) {
				t.Errorf("a broken format:\n%s", got)
			}
			golden(t, got, dir, "want.txt")
		})
	}
}

func TestGood(t *testing.T) {
	for _, dir := range cases(t, "good") {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			src := read(t, dir, "gen.yaml")
			s, findings := spec.Load("gen.yaml", src)
			if s == nil {
				t.Fatalf("the spec does not load:\n%s", render(findings))
			}
			checkFindings(t, src, findings)
			checkOrigins(t, src, s)
			got, err := json.MarshalIndent(struct {
				Spec     *spec.Spec
				Findings diag.Findings `json:",omitempty"`
			}{s, findings}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, append(got, '\n'), dir, "want.json")
		})
	}
}

var fullStop = regexp.MustCompile(`[a-z]\.$`)

// checkFindings holds every finding to what a caller may count on.
func checkFindings(t *testing.T, src []byte, findings diag.Findings) {
	t.Helper()
	known := map[string]bool{}
	for _, r := range spec.Rules() {
		known[r.Code] = true
	}
	lines := strings.Split(string(src), "\n")
	for _, f := range findings {
		if !known[f.Code] {
			t.Errorf("the code %q is not among the rules", f.Code)
		}
		if f.Summary == "" || f.Detail == "" || fullStop.MatchString(f.Summary) || !strings.HasSuffix(f.Detail, ".") &&
			!strings.HasSuffix(f.Detail, "?") {
			t.Errorf("not a sentence and a way out: %q, %q", f.Summary, f.Detail)
		}
		if len(f.Summary) > 1000 || strings.Contains(f.Summary+f.Detail, "\n") {
			t.Errorf("a summary that does not fit a line: %.100q", f.Summary)
		}
		if f.Pos.File != "gen.yaml" || f.Pos.Line < 1 || f.Pos.Line > len(lines) || f.Pos.Column < 1 ||
			f.Pos.Column > utf8.RuneCountInString(lines[f.Pos.Line-1])+1 {
			t.Errorf("the position %v is not in the file (%s)", f.Pos, f.Code)
		}
	}
}

// checkOrigins holds every noted position to the text that stands there.
func checkOrigins(t *testing.T, src []byte, s *spec.Spec) {
	t.Helper()
	lines := strings.Split(string(src), "\n")
	check := func(key string, pos diag.Position) {
		t.Helper()
		rest := string([]rune(lines[pos.Line-1])[pos.Column-1:])
		if !strings.HasPrefix(rest, key) && !strings.HasPrefix(rest, `"`) && !strings.HasPrefix(rest, `'`) {
			t.Errorf("%s: the key %q does not stand at %q", pos, key, rest)
		}
	}
	keys := func(m map[string]diag.Position) {
		t.Helper()
		for key, pos := range m {
			check(key[strings.LastIndex(key, ".")+1:], pos)
		}
	}
	keys(s.Origin.Keys)
	for _, table := range s.Tables {
		check(table.Name, table.Origin.Pos)
		keys(table.Origin.Keys)
		for _, a := range table.Attributes {
			check(a.Name, a.Pos)
		}
		for _, g := range table.GlobalSecondaryIndexes {
			keys(g.Keys)
		}
	}
	for _, h := range s.Handlers {
		check(h.Name, h.Origin.Pos)
		keys(h.Origin.Keys)
	}
}

// TestBounded holds Load to files that are made to be slow or deep.
func TestBounded(t *testing.T) {
	keys := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	nested := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return b.String()
	}
	tests := map[string]struct{ src, code string }{
		"over 8 MiB":         {strings.Repeat("#", 8<<20+1), "file-too-large"},
		"keys":               {keys(20_000, "a%d: b\n"), "file-too-large"},
		"keys at the limit":  {keys(5_000, "a%d: b\n"), "unknown-key"},
		"flow keys":          {"{" + keys(5_000, "a%d: b, ") + "}", "unknown-key"},
		"tables":             {"version: 1\nproject: p\nregion: us-east-1\ntables:\n" + keys(4_990, "  t%d:\n"), "missing-value"},
		"lists in lists":     {"a: " + strings.Repeat("[", 1<<15), "too-deep"},
		"maps in maps":       {"a: " + strings.Repeat("{a: ", 1<<15), "too-deep"},
		"dashes":             {strings.Repeat("- ", 1<<15), "too-deep"},
		"questions":          {strings.Repeat("? ", 1<<15), "too-deep"},
		"indented maps":      {nested(1400), "unknown-key"},
		"items":              {"tables:\n" + strings.Repeat("- a\n", 1<<15), "wrong-type"},
		"tabs in quotes":     {"a: \"" + strings.Repeat("\tx", 1<<15) + "\"", "tab-character"},
		"backslashes":        {"a: \"" + strings.Repeat(`\\`, 1<<15) + "\"", "unknown-key"},
		"long plain text":    {"a: " + strings.Repeat("x ", 1<<15), "unknown-key"},
		"many lines of text": {"a:\n" + strings.Repeat("  x\n", 1<<15), "unknown-key"},
		"block text":         {"a: |\n" + strings.Repeat("  x\n", 1<<15), "unknown-key"},
		"comments":           {strings.Repeat("#\n", 1<<15) + "a: b", "unknown-key"},
		"empty lines":        {"a: b" + strings.Repeat("\n", 1<<15), "unknown-key"},
		"anchors":            {strings.Repeat("&a ", 1<<15), "yaml-anchor"},
		"aliases":            {"a: [" + strings.Repeat("*a, ", 1<<15) + "]", "yaml-anchor"},
		"tags":               {strings.Repeat("! ", 1<<15), "yaml-tag"},
		"documents":          {"a: b\n" + strings.Repeat("---\n", 1<<15), "several-documents"},
		"quotes":             {strings.Repeat("'' ", 1<<15), "yaml-syntax"},
		"colons":             {strings.Repeat(": ", 1<<15), "file-too-large"},
		"commas":             {"a: [" + strings.Repeat(",", 1<<15), "yaml-syntax"},
		"percent":            {strings.Repeat("%a\n", 1<<15), "yaml-directive"},
		"pipes":              {strings.Repeat("|\n", 1<<15), "yaml-syntax"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			s, findings := spec.Load("gen.yaml", []byte(test.src))
			if s != nil || !findings.Failed() {
				t.Fatal("the file loads")
			}
			if took := time.Since(start); took > time.Minute { // without bounds it would be many; a busy machine takes some of it
				t.Errorf("took %v", took)
			}
			for _, f := range findings {
				if f.Code == test.code {
					return
				}
			}
			t.Errorf("no finding %s, but %.300s", test.code, render(findings))
		})
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*/gen.yaml", "testdata/bad/*/gen.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			src, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s, findings := spec.Load("gen.yaml", src)
		if (s == nil) != findings.Failed() {
			t.Errorf("spec %v with findings\n%s", s, render(findings))
		}
		checkFindings(t, src, findings)
		if s != nil {
			checkOrigins(t, src, s)
		}
	})
}
