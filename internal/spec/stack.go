package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// MainStack is the name of the stack of all that names none.
const MainStack = "main"

// Stack is a part of a spec that is applied by itself, with a state of its own.
type Stack struct {
	// Name is [MainStack] for what names no stack.
	Name string
	// Foreign are the tables of other stacks that its handlers use, Needs the stacks that these tables belong to; both are sorted. Tables
	// that others own belong to no stack.
	Foreign, Needs []string
}

var stackNames = nameRule{
	noun: "the stack name", pattern: regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`), chars: "letters, digits, '_' and '-', a letter first",
	min: 1, max: 64, own: true, path: true, refused: reservedStack,
}

func reservedStack(name string) (refusal, bool) {
	if strings.EqualFold(name, MainStack) {
		return refusal{codeReservedName, "is the one of all that names no stack", "Leave the key stack out."}, true
	}
	return reservedFolder(name)
}

// StackName is the stack of the table.
func (t Table) StackName() string { return stackName(t.Stack) }

// StackName is the stack of the handler.
func (h Handler) StackName() string { return stackName(h.Stack) }

func stackName(name string) string {
	if name == "" {
		return MainStack
	}
	return name
}

// HasStacks reports whether any entry names a stack.
func (s *Spec) HasStacks() bool {
	return slices.ContainsFunc(s.Tables, func(t Table) bool { return t.Stack != "" }) ||
		slices.ContainsFunc(s.Handlers, func(h Handler) bool { return h.Stack != "" })
}

// Uses are the names of the tables that a handler reads, writes or gets the changes of, sorted, each once.
func (h Handler) Uses() []string {
	names := slices.Concat(h.Reads, h.Writes)
	for _, s := range h.Sources {
		names = append(names, s.Table)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Stacks are the stacks that entries or the alarms' topic lie in. Each stands after those that it needs, and otherwise in the order
// of the file, the main one first.
func (s *Spec) Stacks() []Stack {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if s.SNSTopic != "" {
		add(MainStack)
	}
	for _, t := range s.Tables {
		// What others own needs no stack: each that uses it looks it up.
		if !t.Existing {
			add(t.StackName())
		}
	}
	for _, h := range s.Handlers {
		add(h.StackName())
	}
	if i := slices.Index(names, MainStack); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, MainStack)
	}
	list := make([]Stack, len(names))
	for i, name := range names {
		list[i] = s.stack(name)
	}
	return inOrder(list)
}

func (s *Spec) stack(name string) Stack {
	out := Stack{Name: name}
	for _, h := range s.Handlers {
		if h.StackName() != name {
			continue
		}
		for _, used := range h.Uses() {
			if t, found := s.Table(used); found && !t.Existing && t.StackName() != name {
				out.Foreign, out.Needs = append(out.Foreign, used), append(out.Needs, t.StackName())
			}
		}
	}
	for _, names := range []*[]string{&out.Foreign, &out.Needs} {
		slices.Sort(*names)
		*names = slices.Compact(*names)
	}
	return out
}

// inOrder puts what is needed before what needs it. What needs itself keeps its place at the end.
func inOrder(list []Stack) []Stack {
	var sorted []Stack
	done := map[string]bool{}
	for len(sorted) < len(list) {
		before := len(sorted)
		for _, s := range list {
			if !done[s.Name] && !slices.ContainsFunc(s.Needs, func(n string) bool { return !done[n] }) {
				sorted, done[s.Name] = append(sorted, s), true
			}
		}
		if len(sorted) == before {
			return append(sorted, slices.DeleteFunc(slices.Clone(list), func(s Stack) bool { return done[s.Name] })...)
		}
	}
	return sorted
}

// checkStacks wants stacks that can be applied one after the other, and backends that can keep a state for each.
func (d *decoder) checkStacks(s *Spec) {
	if !s.HasStacks() || !d.checkStackNames(s) {
		return
	}
	d.checkStackCycles(s)
	d.checkStackBackend(s.Backend)
	for _, e := range s.Environments {
		if e.Backend.Pos != s.Backend.Pos {
			d.checkStackBackend(e.Backend)
		}
	}
}

// checkStackNames finds names that differ by case alone: their folders would be one. It reports false when a name cannot be relied on.
func (d *decoder) checkStackNames(s *Spec) bool {
	ok := true
	first := map[string]string{}
	check := func(o Origin, name string) {
		if d.broken[join(o.Path, "stack")] {
			ok = false
			return
		}
		other, taken := first[strings.ToLower(name)]
		switch {
		case !taken:
			first[strings.ToLower(name)] = name
		case other != name:
			d.report(codeCollidingNames, o.Keys["stack"], "Write it the same way: the folders of stacks collide where file names ignore case.",
				"the stack %s differs from the stack %s by the case of its letters alone", quote(name), quote(other))
			ok = false
		}
	}
	for _, t := range s.Tables {
		check(t.Origin, t.StackName())
	}
	for _, h := range s.Handlers {
		check(h.Origin, h.StackName())
	}
	return ok
}

// checkStackCycles reports each circle of stacks once, at the first handler that is a part of it.
func (d *decoder) checkStackCycles(s *Spec) {
	needs := map[string][]string{}
	for _, stack := range s.Stacks() {
		needs[stack.Name] = stack.Needs
	}
	told := map[string]bool{}
	for _, h := range s.Handlers {
		for _, used := range h.Uses() {
			t, found := s.Table(used)
			from, to := h.StackName(), t.StackName()
			if !found || t.Existing || from == to || told[from] {
				continue
			}
			way := wayTo(needs, to, from, map[string]bool{})
			if way == nil {
				continue
			}
			for _, name := range way {
				told[name] = true
			}
			at, set := h.Origin.Keys["stack"]
			if !set {
				at = h.Origin.Pos
			}
			d.report(codeStackCycle, at, "Move an entry: a stack is applied after those whose tables it uses. "+s.whyNeeds(way),
				"the stacks %s need each other: %s of %s uses the table %s of %s", enumerate(slices.Sorted(slices.Values(way))), quote(h.Name), from, quote(used), to)
		}
	}
}

// wayTo gives the stacks on a way from one stack to another along what each needs, both ends among them; nil when there is none.
func wayTo(needs map[string][]string, from, to string, seen map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	seen[from] = true
	for _, next := range needs[from] {
		if seen[next] {
			continue
		}
		if way := wayTo(needs, next, to, seen); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}

// whyNeeds names a use for each step of a way.
func (s *Spec) whyNeeds(way []string) string {
	var steps []string
	for i := range len(way) - 1 {
		steps = append(steps, s.whyNeeded(way[i], way[i+1]))
	}
	return strings.Join(steps, "; ") + "."
}

func (s *Spec) whyNeeded(stack, needed string) string {
	for _, h := range s.Handlers {
		if h.StackName() != stack {
			continue
		}
		for _, used := range h.Uses() {
			if t, found := s.Table(used); found && !t.Existing && t.StackName() == needed {
				return fmt.Sprintf("%s of %s in line %d uses the table %s of %s", quote(h.Name), stack, h.Origin.Pos.Line, quote(used), needed)
			}
		}
	}
	return stack + " needs " + needed
}

// stackLocation are the arguments of a backend that say where the state is: without one of them all stacks would have the same state. A
// backend that is not here has a place of its own for each stack anyway.
var stackLocation = map[string]string{"s3": "key", "azurerm": "key", "http": "address", "remote": "workspaces"}

func (d *decoder) checkStackBackend(b Backend) {
	need := stackLocation[b.Type]
	if need == "" || slices.ContainsFunc(b.Settings, func(s BackendSetting) bool { return s.Key == need }) {
		return
	}
	d.report(codeMissingKey, b.Pos, "Add "+need+": the state of each stack gets a place beside it.", "the backend %s of a spec with stacks does not say %s", b.Type, quote(need))
}
