package report_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/judge"
	"streamgen/internal/report"
	"streamgen/internal/tree"
)

func TestFilesText(t *testing.T) {
	dir := t.TempDir()
	first := tree.Tree{
		{Path: "generated/a.tf", Data: []byte("a"), Origin: "tables.a"},
		{Path: "generated/b.tf", Data: []byte("b")},
		{Path: "generated/c.tf", Data: []byte("c")},
		{Path: "handlers/h/handler.go", Data: []byte("h"), Once: true, Origin: "handlers.h"},
	}
	changes, err := tree.Compare(dir, first, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Write(dir, changes, tree.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "generated", "b.tf"), []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := tree.Tree{
		{Path: "generated/b.tf", Data: []byte("b2")},
		{Path: "generated/c.tf", Data: []byte("c2")},
		{Path: "generated/d.tf", Data: []byte("d")},
	}
	if changes, err = tree.Compare(dir, second, nil); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := report.FilesOf(changes).Text(&b); err != nil {
		t.Fatal(err)
	}
	want := `remove  generated/a.tf
edited  generated/b.tf  (generated, but edited since)
update  generated/c.tf
create  generated/d.tf
keep    handlers/h/handler.go  (yours: handlers.h is gone from the spec, the file stays; delete it when you like)
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// Each class has a line of its own, and what is up to date has none.
func TestCheckText(t *testing.T) {
	dir := t.TempDir()
	write := func(files tree.Tree) tree.Changes {
		t.Helper()
		changes, err := tree.Compare(dir, files, nil)
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	first := tree.Tree{
		{Path: "a.tf", Data: []byte("a"), Template: "1"}, {Path: "b.tf", Data: []byte("b"), Template: "1"}, {Path: "c.tf", Data: []byte("c"), Template: "1"},
		{Path: "d.tf", Data: []byte("d"), Template: "1"}, {Path: "e.tf", Data: []byte("e"), Template: "1"}, {Path: "f.tf", Data: []byte("f")},
	}
	if err := tree.Write(dir, write(first), tree.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a.tf")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b.tf"), []byte("edited"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := tree.Tree{
		first[0], first[1], {Path: "c.tf", Data: []byte("c2"), Template: "1"}, {Path: "d.tf", Data: []byte("d2"), Template: "2"},
		{Path: "e.tf", Data: []byte("e"), Template: "2"},
	}
	var b strings.Builder
	if err := report.FilesOf(write(second)).CheckText(&b); err != nil {
		t.Fatal(err)
	}
	const want = "missing          a.tf\nedited           b.tf\nstale            c.tf\ntemplate-changed d.tf\nstale            f.tf  (nothing in the spec needs it)\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// What --check complains about must be visible, a manifest that is not up to date too.
func TestStaleLockIsNamed(t *testing.T) {
	dir := t.TempDir()
	want := tree.Tree{{Path: "generated/a.tf", Data: []byte("a")}}
	changes, err := tree.Compare(dir, want, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tree.Write(dir, changes, tree.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, tree.LockFile)); err != nil {
		t.Fatal(err)
	}
	if changes, err = tree.Compare(dir, want, nil); err != nil {
		t.Fatal(err)
	}
	got := report.FilesOf(changes)
	if d := cmp.Diff([]report.File{{Path: tree.LockFile, Change: tree.Update, Class: tree.Stale}}, got.Files); d != "" || !changes.Pending() {
		t.Errorf("pending %v, %s", changes.Pending(), d)
	}
}

func TestPlanText(t *testing.T) {
	since := time.Date(2026, 11, 25, 10, 0, 0, 0, time.Local)
	lost := since.Add(24 * time.Hour)
	found := judge.Judgement{
		Findings: []judge.Finding{
			{Class: judge.Data, Action: judge.Delete, Address: "aws_dynamodb_table.t", Name: "table.t", Guard: "table.t", Summary: "deletes the table"},
		},
		Counts: judge.Counts{Destroy: 1},
	}
	for name, c := range map[string]struct {
		run  report.Run
		want string
	}{
		"no changes": {report.Run{}, "no changes\n"},
		"judged": {
			report.Run{Changed: true, Judgement: found, Tables: []report.Table{{Name: "t", Items: 3, Bytes: 120}, {Name: "u", Items: -1}}},
			`table t: about 3 items, 120 bytes
table u: nobody can say how many items
data     delete   table.t: deletes the table
  to let it happen: --allow-destroy table.t
plan: 0 to add, 0 to change, 1 to destroy; 0 unchanged
`,
		},
		"allowed": {
			report.Run{Changed: true, Judgement: found, Allowed: map[string]bool{"table.t": true}},
			"data     delete   table.t: deletes the table\nplan: 0 to add, 0 to change, 1 to destroy; 0 unchanged\n",
		},
		"first step of a stream": {
			report.Run{Streams: []report.Stream{{Table: "t", Mapping: "m", Step: 1, Waits: "the table gets its new stream first"}}},
			`stream of table t: in two steps, so that no record is lost
  1. now: the table gets its new stream first
  2. 'gen apply' again, once the old stream is read to its end and within 24 hours: m moves to the new one, from its beginning
  to do both at once and lose what is not read yet: --allow-destroy stream.t
no changes
`,
		},
		"second step, not due": {
			report.Run{Streams: []report.Stream{{Table: "t", Mapping: "m", Step: 2, Waits: "the handler fails", Due: &since, LostAfter: &lost}}},
			`stream of table t: step 2 of 2 is not due, m stays: the handler fails
  do it with 'gen apply' before 2026-11-26 10:00:00, when the new stream begins to lose records
no changes
`,
		},
		"second step": {
			report.Run{Streams: []report.Stream{{Table: "t", Mapping: "m", Step: 2, Due: &since, LostAfter: &lost}}},
			"stream of table t: step 2 of 2, m moves to the new one\nno changes\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := c.run.PlanText(&b, false); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, b.String()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDoneText(t *testing.T) {
	run := report.Run{
		Judgement: judge.Judgement{Counts: judge.Counts{Add: 2, Replace: 1}},
		Streams:   []report.Stream{{Table: "t", Mapping: "m", Step: 1, Waits: "x"}, {Table: "u", Mapping: "n", Step: 2}},
		Outputs: map[string]json.RawMessage{
			"tables": json.RawMessage(`{"b": {"name": "b", "ids": [1, 2]}, "a": {"name": null}}`), "region": json.RawMessage(`"eu-west-1"`), "none": json.RawMessage(`{}`),
		},
	}
	var b strings.Builder
	if err := run.DoneText(&b, "apply"); err != nil {
		t.Fatal(err)
	}
	want := `apply complete: 2 added, 0 changed, 1 replaced, 0 removed
stream of table t: m still reads the old stream; 'gen apply' moves it to the new one
region = eu-west-1
tables.a.name = null
tables.b.ids = [1, 2]
tables.b.name = b
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

func TestTimingAddsUp(t *testing.T) {
	got := report.TimingOf(10*time.Second, 7*time.Second, 2*time.Second)
	if got.Own != 1 || got.String() != "10.0s: terraform 7.0s, go 2.0s, gen 1.0s" {
		t.Errorf("%+v: %s", got, got)
	}
}

// Each stack has a section, or a line where there is nothing more to say; in JSON its run stands beside its name.
func TestStacks(t *testing.T) {
	run := report.Run{Environment: "prod", Judgement: judge.Judgement{Findings: []judge.Finding{}}}
	s := report.Stacks{Environment: "prod", Stacks: []report.StackRun{
		{Stack: "main", Status: report.StackApplied, Run: &run},
		{Stack: "billing", Status: report.StackUnchanged, Reason: "unchanged since the last apply"},
		{Stack: "paper", Status: report.StackNotBegun},
		{Stack: "shop", Status: report.StackPlanned, Reason: "with a word before", Run: &run},
	}}
	var b strings.Builder
	if err := s.Text(&b, func(r report.Run, w io.Writer) error { return r.DoneText(w, "apply") }); err != nil {
		t.Fatal(err)
	}
	want := `stack main:
apply complete: 0 added, 0 changed, 0 removed
stack billing: unchanged since the last apply
stack paper: not begun
stack shop:
with a word before
apply complete: 0 added, 0 changed, 0 removed
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Stacks []map[string]any }
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	first, second := got.Stacks[0], got.Stacks[1]
	if first["stack"] != "main" || first["status"] != "applied" || first["findings"] == nil || first["changed"] != false {
		t.Errorf("the first stack is %v", first)
	}
	if _, planned := second["findings"]; planned || second["reason"] == "" {
		t.Errorf("the second stack is %v", second)
	}
}
