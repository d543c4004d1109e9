package progress

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// terminal is what a person sees: a window over rows of cells, with all that has left it at the top. It knows the sequences that the display
// may use and no others. When its width changes it wraps its lines anew, as VTE, kitty, iTerm2, tmux and Windows Terminal do; the
// emulators that other modules have do not, and that is what a tree that is redrawn in place stumbles over. xterm cuts them instead.
type terminal struct {
	mu            sync.Mutex
	columns, rows int
	cuts          bool
	lines         []*row
	x, y, top     int // y and top count from the first of all rows
	err           error
}

// row is a row of cells; the second half of a wide one is empty. It is wrapped when the line goes on in the next.
type row struct {
	cells   []string
	wrapped bool
}

func newTerminal(columns, rows int) *terminal {
	return &terminal{columns: columns, rows: rows, lines: []*row{{}}}
}

func (t *terminal) size() (int, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.columns, t.rows
}

var sequence = regexp.MustCompile(`^\x1b\[(\d*)([A-Za-z])`)

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := string(p); s != ""; {
		if s[0] == '\x1b' {
			m := sequence.FindStringSubmatch(s)
			if m == nil {
				t.err = fmt.Errorf("unknown sequence %q", s)
				return len(p), nil
			}
			t.control(m[1], m[2])
			s = s[len(m[0]):]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		t.print(r, size)
		s = s[size:]
	}
	return len(p), nil
}

func (t *terminal) control(n, what string) {
	count, _ := strconv.Atoi(n)
	here := t.lines[t.y]
	switch {
	case what == "A" && count > 0:
		t.y = max(t.top, t.y-count)
		t.x = min(t.x, t.columns-1)
	case what == "C" && n == "":
		t.x = min(t.x+1, t.columns-1)
	case what == "J" && n == "" && t.x == 0 && t.y == t.top:
		// tmux takes this for a screen that is cleared, and keeps what was on it above the window.
		t.lines = append(t.lines, &row{})
		t.y = len(t.lines) - 1
		t.top = t.y
	case what == "K" && n == "", what == "J" && n == "":
		// Where the row is full the cursor stands on its last cell, which is erased.
		t.x = min(t.x, t.columns-1)
		here.cells, here.wrapped = here.cells[:min(len(here.cells), t.x)], false
		if what == "J" {
			t.lines = t.lines[:t.y+1]
		}
	case what == "m" && (n == "31" || n == "0"):
	default:
		t.err = fmt.Errorf("unknown sequence ESC [ %s %s", n, what)
	}
}

func (t *terminal) print(r rune, size int) {
	switch {
	case r == '\n': // the line discipline makes it CR LF
		t.x = 0
		t.down()
	case r == '\r':
		t.x = 0
	case unicode.IsControl(r) || r == utf8.RuneError && size == 1:
		t.err = fmt.Errorf("unprintable %q", r)
	default:
		t.put(string(r), cellsOf(r))
	}
}

func (t *terminal) put(s string, cells int) {
	here := t.lines[t.y]
	if cells == 0 {
		if t.x > 0 {
			here.cells[t.x-1] += s // good enough: what combines comes after a narrow letter in these tests
		}
		return
	}
	if t.x+cells > t.columns {
		here.wrapped = true
		t.x = 0
		t.down()
		here = t.lines[t.y]
	}
	for len(here.cells) < t.x+cells {
		here.cells = append(here.cells, " ")
	}
	here.cells[t.x] = s
	if cells == 2 {
		here.cells[t.x+1] = ""
	}
	t.x += cells
}

func (t *terminal) down() {
	if t.y++; t.y == len(t.lines) {
		t.lines = append(t.lines, &row{})
	}
	t.top = max(t.top, t.y-t.rows+1)
}

func cellsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// resize changes the window. The cursor stays in its line, and what was on the screen last stays there.
func (t *terminal) resize(columns, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old, x, y := t.lines, t.x, t.y
	t.columns, t.rows = columns, rows
	if t.cuts {
		for _, r := range old {
			r.cells = r.cells[:min(len(r.cells), columns)]
		}
	} else {
		t.lines = []*row{{}}
		t.x, t.y, t.top = 0, 0, 0
		cx, cy := 0, 0
		for i, r := range old {
			for j, s := range r.cells {
				if i == y && j == x {
					cx, cy = t.x, t.y
				}
				if s != "" {
					n := 1
					if j+1 < len(r.cells) && r.cells[j+1] == "" {
						n = 2
					}
					t.put(s, n)
				}
			}
			if i == y && x >= len(r.cells) {
				cx, cy = t.x, t.y
			}
			if i < len(old)-1 && !r.wrapped {
				t.x = 0
				t.down()
			}
		}
		t.x, t.y = cx, cy
	}
	t.top = max(0, len(t.lines)-rows)
}

// all are the lines that were ever printed, without those that were erased; window is what is seen now.
func (t *terminal) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	text := ""
	for i, r := range t.lines {
		text += strings.Join(r.cells, "")
		if !r.wrapped || i == len(t.lines)-1 {
			lines = append(lines, text)
			text = ""
		}
	}
	return lines
}

func (t *terminal) window() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lines []string
	for _, r := range t.lines[t.top:] {
		lines = append(lines, strings.TrimRight(strings.Join(r.cells, ""), " "))
	}
	return lines
}

// home reports whether the cursor is at the beginning of the last row, with nothing there.
func (t *terminal) home() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.x == 0 && t.y == len(t.lines)-1 && len(t.lines[t.y].cells) == 0
}
