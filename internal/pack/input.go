package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// input is everything that decides the bytes of one handler's package.
type input struct {
	// key is the digest of all of it; empty when the sources do not even load.
	key string
	// facts are settings and versions, one per line; files the sources that may change, absolute.
	facts []string
	files []string
	// imports are the packages that the main package needs, without the standard library.
	imports []string
}

// listed is the part of "go list -json" that is used here.
type listed struct {
	Dir, ImportPath, Name string
	Standard              bool
	Module                *module
	Deps                  []string
	Error, DepsErrors     json.RawMessage

	GoFiles, CFiles, HFiles, SFiles, SysoFiles, EmbedFiles []string
}

type module struct {
	Path, Version, GoVersion string
	Replace                  *module
}

const listFields = "-json=Dir,ImportPath,Name,Standard,Module,Deps,Error,DepsErrors,GoFiles,CFiles,HFiles,SFiles,SysoFiles,EmbedFiles"

// inputs asks the go command once for the packages below all handlers and digests them per handler.
func (b *builder) inputs(ctx context.Context) ([]input, error) {
	if len(b.Handlers) == 0 {
		return nil, nil
	}
	args := []string{"list", "-e", "-deps", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", listFields}
	for _, h := range b.Handlers {
		args = append(args, "./"+h.Dir)
	}
	out, err := b.gocmd.run(ctx, args...)
	if err != nil {
		return nil, err
	}
	packages := map[string]listed{}
	byDir := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out.stdout)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("reading the answer of go list: %w", err)
		}
		packages[p.ImportPath] = p
		byDir[resolved(p.Dir)] = p.ImportPath
	}
	inputs := make([]input, len(b.Handlers))
	sums := map[string][]byte{}
	for i, h := range b.Handlers {
		main, ok := packages[byDir[resolved(filepath.Join(b.ProjectDir, filepath.FromSlash(h.Dir)))]]
		if !ok || main.Error != nil || main.DepsErrors != nil {
			continue // go build says what is wrong
		}
		if main.Name != "main" {
			return nil, fmt.Errorf("handler %s: %s is package %s, not main", h.Name, h.Dir, main.Name)
		}
		if inputs[i], err = b.input(main, packages, sums); err != nil {
			return nil, fmt.Errorf("handler %s: %w", h.Name, err)
		}
	}
	return inputs, nil
}

// input gives what decides a handler's package. sums has the digests of files that handlers share.
func (b *builder) input(main listed, packages map[string]listed, sums map[string][]byte) (input, error) {
	in := input{
		facts: []string{b.gocmd.version, b.GOOS, b.GOARCH, strings.Join(b.gocmd.buildArgs(), " "), zipFormat, main.ImportPath},
		files: b.moduleFiles(),
	}
	for _, path := range append(slices.Clone(main.Deps), main.ImportPath) {
		p, ok := packages[path]
		if !ok || p.Standard {
			continue // the version of Go stands for its library
		}
		if path != main.ImportPath {
			in.imports = append(in.imports, path)
		}
		if b.immutable(p) {
			in.facts = append(in.facts, "package "+path+" "+p.Module.identity())
			continue
		}
		for _, names := range [][]string{p.GoFiles, p.CFiles, p.HFiles, p.SFiles, p.SysoFiles, p.EmbedFiles} {
			for _, name := range names {
				in.files = append(in.files, filepath.Join(p.Dir, name))
			}
		}
		in.facts = append(in.facts, "local "+path)
	}
	slices.Sort(in.files)
	in.files = slices.Compact(in.files)
	slices.Sort(in.facts)
	var err error
	in.key, err = b.digest(in, sums)
	return in, err
}

// immutable reports whether the package lies in the module cache, where a version never changes.
func (b *builder) immutable(p listed) bool {
	rel, err := filepath.Rel(b.gocmd.modCache, p.Dir)
	return err == nil && filepath.IsLocal(rel) && p.Module != nil
}

func (m *module) identity() string {
	id := m.Path + "@" + m.Version
	if m.Replace != nil {
		id += " => " + m.Replace.identity()
	}
	return id
}

// moduleFiles are the files that steer the go command in this project.
func (b *builder) moduleFiles() []string {
	var files []string
	for _, name := range []string{"go.mod", "go.sum", "go.work", "go.work.sum", filepath.Join("vendor", "modules.txt")} {
		if path := filepath.Join(b.ProjectDir, name); isFile(path) {
			files = append(files, path)
		}
	}
	return files
}

// digest gives the key of facts and file contents. Files are named relative to the project, so
// that a moved project keeps its cache. What is in sums is not read again.
func (b *builder) digest(in input, sums map[string][]byte) (string, error) {
	h := sha256.New()
	for _, fact := range in.facts {
		fmt.Fprintf(h, "fact %q\n", fact)
	}
	for _, file := range in.files {
		name, err := filepath.Rel(b.ProjectDir, file)
		if err != nil {
			name = file
		}
		sum, known := sums[file]
		if !known {
			if sum, err = fileSum(file); err != nil {
				return "", fmt.Errorf("reading the sources: %w", err)
			}
			sums[file] = sum
		}
		fmt.Fprintf(h, "file %q %x\n", filepath.ToSlash(name), sum)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func fileSum(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// resolved makes folders comparable that the go command may name through a symbolic link or not.
func resolved(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return filepath.Clean(dir)
}
