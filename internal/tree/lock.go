package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
)

// LockFile is the manifest's name in the project. It is committed.
const LockFile = "gen.lock"

const formatVersion = 1

// lock is the manifest. Its keys come out sorted, so that it differs no more than the files do.
type lock struct {
	Version int `json:"version"`
	// Files are gen's.
	Files map[string]lockedFile `json:"files"`
	// Created are the files that gen created once and that are the user's since.
	Created map[string]createdFile `json:"created"`
	// Notes are the caller's.
	Notes json.RawMessage `json:"notes,omitempty"`
}

type lockedFile struct {
	Origin string `json:"origin,omitempty"`
	SHA256 string `json:"sha256"`
	// Template is the version of the template that the file was made with.
	Template string `json:"template,omitempty"`
}

type createdFile struct {
	Origin string `json:"origin,omitempty"`
}

func lockOf(t Tree, notes json.RawMessage) lock {
	l := lock{Version: formatVersion, Files: map[string]lockedFile{}, Created: map[string]createdFile{}, Notes: notes}
	for _, f := range t {
		if f.Once {
			l.Created[f.Path] = createdFile{Origin: f.Origin}
			continue
		}
		l.Files[f.Path] = lockedFile{Origin: f.Origin, SHA256: hash(f.Data), Template: f.Template}
	}
	return l
}

// Notes gives what the last [Write] was told to remember; nil when there is nothing.
func Notes(root string) (json.RawMessage, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var l lock
	_, err = readJSON(dir, LockFile, &l)
	return l.Notes, err
}

// intentFile holds what a run is about to write, from before its first write until after its last.
const intentFile = ".gen/tree.json"

// intent makes the files of an unfinished run known as gen's own, though no manifest lists them yet.
type intent struct {
	Version int `json:"version"`
	// Files gives for each path every hash that unfinished runs may have written.
	Files map[string][]string `json:"files"`
	// Created are the files that unfinished runs may have created for the user.
	Created map[string]createdFile `json:"created"`
}

// with gives the intent of an unfinished run, if there was one, and of a run that writes the lock's files.
func (i intent) with(l lock) intent {
	sum := intent{Version: formatVersion, Files: map[string][]string{}, Created: maps.Clone(l.Created)}
	maps.Copy(sum.Files, i.Files)
	maps.Copy(sum.Created, i.Created)
	for path, f := range l.Files {
		sum.Files[path] = append([]string{f.SHA256}, i.Files[path]...)
	}
	return sum
}

// readJSON reads a file of ours strictly into v. There need not be one.
func readJSON(root *os.Root, name string, v any) (data []byte, err error) {
	data, err = root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("read %s: %w; restore the file, or delete it together with all generated files and generate again", name, err)
	}
	if head.Version != formatVersion {
		return nil, fmt.Errorf("read %s: it has version %d and this gen knows version %d; use the gen that wrote it",
			name, head.Version, formatVersion)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
