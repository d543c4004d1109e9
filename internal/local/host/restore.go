package host

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// kept is a function in the journal. Its first members are those of $LATEST.
type kept struct {
	Function
	Versions    []Function             `json:",omitempty"`
	Next        int                    `json:",omitempty"`
	Published   string                 `json:",omitempty"`
	Aliases     map[string]Alias       `json:",omitempty"`
	Reserved    *int                   `json:",omitempty"`
	Provisioned map[string]Provisioned `json:",omitempty"`
	Async       map[string]AsyncConfig `json:",omitempty"`
}

// keep tells the journal of a function that changed. The caller holds h.mu.
func (h *Host) keep(fam *family) {
	if h.journal == nil || fam.latest.code.run != nil {
		return
	}
	k := kept{
		Function: fam.latest.snapshot(), Next: fam.next, Published: fam.published, Aliases: maps.Clone(fam.aliases), Reserved: fam.reserved,
		Provisioned: maps.Clone(fam.provisioned), Async: maps.Clone(fam.async),
	}
	for _, v := range fam.versions {
		k.Versions = append(k.Versions, v.snapshot())
	}
	h.journal.Put(fam.latest.function.Name, k)
}

// Restore takes in the functions that the journal has, and tells it of every change from then on. It comes before all other calls. What
// no function needs of the packages any more is removed.
func (h *Host) Restore(j Journal, packages Packages) error {
	h.mu.Lock()
	h.journal, h.packages = j, packages
	h.mu.Unlock()
	var needed []string
	// A function may have layers, which come first.
	for _, layers := range []bool{true, false} {
		err := j.Each(func(name string, text []byte) error {
			layer, is := strings.CutPrefix(name, layerKey)
			if is != layers {
				return nil
			}
			restore := h.restoreLayer
			if !is {
				restore = h.restore
			}
			files, err := restore(layer, text)
			if err != nil {
				return fmt.Errorf("restoring function %s: %w", name, err)
			}
			needed = append(needed, files...)
			return nil
		})
		if err != nil {
			return err
		}
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

// restore takes in a function and gives the files of its packages.
func (h *Host) restore(_ string, text []byte) (files []string, err error) {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, err
	}
	k.Version = Latest // what an older stack kept has none
	fam := newFamily()
	maps.Copy(fam.aliases, k.Aliases)
	maps.Copy(fam.provisioned, k.Provisioned)
	maps.Copy(fam.async, k.Async)
	fam.next, fam.published, fam.reserved = max(k.Next, 1), k.Published, k.Reserved
	unpacked := map[string]*code{} // versions often have the same package
	for _, f := range append([]Function{k.Function}, k.Versions...) {
		code := unpacked[f.CodeSHA256]
		if code == nil {
			var file string
			if file, code, err = h.reunpack(f.Name, f.CodeSHA256); err != nil {
				return nil, err
			}
			unpacked[f.CodeSHA256] = code
			files = append(files, file)
		} else {
			code.hold()
		}
		layers, err := h.overlay(f.Name, f.Layers)
		if err != nil {
			return nil, err
		}
		for _, l := range f.Layers {
			sum, err := base64.StdEncoding.DecodeString(l.CodeSHA256)
			if err != nil {
				return nil, err
			}
			files = append(files, packageName(sum))
		}
		rev := newRevision(h, fam, f, code, layers)
		if fam.latest == nil {
			fam.latest = rev
		} else {
			fam.versions = append(fam.versions, rev)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.functions[k.Name] = fam
	return files, nil
}
