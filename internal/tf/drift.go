package tf

import "context"

// Drift plans to bring the state to what the world is, which shows what changed outside of terraform since the last apply. It changes
// neither, not even after an interrupted apply: what that left is not taken in, as [Terraform.Plan] does, and a warning says so.
// Errors are *[Error].
func (t *Terraform) Drift(ctx context.Context) (Plan, error) {
	p, err := t.plan(ctx, PlanOptions{RefreshOnly: true, Out: t.path(planFile)})
	if err == nil && t.interruptedApply() {
		p.Warnings = append(p.Warnings, Diagnostic{
			Severity: SeverityWarning,
			Summary:  "an interrupted apply may have created or changed what the state does not know",
			Detail:   "Apply once more; that takes it in. It may look like drift until then.",
		})
	}
	return p, err
}
