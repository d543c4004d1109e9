// Package fileplan decides which files a spec becomes: their paths, templates, views and owners. It is pure: it reads
// no disk and renders nothing.
package fileplan

import (
	"fmt"
	"path"
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
	// Dropped are resources that are to live on without terraform: those of a [History].
	Dropped map[string][]string
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

// The folders of a project that others than its files' plan must know: of the root module and the module that it calls, of the functions'
// main packages and of the runtime's copy. All are relative to the project, with slashes.
const (
	TerraformFolder = "generated/terraform"
	ModuleFolder    = TerraformFolder + "/module"
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

	m := newModule(s)
	m.dropped = p.Dropped
	files := moduleFiles(m)
	for _, t := range m.Tables {
		files = append(files, tableFiles(t, &findings)...)
	}
	for _, h := range m.Handlers {
		files = append(files, handlerFiles(h, p, &findings)...)
	}
	told := make(map[[2]string]bool) // pairs of entries: one finding for all that they share
	checkCollisions(files, told, &findings)
	checkAddresses(m, told, &findings)
	if p.VendorRuntime {
		files = append(files, runtimeFiles(s)...)
	}
	return files, findings
}

// Origins gives the origin of each file of terraform by its path below the root module, as terraform's diagnostics name it.
func Origins(files []File) map[string]spec.Origin {
	origins := make(map[string]spec.Origin)
	for _, f := range files {
		if name, found := strings.CutPrefix(f.Path, TerraformFolder+"/"); found {
			origins[name] = f.Origin
		}
	}
	return origins
}

func tableFiles(t Table, findings *diag.Findings) []File {
	item := newItem(t.Spec, t.Table)
	item.check(t.Table, findings)
	packageFile := File{Path: path.Join(tablesFolder, item.Package, "item.go"), Template: "go/item.go.tmpl", View: item, Origin: t.Origin}
	if t.StreamOnly() {
		return []File{packageFile} // terraform has nothing to say of it
	}
	return []File{{Path: terraformFile("table", t.Name), Template: "terraform/table.tf.tmpl", View: t, Origin: t.Origin}, packageFile}
}

func handlerFiles(h Handler, p Project, findings *diag.Findings) []File {
	m := newMain(h, p)
	m.check(h, findings)
	h.checkDestinations(findings)
	origin := h.Origin
	starter := Starter{Package: packageName(h.Name, "handler"), Constructor: h.Constructor, Routes: m.Routes}
	handler := path.Join(handlersFolder, h.Name, "handler.go")
	files := []File{
		{Path: terraformFile("handler", h.Name), Template: "terraform/handler.tf.tmpl", View: h, Origin: origin},
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

// terraformFile names the file of an entry. A name that ends in _override would make terraform merge the file into
// the others instead of loading it: https://developer.hashicorp.com/terraform/language/files/override
func terraformFile(kind, name string) string {
	base := kind + "_" + LocalName(name)
	if strings.HasSuffix(strings.ToLower(base), "_override") {
		base += "_"
	}
	return fmt.Sprintf("%s/%s.tf", ModuleFolder, base)
}
