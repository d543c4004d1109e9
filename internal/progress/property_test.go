package progress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// last are the lines that a display leaves behind.
var last = regexp.MustCompile(`^(  \d+( of \d+)? done(, \d+ failed)?(, \d+ cut off)?|    .*: \w+ (failed|cut off) after .*)$`)

// Whatever happens in whatever order and in whatever window: above the tree stands what others printed, whole and in its order, below it
// stands the cursor, and in the end there is no tree.
func TestNothingIsTorn(t *testing.T) {
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			c := newClock()
			term := newTerminal(2+r.IntN(100), 2+r.IntN(30))
			d := New(Options{Out: term, Size: term.size, Now: c.at})
			printed, open := []string{}, ""
			check := func(what string) {
				t.Helper()
				want := slices.Clone(printed)
				for _, l := range d.screen.lines {
					want = append(want, l.text())
				}
				want = append(want, open)
				if got := term.all(); !slices.Equal(want, got) || term.err != nil {
					t.Fatalf("after %s (-want +got): %v\n%s", what, term.err, cmp.Diff(want, got))
				}
				if _, rows := term.size(); what != "a resize" && d.screen.rows() >= rows {
					t.Fatalf("after %s: %d rows in a window of %d", what, d.screen.rows(), rows)
				}
			}
			say := func(text string) {
				fmt.Fprint(d, text)
				lines := strings.Split(open+text, "\n")
				printed, open = append(printed, lines[:len(lines)-1]...), lines[len(lines)-1]
			}
			for range 100 {
				drawn := d.drawn
				what := randomStep(r, c, d, term, say, func(line string) { printed = append(printed, line) })
				check(what)
				if since := d.drawn.Sub(drawn); since > 0 && since < frame {
					t.Fatalf("drawn twice within %s", since)
				}
			}
			if open != "" {
				say("\n")
			}
			c.now = c.now.Add(time.Duration(r.IntN(300)) * time.Millisecond)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			all := term.all()
			for _, line := range all[len(printed) : len(all)-1] {
				if !last.MatchString(line) {
					t.Errorf("left behind: %q", line)
				}
			}
			if !slices.Equal(all[:len(printed)], printed) || !term.home() {
				t.Errorf("the end is not what was printed:\n%s", strings.Join(all, "\n"))
			}
		})
	}
}

func randomStep(r *rand.Rand, c *clock, d *Display, term *terminal, say, aside func(string)) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	text := func() string { return strings.Repeat(pick("plain ", "wide 注文 ", "e\u0301 ", "x"), r.IntN(30)) }
	switch n := r.IntN(100); {
	case n < 45:
		kind := []Kind{RefreshStart, RefreshComplete, ApplyStart, ApplyStart, ApplyStart, ApplyProgress, ApplyComplete, ApplyErrored}[r.IntN(8)]
		d.Event(Event{
			Kind: kind, Stack: pick("", "", "billing"), Action: pick("create", "update", "delete", "read"),
			Address: pick("", "module.streams.", "module.a[\"b.c\"].") + pick("aws_sqs_queue.q", "aws_sqs_queue.注文の一覧", "aws_sns_topic.e\u0301", "x\x1b[2J\r\n.y"),
			Name:    pick("", "table orders", "handler ship"), Elapsed: time.Duration(r.IntN(4000)) * time.Second,
		})
		return "an event"
	case n < 70:
		c.pass(d, time.Duration(r.IntN(400))*time.Millisecond)
		return "a while"
	case n < 72:
		c.now = c.now.Add(time.Duration(r.IntN(200)) * time.Second) // a machine that slept
		d.Tick()
		return "a long while"
	case n < 82:
		say(text() + "\n")
		return "a line"
	case n < 84:
		say(text() + "\n\n" + text() + "\n")
		return "lines"
	case n < 86:
		say(text())
		return "a question"
	case n < 95:
		// A window that becomes smaller than the tree pushes it out at the top, from where nobody can take it back.
		columns, rows := 2+r.IntN(100), 2+r.IntN(30)
		after := screen{lines: d.screen.lines, size: func() (int, int) { return columns, rows }}
		if after.rows() < rows {
			term.resize(columns, rows)
		}
		return "a resize"
	case n < 97:
		if d.midLine {
			return "nothing"
		}
		_ = d.Aside(func() error { fmt.Fprint(term, "by another way\n"); return nil })
		aside("by another way")
		return "a line by another way"
	case n < 98:
		d.Stopping()
		return "stopping"
	default:
		d.Expect(pick("", "billing"), r.IntN(30))
		return "a plan"
	}
}

