// Package progress shows what one or several terraforms do while they do it: on a terminal as a small tree that is redrawn in place,
// elsewhere as lines, and for machines as events.
//
// A [Display] has no goroutine and no timer: its caller calls [Display.Tick] and gives it the clock. It neither hides the cursor nor changes
// a mode of the terminal, and the cursor always stands below the tree. So there is nothing to put back, however gen ends.
package progress

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// Interval is how often [Display.Tick] is to be called.
	Interval = 50 * time.Millisecond
	// frame is the shortest time between two drawings of the tree.
	frame = 100 * time.Millisecond
	// slow is when a look at a resource is shown by itself: most take no time worth a line.
	slow = 3 * time.Second
)

// Options say where a display shows what.
type Options struct {
	// Out gets the story.
	Out io.Writer
	// Size gives the columns and rows of the terminal that Out is. It is nil where Out is none, or none that can move its cursor.
	Size func() (columns, rows int)
	// Events gets a JSON object per line for each event; nil for nowhere.
	Events io.Writer
	// Now is the time.
	Now func() time.Time
}

// Display shows the progress of any number of terraforms. Its methods may be called by several goroutines at once.
type Display struct {
	out    io.Writer
	now    func() time.Time
	events *json.Encoder

	mu sync.Mutex
	// screen is where the tree is; nil where there is no terminal.
	screen *screen
	// tree is whether there is a tree to draw, drawn when that was done last.
	tree  bool
	drawn time.Time
	// midLine is whether what was printed last has not ended its line, as a question has not.
	midLine          bool
	stopping, closed bool
	eventsErr        error

	// under is what is under way, in the order in which it began; failed are the changes that failed and were not begun again.
	under, failed []*task
	stacks        map[string]*stack
	// order is that of the groups: one keeps its place when what began first in it has ended.
	order map[[2]string]int
}

// task is something that is under way, or what became of it.
type task struct {
	stack, address, name, action string
	begun                        time.Time
	// took is how long it took in the end; next is when to tell that it is still at it.
	took, next time.Duration
}

// stack counts what was done in one stack.
type stack struct {
	// done are the changes that succeeded, expected those that the plan has; 0 where nobody said.
	done, expected int
	// refreshed counts the resources that were looked at since refreshing, when that began; next is when to tell of it.
	refreshed  int
	refreshing time.Time
	next       time.Duration
}

// New gives a display that shows nothing yet.
func New(o Options) *Display {
	d := &Display{out: o.Out, now: o.Now, stacks: map[string]*stack{}, order: map[[2]string]int{}}
	if o.Size != nil {
		d.screen = &screen{out: o.Out, size: o.Size}
	}
	if o.Events != nil {
		d.events = json.NewEncoder(o.Events)
		d.events.SetEscapeHTML(false)
	}
	return d
}

// Expect says how many more changes the stack's plan has, so that what is done can be set against it. A replacement counts as two.
func (d *Display) Expect(stack string, changes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	s := d.stack(clean(stack))
	s.expected = s.done + changes
	d.emit(record{Event: expected, Stack: stack, Changes: &changes})
}

func (d *Display) stack(name string) *stack {
	if d.stacks[name] == nil {
		d.stacks[name] = &stack{}
	}
	return d.stacks[name]
}

// Event takes notice of what a terraform does.
func (d *Display) Event(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	t := &task{
		stack: clean(e.Stack), address: clean(e.Address), name: clean(e.Name), action: clean(e.Action),
		begun: d.now(), took: e.Elapsed, next: following(0),
	}
	s := d.stack(t.stack)
	switch e.Kind {
	case RefreshStart:
		t.action = refresh
		d.begin(t)
		if s.refreshing.IsZero() {
			s.refreshing, s.next = t.begun, following(0)
		}
	case RefreshComplete:
		t.action = refresh
		d.end(t)
		s.refreshed++
	case ApplyStart:
		d.begin(t)
		if t.looks() {
			break
		}
		s.refreshed, s.refreshing = 0, time.Time{} // the plan is made
		d.failed = slices.DeleteFunc(d.failed, func(f *task) bool { return f.stack == t.stack && f.address == t.address })
		d.line(t.title() + ": " + t.action + "…")
	case ApplyProgress: // the clock tells as much
	case ApplyComplete:
		d.end(t)
		if t.looks() {
			break
		}
		s.done++
		d.line(fmt.Sprintf("%s: %s done in %s", t.title(), t.action, short(t.took)))
	case ApplyErrored:
		d.end(t)
		d.failed = append(d.failed, t)
		d.line(t.failure())
	default:
		return
	}
	d.emit(e.record())
}

func (d *Display) begin(t *task) {
	d.end(t)
	d.under = append(d.under, t)
	if _, seen := d.order[t.group()]; !seen {
		d.order[t.group()] = len(d.order)
	}
	d.tree = true
}

