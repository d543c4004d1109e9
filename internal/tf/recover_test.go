package tf

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// lines are messages of terraform, one per address.
func lines(kind, action string, addresses ...string) string {
	var b strings.Builder
	for _, a := range addresses {
		part := "hook"
		if kind == "planned_change" {
			part = "change"
		}
		fmt.Fprintf(&b, `{"type":%q,%q:{"resource":{"addr":%q},"action":%q}}`+"\n", kind, part, a, action)
	}
	return b.String()
}

// shown is the plan as terraform show gives it.
func shown(t *testing.T, ids map[string][2]string) string {
	t.Helper()
	type m = map[string]any
	var changes []m
	for address, id := range ids {
		changes = append(changes, m{"address": address, "type": resourceType(address), "mode": "managed",
			"change": m{"actions": []string{"create"}, "after": m{id[0]: id[1]}}})
	}
	data, err := json.Marshal(m{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes})
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// verbs are the calls of the fake without their options.
func (f fake) verbs() []string {
	var verbs []string
	for _, call := range f.calls() {
		var words []string
		for word := range strings.FieldsSeq(call) {
			if !strings.HasPrefix(word, "-") || word == "-destroy" {
				words = append(words, word)
			}
		}
		if words[0] == "show" || words[0] == "apply" {
			words = words[:1] // the plan's path
		}
		if words[0] != "version" {
			verbs = append(verbs, strings.Join(words, " "))
		}
	}
	return verbs
}

const (
	table    = "aws_dynamodb_table.orders"
	role     = `module.m["a.b"].aws_iam_role.r["x"]`
	function = "aws_lambda_function.f"
	group    = "aws_cloudwatch_log_group.g"
	mapping  = "aws_lambda_event_source_mapping.m"
	policy   = "aws_iam_role_policy.p"
	uuid     = "01234567-89ab-cdef-0123-456789abcdef"
)

var (
	versionScene = scene{Stdout: `{"terraform_version":"1.11.4"}`}
	notThere     = scene{Code: 1, Stderr: "Error: Cannot import non-existent remote object\n\nWhile attempting to import ...\n"}
	conflict     = scene{Code: 1, Stdout: fmt.Sprintf(`{"type":"diagnostic","diagnostic":{"severity":"error","address":%q,"summary":`+
		`"creating Lambda Event Source Mapping (arn:aws:dynamodb:x): operation error Lambda: CreateEventSourceMapping, https response error StatusCode: 409, `+
		`ResourceConflictException: The event source arn (\" arn \") and function (\" f \") provided mapping already exists. Please update or delete the existing mapping with UUID %s"}}`+"\n", mapping, uuid)}
)

// killedApply leaves what an apply leaves that was killed while it created these.
func killedApply(t *testing.T, tf *Terraform, log string) {
	t.Helper()
	if err := os.WriteFile(tf.path(logDir, "apply.jsonl"), []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPlanReclaimsWhatAKilledApplyCreated(t *testing.T) {
	log := lines("apply_start", "create", group, table, role, function, mapping, policy) +
		lines("apply_complete", "create", group) + lines("apply_start", "update", "aws_iam_role.old") + `{"type":"apply_st`
	planned := lines("planned_change", "create", table, role, function, mapping, policy, "aws_dynamodb_table.new")
	f := newFake(t).
		on("version", versionScene).
		on("plan", scene{Code: 2, Stdout: planned}, scene{Code: 2, Stdout: lines("planned_change", "create", mapping)}).
		on("show", scene{Stdout: shown(t, map[string][2]string{table: {"name", "orders"}, role: {"name", "r"}, function: {"function_name", "f"}, policy: {"name", "p"}})}).
		on("refresh", scene{}).
		on("import", scene{}, notThere, scene{})
	tf := f.open(func(o *Options) { o.Vars = map[string]string{"v": "1"} })
	killedApply(t, tf, log)
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{table, role}; !slices.Equal(p.Recovered, want) {
		t.Errorf("recovered %v, want %v", p.Recovered, want)
	}
	if len(p.Changes) != 1 || p.Changes[0].Address != mapping {
		t.Errorf("the plan is the one from before the recovery: %+v", p.Changes)
	}
	want := []string{"plan", "show", "refresh", "import " + table + " orders", "import " + function + " f", "import " + role + " r", "plan"}
	if got := f.verbs(); !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
	if call := f.calls()[4]; !strings.Contains(call, "-input=false") || !strings.Contains(call, "-var=v=1") {
		t.Errorf("import was called as %q", call)
	}
	if !tf.interruptedApply() {
		t.Error("the mapping, whose id is not known, is forgotten")
	}

	// The mapping turns up when it is created again.
	f.on("apply", conflict, scene{}).on("import", scene{}).on("plan", scene{Code: 2})
	reviewed := 0
	_, err = tf.ApplyConverging(t.Context(), p, PlanOptions{}, func(next Plan) error {
		reviewed++
		if !slices.Equal(next.Recovered, []string{mapping}) {
			t.Errorf("the review sees %v recovered", next.Recovered)
		}
		return nil
	})
	if err != nil || reviewed != 1 {
		t.Errorf("ApplyConverging gives %v after %d reviews", err, reviewed)
	}
	if got, want := f.verbs()[len(want):], []string{"apply", "import " + mapping + " " + uuid, "plan", "apply"}; !slices.Equal(got, want) {
		t.Errorf("then called %q, want %q", got, want)
	}
	if tf.interruptedApply() {
		t.Error("the case is not closed")
	}
}

// An interrupt cuts off requests that are under way: what exists by then, though terraform calls it tainted, is not replaced.
func TestTaintedByAnInterruptLives(t *testing.T) {
	tainted := func(address string) string {
		return fmt.Sprintf(`{"type":"planned_change","change":{"resource":{"addr":%q},"action":"replace","reason":"tainted"}}`+"\n", address)
	}
	f := newFake(t).
		on("version", versionScene).
		on("plan", scene{Code: 2, Stdout: tainted(table) + tainted("aws_sqs_queue.failed_before")}, scene{Code: 2, Stdout: lines("planned_change", "update", table)}).
		on("untaint", scene{})
	tf := f.open(nil)
	killedApply(t, tf, lines("apply_start", "create", table))
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Recovered, []string{table}) || len(p.Changes) != 1 || p.Changes[0].Action != Update {
		t.Errorf("recovered %v, planned %+v", p.Recovered, p.Changes)
	}
	if got, want := f.verbs(), []string{"plan", "untaint " + table, "plan"}; !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
	if tf.interruptedApply() {
		t.Error("the case is not closed")
	}
}

// An apply that failed by itself came to its end: the next plan has nothing to look into.
func TestFailedApplyIsNoInterruptedOne(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2}).on("apply", scene{Code: 1, Stdout: lines("apply_start", "create", table)})
	tf := f.open(nil)
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = tf.Apply(t.Context(), p); err == nil {
		t.Error("the apply did not fail")
	}
	if tf.interruptedApply() {
		t.Error("an apply that failed counts as interrupted")
	}
}

