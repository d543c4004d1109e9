package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/judge"
	"streamgen/internal/report"
	"streamgen/internal/tf"
)

type driftOptions struct {
	env  environment
	json bool
}

func newDrift(std streams, at func() (string, error)) *cobra.Command {
	var o driftOptions
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Show what changed outside of terraform since the last apply",
		Long: `Compare what the last apply left with what there is now: each resource that was changed or deleted by hand or by another program, and each
argument before and after, with the line of gen.yaml that sets it. Sensitive values are never shown.

It changes nothing, neither in AWS nor in the state. 'gen apply' puts back what gen.yaml says; to keep a change, write it into gen.yaml. What AWS
changes by itself is no drift: what a mapping did last, or capacity that gen.yaml lets it scale.

Exit codes: 0 no drift, 3 drift.`,
		Example: `  gen drift
  gen drift --env prod --json | jq -r '.drift[].address'
  gen drift --env prod || notify      # every night`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runDrift(cmd.Context(), std, start, o)
		},
	}
	o.env.flags(cmd)
	o.env.reconfigureFlag(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// driftReport is the result of a look for drift, as --json prints it: fields are added, never renamed or taken away.
type driftReport struct {
	Environment string        `json:"environment"`
	Drift       []drifted     `json:"drift"`
	Timing      report.Timing `json:"timing"`
}

// drifted is a resource that was changed or deleted outside of terraform.
type drifted struct {
	// Stack is empty in a project without stacks.
	Stack string `json:"stack,omitempty"`
	// Action is update, delete or, where it is not understood, unknown.
	Action  judge.Action `json:"action"`
	Address string       `json:"address"`
	// Name is what the command line calls the resource; empty where it has no name but its address.
	Name      string            `json:"name,omitempty"`
	Arguments []driftedArgument `json:"arguments,omitempty"`
	// Pos is the place in the spec.
	Pos diag.Position `json:"pos,omitzero"`
}

// driftedArgument is an argument as the last apply left it and as it is now. Pos is where the spec sets it, if it does.
type driftedArgument struct {
	judge.Argument
	Pos diag.Position `json:"pos,omitzero"`
}

func runDrift(ctx context.Context, std streams, start string, o driftOptions) error {
	w, err := openWorkplace(ctx, std, start, o.env)
	if err != nil {
		return err
	}
	defer w.close()
	chosen, err := w.chosen()
	if err != nil {
		return err
	}
	out := driftReport{Environment: w.env.name, Drift: []drifted{}}
	var spent time.Duration
	for _, stack := range chosen {
		s, err := w.session(ctx, stack, std)
		if err != nil {
			return err
		}
		list, err := s.drift(ctx)
		if err != nil {
			return err
		}
		out.Drift = append(out.Drift, list...)
		spent += s.terraform.Elapsed()
	}
	out.Timing = report.TimingOf(time.Since(w.begun), spent, w.compile)
	defer std.printf("gen: took %s\n", out.Timing)
	if o.json {
		err = report.JSON(std.out, out)
	} else {
		_, err = std.out.Write(out.text())
	}
	if err == nil && len(out.Drift) > 0 {
		return errPending
	}
	return err
}

// drift looks for what changed outside of terraform in a stack.
func (s *session) drift(ctx context.Context) ([]drifted, error) {
	if err := s.terraform.Init(ctx); err != nil {
		return nil, s.explain(err)
	}
	step := "plan -refresh-only"
	if s.label() != "" {
		step += ", stack " + s.label()
	}
	s.say(step)
	p, err := s.terraform.Drift(ctx)
	if err != nil {
		return nil, s.explain(err)
	}
	if err := s.tell(p); err != nil {
		return nil, err
	}
	judged, err := s.judge(ctx, p, tf.PlanOptions{RefreshOnly: true})
	if err != nil || judged.shown == nil {
		return nil, err
	}
	owners := s.owners()
	var list []drifted
	for _, d := range judged.Judgement.Drift {
		one := drifted{Stack: s.label(), Action: d.Action, Address: d.Address, Name: d.Name, Pos: d.Pos}
		for _, a := range d.Arguments {
			one.Arguments = append(one.Arguments, driftedArgument{Argument: a, Pos: placeOf(owners, d.Address, a.Path)})
		}
		list = append(list, one)
	}
	return list, nil
}

// scaledTables are the tables' entries whose capacity Application Auto Scaling changes, as the spec tells it to.
func scaledTables(files []fileplan.File) map[string]bool {
	scaled := map[string]bool{}
	for _, f := range files {
		if t, isTable := f.View.(fileplan.Table); isTable && len(t.Scalings()) > 0 {
			scaled[t.Name] = true
		}
	}
	return scaled
}

// ownerOf is the entry of a resource, with or without an index.
func ownerOf(owners map[string]fileplan.Owner, address string) fileplan.Owner {
	return owners[index.ReplaceAllString(address, "")]
}

// placeOf is where the spec sets an argument, or what surrounds it.
func placeOf(owners map[string]fileplan.Owner, address, argument string) diag.Position {
	for argument != "" {
		if pos, set := whereIn(owners, address, argument); set {
			return pos
		}
		argument = argument[:max(strings.LastIndexAny(argument, ".["), 0)]
	}
	return diag.Position{}
}

// text tells the drift to people, and the ways out.
func (r driftReport) text() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { b.WriteString(printable(fmt.Sprintf(format, args...)) + "\n") }
	for _, d := range r.Drift {
		what := "changed outside of terraform"
		switch d.Action {
		case judge.Delete:
			what = "deleted outside of terraform"
		case judge.Unknown:
			what += ", in a way that is not understood"
		}
		name, stack := d.Address, ""
		if d.Name != "" {
			name = d.Name
		}
		if d.Stack != "" {
			stack = d.Stack + ": "
		}
		line("%-7s  %s%s: %s%s", d.Action, stack, name, what, inBrackets(d.Pos))
		if kind, _, named := strings.Cut(d.Name, "."); named && d.Action == judge.Delete && slices.Contains(fileplan.DataKinds(), kind) {
			line("  what was in it is gone; 'gen apply' makes an empty one")
		}
		for _, a := range d.Arguments {
			if a.Before == a.After { // both are sensitive
				line("  %s: %s%s", a.Path, a.Before, inBrackets(a.Pos))
				continue
			}
			line("  %s: %s -> %s%s", a.Path, short(a.Before), short(a.After), inBrackets(a.Pos))
		}
	}
	switch len(r.Drift) {
	case 0:
		line("no drift")
		return b.Bytes()
	case 1:
		line("1 resource has drifted")
	default:
		line("%d resources have drifted", len(r.Drift))
	}
	line("'gen apply' puts back what gen.yaml says ('gen plan' shows it first); to keep a change, write it into gen.yaml")
	return b.Bytes()
}

func inBrackets(pos diag.Position) string {
	if pos.IsZero() {
		return ""
	}
	return "  (" + pos.String() + ")"
}

// longestValue is the number of characters that are shown of a value; JSON has all.
const longestValue = 160

func short(value string) string {
	if r := []rune(value); len(r) > longestValue {
		return string(r[:longestValue]) + "…"
	}
	return value
}

// printable replaces what could change what a terminal shows: what others wrote into AWS may be anything.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
