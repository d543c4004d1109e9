package cli

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"streamgen/internal/local"
	"streamgen/internal/records"
)

// How much of what others wrote a line has, in characters.
const (
	mostOfValue   = 60
	mostOfRecord  = 1000
	mostOfError   = 500
	mostOfMessage = 2000
	mostOfName    = 80
)

// firstRecords are those of a batch that are shown unless all are wanted.
const firstRecords = 3

// failureKinds are what is told of a batch with which something went wrong.
var failureKinds = []string{
	local.EventPartial, local.EventFailure, local.EventRefused, local.EventRetry, local.EventBisect, local.EventDrop,
}

// tailPrinter prints events, a line for each thing that happens.
type tailPrinter struct {
	out   io.Writer
	view  view
	o     tailOptions
	color bool
	zone  *time.Location

	// printed are the events so far, but for those below another; lastDay is the day of the last of them.
	printed int
	lastDay string
	// functions and tables are how wide these columns are.
	functions, tables int
	// shown are the batches whose records were shown.
	shown map[batchKey]bool
	// held are the log lines of invocations of which nobody knows yet how they end.
	held heldLogs
}

// batchKey names a batch: a shorter one is another.
type batchKey struct{ mapping, shard, first, last string }

func newTailPrinter(std streams, v view, o tailOptions) *tailPrinter {
	p := &tailPrinter{out: std.out, view: v, o: o, color: std.colorOut(), zone: time.Local}
	for name, key := range v.functions {
		if slices.Contains(v.onlyFunctions, name) || slices.Contains(v.readers, name) {
			widen(&p.functions, key)
		}
	}
	for name, key := range v.tables {
		if len(v.onlyTables) == 0 || slices.Contains(v.onlyTables, name) {
			widen(&p.tables, key)
		}
	}
	p.forget()
	return p
}

// widen makes a column as wide as a text, within reason.
func widen(column *int, text string) {
	const most = 32
	*column = min(max(*column, utf8.RuneCountInString(text)), most)
}

// forget forgets what is under way: the stack was started anew.
func (p *tailPrinter) forget() {
	p.shown, p.held = map[batchKey]bool{}, heldLogs{}
}

// take prints an event if it is wanted. It gives errEnough when it was the last one.
func (p *tailPrinter) take(e *local.Event, line []byte) error {
	switch {
	case !p.view.has(e):
		return nil
	case e.Kind == local.EventLog && p.o.failures:
		p.held.add(e, line)
		return nil
	case p.o.failures && (e.Kind == local.EventSuccess || e.Kind == local.EventInvocation && e.Error == ""):
		p.held.take(e.RequestID)
		return nil
	case p.hides(e):
		return nil
	}
	if err := p.print(e, line); err != nil {
		return err
	}
	if p.o.failures {
		for _, h := range p.held.take(e.RequestID) {
			if p.hides(&h.event) {
				continue
			}
			if err := p.print(&h.event, h.line); err != nil {
				return err
			}
		}
	}
	if e.Kind != local.EventLost {
		p.printed++
	}
	if p.o.count > 0 && p.printed >= p.o.count {
		return errEnough
	}
	return nil
}

// hides reports whether an event is a log line that no handler wrote for people.
func (p *tailPrinter) hides(e *local.Event) bool {
	kind, _ := platformLine(e)
	return (kind != "" || e.Kind == local.EventLog && isMetrics(e.Message)) && !p.o.logs && !p.o.json
}

func (p *tailPrinter) print(e *local.Event, line []byte) error {
	var text string
	if p.o.json {
		text = string(escaped(line)) + "\n"
	} else {
		text = p.text(e)
	}
	if _, err := io.WriteString(p.out, text); err != nil {
		return fmt.Errorf("writing the events: %w", err)
	}
	return nil
}

// escaped is a line of JSON that says the same and steers no terminal.
func escaped(line []byte) []byte {
	if bytes.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return line
	}
	var b bytes.Buffer
	for _, r := range string(line) {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}

// text tells an event to people: its line, and those of what belongs to it.
func (p *tailPrinter) text(e *local.Event) string {
	var b strings.Builder
	at := e.Time.In(p.zone)
	if day := at.Format(time.DateOnly); day != p.lastDay {
		if p.lastDay != "" {
			fmt.Fprintf(&b, "%s\n", day)
		}
		p.lastDay = day
	}
	const clock = "15:04:05.000"
	if e.Kind == local.EventLost {
		fmt.Fprintf(&b, "%s  %s\n", at.Format(clock), p.paint(yellow, fmt.Sprintf("%s missing from here on: more happened than could be told", are(e.Lost, "event"))))
		return b.String()
	}
	function, table := records.Cut(p.view.function(e), mostOfName), records.Cut(p.view.table(e), mostOfName)
	widen(&p.functions, function)
	widen(&p.tables, table)
	head := fmt.Sprintf("%s  %-*s  ", at.Format(clock), p.functions, function)
	indent := strings.Repeat(" ", len(clock)+p.functions+4)
	if e.Kind == local.EventLog {
		for i, line := range p.logLines(e.Message) {
			if i > 0 {
				head = indent
			}
			b.WriteString(head + "  | " + line + "\n")
		}
		return b.String()
	}
	b.WriteString(head + p.paint(colorOf(e), fmt.Sprintf("%-10s", e.Kind)) + "  ")
	if e.Table != "" {
		batch := "end of window"
		if e.Count > 0 {
			batch = count(e.Count, "record")
		}
		fmt.Fprintf(&b, "%13s  %-*s  %-8s  %-26s  ", batch, p.tables, table, records.Cut(records.Short(e.Shard), mostOfName), records.Cut(rangeOf(e), mostOfName))
	}
	b.WriteString(outcome(e) + "\n")
	for _, line := range p.records(e) {
		b.WriteString(indent + "  " + line + "\n")
	}
	return b.String()
}

