package cli

import (
	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/tf"
)

func newPlan(std streams, at func() (string, error)) *cobra.Command {
	var env environment
	var destroy, asJSON bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would change",
		Long: `Generate and build what is stale, then let the real terraform plan, and show what it would change. Nothing is changed.
The exit code is 3 when there are changes, 0 when there are none.`,
		Example: "  gen plan\n  gen plan --env local",
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			s, err := openSession(cmd.Context(), std, start, env)
			if err != nil {
				return err
			}
			defer s.close()
			plan, run, err := s.plan(cmd.Context(), tf.PlanOptions{Destroy: destroy})
			if err != nil {
				return err
			}
			err = s.finish(run, asJSON, func(r report.Run) error { return r.PlanText(std.out) })
			if err == nil && plan.Changed {
				return errPending
			}
			return err
		},
	}
	env.flags(cmd)
	cmd.Flags().BoolVar(&destroy, "destroy", false, "plan what 'gen destroy' would do")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
