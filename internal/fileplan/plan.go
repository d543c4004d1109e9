// Package fileplan decides which files a spec becomes: their paths, templates, views and owners. It is pure: it reads
// no disk and renders nothing.
package fileplan

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// Project is what a plan needs to know about the user's Go module.
type Project struct {
	// Module is the module path of the project's go.mod, such as "example.com/orders".
	Module string
	// VendorRuntime plans a copy of the runtime as a module of its own under generated/streamgen, for projects whose
	// go.mod replaces the runtime's module with that folder.
	VendorRuntime bool
	// History is what gen.lock is to remember: the one that comes with the spec from [History.Next].
	History History
}

// Ownership says what gen may do with a file that exists.
type Ownership int

// Owned files are gen's, to replace and to remove. Once files are the user's from the moment they exist.
const (
	Owned Ownership = iota
	Once
)

// File is one file to render.
type File struct {
	// Path is relative to the project's folder and has slashes on every system.
	Path string
	// Template is the path of the root template, such as "terraform/table.tf.tmpl", and View its dot.
	Template  string
	View      any
	Ownership Ownership
	// With is, for a Once file, the path of another that it is only made along with; empty for none.
	With string
	// Origin is the entry of the spec that the file comes from.
	Origin spec.Origin
}

// The folders of a project that others than its files' plan must know: of the main root module, of the functions' main packages and of the
// runtime's copy. All are relative to the project, with slashes.
const (
	TerraformFolder = "generated/terraform"
	FunctionsFolder = "generated/functions"
	RuntimeFolder   = "generated/streamgen"

	tablesFolder   = "generated/tables"
	handlersFolder = "handlers"
)

// Plan gives the files of a spec that spec.Load has accepted, in a fixed order. Findings stand for what AWS takes but
// generated code cannot have, such as two names that become one.
func Plan(s *spec.Spec, p Project) ([]File, diag.Findings) {
	var findings diag.Findings
	checkText(s, &findings)

	all := newModule(s)
	var files []File
	modules := map[string]Module{}
	for _, stack := range p.History.Stacks(s) {
		modules[stack.Name] = newStackModule(s, stack, p.History)
		files = append(files, moduleFiles(modules[stack.Name])...)
	}
	for _, t := range all.Tables {
		files = append(files, tableFiles(t, modules, &findings)...)
	}
	for _, h := range all.Handlers {
		files = append(files, handlerFiles(modules[h.StackName()], h.Name, p, &findings)...)
	}
	told := make(map[[2]string]bool) // pairs of entries: one finding for all that they share
	checkCollisions(files, told, &findings)
	checkAddresses(all, told, &findings)
	if p.VendorRuntime {
		files = append(files, runtimeFiles(s)...)
	}
	return files, findings
}

// Origins gives the origin of each file of a stack's terraform by its path below the root module, as terraform's diagnostics name it.
func Origins(files []File, stack string) map[string]spec.Origin {
	origins := make(map[string]spec.Origin)
	for _, f := range files {
		if name, found := strings.CutPrefix(f.Path, StackFolder(stack)+"/"); found {
			origins[name] = f.Origin
		}
	}
	return origins
}

// tableFiles are a table's package and its file in each module that makes it or looks it up.
func tableFiles(t Table, modules map[string]Module, findings *diag.Findings) []File {
	item := newItem(t.Spec, t.Table)
	item.check(t.Table, findings)
	packageFile := File{Path: path.Join(tablesFolder, item.Package, "item.go"), Template: "go/item.go.tmpl", View: item, Origin: t.Origin}
	if t.StreamOnly() {
		return []File{packageFile} // terraform has nothing to say of it
	}
	var files []File
	for _, stack := range slices.Sorted(maps.Keys(modules)) {
		m := modules[stack]
		for _, view := range slices.Concat(m.Tables, m.Foreign) {
			if view.Name == t.Name {
				files = append(files, File{Path: terraformFile(m.folder(), "table", t.Name), Template: "terraform/table.tf.tmpl", View: view, Origin: t.Origin})
			}
		}
	}
	return append(files, packageFile)
}

func handlerFiles(module Module, name string, p Project, findings *diag.Findings) []File {
	h := module.Handlers[slices.IndexFunc(module.Handlers, func(h Handler) bool { return h.Name == name })]
	m := newMain(h, p)
	m.check(h, findings)
	h.checkDestinations(findings)
	origin := h.Origin
	starter := Starter{Package: packageName(h.Name, "handler"), Constructor: h.Constructor, Routes: m.Routes}
	handler := path.Join(handlersFolder, h.Name, "handler.go")
	files := []File{
		{Path: terraformFile(module.folder(), "handler", h.Name), Template: "terraform/handler.tf.tmpl", View: h, Origin: origin},
		{Path: path.Join(FunctionsFolder, h.Name, "main.go"), Template: "go/main.go.tmpl", View: m, Origin: origin},
		{
			Path: handler, Template: "go/handler.go.tmpl", Ownership: Once, View: starter, Origin: origin,
		},
	}
	if starter.Plain() {
		files = append(files, File{
			Path: path.Join(handlersFolder, h.Name, "handler_test.go"), Template: "go/handler_test.go.tmpl", Ownership: Once, With: handler,
			View: FirstTest{starter}, Origin: origin,
		})
	}
	return files
}

// terraformFile names the file of an entry in a module's folder. A name that ends in _override would make terraform merge the file into
// the others instead of loading it: https://developer.hashicorp.com/terraform/language/files/override
func terraformFile(folder, kind, name string) string {
	base := kind + "_" + LocalName(name)
	if strings.HasSuffix(strings.ToLower(base), "_override") {
		base += "_"
	}
	return fmt.Sprintf("%s/%s.tf", folder, base)
}
