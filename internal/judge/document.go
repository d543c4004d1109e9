package judge

import (
	"errors"
	"fmt"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

const documentType = "aws_iam_policy_document"

// policyAt reads a policy that an argument holds: a text, or blocks that have one each. One that is known only after apply is read from
// the statements that it is made of, as far as they are known.
func (c *change) policyAt(v any, argument string) (policy, error) {
	switch v := v.(type) {
	case hidden:
		return policy{}, errors.New("it is sensitive")
	case unknown:
		return c.plannedPolicy(argument)
	case string:
		return parsePolicy(v)
	case []any:
		all := policy{grants: map[grant]bool{}}
		for _, block := range v {
			one, err := c.policyAt(at(block, "policy"), argument)
			if err != nil {
				return all, err
			}
			for g := range one.grants {
				all.grants[g] = true
			}
		}
		return all, nil
	case nil:
		return parsePolicy("")
	}
	return policy{}, errors.New("it is no text")
}

// plannedPolicy reads the policy that an argument will have from the data source that makes it: one that waits for the ARN of a resource
// that does not exist is read during apply, and the plan has its statements with what is known of them.
func (c *change) plannedPolicy(argument string) (policy, error) {
	config := c.plan.configuration(c.resource)
	if config == nil {
		return policy{}, errors.New("it is known only after apply")
	}
	refers := references(config.Expressions[argument])
	var document *change
	if len(refers) == 1 {
		document = c.document(refers[0])
	}
	if document == nil {
		return policy{}, fmt.Errorf("it is known only after apply, and refers to %s", strings.Join(refers, ", "))
	}
	return document.statements()
}

// document finds the data source that a reference such as data.aws_iam_policy_document.NAME[0].json leads to. One of several instances
// is taken where the reference says which, or by the instance that refers.
func (c *change) document(reference string) *change {
	rest, found := strings.CutPrefix(reference, "data."+documentType+".")
	if !found {
		return nil
	}
	end := strings.IndexAny(rest, ".[")
	if end < 0 {
		return nil
	}
	index := rest[end : end+indexLength(rest[end:])]
	if attribute := rest[end+len(index):]; attribute != ".json" && attribute != ".minified_json" {
		return nil
	}
	if index == "" {
		index = instance(c.resource)
	}
	var candidates []*change
	for _, d := range c.plan.reads {
		r := d.resource
		if r.Type == documentType && r.Name == rest[:end] && r.ModuleAddress == c.resource.ModuleAddress && d.action == read {
			candidates = append(candidates, d)
		}
	}
	for _, d := range candidates {
		if instance(d.resource) == index {
			return d
		}
	}
	if len(candidates) == 1 && instance(candidates[0].resource) == "" {
		return candidates[0]
	}
	return nil
}

// instance is the key of a resource's instance as an address has it.
func instance(r *tfjson.ResourceChange) string {
	if r.Index == nil {
		return ""
	}
	return "[" + text(r.Index) + "]"
}

// statements reads the blocks of the data source (https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document).
func (c *change) statements() (policy, error) {
	for _, merged := range []string{"source_policy_documents", "override_policy_documents", "source_json", "override_json"} {
		if !blank(c.will(merged)) {
			return policy{}, fmt.Errorf("it is known only after apply, and takes statements from %s", merged)
		}
	}
	p := policy{version: str(c.will("version")), grants: map[grant]bool{}}
	if p.version == "" {
		p.version = "2012-10-17"
	}
	statements, known := c.will("statement").([]any)
	if !known {
		return p, errors.New("its statements are known only after apply")
	}
	for i, s := range statements {
		if err := p.addPlanned(s, c.configured(i, len(statements))); err != nil {
			return p, fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return p, nil
}

// configured gives the expressions of a statement, to name what is not known yet; none, where dynamic blocks make it uncertain which
// block it is.
func (c *change) configured(i, statements int) map[string]*tfjson.Expression {
	config := c.plan.configuration(c.resource)
	if config == nil {
		return nil
	}
	e := config.Expressions["statement"]
	if e == nil || e.ExpressionData == nil || len(e.NestedBlocks) != statements {
		return nil
	}
	return e.NestedBlocks[i]
}

func (p *policy) addPlanned(s any, config map[string]*tfjson.Expression) error {
	list := func(argument string) ([]string, error) { return plannedTexts(at(s, argument), config[argument]) }
	either := func(argument, element string) ([]string, error) {
		these, err := list(argument + "s")
		if err != nil {
			return nil, err
		}
		not, err := list("not_" + argument + "s")
		if err != nil || len(not) == 0 {
			return these, err
		}
		return append(these, negated("Not"+element, not)), nil
	}
	actions, err := either("action", "Action")
	if err != nil {
		return err
	}
	resources, err := either("resource", "Resource")
	if err != nil {
		return err
	}
	principals, err := plannedPrincipals(at(s, "principals"))
	if err != nil {
		return err
	}
	not, err := plannedPrincipals(at(s, "not_principals"))
	if err != nil {
		return err
	}
	if len(not) > 0 {
		principals = append(principals, negated("NotPrincipal", not))
	}
	condition, err := plannedCondition(at(s, "condition"))
	if err != nil {
		return err
	}
	effect := str(at(s, "effect"))
	if blank(at(s, "effect")) {
		effect = "Allow"
	}
	if effect != "Allow" && effect != "Deny" {
		return fmt.Errorf("its effect is %s", text(at(s, "effect")))
	}
	return p.addAll(effect, principals, actions, resources, condition)
}

// plannedTexts reads a set of texts; what is not known yet is what the expression refers to.
func plannedTexts(v any, e *tfjson.Expression) ([]string, error) {
	switch v.(type) {
	case hidden:
		return nil, errors.New("a part of it is sensitive")
	case unknown:
		return []string{later(references(e))}, nil
	}
	var out []string
	for _, element := range elements(v) {
		switch element := element.(type) {
		case string:
			out = append(out, strings.ReplaceAll(element, "&{", "${")) // as the data source does
		case unknown:
			out = append(out, later(references(e)))
		default:
			return nil, errors.New("a part of it is sensitive")
		}
	}
	return out, nil
}

func plannedPrincipals(v any) ([]string, error) {
	if isUnknown(v) {
		return []string{unknownText}, nil
	}
	var out []string
	for _, block := range elements(v) {
		names, err := plannedTexts(at(block, "identifiers"), nil)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			out = append(out, principal(str(at(block, "type")), n))
		}
	}
	return out, nil
}

func plannedCondition(v any) (string, error) {
	if isUnknown(v) {
		return unknownText, nil
	}
	operators := map[string]any{}
	for _, block := range elements(v) {
		values, err := plannedTexts(at(block, "values"), nil)
		if err != nil {
			return "", err
		}
		operator, variable := str(at(block, "test")), str(at(block, "variable"))
		tests := entries(operators[operator])
		if tests == nil {
			tests = map[string]any{}
			operators[operator] = tests
		}
		list := elements(tests[variable])
		for _, value := range values {
			list = append(list, value)
		}
		tests[variable] = list
	}
	return conditionOf(operators)
}
