package render

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"streamgen/internal/tree"
)

// modules are the folders whose files are one module of terraform each.
func modules(files tree.Tree) []string {
	folders := map[string]bool{}
	for _, f := range files {
		if path.Ext(f.Path) == ".tf" {
			folders[path.Dir(f.Path)+"/"] = true
		}
	}
	return slices.Sorted(maps.Keys(folders))
}

// blocks parses the terraform files of a module and gives their blocks by address, such as "aws_iam_role.x" and "var.y".
func blocks(t *testing.T, files tree.Tree, module string) map[string]*hclsyntax.Body {
	t.Helper()
	all := map[string]*hclsyntax.Body{}
	for _, f := range files {
		if dir, name := path.Split(f.Path); dir != module || path.Ext(name) != ".tf" {
			continue
		}
		parsed, findings := hclsyntax.ParseConfig(f.Data, f.Path, hcl.InitialPos)
		if findings.HasErrors() {
			t.Fatal(findings)
		}
		for _, b := range parsed.Body.(*hclsyntax.Body).Blocks {
			address := strings.Join(b.Labels, ".")
			switch b.Type {
			case "resource":
			case "variable":
				address = "var." + address
			case "terraform":
				address = "terraform"
			case "import", "moved", "removed":
				address = b.Type + " " + f.Path + b.Range().String()
			default:
				address = b.Type + "." + address
			}
			if all[address] != nil {
				t.Errorf("%s: %s is declared twice", f.Path, address)
			}
			all[address] = b.Body
		}
	}
	return all
}

// checkReferences checks that every reference of terraform leads to something declared.
func checkReferences(t *testing.T, files tree.Tree) {
	t.Helper()
	found := 0
	for _, module := range modules(files) {
		found += checkModule(t, files, module)
	}
	if found == 0 {
		t.Error("no references at all: does the check still see them?")
	}
}

// checkModule checks one module and gives the number of its references.
func checkModule(t *testing.T, files tree.Tree, module string) (found int) {
	t.Helper()
	all := blocks(t, files, module)
	for address, body := range all {
		findings := hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
			expression, ok := n.(*hclsyntax.ScopeTraversalExpr)
			if !ok {
				return nil
			}
			to := reference(expression.Traversal)
			if strings.HasPrefix(address, "var.") && !strings.HasPrefix(to, "var.") {
				return nil // type = string names a type
			}
			if strings.HasPrefix(address, "import ") || strings.HasPrefix(address, "moved ") || strings.HasPrefix(address, "removed ") || strings.HasPrefix(to, "replica.") || !strings.Contains(to, ".") {
				return nil // of another module, or of an iteration
			}
			found++
			if all[to] == nil {
				t.Errorf("%s: reference to %s, which is not declared", address, to)
			}
			return nil
		})
		if findings.HasErrors() {
			t.Error(findings)
		}
	}
	return found
}

// reference gives the address that a traversal begins with.
func reference(traversal hcl.Traversal) string {
	parts := 2
	if traversal.RootName() == "data" {
		parts = 3
	}
	address := []string{traversal.RootName()}
	for _, step := range traversal[1:min(parts, len(traversal))] {
		if attr, ok := step.(hcl.TraverseAttr); ok {
			address = append(address, attr.Name)
		}
	}
	return strings.Join(address, ".")
}

// checkGo type-checks the generated Go files against the outline below of what they use.
func checkGo(t *testing.T, files tree.Tree) {
	t.Helper()
	c := checker{
		fset: token.NewFileSet(),
		sources: map[string][]string{
			"streamgen/runtime/stream": {runtimeOutline}, "streamgen/runtime/streamtest": {streamtestOutline},
			"streamgen/runtime/streamsqs": {streamsqsOutline}, "streamgen/runtime/streamdynamodb": {streamdynamodbOutline},
		},
		done: map[string]*types.Package{},
	}
	for _, f := range files {
		if path.Ext(f.Path) == ".go" {
			pkg := "example.com/shop/" + path.Dir(f.Path)
			c.sources[pkg] = append(c.sources[pkg], string(f.Data))
		}
	}
	for importPath := range maps.Clone(c.sources) {
		if _, err := c.Import(importPath); err != nil {
			t.Errorf("%v\n%s", err, c.sources[importPath])
		}
	}
}

