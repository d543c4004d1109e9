package fileplan

import (
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// Expression is an expression of terraform. Templates write it as it is, and everything else as a literal.
type Expression string

// Text is text with expressions in it: its elements are strings, which stay as they are, and Expressions.
type Text []any

// Argument is one argument of a block.
type Argument struct {
	Name  string
	Value any
}

// Object is an object of terraform, in this order.
type Object []Argument

// scope is what every view of a module knows of the whole.
type scope struct{ *spec.Spec }

// varies reports whether environments differ in what get gives of their settings.
func (s scope) varies(get func(spec.Settings) string) bool {
	return slices.ContainsFunc(s.Environments, func(e spec.Environment) bool { return get(e.Settings) != get(s.Settings) })
}

func prefixOf(s spec.Settings) string { return s.NamePrefix }
func regionOf(s spec.Settings) string { return s.Region }

// PrefixVaries reports whether the prefix of names is a variable, RegionVaries whether the region is one.
func (s scope) PrefixVaries() bool { return s.varies(prefixOf) }
func (s scope) RegionVaries() bool { return s.varies(regionOf) }

// Prefixed is a name in AWS: with the prefix that the environment gives it.
func (s scope) Prefixed(name string) any { return s.prefixedAfter("", name) }

// prefixedAfter is a name of which a part stands before the environment's prefix.
func (s scope) prefixedAfter(before, name string) any {
	if s.PrefixVaries() {
		return Text{before, Expression("var.name_prefix"), name}
	}
	return before + s.NamePrefix + name
}

// arguments knows which keys of one entry environments override: these are variables of the module.
type arguments struct {
	entry      string
	prefix     string
	overridden map[string]bool
}

// groups are keys that become variables together: the blocks that they make up are there in one environment and not in another.
var groups = []string{"autoscaling.read.", "autoscaling.write.", "vpc_config.", "on_demand_throughput.", "warm_throughput."}

// newArguments looks for the overrides of an entry; kind is "table" or "handler".
func newArguments(s *spec.Spec, kind, entry, local string) arguments {
	a := arguments{entry: entry, prefix: kind + "_" + local + "_", overridden: map[string]bool{}}
	for _, e := range s.Environments {
		for _, o := range e.Overrides {
			if o.Entry == entry {
				a.overridden[group(o.Key)] = true
			}
		}
	}
	return a
}

// group is what a key is overridden with: its group, or itself.
func group(key string) string {
	for _, g := range groups {
		if strings.HasPrefix(key, g) {
			return g
		}
	}
	return key
}

// Varies reports whether an environment overrides the key.
func (a arguments) Varies(key string) bool { return a.overridden[group(key)] }

// Arg is what an argument is set to: the key's variable when an environment overrides the key, else the literal.
func (a arguments) Arg(key string, literal any) any {
	if a.Varies(key) {
		return a.Var(key)
	}
	return literal
}

// Var is the key's variable.
func (a arguments) Var(key string) Expression { return Expression("var." + a.variable(key)) }

func (a arguments) variable(key string) string {
	return a.prefix + strings.NewReplacer(".", "_", "-", "_").Replace(key)
}

// unless is an argument that is left out where its value is what terraform takes anyway.
func (a arguments) unless(list []Argument, name, key string, value, standard any) []Argument {
	if value == standard && !a.Varies(key) {
		return list
	}
	return append(list, Argument{name, a.Arg(key, value)})
}
