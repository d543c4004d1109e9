// Package render turns planned files into bytes: it fills their templates, formats the result and parses it. It
// writes nothing.
package render

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/format"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"text/template"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/mod/modfile"
	"golang.org/x/sync/errgroup"

	"streamgen/internal/fileplan"
	"streamgen/internal/tree"
)

// Templates are what files are filled from: every path that ends in .tmpl is a template under that name, so that each may use the
// others.
type Templates struct {
	FS fs.FS
	// Proven is set for templates whose every output tests have parsed: it is not parsed again.
	Proven bool
}

// Render fills the templates of all files. They come out formatted and sorted by path.
//
// An error is never the spec's but a mistake in a template or a view: it names the template and the line, and there is
// no tree.
func Render(files []fileplan.File, templates Templates) (tree.Tree, error) {
	set, versions, err := parse(templates.FS)
	if err != nil {
		return nil, err
	}
	out, errs := make(tree.Tree, len(files)), make([]error, len(files))
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range files {
		workers.Go(func() error {
			out[i] = tree.File{Path: f.Path, Once: f.Ownership == fileplan.Once, With: f.With, Origin: f.Origin.Path, Template: versions[f.Template]}
			out[i].Data, errs[i] = renderFile(set, f, templates.Proven)
			return nil
		})
	}
	_ = workers.Wait()         // their errors are in errs
	for i, err := range errs { // the first in the plan's order, whoever came first
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", files[i].Path, err)
		}
	}
	slices.SortFunc(out, func(a, b tree.File) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// parse reads all templates, and gives a version for each that may be a file's: it differs when the template or a partial differs.
func parse(templates fs.FS) (set *template.Template, versions map[string]string, err error) {
	set = template.New("").Option("missingkey=error").Funcs(funcs())
	texts, partials := map[string]string{}, sha256.New()
	err = fs.WalkDir(templates, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".tmpl" {
			return err
		}
		text, err := fs.ReadFile(templates, name)
		if err != nil {
			return err
		}
		texts[name] = string(text)
		if strings.HasPrefix(name, "partial/") {
			_, _ = partials.Write(text) // it never fails
		}
		_, err = set.New(name).Parse(string(text))
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read templates: %w", err)
	}
	versions = map[string]string{}
	common := string(partials.Sum(nil))
	for name, text := range texts {
		sum := sha256.Sum256([]byte(common + text))
		versions[name] = hex.EncodeToString(sum[:6])
	}
	return set, versions, nil
}

func renderFile(set *template.Template, f fileplan.File, proven bool) ([]byte, error) {
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, f.Template, f.View); err != nil {
		return nil, err // it names the template and the line itself
	}
	finish, known := finishers[path.Ext(f.Path)]
	if !known {
		return nil, fmt.Errorf("template %s: no way to check a file of this kind", f.Template)
	}
	if proven {
		return finish.format(b.Bytes())
	}
	data, err := finish.check(b.Bytes())
	if bad := new(lineError); errors.As(err, &bad) {
		return nil, fmt.Errorf("template %s: line %d of its output, %q: %w",
			f.Template, bad.line, lineOf(b.Bytes(), bad.line), bad.err)
	}
	return data, err
}

// finisher is what is done to a template's output: check parses and formats it, format needs not to find mistakes.
type finisher struct{ check, format func([]byte) ([]byte, error) }

var finishers = map[string]finisher{
	".go":     {finishGo, endOnce},
	".mod":    {finishMod, finishMod},
	".sum":    {finishSum, finishSum},
	".tf":     {finishHCL, func(src []byte) ([]byte, error) { return formatHCL(src), nil }},
	".tfvars": {finishHCL, func(src []byte) ([]byte, error) { return formatHCL(src), nil }},
}

// endOnce ends a text with a single line break: that is all that gofmt would change in what proven templates give.
func endOnce(src []byte) ([]byte, error) { return append(bytes.TrimRight(src, "\n"), '\n'), nil }

// lineError is what is wrong with a line of a template's output.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }

func (e *lineError) Unwrap() error { return e.err }

// finishSum wants a module, a version and a hash in each line.
func finishSum(src []byte) ([]byte, error) {
	line := 0
	for text := range strings.Lines(string(src)) {
		line++
		if len(strings.Fields(text)) != 3 {
			return nil, &lineError{line, errors.New("not a line of go.sum")}
		}
	}
	return src, nil
}

func finishGo(src []byte) ([]byte, error) {
	// format.Source alone would also take a piece of a file.
	if _, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution); err != nil {
		line := 0
		if list := (scanner.ErrorList)(nil); errors.As(err, &list) {
			line, err = list[0].Pos.Line, errors.New(list[0].Msg)
		}
		return nil, &lineError{line, err}
	}
	return format.Source(src)
}

func finishMod(src []byte) ([]byte, error) {
	f, err := modfile.Parse("go.mod", src, nil)
	if err != nil {
		line := 0
		if list := (modfile.ErrorList)(nil); errors.As(err, &list) {
			line, err = list[0].Pos.Line, list[0].Err
		}
		return nil, &lineError{line, err}
	}
	return f.Format()
}

func finishHCL(src []byte) ([]byte, error) {
	if _, findings := hclsyntax.ParseConfig(src, "", hcl.InitialPos); findings.HasErrors() {
		first := findings.Errs()[0]
		line := 0
		if d := (*hcl.Diagnostic)(nil); errors.As(first, &d) && d.Subject != nil {
			line, first = d.Subject.Start.Line, errors.New(d.Summary+": "+d.Detail)
		}
		return nil, &lineError{line, first}
	}
	return formatHCL(src), nil
}

func lineOf(src []byte, n int) string {
	lines := strings.Split(string(src), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}
