package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/pack"
	"streamgen/internal/report"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// chain is a needs b, b needs c; d needs nothing.
var chain = []spec.Stack{{Name: "c"}, {Name: "b", Needs: []string{"c"}}, {Name: "a", Needs: []string{"b"}}, {Name: "d"}}

// TestInOrder: what is needed is done before, the rest at once, and never more than the limit.
func TestInOrder(t *testing.T) {
	for _, limit := range []int{1, 2, 8} {
		var mu sync.Mutex
		var done []string
		running := 0
		left := inOrder(t.Context(), chain, needs, limit, func(s spec.Stack) bool {
			mu.Lock()
			defer mu.Unlock()
			if running++; running > limit {
				t.Errorf("%d at once, want %d at most", running, limit)
			}
			for _, name := range s.Needs {
				if !slices.Contains(done, name) {
					t.Errorf("%s was begun before %s was done", s.Name, name)
				}
			}
			mu.Unlock()
			mu.Lock()
			running--
			done = append(done, s.Name)
			return true
		})
		if len(done) != len(chain) || len(left) > 0 {
			t.Errorf("limit %d: done %v, left %v", limit, done, left)
		}
	}
}

// TestInOrderAtOnce: stacks that do not need each other are under way together.
func TestInOrderAtOnce(t *testing.T) {
	met := make(chan string)
	inOrder(t.Context(), []spec.Stack{{Name: "a"}, {Name: "b"}}, needs, 2, func(s spec.Stack) bool {
		select {
		case met <- s.Name:
		case other := <-met:
			if other == s.Name {
				t.Error("one stack was begun twice")
			}
		}
		return true
	})
}

// TestInOrderStops: after one that is not done, no other is begun, least of all one that needs it.
func TestInOrderStops(t *testing.T) {
	var done []string
	left := inOrder(t.Context(), chain, needs, 1, func(s spec.Stack) bool {
		done = append(done, s.Name)
		return s.Name != "b"
	})
	if diff := cmp.Diff([]string{"c", "b"}, done[:2]); diff != "" {
		t.Error(diff)
	}
	if !slices.Contains(stackNames(left), "a") || len(done)+len(left) != len(chain) {
		t.Errorf("done %v, left %v", done, stackNames(left))
	}
	ctx, cancel := context.WithCancel(t.Context())
	left = inOrder(ctx, chain, needs, 1, func(spec.Stack) bool { cancel(); return true })
	if len(left) != len(chain)-1 {
		t.Errorf("an interrupt left %v to do", stackNames(left))
	}
}

// TestDestroyOrder is the other way round.
func TestDestroyOrder(t *testing.T) {
	set := &stackSet{workplace: workplace{project: &project{stacks: chain}}}
	var done []string
	inOrder(t.Context(), chain, set.neededBy, 1, func(s spec.Stack) bool { done = append(done, s.Name); return true })
	if slices.Index(done, "a") > slices.Index(done, "b") || slices.Index(done, "b") > slices.Index(done, "c") {
		t.Errorf("destroyed in the order %v", done)
	}
}

// TestLines: lines of stacks that are written at once carry their names and are whole.
func TestLines(t *testing.T) {
	var out strings.Builder
	c := &console{w: &out}
	var writers sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		w := c.lines(name + ": ")
		writers.Go(func() {
			for i := range 100 {
				for _, part := range []string{"line ", fmt.Sprint(i), " of " + name, "\n"} {
					_, _ = w.Write([]byte(part))
				}
			}
		})
	}
	writers.Wait()
	got := map[string]int{}
	for line := range strings.Lines(out.String()) {
		var name, of string
		var i int
		if _, err := fmt.Sscanf(line, "%1s: line %d of %s\n", &name, &i, &of); err != nil || name != of || i != got[name] {
			t.Fatalf("torn: %q, %v", line, err)
		}
		got[name]++
	}
	if diff := cmp.Diff(map[string]int{"a": 100, "b": 100, "c": 100}, got); diff != "" {
		t.Error(diff)
	}
}

