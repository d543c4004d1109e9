package judge

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// grant is the smallest thing that a policy says: one effect for one action on one resource
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html). Sids and the order of statements mean nothing.
type grant struct {
	effect, principal, action, resource, condition string
	// later says that the resource is known only after apply.
	later bool
}

// policy is what a policy document says.
type policy struct {
	version string
	grants  map[grant]bool
}

// maxGrants is more than any policy that AWS takes has (the largest, of 20 KiB, have some thousands).
const maxGrants = 20_000

// parsePolicy reads a policy document. What it does not understand is an error: nobody is told less than there is.
func parsePolicy(document string) (policy, error) {
	p := policy{grants: map[grant]bool{}}
	if strings.TrimSpace(document) == "" {
		return p, nil
	}
	var root map[string]any
	if err := json.Unmarshal([]byte(document), &root); err != nil {
		return p, errors.New("it is no JSON object")
	}
	for key := range root {
		if !slices.Contains([]string{"Version", "Id", "Statement"}, key) {
			return p, fmt.Errorf("it has the element %q", key)
		}
	}
	p.version = str(root["Version"])
	for i, s := range oneOrMore(root["Statement"]) {
		statement, ok := s.(map[string]any)
		if !ok {
			return p, fmt.Errorf("statement %d is no object", i+1)
		}
		if err := p.add(statement); err != nil {
			return p, fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return p, nil
}

func (p *policy) add(s map[string]any) error {
	known := []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	for key := range s {
		if !slices.Contains(known, key) {
			return fmt.Errorf("it has the element %q", key)
		}
	}
	effect := str(s["Effect"])
	if effect != "Allow" && effect != "Deny" {
		return fmt.Errorf("its effect is %s", text(s["Effect"]))
	}
	actions, err := elementOf(s, "Action")
	if err != nil {
		return err
	}
	if len(actions) == 0 {
		return errors.New("it has no action")
	}
	resources, err := elementOf(s, "Resource")
	if err != nil {
		return err
	}
	principals, err := principalsOf(s)
	if err != nil {
		return err
	}
	condition, err := conditionOf(s["Condition"])
	if err != nil {
		return err
	}
	return p.addAll(effect, principals, actions, resources, condition)
}

// addAll adds every combination.
func (p *policy) addAll(effect string, principals, actions, resources []string, condition string) error {
	principals, resources = atLeastOne(principals), atLeastOne(resources)
	if len(p.grants)+len(principals)*len(actions)*len(resources) > maxGrants {
		return fmt.Errorf("it has more than %d combinations of action and resource", maxGrants)
	}
	for _, principal := range principals {
		for _, action := range actions {
			for _, resource := range resources {
				p.grants[grant{
					effect: effect, principal: principal, action: action, resource: resource, condition: condition,
					later: strings.HasSuffix(resource, unknownText),
				}] = true
			}
		}
	}
	return nil
}

func atLeastOne(list []string) []string {
	if len(list) == 0 {
		return []string{""}
	}
	return list
}

// oneOrMore reads what may be one value or a list of them.
func oneOrMore(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func stringsOf(v any) ([]string, error) {
	var out []string
	for _, e := range oneOrMore(v) {
		s, ok := e.(string)
		if !ok {
			return nil, fmt.Errorf("%s is no text", text(e))
		}
		out = append(out, s)
	}
	return out, nil
}

// elementOf reads Action or Resource; their opposites are one text each.
func elementOf(s map[string]any, key string) ([]string, error) {
	list, err := stringsOf(s[key])
	if err != nil {
		return nil, err
	}
	not, err := stringsOf(s["Not"+key])
	if err != nil {
		return nil, err
	}
	if len(not) == 0 {
		return list, nil
	}
	if len(list) > 0 {
		return nil, fmt.Errorf("it has both %s and Not%s", key, key)
	}
	return []string{negated("Not"+key, not)}, nil
}

func negated(key string, list []string) string {
	return key + " " + strings.Join(slices.Sorted(slices.Values(list)), ", ")
}

func isNegated(s string) bool {
	return strings.HasPrefix(s, "NotAction ") || strings.HasPrefix(s, "NotResource ") || strings.HasPrefix(s, "NotPrincipal ")
}

func principalsOf(s map[string]any) ([]string, error) {
	list, err := principals(s["Principal"])
	if err != nil {
		return nil, err
	}
	not, err := principals(s["NotPrincipal"])
	if err != nil {
		return nil, err
	}
	if len(not) == 0 {
		return list, nil
	}
	return append(list, negated("NotPrincipal", not)), nil
}

// principals reads "*" or names by kind. Any principal of AWS is anybody, too.
func principals(v any) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		if v != "*" {
			return nil, fmt.Errorf("its principal is %s", text(v))
		}
		return []string{"*"}, nil
	case map[string]any:
		var out []string
		for _, kind := range slices.Sorted(maps.Keys(v)) {
			names, err := stringsOf(v[kind])
			if err != nil {
				return nil, err
			}
			for _, n := range names {
				out = append(out, principal(kind, n))
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("its principal is %s", text(v))
}

func principal(kind, name string) string {
	if name == "*" && (kind == "AWS" || kind == "*") {
		return "*"
	}
	return kind + " " + name
}

// conditionOf writes conditions as JSON whose values are sorted lists of texts: {"StringEquals":{"aws:SourceAccount":["1"]}}.
func conditionOf(v any) (string, error) {
	if blank(v) {
		return "", nil
	}
	operators, ok := v.(map[string]any)
	if !ok {
		return "", errors.New("its condition is no object")
	}
	out := map[string]map[string][]string{}
	for operator, tests := range operators {
		tests, ok := tests.(map[string]any)
		if !ok {
			return "", errors.New("its condition is no object of objects")
		}
		out[operator] = map[string][]string{}
		for key, values := range tests {
			var list []string
			for _, value := range oneOrMore(values) {
				if s, ok := value.(string); ok {
					list = append(list, s)
				} else {
					list = append(list, text(value))
				}
			}
			slices.Sort(list)
			out[operator][key] = list
		}
	}
	return text(out), nil
}

// within reports whether another grant says at least as much: the same effect, for the same principal or anybody, under the same condition
// or none, on patterns that match all that these match.
func (g grant) within(wide grant) bool {
	return g.effect == wide.effect && (g.principal == wide.principal || wide.principal == "*") &&
		(g.condition == wide.condition || wide.condition == "") && !g.later &&
		matches(strings.ToLower(wide.action), strings.ToLower(g.action)) && matches(wide.resource, g.resource)
}

// matches reports whether a pattern with * and ? matches everything that another pattern matches. It may say no too often.
func matches(pattern, s string) bool {
	if isNegated(pattern) || isNegated(s) {
		return pattern == s
	}
	var p, i, star, mark = 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == s[i] || pattern[p] == '?' && s[i] != '*'):
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// wide reports whether a grant allows more than its author may have had in mind: anything of a service or of all, on anything, or by
// anybody. self is of a policy of one resource, where the resource
// "*" is that one.
func (g grant) wide(self bool) bool {
	if g.effect != "Allow" {
		return false
	}
	return g.action == "*" || strings.HasSuffix(g.action, ":*") || isNegated(g.action) || isNegated(g.resource) || isNegated(g.principal) ||
		g.resource == "*" && !self || g.principal == "*" && g.condition == ""
}

// comparison is what changes from one policy to another.
type comparison map[GrantChange][]grant

// compare tells new grants from old ones. A grant that was there as a part of a wider one is kept, and so is none gone of which a wider
// one stays. A grant on a resource that is known only after apply may be any that there is with the same action.
func compare(before, after policy) comparison {
	c := comparison{}
	onlyBefore, onlyAfter := without(before.grants, after.grants), without(after.grants, before.grants)
	was, open := map[grant]bool{}, map[grant]bool{}
	for _, g := range onlyBefore {
		was[g.anywhere()] = true
	}
	for _, g := range onlyAfter {
		switch {
		case g.later && was[g.anywhere()]:
			open[g.anywhere()] = true
			c[Unresolved] = append(c[Unresolved], g)
		case part(g, before.grants, len(onlyAfter)):
			c[Kept] = append(c[Kept], g)
		default:
			c[New] = append(c[New], g)
		}
	}
	for _, g := range onlyBefore {
		if !open[g.anywhere()] && !part(g, after.grants, len(onlyBefore)) {
			c[Gone] = append(c[Gone], g)
		}
	}
	return c
}

func without(a, b map[grant]bool) []grant {
	var out []grant
	for g := range a {
		if !b[g] {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, grant.compare)
	return out
}

// anywhere is the grant without its resource.
func (g grant) anywhere() grant {
	g.resource, g.later = "", false
	return g
}

// part reports whether one of many grants is within one of others; not, where there are too many to look.
func part(g grant, others map[grant]bool, many int) bool {
	if many*len(others) > 1_000_000 {
		return false
	}
	for o := range others {
		if g.within(o) {
			return true
		}
	}
	return false
}

func (g grant) compare(h grant) int {
	return slices.Compare(
		[]string{g.effect, g.principal, g.condition, g.resource, g.action},
		[]string{h.effect, h.principal, h.condition, h.resource, h.action})
}

// list puts grants together that differ in their action alone, then those that differ in their resource alone.
func (c comparison) list() []Grant {
	var out []Grant
	for _, change := range []GrantChange{New, Gone, Unresolved, Kept} {
		byActions := map[string]int{}
		for _, g := range sameButActions(change, c[change]) {
			key := fmt.Sprintln(g.Effect, g.Principal, g.Condition, text(g.Actions), len(g.Resources))
			if i, found := byActions[key]; found {
				out[i].Resources = append(out[i].Resources, g.Resources...)
				continue
			}
			byActions[key] = len(out)
			out = append(out, g)
		}
	}
	return out
}

// sameButActions relies on the order of grants, in which actions come last.
func sameButActions(change GrantChange, grants []grant) []Grant {
	var out []Grant
	var last grant
	for i, g := range grants {
		this := g
		this.action = ""
		if i > 0 && this == last {
			n := len(out) - 1
			out[n].Actions = append(out[n].Actions, g.action)
			continue
		}
		last = this
		next := Grant{Change: change, Effect: g.effect, Principal: g.principal, Condition: g.condition, Actions: []string{g.action}}
		if g.resource != "" {
			next.Resources = []string{g.resource}
		}
		out = append(out, next)
	}
	return out
}
