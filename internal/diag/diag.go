// Package diag holds what streamgen has to say about a user's files: a finding with a stable code,
// a position and the way out, and the writers that print findings for people, machines and CI.
package diag

import (
	"cmp"
	"fmt"
	"slices"
)

// Position is a place in a file. Line and Column count from 1, Column in characters (not bytes).
// Line 0 means that the finding concerns the file as a whole, an empty File that it has no place.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String gives the position as editors and CI systems read it: file:line:column.
func (p Position) String() string {
	switch {
	case p.File == "" && p.Line == 0:
		return ""
	case p.Line == 0:
		return p.File
	default:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
}

// IsZero reports whether the position names no place at all.
func (p Position) IsZero() bool { return p == Position{} }

func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// Severity says whether a finding stops the run.
type Severity string

// An Error stops the run and nothing is written; a Warning is shown and the run goes on.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing to say about a place in a file.
type Finding struct {
	// Code is stable across releases, kebab case, such as "unknown-key". Scripts may match on it.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Summary is one sentence that says what is wrong, without a position and without a full stop.
	Summary string `json:"summary"`
	// Detail says the way out, in one or two sentences.
	Detail string   `json:"detail,omitempty"`
	Pos    Position `json:"pos"`
}

// Error makes a finding usable where an error is expected: "file:line:column: summary".
func (f Finding) Error() string {
	if at := f.Pos.String(); at != "" {
		return at + ": " + f.Summary
	}
	return f.Summary
}

// Findings is everything one run found. The zero value is ready to use.
type Findings []Finding

// Add appends a finding of severity Error.
func (fs *Findings) Add(code string, pos Position, summary, detail string) {
	*fs = append(*fs, Finding{Code: code, Severity: Error, Summary: summary, Detail: detail, Pos: pos})
}

// Warn appends a finding of severity Warning.
func (fs *Findings) Warn(code string, pos Position, summary, detail string) {
	*fs = append(*fs, Finding{Code: code, Severity: Warning, Summary: summary, Detail: detail, Pos: pos})
}

// Failed reports whether any finding is an Error.
func (fs Findings) Failed() bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}

// Sorted gives the findings by position, then code and summary, each once.
func (fs Findings) Sorted() Findings {
	out := slices.Clone(fs)
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(a.Pos.compare(b.Pos), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Summary, b.Summary))
	})
	return slices.Compact(out)
}
