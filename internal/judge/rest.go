package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// codeChanged is about new code of a function: the commonest change of all.
func codeChanged(c *change) []Finding {
	arguments := []string{"source_code_hash", "code_sha256", "filename", "image_uri", "s3_bucket", "s3_key", "s3_object_version"}
	if c.action != Update || !slices.ContainsFunc(arguments, func(a string) bool { return c.changes(a) }) {
		return nil
	}
	return []Finding{c.finding(Rest, "code-changed", Low, "new code", arguments...)}
}

// unclaimed is about what no rule spoke of: the rest of an update, or the whole of anything else.
func unclaimed(c *change, found []Finding) []Finding {
	if slices.ContainsFunc(found, func(f Finding) bool { return f.whole }) {
		return nil
	}
	switch c.action {
	case noOp:
		return unmoved(c)
	case Create:
		return []Finding{c.entire(Rest, "created", Low, "is created")}
	case Delete:
		if c.kept() {
			return []Finding{c.entire(Rest, "forgotten", Medium, "lives on, no longer managed").because("skip_destroy is set.")}
		}
		return []Finding{c.entire(Rest, "deleted", Medium, "is deleted").because(c.why())}
	case Forget:
		f := c.entire(Rest, "forgotten", Medium, "lives on, no longer managed")
		if h, holds, _ := held(c.kind()); holds {
			f = f.because(fmt.Sprintf("Terraform forgets %s; nothing is destroyed.", h.what))
		}
		return []Finding{f}
	case Replace:
		return []Finding{c.entire(Rest, "replaced", Medium, "is replaced").because(c.why(), c.order())}
	}
	return updated(c, found)
}

// updated is about the arguments of an update that no rule claimed. An update of which nothing is left to see has no finding where rules
// found something, and one that says so where none did.
func updated(c *change, found []Finding) []Finding {
	claimed := map[string]bool{}
	for _, f := range found {
		for _, a := range f.claims {
			claimed[a] = true
		}
	}
	var left []string
	for _, a := range c.differences() {
		if top := a.at.top(); !claimed[top] && !slices.Contains(left, top) {
			left = append(left, top)
		}
	}
	switch {
	case len(left) == 1 && left[0] == "": // the resource as a whole is sensitive
		return []Finding{c.entire(Rest, "updated", Low, "is changed")}
	case len(left) > 0:
		return []Finding{c.finding(Rest, "updated", Low, "changes "+strings.Join(left, ", "), left...)}
	case len(found) > 0:
		return nil
	}
	return []Finding{c.entire(Rest, "updated", Low, "changes only what AWS computes, or what terraform holds to be sensitive")}
}

// unmoved is about a resource that changes its address, or comes into the state, and stays as it is.
func unmoved(c *change) []Finding {
	var out []Finding
	if c.moved() {
		f := c.entire(Rest, "moved", Low, "moves here from "+c.resource.PreviousAddress+" and stays as it is")
		f.Action = Move
		out = append(out, f)
	}
	if c.imported() {
		f := c.entire(Rest, "imported", Low, "comes into the state and stays as it is")
		f.Action = Import
		out = append(out, f)
	}
	return out
}

// notUnderstood makes a finding that has to be named of what this package cannot judge.
func (p *plan) notUnderstood(r *tfjson.ResourceChange, i int, odd string) Finding {
	if r == nil {
		r = &tfjson.ResourceChange{}
	}
	f := p.finding(r, Data, "not-understood", High, Unknown, "what terraform would do is not understood: "+odd)
	if f.Address == "" {
		f.Address = fmt.Sprintf("resource_changes[%d]", i)
	}
	return f.because("It may destroy data: look at the plan by terraform itself.").guarded("")
}

// outputs are those of the root module.
func (p *plan) outputs(changes map[string]*tfjson.Change) []Finding {
	var out []Finding
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		ch := changes[name]
		if ch == nil || ch.Actions.NoOp() {
			continue
		}
		action, _, _ := actionOf(ch.Actions)
		f := Finding{Class: Rest, Code: "output", Severity: Low, Action: action, Address: "output." + name, Summary: "the output changes"}
		switch action {
		case Create:
			f.Summary = "a new output"
		case Delete:
			f.Summary = "the output goes"
		}
		before := seal(ch.Before, ch.BeforeSensitive, ch.AfterSensitive, nil)
		after := seal(ch.After, ch.AfterSensitive, ch.BeforeSensitive, ch.AfterUnknown)
		f.Arguments = differences(path{"value"}, before, after)
		f.Pos = p.position(f.Address)
		out = append(out, f)
	}
	return out
}

// invocations are actions of providers that terraform runs along with the changes
// (https://developer.hashicorp.com/terraform/language/block/action). What they do is not in the plan.
func (p *plan) invocations(actions []*tfjson.ActionInvocation) []Finding {
	var out []Finding
	for _, a := range actions {
		if a == nil {
			continue
		}
		summary := "runs the provider's action " + a.Type
		if t := a.LifecycleActionTrigger; t != nil {
			summary += fmt.Sprintf(", %s of %s", t.ActionTriggerEvent, t.TriggeringResourceAddress)
		}
		out = append(out, Finding{
			Class: Rest, Code: "action-invoked", Severity: Medium, Action: Invoke, Address: a.Address, Name: p.name(a.Address), Summary: summary,
			Reason: "What it does is not in the plan.", Pos: p.position(a.Address),
		})
	}
	return out
}

// knownFormat is the newest minor version of the plan's format that this package was written against.
const knownFormat = "1.2"

// leftOut is about what a plan does not do, or may do without being judged.
func (p *plan) leftOut(of *tfjson.Plan) []Finding {
	var out []Finding
	for _, d := range of.DeferredChanges {
		if d == nil || d.ResourceChange == nil {
			continue
		}
		f := p.finding(d.ResourceChange, Rest, "deferred", Medium, Defer, "is left to a later plan: "+strings.ReplaceAll(d.Reason, "_", " "))
		out = append(out, f)
	}
	whole := func(code, summary string) {
		out = append(out, Finding{Class: Rest, Code: code, Severity: Medium, Action: Defer, Address: "plan", Summary: summary})
	}
	if of.Complete != nil && !*of.Complete {
		whole("incomplete", "the plan leaves something out, since it has targets or deferred changes; plan again after the apply")
	}
	if newer(of.FormatVersion) {
		whole("format-newer", fmt.Sprintf("the plan is of format %s; what it has beyond %s is not judged", of.FormatVersion, knownFormat))
	}
	return out
}

func newer(format string) bool {
	var minor int
	_, err := fmt.Sscanf(format, "1.%d", &minor)
	return err == nil && minor > 2
}
