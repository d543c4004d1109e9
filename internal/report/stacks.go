package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
)

// Stacks is the result of a plan, apply or destroy of a project with stacks, as --json prints it.
type Stacks struct {
	Environment string `json:"environment"`
	// Stacks are those that were chosen, each after those that it needs.
	Stacks []StackRun `json:"stacks"`
	// Timing is that of the whole run: Terraform is how long any terraform was at work.
	Timing Timing `json:"timing"`
}

// StackRun is what became of one stack.
type StackRun struct {
	Stack  string      `json:"stack"`
	Status StackStatus `json:"status"`
	// Reason says more of a status.
	Reason string `json:"reason,omitempty"`
	// Run is nil for a stack that was not planned.
	*Run
}

// StackStatus is what became of a stack.
type StackStatus string

// What becomes of a stack. An unchanged one is not even planned; one that waits is planned when those that it needs are applied.
const (
	StackPlanned   StackStatus = "planned"
	StackUnchanged StackStatus = "unchanged"
	StackWaits     StackStatus = "waits"
	StackApplied   StackStatus = "applied"
	StackDestroyed StackStatus = "destroyed"
	StackRefused   StackStatus = "refused"
	StackFailed    StackStatus = "failed"
	StackNotBegun  StackStatus = "not begun"
)

// Text prints a section for each stack: what its run has to say by text, or its status in one line.
func (s Stacks) Text(w io.Writer, text func(Run, io.Writer) error) error {
	var b bytes.Buffer
	for _, stack := range s.Stacks {
		if err := stack.Text(&b, text); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Text prints the section of one stack at once.
func (s StackRun) Text(w io.Writer, text func(Run, io.Writer) error) error {
	var b bytes.Buffer
	switch s.Status {
	case StackPlanned, StackApplied, StackDestroyed:
		fmt.Fprintf(&b, "stack %s:\n", s.Stack)
		if s.Reason != "" {
			fmt.Fprintf(&b, "%s\n", s.Reason)
		}
		if err := text(*s.Run, &b); err != nil {
			return err
		}
	default:
		fmt.Fprintf(&b, "stack %s: %s\n", s.Stack, cmp.Or(s.Reason, string(s.Status)))
	}
	_, err := w.Write(b.Bytes())
	return err
}
