package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"streamgen/internal/tf"
)

// Run is the result of a plan, apply or destroy, as --json prints it.
type Run struct {
	Environment string              `json:"environment"`
	Changes     []tf.ResourceChange `json:"changes"`
	Summary     Counts              `json:"summary"`
	// Changed reports whether there is anything to do at all, if only to an output.
	Changed bool `json:"changed"`
	// Drift is what changed outside of terraform since the last apply.
	Drift []tf.ResourceChange `json:"drift,omitempty"`
	// Outputs are the module's outputs after an apply, sensitive ones left out.
	Outputs map[string]json.RawMessage `json:"outputs,omitempty"`
	// Recovered are resources that an interrupted apply had created and that are in the state now.
	Recovered []string `json:"recovered,omitempty"`
	Timing    Timing   `json:"timing"`
}

// RunOf is what a plan says, without the resources that terraform reads or leaves alone.
func RunOf(environment string, p tf.Plan) Run {
	changes := []tf.ResourceChange{}
	for _, c := range p.Changes {
		if c.Action != tf.NoOp && c.Action != tf.Read {
			changes = append(changes, c)
		}
	}
	return Run{
		Environment: environment, Changes: changes, Summary: countsOf(changes), Changed: p.Changed,
		Drift: p.Drift, Recovered: p.Recovered,
	}
}

// Counts are numbers of resources. A replaced one counts under Replace alone.
type Counts struct {
	Add     int `json:"add"`
	Change  int `json:"change"`
	Replace int `json:"replace"`
	Remove  int `json:"remove"`
	Import  int `json:"import"`
	// Other is what is left: moved and forgotten resources.
	Other int `json:"other"`
}

// Timing says where the time of a run went, in seconds.
type Timing struct {
	Total     float64 `json:"total_seconds"`
	Terraform float64 `json:"terraform_seconds"`
	// Compile is the go command's.
	Compile float64 `json:"compile_seconds"`
	// Own is the rest: what gen did itself.
	Own float64 `json:"own_seconds"`
}

// TimingOf divides the time of a run whose terraform and go commands ran one after the other.
func TimingOf(total, terraform, compile time.Duration) Timing {
	return Timing{
		Total: total.Seconds(), Terraform: terraform.Seconds(), Compile: compile.Seconds(),
		Own: (total - terraform - compile).Seconds(),
	}
}

// String gives the parts in one line.
func (t Timing) String() string {
	return fmt.Sprintf("%.1fs: terraform %.1fs, go %.1fs, gen %.1fs", t.Total, t.Terraform, t.Compile, t.Own)
}

// countsOf counts a plan's changes.
func countsOf(changes []tf.ResourceChange) Counts {
	var c Counts
	for _, change := range changes {
		switch change.Action {
		case tf.Create:
			c.Add++
		case tf.Update:
			c.Change++
		case tf.Replace:
			c.Replace++
		case tf.Delete:
			c.Remove++
		case tf.Import:
			c.Import++
		case tf.Move, tf.Forget:
			c.Other++
		case tf.NoOp, tf.Read:
		}
	}
	return c
}

// order puts first what is worst: what goes or goes away for a moment.
var order = map[tf.Action]int{tf.Delete: 0, tf.Replace: 1, tf.Forget: 2, tf.Update: 3, tf.Create: 4, tf.Import: 5, tf.Move: 6}

// PlanText prints a line per planned change, the worst first, and the sum.
func (r Run) PlanText(w io.Writer) error {
	changes := slices.Clone(r.Changes)
	slices.SortFunc(changes, func(a, b tf.ResourceChange) int {
		if d := order[a.Action] - order[b.Action]; d != 0 {
			return d
		}
		return strings.Compare(a.Address, b.Address)
	})
	var b bytes.Buffer
	for _, d := range r.Drift {
		fmt.Fprintf(&b, "changed outside of terraform: %s (%s)\n", d.Address, planVerb(d.Action))
	}
	for _, c := range changes {
		fmt.Fprintf(&b, "%-8s %s", planVerb(c.Action), c.Address)
		if c.Previous != "" {
			fmt.Fprintf(&b, "  (was %s)", c.Previous)
		}
		if c.Reason != "" {
			fmt.Fprintf(&b, "  (%s)", strings.ReplaceAll(c.Reason, "_", " "))
		}
		b.WriteByte('\n')
	}
	switch {
	case !r.Changed:
		b.WriteString("no changes\n")
	case len(changes) == 0:
		b.WriteString("plan: only outputs change\n")
	default:
		fmt.Fprintf(&b, "plan: %s\n", r.Summary.sentence("to add", "to change", "to replace", "to remove"))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// DoneText prints what an operation did in one line.
func (r Run) DoneText(w io.Writer, operation string) error {
	_, err := fmt.Fprintf(w, "%s complete: %s\n", operation, r.Summary.sentence("added", "changed", "replaced", "removed"))
	return err
}

// planVerb is the action as a person reads it; terraform's "remove" takes a resource out of the state and lets it live.
func planVerb(a tf.Action) string {
	if a == tf.Forget {
		return "forget"
	}
	return string(a)
}

func (c Counts) sentence(add, change, replace, remove string) string {
	parts := []string{fmt.Sprintf("%d %s", c.Add, add), fmt.Sprintf("%d %s", c.Change, change)}
	if c.Replace > 0 {
		parts = append(parts, fmt.Sprintf("%d %s", c.Replace, replace))
	}
	return strings.Join(append(parts, fmt.Sprintf("%d %s", c.Remove, remove)), ", ")
}