// runtimeOutline declares what generated code uses of runtime/stream. TestProjectBuilds uses the real one.
const runtimeOutline = `package stream

import "context"

type (
	Number string
	JSON   string
	Attr[T any] string
	Decoder struct{}
	Encoder struct{}
	Change[T any] struct { EventID string; Kind string; Old, New *T; DynamoDB JSON }
	Image[T any] interface { *T; UnmarshalImage(*Decoder) }
)

func (*Decoder) Next() bool                       { return false }
func (*Decoder) Map() bool                        { return false }
func (*Decoder) Name() string                     { return "" }
func (*Decoder) String() (s string)               { return }
func (*Decoder) Number() (n Number)               { return }
func (*Decoder) Int64() (n int64)                 { return }
func (*Decoder) Float64() (n float64)             { return }
func (*Decoder) Binary() (b []byte)               { return }
func (*Decoder) Bool() (b bool)                   { return }
func (*Decoder) OnlyNull() (b bool)               { return }
func (*Decoder) StringSet() (s []string)          { return }
func (*Decoder) NumberSet() (s []Number)          { return }
func (*Decoder) BinarySet() (s [][]byte)          { return }
func (*Decoder) Keep(map[string]JSON) (m map[string]JSON) { return }

func MapOf[T any](d *Decoder, read func(*Decoder) T) (m map[string]T) { return }
func ListOf[T any](d *Decoder, read func(*Decoder) T) (l []T)         { return }
func Optional[T any](d *Decoder, read func(*Decoder) T) (p *T)        { return }

func (*Encoder) Attr(string)                {}
func (*Encoder) String(string)              {}
func (*Encoder) Number(Number)              {}
func (*Encoder) Int64(int64)                {}
func (*Encoder) Float64(float64)            {}
func (*Encoder) Binary([]byte)              {}
func (*Encoder) Bool(bool)                  {}
func (*Encoder) Null(bool)                  {}
func (*Encoder) StringSet([]string)         {}
func (*Encoder) NumberSet([]Number)         {}
func (*Encoder) BinarySet([][]byte)         {}
func (*Encoder) Map(func(*Encoder))         {}
func (*Encoder) Extra(map[string]JSON)      {}

func WriteMap[T any](e *Encoder, m map[string]T, write func(*Encoder, T)) {}
func WriteList[T any](e *Encoder, l []T, write func(*Encoder, T))         {}
func WriteOptional[T any](e *Encoder, p *T, write func(*Encoder, T))      {}

type (
	Route  struct{}
	Option func()
	Window struct{}
	Record struct{}
)

const Modify = "MODIFY"

func (Record) Kind() string                      { return "" }
func (Record) Changed(attributes ...string) bool { return false }
func (Record) New(path ...string) (a Attribute)  { return }
func (Record) Old(path ...string) (a Attribute)  { return }
func (Record) Key(path ...string) (a Attribute)  { return }

type Attribute struct{}

func S(string) (a Attribute)  { return }
func N(Number) (a Attribute)  { return }
func BOOL(bool) (a Attribute) { return }

func (Attribute) Is(typ string) bool                { return false }
func (Attribute) Equal(Attribute) bool              { return false }
func (Attribute) NotEqual(Attribute) bool           { return false }
func (Attribute) Less(Attribute) bool               { return false }
func (Attribute) LessOrEqual(Attribute) bool        { return false }
func (Attribute) Greater(Attribute) bool            { return false }
func (Attribute) GreaterOrEqual(Attribute) bool     { return false }
func (Attribute) In(...Attribute) bool              { return false }
func (Attribute) HasPrefix(string) bool             { return false }
func (Attribute) HasSuffix(string) bool             { return false }
func (Attribute) Contains(Attribute) bool           { return false }

type Handler struct{}

func Router(routes ...Route) (h Handler)        { return }
func Where(wanted func(Record) bool) (o Option) { return }
func Serve(routes ...Route)                     {}

func On[T any, P Image[T]](table string, handle func(context.Context, Change[T]) error, options ...Option) (r Route) { return }
func OnWindow[S, T any, P Image[T]](table string, handle func(context.Context, Window, S, []Change[T]) (S, error), options ...Option) (r Route) { return }

func OnBatch[T any, P Image[T]](table string, handle func(context.Context, []Change[T]) error, options ...Option) (r Route) { return }

func MaxConcurrency(int) (o Option)       { return }
func RedactKeys(...string) (o Option)     { return }
type (
	Parking interface{ Park() }
	Store   interface{ Claim() }
)

func ParkTo(p Parking) (o Option) { return }
func Once(s Store) (o Option)     { return }

func Metrics(w interface{ Write([]byte) (int, error) }) (o Option) { return }

func ServeNew[H any](new func(context.Context) (H, error), routes func(H) []Route) {}

func Start[T any, P Image[T]](handle func(context.Context, Change[T]) error, options ...Option) {}
`

