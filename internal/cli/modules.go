package cli

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"streamgen/internal/fileplan"
	"streamgen/internal/tree"
	"streamgen/internal/wholefile"
)

// moduleFile is a go.mod or go.sum of the user's as it has to be.
type moduleFile struct {
	name string
	data []byte
}

// moduleFiles are those that lack what the copied runtime in a tree needs: a build reads the requirements and hashes of the main module
// alone. Nothing is taken from them, and no version is lowered.
func moduleFiles(dir string, t tree.Tree) ([]moduleFile, error) {
	var out []moduleFile
	for name, complete := range map[string]func(have, want []byte) ([]byte, error){"go.mod": completeRequirements, "go.sum": completeLines} {
		i := slices.IndexFunc(t, func(f tree.File) bool { return f.Path == fileplan.RuntimeFolder+"/"+name })
		if i < 0 {
			continue
		}
		have, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		want, err := complete(have, t[i].Data)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(have, want) {
			out = append(out, moduleFile{name, want})
		}
	}
	slices.SortFunc(out, func(a, b moduleFile) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	return out, nil
}

// completeRequirements adds to a go.mod the requirements of another that it lacks, or has in an older version.
func completeRequirements(have, want []byte) ([]byte, error) {
	f, err := modfile.Parse("go.mod", have, nil)
	if err != nil {
		return nil, usageError{err}
	}
	needs, err := modfile.Parse(fileplan.RuntimeFolder+"/go.mod", want, nil)
	if err != nil {
		return nil, err
	}
	changed := false
	for _, need := range needs.Require {
		i := slices.IndexFunc(f.Require, func(r *modfile.Require) bool { return r.Mod.Path == need.Mod.Path })
		switch {
		case i < 0:
			f.AddNewRequire(need.Mod.Path, need.Mod.Version, true)
		case semver.Compare(f.Require[i].Mod.Version, need.Mod.Version) < 0:
			if err := f.AddRequire(need.Mod.Path, need.Mod.Version); err != nil {
				return nil, err
			}
		default:
			continue
		}
		changed = true
	}
	if !changed {
		return have, nil
	}
	f.SetRequireSeparateIndirect(f.Require)
	f.Cleanup()
	return f.Format()
}

func writeModuleFiles(dir string, files []moduleFile) error {
	for _, f := range files {
		if err := wholefile.Write(filepath.Join(dir, f.name), f.data); err != nil {
			return err
		}
	}
	return nil
}
