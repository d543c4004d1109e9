package fileplan

import (
	"path"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// A stack is a root module with a state of its own. The main one has all that names no stack, and stands where the only root module of a
// project without stacks stands. The others lie one level deeper, and call a module of the same name, so that a resource that moves
// from one to another keeps its address.

// StacksFolder holds a folder for each stack but the main one.
const StacksFolder = "generated/stacks"

// StackFolder is the folder of a stack's root module, relative to the project, with slashes.
func StackFolder(stack string) string {
	if stack == spec.MainStack {
		return TerraformFolder
	}
	return path.Join(StacksFolder, stack)
}

// Stacks are the stacks of a spec and those that it had once: what is still in the state of one without entries has yet to leave it. Each
// stands after those that it needs. A project without stacks has the main one alone.
func (h History) Stacks(s *spec.Spec) []spec.Stack {
	list := s.Stacks()
	has := func(name string) bool {
		return slices.ContainsFunc(list, func(have spec.Stack) bool { return have.Name == name })
	}
	for _, name := range h.Roots {
		if !has(name) {
			list = append(list, spec.Stack{Name: name})
		}
	}
	if len(list) == 0 || len(h.Roots) == 0 && !s.HasStacks() && !has(spec.MainStack) {
		return []spec.Stack{{Name: spec.MainStack}}
	}
	return list
}

// roots are the stacks that there have been, also for a history that says nothing of them.
func (h History) roots() []string {
	if len(h.Roots) == 0 && len(h.Entries) > 0 {
		return []string{spec.MainStack}
	}
	return h.Roots
}

// places are the stacks that an entry has been in.
func (h History) places(entry string) []string {
	if list := h.Places[entry]; len(list) > 0 {
		return list
	}
	if _, known := h.Entries[entry]; known {
		return []string{spec.MainStack}
	}
	return nil
}

// onlyMain reports whether there is nothing to say of stacks.
func onlyMain(stacks []string) bool {
	return !slices.ContainsFunc(stacks, func(name string) bool { return name != spec.MainStack })
}

// notePlaces notes in next where entries are and were. An entry that is gone and lives on is remembered.
func (h History) notePlaces(next *History, s *spec.Spec) {
	next.Roots = slices.Clone(h.roots())
	for _, stack := range s.Stacks() {
		if !slices.Contains(next.Roots, stack.Name) {
			next.Roots = append(next.Roots, stack.Name)
		}
	}
	slices.Sort(next.Roots)
	if onlyMain(next.Roots) {
		next.Roots = nil
		return
	}
	next.Places = map[string][]string{}
	note := func(entry, stack string) {
		former := h.places(entry)
		if len(former) == 0 {
			former = h.places(next.Renamed[entry])
		}
		list := append(slices.DeleteFunc(slices.Clone(former), func(name string) bool { return name == stack }), stack)
		if !onlyMain(list) {
			next.Places[entry] = list
		}
	}
	for _, t := range s.Tables {
		if !t.Existing {
			note("tables."+t.Name, t.StackName())
		}
	}
	for _, f := range s.Handlers {
		note("handlers."+f.Name, f.StackName())
	}
	for name := range next.Dropped {
		entry := entryOfData(name)
		if _, there := next.Places[entry]; !there && len(h.Places[entry]) > 0 {
			next.Places[entry] = h.Places[entry]
		}
	}
}

// entryOfData is the path of the entry that a name of [DataName] belongs to.
func entryOfData(name string) string {
	kind, entry, _ := strings.Cut(name, ".")
	if kind == "table" {
		return "tables." + entry
	}
	return "handlers." + entry
}

// droppedIn are the resources that the stack's terraform is to forget: each that may be in its state.
func (h History) droppedIn(stack string) map[string][]string {
	dropped := map[string][]string{}
	for name, addresses := range h.Dropped {
		places := h.Places[entryOfData(name)]
		if len(places) == 0 {
			places = []string{spec.MainStack}
		}
		if slices.Contains(places, stack) {
			dropped[name] = addresses
		}
	}
	return dropped
}

// Relocation is an entry of a project with stacks: its resources may still be in the state of another one.
type Relocation struct {
	// Entry is the entry's path, such as "tables.orders".
	Entry string
	// From are the stacks that it is known to have been in, the last one at the end; To is the one that it is in.
	From []string
	To   string
	// Addresses are those of its resources, without an index, the ones that they had before a renaming among them.
	Addresses []string
}

// Relocations are the entries of a spec, in its order.
func (h History) Relocations(s *spec.Spec) []Relocation {
	m := newModule(s)
	former := map[string]string{}
	for _, move := range m.Moves() {
		former[move.To] = move.From
	}
	var list []Relocation
	add := func(entry, stack string, addresses []string) {
		from := slices.DeleteFunc(slices.Clone(h.Places[entry]), func(name string) bool { return name == stack })
		r := Relocation{Entry: entry, From: from, To: stack}
		for _, address := range addresses {
			for _, a := range []string{address, former[address]} {
				if a != "" {
					r.Addresses = append(r.Addresses, "module."+ModuleName+"."+a)
				}
			}
		}
		list = append(list, r)
	}
	for _, t := range m.Tables {
		if !t.Existing {
			add("tables."+t.Name, t.StackName(), t.Addresses())
		}
	}
	for _, f := range m.Handlers {
		add("handlers."+f.Name, f.StackName(), f.Addresses())
	}
	return list
}