// The Go runtime ends a program with 2 that it cannot go on with: what was under way is not in the state.
func TestCrashedApplyIsAnInterruptedOne(t *testing.T) {
	tf := newFake(t).on("plan", scene{Code: 2}).
		on("apply", scene{Code: 2, Stdout: lines("apply_start", "create", table), Stderr: "fatal error: out of memory\n"}).open(nil)
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tf.Apply(t.Context(), p); err == nil || !strings.Contains(err.Error(), "crashed") {
		t.Errorf("Apply gives %v", err)
	}
	if !tf.interruptedApply() {
		t.Error("nobody looks for what the crashed apply had begun to create")
	}
}

// A kill while terraform writes its local state tears the file: the backup that it made just before takes its place.
func TestTornStateIsRestored(t *testing.T) {
	const backup = `{"version":4,"resources":[]}`
	for name, c := range map[string]struct {
		state, backup string
		want          string
		plans         int
		fails         string
	}{
		"empty":           {"", backup, backup, 2, ""},
		"half":            {`{"version":4,"reso`, backup, backup, 2, ""},
		"whole":           {`{"version":4}`, backup, `{"version":4}`, 1, ""},
		"first apply":     {"", "-", "", 1, ""},
		"backup is torn":  {"", `{"vers`, "", 1, "restore the state from a copy"},
		"half, no backup": {`{"version"`, "-", `{"version"`, 1, "backup cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t).on("plan", scene{})
			tf := f.open(func(o *Options) { o.StateFile = "state/terraform.tfstate" })
			state := tf.path("state", "terraform.tfstate")
			if err := os.MkdirAll(filepath.Dir(state), 0o755); err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{state: c.state, state + ".backup": c.backup} {
				if text == "-" {
					continue
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			killedApply(t, tf, lines("apply_start", "create", policy))
			_, err := tf.Plan(t.Context(), PlanOptions{})
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("got %v, want %q", err, c.fails)
			}
			if got, err := os.ReadFile(state); err != nil || string(got) != c.want {
				t.Errorf("the state is %q (%v), want %q", got, err, c.want)
			}
			if got := len(f.verbs()); got != c.plans {
				t.Errorf("planned %d times, want %d", got, c.plans)
			}
		})
	}
}

