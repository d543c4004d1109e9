package tf

import (
	"context"
	"fmt"
	"slices"

	tfjson "github.com/hashicorp/terraform-json"
)

// Action is what a plan does with a resource, in terraform's words.
type Action string

// The actions of a plan.
const (
	NoOp    Action = "noop"
	Create  Action = "create"
	Read    Action = "read"
	Update  Action = "update"
	Replace Action = "replace"
	Delete  Action = "delete"
	Move    Action = "move"
	Import  Action = "import"
	// Forget takes a resource out of the state and lets it live.
	Forget Action = "remove"
)

// ResourceChange is what a plan does with one resource, or what it found to differ from the state.
type ResourceChange struct {
	Address string `json:"address"`
	Action  Action `json:"action"`
	// Previous is the address that the resource moves from, Reason why terraform chose the action,
	// such as "cannot_update"; both are often empty.
	Previous string `json:"previous,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// Summary counts resources. A replaced one is counted under Add and under Remove.
type Summary struct {
	Add    int `json:"add"`
	Change int `json:"change"`
	Import int `json:"import"`
	Remove int `json:"remove"`
}

// Plan is a plan in a file, and what it says.
type Plan struct {
	// Changed reports whether applying the plan would do anything at all, if only to an output.
	Changed bool
	Changes []ResourceChange
	// Drift is what changed outside of terraform since the last apply.
	Drift   []ResourceChange
	Summary Summary
	// Warnings are terraform's, and this package's own on recovery.
	Warnings []Diagnostic
	// Recovered are resources that a killed or interrupted apply had created and not recorded, or recorded as
	// tainted. They are in the state now, and as sound as any.
	Recovered []string
	// File is the plan's file, Digest that of its content.
	File, Digest string
}

// PlanOptions choose a plan.
type PlanOptions struct {
	// Destroy plans to delete everything that the state holds.
	Destroy bool
	// RefreshOnly plans to bring the state to what the world is, and to change nothing there.
	RefreshOnly bool
	// Targets are the addresses of the only resources that are planned, with what they depend on; none means all.
	Targets []string
	// Out is the plan's file; empty means plan.tfplan in the work folder.
	Out string
}

// Plan compares the configuration, the state and the world and writes what is to be done to a file.
// It changes nothing in the world. Where an earlier apply was killed, Plan first brings what that
// apply created without recording it into the state, see [Plan.Recovered]. Errors are *[Error].
func (t *Terraform) Plan(ctx context.Context, o PlanOptions) (Plan, error) {
	if o.Out == "" {
		o.Out = t.path(planFile)
	}
	if !t.interruptedApply() {
		return t.plan(ctx, o)
	}
	return t.recover(ctx, o)
}

func (t *Terraform) plan(ctx context.Context, o PlanOptions) (Plan, error) {
	args := []string{"-json", "-input=false", "-detailed-exitcode", t.lockTimeoutArg(), "-out=" + o.Out}
	if o.Destroy {
		args = append(args, "-destroy")
	}
	if o.RefreshOnly {
		args = append(args, "-refresh-only")
	}
	for _, address := range o.Targets {
		args = append(args, "-target="+address)
	}
	if err := remove(o.Out); err != nil {
		return Plan{}, fmt.Errorf("removing the last plan: %w", err)
	}
	said, err := t.stream(ctx, "plan", append(args, t.varArgs()...))
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Changed: said.exit.code == 2, Changes: said.changes, Drift: said.drift, Summary: said.summary,
		Warnings: said.diagnostics, File: o.Out, Digest: digestFile(o.Out),
	}
	p.Warnings = slices.DeleteFunc(p.Warnings, func(d Diagnostic) bool {
		return d.Summary == forgetting || d.Summary == forgettingOne || d.Summary == targeting && len(o.Targets) > 0
	})
	if p.Digest == "" {
		return Plan{}, fmt.Errorf("%s wrote no plan to %s", t.Binary.Product, o.Out)
	}
	return p, nil
}

// Warnings that say nothing new: that a plan is not about everything, which its caller wanted, and that it forgets resources, which is
// one of its changes. OpenTofu gives the last of them once for each resource.
const (
	targeting     = "Resource targeting is in effect"
	forgetting    = "Some objects will no longer be managed by Terraform"
	forgettingOne = "Resource will be removed from the state"
)

// Show reads what a plan's file says, with all values. It starts the providers, which takes seconds.
func (t *Terraform) Show(ctx context.Context, p Plan) (*tfjson.Plan, error) {
	var shown *tfjson.Plan
	err := t.read(ctx, "show", func(ctx context.Context) (err error) {
		shown, err = t.reader.ShowPlanFile(ctx, p.File)
		return err
	})
	return shown, err
}

// tainted are the resources that the plan replaces for no other reason than that their creation did not end well.
func (p Plan) tainted() []string {
	var addresses []string
	for _, c := range p.Changes {
		if c.Action == Replace && c.Reason == "tainted" {
			addresses = append(addresses, c.Address)
		}
	}
	return addresses
}

// creates are the resources that the plan creates.
func (p Plan) creates() []string {
	var addresses []string
	for _, c := range p.Changes {
		if c.Action == Create {
			addresses = append(addresses, c.Address)
		}
	}
	slices.Sort(addresses)
	return addresses
}
