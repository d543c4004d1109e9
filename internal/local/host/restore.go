package host

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// Journal keeps functions by name, so that they outlive the process.
type Journal interface {
	// Put keeps a function as JSON, as it is now.
	Put(name string, function any)
	Delete(name string)
	// Each gives what is kept, in the order of the names.
	Each(f func(name string, function []byte) error) error
}

// Packages keeps files of functions' code.
type Packages interface {
	// Write returns when the file is there to stay.
	Write(name string, data []byte) error
	Read(name string) ([]byte, error)
	// Names gives the files that there are.
	Names() ([]string, error)
	Remove(name string) error
}

// packageName is the file of a package with the hash that [Function.CodeSHA256] is: one for all functions that have the same.
func packageName(sha256 []byte) string { return hex.EncodeToString(sha256) + ".zip" }

// takeIn unpacks a package, and keeps it.
func (h *Host) takeIn(name string, zip []byte) (*code, error) {
	code, err := h.unpack(name, zip)
	if err != nil || h.packages == nil {
		return code, err
	}
	sum := sha256.Sum256(zip)
	if err := h.packages.Write(packageName(sum[:]), zip); err != nil {
		code.drop()
		return nil, fmt.Errorf("keeping the package of function %s: %w", name, err)
	}
	return code, nil
}

// keep tells the journal of a function that changed. The caller holds h.mu.
func (h *Host) keep(rev *revision) {
	if h.journal != nil && rev.code.run == nil {
		h.journal.Put(rev.function.Name, rev.snapshot())
	}
}

// Restore takes in the functions that the journal has, and tells it of every change from then on. It comes before all other calls. What
// no function needs of the packages any more is removed.
func (h *Host) Restore(j Journal, packages Packages) error {
	h.mu.Lock()
	h.journal, h.packages = j, packages
	h.mu.Unlock()
	var needed []string
	err := j.Each(func(name string, text []byte) error {
		file, err := h.restore(text)
		if err != nil {
			return fmt.Errorf("restoring function %s: %w", name, err)
		}
		needed = append(needed, file)
		return nil
	})
	if err != nil {
		return err
	}
	files, err := packages.Names()
	if err != nil {
		return fmt.Errorf("looking for packages of functions: %w", err)
	}
	for _, file := range files {
		if slices.Contains(needed, file) {
			continue
		}
		if err := packages.Remove(file); err != nil {
			return fmt.Errorf("removing a package of no function: %w", err)
		}
	}
	return nil
}

// restore takes in a function and gives the file of its package.
func (h *Host) restore(text []byte) (file string, err error) {
	var f Function
	if err := json.Unmarshal(text, &f); err != nil {
		return "", err
	}
	sum, err := base64.StdEncoding.DecodeString(f.CodeSHA256)
	if err != nil {
		return "", err
	}
	file = packageName(sum)
	zip, err := h.packages.Read(file)
	if err != nil {
		return "", err
	}
	code, err := h.unpack(f.Name, zip)
	if err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.functions[f.Name] = newRevision(h, f, code)
	return file, nil
}
