package filter_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"streamgen/internal/filter"
)

// condition is a random condition: its text, and what it means, written down a second time.
type condition struct {
	text  string
	holds func(r item) bool
}

// item is a stream record's images: by image and attribute, the type and the value.
type item map[filter.Image]map[string]typed

type typed struct{ typ, text string }

var attributesOf = map[string]string{"status": "S", "total": "N", "paid": "BOOL", "city": "S"}

func literalOf(r *rand.Rand, typ string) (written, meant string) {
	switch typ {
	case "N":
		n := []string{"-3", "0", "1.5", "2", "100", "20e-1"}[r.IntN(6)]
		return n, n
	case "BOOL":
		b := strconv.FormatBool(r.IntN(2) == 0)
		return b, b
	}
	s := []string{"a", "ab", "b", "", "x'y"}[r.IntN(5)]
	return "'" + strings.ReplaceAll(s, "'", `\'`) + "'", s
}

func compare(a, b typed) int {
	if a.typ != "N" {
		return strings.Compare(a.text, b.text)
	}
	x, _ := new(big.Rat).SetString(a.text)
	y, _ := new(big.Rat).SetString(b.text)
	return x.Cmp(y)
}

func randomTest(r *rand.Rand) condition {
	names := []string{"status", "total", "paid", "city"}
	name := names[r.IntN(len(names))]
	typ := attributesOf[name]
	image := []filter.Image{filter.New, filter.Old}[r.IntN(2)]
	path := string(image) + "." + name
	if name == "city" {
		path = string(image) + ".address.city"
	}
	value := func(i item) (typed, bool) { v, ok := i[image][name]; return v, ok && v.typ == typ }
	written, meant := literalOf(r, typ)
	other := typed{typ, meant}
	switch r.IntN(7) {
	case 0:
		return condition{"exists(" + path + ")", func(i item) bool { _, ok := value(i); return ok }}
	case 1:
		return condition{path + " == " + written, func(i item) bool { v, ok := value(i); return ok && compare(v, other) == 0 }}
	case 2:
		return condition{path + " != " + written, func(i item) bool { v, ok := value(i); return ok && compare(v, other) != 0 }}
	case 3:
		second, also := literalOf(r, typ)
		return condition{path + " in [" + written + ", " + second + "]", func(i item) bool {
			v, ok := value(i)
			return ok && (compare(v, other) == 0 || compare(v, typed{typ, also}) == 0)
		}}
	case 4:
		if typ == "BOOL" {
			return condition{path, func(i item) bool { v, ok := value(i); return ok && v.text == "true" }}
		}
		return condition{written + " > " + path, func(i item) bool { v, ok := value(i); return ok && compare(v, other) < 0 }}
	case 5:
		if typ == "S" {
			return condition{"starts_with(" + path + ", " + written + ")", func(i item) bool { v, ok := value(i); return ok && strings.HasPrefix(v.text, meant) }}
		}
	}
	o := filter.Old
	theirs := strings.Replace(path, string(image), string(o), 1)
	return condition{path + " == " + theirs, func(i item) bool {
		v, ok := i[image][name] // two attributes need the same type, whichever
		w, there := i[o][name]
		return ok && there && v.typ == w.typ && v.typ != "NULL" && compare(v, w) == 0
	}}
}

func randomCondition(r *rand.Rand, depth int) condition {
	if depth == 0 || r.IntN(4) == 0 {
		return randomTest(r)
	}
	a := randomCondition(r, depth-1)
	switch r.IntN(5) {
	case 0:
		return condition{"!(" + a.text + ")", func(i item) bool { return !a.holds(i) }}
	case 1, 2:
		b := randomCondition(r, depth-1)
		return condition{"(" + a.text + ") && (" + b.text + ")", func(i item) bool { return a.holds(i) && b.holds(i) }}
	}
	b := randomCondition(r, depth-1)
	return condition{"(" + a.text + " || " + b.text + ")", func(i item) bool { return a.holds(i) || b.holds(i) }}
}

