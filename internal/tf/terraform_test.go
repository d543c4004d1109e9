package tf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	plannedTable = `{"@message":"p","type":"planned_change","change":{"resource":{"addr":"aws_dynamodb_table.orders"},"action":"create"}}` + "\n"
	summaryLine  = `{"@message":"s","type":"change_summary","changes":{"add":1,"change":2,"import":3,"remove":4,"operation":"plan"}}` + "\n"
	startedTable = `{"@message":"Creating...","type":"apply_start","hook":{"resource":{"addr":"aws_dynamodb_table.orders"},"action":"create"}}` + "\n"
)

func TestPlanReadsTheStream(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2, Stdout: `{"type":"version"}` + "\n" +
		`{"@message":"Refreshing","type":"refresh_start","hook":{"resource":{"addr":"aws_iam_role.r"},"id_key":"id","id_value":"r"}}` + "\n" +
		`{"type":"resource_drift","change":{"resource":{"addr":"aws_iam_role.r"},"action":"update"}}` + "\n" +
		plannedTable +
		`{"type":"planned_change","change":{"resource":{"addr":"aws_iam_role.new"},"previous_resource":{"addr":"aws_iam_role.old"},"action":"replace","reason":"cannot_update"}}` + "\n" +
		`{"type":"diagnostic","diagnostic":{"severity":"warning","summary":"Old."}}` + "\n" + summaryLine})
	var events []Event
	tf := f.open(func(o *Options) {
		o.Progress = func(e Event) { events = append(events, e) }
		o.Vars = map[string]string{"b": "2", "a": "x=y z"}
	})
	p, err := tf.Plan(t.Context(), PlanOptions{Destroy: true})
	if err != nil {
		t.Fatal(err)
	}
	want := Plan{
		Changed: true,
		Changes: []ResourceChange{
			{Address: "aws_dynamodb_table.orders", Action: Create},
			{Address: "aws_iam_role.new", Action: Replace, Previous: "aws_iam_role.old", Reason: "cannot_update"},
		},
		Drift:    []ResourceChange{{Address: "aws_iam_role.r", Action: Update}},
		Summary:  Summary{Add: 1, Change: 2, Import: 3, Remove: 4},
		Warnings: []Diagnostic{{Severity: SeverityWarning, Summary: "Old."}},
		File:     tf.path(planFile), Digest: digest([]string{"plan"}),
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	if want := []Event{{Kind: RefreshStart, Address: "aws_iam_role.r", IDKey: "id", ID: "r", Message: "Refreshing"}}; !reflect.DeepEqual(events, want) {
		t.Errorf("events %+v, want %+v", events, want)
	}
	wantCall := "plan -json -input=false -detailed-exitcode -lock-timeout=1m0s -out=" + tf.path(planFile) + " -destroy -var=a=x=y z -var=b=2"
	if got := f.calls(); len(got) != 1 || got[0] != wantCall {
		t.Errorf("called %q, want %q", got, wantCall)
	}
	if tf.Elapsed() <= 0 {
		t.Error("no time was counted")
	}
}

func TestPlanWithoutChanges(t *testing.T) {
	p, err := newFake(t).on("plan", scene{}).open(nil).Plan(t.Context(), PlanOptions{})
	if err != nil || p.Changed {
		t.Errorf("got %+v, %v; want an unchanged plan", p, err)
	}
}

func TestApplyReportsProgress(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2, Stdout: plannedTable}).on("apply", scene{Stdout: startedTable +
		`{"@message":"10s","type":"apply_progress","hook":{"resource":{"addr":"aws_dynamodb_table.orders"},"action":"create","elapsed_seconds":10}}` + "\n" +
		`{"@message":"done","type":"apply_complete","hook":{"resource":{"addr":"aws_dynamodb_table.orders"},"action":"create","id_key":"id","id_value":"orders","elapsed_seconds":12.5}}` + "\n" +
		summaryLine})
	var events []Event
	tf := f.open(func(o *Options) { o.Progress = func(e Event) { events = append(events, e) } })
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := tf.Apply(t.Context(), p)
	if err != nil || sum != (Summary{Add: 1, Change: 2, Import: 3, Remove: 4}) {
		t.Errorf("Apply gives %+v, %v", sum, err)
	}
	const table = "aws_dynamodb_table.orders"
	want := []Event{
		{Kind: ApplyStart, Address: table, Action: Create, Message: "Creating..."},
		{Kind: ApplyProgress, Address: table, Action: Create, Elapsed: 10 * time.Second, Message: "10s"},
		{Kind: ApplyComplete, Address: table, Action: Create, Elapsed: 12500 * time.Millisecond, IDKey: "id", ID: "orders", Message: "done"},
	}
	if !reflect.DeepEqual(events, want) {
		t.Errorf("events %+v, want %+v", events, want)
	}
	if tf.interruptedApply() {
		t.Error("a finished apply counts as interrupted")
	}
}

func TestApplyRefusesAnotherPlan(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2}).on("apply", scene{})
	tf := f.open(nil)
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.File, []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := tf.Apply(t.Context(), p); err == nil || !strings.Contains(err.Error(), "plan again") {
		t.Errorf("Apply gives %v, want a refusal", err)
	}
	if _, err := tf.Apply(t.Context(), Plan{File: p.File}); err == nil {
		t.Error("a plan that Plan did not make is applied")
	}
	if len(f.calls()) != 1 {
		t.Errorf("terraform was called: %q", f.calls())
	}
}

