package fileplan

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// ModuleName is the name under which the root module calls the module of tables and handlers: all resources lie below
// "module.streams".
const ModuleName = "streams"

// Module is the view of the callable module: all that the spec describes, and no provider.
type Module struct {
	scope
	// Tables and Handlers stand in the order of the spec.
	Tables   []Table
	Handlers []Handler
	// Foreign are tables of other stacks that the handlers use. The module looks them up by their names.
	Foreign []Table

	stack   string
	dropped map[string][]string
}

// newModule is all of a spec, as if it were one stack.
func newModule(s *spec.Spec) Module {
	m := Module{scope: scope{s}, stack: spec.MainStack}
	tables := map[string]Table{}
	for _, t := range s.Tables {
		view := newTable(m.scope, t)
		tables[t.Name] = view
		m.Tables = append(m.Tables, view)
	}
	for _, h := range s.Handlers {
		m.Handlers = append(m.Handlers, newHandler(m.scope, h, tables))
	}
	return m
}

// newStackModule is what a spec has in a stack. A table that others own is in the main one and in each that uses it.
func newStackModule(s *spec.Spec, stack spec.Stack, h History) Module {
	m := Module{scope: scope{s}, stack: stack.Name, dropped: h.droppedIn(stack.Name)}
	var used []string
	for _, f := range s.Handlers {
		if f.StackName() == stack.Name {
			used = append(used, f.Uses()...)
		}
	}
	tables := map[string]Table{}
	for _, t := range s.Tables {
		view := newTable(m.scope, t)
		switch {
		case t.StackName() == stack.Name, t.Existing && slices.Contains(used, t.Name):
			m.Tables = append(m.Tables, view)
		case slices.Contains(stack.Foreign, t.Name):
			view.Foreign = true
			m.Foreign = append(m.Foreign, view)
		default:
			continue
		}
		tables[t.Name] = view
	}
	for _, f := range s.Handlers {
		if f.StackName() == stack.Name {
			m.Handlers = append(m.Handlers, newHandler(m.scope, f, tables))
		}
	}
	return m
}

// folder is where the module's files lie.
func (m Module) folder() string { return path.Join(StackFolder(m.stack), "module") }

// Variables are the module's inputs.
func (m Module) Variables() []Variable {
	return slices.Concat(m.commonVariables(), m.settingsVariables(), m.overrides())
}

// SortedTables and SortedHandlers are what outputs list.
func (m Module) SortedTables() []Table {
	return slices.SortedFunc(slices.Values(m.Tables), func(a, b Table) int { return cmp.Compare(a.Name, b.Name) })
}

// SortedHandlers are the handlers by name.
func (m Module) SortedHandlers() []Handler {
	return slices.SortedFunc(slices.Values(m.Handlers), func(a, b Handler) int { return cmp.Compare(a.Name, b.Name) })
}

// hasTopic reports whether the topic of all alarms is made here.
func (m Module) hasTopic() bool { return m.SNSTopic != "" && m.stack == spec.MainStack }

// AlarmTopic is the name of the topic that alarms notify; nil for none.
func (m Module) AlarmTopic() any {
	if m.SNSTopic == "" {
		return nil
	}
	return m.Prefixed(m.SNSTopic)
}

// DataSources are the data sources that say where terraform works, as far as the module needs them.
func (m Module) DataSources() []string {
	var used []Expression
	for _, h := range m.Handlers {
		used = append(used, h.expressions()...)
		for _, a := range h.AlarmsOf() {
			used = append(used, expressionsIn(a.Settings)...)
		}
	}
	var list []string
	for _, name := range []string{"aws_caller_identity", "aws_partition", "aws_region"} {
		if slices.ContainsFunc(used, func(e Expression) bool { return strings.Contains(string(e), "data."+name+".current") }) {
			list = append(list, name)
		}
	}
	return list
}

// Addresses are all resources of the module.
func (m Module) Addresses() []string {
	var list []string
	for _, t := range m.Tables {
		list = append(list, t.Addresses()...)
	}
	for _, h := range m.Handlers {
		list = append(list, h.Addresses()...)
	}
	if m.hasTopic() {
		list = append(list, "aws_sns_topic.alarms")
	}
	return list
}

// Root is the view of the root module, which has the provider and calls the module.
type Root struct{ Module }

// Variables are the inputs of the root module: those of the module, and what the provider is told.
func (r Root) Variables() []Variable {
	var list []Variable
	if r.RegionVaries() {
		list = append(list, Variable{Name: "region", Type: "string", Default: r.Region, Description: "The AWS region."})
	}
	if r.HasAccounts() {
		list = append(list, Variable{
			Name: "allowed_account_ids", Type: "list(string)", Default: listed(r.AllowedAccountIDs),
			Description: "The only AWS accounts to work in; empty for any.",
			Condition:   `alltrue([for id in var.allowed_account_ids : can(regex("^[0-9]{12}$", id))])`,
			Message:     "The number of an account has twelve digits.",
		})
	}
	if r.TagsVary() {
		list = append(list, Variable{Name: "tags", Type: "map(string)", Default: tagObject(DefaultTags(r.Project, r.Tags)), Description: "Tags of every resource."})
	}
	return append(list, r.Module.Variables()...)
}

// RegionValue is what the provider's region is set to.
func (r Root) RegionValue() any {
	if r.RegionVaries() {
		return Expression("var.region")
	}
	return r.Region
}

// HasAccounts reports whether the module's variables have the accounts to work in.
func (r Root) HasAccounts() bool { return HasAccounts(r.Spec) }

