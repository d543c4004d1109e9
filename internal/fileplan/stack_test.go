package fileplan

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/internal/spec"
)

func names(stacks []spec.Stack) []string {
	var list []string
	for _, s := range stacks {
		list = append(list, s.Name)
	}
	return list
}

// inStack puts the table orders into a stack, and customers is apart.
func inStack(stack string) func(*spec.Spec) {
	return func(s *spec.Spec) { s.Tables[0].Stack = stack }
}

func allInBilling(s *spec.Spec) {
	for i := range s.Tables {
		s.Tables[i].Stack = "billing"
	}
	s.Handlers[0].Stack = "billing"
}

// TestStacks: a stack is there as long as something of it may be in its state.
func TestStacks(t *testing.T) {
	for name, c := range map[string]struct {
		specs []*spec.Spec
		want  []string
	}{
		"none":                       {[]*spec.Spec{with(as)}, []string{"main"}},
		"nothing at all":             {[]*spec.Spec{with(withoutAll)}, []string{"main"}},
		"needed before what uses it": {[]*spec.Spec{with(inStack("billing"))}, []string{"billing", "main"}},
		"all in one":                 {[]*spec.Spec{with(allInBilling)}, []string{"billing"}},
		"all moved there":            {[]*spec.Spec{with(as), with(allInBilling)}, []string{"billing", "main"}},
		"moved and back":             {[]*spec.Spec{with(as), with(allInBilling), with(as)}, []string{"main", "billing"}},
		"the topic is of the main":   {[]*spec.Spec{with(func(s *spec.Spec) { allInBilling(s); s.SNSTopic = "alarms" })}, []string{"main", "billing"}},
		"what others own needs none": {[]*spec.Spec{with(func(s *spec.Spec) {
			allInBilling(s)
			s.Tables[1].Stack, s.Tables[1].Existing = "", true
		})}, []string{"billing"}},
	} {
		known, h := after(t, c.specs...)
		if diff := cmp.Diff(c.want, names(h.Stacks(known))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestForgetStack: a stack that is empty is gone when it is forgotten, and one that is not is there again.
func TestForgetStack(t *testing.T) {
	s := with(allInBilling)
	_, h := after(t, with(as), s)
	h, unknown := h.Forgetting([]string{"stack.main", "stack.none"})
	if diff := cmp.Diff([]string{"stack.none"}, unknown); diff != "" {
		t.Error(diff)
	}
	known, h, _ := h.Next(s)
	if diff := cmp.Diff([]string{"billing"}, names(h.Stacks(known))); diff != "" {
		t.Error(diff)
	}
	h, _ = h.Forgetting([]string{"stack.billing"}) // the last one is in use
	if known, h, _ = h.Next(s); !slices.Equal(names(h.Stacks(known)), []string{"billing"}) {
		t.Errorf("a stack in use is forgotten: %v", names(h.Stacks(known)))
	}
}

func TestRelocations(t *testing.T) {
	renamed := func(s *spec.Spec) {
		inStack("billing")(s)
		s.Tables[0].Name, s.Tables[0].Origin.Path, s.Tables[0].RenamedFrom = "bills", "tables.bills", "orders"
		s.Handlers[0].Sources[0].Table = "bills"
	}
	table := "module.streams.aws_dynamodb_table."
	for name, c := range map[string]struct {
		specs []*spec.Spec
		want  []Relocation
	}{
		"no stacks":                {[]*spec.Spec{with(as), with(as)}, nil},
		"there from the beginning": {[]*spec.Spec{with(inStack("billing"))}, nil},
		"from the main one": {
			[]*spec.Spec{with(as), with(inStack("billing"))},
			[]Relocation{{Entry: "tables.orders", From: []string{"main"}, To: "billing", Addresses: []string{table + "orders"}}},
		},
		"twice": {
			[]*spec.Spec{with(as), with(inStack("a")), with(inStack("b"))},
			[]Relocation{{Entry: "tables.orders", From: []string{"main", "a"}, To: "b", Addresses: []string{table + "orders"}}},
		},
		"and back": {
			[]*spec.Spec{with(as), with(inStack("a")), with(as)},
			[]Relocation{{Entry: "tables.orders", From: []string{"a"}, To: "main", Addresses: []string{table + "orders"}}},
		},
		"renamed on the way": {
			[]*spec.Spec{with(as), with(renamed)},
			[]Relocation{{Entry: "tables.bills", From: []string{"main"}, To: "billing", Addresses: []string{table + "bills", table + "orders"}}},
		},
	} {
		known, h := after(t, c.specs...)
		got := slices.DeleteFunc(h.Relocations(known), func(r Relocation) bool { return len(r.From) == 0 })
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestDroppedFromStack: what left the spec is forgotten by the terraform of each stack that may know it, and of no other.
func TestDroppedFromStack(t *testing.T) {
	gone := with(func(s *spec.Spec) { s.Tables[1].Stack = "other"; s.Tables = s.Tables[1:]; s.Handlers = nil })
	_, h := after(t, with(as), with(inStack("billing")), gone)
	for stack, want := range map[string][]string{"main": {"queue.ship", "table.orders"}, "billing": {"table.orders"}, "other": nil} {
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(h.droppedIn(stack)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", stack, diff)
		}
	}
}

// TestPackagesFolder: the packages are found from where terraform runs, which is as deep as the root module.
func TestPackagesFolder(t *testing.T) {
	for stack, want := range map[string]string{"main": "../../.gen/packages/lambda", "billing": "../../../.gen/packages/lambda"} {
		if got := PackagesFolder(stack, "lambda"); got != want {
			t.Errorf("%s: %s, want %s", stack, got, want)
		}
	}
}
