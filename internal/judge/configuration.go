package judge

import (
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// blockName is that of a block of the configuration, which may have many instances.
type blockName struct {
	module     string
	mode       tfjson.ResourceMode
	kind, name string
}

// addModule takes in the blocks of a module and of those in it. The path of a module is the names in its address, each after a slash.
func (p *plan) addModule(path string, m *tfjson.ConfigModule) {
	if m == nil {
		return
	}
	for _, r := range m.Resources {
		if r != nil {
			p.blocks[blockName{path, r.Mode, r.Type, r.Name}] = r
		}
	}
	for name, call := range m.ModuleCalls {
		if call != nil {
			p.addModule(path+"/"+name, call.Module)
		}
	}
}

// configuration finds the block that a resource is made of; nil where there is none any more.
func (p *plan) configuration(r *tfjson.ResourceChange) *tfjson.ConfigResource {
	return p.blocks[blockName{modulePath(r.ModuleAddress), r.Mode, r.Type, r.Name}]
}

// computed reports whether an argument is known only after apply and is not in the configuration: the provider makes it up.
func (c *change) computed(argument string) bool {
	config := c.plan.configuration(c.resource)
	return isUnknown(c.will(argument)) && config != nil && config.Expressions[argument] == nil
}

// configured reports whether a block of the configuration has an argument. In a block of many it is enough that one of them has it.
func configured(expressions map[string]*tfjson.Expression, at path) bool {
	if len(at) == 0 {
		return true
	}
	name, isName := at[0].(string)
	if !isName { // the number of a block
		return configured(expressions, at[1:])
	}
	e := expressions[name]
	switch {
	case e == nil:
		return false
	case e.ExpressionData == nil, len(e.NestedBlocks) == 0, len(at) <= 2:
		return true
	}
	return slices.ContainsFunc(e.NestedBlocks, func(b map[string]*tfjson.Expression) bool { return configured(b, at[1:]) })
}

// modulePath gives the names in a module's address: /a/b of module.a["x.y"].module.b[0].
func modulePath(address string) string {
	var path strings.Builder
	for address != "" {
		rest, found := strings.CutPrefix(address, "module.")
		end := strings.IndexAny(rest, ".[")
		if !found || end < 0 {
			return path.String() + "/" + rest
		}
		path.WriteString("/" + rest[:end])
		address = strings.TrimPrefix(rest[end+indexLength(rest[end:]):], ".")
	}
	return path.String()
}

// indexLength is the length of the instance key, such as [0] or ["a]b"], that a text begins with.
func indexLength(s string) int {
	if !strings.HasPrefix(s, "[") {
		return 0
	}
	quoted := false
	for i := 1; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ']' && !quoted:
			return i + 1
		}
	}
	return len(s)
}

// references are what an argument of a resource refers to, without those that only begin another one: terraform lists "a.b.arn" and
// "a.b" both.
func references(e *tfjson.Expression) []string {
	if e == nil || e.ExpressionData == nil {
		return nil
	}
	all := e.References
	var out []string
	for _, r := range all {
		longer := func(s string) bool { return strings.HasPrefix(s, r+".") || strings.HasPrefix(s, r+"[") }
		if !slices.ContainsFunc(all, longer) && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// known gives an argument's value as a text. For one that is known only after apply it is what the argument refers to.
func (c *change) known(argument string) string {
	v := c.will(argument)
	if !isUnknown(v) {
		return shown(v)
	}
	config := c.plan.configuration(c.resource)
	if config == nil {
		return unknownText
	}
	return later(references(config.Expressions[argument]))
}

// shown is a text as it is, and anything else but nothing as JSON.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return text(v)
}

// later writes what is not known yet.
func later(references []string) string {
	if len(references) == 0 {
		return unknownText
	}
	return strings.Join(references, ", ") + " " + unknownText
}
