package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/tf"
)

type planOptions struct {
	env          environment
	destroy      bool
	json         bool
	out          string
	allowDestroy []string
	stacks       stackOptions
}

func newPlan(std streams, at func() (string, error)) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would change, the worst first",
		Long: `Generate and build what is stale, let the real terraform plan, and judge the plan: data that is destroyed, records that are lost or
skipped, access that is widened or taken away, cost and capacity, then the rest; each with its reason and its line of gen.yaml. Nothing is changed.

The exit code is 0 when there are no changes, 3 when there are, and 4 when apply would refuse them: what holds data, or loses records, has to be
named with --allow-destroy. A stream whose view type changes is replaced in two steps, which the plan explains.

--out keeps the plan in a file; 'gen apply --plan' applies exactly that, unless anything has moved since.`,
		Example: `  gen plan
  gen plan --env local
  gen plan --out release.plan && gen apply --plan release.plan --yes
  gen plan --json | jq '.findings[] | select(.class == "data")'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runPlan(cmd.Context(), std, start, o)
		},
	}
	o.env.flags(cmd)
	o.env.reconfigureFlag(cmd)
	o.env.eventsFlag(cmd)
	o.stacks.flags(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.destroy, "destroy", false, "plan what 'gen destroy' would do")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.StringVar(&o.out, "out", "", "keep the plan in `FILE`, and what it was made of in FILE.json")
	allowDestroyFlag(f, &o.allowDestroy)
	cmd.MarkFlagsMutuallyExclusive("destroy", "out")
	_ = cmd.MarkFlagFilename("out")
	return cmd
}

func runPlan(ctx context.Context, std streams, start string, o planOptions) error {
	if _, err := allowedData(o.allowDestroy); err != nil {
		return err
	}
	w, err := openWorkplace(ctx, std, start, o.env, o.allowDestroy...)
	if err != nil {
		return err
	}
	if w.project.stacked() && o.out == "" {
		defer w.close()
		return w.planStacks(ctx, o)
	}
	s, err := w.onlySession(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := w.settled(ctx); err != nil {
		return err
	}
	allowed, err := allowedData(s.project.spec.Destroy)
	if err != nil {
		return err
	}
	options := tf.PlanOptions{Destroy: o.destroy}
	if o.out != "" {
		if options.Out = o.out; !filepath.IsAbs(o.out) {
			options.Out = filepath.Join(start, o.out)
		}
	}
	plan, err := s.plan(ctx, options, allowed)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := s.keep(plan); err != nil {
			return err
		}
	}
	run := plan.run(s.env.name, allowed)
	if o.destroy {
		run.Refused = nil // destroy asks for the project's name instead
		if run.Tables, err = s.tablesOf(ctx, plan); err != nil {
			return err
		}
	}
	err = s.finish(run, o.json, func(r report.Run) error { return r.PlanText(std.out, std.colorOut()) })
	switch {
	case err != nil:
		return err
	case len(run.Refused) > 0:
		return errWouldRefuse
	case plan.Changed:
		return errPending
	}
	return nil
}