// randomItem also has attributes of another type than the spec says, which DynamoDB allows.
func randomItem(r *rand.Rand) item {
	i := item{}
	for _, image := range []filter.Image{filter.New, filter.Old} {
		if r.IntN(5) == 0 {
			continue
		}
		i[image] = map[string]typed{}
		for name, typ := range attributesOf {
			if r.IntN(4) == 0 {
				continue
			}
			if r.IntN(6) == 0 {
				typ = []string{"S", "N", "NULL"}[r.IntN(3)]
			}
			_, text := literalOf(r, typ)
			if typ == "N" {
				text = map[string]string{"20e-1": "2"}[text] + text[:len(text)*btoi(text != "20e-1")]
			}
			i[image][name] = typed{typ, text}
		}
	}
	return i
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// record is the item as Lambda hands it to a function.
func (i item) record() []byte {
	change := map[string]any{"Keys": map[string]any{"id": map[string]any{"S": "1"}}, "SequenceNumber": "1"}
	for image, name := range map[filter.Image]string{filter.New: "NewImage", filter.Old: "OldImage"} {
		if i[image] == nil {
			continue
		}
		attributes := map[string]any{}
		for attribute, v := range i[image] {
			var value any = v.text
			if v.typ == "BOOL" {
				value = v.text == "true"
			}
			if v.typ == "NULL" {
				value = true
			}
			wrapped := map[string]any{v.typ: value}
			if attribute == "city" {
				attributes["address"] = map[string]any{"M": map[string]any{"city": wrapped}}
				continue
			}
			attributes[attribute] = wrapped
		}
		change[name] = attributes
	}
	out, err := json.Marshal(map[string]any{"eventName": "MODIFY", "eventSourceARN": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/x", "dynamodb": change})
	if err != nil {
		panic(err)
	}
	return out
}

func matchesAny(t *testing.T, patterns []string, record []byte) bool {
	t.Helper()
	matched := len(patterns) == 0
	for _, text := range patterns {
		p, err := filter.ParsePattern(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		matched = matched || p.Match(record)
	}
	return matched
}

// TestNothingWantedIsLost holds the patterns to the meaning of conditions: they let everything through that is wanted, and nothing
// else where they claim to be exact.
func TestNothingWantedIsLost(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	exact := 0
	for range 3000 {
		c := randomCondition(r, 3)
		compiled := filter.Selection{Where: parse(t, c.text)}.Compile()
		if compiled.Exact() {
			exact++
		}
		for range 20 {
			i := randomItem(r)
			record := i.record()
			wanted := c.holds(i)
			through := !compiled.Never && matchesAny(t, compiled.Patterns, record)
			if wanted && !through {
				t.Fatalf("%s\nwants\n%s\nand the patterns lose it: %v", c.text, record, compiled.Patterns)
			}
			if compiled.Exact() && through && !wanted {
				t.Fatalf("%s\ndoes not want\n%s\nand the patterns, which are to be exact, let it through: %v", c.text, record, compiled.Patterns)
			}
		}
	}
	if exact < 300 {
		t.Errorf("only %d of the conditions became exact patterns", exact)
	}
}

// TestGoSaysTheSame compiles many conditions into one function and holds what it handles to the meaning of the conditions.
func TestGoSaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var conditions []condition
	var code strings.Builder
	for len(conditions) < 150 {
		c := randomCondition(r, 3)
		if expression := (filter.Selection{Where: parse(t, c.text)}).GoExpr("r"); expression != "" {
			fmt.Fprintf(&code, "\tfunc(r stream.Record) bool { return %s },\n", expression)
			conditions = append(conditions, c)
		}
	}
	var records []item
	var events []json.RawMessage
	for range 60 {
		i := randomItem(r)
		records = append(records, i)
		events = append(events, i.record())
	}
	input, err := json.Marshal(events)
	if err != nil {
		t.Fatal(err)
	}
	handled := run(t, fmt.Sprintf(conditionsProgram, code.String()), input)
	for i, c := range conditions {
		for j, record := range records {
			if got := slices.Contains(handled[i], j); got != c.holds(record) {
				t.Fatalf("%s\nof %s: the function says %v", c.text, events[j], got)
			}
		}
	}
}

const conditionsProgram = `package main

import (
	"context"
	"encoding/json"
	"os"

	"streamgen/runtime/stream"
)

type item struct{}

func (*item) UnmarshalImage(*stream.Decoder) {}

var conditions = []func(stream.Record) bool{
%s}

func main() {
	var records []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&records); err != nil {
		panic(err)
	}
	handled := make([][]int, len(conditions))
	for i, wanted := range conditions {
		for j, record := range records {
			handle := func(context.Context, stream.Change[item]) error { handled[i] = append(handled[i], j); return nil }
			event, _ := json.Marshal(map[string]any{"Records": []json.RawMessage{record}})
			if _, err := stream.Router(stream.On("t", handle, stream.Where(wanted))).Invoke(context.Background(), event); err != nil {
				panic(err)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(handled); err != nil {
		panic(err)
	}
}
`

// run compiles a program as a package of this module and gives what it prints.
func run(t *testing.T, program string, input []byte) (out [][]int) {
	t.Helper()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(dir, "main.go")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(here, "conditions", "main.go"): source}})
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{source: []byte(program), filepath.Join(dir, "overlay.json"): overlay} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-overlay", filepath.Join(dir, "overlay.json"), "./conditions")
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(input)), os.Stderr
	printed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(printed, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
