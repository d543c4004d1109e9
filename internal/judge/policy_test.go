package judge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"
)

func TestParsePolicy(t *testing.T) {
	one := func(statement string) string { return `{"Version":"2012-10-17","Statement":[` + statement + `]}` }
	allow := func(action, resource string) grant { return grant{effect: "Allow", action: action, resource: resource} }
	for name, c := range map[string]struct {
		document string
		want     []grant
		err      string
	}{
		"empty":            {"", nil, ""},
		"no statement":     {`{"Version":"2012-10-17"}`, nil, ""},
		"text forms":       {`{"Statement":{"Effect":"Allow","Action":"a:B","Resource":"r"}}`, []grant{allow("a:B", "r")}, ""},
		"list forms":       {one(`{"Sid":"x","Effect":"Allow","Action":["a:B","a:C"],"Resource":["r"]}`), []grant{allow("a:B", "r"), allow("a:C", "r")}, ""},
		"not":              {one(`{"Effect":"Allow","NotAction":["b:*","a:*"],"NotResource":"r"}`), []grant{allow("NotAction a:*, b:*", "NotResource r")}, ""},
		"no resource":      {one(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}`), []grant{{effect: "Allow", action: "sts:AssumeRole", principal: "*"}}, ""},
		"anybody":          {one(`{"Effect":"Allow","Action":"a:B","Principal":{"AWS":["*"]}}`), []grant{{effect: "Allow", action: "a:B", principal: "*"}}, ""},
		"not principal":    {one(`{"Effect":"Deny","Action":"a:B","NotPrincipal":{"AWS":"x"}}`), []grant{{effect: "Deny", action: "a:B", principal: "NotPrincipal AWS x"}}, ""},
		"condition":        {one(`{"Effect":"Allow","Action":"a:B","Resource":"r","Condition":{"Bool":{"k":true},"StringLike":{"k":["b","a"]}}}`), []grant{{effect: "Allow", action: "a:B", resource: "r", condition: `{"Bool":{"k":["true"]},"StringLike":{"k":["a","b"]}}`}}, ""},
		"no JSON":          {`{`, nil, "no JSON"},
		"a list":           {`[]`, nil, "no JSON object"},
		"odd element":      {`{"Statements":[]}`, nil, `"Statements"`},
		"odd statement":    {one(`1`), nil, "statement 1"},
		"odd key":          {one(`{"Effect":"Allow","Actions":"a:B"}`), nil, `"Actions"`},
		"odd effect":       {one(`{"Effect":"allow","Action":"a:B"}`), nil, "effect"},
		"no action":        {one(`{"Effect":"Allow","Resource":"*"}`), nil, "no action"},
		"action no text":   {one(`{"Effect":"Allow","Action":[1]}`), nil, "no text"},
		"both":             {one(`{"Effect":"Allow","Action":"a:B","NotAction":"a:C"}`), nil, "both"},
		"odd principal":    {one(`{"Effect":"Allow","Action":"a:B","Principal":"x"}`), nil, "principal"},
		"principal number": {one(`{"Effect":"Allow","Action":"a:B","Principal":1}`), nil, "principal"},
		"odd condition":    {one(`{"Effect":"Allow","Action":"a:B","Condition":1}`), nil, "condition"},
		"odd test":         {one(`{"Effect":"Allow","Action":"a:B","Condition":{"Bool":1}}`), nil, "condition"},
		"too many":         {one(`{"Effect":"Allow","Action":[` + many("a") + `],"Resource":[` + many("r") + `]}`), nil, "more than"},
	} {
		p, err := parsePolicy(c.document)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(c.want, without(p.grants, nil), cmp.AllowUnexported(grant{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func many(prefix string) string {
	var list []string
	for i := range 200 {
		list = append(list, fmt.Sprintf("%q", fmt.Sprint(prefix, i)))
	}
	return strings.Join(list, ",")
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "anything", true}, {"*", "", true}, {"", "", true}, {"", "a", false}, {"a*", "abc", true}, {"a*c", "abc", true}, {"a*c", "ab", false},
		{"a?c", "abc", true}, {"a?c", "a*c", false}, {"a?c", "ac", false}, {"a*b*c", "a-b-b-c", true}, {"*a", "ba*", false}, {"s3:Get*", "s3:*", false},
		{"s3:*", "s3:Get*", true}, {"NotAction a", "NotAction a", true}, {"*", "NotAction a", false}, {"NotAction a", "b", false}, {"**", "x", true},
	} {
		if got := matches(c.pattern, c.s); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.s, got)
		}
	}
}

// Whatever becomes allowed is in a grant that is listed as new, and whatever is not allowed any more is in one that is gone: a reader of
// the list misses nothing. Requests are decided here by a reading of the policies that has nothing in common with the comparison.
func TestComparisonMissesNothing(t *testing.T) {
	actions := []string{"*", "a:*", "a:Get*", "a:GetX", "a:GetY", "a:Put", "b:Put"}
	resources := []string{"*", "r/*", "r/1", "r/2", "s"}
	r := rand.New(rand.NewPCG(1, 2))
	random := func() policy {
		p := policy{grants: map[grant]bool{}}
		for range r.IntN(4) {
			condition := []string{"", "", `{"Bool":{"k":["true"]}}`}[r.IntN(3)]
			p.grants[grant{effect: "Allow", action: actions[r.IntN(len(actions))], resource: resources[r.IntN(len(resources))], condition: condition}] = true
		}
		return p
	}
	// allowed with the condition fulfilled, or not.
	allowed := func(grants []grant, action, resource string, fulfilled bool) bool {
		return slices.ContainsFunc(grants, func(g grant) bool {
			return glob(g.action, action) && glob(g.resource, resource) && (g.condition == "" || fulfilled)
		})
	}
	suppressed := 0
	for range 20_000 {
		before, after := random(), random()
		c := compare(before, after)
		suppressed += len(c[Kept])
		was, is := without(before.grants, nil), without(after.grants, nil)
		for _, action := range []string{"a:GetX", "a:GetY", "a:Put", "b:Put", "c:Z"} {
			for _, resource := range []string{"r/1", "r/2", "s", "t"} {
				for _, fulfilled := range []bool{true, false} {
					did, does := allowed(was, action, resource, fulfilled), allowed(is, action, resource, fulfilled)
					if !did && does && !allowed(c[New], action, resource, fulfilled) {
						t.Fatalf("%s on %s becomes allowed and is not listed: %v to %v: %v", action, resource, was, is, c)
					}
					if did && !does && !allowed(c[Gone], action, resource, fulfilled) {
						t.Fatalf("%s on %s is not allowed any more and is not listed: %v to %v: %v", action, resource, was, is, c)
					}
				}
			}
		}
	}
	if suppressed == 0 {
		t.Error("no grant was a part of a wider one")
	}
}

// glob is for patterns that end in their only star.
func glob(pattern, s string) bool {
	prefix, star := strings.CutSuffix(pattern, "*")
	return star && strings.HasPrefix(s, prefix) || pattern == s
}

// Every list of grants says exactly what it was made of.
func TestGrantsAreLossless(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		want := map[grant]bool{}
		for range r.IntN(20) {
			want[grant{
				effect: []string{"Allow", "Deny"}[r.IntN(2)], principal: []string{"", "*"}[r.IntN(2)], action: fmt.Sprint("a", r.IntN(3)),
				resource: []string{"", "x", "y", "z"}[r.IntN(4)], condition: []string{"", "c"}[r.IntN(2)],
			}] = true
		}
		got := map[grant]bool{}
		for _, g := range (comparison{New: without(want, nil)}).list() {
			for _, action := range g.Actions {
				for _, resource := range atLeastOne(g.Resources) {
					got[grant{effect: g.Effect, principal: g.Principal, action: action, resource: resource, condition: g.Condition}] = true
				}
			}
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(grant{})); d != "" {
			t.Fatal(d)
		}
	}
}

func TestModulePath(t *testing.T) {
	for address, want := range map[string]string{
		"": "", "module.a": "/a", "module.a.module.b": "/a/b", `module.a["x.y"].module.b[0]`: "/a/b", `module.a["]\"."].module.b`: "/a/b", "odd": "/odd",
		`module.a[`: "/a", "module.": "/",
	} {
		if got := modulePath(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

func TestPath(t *testing.T) {
	for want, p := range map[string]path{
		".": nil, "a": {"a"}, "a[0].b": {"a", 0.0, "b"}, `tags["a b"]`: {"tags", "a b"}, `["a b"].c`: {"a b", "c"}, `a["\u001b"]`: {"a", "\x1b"},
	} {
		if got := p.String(); got != want {
			t.Errorf("%v: %s, want %s", p, got, want)
		}
	}
}

// Whatever holds data has to be named, however terraform destroys it, and is not when terraform forgets it.
func TestHoldingsAreGuarded(t *testing.T) {
	for kind, h := range holdings {
		if h.what == "" {
			t.Errorf("%s holds nothing", kind)
		}
		for _, c := range []struct {
			actions tfjson.Actions
			guard   string
		}{
			{tfjson.Actions{"delete"}, kind + ".x"}, {tfjson.Actions{"delete", "create"}, kind + ".x"}, {tfjson.Actions{"create", "delete"}, kind + ".x"},
			{tfjson.Actions{"forget"}, ""}, {tfjson.Actions{"create"}, ""}, {tfjson.Actions{"no-op"}, ""},
		} {
			j, err := Plan(&tfjson.Plan{FormatVersion: "1.2", ResourceChanges: []*tfjson.ResourceChange{{
				Address: kind + ".x", Type: kind, Name: "x", Mode: tfjson.ManagedResourceMode, Change: &tfjson.Change{Actions: c.actions},
			}}}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			guard := ""
			for _, f := range j.Unallowed(nil) {
				guard = f.Guard
			}
			if guard != c.guard {
				t.Errorf("%s, %v: guard %q, want %q", kind, c.actions, guard, c.guard)
			}
		}
	}
}

// TestSeal: masks that do not fit the value hide all of it.
func TestSeal(t *testing.T) {
	secret := map[string]any{"a": "x", "b": []any{"y", "z"}}
	for name, c := range map[string]struct {
		sensitive, other, unknowns any
		want                       string
	}{
		"nothing":             {nil, false, map[string]any{}, `{"a":"x","b":["y","z"]}`},
		"all":                 {true, nil, nil, hiddenText},
		"other side":          {nil, map[string]any{"a": true}, nil, `{"a":"(sensitive)","b":["y","z"]}`},
		"element":             {map[string]any{"b": []any{false, true}}, nil, nil, `{"a":"x","b":["y","(sensitive)"]}`},
		"short list":          {map[string]any{"b": []any{true}}, nil, nil, `{"a":"x","b":"(sensitive)"}`},
		"another shape":       {map[string]any{"b": map[string]any{"c": true}}, nil, nil, `{"a":"x","b":"(sensitive)"}`},
		"list for map":        {[]any{map[string]any{"z": true}}, nil, nil, hiddenText},
		"map for text":        {map[string]any{"a": map[string]any{"z": true}}, nil, nil, `{"a":"(sensitive)","b":["y","z"]}`},
		"marks nothing":       {[]any{false, map[string]any{}}, nil, nil, `{"a":"x","b":["y","z"]}`},
		"other of other size": {nil, map[string]any{"b": []any{true}}, nil, `{"a":"x","b":["y","z"]}`},
		"unknown":             {nil, nil, map[string]any{"c": true, "b": []any{true, false}}, `{"a":"x","b":["(known after apply)","z"],"c":"(known after apply)"}`},
		"unknown and secret":  {map[string]any{"c": true}, nil, map[string]any{"c": true}, `{"a":"x","b":["y","z"],"c":"(sensitive)"}`},
	} {
		if got := text(seal(secret, c.sensitive, c.other, c.unknowns)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if a := argument(path{"a"}, hide("x"), "y"); a.Before != hiddenText || a.After != hiddenText {
		t.Errorf("sensitive on one side: %+v", a)
	}
	if a, b := hide("x"), hide("y"); same(a, b) || !same(a, hide("x")) || fmt.Sprintf("%v %s", a, b) != hiddenText+" "+hiddenText {
		t.Error("hidden values are compared by what they hide, and show nothing of it")
	}
}

// TestDocument: which of several instances of a data source makes a policy.
func TestDocument(t *testing.T) {
	doc := func(index any) *change {
		return &change{action: read, resource: &tfjson.ResourceChange{Type: documentType, Name: "d", Index: index, Mode: tfjson.DataResourceMode}}
	}
	single, zero, one, x := doc(nil), doc(0.0), doc(1.0), doc("x")
	for _, c := range []struct {
		name, reference string
		index           any
		reads           []*change
		want            *change
	}{
		{"the only one", "data.aws_iam_policy_document.d.json", nil, []*change{single}, single},
		{"of many resources", "data.aws_iam_policy_document.d.json", 1.0, []*change{single}, single},
		{"by number", "data.aws_iam_policy_document.d[1].json", nil, []*change{zero, one}, one},
		{"by key", `data.aws_iam_policy_document.d["x"].json`, 0.0, []*change{zero, x}, x},
		{"by the same instance", "data.aws_iam_policy_document.d.json", 1.0, []*change{zero, one}, one},
		{"unclear", "data.aws_iam_policy_document.d.json", nil, []*change{zero, one}, nil},
		{"another attribute", "data.aws_iam_policy_document.d.id", nil, []*change{single}, nil},
		{"the whole", "data.aws_iam_policy_document.d", nil, []*change{single}, nil},
		{"another name", "data.aws_iam_policy_document.e.json", nil, []*change{single}, nil},
		{"no document", "aws_sqs_queue.q.arn", nil, []*change{single}, nil},
	} {
		p := &plan{reads: c.reads}
		got := (&change{plan: p, resource: &tfjson.ResourceChange{Index: c.index}}).document(c.reference)
		if got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
