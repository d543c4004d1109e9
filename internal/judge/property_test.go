package judge_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"streamgen/internal/judge"
)

// canary is in every sensitive value of a random plan, and nowhere else.
const canary = "c4n4ry"

// randomPlan makes plans of the types and arguments that rules look at, with sensitive, unknown and missing parts anywhere.
type randomPlan struct {
	*rand.Rand
	n int
}

var (
	kinds = []string{
		"aws_dynamodb_table", "aws_dynamodb_table", "aws_dynamodb_table", "aws_lambda_event_source_mapping", "aws_lambda_event_source_mapping",
		"aws_lambda_function", "aws_iam_role", "aws_iam_role_policy", "aws_sqs_queue",
		"aws_lambda_permission", "aws_iam_role_policy_attachment", "aws_cloudwatch_log_group", "aws_s3_bucket", "aws_kms_key", "google_thing",
		"aws_s3_bucket_lifecycle_configuration", "aws_s3_bucket_versioning", "aws_appautoscaling_target", "aws_lambda_function_url", "null_resource",
	}
	arguments = []string{
		"name", "stream_enabled", "stream_enabled", "stream_view_type", "stream_view_type", "global_secondary_index", "replica", "point_in_time_recovery", "ttl", "billing_mode",
		"read_capacity", "deletion_protection_enabled", "event_source_arn", "function_name", "starting_position", "batch_size", "enabled",
		"filter_criteria", "destination_config", "function_response_types", "maximum_retry_attempts", "timeout", "memory_size",
		"reserved_concurrent_executions", "policy", "assume_role_policy", "policy_arn", "principal", "action", "source_arn", "retention_in_days",
		"message_retention_seconds", "force_destroy", "tags", "tags_all", "rule", "versioning_configuration", "is_enabled", "statement", "role",
		"permissions_boundary", "authorization_type", "environment", "on_demand_throughput", "warm_throughput", "inline_policy",
	}
	inner = []string{
		"name", "region_name", "enabled", "attribute_name", "hash_key", "key_schema", "projection_type", "filter", "pattern", "on_failure",
		"destination_arn", "kms_key_arn", "status", "expiration", "actions", "resources", "principals", "identifiers", "type", "effect",
		"condition", "policy", "recovery_period_in_days", "read_capacity", "values", "test",
	}
	scalars = []any{
		nil, true, false, 0.0, 1.0, 30.0, -1.0, 1e30, "", "LATEST", "TRIM_HORIZON", "Enabled", "NEW_IMAGE", "Allow", "Deny", "*", "s3:*", "index",
		"arn:aws:dynamodb:us-east-1:1:table/orders/stream/1", "arn:aws:lambda:us-east-1:1:function:index", "ReportBatchItemFailures",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`, `{"Statement":`,
		"<&>\x1b\u202e\n", "NONE", "PROVISIONED",
	}
	allActions = [][]tfjson.Action{
		{"no-op"}, {"create"}, {"read"}, {"update"}, {"update"}, {"update"}, {"delete"}, {"forget"}, {"delete", "create"}, {"create", "delete"},
		{"create", "forget"}, {"open"}, {"explode"}, {}, {"create", "create"},
	}
)

func pick[T any](r *randomPlan, from []T) T { return from[r.IntN(len(from))] }

// value gives a value, its mask of what is sensitive, and its mask of what is unknown.
func (r *randomPlan) value(depth int, names []string) (v, sensitive, unknowns any) {
	r.n++
	switch n := r.IntN(12); {
	case n == 0: // all of it
		return r.secret(depth), true, false
	case n == 1:
		return nil, false, true
	case n < 4 && depth > 0:
		var list, s, u []any
		for range r.IntN(4) {
			v, sens, unk := r.value(depth-1, inner)
			list, s, u = append(list, v), append(s, sens), append(u, unk)
		}
		return list, r.maybe(s), r.maybe(u)
	case n < 7 && depth > 0:
		return r.object(depth-1, names, r.IntN(5))
	}
	return pick(r, scalars), r.nothing(), r.nothing()
}

// maybe leaves a mask away that marks nothing, as terraform does.
func (r *randomPlan) maybe(mask []any) any {
	if r.IntN(2) == 0 && !slices.ContainsFunc(mask, func(m any) bool { return m != nil && m != false }) {
		return nil
	}
	return mask
}

func (r *randomPlan) nothing() any { return pick(r, []any{nil, false, map[string]any{}, []any{}}) }

func (r *randomPlan) object(depth int, names []string, size int) (v, sensitive, unknowns any) {
	object, s, u := map[string]any{}, map[string]any{}, map[string]any{}
	for range size {
		k := pick(r, names)
		value, sens, unk := r.value(depth, inner)
		switch usual := r.IntN(2) == 0; {
		case usual && k == "stream_enabled":
			value, sens, unk = true, nil, nil
		case usual && k == "global_secondary_index":
			value, sens, unk = []any{map[string]any{"name": pick(r, []string{"a", "b"}), "projection_type": "ALL"}}, nil, nil
		}
		object[k], s[k], u[k] = value, sens, unk
		if unk == true && r.IntN(2) == 0 {
			delete(object, k)
		}
	}
	return object, s, u
}

// secret is a value every part of which is sensitive.
func (r *randomPlan) secret(depth int) any {
	word := fmt.Sprintf("%s%d", canary, r.n)
	switch n := r.IntN(5); {
	case n == 0 && depth > 0:
		return []any{r.secret(depth - 1), word}
	case n == 1 && depth > 0:
		return map[string]any{word: r.secret(depth - 1), "name": word, "arn": word}
	case n == 2:
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:%s","Resource":"*"}]}`, word)
	}
	return word
}

