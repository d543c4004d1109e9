// Package wholefile writes files that hold either their old or their new content at any moment, whenever the writer is killed.
package wholefile

import (
	"bytes"
	"os"
	"path/filepath"
)

// Write gives the file this content, and leaves a file alone that has it already, so that its time stays.
func Write(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return Stream(path, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// Stream gives the file the content that write writes. When write fails the file stays as it is.
func Stream(path string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
