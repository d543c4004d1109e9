package tf

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestDrift(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2, Stdout: `{"type":"resource_drift","change":{"resource":{"addr":"aws_iam_role.r"},"action":"update"}}` + "\n"})
	tf := f.open(nil)
	p, err := tf.Drift(t.Context())
	if err != nil || !slices.Equal(p.Drift, []ResourceChange{{Address: "aws_iam_role.r", Action: Update}}) || len(p.Warnings) != 0 {
		t.Errorf("got %+v, %v", p, err)
	}
	if got := f.calls(); len(got) != 1 || !strings.Contains(got[0], "-refresh-only") {
		t.Errorf("called %q", got)
	}
}

// What an interrupted apply left is told of, and left alone.
func TestDriftAfterAnInterruptedApply(t *testing.T) {
	f := newFake(t).on("plan", scene{})
	tf := f.open(nil)
	writeTree(t, tf.WorkDir, map[string]string{logDir + "/apply.jsonl": startedTable})
	p, err := tf.Drift(t.Context())
	if err != nil || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0].Summary, "interrupted apply") {
		t.Errorf("got %+v, %v", p, err)
	}
	if got := f.calls(); len(got) != 1 {
		t.Errorf("called %q", got)
	}
	if log, err := os.ReadFile(tf.path(logDir, "apply.jsonl")); string(log) != startedTable {
		t.Errorf("the apply's log is %q, %v", log, err)
	}
}