func (r *randomPlan) change(actions tfjson.Actions) *tfjson.Change {
	c := &tfjson.Change{Actions: actions}
	c.Before, c.BeforeSensitive, _ = r.object(3, arguments, 12)
	after, s, u := r.object(3, arguments, 12)
	c.After, c.AfterSensitive, c.AfterUnknown = after, s, u
	if r.IntN(2) == 0 { // much the same as before
		for k, v := range c.Before.(map[string]any) {
			if r.IntN(3) > 0 {
				after.(map[string]any)[k], s.(map[string]any)[k] = v, c.BeforeSensitive.(map[string]any)[k]
				delete(u.(map[string]any), k)
			}
		}
	}
	if r.IntN(10) == 0 {
		c.After, c.AfterSensitive, c.AfterUnknown = r.secret(2), true, false
	}
	if r.IntN(4) == 0 {
		c.ReplacePaths = []any{[]any{pick(r, arguments)}, []any{pick(r, arguments), 0.0, pick(r, inner)}}
	}
	if r.IntN(8) == 0 {
		c.Importing = &tfjson.Importing{ID: "id"}
	}
	return c
}

func (r *randomPlan) plan() *tfjson.Plan {
	p := &tfjson.Plan{FormatVersion: "1.2", OutputChanges: map[string]*tfjson.Change{}}
	for i := range 1 + r.IntN(12) {
		kind, mode := pick(r, kinds), tfjson.ManagedResourceMode
		if r.IntN(6) == 0 {
			kind, mode = "aws_iam_policy_document", tfjson.DataResourceMode
		}
		name := fmt.Sprintf("r%d", i)
		c := &tfjson.ResourceChange{Address: kind + "." + name, Type: kind, Name: name, Mode: mode, Change: r.change(pick(r, allActions))}
		if r.IntN(20) == 0 {
			c.Change = nil
		}
		if r.IntN(10) == 0 {
			c.PreviousAddress = kind + ".before"
		}
		if r.IntN(10) == 0 {
			c.DeposedKey = "0a1b2c3d"
		}
		p.ResourceChanges = append(p.ResourceChanges, c)
		if r.IntN(5) == 0 {
			p.ResourceDrift = append(p.ResourceDrift, c)
		}
	}
	p.OutputChanges["secret"] = &tfjson.Change{
		Actions: pick(r, allActions), Before: r.secret(2), After: r.secret(2), BeforeSensitive: true, AfterSensitive: true,
	}
	out := r.change(pick(r, allActions))
	p.OutputChanges["some"] = out
	p.Config = r.config(p)
	return p
}

