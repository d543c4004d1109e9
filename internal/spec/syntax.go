package spec

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/token"
)

// explain turns a message of the YAML parser into a sentence about the file and the way out.
func explain(message string) (summary, detail string) {
	for _, e := range explanations {
		if strings.Contains(message, e.message) {
			return e.summary, e.detail
		}
	}
	if c, found := strings.CutSuffix(message, " is a reserved character"); found {
		return "a value that is not in quotes cannot start with " + c, "Put the value in quotes."
	}
	if c, found := strings.CutPrefix(message, "found unknown escape character "); found {
		return `there is no escape \` + strings.Trim(c, "'") + " in a text in double quotes",
			`Write \\ for a backslash, or put the text in single quotes, where a backslash is literal.`
	}
	return "the YAML cannot be read here: " + printable(message), "Check the indentation and the quotes of this line and the one before it."
}

// explanations are looked through in order: a message that is part of another stands after it.
var explanations = []struct{ message, summary, detail string }{
	{"end character of double-quoted text", "a text in double quotes is never closed",
		`Add the closing "; write \" for a double quote inside the text.`},
	{"end character of single-quoted text", "a text in single quotes is never closed",
		"Add the closing '; write '' for a single quote inside the text."},
	{"',' or ']' must be specified", "a ',' or a ']' is missing before this place",
		"Separate the items with commas and close the list with ']'."},
	{"',' or '}' must be specified", "a ',' or a '}' is missing before this place",
		"Separate the entries with commas and close the map with '}'."},
	{"sequence end token ']' not found", "this '[' is never closed", "Close the list with ']'."},
	{"flow mapping end token '}'", "this '{' is never closed", "Close the map with '}'."},
	{"could not find '['", "this ']' closes nothing", "Remove it, or open the list with '['."},
	{"could not find '{'", "this '}' closes nothing", "Remove it, or open the map with '{'."},
	{"could not find flow map content", "this is not an entry of the form key: value", "Write key: value, with a space after the colon."},
	{"found ','", "an item is missing before this ','", "Remove the comma or add the item."},
	{"mapping value is not allowed in this context", "a ': ' follows inside this value, which is not in quotes",
		"Put the value in quotes; if a key on the next line is meant, indent that line like its neighbours."},
	{"map key-value is pre-defined", "this line is indented deeper than the entry before it, which has its value already",
		"Give the line the indentation of its neighbours."},
	{"value is not allowed in this context", "this line does not fit the indentation of the lines around it",
		"Give all keys of an entry the same indentation."},
	{"block sequence entries are not allowed", "a list item cannot stand on the line of its key",
		"Put each '- item' on a line of its own, or write the list as [a, b]."},
	{"sequence entries are not allowed", "a list item cannot stand on this line", "Put each '- item' on a line of its own."},
	{"non-map value is specified", "this line is not of the form key: value",
		"Write key: value, with a space after the colon; a list item needs a space after its dash."},
	{"unexpected key name", "the key before a ':' goes over several lines", "A line before it has no ': '; write key: value on each line."},
	{"implicit line break", "the key before a ':' goes over several lines", "Write key: value on one line."},
	{"found an invalid key for this map", "a ':' stands here without a key before it", "Write key: value."},
	{"undefined map key", "a ':' stands here without a key before it", "Write key: value."},
	{"could not find multi-line content", "the text after '|' or '>' is missing", "Indent the lines of the text deeper than its key."},
	{"multi-line", "the lines of this text do not have the same indentation", "Indent all lines of the text at least like its first."},
	{"invalid header option", "only +, - and one digit may follow '|' or '>'", "Put the text on the next line, indented deeper than its key."},
	{"unexpected document separator", "'---' or '...' stands inside a text in quotes", "Close the quotes before it."},
	{"after document separator", "a value stands on the line of '---' or '...'", "Put it on a line of its own."},
	{"escaped UTF-", `an escape \u or \U in this text is cut short`, `\u takes four hexadecimal digits, \U eight.`},
	{"surrogate", `an escape \u in this text is half of a surrogate pair`, `Write the character itself, or \U with eight hexadecimal digits.`},
}

// escapes checks the escapes of texts in double quotes that are made of hexadecimal digits: the lexer takes any character for a
// digit. It reports whether the texts are what they say.
func (d *decoder) escapes(source string, tokens token.Tokens) bool {
	ok := true
	lines := strings.SplitAfter(source, "\n")
	for _, tk := range tokens {
		if tk.Type != token.DoubleQuoteType {
			continue
		}
		line, column := tk.Position.Line, tk.Position.Column+1
		for line <= len(lines) {
			runes := []rune(lines[line-1])
			closed := false
			for column <= len(runes) && !closed {
				rest := runes[column-1:]
				switch width := escape(rest); {
				case rest[0] == '"':
					closed = true
				case width > 0:
					column += width
				default:
					d.report(codeSyntax, d.at(line, column), `\x takes two hexadecimal digits, \u four, \U eight; together they name a character.`,
						"the escape %s names no character", string(rest[:2]))
					ok, column = false, column+2
				}
			}
			if closed {
				break
			}
			line, column = line+1, 1
		}
	}
	return ok
}

// escape gives how many characters of a text in double quotes belong together, 0 for an escape that names no character.
func escape(rest []rune) int {
	if rest[0] != '\\' || len(rest) == 1 {
		return 1
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[rest[1]]
	if digits == 0 {
		return 2
	}
	if len(rest) < 2+digits {
		return 0
	}
	r, err := strconv.ParseUint(string(rest[2:2+digits]), 16, 32)
	switch {
	case err != nil:
		return 0
	case rest[1] == 'u' && 0xD800 <= r && r < 0xDC00:
		// The lexer checked that the other half of the surrogate pair follows, but not its digits.
		if len(rest) < 12 {
			return 0
		}
		if _, err := strconv.ParseUint(string(rest[8:12]), 16, 32); err != nil {
			return 0
		}
		return 12
	case r > unicode.MaxRune || !utf8.ValidRune(rune(r)):
		return 0
	}
	return 2 + digits
}