// checker imports packages that are one file each, and those of the standard library.
type checker struct {
	fset    *token.FileSet
	sources map[string][]string
	done    map[string]*types.Package
}

func (c checker) Import(importPath string) (*types.Package, error) {
	src, ours := c.sources[importPath]
	if !ours {
		return c.importStd(importPath)
	}
	if p := c.done[importPath]; p != nil {
		return p, nil
	}
	var files []*ast.File
	for _, text := range src {
		file, err := parser.ParseFile(c.fset, importPath, text, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	config := types.Config{Importer: c}
	p, err := config.Check(importPath, c.fset, files, nil)
	if err != nil {
		return nil, err
	}
	c.done[importPath] = p
	return p, nil
}

// importStd stands for packages of the standard library by what generated code uses of them: to check the real ones
// from their sources would take seconds.
func (c checker) importStd(importPath string) (*types.Package, error) {
	src, known := map[string]string{
		"context":       "type Context interface{}",
		"encoding/json": "type RawMessage []byte",
		"os":            "type File struct{}; var Stdout *File; func Getenv(key string) string { return key }",
		"cmp":           "func Or[T comparable](vals ...T) (t T) { return }",
		"testing":       `type T struct{}; func (*T) Context() interface{} { return nil }; func (*T) Fatal(a ...any) {}; func (*T) Errorf(f string, a ...any) {}`,
		"log/slog":      `import "context"; func InfoContext(c context.Context, m string, a ...any) {}`,
	}[importPath]
	if !known {
		return nil, fmt.Errorf("import of %s: not expected", importPath)
	}
	c.sources[importPath] = []string{"package " + path.Base(importPath) + "; " + src}
	return c.Import(importPath)
}

// streamsqsOutline and streamdynamodbOutline are the same of the adapters that generated code uses.
const (
	streamsqsOutline      = `package streamsqs; type Queue struct{}; func (*Queue) Park() {}; func Default(queue string) (q *Queue) { return }`
	streamdynamodbOutline = `package streamdynamodb; type Store struct{}; func (*Store) Claim() {}; func Default(table string) (s *Store) { return }`
)

// streamtestOutline is the same of runtime/streamtest.
const streamtestOutline = `package streamtest

import "streamgen/runtime/stream"

type (
	Record struct{}
	Invocation struct { Unfinished int; Response []byte; Err error }
	Item[T any] interface { *T; MarshalImage(*stream.Encoder); KeyNames() []string }
)

func Insert[T any, P Item[T]](P) (r Record)                        { return }
func Remove[T any, P Item[T]](P) (r Record)                        { return }
func Invoke(t any, h stream.Handler, records ...Record) (i Invocation) { return }
`