func TestKilledApplyThatLostNothing(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2, Stdout: lines("planned_change", "create", "aws_dynamodb_table.new")})
	tf := f.open(nil)
	killedApply(t, tf, lines("apply_start", "create", table))
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil || len(p.Recovered) != 0 {
		t.Fatalf("got %+v, %v", p, err)
	}
	if got := f.verbs(); !slices.Equal(got, []string{"plan"}) {
		t.Errorf("called %q, want one plan", got)
	}
	if tf.interruptedApply() {
		t.Error("the case is not closed")
	}
}

func TestDestroyAfterAKilledApply(t *testing.T) {
	f := newFake(t).
		on("version", versionScene).
		on("plan", scene{Code: 2, Stdout: lines("planned_change", "create", table, mapping)}).
		on("show", scene{Stdout: shown(t, map[string][2]string{table: {"name", "orders"}})}).
		on("refresh", scene{}).
		on("import", scene{})
	tf := f.open(nil)
	killedApply(t, tf, lines("apply_start", "create", table, mapping))
	p, err := tf.Plan(t.Context(), PlanOptions{Destroy: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.verbs(), []string{"plan", "show", "refresh", "import " + table + " orders", "plan -destroy"}; !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0].Summary, mapping) {
		t.Errorf("warnings %+v, want one about the mapping", p.Warnings)
	}
}

func TestNothingForeignIsAdopted(t *testing.T) {
	f := newFake(t).on("plan", scene{Code: 2}).on("apply", conflict)
	tf := f.open(nil)
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tf.ApplyConverging(t.Context(), p, PlanOptions{}, nil); err == nil || !strings.Contains(err.Error(), uuid) {
		t.Errorf("ApplyConverging gives %v, want the conflict", err)
	}
	if got := f.verbs(); !slices.Equal(got, []string{"plan", "apply"}) {
		t.Errorf("called %q", got)
	}
	if tf.interruptedApply() {
		t.Error("an apply that failed in good order counts as killed")
	}
}

func TestFailedImportStopsTheRecovery(t *testing.T) {
	f := newFake(t).
		on("version", versionScene).
		on("plan", scene{Code: 2, Stdout: lines("planned_change", "create", table)}).
		on("show", scene{Stdout: shown(t, map[string][2]string{table: {"name", "orders"}})}).
		on("refresh", scene{}).
		on("import", scene{Code: 1, Stderr: "Error: AccessDenied\n"})
	tf := f.open(nil)
	killedApply(t, tf, lines("apply_start", "create", table))
	if _, err := tf.Plan(t.Context(), PlanOptions{}); err == nil || !strings.Contains(err.Error(), "terraform import: exit code 1: Error: AccessDenied") {
		t.Errorf("Plan gives %v", err)
	}
	if !tf.interruptedApply() {
		t.Error("the next run would not look again")
	}
}

func TestResourceType(t *testing.T) {
	for address, want := range map[string]string{
		table: "aws_dynamodb_table", role: "aws_iam_role", `module.a.module.b["x\".y"].aws_x.y[0]`: "aws_x", "module.a": "", "": "",
	} {
		if got := resourceType(address); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}

func TestStateResources(t *testing.T) {
	raw := `{"version":4,"resources":[
		{"mode":"managed","type":"aws_iam_role","name":"r","instances":[{}]},
		{"mode":"data","type":"aws_region","name":"d","instances":[{}]},
		{"module":"module.m","mode":"managed","type":"aws_x","name":"y","instances":[{"index_key":0},{"index_key":"k\"1"}]},
		{"mode":"managed","type":"aws_x","name":"gone","instances":[]}]}`
	got, err := stateResources([]byte(raw))
	if want := []string{"aws_iam_role.r", "module.m.aws_x.y[0]", `module.m.aws_x.y["k\"1"]`}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if got, err := stateResources(nil); err != nil || len(got) != 0 {
		t.Errorf("no state: %q, %v", got, err)
	}
	for _, bad := range []string{"{", `{"version":3}`} {
		if _, err := stateResources([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestIDOf(t *testing.T) {
	values := map[string]any{"function_name": "f", "name": "live", "empty": "", "list": []any{}}
	for want, arguments := range map[string][]string{"f": {"function_name"}, "f/live": {"function_name", "name"}, "": {"function_name", "empty"}} {
		if got, ok := idOf(values, arguments); got != want || ok != (want != "") {
			t.Errorf("%v: %q, %v", arguments, got, ok)
		}
	}
	for _, arguments := range [][]string{nil, {"list"}, {"gone"}} {
		if id, ok := idOf(values, arguments); ok {
			t.Errorf("%v: %q", arguments, id)
		}
	}
}
