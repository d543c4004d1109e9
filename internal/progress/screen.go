package progress

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// screen is the lower end of a terminal, where lines are redrawn in place.
type screen struct {
	out  io.Writer
	size func() (columns, rows int)
	// lines are those that stand above the cursor now.
	lines []line
}

// line is a row of the tree. name gives way where the window is too narrow.
type line struct {
	start, name, end string
	bad, task        bool
}

func (l line) text() string { return l.start + l.name + l.end }

// cut makes the line fit. It keeps off the last column: what a terminal does there differs.
func (l line) cut(columns int) line {
	room := max(columns-1, 0)
	cells := cells()
	if cells.StringWidth(l.text()) <= room {
		return l
	}
	const least = 8 // of a name says something
	if rest := room - cells.StringWidth(l.start+l.end); rest >= least {
		l.name = cells.Truncate(l.name, rest, "…")
		return l
	}
	l.start, l.name, l.end = cells.Truncate(l.text(), room, ""), "", ""
	return l
}

// cells counts columns as terminals do, whatever the locale is.
func cells() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

// space is the room for the tree: the cursor's row stands below it.
func (s *screen) space() (columns, rows int) {
	columns, rows = s.size()
	if columns <= 0 || rows <= 0 {
		columns, rows = 80, 24
	}
	return columns, rows - 1
}

// eraseBelow empties the cursor's row and all below it. What tmux erases from its very first cell on it keeps above the window; so the first
// row is emptied by itself, and the rest from the second column on.
const eraseBelow = "\x1b[K\x1b[C\x1b[J\r"

// put prints text where the lines are, and other lines below it, all at once.
func (s *screen) put(text string, lines []line) error {
	if text == "" && slices.Equal(lines, s.lines) {
		return nil
	}
	old := len(s.lines) > 0
	var b strings.Builder
	if old {
		fmt.Fprintf(&b, "\x1b[%dA", s.rows())
	}
	if old || text == "" {
		b.WriteString("\r") // the terminal may have echoed a key
	}
	if old && text != "" {
		b.WriteString(eraseBelow)
	}
	b.WriteString(text)
	for _, l := range lines {
		if l.bad {
			b.WriteString("\x1b[31m" + l.text() + "\x1b[0m\x1b[K\n")
		} else {
			b.WriteString(l.text() + "\x1b[K\n")
		}
	}
	if old && text == "" {
		b.WriteString(eraseBelow)
	}
	s.lines = lines
	_, err := io.WriteString(s.out, b.String())
	return err
}

// rows is how many rows the lines take now. Most terminals wrap what they show anew when their window becomes narrower.
func (s *screen) rows() int {
	columns, _ := s.space()
	n := 0
	for _, l := range s.lines {
		n += 1 + strings.Count(cells().Wrap(l.text(), columns), "\n")
	}
	return n
}
