package tf

import (
	"cmp"
	"regexp"
	"strings"

	"streamgen/internal/diag"
)

// Severity is how terraform grades a diagnostic.
type Severity string

// An error ends the command; a warning does not.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Diagnostic is one thing that terraform or a provider has to say.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail,omitempty"`
	// Address is the resource that it concerns, if terraform says so.
	Address string `json:"address,omitempty"`
	// File is slash-separated and relative to the configuration; Line and Column count from 1.
	// All are empty when the diagnostic has no place.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Snippet is the source that it points at, Block the header of the block around it.
	Snippet string `json:"snippet,omitempty"`
	Block   string `json:"block,omitempty"`
	// Argument is the argument or nested block that it concerns, such as "batch_size".
	Argument string `json:"argument,omitempty"`
}

// String gives the diagnostic in one line.
func (d Diagnostic) String() string {
	text := d.summary()
	if d.Detail != "" {
		text += ": " + strings.Join(strings.Fields(d.Detail), " ")
	}
	if pos := d.position().String(); pos != "" {
		text = pos + ": " + text
	}
	return text
}

func (d Diagnostic) summary() string {
	summary := strings.TrimSuffix(strings.Join(strings.Fields(d.Summary), " "), ".")
	if d.Address != "" && !strings.Contains(summary, d.Address) {
		summary = d.Address + ": " + summary
	}
	return summary
}

func (d Diagnostic) position() diag.Position {
	return diag.Position{File: d.File, Line: d.Line, Column: d.Column}
}

// Finding makes the diagnostic a finding about the file that the configuration was made from.
// origin says where a file and an argument of the configuration come from, and false if it cannot;
// then the finding points at the configuration itself.
func (d Diagnostic) Finding(origin func(file, argument string) (diag.Position, bool)) diag.Finding {
	f := diag.Finding{Code: "terraform", Severity: diag.Error, Summary: d.summary(), Detail: d.Detail, Pos: d.position()}
	if d.Severity == SeverityWarning {
		f.Severity = diag.Warning
	}
	if origin != nil && d.File != "" {
		if pos, ok := origin(d.File, d.Argument); ok {
			f.Pos = pos
		}
	}
	return f
}

// wireDiagnostic is a diagnostic as terraform writes it.
type wireDiagnostic struct {
	Severity Severity `json:"severity"`
	Summary  string   `json:"summary"`
	Detail   string   `json:"detail"`
	Address  string   `json:"address"`
	Range    *struct {
		Filename string `json:"filename"`
		Start    struct {
			Line   int `json:"line"`
			Column int `json:"column"`
		} `json:"start"`
	} `json:"range"`
	Snippet *snippet `json:"snippet"`
}

type snippet struct {
	Context *string `json:"context"`
	// Code is whole lines; the offset counts its bytes.
	Code           string `json:"code"`
	HighlightStart int    `json:"highlight_start_offset"`
}

func (w wireDiagnostic) diagnostic() Diagnostic {
	d := Diagnostic{Severity: w.Severity, Summary: w.Summary, Detail: w.Detail, Address: w.Address}
	if w.Range != nil {
		d.File = strings.ReplaceAll(w.Range.Filename, `\`, "/")
		d.Line, d.Column = w.Range.Start.Line, w.Range.Start.Column
	}
	if w.Snippet != nil {
		d.Snippet = w.Snippet.Code
		if w.Snippet.Context != nil {
			d.Block = *w.Snippet.Context
		}
		d.Argument = w.Snippet.argument()
	}
	if d.Argument == "" {
		d.Argument = named(d.Summary + " " + d.Detail)
	}
	return d
}

var (
	// assignment is a line that sets an argument or opens a nested block. The header of a resource
	// has labels and does not match.
	assignment = regexp.MustCompile(`^\s*([A-Za-z_][\w-]*)\s*(?:=(?:[^=]|$)|\{)`)
	// quotedName is how terraform speaks of an argument that is missing or not known.
	quotedName = regexp.MustCompile(`(?i)\b(?:argument|attribute|block)s?(?: (?:named|type|of type))* "([A-Za-z_][\w-]*)"`)
)

// argument reads the argument's name from the line that the highlight begins on.
func (s snippet) argument() string {
	at := min(max(s.HighlightStart, 0), len(s.Code))
	line, _, _ := strings.Cut(s.Code[strings.LastIndexByte(s.Code[:at], '\n')+1:], "\n")
	return first(assignment, line)
}

func named(text string) string { return first(quotedName, text) }

func first(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return cmp.Or(m[1:]...)
	}
	return ""
}
