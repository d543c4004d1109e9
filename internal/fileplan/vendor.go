package fileplan

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"streamgen/internal/spec"
	"streamgen/runtime"
)

// RuntimeModule is the view of the go.mod of the copied runtime.
type RuntimeModule struct {
	// Go is the language version, Lambda the version of aws-lambda-go. Both are those of streamgen's own go.mod.
	Go, Lambda string
	// Adapters is set where the copy has packages that need more modules.
	Adapters bool
}

// RuntimeSource is the view of one copied source file.
type RuntimeSource struct {
	// Name is the file's path in the runtime, such as "stream/change.go".
	Name string
}

// Path is the file's path in the module that it is copied from.
func (s RuntimeSource) Path() string { return path.Join("streamgen/runtime", s.Name) }

// Text is the file's content.
func (s RuntimeSource) Text() (string, error) {
	text, err := fs.ReadFile(runtime.Source, s.Name)
	return string(text), err
}

// What a project's go.mod and that of the runtime's copy ask for: the language version and the version of aws-lambda-go
// that this module is built and tested with.
const (
	GoVersion     = "1.26.0"
	LambdaVersion = "v1.55.1"
)

// adapters are the packages beside stream and streamtest that the functions of a spec use: each needs modules that the runtime itself
// does not.
func adapters(s *spec.Spec) []string {
	var list []string
	if slices.ContainsFunc(s.Handlers, func(h spec.Handler) bool { return h.ParkingQueue.Enabled }) {
		list = append(list, path.Base(parkingPackage))
	}
	if slices.ContainsFunc(s.Handlers, func(h spec.Handler) bool { return h.Idempotency }) {
		list = append(list, path.Base(oncePackage))
	}
	return list
}

// runtimeFiles are a module of their own that holds what a project uses of the runtime, without its tests.
func runtimeFiles(s *spec.Spec) []File {
	used := adapters(s)
	module := RuntimeModule{Go: GoVersion, Lambda: LambdaVersion, Adapters: len(used) > 0}
	files := []File{
		{Path: RuntimeFolder + "/go.mod", Template: "go/runtime.mod.tmpl", View: module, Origin: s.Origin},
		{Path: RuntimeFolder + "/go.sum", Template: "go/runtime.sum.tmpl", View: module, Origin: s.Origin},
	}
	names, _ := fs.Glob(runtime.Source, "*/*.go") // its only error is a malformed pattern
	packages := slices.Concat(used, []string{"stream", "streamtest"})
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") || !slices.Contains(packages, path.Dir(name)) {
			continue
		}
		files = append(files, File{
			Path: path.Join(RuntimeFolder, "runtime", name), Template: "go/runtime.go.tmpl",
			View: RuntimeSource{Name: name}, Origin: s.Origin,
		})
	}
	return files
}
