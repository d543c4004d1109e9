package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/tf"
)

type applyOptions struct {
	env          environment
	yes          bool
	json         bool
	allowDestroy []string
}

func newApply(std streams, at func() (string, error)) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Generate, compile, plan and apply",
		Long: `Generate and build what is stale, plan to a file, show the plan, and apply exactly that file with the real terraform.

On AWS it asks before it applies, or wants --yes where there is no terminal. A table, failure queue or bucket that left the spec
lives on, and a plan that deletes or replaces one is refused, until it is named with --allow-destroy or in gen.yaml's destroy. Run again after an interruption, it goes on from there.`,
		Example: `  gen apply --env local
  gen apply
  gen apply --yes --allow-destroy table.orders`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runApply(cmd.Context(), std, start, o)
		},
	}
	o.env.flags(cmd)
	f := cmd.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.StringArrayVar(&o.allowDestroy, "allow-destroy", nil, "let the plan destroy `table.NAME`, queue.HANDLER or bucket.HANDLER and what is in it (repeatable)")
	return cmd
}

func runApply(ctx context.Context, std streams, start string, o applyOptions) error {
	if o.env.name != localEnvironment && !o.yes && !isTerminal(std.in) {
		return usagef("this changes AWS and there is no terminal to ask on: 'gen plan' shows what would change, --yes applies it")
	}
	if _, err := allowedData(o.allowDestroy); err != nil {
		return err
	}
	s, err := openSession(ctx, std, start, o.env, o.allowDestroy...)
	if err != nil {
		return err
	}
	defer s.close()
	allowed, err := allowedData(s.project.spec.Destroy)
	if err != nil {
		return err
	}
	plan, run, err := s.plan(ctx, tf.PlanOptions{})
	if err != nil {
		return err
	}
	if err := run.PlanText(std.err); err != nil {
		return err
	}
	if err := guardData(plan, allowed); err != nil {
		return err
	}
	if plan.Changed {
		if !s.env.local() && !o.yes {
			if err := ask(ctx, std, "Apply this to AWS? Only 'yes' will do: ", "yes"); err != nil {
				return err
			}
		}
		// A plan that takes in what an interrupted apply left has been made anew: its tables are guarded again.
		review := func(again tf.Plan) error {
			run = report.RunOf(s.env.name, again)
			return guardData(again, allowed)
		}
		if err := s.apply(ctx, plan, review); err != nil {
			return err
		}
	}
	if o.json {
		if run.Outputs, err = s.outputs(ctx); err != nil {
			return err
		}
	}
	return s.finish(run, o.json, func(r report.Run) error { return r.DoneText(std.out, "apply") })
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
