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
	// Origin is the entry of the spec that the file comes from.
	Origin spec.Origin
}

// The folders of a project that others than its files' plan must know: of the root module, of the functions' main packages and of the
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

	locals := make(map[string]string, len(s.Tables)) // of tables, by name
	for _, t := range s.Tables {
		locals[t.Name] = LocalName(t.Name)
	}
	files := moduleFiles(s, locals)
	for _, t := range s.Tables {
		files = append(files, tableFiles(t, &findings)...)
	}
	for _, h := range s.Handlers {
		files = append(files, handlerFiles(h, p, locals[h.Table])...)
	}
	checkCollisions(files, &findings)
	if p.VendorRuntime {
		files = append(files, runtimeFiles(s.Origin)...)
	}
	return files, findings
}

// Origins gives the origin of each file of the terraform module by its base name, as terraform's diagnostics name it.
func Origins(files []File) map[string]spec.Origin {
	origins := make(map[string]spec.Origin)
	for _, f := range files {
		if path.Dir(f.Path) == TerraformFolder {
			origins[path.Base(f.Path)] = f.Origin
		}
	}
	return origins
}

// moduleFiles are the files that a terraform module has only one of.
func moduleFiles(s *spec.Spec, locals map[string]string) []File {
	var out Outputs
	for _, t := range s.Tables {
		out.Tables = append(out.Tables, newTable(t))
	}
	for _, h := range s.Handlers {
		out.Handlers = append(out.Handlers, newHandler(h, locals[h.Table]))
	}
	return []File{
		{Path: TerraformFolder + "/versions.tf", Template: "terraform/versions.tf.tmpl", Origin: s.Origin},
		{Path: TerraformFolder + "/providers.tf", Template: "terraform/providers.tf.tmpl", View: Provider{s}, Origin: s.Origin},
		{Path: TerraformFolder + "/variables.tf", Template: "terraform/variables.tf.tmpl", Origin: s.Origin},
		{Path: TerraformFolder + "/outputs.tf", Template: "terraform/outputs.tf.tmpl", View: out.sorted(), Origin: s.Origin},
	}
}

func tableFiles(t spec.Table, findings *diag.Findings) []File {
	item := newItem(t)
	item.check(t, findings)
	return []File{
		{Path: terraformFile("table", t.Name), Template: "terraform/table.tf.tmpl", View: newTable(t), Origin: t.Origin},
		{Path: path.Join(tablesFolder, item.Package, "item.go"), Template: "go/item.go.tmpl", View: item, Origin: t.Origin},
	}
}

func handlerFiles(h spec.Handler, p Project, tableLocal string) []File {
	tablePackage := packageName(h.Table, "table")
	return []File{
		{
			Path: terraformFile("handler", h.Name), Template: "terraform/handler.tf.tmpl",
			View: newHandler(h, tableLocal), Origin: h.Origin,
		},
		{
			Path: path.Join(FunctionsFolder, h.Name, "main.go"), Template: "go/main.go.tmpl",
			View: Main{Name: h.Name, HandlerImport: path.Join(p.Module, handlersFolder, h.Name)}, Origin: h.Origin,
		},
		{
			Path: path.Join(handlersFolder, h.Name, "handler.go"), Template: "go/handler.go.tmpl", Ownership: Once,
			View: Starter{
				Package:      packageName(h.Name, "handler"),
				Table:        h.Table,
				TablePackage: tablePackage,
				TableImport:  path.Join(p.Module, tablesFolder, tablePackage),
			}, Origin: h.Origin,
		},
	}
}

// terraformFile names the file of an entry. A name that ends in _override would make terraform merge the file into
// the others instead of loading it: https://developer.hashicorp.com/terraform/language/files/override
func terraformFile(kind, name string) string {
	base := kind + "_" + LocalName(name)
	if strings.HasSuffix(strings.ToLower(base), "_override") {
		base += "_"
	}
	return fmt.Sprintf("%s/%s.tf", TerraformFolder, base)
}
