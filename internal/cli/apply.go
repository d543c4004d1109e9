package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"streamgen/internal/report"
	"streamgen/internal/tf"
)

type applyOptions struct {
	env          environment
	yes          bool
	json         bool
	plan         string
	stacks       stackOptions
	allowDestroy []string
}

func newApply(std streams, at func() (string, error)) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Generate, compile, plan, judge and apply",
		Long: `Generate and build what is stale, plan to a file, judge the plan and show what it does, the worst first, and apply exactly that file with
the real terraform.

On AWS it asks before it applies, or wants --yes where there is no terminal. A table, queue or bucket that left the spec lives on. Any other plan
that deletes or replaces what holds data, or loses records of a stream, is refused with exit code 4 until that is named with --allow-destroy or in
gen.yaml's destroy. A table whose stream_view_type changes gets its new stream first; its mappings move there with the next apply.

--plan applies a plan that 'gen plan --out' kept, unless the spec, the generated files, the packages or the state have moved since.
Run again after an interruption, apply goes on from there.

The stacks of a project are applied one after the other where one uses tables of another, and at once otherwise. What is as the last apply left it
is not even planned, unless --all. An entry that moved from one stack to another takes its state along. A stack that fails or is refused
keeps others from being begun.`,
		Example: `  gen apply --env local
  gen apply
  gen apply --yes --allow-destroy table.orders
  gen apply --plan release.plan --yes`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runApply(cmd.Context(), std, start, o)
		},
	}
	o.env.flags(cmd)
	o.env.reconfigureFlag(cmd)
	o.env.eventsFlag(cmd)
	o.stacks.flags(cmd)
	f := cmd.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.StringVar(&o.plan, "plan", "", "apply the plan in `FILE`, which 'gen plan --out' kept")
	allowDestroyFlag(f, &o.allowDestroy)
	_ = cmd.MarkFlagFilename("plan")
	return cmd
}

func allowDestroyFlag(f *pflag.FlagSet, to *[]string) {
	f.StringArrayVar(to, "allow-destroy", nil,
		fmt.Sprintf("let the plan destroy `NAME` and what is in it: %s before a dot and the entry, or an address (repeatable)", strings.Join(guardKinds(), ", ")))
}

func runApply(ctx context.Context, std streams, start string, o applyOptions) error {
	if o.env.name != localEnvironment && !o.yes && !isTerminal(std.in) {
		return usagef("this changes AWS and there is no terminal to ask on: 'gen plan' shows what would change, --yes applies it")
	}
	if _, err := allowedData(o.allowDestroy); err != nil {
		return err
	}
	if o.plan != "" && !filepath.IsAbs(o.plan) {
		o.plan = filepath.Join(start, o.plan)
	}
	w, err := openWorkplace(ctx, std, start, o.env, o.allowDestroy...)
	if err != nil {
		return err
	}
	if w.project.stacked() && o.plan == "" {
		defer w.close()
		return w.applyStacks(ctx, o)
	}
	s, err := w.onlySession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := w.settled(ctx); err != nil {
		return err
	}
	run, err := s.applyPlan(ctx, o, func(run report.Run, refusal error, question string) error {
		if err := run.PlanText(std.err, std.color()); err != nil || refusal != nil || question == "" {
			return errors.Join(err, refusal)
		}
		return ask(ctx, std, question, "yes")
	})
	if err != nil {
		return err
	}
	return s.finish(run, o.json, func(r report.Run) error { return r.DoneText(std.out, "apply") })
}

// applyPlan plans, judges, asks and applies. present shows what is planned and, where there is a question, asks; its error ends the apply,
// which it does not allow where there is a refusal.
func (s *session) applyPlan(ctx context.Context, o applyOptions, present func(run report.Run, refusal error, question string) error) (report.Run, error) {
	allowed, err := allowedData(s.project.spec.Destroy) // those of the flag are among them
	if err != nil {
		return report.Run{}, err
	}
	made, err := s.stamp()
	if err != nil {
		return report.Run{}, err
	}
	plan, err := s.planOrKept(ctx, o.plan, allowed)
	if err != nil {
		return report.Run{}, err
	}
	question := ""
	if plan.Changed && !s.env.local() && !o.yes {
		question = "Apply this to AWS? Only 'yes' will do: "
	}
	if err := present(plan.run(s.env.name, allowed), plan.refuse(allowed), question); err != nil {
		return plan.run(s.env.name, allowed), err
	}
	if plan.Changed {
		if err := s.unmoved(made); err != nil {
			return plan.run(s.env.name, allowed), err
		}
		// A plan that takes in what an interrupted apply left has been made anew: it is judged again.
		review := func(again tf.Plan) error {
			judged, err := s.judge(ctx, again, plan.options)
			if err != nil {
				return err
			}
			judged.switches, plan = plan.switches, judged
			plan.settle()
			return plan.refuse(allowed)
		}
		if err := s.apply(ctx, plan, review); err != nil {
			return plan.run(s.env.name, allowed), err
		}
	}
	run := plan.run(s.env.name, allowed)
	run.Outputs, err = s.outputs(ctx)
	return run, err
}

// planOrKept plans, or opens the plan in the file if one is named.
func (s *session) planOrKept(ctx context.Context, file string, allowed allowedNames) (judgedPlan, error) {
	if file == "" {
		return s.plan(ctx, tf.PlanOptions{}, allowed)
	}
	p, options, err := s.kept(file)
	if err != nil {
		return judgedPlan{}, err
	}
	return s.judge(ctx, p, options)
}

// ask wants exactly the expected answer. An interrupt is no answer.
func ask(ctx context.Context, std streams, question, expected string) error {
	std.printf("%s", question)
	answered := make(chan error, 1)
	go func() {
		answer, err := bufio.NewReader(std.in).ReadString('\n')
		switch {
		case strings.TrimSpace(answer) == expected:
			answered <- nil
		case err != nil:
			answered <- fmt.Errorf("nothing was done: reading the answer: %w", err)
		default:
			answered <- fmt.Errorf("nothing was done: the answer was not %q", expected)
		}
	}()
	select {
	case err := <-answered:
		return err
	case <-ctx.Done():
		return fmt.Errorf("nothing was done: %w", ctx.Err())
	}
}
