package tf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"streamgen/internal/wholefile"
)

// What this package keeps in the work folder.
const (
	backendFile    = "backend_override.tf"
	planFile       = "plan.tfplan"
	stagedFile     = "staged.json"
	initFile       = "init.json"
	unfinishedFile = "unfinished.json"
	logDir         = "log"
	lockFile       = ".terraform.lock.hcl"
	dataDir        = ".terraform"
)

// OpenTofu reads the second of two files whose names end with .tf and .tofu, and not the first.
var reserved = []string{backendFile, strings.TrimSuffix(backendFile, ".tf") + ".tofu", planFile, stagedFile, initFile, unfinishedFile, logDir}

// staged remembers which files of the work folder are copies.
type staged struct {
	Files []string `json:"files"`
}

// Stage makes the work folder hold the configuration as it is now: copies of all of Source's files,
// byte for byte, and none that Source no longer has. Files that did not change are not touched, nor
// is anything that terraform keeps there. With StateFile set, an override file points the backend
// at it: https://developer.hashicorp.com/terraform/language/files/override
func (t *Terraform) Stage() error {
	if err := t.stage(); err != nil {
		return fmt.Errorf("staging the configuration for terraform: %w", err)
	}
	return nil
}

func (t *Terraform) stage() error {
	files, err := sourceFiles(t.Source)
	if err != nil {
		return err
	}
	var before staged
	if err := readJSON(t.path(stagedFile), &before); err != nil {
		return fmt.Errorf("reading %s: %w", stagedFile, err)
	}
	// The list names a file before the file is there, so that a copy is never taken for the user's.
	both := slices.Concat(before.Files, files)
	slices.Sort(both)
	if err := writeJSON(t.path(stagedFile), staged{Files: slices.Compact(both)}); err != nil {
		return err
	}
	// Removals come first: a new file may stand where a folder stood, or bear an old name in other case.
	if err := t.unstage(before.Files, files); err != nil {
		return err
	}
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(t.Source, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		to := t.path(filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := wholefile.Write(to, data); err != nil {
			return err
		}
	}
	if err := t.stageBackend(); err != nil {
		return err
	}
	return writeJSON(t.path(stagedFile), staged{Files: files})
}

// unstage removes the copies in before that are not in now, and folders that this empties.
func (t *Terraform) unstage(before, now []string) error {
	for _, name := range before {
		if slices.Contains(now, name) || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		if err := remove(t.path(filepath.FromSlash(name))); err != nil {
			return err
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if os.Remove(t.path(filepath.FromSlash(dir))) != nil {
				break // not empty
			}
		}
	}
	return nil
}

// sourceFiles lists what belongs to a configuration, sorted and slash-separated. What terraform
// leaves in a folder that it ran in does not belong to it.
func sourceFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case name == ".":
			return nil
		case d.IsDir() && d.Name() == dataDir:
			return fs.SkipDir
		case slices.Contains(reserved, name):
			return fmt.Errorf("%s: %q is a name that streamgen keeps for itself; rename it", p, d.Name())
		case d.IsDir() || d.Name() == lockFile || isState(d.Name()):
			return nil
		case !d.Type().IsRegular():
			return fmt.Errorf("%s is not a regular file", p)
		}
		files = append(files, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, errors.New(dir + " holds no configuration")
	}
	slices.Sort(files)
	return files, nil
}

func isState(name string) bool {
	return strings.HasPrefix(name, "terraform.tfstate") || name == ".terraform.tfstate.lock.info"
}
