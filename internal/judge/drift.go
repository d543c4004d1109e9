package judge

import (
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// drift lists what changed outside of terraform. Terraform lists every resource whose state is written in another way after it was read
// again; of these only what a person can see is left, without what another resource of the configuration says and what AWS changes by itself.
func (p *plan) drift(of *tfjson.Plan) []Drift {
	var out []Drift
	state := resourcesOf(of.PriorState)
	for _, r := range of.ResourceDrift {
		if r == nil {
			continue
		}
		d := Drift{Action: Unknown, Address: r.Address, Name: p.name(r.Address), Pos: p.position(r.Address)}
		c, odd := p.change(r)
		switch {
		case odd != "":
		case c.action == Delete:
			d.Action = Delete
		case c.action == Update:
			d.Action = Update
			d.Arguments = slices.DeleteFunc(c.differences(), func(a Argument) bool { return c.elsewhere(a.at.top(), state) || c.byItself(a) })
			if len(d.Arguments) == 0 {
				continue
			}
			d.Pos = c.position(d.Arguments, nil)
		default:
			continue
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b Drift) int { return strings.Compare(a.Address, b.Address) })
	return out
}

// byItself reports whether an argument is one that AWS changes without anybody's doing.
func (c *change) byItself(a Argument) bool {
	switch c.kind() {
	case functionType:
		return a.Path == "last_modified"
	case mappingType:
		return slices.Contains([]string{"last_modified", "last_processing_result", "state", "state_transition_reason"}, a.Path)
	case tableType:
		capacity := strings.HasSuffix(a.Path, "read_capacity") || strings.HasSuffix(a.Path, "write_capacity")
		return capacity && c.plan.options.Scaled != nil && c.plan.options.Scaled(c.resource.Address)
	}
	return false
}

// shared are the arguments that show what another resource made: terraform gives them as changed after it was created, and a change by
// somebody else is the drift of the other one.
var shared = []struct {
	kind, argument string
	// by is the type of the other resource, whose argument to names this one by its own argument.
	by, to, own string
	// element is the other resource's argument that names an element of a list, part the element's own that does; the element itself
	// where that is empty. Without element all of the argument is the other's.
	element, part string
}{
	{kind: "aws_iam_role", argument: "inline_policy", by: "aws_iam_role_policy", to: "role", own: "name", element: "name", part: "name"},
	{kind: "aws_iam_role", argument: "managed_policy_arns", by: "aws_iam_role_policy_attachment", to: "role", own: "name", element: "policy_arn"},
	{kind: "aws_sqs_queue", argument: "policy", by: "aws_sqs_queue_policy", to: "queue_url", own: "id"},
	{kind: "aws_sns_topic", argument: "policy", by: "aws_sns_topic_policy", to: "arn", own: "arn"},
	{kind: "aws_s3_bucket", argument: "policy", by: "aws_s3_bucket_policy", to: "bucket", own: "id"},
	{kind: "aws_kms_key", argument: "policy", by: "aws_kms_key_policy", to: "key_id", own: "key_id"},
	{kind: tableType, argument: "replica", by: "aws_dynamodb_table_replica", to: "global_table_arn", own: "arn"},
}

// elsewhere reports whether all that changed of an argument is what other resources made.
func (c *change) elsewhere(argument string, state map[string][]map[string]any) bool {
	for _, s := range shared {
		if s.kind != c.kind() || s.argument != argument {
			continue
		}
		var others []any
		for _, r := range state[s.by] {
			if own := str(c.will(s.own)); own != "" && r[s.to] == own {
				others = append(others, r[s.element])
			}
		}
		if s.element == "" {
			return len(others) > 0
		}
		before, after := elements(c.was(argument)), elements(c.will(argument))
		removed, added := unmatched(before, after)
		foreign := func(e any) bool {
			if s.part != "" {
				e = at(e, s.part)
			}
			return !slices.ContainsFunc(others, func(o any) bool { return same(o, e) })
		}
		return !slices.ContainsFunc(removed, func(i int) bool { return foreign(before[i]) }) &&
			!slices.ContainsFunc(added, func(i int) bool { return foreign(after[i]) })
	}
	return false
}

// resourcesOf gives the values of the managed resources in a state by type.
func resourcesOf(s *tfjson.State) map[string][]map[string]any {
	out := map[string][]map[string]any{}
	if s == nil || s.Values == nil {
		return out
	}
	var walk func(m *tfjson.StateModule)
	walk = func(m *tfjson.StateModule) {
		if m == nil {
			return
		}
		for _, r := range m.Resources {
			if r != nil && r.Mode == tfjson.ManagedResourceMode {
				out[r.Type] = append(out[r.Type], r.AttributeValues)
			}
		}
		for _, child := range m.ChildModules {
			walk(child)
		}
	}
	walk(s.Values.RootModule)
	return out
}