// HasAccounts reports whether the spec or an environment names the accounts to work in: allowed_account_ids is a variable then.
func HasAccounts(s *spec.Spec) bool {
	return len(s.AllowedAccountIDs) > 0 || slices.ContainsFunc(s.Environments, func(e spec.Environment) bool { return len(e.AllowedAccountIDs) > 0 })
}

// TagsVary reports whether environments have tags of their own.
func (r Root) TagsVary() bool {
	return slices.ContainsFunc(r.Environments, func(e spec.Environment) bool { return !slices.Equal(e.Tags, r.Tags) })
}

// DefaultTagsValue is what the provider's default tags are set to.
func (r Root) DefaultTagsValue() any {
	if r.TagsVary() {
		return Expression("var.tags")
	}
	return tagObject(DefaultTags(r.Project, r.Tags))
}

// DefaultTags are the tags of every resource, sorted by key: the spec's own, Project and ManagedBy. A tag of the spec
// takes the place of one of these two, whatever its case, for IAM ignores the case of keys.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
func DefaultTags(project string, own []spec.Tag) []spec.Tag {
	tags := slices.Clone(own)
	for _, tag := range []spec.Tag{{Key: "Project", Value: project}, {Key: "ManagedBy", Value: "streamgen"}} {
		if !slices.ContainsFunc(tags, func(t spec.Tag) bool { return strings.EqualFold(t.Key, tag.Key) }) {
			tags = append(tags, tag)
		}
	}
	slices.SortFunc(tags, func(a, b spec.Tag) int { return cmp.Compare(a.Key, b.Key) })
	return tags
}

// Imports are the tables that are to be adopted into the state.
func (r Root) Imports() []Table {
	return slices.DeleteFunc(slices.Clone(r.Tables), func(t Table) bool { return !t.Import })
}

// ModuleName is the name of the call.
func (Root) ModuleName() string { return ModuleName }

// Passed are the variables that the root module hands on.
func (r Root) Passed() []Argument {
	var list []Argument
	for _, v := range r.Module.Variables() {
		list = append(list, Argument{v.Name, Expression("var." + v.Name)})
	}
	return list
}

// EnvironmentValues is the view of an environment's file of variables.
type EnvironmentValues struct {
	Root
	Environment spec.Environment
}

// Values are the variables that the environment sets.
func (e EnvironmentValues) Values() []Argument {
	var list []Argument
	env := e.Environment
	if e.RegionVaries() {
		list = append(list, Argument{"region", env.Region})
	}
	if e.HasAccounts() {
		list = append(list, Argument{"allowed_account_ids", listed(env.AllowedAccountIDs)})
	}
	if e.PrefixVaries() {
		list = append(list, Argument{"name_prefix", env.NamePrefix})
	}
	if e.TagsVary() {
		list = append(list, Argument{"tags", tagObject(DefaultTags(e.Project, env.Tags))})
	}
	return append(list, e.values(env)...)
}

// EnvironmentFile is where the values of an environment's variables stand, seen from the root module.
func EnvironmentFile(name string) string { return path.Join("environments", name+".tfvars") }

// moduleFiles are the files that terraform has only one of.
func moduleFiles(m Module) []File {
	root := Root{m}
	origin := m.Origin
	rootFolder, moduleFolder := StackFolder(m.stack), m.folder()
	files := []File{
		{Path: rootFolder + "/versions.tf", Template: "terraform/versions.tf.tmpl", Origin: origin},
		{Path: rootFolder + "/providers.tf", Template: "terraform/providers.tf.tmpl", View: root, Origin: origin},
		{Path: rootFolder + "/variables.tf", Template: "terraform/variables.tf.tmpl", View: root.Variables(), Origin: origin},
		{Path: rootFolder + "/main.tf", Template: "terraform/main.tf.tmpl", View: root, Origin: origin},
		{Path: rootFolder + "/outputs.tf", Template: "terraform/root_outputs.tf.tmpl", View: root, Origin: origin},
		{Path: moduleFolder + "/versions.tf", Template: "terraform/versions.tf.tmpl", Origin: origin},
		{Path: moduleFolder + "/variables.tf", Template: "terraform/variables.tf.tmpl", View: m.Variables(), Origin: origin},
		{Path: moduleFolder + "/outputs.tf", Template: "terraform/outputs.tf.tmpl", View: m, Origin: origin},
	}
	if len(root.Imports()) > 0 {
		files = append(files, File{Path: rootFolder + "/imports.tf", Template: "terraform/imports.tf.tmpl", View: root, Origin: origin})
	}
	if len(m.DataSources()) > 0 {
		files = append(files, File{Path: moduleFolder + "/data.tf", Template: "terraform/data.tf.tmpl", View: m, Origin: origin})
	}
	if len(m.Moves()) > 0 {
		files = append(files, File{Path: moduleFolder + "/moved.tf", Template: "terraform/moved.tf.tmpl", View: m, Origin: origin})
	}
	if len(m.Removals()) > 0 {
		files = append(files, File{Path: moduleFolder + "/removed.tf", Template: "terraform/removed.tf.tmpl", View: m, Origin: origin})
	}
	if m.hasTopic() {
		files = append(files, File{Path: moduleFolder + "/alarms.tf", Template: "terraform/alarms.tf.tmpl", View: m, Origin: origin})
	}
	for _, e := range m.Environments {
		files = append(files, File{
			Path: path.Join(rootFolder, EnvironmentFile(e.Name)), Template: "terraform/environment.tfvars.tmpl",
			View: EnvironmentValues{root, e}, Origin: e.Origin,
		})
	}
	return files
}
