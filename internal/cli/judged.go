package cli

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/judge"
	"streamgen/internal/report"
	"streamgen/internal/tf"
)

// judgedPlan is a plan in a file and what it does.
type judgedPlan struct {
	tf.Plan
	judge.Judgement
	// options are those that the plan was made with, shown is what its file says; nil where it was not read.
	options tf.PlanOptions
	shown   *tfjson.Plan
	// switches are streams that take the place of others: their mappings are moved in a step of its own.
	switches []streamSwitch
}

// plan plans and judges. allowed are the names of what the user lets go.
func (s *session) plan(ctx context.Context, o tf.PlanOptions, allowed allowedNames) (judgedPlan, error) {
	s.say("plan")
	p, err := s.judgedPlan(ctx, o)
	if err != nil {
		return judgedPlan{}, err
	}
	switches, err := s.switches(ctx, p, allowed)
	if err != nil {
		return judgedPlan{}, err
	}
	held := map[string]bool{}
	for _, sw := range switches {
		for _, address := range sw.holds {
			held[address] = true
		}
	}
	// The rest of the plan goes on without the mappings that wait.
	switch targets := p.changedBut(held); {
	case len(targets) == len(p.changedBut(nil)):
	case len(targets) == 0:
		p.Changed, p.Judgement = false, judge.Judgement{Findings: []judge.Finding{}, Drift: p.Judgement.Drift}
	default:
		o.Targets = targets
		s.say("plan without the mappings that wait")
		if p, err = s.judgedPlan(ctx, o); err != nil {
			return judgedPlan{}, err
		}
	}
	p.switches = switches
	p.settle()
	return p, nil
}

// judgedPlan makes one plan and judges it.
func (s *session) judgedPlan(ctx context.Context, o tf.PlanOptions) (judgedPlan, error) {
	p, err := s.terraform.Plan(ctx, o)
	if err != nil {
		return judgedPlan{}, s.explain(err)
	}
	if err := s.tell(p); err != nil {
		return judgedPlan{}, err
	}
	if !o.Destroy {
		if err := s.indexes(ctx, p); err != nil {
			return judgedPlan{}, err
		}
	}
	return s.judge(ctx, p, o)
}

// judge reads a plan's file and says what it does.
func (s *session) judge(ctx context.Context, p tf.Plan, o tf.PlanOptions) (out judgedPlan, err error) {
	out = judgedPlan{Plan: p, Judgement: judge.Judgement{Findings: []judge.Finding{}}, options: o}
	// A plan without changes is not read: that would start the provider once more.
	if !p.Changed {
		return out, nil
	}
	if out.shown, err = s.terraform.Show(ctx, p); err != nil {
		return judgedPlan{}, s.explain(err)
	}
	owners, scaled := s.owners(), scaledTables(s.project.files)
	out.Judgement, err = judge.Plan(out.shown, judge.Options{
		Where:  func(address, argument string) (diag.Position, bool) { return whereIn(owners, address, argument) },
		Name:   func(address string) string { return guardName(owners, address) },
		Scaled: func(address string) bool { return scaled[ownerOf(owners, address).Entry] },
	})
	if len(o.Targets) > 0 { // that it is not about everything was our wish
		out.Findings = slices.DeleteFunc(out.Findings, func(f judge.Finding) bool { return f.Code == "incomplete" })
	}
	if !o.RefreshOnly {
		out.Judgement.Drift = slices.DeleteFunc(out.Judgement.Drift, func(d judge.Drift) bool { return !out.concerns(d) })
	}
	return out, err
}

// concerns reports whether a drift bears on what the plan changes. What else differs, 'gen drift' tells: after every apply there is something
// that AWS itself has filled in.
func (p judgedPlan) concerns(d judge.Drift) bool {
	return len(d.Arguments) > 0 && slices.ContainsFunc(p.Findings, func(f judge.Finding) bool { return f.Address == d.Address })
}

// owners gives the entry of the spec that each resource belongs to.
func (s *session) owners() map[string]fileplan.Owner { return fileplan.Owners(s.project.files) }

var index = regexp.MustCompile(`\[[^\]]*\]`)

// whereIn finds the place in the spec of a resource's argument.
func whereIn(owners map[string]fileplan.Owner, address, argument string) (diag.Position, bool) {
	owner, found := owners[index.ReplaceAllString(address, "")]
	if !found || owner.Origin.Pos.IsZero() {
		return diag.Position{}, false
	}
	if argument == "" {
		return owner.Origin.Pos, true
	}
	return keyOf(owner.Origin, index.ReplaceAllString(argument, ""))
}

// guardName is how --allow-destroy names a resource.
func guardName(owners map[string]fileplan.Owner, address string) string {
	if owner, found := owners[index.ReplaceAllString(address, "")]; found {
		return owner.Name
	}
	return fileplan.DataNameOf(address)
}

// changedBut are the addresses of all that the plan changes without the held ones.
func (p judgedPlan) changedBut(held map[string]bool) []string {
	var list []string
	for _, c := range p.Changes {
		if c.Action != tf.NoOp && c.Action != tf.Read && !held[c.Address] {
			list = append(list, c.Address)
		}
	}
	return list
}

// settle puts right what the plan alone cannot know: a mapping that moves to the new stream of its table leaves nothing behind.
func (p *judgedPlan) settle() {
	for i, f := range p.Findings {
		for _, sw := range p.switches {
			if f.Address != sw.mapping || sw.waits != "" {
				continue
			}
			p.Findings[i].Code, p.Findings[i].Severity, p.Findings[i].Guard = "stream-switched", judge.Low, ""
			p.Findings[i].Summary = "moves to the new stream of its table, from the stream's beginning"
			p.Findings[i].Reason = sw.left
		}
	}
	p.Sort()
}

// refuse is an error for what the plan destroys and nobody named.
func (p judgedPlan) refuse(allowed allowedNames) error {
	var lines []string
	for _, f := range p.Unallowed(allowed.of(p.Judgement)) {
		name := f.Name
		if name == "" {
			name = f.Address
		}
		lines = append(lines, fmt.Sprintf("  %s: %s; allow it with --allow-destroy %s", name, f.Summary, f.Guard))
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("%w, so nothing was done:\n%s", errRefused, strings.Join(lines, "\n"))
}

// run is the plan as it is reported.
func (p judgedPlan) run(environment string, allowed allowedNames) report.Run {
	r := report.Run{
		Environment: environment, Judgement: p.Judgement, Changed: p.Changed, Recovered: p.Recovered, Allowed: allowed.of(p.Judgement),
	}
	for _, f := range p.Unallowed(r.Allowed) {
		r.Refused = append(r.Refused, f.Guard)
	}
	for _, s := range p.switches {
		r.Streams = append(r.Streams, s.report())
	}
	return r
}
