package tf

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// binariesVar lists the binaries to test with, as a PATH lists folders; without it these are the terraform on the PATH, and OpenTofu where
// it was built or is on the PATH.
const binariesVar = "STREAMGEN_TEST_BINARIES"

// eachBinary runs a test with every binary to test with.
func eachBinary(t *testing.T, test func(t *testing.T, b Binary)) {
	t.Helper()
	installDir, err := InstallDir()
	if err != nil {
		t.Fatal(err)
	}
	var tests []FindOptions
	for _, path := range filepath.SplitList(os.Getenv(binariesVar)) {
		tests = append(tests, FindOptions{Path: path})
	}
	if len(tests) == 0 {
		// Without a folder to install into terraform is not downloaded.
		tests = []FindOptions{{Product: ProductTerraform}, {Product: ProductOpenTofu, InstallDir: installDir}}
	}
	for _, o := range tests {
		b, err := Find(t.Context(), o)
		name := fmt.Sprint(b.Product, " ", b.Version)
		if err != nil {
			name = cmp.Or(o.Path, o.Product.String())
		}
		t.Run(name, func(t *testing.T) {
			if err != nil && o.Path != "" {
				t.Fatal(err)
			}
			if err != nil {
				t.Skip(err)
			}
			test(t, b)
		})
	}
}

// realOptions are for a real terraform and a configuration that needs no provider.
func realOptions(t *testing.T, b Binary, config string) Options {
	t.Helper()
	root := t.TempDir()
	rc := filepath.Join(root, "terraform.rc")
	if err := os.WriteFile(rc, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Binary: b, Source: filepath.Join(root, "generated", "terraform"), WorkDir: filepath.Join(root, ".gen", "local"),
		Env: LocalEnvironment(os.Environ(), "http://127.0.0.1:9", "us-east-1", true, rc), StateFile: "terraform.tfstate",
	}
	writeTree(t, o.Source, map[string]string{"main.tf": config})
	return o
}

func openReal(t *testing.T, o Options) *Terraform {
	t.Helper()
	tf, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := tf.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tf
}

