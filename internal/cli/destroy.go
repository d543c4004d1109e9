package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/tf"
)

type destroyOptions struct {
	env     environment
	confirm string
	json    bool
	stacks  stackOptions
}

func newDestroy(std streams, at func() (string, error)) *cobra.Command {
	var o destroyOptions
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Delete everything that apply made, with all items",
		Long: `Delete everything that the environment's state holds: tables with all their items, functions, logs.

On AWS it asks for the project's name, or wants it with --confirm where there is no terminal; and AWS itself refuses to
delete a table whose deletion protection is on.`,
		Example: "  gen destroy --env local\n  gen destroy --confirm orders",
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runDestroy(cmd.Context(), std, start, o)
		},
	}
	o.env.flags(cmd)
	o.env.reconfigureFlag(cmd)
	o.env.eventsFlag(cmd)
	o.stacks.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.confirm, "confirm", "", "the `PROJECT`'s name, instead of being asked for it")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

func runDestroy(ctx context.Context, std streams, start string, o destroyOptions) error {
	if o.env.name != localEnvironment && o.confirm == "" && !isTerminal(std.in) {
		return usagef("this deletes tables on AWS and there is no terminal to ask on: 'gen plan --destroy' shows what, --confirm PROJECT does it")
	}
	if o.confirm != "" {
		p, err := loadSpec(start, findingsText)
		if err != nil {
			return err
		}
		if o.confirm != p.spec.Project {
			return usagef("--confirm %s: the project's name is %s", o.confirm, p.spec.Project)
		}
	}
	w, err := openWorkplace(ctx, std, start, o.env)
	if err != nil {
		return err
	}
	if w.project.stacked() {
		defer w.close()
		return w.destroyStacks(ctx, o)
	}
	s, err := w.onlySession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	plan, err := s.plan(ctx, tf.PlanOptions{Destroy: true}, nil)
	if err != nil {
		return err
	}
	run := plan.run(s.env.name, nil)
	if run.Tables, err = s.tablesOf(ctx, plan); err != nil {
		return err
	}
	if err := run.PlanText(std.err, std.color()); err != nil {
		return err
	}
	if plan.Changed {
		if !s.env.local() && o.confirm == "" {
			if err := ask(ctx, std, destroyQuestion, s.project.spec.Project); err != nil {
				return err
			}
		}
		if err := s.destroy(ctx, plan); err != nil {
			return err
		}
	} else if err := s.nothingLeft(ctx); err != nil {
		return err
	}
	return s.finish(run, o.json, func(r report.Run) error {
		if err := r.DoneText(std.out, "destroy"); err != nil {
			return err
		}
		_, err := fmt.Fprintln(std.out, "nothing left")
		return err
	})
}

const destroyQuestion = "This deletes the above, tables with all their items. The project's name, to confirm: "

// destroy applies a plan that deletes everything.
func (s *session) destroy(ctx context.Context, p judgedPlan) error {
	s.say("destroy")
	s.progress.expect(s.label(), p.Summary)
	if _, err := s.terraform.Apply(ctx, p.Plan); err != nil {
		return s.explain(err)
	}
	return s.nothingLeft(ctx)
}

// nothingLeft is an error when the state still has resources.
func (s *session) nothingLeft(ctx context.Context) error {
	left, err := s.terraform.Resources(ctx)
	if err != nil {
		return s.explain(err)
	}
	if len(left) > 0 {
		return fmt.Errorf("destroy left %s", strings.Join(left, ", "))
	}
	return nil
}
