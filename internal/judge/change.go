package judge

import (
	"fmt"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"streamgen/internal/diag"
)

// plan is what rules may look at beside the resource that they judge.
type plan struct {
	options Options
	// blocks are the configuration's, by module and address.
	blocks map[blockName]*tfjson.ConfigResource
	// changes are those of managed resources, also of those that stay as they are.
	changes []*change
	// functions are the Lambda functions that there are, by name; mappings are the event source mappings.
	functions map[string]*change
	mappings  []*change
	// reads are data sources that are read during apply, since something they need is not known before.
	reads []*change
}

func newPlan(p *tfjson.Plan, o Options) *plan {
	in := &plan{options: o, blocks: map[blockName]*tfjson.ConfigResource{}, functions: map[string]*change{}}
	if p.Config != nil {
		in.addModule("", p.Config.RootModule)
	}
	return in
}

// add takes in a change that is understood.
func (p *plan) add(c *change) {
	switch c.resource.Mode {
	case tfjson.ManagedResourceMode:
		p.changes = append(p.changes, c)
		switch name := str(c.was("function_name")); {
		case c.kind() == mappingType:
			p.mappings = append(p.mappings, c)
		case c.kind() == functionType && name != "" && c.resource.DeposedKey == "":
			p.functions[name] = c
		}
	case tfjson.DataResourceMode:
		p.reads = append(p.reads, c)
	}
}

// change is what happens to one resource, without anything sensitive.
type change struct {
	plan     *plan
	resource *tfjson.ResourceChange
	action   Action
	// createFirst and oldLives say how a replacement goes about it.
	createFirst, oldLives bool
	before, after         any

	// different is filled by differences.
	different []Argument
	compared  bool
}

// change reads one change of the plan; odd says what is not understood about it.
func (p *plan) change(r *tfjson.ResourceChange) (c *change, odd string) {
	if r == nil || r.Change == nil {
		return nil, "it says nothing of a change"
	}
	c = &change{plan: p, resource: r}
	if c.action, c.createFirst, c.oldLives = actionOf(r.Change.Actions); c.action == Unknown {
		return nil, "the actions " + actionWords(r.Change.Actions)
	}
	may := map[tfjson.ResourceMode][]Action{
		tfjson.ManagedResourceMode: {noOp, Create, Update, Replace, Delete, Forget},
		tfjson.DataResourceMode:    {noOp, read, Delete}, // a data source leaves the state by being deleted
		ephemeral:                  {noOp, read, open},
	}
	if actions, known := may[r.Mode]; !known {
		return nil, "the mode " + text(r.Mode)
	} else if !slices.Contains(actions, c.action) {
		return nil, fmt.Sprintf("the action %s for a resource of mode %s", c.action, r.Mode)
	}
	c.before = seal(r.Change.Before, r.Change.BeforeSensitive, r.Change.AfterSensitive, nil)
	c.after = seal(r.Change.After, r.Change.AfterSensitive, r.Change.BeforeSensitive, r.Change.AfterUnknown)
	return c, ""
}

const (
	read Action = "read"
	// open is OpenTofu's, for resources that leave no trace in the state.
	open      Action              = "open"
	ephemeral tfjson.ResourceMode = "ephemeral"
)

// actionOf names the actions of a plan (https://developer.hashicorp.com/terraform/internals/json-format#change-representation).
func actionOf(actions tfjson.Actions) (a Action, createFirst, oldLives bool) {
	switch {
	case actions.NoOp():
		return noOp, false, false
	case actions.Create():
		return Create, false, false
	case actions.Read():
		return read, false, false
	case actions.Update():
		return Update, false, false
	case actions.Delete():
		return Delete, false, false
	case actions.Forget():
		return Forget, false, false
	case actions.DestroyBeforeCreate():
		return Replace, false, false
	case actions.CreateBeforeDestroy():
		return Replace, true, false
	case slices.Equal(actions, tfjson.Actions{tfjson.ActionCreate, tfjson.ActionForget}):
		return Replace, true, true
	case slices.Equal(actions, tfjson.Actions{tfjson.ActionForget, tfjson.ActionCreate}):
		return Replace, false, true
	case slices.Equal(actions, tfjson.Actions{tfjson.Action(open)}):
		return open, false, false
	}
	return Unknown, false, false
}

func actionWords(actions tfjson.Actions) string {
	words := make([]string, len(actions))
	for i, a := range actions {
		words[i] = string(a)
	}
	return text(words)
}

func (c *change) kind() string   { return c.resource.Type }
func (c *change) moved() bool    { return c.resource.PreviousAddress != "" }
func (c *change) imported() bool { return c.resource.Change.Importing != nil }

// destroys reports whether the object that is there now goes.
func (c *change) destroys() bool {
	return c.action == Delete || c.action == Replace && !c.oldLives
}

// was and will give a part of the resource before and after.
func (c *change) was(steps ...any) any  { return at(c.before, steps...) }
func (c *change) will(steps ...any) any { return at(c.after, steps...) }

// changes reports whether an argument is another one afterwards.
func (c *change) changes(steps ...any) bool { return !same(c.was(steps...), c.will(steps...)) }

