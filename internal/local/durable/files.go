package durable

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Files is a part of a folder for what is too large for the log. Its files are no part of transactions.
type Files struct{ dir string }

// Files gives the files of a name, which holds slashes where folders are meant.
func (f *Folder) Files(name string) *Files {
	return &Files{filepath.Join(f.dir, "files", filepath.FromSlash(name))}
}

// Write returns when the file is there to stay. It is there whole or not at all, whenever the process or the machine ends.
func (f *Files) Write(name string, data []byte) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(f.dir, name)
	err := prepareFile(path, func(w *bufio.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	return putInPlace(path)
}

// Read gives a file's content.
func (f *Files) Read(name string) ([]byte, error) { return os.ReadFile(filepath.Join(f.dir, name)) }

// Remove removes a file.
func (f *Files) Remove(name string) error { return os.Remove(filepath.Join(f.dir, name)) }

// Names gives the files that there are, in order. One whose writing was cut off is removed.
func (f *Files) Names() ([]string, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return strings.HasSuffix(name, newSuffix) && f.Remove(name) == nil
	}), nil
}