// config lets some policies refer to documents of the plan.
func (r *randomPlan) config(p *tfjson.Plan) *tfjson.Config {
	c := &tfjson.Config{RootModule: &tfjson.ConfigModule{Resources: []*tfjson.ConfigResource{nil}}}
	var documents []string
	for _, rc := range p.ResourceChanges {
		if rc.Mode == tfjson.DataResourceMode {
			documents = append(documents, "data.aws_iam_policy_document."+rc.Name)
		}
	}
	for _, rc := range p.ResourceChanges {
		if r.IntN(3) == 0 {
			continue
		}
		block := &tfjson.ConfigResource{Mode: rc.Mode, Type: rc.Type, Name: rc.Name, Expressions: map[string]*tfjson.Expression{"name": nil, "role": {}}}
		for _, a := range []string{"policy", "assume_role_policy", "inline_policy", "source_arn"} {
			refers := []string{"aws_sqs_queue.q.arn", "aws_sqs_queue.q"}
			if len(documents) > 0 && r.IntN(3) > 0 {
				d := pick(r, documents)
				refers = []string{d + ".json", d}
			}
			block.Expressions[a] = &tfjson.Expression{ExpressionData: &tfjson.ExpressionData{References: refers}}
		}
		c.RootModule.Resources = append(c.RootModule.Resources, block)
	}
	return c
}

func outputs(t *testing.T, p *tfjson.Plan) (j judge.Judgement, text, machine string) {
	t.Helper()
	j, err := judge.Plan(p, judge.Options{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if err := j.Text(&a, judge.TextOptions{Arguments: true}); err != nil {
		t.Fatal(err)
	}
	if err := j.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return j, a.String(), b.String()
}

// TestRandomPlans holds hundreds of plans to what has to be true of each.
func TestRandomPlans(t *testing.T) {
	codes := map[string]int{}
	for seed := range uint64(600) {
		p := (&randomPlan{Rand: rand.New(rand.NewPCG(seed, 1))}).plan()
		j, text, machine := outputs(t, p)
		for _, f := range j.Findings {
			codes[f.Code]++
		}
		if strings.Contains(text+machine+fmt.Sprintf("%+v", j), canary) {
			t.Fatalf("seed %d: a sensitive value in\n%s", seed, text)
		}
		if _, again, _ := outputs(t, p); again != text {
			t.Fatalf("seed %d: two judgements of one plan:\n%s\n%s", seed, text, again)
		}
		complete(t, seed, p, j)
		guarded(t, seed, p, j)
		if t.Failed() {
			t.FailNow()
		}
	}
	for _, code := range []string{
		"data-destroyed", "data-replaced", "type-unknown", "not-understood", "stream-replaced", "records-skipped", "access-widened",
		"policy-unreadable", "index-unreadable", "index-removed", "updated", "output",
	} {
		if codes[code] == 0 {
			t.Errorf("no plan had a finding %q: the plans are too tame", code)
		}
	}
}

// complete: no change is passed over.
func complete(t *testing.T, seed uint64, p *tfjson.Plan, j judge.Judgement) {
	t.Helper()
	quiet := 0
	for _, r := range p.ResourceChanges {
		found := slices.ContainsFunc(j.Findings, func(f judge.Finding) bool { return f.Address == r.Address })
		if r.Mode != tfjson.ManagedResourceMode || r.Change == nil {
			continue
		}
		if r.Change.Actions.NoOp() && r.PreviousAddress == "" && r.Change.Importing == nil {
			quiet++
			if found {
				t.Errorf("seed %d: a finding about %s, which stays as it is", seed, r.Address)
			}
		} else if !found {
			t.Errorf("seed %d: no finding about %s: %v", seed, r.Address, r.Change.Actions)
		}
	}
	if j.Unchanged != quiet {
		t.Errorf("seed %d: %d unchanged, want %d", seed, j.Unchanged, quiet)
	}
}

// guarded: nothing that holds data goes unless it is named, and all can be named.
func guarded(t *testing.T, seed uint64, p *tfjson.Plan, j judge.Judgement) {
	t.Helper()
	harmless := []string{
		"aws_lambda_event_source_mapping", "aws_lambda_function", "aws_iam_role", "aws_iam_role_policy", "aws_lambda_permission",
		"aws_iam_role_policy_attachment", "aws_s3_bucket_lifecycle_configuration", "aws_s3_bucket_versioning", "aws_appautoscaling_target",
		"aws_lambda_function_url", "null_resource",
	}
	known := [][]tfjson.Action{{"no-op"}, {"create"}, {"update"}, {"delete"}, {"forget"}, {"delete", "create"}, {"create", "delete"}, {"create", "forget"}}
	stop := j.Unallowed(nil)
	for _, r := range p.ResourceChanges {
		if r.Mode != tfjson.ManagedResourceMode {
			continue
		}
		stops := slices.ContainsFunc(stop, func(f judge.Finding) bool { return f.Address == r.Address })
		destroys := r.Change != nil && (slices.Contains(r.Change.Actions, "delete")) && !slices.Contains(harmless, r.Type)
		odd := r.Change == nil || !slices.ContainsFunc(known, func(a []tfjson.Action) bool { return slices.Equal(a, r.Change.Actions) })
		skipped := r.Type == "aws_cloudwatch_log_group" // skip_destroy is not among the arguments, so that it is destroyed
		if (destroys || odd || skipped && destroys) && !stops {
			t.Errorf("seed %d: %s passes: %+v", seed, r.Address, r.Change)
		}
	}
	names := map[string]bool{}
	for _, f := range stop {
		names[f.Guard] = true
	}
	if left := j.Unallowed(names); len(left) > 0 {
		t.Errorf("seed %d: named and not allowed: %+v", seed, left)
	}
}

// The order in which terraform lists resources changes nothing.
func TestOrderOfThePlanDoesNotMatter(t *testing.T) {
	for seed := range uint64(100) {
		r := &randomPlan{Rand: rand.New(rand.NewPCG(seed, 2))}
		p := r.plan()
		_, text, machine := outputs(t, p)
		r.Shuffle(len(p.ResourceChanges), func(i, j int) {
			p.ResourceChanges[i], p.ResourceChanges[j] = p.ResourceChanges[j], p.ResourceChanges[i]
		})
		if _, again, other := outputs(t, p); again != text || other != machine {
			t.Fatalf("seed %d:\n%s\n%s", seed, text, again)
		}
	}
}

// TestDamagedPlans changes real plans in any place to anything: what is left of a plan is judged, without a panic.
func TestDamagedPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := &randomPlan{Rand: rand.New(rand.NewPCG(uint64(i), 3))}
		for range min(60, 1+600_000/len(data)) {
			var root any
			if err := json.Unmarshal(data, &root); err != nil {
				t.Fatal(err)
			}
			for range 1 + r.IntN(3) {
				r.damage(root, 1+r.IntN(9))
			}
			broken, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			var p tfjson.Plan
			if json.Unmarshal(broken, &p) == nil {
				judged++
				outputs(t, &p)
			}
		}
	}
	if judged < 100 {
		t.Errorf("only %d damaged plans were plans at all", judged)
	}
}

