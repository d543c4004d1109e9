// Package report turns results into text for people and JSON for machines.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"streamgen/internal/tree"
)

// Files is what a generation did, or would do, as 'gen generate --json' prints it.
type Files struct {
	Files []File `json:"files"`
	// Unchanged is the number of files that are as they should be.
	Unchanged int `json:"unchanged"`
}

// File is one path and what happens to it: create, update, remove, edited or orphan.
type File struct {
	Path   string    `json:"path"`
	Change tree.Kind `json:"change"`
	// Class is missing, edited, stale, template-changed or up to date.
	Class tree.Class `json:"class"`
	// Origin is the entry of the spec, such as "tables.orders".
	Origin string `json:"origin,omitempty"`
}

// FilesOf reduces changes to what is worth telling.
func FilesOf(c tree.Changes) Files {
	out := Files{Files: []File{}}
	for _, f := range c.Files {
		if f.Kind == tree.Unchanged {
			out.Unchanged++
			continue
		}
		out.Files = append(out.Files, File{Path: f.Path, Change: f.Kind, Class: f.Class, Origin: f.Origin})
	}
	if len(out.Files) == 0 && c.LockStale() {
		// Whoever is told that something is not up to date must see what.
		out.Files = append(out.Files, File{Path: tree.LockFile, Change: tree.Update, Class: tree.Stale})
	}
	return out
}

// Text prints a line per file, and for the files that are the user's what becomes of them.
func (f Files) Text(w io.Writer) error {
	var b bytes.Buffer
	for _, file := range f.Files {
		note := ""
		switch file.Change {
		case tree.Orphan:
			note = fmt.Sprintf("  (yours: %s is gone from the spec, the file stays; delete it when you like)", file.Origin)
		case tree.Edited:
			note = "  (generated, but edited since)"
		case tree.Create, tree.Update, tree.Remove, tree.Unchanged:
		}
		fmt.Fprintf(&b, "%-7s %s%s\n", verb(file.Change), file.Path, note)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// CheckText prints a line for each file that is not as it should be.
func (f Files) CheckText(w io.Writer) error {
	var b bytes.Buffer
	for _, file := range f.Files {
		if file.Class == tree.UpToDate {
			continue
		}
		fmt.Fprintf(&b, "%-16s %s", file.Class, file.Path)
		if file.Change == tree.Remove {
			fmt.Fprintf(&b, "  (nothing in the spec needs it)")
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// verb is the change as a person reads it.
func verb(k tree.Kind) string {
	if k == tree.Orphan {
		return "keep"
	}
	return string(k)
}

// JSON prints v as one indented JSON value.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