// end takes a task from what is under way; it may not have been seen to begin.
func (d *Display) end(t *task) {
	d.under = slices.DeleteFunc(d.under, func(u *task) bool {
		return u.stack == t.stack && u.address == t.address && u.action == t.action
	})
}

// Write prints text of others: above the tree, where there is one. Text that does not end its line is a question, and the tree is not
// drawn before the line has ended. Text that comes while nothing is under way ends the tree.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	d.settle()
	d.midLine = p[len(p)-1] != '\n'
	if err := d.put(string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Tick shows that time passes. It draws the tree at most ten times a second.
func (d *Display) Tick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
	case d.screen == nil:
		d.still()
	case d.mayDraw():
		_ = d.put("")
	}
}

// still tells what takes long, at growing intervals.
func (d *Display) still() {
	now := d.now()
	told := map[string]bool{}
	for _, t := range d.under {
		took := now.Sub(t.begun)
		s := d.stacks[t.stack]
		since := now.Sub(s.refreshing)
		switch {
		case !t.looks() && took >= t.next:
			t.next = following(took)
			d.line(fmt.Sprintf("%s: %s, still at it after %s", t.title(), t.action, short(took)))
		case t.action == refresh && !told[t.stack] && since >= s.next:
			// The oldest of the stack comes first: it is what holds the rest up.
			told[t.stack], s.next = true, following(since)
			text := fmt.Sprintf("%srefreshed %d in %s", prefix(t.stack), s.refreshed, short(since))
			if took >= slow {
				text += fmt.Sprintf(", at %s for %s", t.address, short(took))
			}
			d.line(text)
		}
	}
}

// Stopping says that the terraforms were asked to stop, and what they have to finish before.
func (d *Display) Stopping() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.stopping {
		return
	}
	d.stopping = true
	d.emit(record{Event: stopping})
	var waits []string
	for _, t := range d.under {
		if !t.looks() {
			waits = append(waits, fmt.Sprintf("%s (%s, %s)", t.title(), t.action, short(d.now().Sub(t.begun))))
		}
	}
	if len(waits) > 0 {
		d.line("terraform finishes " + strings.Join(waits, ", "))
	}
}

// Aside takes the tree away while print prints to the same terminal by another way, in whole lines.
func (d *Display) Aside(print func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle()
	if d.screen != nil {
		_ = d.screen.put("", nil)
	}
	return print()
}

// settle ends the tree if nothing is under way.
func (d *Display) settle() {
	if len(d.under) > 0 {
		return
	}
	d.tree = false
	d.forget()
}

// forget ends the refreshes.
func (d *Display) forget() {
	for _, s := range d.stacks {
		s.refreshed, s.refreshing = 0, time.Time{}
	}
}

// Close ends the display: the tree makes way for lines that say what failed and what was cut off. What is written later goes straight to
// where the story goes. The error is the first that a writing of events met.
func (d *Display) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return d.eventsErr
	}
	d.closed, d.tree = true, false
	d.under = slices.DeleteFunc(d.under, (*task).looks)
	d.forget()
	var cut, lines []string
	for _, t := range d.under {
		took := d.now().Sub(t.begun)
		cut = append(cut, fmt.Sprintf("%s: %s cut off after %s", t.title(), t.action, short(took)))
		d.emit(Event{applyCutOff, t.stack, t.address, t.name, t.action, took.Truncate(time.Second)}.record())
	}
	counts := d.counts()
	if len(cut) > 0 {
		counts = append(counts, fmt.Sprintf("%d cut off", len(cut)))
	}
	if len(d.failed) > 0 || len(cut) > 0 || d.stopping && len(counts) > 0 {
		lines = append(lines, "  "+strings.Join(counts, ", "))
	}
	for _, t := range d.failed {
		lines = append(lines, "    "+t.failure())
	}
	for _, c := range cut {
		lines = append(lines, "    "+c)
	}
	last := &result{Failed: len(d.failed), CutOff: len(cut)}
	for _, s := range d.stacks {
		last.Done += s.done
	}
	d.emit(record{Event: end, result: last})
	d.print(lines...)
	return d.eventsErr
}

// line prints a line of the story where there is no tree to tell it.
func (d *Display) line(text string) {
	if d.screen == nil {
		d.print("  " + text)
	}
}

// print prints lines of the story.
func (d *Display) print(lines ...string) {
	text := strings.Join(append(lines, ""), "\n")
	if d.midLine && text != "" {
		text = "\n" + text
		d.midLine = false
	}
	_ = d.put(text) // a story that cannot be told is no reason to stop
}

// put prints text and draws the tree again, if it is time.
func (d *Display) put(text string) error {
	if d.screen == nil {
		_, err := io.WriteString(d.out, text)
		return err
	}
	var tree []line
	if d.mayDraw() {
		tree, d.drawn = d.layout(d.screen.space()), d.now()
	}
	return d.screen.put(text, tree)
}

func (d *Display) mayDraw() bool { return d.tree && !d.midLine && d.now().Sub(d.drawn) >= frame }
