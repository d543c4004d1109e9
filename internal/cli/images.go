package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strings"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
)

// checkHandlers warns of handlers that use an image which their table's stream does not have: it is always nil. What
// does not parse is left to the compiler.
func (p *project) checkHandlers() {
	for _, f := range p.files {
		function, ok := f.View.(fileplan.Main)
		if !ok {
			continue
		}
		for _, r := range function.Routes {
			t, _ := p.spec.Table(r.Table)
			if missing := missingImages(t.StreamViewType); len(missing) > 0 && !r.Window {
				p.checkImages(function.Name, r, t, missing)
			}
		}
	}
}

// missingImages are the fields of stream.Change that are always nil.
func missingImages(view string) map[string]bool {
	return map[string]map[string]bool{
		"KEYS_ONLY": {"Old": true, "New": true}, "NEW_IMAGE": {"Old": true}, "OLD_IMAGE": {"New": true},
	}[view]
}

func (p *project) checkImages(handler string, r fileplan.Route, t spec.Table, missing map[string]bool) {
	folder := path.Join("handlers", handler)
	files, _ := filepath.Glob(filepath.Join(p.dir, filepath.FromSlash(folder), "*.go")) // its only error is a malformed pattern
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, use := range imageUses(parsed, r.Function, missing) {
			at := set.Position(use.Pos())
			p.warnings.Warn("image-not-in-stream", diag.Position{File: path.Join(folder, filepath.Base(file)), Line: at.Line, Column: at.Column},
				fmt.Sprintf("%s.%s is always nil: the stream of table %q has %s", use.X, use.Sel, t.Name, t.StreamViewType),
				"Write stream_view_type: NEW_AND_OLD_IMAGES for the table, or do without the image.")
		}
	}
}

// imageUses gives where a function uses the named fields of its last parameter, the change.
func imageUses(file *ast.File, function string, fields map[string]bool) []*ast.SelectorExpr {
	var uses []*ast.SelectorExpr
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Name.Name != function || f.Body == nil || len(f.Type.Params.List) == 0 {
			continue
		}
		last := f.Type.Params.List[len(f.Type.Params.List)-1]
		if len(last.Names) == 0 {
			continue
		}
		change := last.Names[len(last.Names)-1].Name
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && fields[s.Sel.Name] {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == change {
					uses = append(uses, s)
				}
			}
			return true
		})
	}
	return uses
}
