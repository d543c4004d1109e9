package render

import (
	"bytes"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// formatHCL gives HCL as hclwrite.Format does, at a twentieth of the time: of the library's rules it applies the two that templates
// leave to it, indentation and the alignment of equals signs. What else the library may change, or what is beyond this
// reading of HCL, is left to the library.
func formatHCL(src []byte) []byte {
	if !simple(src) {
		return hclwrite.Format(src)
	}
	f := formatter{out: make([]byte, 0, len(src)+len(src)/4)}
	for len(src) > 0 {
		var l []byte
		l, src, _ = bytes.Cut(src, []byte("\n"))
		f.line(bytes.TrimLeft(l, " \t"))
	}
	f.align()
	return f.out
}

// simple reports whether columns are bytes and lines end where they seem to: there are no heredocs and no comments but of whole lines.
func simple(src []byte) bool {
	for len(src) > 0 {
		var l []byte
		l, src, _ = bytes.Cut(src, []byte("\n"))
		for i := 0; i < len(l); i++ {
			switch c := l[i]; {
			case c >= 0x80 || c == '\r' || c == '\v' || c == '\f' || c == '/' || c == '<' && i+1 < len(l) && l[i+1] == '<':
				return false
			case c == '"':
				end := stringEnd(l, i)
				if text := l[i:min(end+1, len(l))]; !ascii(text) || bytes.Contains(text, []byte("%{")) {
					return false
				}
				i = end
			case c == '#':
				if len(bytes.TrimSpace(l[:i])) > 0 {
					return false
				}
				i = len(l)
			}
		}
	}
	return true
}

func ascii(l []byte) bool {
	for _, c := range l {
		if c >= 0x80 || c == '\r' {
			return false
		}
	}
	return true
}

// formatter collects lines. Those of a chain, whose equals signs are to be aligned, wait in chain.
type formatter struct {
	out    []byte
	chain  []assignment
	widest int
	// opened has for each level how many brackets its line opened.
	opened []int
}

// assignment is a line with an equals sign: its indentation, and what stands before the sign and after it.
type assignment struct {
	indent      int
	name, value []byte
}

func (f *formatter) line(l []byte) {
	if len(bytes.TrimRight(l, " \t")) == 0 {
		f.align()
		f.out = append(f.out, '\n')
		return
	}
	net, equals, afterEquals := scan(l)
	indent := 2 * len(f.opened)
	switch {
	case net > 0:
		f.opened = append(f.opened, net)
	case net < 0:
		f.close(-net)
		indent = 2 * len(f.opened)
	}
	if equals < 0 || afterEquals != 0 {
		f.align()
	}
	if equals < 0 {
		f.indent(indent)
		f.out = append(append(f.out, l...), '\n')
		return
	}
	a := assignment{indent, bytes.TrimRight(l[:equals], " "), bytes.TrimLeft(l[equals+1:], " ")}
	f.widest = max(f.widest, indent+len(a.name))
	f.chain = append(f.chain, a)
	if afterEquals != 0 { // the value goes on in the next line
		f.align()
	}
}

func (f *formatter) close(brackets int) {
	for brackets > 0 && len(f.opened) > 0 {
		last := &f.opened[len(f.opened)-1]
		if brackets < *last {
			*last -= brackets
			return
		}
		brackets -= *last
		f.opened = f.opened[:len(f.opened)-1]
	}
}

func (f *formatter) align() {
	for _, a := range f.chain {
		f.indent(a.indent)
		f.out = append(f.out, a.name...)
		f.indent(f.widest - a.indent - len(a.name) + 1)
		f.out = append(append(append(f.out, "= "...), a.value...), '\n')
	}
	f.chain, f.widest = f.chain[:0], 0
}

func (f *formatter) indent(n int) {
	for range n {
		f.out = append(f.out, ' ')
	}
}

// scan gives how many more brackets a line opens than it closes, and for its first equals sign, if it is not the line's first word, the
// offset and the brackets from there on.
func scan(l []byte) (net, equals, afterEquals int) {
	equals = -1
	for i := 0; i < len(l); i++ {
		switch l[i] {
		case '"':
			i = stringEnd(l, i)
		case '#':
			return net, equals, afterEquals
		case '{', '[', '(':
			net++
			afterEquals++
		case '}', ']', ')':
			net--
			afterEquals--
		case '=':
			if i+1 < len(l) && (l[i+1] == '=' || l[i+1] == '>') {
				i++
			} else if equals < 0 && i > 0 && l[i-1] != '!' && l[i-1] != '<' && l[i-1] != '>' {
				equals, afterEquals = i, 0
			}
		}
	}
	return net, equals, afterEquals
}

// stringEnd gives the offset of the quote that ends a string; there may be others inside of ${…} and %{…}.
func stringEnd(l []byte, start int) int {
	for i := start + 1; i < len(l); i++ {
		switch l[i] {
		case '\\':
			i++
		case '"':
			return i
		case '$', '%':
			if i+1 < len(l) && l[i+1] == l[i] {
				// $${ is text
				if i+2 < len(l) && l[i+2] == '{' {
					i += 2
				}
			} else if i+1 < len(l) && l[i+1] == '{' {
				i = templateEnd(l, i+1)
			}
		}
	}
	return len(l)
}

// templateEnd gives the offset of the brace that ends an interpolation.
func templateEnd(l []byte, start int) int {
	depth := 0
	for i := start; i < len(l); i++ {
		switch l[i] {
		case '"':
			i = stringEnd(l, i)
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(l)
}
