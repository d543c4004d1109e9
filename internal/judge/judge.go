// Package judge reads a terraform plan and says what it does to what a user cares about: data that is destroyed, records that no
// handler will see, access that is widened or taken away, what will cost more, and then the rest.
//
// It is pure: a plan as `terraform show -json` gives it goes in, a [Judgement] comes out, the same one for the same plan. A rule is a
// function in the file of its class (data.go, records.go, access.go, cost.go, rest.go) and a line in the table of rules.go. What no
// rule speaks of is listed all the same, and what the package does not understand has to be named before it may be applied.
//
// A sensitive value is cut out of the plan before any rule sees it, so that none can print it.
package judge

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"streamgen/internal/diag"
)

// Options connect a plan with the spec that it was made of. The zero value is usable.
type Options struct {
	// Where gives the place in the spec of a resource's argument, such as "stream_view_type", "ttl[0].attribute_name" or, by the name
	// of the block, "global_secondary_index.by-status" and "replica.eu-west-1". The empty argument asks for the resource's entry. It
	// is asked for the argument first, then for what surrounds it. May be nil.
	Where func(address, argument string) (diag.Position, bool)
	// Name gives the name by which --allow-destroy knows a resource, such as "table.orders"; empty means its address. May be nil.
	Name func(address string) string
	// Scaled reports whether Application Auto Scaling changes a table's capacity, which is no drift then. May be nil.
	Scaled func(address string) bool
}

// Judgement is what a plan does. Its JSON form is stable: fields are added, never renamed or taken away.
type Judgement struct {
	// Findings are in order: by class, then severity, then address. Every managed resource that the plan does anything to has one
	// at least.
	Findings []Finding `json:"findings"`
	// Drift is what changed outside of terraform since the last apply, by address.
	Drift []Drift `json:"drift,omitempty"`
	// Counts are numbers of resources.
	Counts Counts `json:"counts"`
	// Unchanged is the number of managed resources that stay as they are.
	Unchanged int `json:"unchanged"`
}

// Counts are numbers of managed resources. One that is replaced counts under Replace alone; one that is moved or imported and changed
// as well counts under both.
type Counts struct {
	Add     int `json:"add"`
	Change  int `json:"change"`
	Replace int `json:"replace"`
	Destroy int `json:"destroy"`
	Move    int `json:"move"`
	Import  int `json:"import"`
	// Forget counts what leaves the state and lives on.
	Forget int `json:"forget"`
}

// Plan judges a plan. The error is about the plan as a whole: there is none, or its format is not one that this package knows.
func Plan(p *tfjson.Plan, o Options) (Judgement, error) {
	if err := p.Validate(); err != nil {
		return Judgement{}, fmt.Errorf("judging the plan: %w", err)
	}
	var (
		j  = Judgement{Findings: []Finding{}}
		in = newPlan(p, o)
	)
	for i, r := range p.ResourceChanges {
		if c, odd := in.change(r); odd != "" {
			j.Findings = append(j.Findings, in.notUnderstood(r, i, odd))
		} else {
			in.add(c)
		}
	}
	for _, c := range in.changes {
		j.count(c)
		j.Findings = append(j.Findings, judged(c)...)
	}
	j.Findings = append(j.Findings, in.outputs(p.OutputChanges)...)
	j.Findings = append(j.Findings, in.invocations(p.ActionInvocations)...)
	j.Findings = append(j.Findings, in.leftOut(p)...)
	j.Drift = in.drift(p)
	j.Sort()
	return j, nil
}

// Sort puts findings in order, for who changes some of them.
func (j *Judgement) Sort() { slices.SortStableFunc(j.Findings, Finding.compare) }

func (j *Judgement) count(c *change) {
	n := &j.Counts
	switch c.action {
	case Create:
		n.Add++
	case Update:
		n.Change++
	case Replace:
		n.Replace++
	case Delete:
		n.Destroy++
	case Forget:
		n.Forget++
	case noOp:
		if !c.moved() && !c.imported() {
			j.Unchanged++
		}
	}
	if c.moved() {
		n.Move++
	}
	if c.imported() {
		n.Import++
	}
}

// Unallowed gives the findings that stop the plan: those with a guard that the user did not name. A name is the guard as it stands in
// [Finding.Guard], or the same with the resource's address in place of its name.
func (j Judgement) Unallowed(allowed map[string]bool) []Finding {
	var stop []Finding
	for _, f := range j.Findings {
		if f.Guard != "" && !f.allowed(allowed) {
			stop = append(stop, f)
		}
	}
	return stop
}

// WriteJSON writes the judgement for machines, indented, with a line at the end.
func (j Judgement) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

func (f Finding) compare(g Finding) int {
	return cmp.Or(
		slices.Index(classes, f.Class)-slices.Index(classes, g.Class),
		slices.Index(severities, f.Severity)-slices.Index(severities, g.Severity),
		strings.Compare(f.Address, g.Address),
		strings.Compare(f.Deposed, g.Deposed),
		strings.Compare(f.Code, g.Code),
		strings.Compare(f.Summary, g.Summary),
	)
}