func TestStackBackend(t *testing.T) {
	type settings = []spec.BackendSetting
	for name, c := range map[string]struct{ in, want spec.Backend }{
		"none":           {},
		"s3":             {spec.Backend{Type: "s3", Settings: settings{{Key: "bucket", Value: "b"}, {Key: "key", Value: "shop"}}}, spec.Backend{Type: "s3", Settings: settings{{Key: "bucket", Value: "b"}, {Key: "key", Value: "shop.billing"}}}},
		"azurerm":        {spec.Backend{Type: "azurerm", Settings: settings{{Key: "key", Value: "a/shop.tfstate"}}}, spec.Backend{Type: "azurerm", Settings: settings{{Key: "key", Value: "a/shop.billing.tfstate"}}}},
		"gcs":            {spec.Backend{Type: "gcs", Settings: settings{{Key: "prefix", Value: "shop"}}}, spec.Backend{Type: "gcs", Settings: settings{{Key: "prefix", Value: "shop/billing"}}}},
		"gcs, no prefix": {spec.Backend{Type: "gcs"}, spec.Backend{Type: "gcs", Settings: settings{{Key: "prefix", Value: "billing"}}}},
		"local":          {spec.Backend{Type: "local", Settings: settings{{Key: "path", Value: "../../x.tfstate"}}}, spec.Backend{Type: "local", Settings: settings{{Key: "path", Value: "../../../x.billing.tfstate"}}}},
		"local, here":    {spec.Backend{Type: "local"}, spec.Backend{Type: "local", Settings: settings{{Key: "path", Value: "terraform.billing.tfstate"}}}},
		"local, absolute": {
			spec.Backend{Type: "local", Settings: settings{{Key: "path", Value: filepath.Join(t.TempDir(), "x")}}}, spec.Backend{},
		},
		"http": {
			spec.Backend{Type: "http", Settings: settings{
				{Key: "address", Value: "https://x/state/shop"}, {Key: "lock_address", Value: "https://x/state/shop/lock"},
				{Key: "unlock_address", Value: "https://y/unlock?of=shop"}, {Key: "lock_method", Value: "POST"},
			}},
			spec.Backend{Type: "http", Settings: settings{
				{Key: "address", Value: "https://x/state/shop-billing"}, {Key: "lock_address", Value: "https://x/state/shop-billing/lock"},
				{Key: "unlock_address", Value: "https://y/unlock-billing?of=shop"}, {Key: "lock_method", Value: "POST"},
			}},
		},
		"http with a query": {
			spec.Backend{Type: "http", Settings: settings{{Key: "address", Value: "https://x/shop/?ref=1"}, {Key: "lock_address", Value: "https://x/shopping"}}},
			spec.Backend{Type: "http", Settings: settings{{Key: "address", Value: "https://x/shop-billing/?ref=1"}, {Key: "lock_address", Value: "https://x/shopping-billing"}}},
		},
		"remote": {
			spec.Backend{Type: "remote", Settings: settings{{Key: "workspaces", Value: settings{{Key: "name", Value: "shop"}}}}},
			spec.Backend{Type: "remote", Settings: settings{{Key: "workspaces", Value: settings{{Key: "name", Value: "shop-billing"}}}}},
		},
		"remote by prefix": {
			spec.Backend{Type: "remote", Settings: settings{{Key: "workspaces", Value: settings{{Key: "prefix", Value: "shop-"}}}}},
			spec.Backend{Type: "remote", Settings: settings{{Key: "workspaces", Value: settings{{Key: "prefix", Value: "shop-billing-"}}}}},
		},
	} {
		if name == "local, absolute" {
			c.want = spec.Backend{Type: "local", Settings: settings{{Key: "path", Value: c.in.Settings[0].Value.(string) + ".billing"}}}
		}
		before := fmt.Sprint(c.in)
		if diff := cmp.Diff(c.want, stackBackend(c.in, "billing")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(c.in, stackBackend(c.in, spec.MainStack)); diff != "" || fmt.Sprint(c.in) != before {
			t.Errorf("%s: the main stack's is not as it was: %s", name, diff)
		}
	}
}

// TestSkips: a stack is skipped as long as nothing is different that its plan depends on.
func TestSkips(t *testing.T) {
	dir := t.TempDir()
	stacks := []spec.Stack{{Name: spec.MainStack}, {Name: "billing", Foreign: []string{"orders"}, Needs: []string{spec.MainStack}}}
	p := &project{dir: dir, stacks: stacks, spec: &spec.Spec{
		Tables: []spec.Table{{Name: "orders"}}, Handlers: []spec.Handler{{Name: "bill", Stack: "billing"}, {Name: "greet"}},
	}}
	newSet := func() *stackSet {
		set := &stackSet{
			workplace: workplace{project: p, env: environment{name: "prod"}, packages: map[string]pack.Package{"bill": {SHA256: "1"}, "greet": {SHA256: "1"}}},
			sessions:  map[string]*session{}, reading: map[string]*sync.Mutex{}, relocated: map[string]string{}, runs: map[string]report.StackRun{},
		}
		for _, stack := range stacks {
			set.reading[stack.Name] = &sync.Mutex{}
			set.sessions[stack.Name] = &session{workplace: set.workplace, stack: stack, terraform: &tf.Terraform{Options: tf.Options{
				WorkDir: p.stackWork("prod", stack.Name), StateFile: filepath.Join(dir, stack.Name+".tfstate"), Vars: map[string]string{"a": "1"},
				Env: map[string]string{"AWS_PROFILE": "1", "AWS_SESSION_TOKEN": "1"},
			}}}
		}
		return set
	}
	state := func(stream string) string {
		return `{"version": 4, "serial": 1, "resources": [{"module": "module.streams", "mode": "managed", "type": "aws_dynamodb_table", "name": "orders",
			"instances": [{"attributes": {"id": "orders", "arn": "arn", "stream_arn": "` + stream + `"}}]}]}`
	}
	file := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	reset := func(set *stackSet) {
		write(t, file("generated/stacks/billing/main.tf"), "1")
		write(t, file("generated/terraform/main.tf"), "1")
		write(t, file("billing.tfstate"), `{"version": 4}`)
		write(t, file("main.tfstate"), state("old"))
		if err := set.remember(t.Context(), set.sessions["billing"], report.Run{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		change func(set *stackSet, s *session)
		want   bool
	}{
		"nothing":                     {func(*stackSet, *session) {}, true},
		"another stack's handler":     {func(set *stackSet, _ *session) { set.packages["greet"] = pack.Package{SHA256: "2"} }, true},
		"another stack's files":       {func(*stackSet, *session) { write(t, file("generated/terraform/main.tf"), "2") }, true},
		"another stack's state":       {func(*stackSet, *session) { write(t, file("main.tfstate"), state("old")+"\n") }, true},
		"credentials":                 {func(_ *stackSet, s *session) { s.terraform.Env["AWS_SESSION_TOKEN"] = "2" }, true},
		"its handler":                 {func(_ *stackSet, s *session) { s.packages["bill"] = pack.Package{SHA256: "2"} }, false},
		"its files":                   {func(*stackSet, *session) { write(t, file("generated/stacks/billing/main.tf"), "2") }, false},
		"its state":                   {func(*stackSet, *session) { write(t, file("billing.tfstate"), `{"version":4}`) }, false},
		"the stream of a table":       {func(*stackSet, *session) { write(t, file("main.tfstate"), state("new")) }, false},
		"a table that is gone":        {func(*stackSet, *session) { write(t, file("main.tfstate"), `{"version":4}`) }, false},
		"a variable":                  {func(_ *stackSet, s *session) { s.terraform.Vars["a"] = "2" }, false},
		"the profile":                 {func(_ *stackSet, s *session) { s.terraform.Env["AWS_PROFILE"] = "2" }, false},
		"the backend":                 {func(_ *stackSet, s *session) { s.terraform.StateFile = file("main.tfstate") }, false},
		"terraform":                   {func(_ *stackSet, s *session) { s.binary.Version = "2" }, false},
		"the life of the local stack": {func(_ *stackSet, s *session) { s.life.ID = "2" }, false},
		"--all":                       {func(set *stackSet, _ *session) { set.options.all = true }, false},
		"an entry that moved":         {func(set *stackSet, _ *session) { set.relocated["billing"] = "orders" }, false},
		"an apply that was begun": {func(_ *stackSet, s *session) {
			if err := s.forget(); err != nil {
				t.Error(err)
			}
		}, false},
		"a note that was cut off": {func(_ *stackSet, s *session) { write(t, s.noteFile(), "{") }, false},
	} {
		set := newSet()
		reset(set)
		s := set.sessions["billing"]
		c.change(set, s)
		if got := set.skips(t.Context(), s); got != c.want {
			t.Errorf("%s changed: skipped %v, want %v", name, got, c.want)
		}
		if got := set.runs["billing"].Status == report.StackUnchanged; got != c.want {
			t.Errorf("%s changed: it is said to be unchanged: %v", name, got)
		}
	}
	set := newSet()
	reset(set)
	if err := set.sessions["billing"].forget(); err != nil {
		t.Fatal(err)
	}
	if err := set.remember(t.Context(), set.sessions["billing"], report.Run{Streams: []report.Stream{{Waits: "not yet"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(set.sessions["billing"].noteFile()); err == nil {
		t.Error("a stack with a step to do is noted as done")
	}
}