// A terminal that cuts its lines when it becomes narrower shows the same, as long as there is room for the lines.
func TestTerminalThatCuts(t *testing.T) {
	c := newClock()
	term := newTerminal(120, 12)
	term.cuts = true
	d := New(Options{Out: term, Size: term.size, Now: c.at})
	fmt.Fprintln(d, "gen: terraform apply")
	d.Event(Event{Kind: ApplyStart, Address: "aws_sqs_queue.q", Action: "create"})
	for _, columns := range []int{100, 60, 50, 90} {
		c.pass(d, time.Second)
		term.resize(columns, 12)
		c.pass(d, time.Second)
		if all := term.all(); len(all) != 4 || all[0] != "gen: terraform apply" {
			t.Errorf("at %d columns: %q", columns, all)
		}
	}
}

// Several terraforms and others that print: every line is whole and there once.
func TestConcurrent(t *testing.T) {
	for _, live := range []bool{false, true} {
		var out, events bytes.Buffer
		term := newTerminal(80, 20)
		o := Options{Out: &out, Events: &events, Now: time.Now}
		if live {
			o.Out, o.Size = term, term.size
		}
		d := New(o)
		var wg sync.WaitGroup
		const stacks, each = 4, 50
		for s := range stacks {
			stack := fmt.Sprintf("s%d", s)
			wg.Go(func() {
				d.Expect(stack, each)
				for i := range each {
					e := Event{Kind: ApplyStart, Stack: stack, Address: fmt.Sprintf("aws_sqs_queue.q%d", i), Action: "create"}
					d.Event(e)
					fmt.Fprintf(d, "%s says %d\n", stack, i)
					e.Kind = ApplyComplete
					d.Event(e)
					d.Tick()
				}
			})
		}
		wg.Go(d.Stopping)
		wg.Wait()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		if live {
			lines = term.all()
		}
		seen := map[string]int{}
		for _, line := range lines {
			seen[line]++
		}
		for s := range stacks {
			for i := range each {
				if line := fmt.Sprintf("s%d says %d", s, i); seen[line] != 1 {
					t.Errorf("live %t: %q is there %d times", live, line, seen[line])
				}
			}
		}
		if !strings.HasSuffix(events.String(), `"done":200,"failed":0,"cut_off":0}`+"\n") {
			t.Errorf("events end with %q", events.String()[max(0, events.Len()-200):])
		}
	}
}

// A panic on its way through whoever closes the display finds the terminal without a tree; one that passes by finds the cursor below it.
func TestPanic(t *testing.T) {
	c := newClock()
	term := newTerminal(80, 10)
	d := New(Options{Out: term, Size: term.size, Now: c.at})
	d.Event(Event{Kind: ApplyStart, Address: "aws_sqs_queue.q", Action: "create"})
	c.pass(d, time.Second)
	if all := term.all(); len(all) != 3 || !term.home() {
		t.Errorf("the cursor is not below the tree: %q", all)
	}
	func() {
		defer func() { _ = recover() }()
		defer d.Close()
		panic("boom")
	}()
	fmt.Fprintln(term, "panic: boom")
	want := []string{"  0 done, 1 cut off", "    aws_sqs_queue.q: create cut off after 1s", "panic: boom", ""}
	if diff := cmp.Diff(want, term.all()); diff != "" {
		t.Error(diff)
	}
}

type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("no space left")
}

