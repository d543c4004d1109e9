package fileplan

import (
	"io/fs"
	"path"
	"strings"

	"streamgen/internal/spec"
	"streamgen/runtime"
)

// RuntimeModule is the view of the go.mod of the copied runtime.
type RuntimeModule struct {
	// Go is the language version, Lambda the version of aws-lambda-go. Both are those of streamgen's own go.mod.
	Go, Lambda string
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

// runtimeFiles are a module of their own that holds the runtime, without its tests.
func runtimeFiles(origin spec.Origin) []File {
	files := []File{{
		Path: RuntimeFolder + "/go.mod", Template: "go/runtime.mod.tmpl",
		View: RuntimeModule{Go: GoVersion, Lambda: LambdaVersion}, Origin: origin,
	}}
	names, _ := fs.Glob(runtime.Source, "*/*.go") // its only error is a malformed pattern
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		files = append(files, File{
			Path: path.Join(RuntimeFolder, "runtime", name), Template: "go/runtime.go.tmpl",
			View: RuntimeSource{Name: name}, Origin: origin,
		})
	}
	return files
}
