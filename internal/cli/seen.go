package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"streamgen/internal/report"
	"streamgen/internal/tree"
	"streamgen/templates"
)

// inputs stands for all that a generation depends on: this gen, the spec, the module, what gen.lock remembers and the project's
// own templates.
func inputs(dir string) (string, error) {
	sum := sha256.New()
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(program)
	if err != nil {
		return "", err
	}
	fmt.Fprintln(sum, program, info.Size(), info.ModTime().UnixNano())
	_, module, err := findModule(dir)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(sum, "%d\n%s", len(module), module)
	for _, name := range []string{specFile, tree.LockFile, "go.sum"} {
		if err := addFile(sum, dir, name); err != nil {
			return "", err
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, templatesFolder)); err == nil {
		err := fs.WalkDir(templates.FS, ".", func(name string, _ fs.DirEntry, err error) error {
			if err == nil && mayOverride(name) {
				err = addFile(sum, dir, filepath.Join(templatesFolder, filepath.FromSlash(name)))
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// addFile adds a file that need not be there.
func addFile(sum io.Writer, dir, name string) error {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	_, err = fmt.Fprintf(sum, "%s %t %d\n%s", name, err == nil, len(data), data)
	return err
}

// generatedAlready tells that there is nothing to do, if it can see that without rendering anything.
func generatedAlready(std streams, start string, o generateOptions) (bool, error) {
	if o.force || len(o.forget) > 0 {
		return false, nil
	}
	dir, err := findProject(start)
	if err != nil {
		return false, err
	}
	key, err := inputs(dir)
	if err != nil {
		return false, nil //nolint:nilerr // it is looked at in full, and told then
	}
	n, same := tree.Seen(dir, key)
	if same && o.json {
		return true, report.JSON(std.out, report.Files{Files: []report.File{}, Unchanged: n})
	}
	return same, nil
}

// remember lets the next generation see that nothing changed. Where there is something to tell each time, there is nothing
// to remember.
func (p *project) remember(changes tree.Changes) {
	if len(p.warnings) > 0 || len(p.notes) > 0 {
		return
	}
	if key, err := inputs(p.dir); err == nil {
		_ = tree.Remember(p.dir, changes, key) // without it the next run takes longer
	}
}
