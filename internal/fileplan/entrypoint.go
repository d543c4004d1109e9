package fileplan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"streamgen/internal/diag"
	"streamgen/internal/spec"
)

// Main is the view of a function's entry point.
type Main struct {
	// Name is the function's name, HandlerImport the import path of its handler.
	Name, HandlerImport string
	// Constructor is set for a handler that its function New makes.
	Constructor bool
	// Parking is set for a function with a parking queue, Once for one with a table of records that are done.
	Parking, Once bool
	// Routes are what the function's tables are handled by.
	Routes []Route
}

// ParkingVariable is the environment variable with the parking queue's name.
func (Main) ParkingVariable() string { return spec.ParkingVariable }

// OnceVariable is that with the name of the table of records that are done.
func (Main) OnceVariable() string { return spec.IdempotencyVariable }

// Route is one table of a function.
type Route struct {
	// Table is the table's name in the spec, Package and Import are its Go package.
	Table, Package, Import string
	// Function is the handler's function for the table.
	Function string
	// Filter is a Go expression over the stream.Record r that a wanted change meets; empty when AWS's filter says it all. Wanted is
	// the name of the function that has it, Selection what it stands for.
	Filter, Wanted, Selection string
	// Suffix sets the names of a handler with several tables apart; empty for the only table.
	Suffix string
	// Window is set for a mapping with a tumbling window, Batch for a function that gets all changes of an invocation.
	Window, Batch bool
	// Options are further options of the route, as Go expressions.
	Options []string
	// Sample is the key of some item, as the fields of a Go literal.
	Sample string
}

// On is the runtime's function that makes the route.
func (r Route) On() string {
	switch {
	case r.Window:
		return "OnWindow"
	case r.Batch:
		return "OnBatch"
	}
	return "On"
}

// Simple reports whether the function has one table, whose every record it handles by itself.
func (m Main) Simple() bool {
	return len(m.Routes) == 1 && len(m.Routes[0].Options) == 0 && m.Routes[0].On() == "On" && !m.Constructor
}

// Receiver is what the handler's functions belong to.
func (m Main) Receiver() string {
	if m.Constructor {
		return "h"
	}
	return "handler"
}

func newMain(h Handler, p Project) Main {
	m := Main{Name: h.Name, HandlerImport: path.Join(p.Module, handlersFolder, h.Name), Constructor: h.Constructor, Parking: h.ParkingQueue.Enabled, Once: h.Idempotency}
	for _, mapping := range h.Mappings() {
		pkg := packageName(mapping.Table, "table")
		r := Route{
			Table: mapping.Table, Package: pkg, Import: path.Join(p.Module, tablesFolder, pkg), Function: "Handle",
			Window: mapping.TumblingWindow > 0, Batch: mapping.Handle == "batch",
		}
		r.Sample = mapping.sampleKey()
		if len(h.Sources) > 1 {
			r.Suffix = fieldName(mapping.Table)
		}
		r.Function += r.Suffix
		s := mapping.Selection()
		if r.Filter = s.GoExpr("r"); r.Filter != "" {
			r.Wanted, r.Selection = "wanted"+r.Suffix, s.String()
			r.Options = append(r.Options, "stream.Where("+r.Wanted+")")
		}
		if mapping.MaxConcurrency > 1 {
			r.Options = append(r.Options, fmt.Sprintf("stream.MaxConcurrency(%d)", mapping.MaxConcurrency))
		}
		if m.Parking {
			r.Options = append(r.Options, "stream.ParkTo(parking)")
		}
		if m.Once {
			r.Options = append(r.Options, "stream.Once(done)")
		}
		if names := mapping.sensitiveKeys(); len(names) > 0 {
			r.Options = append(r.Options, "stream.RedactKeys("+strings.Join(names, ", ")+")")
		}
		if !h.EMFMetrics {
			r.Options = append(r.Options, "stream.Metrics(nil)")
		}
		m.Routes = append(m.Routes, r)
	}
	return m
}

// check finds tables whose functions would have the same name.
func (m Main) check(h Handler, findings *diag.Findings) {
	first := map[string]string{}
	for _, r := range m.Routes {
		other, taken := first[r.Function]
		if !taken {
			first[r.Function] = r.Table
			continue
		}
		findings.Add("colliding-names", h.Origin.Pos,
			fmt.Sprintf("the tables %q and %q of handler %q would both be handled by the function %s", other, r.Table, h.Name, r.Function),
			"Rename one of the tables' entries; a table keeps its name in AWS by the key name.")
	}
}

// Starter is the view of a handler's first version.
type Starter struct {
	// Package is the handler's package name.
	Package string
	// Constructor is set for a handler that its function New makes.
	Constructor bool
	Routes      []Route
}

// Plain reports whether any of the functions gets single changes or batches of them.
func (s Starter) Plain() bool {
	return slices.ContainsFunc(s.Routes, func(r Route) bool { return !r.Window })
}

// Receiver is what stands before the name of a method; empty for functions.
func (s Starter) Receiver() string {
	if s.Constructor {
		return "(h *Handler) "
	}
	return ""
}

// FirstTest is the view of the test of a handler's first version.
type FirstTest struct{ Starter }

// Tested are the routes whose functions get changes, or batches of them.
func (t FirstTest) Tested() []Route {
	return slices.DeleteFunc(slices.Clone(t.Routes), func(r Route) bool { return r.Window })
}

// Handler is what the functions belong to, with a dot; empty for functions of the package.
func (t FirstTest) Handler() string {
	if t.Constructor {
		return "h."
	}
	return ""
}

// Imports are the packages that the file needs beside the standard library, as gofmt sorts them.
func (t FirstTest) Imports() []Import {
	return sortedImports(append(tableImports(t.Tested()), Import{Path: runtimePackage}, Import{Path: "streamgen/runtime/streamtest"}))
}

// Import is a package that a file imports, by another name than its own if Name is not empty.
type Import struct{ Name, Path string }

const (
	runtimePackage = "streamgen/runtime/stream"
	parkingPackage = "streamgen/runtime/streamsqs"
	oncePackage    = "streamgen/runtime/streamdynamodb"
)

// Imports are the packages that the file needs, as gofmt sorts them.
func (m Main) Imports() []Import {
	list := []Import{{"handler", m.HandlerImport}, {Path: runtimePackage}}
	if !m.Simple() {
		list = append(list, tableImports(m.Routes)...)
	}
	if m.Parking {
		list = append(list, Import{Path: parkingPackage})
	}
	if m.Once {
		list = append(list, Import{Path: oncePackage})
	}
	return sortedImports(list)
}

// Imports are the packages that the file needs beside the standard library, as gofmt sorts them.
func (s Starter) Imports() []Import {
	return sortedImports(append(tableImports(s.Routes), Import{Path: runtimePackage}))
}

func tableImports(routes []Route) []Import {
	var list []Import
	for _, r := range routes {
		list = append(list, Import{Path: r.Import})
	}
	return list
}

func sortedImports(list []Import) []Import {
	slices.SortFunc(list, func(a, b Import) int { return strings.Compare(a.Path, b.Path) })
	return list
}
