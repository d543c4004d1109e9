package progress

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files of the cases")

// start is when every test begins.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is the time of a test.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{start} }

// pass lets time pass for a display, which is told as often as it wants to be.
func (c *clock) pass(d *Display, by time.Duration) {
	for end := c.now.Add(by); c.now.Before(end); {
		c.now = c.now.Add(min(Interval, end.Sub(c.now)))
		d.Tick()
	}
}

// A case is a folder. script.txt has a step a line:
//
//	expect STACK N                              the plan of a stack has so many changes; "-" is the stack without a name
//	KIND STACK ACTION ADDRESS ELAPSED [NAME]    an event, such as "apply_start - create aws_x.y 0s table orders"
//	+DURATION                                   time passes
//	say TEXT, ask TEXT                          others print a line, or a question
//	type TEXT, answer                           the terminal echoes what was typed, or a line of that
//	resize COLUMNS ROWS                         the window changes
//	look                                        a person looks at it
//	aside TEXT                                  others print a line by another way
//	stop, close
//
// lines.txt is what a file gets of it, screens.txt what the person sees at each look, events.jsonl the events.
func TestCases(t *testing.T) {
	scripts, err := filepath.Glob("testdata/cases/*/script.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, script := range scripts {
		folder := filepath.Dir(script)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			var lines, events bytes.Buffer
			c := newClock()
			play(t, script, New(Options{Out: &lines, Events: &events, Now: c.at}), c, nil, nil)
			golden(t, filepath.Join(folder, "lines.txt"), lines.String())
			golden(t, filepath.Join(folder, "events.jsonl"), events.String())
			for line := range strings.Lines(events.String()) {
				if !json.Valid([]byte(line)) {
					t.Errorf("not JSON: %s", line)
				}
			}
			if i := strings.IndexFunc(lines.String(), func(r rune) bool { return r != '\n' && r < ' ' }); i >= 0 {
				t.Errorf("a control character in the lines: %q", lines.String()[i:])
			}

			term := newTerminal(60, 12)
			var screens strings.Builder
			c = newClock()
			play(t, script, New(Options{Out: term, Size: term.size, Now: c.at}), c, term, &screens)
			golden(t, filepath.Join(folder, "screens.txt"), screens.String())
			if term.err != nil {
				t.Error(term.err)
			}
		})
	}
}

func play(t *testing.T, script string, d *Display, c *clock, term *terminal, screens *strings.Builder) {
	t.Helper()
	data, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	unnamed := func(stack string) string { return strings.TrimPrefix(stack, "-") }
	for i, text := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		word, rest, _ := strings.Cut(text, " ")
		f := strings.Fields(rest)
		switch {
		case word == "" || word == "#":
		case word[0] == '+':
			by, err := time.ParseDuration(word[1:])
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			c.pass(d, by)
		case word == "expect":
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			d.Expect(unnamed(f[0]), n)
		case word == "say":
			fmt.Fprintln(d, rest)
		case word == "ask":
			fmt.Fprint(d, rest+" ")
		case word == "answer":
			if term != nil {
				fmt.Fprint(term, "yes\n")
			}
		case word == "type":
			if term != nil {
				fmt.Fprint(term, rest)
			}
		case word == "resize":
			if term != nil {
				columns, _ := strconv.Atoi(f[0])
				rows, _ := strconv.Atoi(f[1])
				term.resize(columns, rows)
			}
		case word == "look":
			if term != nil {
				fmt.Fprintf(screens, "%s at %s\n", strings.Repeat("=", 20), c.now.Sub(start))
				for _, row := range term.window() {
					screens.WriteString(strings.TrimRight("|"+row, " ") + "\n")
				}
			}
		case word == "stop":
			d.Stopping()
		case word == "aside":
			if err := d.Aside(func() error { _, err := fmt.Fprintln(d.out, rest); return err }); err != nil {
				t.Errorf("line %d: %v", i+1, err)
			}
		case word == "close":
			if err := d.Close(); err != nil {
				t.Errorf("line %d: %v", i+1, err)
			}
		case len(f) >= 4:
			elapsed, err := time.ParseDuration(f[3])
			if err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
			d.Event(Event{
				Kind: Kind(word), Stack: unnamed(f[0]), Action: unnamed(f[1]), Address: f[2], Elapsed: elapsed, Name: strings.Join(f[4:], " "),
			})
		default:
			t.Fatalf("line %d: what is %q?", i+1, text)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

func (c *clock) at() time.Time { return c.now }