// damage puts something else in a place that lies so deep.
func (r *randomPlan) damage(v any, depth int) {
	something := func() any {
		value, _, _ := r.value(2, inner)
		return pick(r, []any{value, nil, "data.aws_iam_policy_document.x[\"", []any{"delete"}, true, map[string]any{}})
	}
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 {
			return
		}
		k := pick(r, keys)
		if depth == 1 || v[k] == nil {
			v[k] = something()
			return
		}
		r.damage(v[k], depth-1)
	case []any:
		if len(v) == 0 {
			return
		}
		i := r.IntN(len(v))
		if depth == 1 {
			v[i] = something()
			return
		}
		r.damage(v[i], depth-1)
	}
}

// FuzzPlan: whatever terraform may print one day, the judge does not panic, and says the same twice.
func FuzzPlan(f *testing.F) {
	files, err := filepath.Glob("testdata/cases/*/plan.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var p tfjson.Plan
		if json.Unmarshal(data, &p) != nil {
			return
		}
		_, text, machine := outputs(t, &p)
		if _, again, other := outputs(t, &p); again != text || other != machine {
			t.Error("two judgements of one plan")
		}
	})
}

// BenchmarkPlan judges a plan of 500 handlers, as a first apply and as one without changes.
func BenchmarkPlan(b *testing.B) {
	data, err := os.ReadFile("testdata/cases/real-first-apply/plan.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		actions tfjson.Actions
	}{{"create", tfjson.Actions{"create"}}, {"no-op", tfjson.Actions{"no-op"}}, {"delete", tfjson.Actions{"delete"}}} {
		b.Run(c.name, func(b *testing.B) {
			var one, p tfjson.Plan
			if err := json.Unmarshal(data, &one); err != nil {
				b.Fatal(err)
			}
			p = one
			p.ResourceChanges = nil
			for i := range 500 {
				for _, r := range one.ResourceChanges {
					next, change := *r, *r.Change
					next.Address += fmt.Sprintf("_%d", i)
					if r.Mode == tfjson.ManagedResourceMode {
						change.Actions = c.actions
						change.Before = change.After
					}
					next.Change = &change
					p.ResourceChanges = append(p.ResourceChanges, &next)
				}
			}
			for b.Loop() {
				if _, err := judge.Plan(&p, judge.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(p.ResourceChanges)), "resources")
		})
	}
}
