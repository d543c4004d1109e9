package diag_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/diag"
)

func sample() diag.Findings {
	var fs diag.Findings
	fs.Warn("late", diag.Position{File: "gen.yaml", Line: 9, Column: 1}, "a warning", "")
	fs.Add("unknown-key", diag.Position{File: "gen.yaml", Line: 2, Column: 3}, `unknown key "hashkey"`, "Did you mean hash_key?")
	fs.Add("unknown-key", diag.Position{File: "gen.yaml", Line: 2, Column: 3}, `unknown key "hashkey"`, "Did you mean hash_key?")
	fs.Add("empty", diag.Position{File: "gen.yaml"}, "the file is empty", "")
	return fs
}

func TestSortedIsOrderedAndUnique(t *testing.T) {
	var got []string
	for _, f := range sample().Sorted() {
		got = append(got, f.Error())
	}
	want := []string{"gen.yaml: the file is empty", `gen.yaml:2:3: unknown key "hashkey"`, "gen.yaml:9:1: a warning"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestFailed(t *testing.T) {
	var fs diag.Findings
	if fs.Failed() {
		t.Error("no findings must not fail")
	}
	fs.Warn("w", diag.Position{}, "warned", "")
	if fs.Failed() {
		t.Error("a warning must not fail")
	}
	fs.Add("e", diag.Position{}, "wrong", "")
	if !fs.Failed() {
		t.Error("an error must fail")
	}
}

func TestWriteText(t *testing.T) {
	source := "tables:\n\tö\thashkey: Id\n"
	var fs diag.Findings
	fs.Add("tab", diag.Position{File: "gen.yaml", Line: 2, Column: 4}, "wrong", "Use spaces.\nTwo of them.")
	fs.Add("gone", diag.Position{File: "gen.yaml", Line: 99, Column: 4}, "past the end", "")
	fs.Add("nowhere", diag.Position{}, "no place", "")
	var b strings.Builder
	err := diag.WriteText(&b, fs, diag.TextOptions{Sources: func(file string) ([]byte, bool) {
		return []byte(source), file == "gen.yaml"
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := `error: no place [nowhere]
gen.yaml:2:4: error: wrong [tab]
  |   ö  hashkey: Id
  |      ^
  Use spaces.
  Two of them.
gen.yaml:99:4: error: past the end [gone]
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// Both C1 control characters and marks that turn the direction of text change what a terminal shows.
func TestExcerptIsHarmlessToATerminal(t *testing.T) {
	var fs diag.Findings
	fs.Add("x", diag.Position{File: "gen.yaml", Line: 1, Column: 7}, "wrong", "")
	var b strings.Builder
	err := diag.WriteText(&b, fs, diag.TextOptions{Sources: func(string) ([]byte, bool) {
		return []byte("a\u009b2Jb\u202ec\x1b\x7f\n"), true
	}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "gen.yaml:1:7: error: wrong [x]\n  | a�2Jb�c��\n  |       ^\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestWriteTextColorsOnlyWhenAsked(t *testing.T) {
	var plain, colored strings.Builder
	if err := diag.WriteText(&plain, sample(), diag.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := diag.WriteText(&colored, sample(), diag.TextOptions{Color: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") || !strings.Contains(colored.String(), "\x1b[31merror") {
		t.Errorf("plain %q, colored %q", plain.String(), colored.String())
	}
}

func TestWriteJSON(t *testing.T) {
	var b strings.Builder
	if err := diag.WriteJSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var back diag.Findings
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample().Sorted(), back); d != "" {
		t.Error(d)
	}
	b.Reset()
	if err := diag.WriteJSON(&b, nil); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("no findings: %q, %v", b.String(), err)
	}
}

func TestWriteAnnotationsEscapes(t *testing.T) {
	var fs diag.Findings
	fs.Add("a,b", diag.Position{File: "dir/ge:n.yaml", Line: 3, Column: 7}, "100% wrong", "next\nline")
	var b strings.Builder
	if err := diag.WriteAnnotations(&b, fs); err != nil {
		t.Fatal(err)
	}
	want := "::error file=dir/ge%3An.yaml,line=3,col=7,title=a%2Cb::100%25 wrong%0Anext%0Aline\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
