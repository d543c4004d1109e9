package progress

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// refresh and read are the actions that change nothing.
const (
	refresh = "refresh"
	read    = "read"
)

func (t *task) looks() bool { return t.action == refresh || t.action == read }

// title names a task by its resource.
func (t *task) title() string { return prefix(t.stack) + t.address }

func (t *task) failure() string {
	return fmt.Sprintf("%s: %s failed after %s", t.title(), t.action, short(t.took))
}

func prefix(stack string) string {
	if stack == "" {
		return ""
	}
	return stack + ": "
}

// layout makes the tree: what failed, how far things are, and what is under way by the entries of the spec.
func (d *Display) layout(columns, rows int) []line {
	now := d.now()
	spinner := string([]rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")[now.UnixMilli()/frame.Milliseconds()%10])
	rows = min(rows, maxRows)

	var tree []line
	for _, t := range d.failed {
		if len(tree) < rows/2 {
			tree = append(tree, line{start: "  ✗ ", name: t.label(), end: fmt.Sprintf(": %s failed after %s", t.action, short(t.took)), bad: true})
		}
	}
	head := d.counts()
	if d.stopping {
		head = append([]string{"stopping cleanly"}, head...)
	}
	if len(head) > 0 {
		tree = append(tree, line{start: "  ", name: strings.Join(head, ", ")})
	}

	var body []line
	for _, g := range d.groups(now) {
		indent, label := "  ", (*task).label
		if len(g) > 1 {
			body = append(body, line{start: "  ", name: prefix(g[0].stack) + g[0].group()[1]})
			indent, label = "    ", (*task).resource
		}
		for _, t := range g {
			body = append(body, line{
				start: indent + spinner + " ", name: label(t), end: fmt.Sprintf(": %s %s", t.action, short(now.Sub(t.begun))), task: true,
			})
		}
	}
	tree = append(tree, shorten(body, rows-len(tree))...)
	for i := range tree {
		tree[i] = tree[i].cut(columns)
	}
	return tree[:min(len(tree), rows)]
}

// maxRows is how large the tree becomes at most, however large the window is.
const maxRows = 24

// shorten says in the last row how many tasks there was no room for.
func shorten(body []line, rows int) []line {
	if len(body) <= rows {
		return body
	}
	shown := max(rows-1, 0)
	if shown > 0 && !body[shown-1].task {
		shown-- // a title with nothing below it
	}
	more := 0
	for _, l := range body[shown:] {
		if l.task {
			more++
		}
	}
	return append(body[:shown:shown], line{start: "  ", name: fmt.Sprintf("… and %d more", more)})
}

// group is what a task is shown with: its stack, and its entry or, where there is none, itself.
func (t *task) group() [2]string { return [2]string{t.stack, cmp.Or(t.name, t.address)} }

// groups are the tasks worth a line, by what they are shown with.
func (d *Display) groups(now time.Time) [][]*task {
	var groups [][]*task
	at := map[[2]string]int{}
	for _, t := range d.under {
		if t.looks() && now.Sub(t.begun) < slow {
			continue
		}
		i, found := at[t.group()]
		if !found {
			i = len(groups)
			at[t.group()] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], t)
	}
	slices.SortFunc(groups, func(a, b []*task) int { return d.order[a[0].group()] - d.order[b[0].group()] })
	return groups
}

// counts say how far things are.
func (d *Display) counts() []string {
	var counts []string
	done, expected, refreshed, changing := 0, 0, 0, 0
	for _, s := range d.stacks {
		done, expected, refreshed = done+s.done, expected+s.expected, refreshed+s.refreshed
	}
	looking := false
	for _, t := range d.under {
		if !t.looks() {
			changing++
		}
		looking = looking || t.action == refresh
	}
	switch begun := done + len(d.failed) + changing; {
	case expected > 0 && expected >= begun:
		counts = append(counts, fmt.Sprintf("%d of %d done", done, expected))
	case begun > 0:
		counts = append(counts, fmt.Sprintf("%d done", done))
	}
	if len(d.failed) > 0 {
		counts = append(counts, fmt.Sprintf("%d failed", len(d.failed)))
	}
	if looking || refreshed > 0 {
		counts = append(counts, fmt.Sprintf("refreshed %d", refreshed))
	}
	return counts
}

// label names a task by its entry and its resource.
func (t *task) label() string {
	if t.name == "" {
		return t.title()
	}
	return prefix(t.stack) + t.name + ", " + t.resource()
}

// modules is what stands before a resource's own address. An index may hold dots.
var modules = regexp.MustCompile(`^(module\.[^.\[]+(\[(\d+|"(\\.|[^"\\])*")\])?\.)+`)

// resource is the address without the modules around it.
func (t *task) resource() string { return modules.ReplaceAllString(t.address, "") }

// following is the first time after elapsed at which a line says that something is still going on.
func following(elapsed time.Duration) time.Duration {
	switch {
	case elapsed < 10*time.Second:
		return 10 * time.Second
	case elapsed < 30*time.Second:
		return 30 * time.Second
	}
	return (elapsed/time.Minute + 1) * time.Minute
}

// short writes a duration to the second, from an hour on to the minute.
func short(d time.Duration) string {
	switch s := int(d.Seconds()); {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	default:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
}

// clean takes out what would move the cursor.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
