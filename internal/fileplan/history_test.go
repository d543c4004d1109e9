package fileplan

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/spec"
)

// after gives the history of specs that come one after the other, and what the last one is known to be.
func after(t *testing.T, specs ...*spec.Spec) (*spec.Spec, History) {
	t.Helper()
	var h History
	var known *spec.Spec
	for _, s := range specs {
		next, history, _ := h.Next(s)
		again, same, _ := history.Next(s)
		if d := cmp.Diff(history, same); d != "" {
			t.Errorf("the history of the same spec differs:\n%s", d)
		}
		if d := cmp.Diff(next.Tables, again.Tables); d != "" {
			t.Errorf("the same spec differs:\n%s", d)
		}
		text, err := json.Marshal(history)
		if err != nil {
			t.Fatal(err)
		}
		h, known = History{}, next
		if err := json.Unmarshal(text, &h); err != nil {
			t.Fatal(err)
		}
	}
	return known, h
}

// with is the shop with a failure queue and changes.
func with(change func(s *spec.Spec)) *spec.Spec {
	return shop(func(s *spec.Spec, h *spec.Handler) {
		h.Sources[0].OnFailure = spec.OnFailure{Type: "sqs"}
		change(s)
	})
}

func as(*spec.Spec) {}

func withoutAll(s *spec.Spec) { s.Tables, s.Handlers = nil, nil }