func mustPlan(t *testing.T, tf *Terraform, o PlanOptions) Plan {
	t.Helper()
	p, err := tf.Plan(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustApply(t *testing.T, tf *Terraform, o PlanOptions) Summary {
	t.Helper()
	sum, err := tf.Apply(t.Context(), mustPlan(t, tf, o))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func mustHold(t *testing.T, tf *Terraform, want ...string) {
	t.Helper()
	got, err := tf.Resources(t.Context())
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the state holds %q (%v), want %q", got, err, want)
	}
}

func TestRealRoundTrip(t *testing.T) { eachBinary(t, testRealRoundTrip) }

func testRealRoundTrip(t *testing.T, b Binary) {
	t.Parallel()
	o := realOptions(t, b, `
variable "word" { type = string }
resource "terraform_data" "a" { input = var.word }
resource "terraform_data" "b" { input = terraform_data.a.output }
output "word" { value = terraform_data.b.output }
`)
	o.Vars = map[string]string{"word": `a "b" ${c} $d`}
	var completed []string
	o.Progress = func(e Event) {
		if e.Kind == ApplyComplete {
			completed = append(completed, string(e.Action)+" "+e.Address)
		}
	}
	tf := openReal(t, o)
	if err := os.Remove(tf.path(logDir, "init.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := tf.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tf.path(logDir, "init.jsonl")); !os.IsNotExist(err) {
		t.Error("a second init runs terraform again")
	}
	mustHold(t, tf)

	p := mustPlan(t, tf, PlanOptions{})
	wantChanges := []ResourceChange{{Address: "terraform_data.a", Action: Create}, {Address: "terraform_data.b", Action: Create}}
	if !p.Changed || !reflect.DeepEqual(p.Changes, wantChanges) || p.Summary != (Summary{Add: 2}) {
		t.Errorf("the plan is %+v", p)
	}
	if sum, err := tf.Apply(t.Context(), p); err != nil || sum != (Summary{Add: 2}) {
		t.Errorf("Apply gives %+v, %v", sum, err)
	}
	if want := []string{"create terraform_data.a", "create terraform_data.b"}; !slices.Equal(completed, want) {
		t.Errorf("completed %q, want %q", completed, want)
	}
	outputs, err := tf.Output(t.Context())
	var word string
	if err != nil || json.Unmarshal(outputs["word"].Value, &word) != nil || word != o.Vars["word"] {
		t.Errorf("the outputs are %v (%v)", outputs, err)
	}
	mustHold(t, tf, "terraform_data.a", "terraform_data.b")
	if p := mustPlan(t, tf, PlanOptions{}); p.Changed || len(p.Changes) != 0 {
		t.Errorf("the second plan has changes: %+v", p)
	}
	if _, err := tf.Apply(t.Context(), p); err == nil {
		t.Error("a plan is applied twice")
	}
	if sum := mustApply(t, tf, PlanOptions{Destroy: true}); sum != (Summary{Remove: 2}) {
		t.Errorf("the destroy gives %+v", sum)
	}
	mustHold(t, tf)
	for name := range treeOf(t, tf.Source) {
		if name != "main.tf" {
			t.Errorf("terraform left %s in the source", name)
		}
	}
}

// TestRealChanges has what generated configurations use beyond resources: removed, moved and import blocks, targets.
func TestRealChanges(t *testing.T) { t.Parallel(); eachBinary(t, testRealChanges) }

func testRealChanges(t *testing.T, b Binary) {
	t.Parallel()
	tf := openReal(t, realOptions(t, b, `
resource "terraform_data" "dropped" {}
resource "terraform_data" "old" {}
`))
	mustApply(t, tf, PlanOptions{})
	writeTree(t, tf.Source, map[string]string{"main.tf": `
resource "terraform_data" "new" {}
resource "terraform_data" "imported" {}
resource "terraform_data" "other" {}
removed {
  from = terraform_data.dropped
  lifecycle { destroy = false }
}
moved {
  from = terraform_data.old
  to   = terraform_data.new
}
import {
  to = terraform_data.imported
  id = "7e40b18b-8fdf-5c95-e231-64e8e5af07e6"
}
`})
	tf = openReal(t, tf.Options)
	p := mustPlan(t, tf, PlanOptions{})
	want := []ResourceChange{
		{Address: "terraform_data.dropped", Action: Forget, Reason: "delete_because_no_resource_config"},
		{Address: "terraform_data.imported", Action: Import},
		{Address: "terraform_data.new", Action: Move, Previous: "terraform_data.old"},
		{Address: "terraform_data.other", Action: Create},
	}
	slices.SortFunc(p.Changes, func(a, b ResourceChange) int { return strings.Compare(a.Address, b.Address) })
	if !reflect.DeepEqual(p.Changes, want) || p.Summary != (Summary{Add: 1, Import: 1}) || len(p.Warnings) != 0 {
		t.Errorf("the plan is %+v", p)
	}
	shown, err := tf.Show(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range shown.ResourceChanges {
		if c.Address == "terraform_data.dropped" && !c.Change.Actions.Forget() {
			t.Errorf("what is forgotten has the actions %v", c.Change.Actions)
		}
	}
	mustApply(t, tf, PlanOptions{Out: tf.path("another.tfplan")})
	mustHold(t, tf, "terraform_data.imported", "terraform_data.new", "terraform_data.other")
	if _, err := tf.Apply(t.Context(), p); err == nil || !strings.Contains(err.Error(), "Saved plan is stale") {
		t.Errorf("the plan that another one has overtaken: %v", err)
	}
	if p := mustPlan(t, tf, PlanOptions{Destroy: true, Targets: []string{"terraform_data.other"}}); len(p.Changes) != 1 || len(p.Warnings) != 0 {
		t.Errorf("the plan of a target is %+v", p)
	}
}

func TestRealDiagnostics(t *testing.T) { eachBinary(t, testRealDiagnostics) }

func testRealDiagnostics(t *testing.T, b Binary) {
	t.Parallel()
	o := realOptions(t, b, "resource \"terraform_data\" \"a\" {\n  input = terraform_data.b.output\n}\n\nresource \"terraform_data\" \"c\" {\n  colour = 1\n}\n")
	_, err := openReal(t, o).Plan(t.Context(), PlanOptions{})
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	var got []Diagnostic
	for _, d := range failed.Diagnostics {
		got = append(got, Diagnostic{File: d.File, Line: d.Line, Column: d.Column, Argument: d.Argument, Block: d.Block})
	}
	want := []Diagnostic{
		{File: "main.tf", Line: 2, Column: 11, Argument: "input", Block: `resource "terraform_data" "a"`},
		{File: "main.tf", Line: 6, Column: 3, Argument: "colour", Block: `resource "terraform_data" "c"`},
	}
	slices.SortFunc(got, func(a, b Diagnostic) int { return a.Line - b.Line })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// slowConfig creates a at once and then b, which writes its process id and takes ten minutes.
func slowConfig(pidFile string) string {
	return `
resource "terraform_data" "a" {}
resource "terraform_data" "b" {
  depends_on = [terraform_data.a]
  provisioner "local-exec" { command = "echo $$ > '` + pidFile + `'; exec sleep 600" }
}
`
}

// quickConfig is the same without the wait.
const quickConfig = `
resource "terraform_data" "a" {}
resource "terraform_data" "b" { depends_on = [terraform_data.a] }
`

func openSlow(t *testing.T, b Binary) (tf *Terraform, pidFile string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the provisioner is a shell command")
	}
	pidFile = filepath.Join(t.TempDir(), "pid")
	return openReal(t, realOptions(t, b, slowConfig(pidFile))), pidFile
}

// finish applies the configuration without the wait and checks that everything is well.
func finish(t *testing.T, tf *Terraform) {
	t.Helper()
	writeTree(t, tf.Source, map[string]string{"main.tf": quickConfig})
	o := tf.Options
	o.LockTimeout = 30 * time.Second
	again := openReal(t, o)
	mustApply(t, again, PlanOptions{})
	mustHold(t, again, "terraform_data.a", "terraform_data.b")
	if p := mustPlan(t, again, PlanOptions{}); p.Changed {
		t.Errorf("it does not converge: %+v", p)
	}
	if again.interruptedApply() {
		t.Error("the case of the interrupted apply is not closed")
	}
}

func TestRealInterrupt(t *testing.T) { eachBinary(t, testRealInterrupt) }

func testRealInterrupt(t *testing.T, b Binary) {
	t.Parallel()
	tf, pidFile := openSlow(t, b)
	p := mustPlan(t, tf, PlanOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { _, err := tf.Apply(ctx, p); done <- err }()
	pid := waitForText(t, pidFile)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "good order") {
		t.Errorf("Apply gives %v, want context.Canceled after an orderly stop", err)
	}
	waitForEnd(t, pid)
	if !tf.interruptedApply() {
		t.Error("nobody will look for what the interrupt cut off")
	}
	// b was created, though not provisioned: the state knows it.
	mustHold(t, tf, "terraform_data.a", "terraform_data.b")
	if _, err := os.Stat(tf.path(".terraform.tfstate.lock.info")); !os.IsNotExist(err) {
		t.Errorf("the state stays locked: %v", err)
	}
	finish(t, tf)
}

func TestRealKill(t *testing.T) { eachBinary(t, testRealKill) }

func testRealKill(t *testing.T, b Binary) {
	t.Parallel()
	tf, pidFile := openSlow(t, b)
	p := mustPlan(t, tf, PlanOptions{})
	done := make(chan error, 1)
	go func() { _, err := tf.Apply(t.Context(), p); done <- err }()
	pid := waitForText(t, pidFile)
	tf.Kill()
	if err := <-done; !errors.Is(err, errKilled) {
		t.Errorf("Apply gives %v", err)
	}
	waitForEnd(t, pid)
	if begun, err := tf.begun(); err != nil || !slices.Contains(begun, "terraform_data.b") {
		t.Errorf("the killed apply had begun %v (%v)", begun, err)
	}
	finish(t, tf)
}

// TestRealParentKilled kills the process that drives terraform: what that does to a user's apply.
func TestRealParentKilled(t *testing.T) { eachBinary(t, testRealParentKilled) }

func testRealParentKilled(t *testing.T, b Binary) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux interrupts terraform when its parent dies; elsewhere it goes on for ten minutes here")
	}
	tf, pidFile := openSlow(t, b)
	driver := startDriver(t, tf.Options)
	pid := waitForText(t, pidFile)
	if err := driver.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = driver.Wait() // it was killed
	waitForEnd(t, pid)
	if !tf.interruptedApply() {
		t.Error("nobody could have noted the end of the apply, and yet it is noted")
	}
	// Nobody told terraform to wait for a lock: whoever comes next waits for it.
	finish(t, tf)
	// The killed apply ended in good order, so it lost nothing.
	if p := mustPlan(t, tf, PlanOptions{}); len(p.Recovered) != 0 {
		t.Errorf("recovered %v", p.Recovered)
	}
}
