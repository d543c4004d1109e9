package adopt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Map is a map of YAML or JSON whose keys keep their order. A value is a string, a bool, an int64, a []string, a Map or a []Map.
type Map []Pair

// Pair is one key of a [Map] and its value.
type Pair struct {
	Key   string
	Value any
}

// MarshalJSON implements [json.Marshaler].
func (m Map) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range m {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(p.Key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(p.Value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// YAML is the entry as a block, notes first, with its key after indent spaces and each level below after as many more.
func (e Entry) YAML(indent int) string {
	var b strings.Builder
	for _, n := range e.Notes {
		mark := "# "
		for _, line := range wrap(n) {
			fmt.Fprintf(&b, "%*s%s%s\n", indent, "", mark, line)
			mark = "#   "
		}
	}
	fmt.Fprintf(&b, "%*s%s:\n", indent, "", scalar(e.Name))
	block(&b, e.Keys, 2*indent, indent)
	return b.String()
}

// wrap breaks a note into lines of about a hundred characters.
func wrap(note string) []string {
	const most = 100
	var lines []string
	line := ""
	for word := range strings.SplitSeq(note, " ") {
		if line != "" && len(line)+1+len(word) > most {
			lines = append(lines, line)
			line = word
			continue
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

// flow is the entry on one line, for a map in braces.
func (e Entry) flow() string { return scalar(e.Name) + ": " + flow(e.Keys) }

func block(b *strings.Builder, m Map, at, step int) {
	for _, p := range m {
		fmt.Fprintf(b, "%*s%s:", at, "", scalar(p.Key))
		switch v := p.Value.(type) {
		case Map:
			b.WriteByte('\n')
			block(b, v, at+step, step)
		case []Map:
			b.WriteByte('\n')
			for _, item := range v {
				var in strings.Builder
				block(&in, item, at+step+2, step)
				fmt.Fprintf(b, "%*s- %s", at+step, "", strings.TrimLeft(in.String(), " "))
			}
		default:
			fmt.Fprintf(b, " %s\n", flow(v))
		}
	}
}

func flow(value any) string {
	var parts []string
	switch v := value.(type) {
	case Map:
		for _, p := range v {
			parts = append(parts, scalar(p.Key)+": "+flow(p.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []Map:
		for _, m := range v {
			parts = append(parts, flow(m))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case []string:
		for _, s := range v {
			parts = append(parts, scalar(s))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return scalar(v)
	default: // a bool or an int64
		return fmt.Sprint(v)
	}
}

// plain is text that YAML takes as it stands, in braces too.
var plain = regexp.MustCompile(`^[A-Za-z_]([A-Za-z0-9_./-]*[A-Za-z0-9_])?$`)

// otherwise are words that some parser of YAML takes for something else than text.
var otherwise = []string{"true", "false", "yes", "no", "on", "off", "null", "nan", "inf"}

func scalar(s string) string {
	if plain.MatchString(s) && !slices.Contains(otherwise, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s) // YAML's double quotes know all of Go's escapes
}