// numbers gives a number before and after, where both are known.
func (c *change) numbers(steps ...any) (before, after float64, ok bool) {
	before, known := number(c.was(steps...))
	after, ok = number(c.will(steps...))
	return before, after, known && ok
}

// turned reports whether a switch goes from one position to the other; nothing is off.
func (c *change) turned(on bool, steps ...any) bool {
	after := c.will(steps...)
	if _, open := after.(unknown); open {
		return false
	}
	return (c.was(steps...) == true) != on && (after == true) == on
}

// finding makes a finding about some arguments of the resource, which other findings then leave alone.
func (c *change) finding(class Class, code string, severity Severity, summary string, arguments ...string) Finding {
	f := c.plan.finding(c.resource, class, code, severity, c.action, summary)
	f.CreateBeforeDestroy = c.action == Replace && c.createFirst
	f.claims = arguments
	if c.action != Delete && len(arguments) > 0 {
		for _, a := range c.differences() {
			if slices.Contains(arguments, a.at.top()) {
				f.Arguments = append(f.Arguments, a)
			}
		}
	}
	f.Pos = c.position(f.Arguments, arguments)
	return f
}

// block makes a finding about one block of a set of blocks, which has its name in place of its number in the path. What changes is
// listed where there is a block before and after, but for what the provider computes.
func (c *change) block(class Class, code string, severity Severity, summary string, p path, before, after any) Finding {
	f := c.finding(class, code, severity, summary, p.top())
	f.Arguments = nil
	if before != nil && after != nil {
		f.Arguments = settled(differences(p, before, after))
	}
	f.Pos = c.plan.position(c.resource.Address, p)
	return f
}

// settled leaves out what is not known yet.
func settled(arguments []Argument) []Argument {
	return slices.DeleteFunc(arguments, func(a Argument) bool { return a.After == unknownText })
}

// entire makes a finding about all that happens to the resource.
func (c *change) entire(class Class, code string, severity Severity, summary string) Finding {
	f := c.finding(class, code, severity, summary)
	f.whole = true
	if c.action == Update || c.action == Replace {
		f.Arguments = c.differences()
	}
	var forced []Argument
	for _, p := range c.replacePaths() {
		f.ForcedBy = append(f.ForcedBy, p.String())
		forced = append(forced, Argument{at: p})
	}
	if len(forced) > 0 {
		f.Pos = c.position(forced, nil)
	}
	return f
}

// finding makes a finding without arguments.
func (p *plan) finding(r *tfjson.ResourceChange, class Class, code string, severity Severity, action Action, summary string) Finding {
	f := Finding{
		Class: class, Code: code, Severity: severity, Action: action, Summary: summary, Address: r.Address, Name: p.name(r.Address),
		Deposed: r.DeposedKey, Previous: r.PreviousAddress, ActionReason: string(r.ActionReason),
	}
	f.Imported = r.Change != nil && r.Change.Importing != nil
	f.Pos = p.position(r.Address)
	return f
}

func (p *plan) name(address string) string {
	if p.options.Name == nil {
		return ""
	}
	return p.options.Name(address)
}

// position is the place of the first of the arguments that has one, else that of the entry.
func (c *change) position(arguments []Argument, names []string) diag.Position {
	var candidates []path
	for _, a := range arguments {
		candidates = append(candidates, a.at)
	}
	for _, n := range names {
		candidates = append(candidates, path{n})
	}
	return c.plan.position(c.resource.Address, candidates...)
}

func (p *plan) position(address string, candidates ...path) diag.Position {
	if p.options.Where == nil {
		return diag.Position{}
	}
	for _, at := range candidates {
		for n := len(at); n > 0; n-- {
			if pos, ok := p.options.Where(address, at[:n].String()); ok {
				return pos
			}
		}
	}
	pos, _ := p.options.Where(address, "")
	return pos
}

// replacePaths are the arguments that force a replacement.
func (c *change) replacePaths() []path {
	var out []path
	for _, p := range c.resource.Change.ReplacePaths {
		if steps := elements(p); len(steps) > 0 {
			out = append(out, steps)
		}
	}
	slices.SortFunc(out, func(a, b path) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(out, func(a, b path) bool { return a.String() == b.String() })
}

// differences lists the arguments that change, without what the provider makes up and without the tags that tags_all has for the second
// time.
func (c *change) differences() []Argument {
	if c.compared {
		return c.different
	}
	c.compared = true
	seen := map[string]bool{}
	for _, a := range differences(nil, c.before, c.after) {
		again := a.at.top() == "tags_all" && seen["tags"+strings.TrimPrefix(a.Path, "tags_all")]
		if !c.madeUp(a) && !again {
			seen[a.Path] = true
			c.different = append(c.different, a)
		}
	}
	return c.different
}

// madeUp reports whether a change of an argument is none of the configuration's: the provider does not know it yet, or a resource that is
// made again has not got its default yet.
func (c *change) madeUp(a Argument) bool {
	open := a.After == unknownText
	fresh := c.action == Replace && a.After == text(nil) && !slices.ContainsFunc(c.replacePaths(), func(p path) bool { return p.top() == a.at.top() })
	config := c.plan.configuration(c.resource)
	return (open || fresh) && config != nil && !configured(config.Expressions, a.at)
}