func TestDropped(t *testing.T) {
	tables := func(s *spec.Spec) []string {
		var list []string
		for _, table := range s.Tables {
			list = append(list, DataName("table", table.Name))
		}
		return list
	}(with(as))
	all := append(slices.Clone(tables), "queue.ship")
	for name, c := range map[string]struct {
		specs []*spec.Spec
		want  []string
	}{
		"nothing":     {[]*spec.Spec{with(as), with(as)}, nil},
		"all":         {[]*spec.Spec{with(as), with(withoutAll)}, all},
		"long ago":    {[]*spec.Spec{with(as), with(withoutAll), with(withoutAll)}, all},
		"to destroy":  {[]*spec.Spec{with(as), with(func(s *spec.Spec) { withoutAll(s); s.Destroy = all })}, nil},
		"later":       {[]*spec.Spec{with(as), with(withoutAll), with(func(s *spec.Spec) { withoutAll(s); s.Destroy = tables })}, []string{"queue.ship"}},
		"a queue":     {[]*spec.Spec{with(as), with(func(s *spec.Spec) { s.Handlers[0].Sources[0].OnFailure.Type = "none" })}, []string{"queue.ship"}},
		"to others":   {[]*spec.Spec{with(as), with(func(s *spec.Spec) { s.Tables[0].Existing = true })}, tables[:1]},
		"never ours":  {[]*spec.Spec{with(func(s *spec.Spec) { s.Tables[0].Existing = true }), with(withoutAll)}, all[1:]},
		"taken back":  {[]*spec.Spec{with(as), with(withoutAll), with(func(s *spec.Spec) { imported(s) })}, nil},
		"renamed":     {[]*spec.Spec{with(as), with(renamed)}, nil},
		"renamed, no": {[]*spec.Spec{with(as), with(func(s *spec.Spec) { renamed(s); s.Tables[0].TableName = "other"; s.Tables[0].RenamedFrom = "" })}, tables[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			_, h := after(t, c.specs...)
			want := slices.Sorted(slices.Values(c.want))
			if d := cmp.Diff(want, slices.Sorted(maps.Keys(h.Dropped))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func imported(s *spec.Spec) {
	for i := range s.Tables {
		s.Tables[i].Import = true
	}
}

// renamed gives the entries other keys and leaves their names in AWS.
func renamed(s *spec.Spec) {
	s.Tables[0].Name = "fresh"
	s.Handlers[0].Name = "deliver"
	for i := range s.Handlers[0].Sources {
		if s.Handlers[0].Sources[i].Table == "orders" {
			s.Handlers[0].Sources[i].Table = "fresh"
		}
	}
}

func TestRenamedIsKnown(t *testing.T) {
	for name, specs := range map[string][]*spec.Spec{
		"at once":    {with(as), with(renamed)},
		"remembered": {with(as), with(func(s *spec.Spec) { renamed(s); s.Tables[0].RenamedFrom, s.Handlers[0].RenamedFrom = "orders", "ship" }), with(renamed)},
	} {
		known, _ := after(t, specs...)
		if known.Tables[0].RenamedFrom != "orders" || known.Handlers[0].RenamedFrom != "ship" {
			t.Errorf("%s: renamed from %q and %q", name, known.Tables[0].RenamedFrom, known.Handlers[0].RenamedFrom)
		}
	}
	// The old key is taken again: what moved stays moved, and no address is moved away from what is there.
	known, h := after(t, with(as), with(renamed), with(func(s *spec.Spec) {
		renamed(s)
		s.Tables = append(s.Tables, shopTable("orders"))
		s.Tables[len(s.Tables)-1].TableName = "another"
	}))
	if known.Tables[0].RenamedFrom != "" || len(h.Renamed) != 1 {
		t.Errorf("renamed from %q; %v", known.Tables[0].RenamedFrom, h.Renamed)
	}
}

func TestReadded(t *testing.T) {
	_, h := after(t, with(as), with(withoutAll))
	_, _, findings := h.Next(with(as))
	if len(findings) != 2 || findings[0].Code != "dropped-table" || findings.Failed() {
		t.Errorf("findings %v", findings)
	}
	_, next, _ := h.Next(with(as))
	if _, _, findings := next.Next(with(as)); len(next.Dropped) > 0 || len(findings) > 0 {
		t.Errorf("dropped %v, findings %v", next.Dropped, findings)
	}
	h, unknown := h.Forgetting([]string{"table.orders", "table.gone"})
	if d := cmp.Diff([]string{"table.gone"}, unknown); d != "" {
		t.Error(d)
	}
	_, _, left := h.Next(with(as))
	if len(left) != len(findings)-1 {
		t.Errorf("findings %v", left)
	}
}

// What the module has again is not removed from it.
func TestRemovals(t *testing.T) {
	m := newModule(with(as))
	m.dropped = map[string][]string{
		"table.gone":   {"aws_dynamodb_table.gone", "aws_appautoscaling_target.gone_read"},
		"table.orders": m.Tables[0].Addresses(),
	}
	want := []string{"aws_appautoscaling_target.gone_read", "aws_dynamodb_table.gone"}
	if d := cmp.Diff(want, m.Removals()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestNewStreams: once a table's view type has changed, its mappings begin at the beginning of the new stream, whatever comes after.
func TestNewStreams(t *testing.T) {
	latest := func(view string) *spec.Spec {
		return with(func(s *spec.Spec) {
			s.Tables[0].StreamViewType = view
			s.Handlers[0].Sources[0].Table, s.Handlers[0].Sources[0].StartingPosition = s.Tables[0].Name, "LATEST"
		})
	}
	same, changed := latest("KEYS_ONLY"), latest("NEW_IMAGE")
	renamed := latest("NEW_IMAGE")
	renamed.Tables[0].Name = "other"
	renamed.Handlers[0].Sources[0].Table = "other"
	for name, c := range map[string]struct {
		specs []*spec.Spec
		want  any
	}{
		"new":                        {[]*spec.Spec{same}, "LATEST"},
		"unchanged":                  {[]*spec.Spec{same, same}, "LATEST"},
		"changed":                    {[]*spec.Spec{same, changed}, "TRIM_HORIZON"},
		"changed and back":           {[]*spec.Spec{same, changed, same}, "TRIM_HORIZON"},
		"changed, then renamed":      {[]*spec.Spec{same, changed, renamed}, "TRIM_HORIZON"},
		"changed while renamed":      {[]*spec.Spec{same, renamed}, "TRIM_HORIZON"},
		"changed before it was ours": {[]*spec.Spec{{}, changed}, "LATEST"},
	} {
		t.Run(name, func(t *testing.T) {
			known, _ := after(t, c.specs...)
			var got any
			for _, h := range newModule(known).Handlers {
				for _, a := range h.Mappings()[0].Settings() {
					if a.Name == "starting_position" {
						got = a.Value
					}
				}
			}
			if got != c.want {
				t.Errorf("starting_position %v, want %v", got, c.want)
			}
		})
	}
}
