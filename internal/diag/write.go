package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sources gives a file's content so that a writer can show the line that a finding is about;
// ok is false when there is none to show.
type Sources func(file string) (content []byte, ok bool)

// TextOptions steer [WriteText].
type TextOptions struct {
	// Sources may be nil: then no source lines are shown.
	Sources Sources
	// Color paints severities with ANSI sequences; only for a terminal.
	Color bool
}

const (
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	reset  = "\x1b[0m"
)

// WriteText prints findings for people: position, severity and summary on one line, then the line of the source with
// a caret, then the way out.
func WriteText(w io.Writer, fs Findings, o TextOptions) error {
	var b bytes.Buffer
	for _, f := range fs.Sorted() {
		if at := f.Pos.String(); at != "" {
			fmt.Fprintf(&b, "%s: ", o.paint(bold, at))
		}
		color := red
		if f.Severity == Warning {
			color = yellow
		}
		fmt.Fprintf(&b, "%s: %s [%s]\n", o.paint(color, string(f.Severity)), f.Summary, f.Code)
		o.excerpt(&b, f.Pos)
		if f.Detail != "" {
			fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(f.Detail, "\n", "\n  "))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (o TextOptions) paint(code, s string) string {
	if !o.Color {
		return s
	}
	return code + s + reset
}

func (o TextOptions) excerpt(b *bytes.Buffer, p Position) {
	if o.Sources == nil || p.Line < 1 {
		return
	}
	content, ok := o.Sources(p.File)
	if !ok {
		return
	}
	line, ok := nthLine(content, p.Line)
	if !ok {
		return
	}
	prefix, rest := splitColumns(line, p.Column-1)
	fmt.Fprintf(b, "  | %s%s\n  | %s^\n", printable(prefix), printable(rest), strings.Repeat(" ", utf8.RuneCountInString(printable(prefix))))
}

func nthLine(content []byte, n int) (string, bool) {
	for i := 1; ; i++ {
		line, rest, more := bytes.Cut(content, []byte("\n"))
		if i == n {
			return strings.TrimSuffix(string(line), "\r"), true
		}
		if !more {
			return "", false
		}
		content = rest
	}
}

// splitColumns cuts s after n characters.
func splitColumns(s string, n int) (before, after string) {
	for i := range s {
		if n <= 0 {
			return s[:i], s[i:]
		}
		n--
	}
	return s, ""
}

// printable keeps a source line on one line and harmless to a terminal, which control characters steer and format characters
// reorder; a tab takes two columns.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '�'
		}
		return r
	}, strings.ReplaceAll(s, "\t", "  "))
}

// WriteJSON prints findings as one JSON array, for machines.
func WriteJSON(w io.Writer, fs Findings) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	sorted := fs.Sorted()
	if sorted == nil {
		sorted = Findings{}
	}
	return enc.Encode(sorted)
}

// WriteAnnotations prints findings as workflow commands, which CI systems show beside the changed lines.
// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
func WriteAnnotations(w io.Writer, fs Findings) error {
	var b bytes.Buffer
	for _, f := range fs.Sorted() {
		message := f.Summary
		if f.Detail != "" {
			message += "\n" + f.Detail
		}
		fmt.Fprintf(&b, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", f.Severity,
			escapeProperty(f.Pos.File), max(f.Pos.Line, 1), max(f.Pos.Column, 1), escapeProperty(f.Code), escapeData(message))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}
