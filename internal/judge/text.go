package judge

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// TextOptions steer [Judgement.Text].
type TextOptions struct {
	// Allowed are the names that the user gave, as for [Judgement.Unallowed]: nothing is asked for them any more.
	Allowed map[string]bool
	// Arguments lists what changes for the class "change" as well, which has a line each without it.
	Arguments bool
	// Color paints classes with ANSI sequences; only for a terminal.
	Color bool
}

const (
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// longest is the number of characters that are shown of a value; JSON has all.
const longest = 160

// Text prints the judgement for people, the worst first: a line for each finding with its place in the spec, then the reason, what
// forces a replacement, and what changes. The last line has the counts.
func (j Judgement) Text(w io.Writer, o TextOptions) error {
	p := printer{options: o}
	for _, f := range j.Findings {
		p.finding(f)
	}
	for _, d := range j.Drift {
		p.drift(d)
	}
	p.line("%s", j.sum())
	_, err := w.Write(p.out.Bytes())
	return err
}

// sum is the last line.
func (j Judgement) sum() string {
	switch {
	case len(j.Findings) == 0 && j.Unchanged == 0: // also of a plan that only refreshes: it lists nothing but drift
		return "no changes"
	case len(j.Findings) == 0:
		return fmt.Sprintf("no changes; %d unchanged", j.Unchanged)
	case !slices.ContainsFunc(j.Findings, func(f Finding) bool { return f.Code != "output" }):
		return fmt.Sprintf("plan: only outputs change; %d unchanged", j.Unchanged)
	}
	c := j.Counts
	parts := []string{fmt.Sprintf("%d to add", c.Add), fmt.Sprintf("%d to change", c.Change)}
	for _, n := range []struct {
		count int
		verb  string
	}{{c.Replace, "replace"}, {c.Move, "move"}, {c.Import, "import"}, {c.Forget, "forget"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n.count, n.verb))
		}
	}
	return fmt.Sprintf("plan: %s, %d to destroy; %d unchanged", strings.Join(parts, ", "), c.Destroy, j.Unchanged)
}

type printer struct {
	out     bytes.Buffer
	options TextOptions
}

// line prints a line that does no harm to a terminal, whatever the names and values in it.
func (p *printer) line(format string, args ...any) {
	p.out.WriteString(printable(fmt.Sprintf(format, args...)))
	p.out.WriteByte('\n')
}

func (p *printer) finding(f Finding) {
	var notes string
	if f.Previous != "" && f.Action != Move {
		notes += "  (was " + f.Previous + ")"
	}
	if f.Imported && f.Action != Import {
		notes += "  (imported)"
	}
	if at := f.Pos.String(); at != "" {
		notes += "  (" + at + ")"
	}
	p.out.WriteString(p.class(f))
	p.line("  %-7s  %s: %s%s", f.Action, f.display(), f.Summary, notes)
	if f.Class == Rest && !p.options.Arguments {
		return
	}
	for line := range strings.Lines(f.Reason) {
		p.line("  %s", strings.TrimSuffix(line, "\n"))
	}
	if len(f.ForcedBy) > 0 {
		p.line("  forced by %s", strings.Join(f.ForcedBy, ", "))
	}
	p.arguments(f.Arguments)
	for _, g := range f.Grants {
		p.line("  %s", g.line())
	}
	if f.Guard != "" && !f.allowed(p.options.Allowed) {
		p.line("  to let it happen: --allow-destroy %s", quoted(f.Guard))
	}
}

// class is the first word of a line.
func (p *printer) class(f Finding) string {
	word := fmt.Sprintf("%-7s", f.Class)
	switch {
	case !p.options.Color || f.Class == Cost || f.Class == Rest:
		return word
	case f.Severity == High:
		return red + word + reset
	}
	return yellow + word + reset
}

func (p *printer) arguments(arguments []Argument) {
	for _, a := range arguments {
		if a.Before == hiddenText && a.After == hiddenText {
			p.line("  %s: %s", a.Path, hiddenText)
			continue
		}
		p.line("  %s: %s -> %s", a.Path, short(a.Before), short(a.After))
	}
}

func (p *printer) drift(d Drift) {
	name := d.Name
	if name == "" {
		name = d.Address
	}
	what := "changed outside of terraform"
	switch d.Action {
	case Delete:
		what = "deleted outside of terraform"
	case Unknown:
		what += ", in a way that is not understood"
	}
	p.line("drift    %-7s  %s: %s", d.Action, name, what)
	p.arguments(d.Arguments)
}

// line writes a grant: + allow Service lambda.amazonaws.com sts:AssumeRole on RESOURCE if CONDITION.
func (g Grant) line() string {
	sign := map[GrantChange]string{New: "+", Gone: "-", Kept: "=", Unresolved: "?"}[g.Change]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s ", sign, strings.ToLower(g.Effect))
	if g.Principal != "" {
		fmt.Fprintf(&b, "%s: ", g.Principal)
	}
	b.WriteString(strings.Join(g.Actions, ", "))
	if len(g.Resources) > 0 {
		fmt.Fprintf(&b, " on %s", strings.Join(g.Resources, ", "))
	}
	if g.Condition != "" {
		fmt.Fprintf(&b, " if %s", g.Condition)
	}
	return b.String()
}

// short cuts a long value.
func short(s string) string {
	r := []rune(s)
	if len(r) <= longest {
		return s
	}
	return string(r[:longest]) + "…"
}

// quoted makes one word of a shell of a name that is none.
func quoted(name string) string {
	plain := func(r rune) bool {
		return r == '.' || r == '_' || r == '-' || r == '/' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}

// printable replaces what could change what a terminal shows: control characters and marks that turn the direction of text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
