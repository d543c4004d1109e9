package tf

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Apply does what the plan in the file says, and nothing else: it refuses a file that is not the
// one that Plan wrote, and terraform refuses one that the state has moved away from. Errors are
// *[Error]; what was done before a failure is in the state, and what an interrupt cut off is found by the next [Terraform.Plan].
func (t *Terraform) Apply(ctx context.Context, p Plan) (Summary, error) {
	if p.Digest == "" || digestFile(p.File) != p.Digest {
		return Summary{}, fmt.Errorf("%s apply: %s is not the file that was planned; plan again", t.Binary.Product.command(), p.File)
	}
	said, err := t.stream(ctx, "apply", []string{"-json", "-input=false", t.lockTimeoutArg(), p.File})
	if said.exit.orderly && t.ready(ctx) == nil {
		if noteErr := t.applied(err == nil); noteErr != nil {
			return said.summary, errors.Join(err, noteErr)
		}
	}
	return said.summary, err
}

// ApplyConverging is Apply for a plan that may meet what an earlier, killed apply left: resources
// that only their refusal to be created twice names. It takes those into the state, plans again
// with the same options, asks review about the new plan if review is not nil, and applies that.
func (t *Terraform) ApplyConverging(ctx context.Context, p Plan, o PlanOptions, review func(Plan) error) (Summary, error) {
	for {
		sum, err := t.Apply(ctx, p)
		if err == nil || t.ready(ctx) != nil {
			return sum, err
		}
		adopted, adoptErr := t.adopt(ctx, err)
		if adoptErr != nil {
			return sum, errors.Join(err, adoptErr)
		}
		if len(adopted) == 0 {
			return sum, err
		}
		if p, err = t.Plan(ctx, o); err != nil {
			return sum, err
		}
		p.Recovered = append(p.Recovered, adopted...)
		if review != nil {
			if err := review(p); err != nil {
				return sum, err
			}
		}
	}
}

// applied notes that an apply came to its end: what it did is in the state.
func (t *Terraform) applied(success bool) error {
	log := t.path(logDir, "apply.jsonl")
	if err := os.Rename(log, t.path(logDir, "applied.jsonl")); err != nil {
		return fmt.Errorf("noting that the apply ended: %w", err)
	}
	if !success {
		return nil
	}
	if err := remove(t.path(unfinishedFile)); err != nil {
		return fmt.Errorf("noting that the apply ended: %w", err)
	}
	return nil
}
