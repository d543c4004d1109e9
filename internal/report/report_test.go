package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/report"
	"streamgen/internal/tf"
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

func TestPlanTextPutsTheWorstFirst(t *testing.T) {
	changes := []tf.ResourceChange{
		{Address: "aws_lambda_function.b", Action: tf.Create},
		{Address: "aws_lambda_function.a", Action: tf.Create},
		{Address: "aws_dynamodb_table.t", Action: tf.Replace, Reason: "cannot_update"},
		{Address: "aws_iam_role.r", Action: tf.Delete},
		{Address: "aws_iam_role.s", Action: tf.Update},
		{Address: "aws_sqs_queue.kept", Action: tf.Forget},
		{Address: "aws_iam_role.same", Action: tf.NoOp},
	}
	run := report.RunOf("local", tf.Plan{Changes: changes, Changed: true, Drift: changes[4:5]})
	var b strings.Builder
	if err := run.PlanText(&b); err != nil {
		t.Fatal(err)
	}
	want := `changed outside of terraform: aws_iam_role.s (update)
delete   aws_iam_role.r
replace  aws_dynamodb_table.t  (cannot update)
forget   aws_sqs_queue.kept
update   aws_iam_role.s
create   aws_lambda_function.a
create   aws_lambda_function.b
plan: 2 to add, 1 to change, 1 to replace, 1 to remove
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
	b.Reset()
	if err := (report.Run{Changed: true}).PlanText(&b); err != nil || b.String() != "plan: only outputs change\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	b.Reset()
	if err := (report.Run{}).PlanText(&b); err != nil || b.String() != "no changes\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestTimingAddsUp(t *testing.T) {
	got := report.TimingOf(10*time.Second, 7*time.Second, 2*time.Second)
	if got.Own != 1 || got.String() != "10.0s: terraform 7.0s, go 2.0s, gen 1.0s" {
		t.Errorf("%+v: %s", got, got)
	}
}