func rangeOf(e *local.Event) string {
	if e.First == "" {
		return ""
	}
	return records.Range(e.First, e.Last)
}

// are counts things that are.
func are(n int, thing string) string {
	if n == 1 {
		return count(n, thing) + " is"
	}
	return count(n, thing) + " are"
}

// outcome tells what became of what an event is about.
func outcome(e *local.Event) string {
	took, pause := duration(e.TookMS), duration(e.PauseMS)
	attempt, after := "", ""
	if e.Attempt > 1 {
		attempt = fmt.Sprintf(", attempt %d", e.Attempt)
	}
	if e.Attempt > 0 {
		after = fmt.Sprintf(" after attempt %d", e.Attempt)
	}
	switch e.Kind {
	case local.EventInvoke:
		return fmt.Sprintf("attempt %d", e.Attempt)
	case local.EventSuccess:
		return fmt.Sprintf("in %s%s", took, attempt)
	case local.EventPartial:
		return fmt.Sprintf("left undone after %s%s", took, attempt)
	case local.EventFailure:
		return fmt.Sprintf("attempt %d, %s: %s", e.Attempt, took, errorOf(e))
	case local.EventRefused:
		return fmt.Sprintf("not run, again in %s: %s", pause, errorOf(e))
	case local.EventRetry:
		again := fmt.Sprintf("again in %s%s", pause, after)
		if e.Error != "" {
			again += ": " + errorOf(e)
		}
		return again
	case local.EventBisect:
		return fmt.Sprintf("now %d and %d", e.Count/2, e.Count-e.Count/2)
	case local.EventDrop:
		return fmt.Sprintf("given up%s: %s; %s", after, records.Cut(e.Condition, mostOfError), destinationOf(e))
	case local.EventFiltered:
		return "no filter matches"
	case local.EventInvocation:
		if e.Error != "" {
			return fmt.Sprintf("in %s: %s", took, errorOf(e))
		}
		return fmt.Sprintf("in %s", took)
	}
	return records.Cut(e.Error, mostOfError)
}

// errorOf is what a function says of its failure, or what the stack does.
func errorOf(e *local.Event) string {
	text := e.Error
	switch {
	case e.ErrorMessage != "" && e.ErrorType != "":
		text = e.ErrorMessage + " (" + e.ErrorType + ")"
	case e.ErrorMessage != "" || e.ErrorType != "":
		text = e.ErrorMessage + e.ErrorType
	}
	return records.Cut(text, mostOfError)
}

// destinationOf tells who was told of records that were given up.
func destinationOf(e *local.Event) string {
	if e.Destination == "" {
		return "nobody is told"
	}
	if arn := strings.SplitN(e.Destination, ":", 6); len(arn) == 6 {
		return records.Cut(arn[2]+" "+arn[5]+" is told", mostOfError)
	}
	return records.Cut(e.Destination+" is told", mostOfError)
}

// records tells the records of an event. A batch's are shown once, and again when they are given up.
func (p *tailPrinter) records(e *local.Event) []string {
	key := batchKey{e.Mapping, e.Shard, e.First, e.Last}
	if e.Kind == local.EventSuccess || e.Kind == local.EventDrop {
		defer delete(p.shown, key)
	}
	switch {
	case len(e.Records) == 0:
		return nil
	case e.Kind == local.EventFiltered && !p.o.records && len(p.o.kinds) == 0: // there may be many, and nobody waits for them
		return nil
	case e.Kind != local.EventDrop && p.shown[key]:
		return nil
	}
	const mostShown = 10_000
	if len(p.shown) >= mostShown {
		clear(p.shown)
	}
	p.shown[key] = true
	var lines []string
	for i, text := range e.Records {
		if left := len(e.Records) - i; i >= firstRecords && left > 1 && !p.o.records {
			return append(lines, fmt.Sprintf("… and %d more", left))
		}
		line := string(text)
		if r, err := records.Parse(text); err == nil {
			line = r.String(mostOfValue)
		}
		lines = append(lines, records.Cut(line, mostOfRecord))
	}
	return lines
}

const red, yellow, green = "\x1b[31m", "\x1b[33m", "\x1b[32m"

// colorOf is how well it goes.
func colorOf(e *local.Event) string {
	switch e.Kind {
	case local.EventFailure, local.EventDrop:
		return red
	case local.EventPartial, local.EventRefused, local.EventRetry, local.EventBisect:
		return yellow
	case local.EventSuccess:
		return green
	case local.EventInvocation:
		if e.Error != "" {
			return red
		}
		return green
	}
	return ""
}

func (p *tailPrinter) paint(color, text string) string {
	if !p.color || color == "" {
		return text
	}
	return color + text + "\x1b[0m"
}