// Events that cannot be written end the stream, and whoever closes the display hears of it. A story that cannot be told does neither harm.
func TestBrokenWriters(t *testing.T) {
	var b, out broken
	d := New(Options{Out: &out, Events: &b, Now: time.Now})
	for range 3 {
		d.Event(Event{Kind: ApplyStart, Address: "a.b", Action: "create"})
	}
	if _, err := io.WriteString(d, "x\n"); err == nil {
		t.Error("the writer does not hear that its line was not written")
	}
	if err := d.Close(); err == nil || b.writes != 1 || out.writes == 0 {
		t.Errorf("Close gives %v after %d writes", err, b.writes)
	}
	if err := d.Close(); err == nil {
		t.Error("the second Close gives no error")
	}
}

// The tree is a small one in a large window too.
func TestTallWindow(t *testing.T) {
	c := newClock()
	term := newTerminal(80, 100)
	d := New(Options{Out: term, Size: term.size, Now: c.at})
	for i := range 60 {
		d.Event(Event{Kind: ApplyStart, Address: fmt.Sprintf("aws_sqs_queue.q%d", i), Action: "create"})
	}
	c.pass(d, frame)
	if all := term.all(); len(all) != maxRows+1 || all[maxRows-1] != "  … and 38 more" {
		t.Errorf("%d lines, the last is %q", len(all)-1, all[len(all)-2])
	}
}

type counted struct {
	io.Writer
	writes int
}

func (c *counted) Write(p []byte) (int, error) {
	c.writes++
	return c.Writer.Write(p)
}

// A tree that has not changed is not drawn again.
func TestIdle(t *testing.T) {
	c := newClock()
	term := newTerminal(80, 10)
	out := &counted{Writer: term}
	d := New(Options{Out: out, Size: term.size, Now: c.at})
	d.Event(Event{Kind: ApplyStart, Address: "aws_sqs_queue.q", Action: "create"})
	c.pass(d, time.Second)
	if out.writes != 10 {
		t.Errorf("drawn %d times in a second", out.writes)
	}
	d.Event(Event{Kind: ApplyComplete, Address: "aws_sqs_queue.q", Action: "create"})
	c.pass(d, time.Minute)
	if out.writes != 11 {
		t.Errorf("drawn %d times in the idle minute after that", out.writes-10)
	}
}

// What comes after the end changes nothing.
func TestClosed(t *testing.T) {
	var out, events bytes.Buffer
	d := New(Options{Out: &out, Events: &events, Now: newClock().at})
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	ended := events.Len()
	d.Event(Event{Kind: ApplyStart, Address: "a.b", Action: "create"})
	d.Expect("", 1)
	d.Stopping()
	if err := d.Aside(func() error { return io.ErrShortWrite }); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Aside gives %v", err)
	}
	d.Tick()
	fmt.Fprint(d, "the last word\n")
	if out.String() != "the last word\n" || events.Len() != ended {
		t.Errorf("%q, %q", out.String(), events.String())
	}
}

func TestFollowing(t *testing.T) {
	var at []string
	for elapsed := time.Duration(0); elapsed < 4*time.Minute; elapsed = following(elapsed) {
		at = append(at, short(elapsed))
	}
	if got := strings.Join(at, " "); got != "0s 10s 30s 1m00s 2m00s 3m00s" {
		t.Error(got)
	}
	if got := short(59*time.Second+999*time.Millisecond) + " " + short(3599*time.Second) + " " + short(26*time.Hour+5*time.Minute); got != "59s 59m59s 26h05m" {
		t.Error(got)
	}
}

func TestResource(t *testing.T) {
	for address, want := range map[string]string{
		"aws_x.y":                             "aws_x.y",
		`aws_x.y["module.a.b"]`:               `aws_x.y["module.a.b"]`,
		"module.streams.aws_x.y":              "aws_x.y",
		`module.a[0].module.b["c.d"].aws_x.y`: "aws_x.y",
		`module.a["q\"].z"].aws_x.y[1]`:       "aws_x.y[1]",
		"module.a.data.aws_x.y":               "data.aws_x.y",
	} {
		if got := (&task{address: address}).resource(); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
