package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"streamgen/internal/judge"
)

// Run is the result of a plan, apply or destroy, as --json prints it: what the plan does, judged, and what became of it.
type Run struct {
	Environment string `json:"environment"`
	// Changed reports whether there is anything to do at all, if only to an output.
	Changed bool `json:"changed"`
	judge.Judgement
	// Streams are tables whose stream takes the place of another, in two steps.
	Streams []Stream `json:"streams,omitempty"`
	// Refused are the guards of findings that nobody named: apply does not apply such a plan.
	Refused []string `json:"refused,omitempty"`
	// Tables are those that destroy deletes, with what is in them.
	Tables []Table `json:"tables,omitempty"`
	// Outputs are the module's outputs after an apply, sensitive ones left out.
	Outputs map[string]json.RawMessage `json:"outputs,omitempty"`
	// Recovered are resources that an interrupted apply had created and that are in the state now.
	Recovered []string `json:"recovered,omitempty"`
	Timing    Timing   `json:"timing"`

	// Allowed are the guards that the user named.
	Allowed map[string]bool `json:"-"`
}

// Stream is a table whose view type changed: step 1 makes its new stream, step 2 moves a mapping there.
type Stream struct {
	Table string `json:"table"`
	// Mapping is the mapping's name, such as "mapping.ship", and Address its address in terraform.
	Mapping string `json:"mapping"`
	Address string `json:"address"`
	// Step is the one that comes next for the mapping.
	Step int `json:"step"`
	// Waits says why the mapping does not move with this plan; empty when it does.
	Waits string `json:"waits,omitempty"`
	// Due is when step 2 may be done, LostAfter when the new stream begins to lose records that nobody has read.
	Due       *time.Time `json:"due,omitempty"`
	LostAfter *time.Time `json:"lost_after,omitempty"`
}

// Table is a table of AWS and how much is in it.
type Table struct {
	Name string `json:"name"`
	// Items is DescribeTable's count, which AWS brings up to date every six hours; -1 when it cannot be had.
	Items int64 `json:"items"`
	// Bytes is the size of all items, likewise.
	Bytes int64 `json:"bytes"`
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

// PlanText prints what the plan does, the worst first, the steps of streams that change, and the sum.
func (r Run) PlanText(w io.Writer, color bool) error {
	var b bytes.Buffer
	for _, t := range r.Tables {
		items := "nobody can say how many items"
		if t.Items >= 0 {
			items = fmt.Sprintf("about %d items, %d bytes", t.Items, t.Bytes)
		}
		fmt.Fprintf(&b, "table %s: %s\n", t.Name, items)
	}
	for _, s := range r.Streams {
		s.text(&b)
	}
	if r.Changed || len(r.Drift) > 0 {
		if err := r.Text(&b, judge.TextOptions{Allowed: r.Allowed, Color: color}); err != nil {
			return err
		}
	} else {
		b.WriteString("no changes\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (s Stream) text(b *bytes.Buffer) {
	switch {
	case s.Waits == "" && s.Step == 1:
		fmt.Fprintf(b, "stream of table %s: %s moves to the new one at once\n", s.Table, s.Mapping)
	case s.Waits == "":
		fmt.Fprintf(b, "stream of table %s: step 2 of 2, %s moves to the new one\n", s.Table, s.Mapping)
	case s.Step == 1:
		fmt.Fprintf(b, "stream of table %s: in two steps, so that no record is lost\n"+
			"  1. now: %s\n"+
			"  2. 'gen apply' again, once the old stream is read to its end and within 24 hours: %s moves to the new one, from its beginning\n"+
			"  to do both at once and lose what is not read yet: --allow-destroy stream.%s\n", s.Table, s.Waits, s.Mapping, s.Table)
	default:
		fmt.Fprintf(b, "stream of table %s: step 2 of 2 is not due, %s stays: %s\n"+
			"  do it with 'gen apply' before %s, when the new stream begins to lose records\n", s.Table, s.Mapping, s.Waits, s.LostAfter.Local().Format(time.DateTime))
	}
}

// DoneText prints what an operation did in one line, what is left to do, and the outputs.
func (r Run) DoneText(w io.Writer, operation string) error {
	var b bytes.Buffer
	c := r.Counts
	parts := []string{fmt.Sprintf("%d added", c.Add), fmt.Sprintf("%d changed", c.Change)}
	if c.Replace > 0 {
		parts = append(parts, fmt.Sprintf("%d replaced", c.Replace))
	}
	fmt.Fprintf(&b, "%s complete: %s, %d removed\n", operation, strings.Join(parts, ", "), c.Destroy)
	for _, s := range r.Streams {
		if s.Waits != "" {
			fmt.Fprintf(&b, "stream of table %s: %s still reads the old stream; 'gen apply' moves it to the new one\n", s.Table, s.Mapping)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Outputs)) {
		outputText(&b, name, r.Outputs[name])
	}
	_, err := w.Write(b.Bytes())
	return err
}

// outputText prints an output, a line for each value in it.
func outputText(b *bytes.Buffer, name string, value json.RawMessage) {
	var object map[string]json.RawMessage
	if json.Unmarshal(value, &object) == nil && object != nil {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			outputText(b, name+"."+key, object[key])
		}
		return
	}
	text := string(value)
	var s string
	if json.Unmarshal(value, &s) == nil && value[0] == '"' {
		text = s
	}
	fmt.Fprintf(b, "%s = %s\n", name, text)
}