func TestFailures(t *testing.T) {
	tests := []struct {
		name  string
		scene scene
		want  []string
	}{
		{"diagnostics", scene{Code: 1, Stdout: `{"type":"diagnostic","diagnostic":{"severity":"warning","summary":"w"}}` + "\n" +
			`{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Bad\nthing.","detail":"Long\n  detail","address":"aws_x.y","range":{"filename":"m\\a.tf","start":{"line":3,"column":5}}}}` + "\n" +
			`{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Other"}}` + "\n"},
			[]string{"terraform plan: m/a.tf:3:5: aws_x.y: Bad thing: Long detail; Other"}},
		{"lines that are no JSON", scene{Code: 1, Stdout: "panic: oops\n{\"type\":3}\n"}, []string{"exit code 1", "panic: oops", `{"type":3}`}},
		{"a crash", scene{Code: 11, Stderr: "goroutine 1\n"}, []string{"crashed", "goroutine 1"}},
		{"usage", scene{Code: 1, Stderr: "flag provided but not defined\n"}, []string{"exit code 1: flag provided"}},
		{"no newline at the end", scene{Code: 1, Stdout: `{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Cut"}}`}, []string{"terraform plan: Cut"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := newFake(t).on("plan", test.scene).open(nil).Plan(t.Context(), PlanOptions{})
			var failed *Error
			if !errors.As(err, &failed) {
				t.Fatalf("got %v, want an *Error", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 300<<10)
	line := fmt.Sprintf(`{"type":"diagnostic","diagnostic":{"severity":"warning","summary":%q}}`, long) + "\n"
	p, err := newFake(t).on("plan", scene{Stdout: line, Repeat: 20}).open(nil).Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Warnings) != 20 || p.Warnings[19].Summary != long {
		t.Errorf("got %d warnings", len(p.Warnings))
	}
}

func TestBinaryThatDoesNotStart(t *testing.T) {
	tf := newFake(t).open(func(o *Options) { o.Binary.Path = filepath.Join(t.TempDir(), "none") })
	var failed *Error
	if _, err := tf.Plan(t.Context(), PlanOptions{}); !errors.As(err, &failed) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want an *Error about the missing file", err)
	}
}

// started runs an apply of the fake in the background and waits until it hangs.
func started(t *testing.T, f fake, tf *Terraform) (cancel func(), result <-chan error) {
	t.Helper()
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	done := make(chan error, 1)
	go func() { _, err := tf.Apply(ctx, p); done <- err }()
	f.child()
	return stop, done
}

func TestInterruptIsPolite(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2}).on("apply", scene{Stdout: startedTable, Hang: "polite"})
	tf := f.open(nil)
	cancel, done := started(t, f, tf)
	cancel()
	err := <-done
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "good order") {
		t.Errorf("Apply gives %v, want context.Canceled after an orderly stop", err)
	}
	if log, err := os.ReadFile(tf.path(logDir, "apply.jsonl")); err != nil || !strings.Contains(string(log), "stopping") {
		t.Errorf("terraform was not heard to stop: %s (%v)", log, err)
	}
	waitForEnd(t, f.child())
	if !tf.interruptedApply() {
		t.Error("nobody will look for what the interrupt cut off")
	}
}

func TestKillEndsTheGroup(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2}).on("apply", scene{Stdout: startedTable, Hang: "stubborn"})
	tf := f.open(nil)
	cancel, done := started(t, f, tf)
	cancel()
	tf.Kill()
	tf.Kill() // a third Ctrl-C
	if err := <-done; err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Apply gives %v, want that it was killed", err)
	}
	waitForEnd(t, f.child())
	if !tf.interruptedApply() {
		t.Error("a killed apply is forgotten")
	}
	if _, err := tf.Plan(t.Context(), PlanOptions{}); !errors.Is(err, errKilled) {
		t.Errorf("a command after Kill gives %v", err)
	}
	if _, err := tf.Output(t.Context()); !errors.Is(err, errKilled) {
		t.Errorf("a reading command after Kill gives %v", err)
	}
}

func TestGraceEnds(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2}).on("apply", scene{Hang: "stubborn"})
	cancel, done := started(t, f, f.open(func(o *Options) { o.Grace = time.Millisecond }))
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Apply gives %v", err)
	}
	waitForEnd(t, f.child())
}

func TestCancelledBeforeTheStart(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.open(nil).Plan(ctx, PlanOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := f.calls(); !slices.Equal(got, []string{""}) {
		t.Errorf("terraform was called: %q", got)
	}
}

func TestOpenNamesWhatIsMissing(t *testing.T) {
	if _, err := Open(Options{Binary: Binary{Path: "x"}, Source: "a", WorkDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "Env") {
		t.Errorf("got %v", err)
	}
	if _, err := Open(Options{Binary: Binary{Path: "x"}, WorkDir: "b", Env: map[string]string{}}); err == nil || !strings.Contains(err.Error(), "Source") {
		t.Errorf("got %v", err)
	}
}

func TestTerraformSeesTheEnvironmentAlone(t *testing.T) {
	t.Setenv("TF_VAR_leak", "1")
	tf := newFake(t).open(func(o *Options) { o.Env = map[string]string{"B": "2", "A": "1"} })
	if got, want := tf.environ(), []string{"A=1", "B=2", "TF_IN_AUTOMATION=1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
