package spec

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"github.com/invopop/jsonschema"

	"streamgen/internal/diag"
)

// shape is what a value may look like: it decodes the value, and it describes it in the JSON Schema. What decode gives for a
// value that is wrong is only good for further checks; the value is reported and marked as broken.
type shape[V any] interface {
	decode(d *decoder, v value) V
	schema() *jsonschema.Schema
}

// text is a string of min to max characters without control characters other than line breaks and tabs.
type text struct{ min, max int }

func (s text) decode(d *decoder, v value) string {
	got, ok := d.scalar(v)
	if !ok {
		return ""
	}
	for _, r := range got {
		if r != '\n' && r != '\t' && unseen(r) {
			d.fail(v, codeControlCharacter, "Remove it.", "%s holds the control character %U", v.what, r)
			return got
		}
	}
	switch n := utf8.RuneCountInString(got); {
	case got == "" && s.min > 0:
		d.fail(v, codeMissingValue, "Give it a value; a key that is not needed may be left out.", "%s is empty", v.what)
	case s.max > 0 && n > s.max:
		d.fail(v, codeTextLength, "Shorten it.", "%s has %s, more than the %d that AWS allows",
			v.what, count(n, "character", "characters"), s.max)
	}
	return got
}

func (s text) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", MinLength: bound(s.min), MaxLength: bound(s.max)}
}

// scalar reads a string.
func (d *decoder) scalar(v value) (string, bool) {
	if !d.unwrap(&v) {
		return "", false
	}
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		d.wrongType(v, "text", fmt.Sprintf("Put it in quotes: %q.", clip(n.GetToken().Value)))
	default:
		d.wrongType(v, "text", "Write the text on the line of the key.")
	}
	return "", false
}

// refusal is why a value that AWS knows is refused.
type refusal struct {
	code   code
	reason string
	detail string
}

// choice is one of a few strings.
type choice struct {
	values  []string
	refused map[string]refusal
}

func (s choice) decode(d *decoder, v value) string {
	got, ok := d.scalar(v)
	if !ok {
		return ""
	}
	for _, allowed := range s.values {
		if got == allowed {
			return got
		}
	}
	if r, ok := s.refused[got]; ok {
		d.fail(v, r.code, r.detail, "%s: %s %s", v.what, got, r.reason)
	} else {
		d.fail(v, codeInvalidValue, oneOf(got, s.values, "The values are"), "%s cannot be %s", v.what, quote(got))
	}
	return ""
}

func (s choice) schema() *jsonschema.Schema {
	out := &jsonschema.Schema{Type: "string"}
	for _, v := range s.values {
		out.Enum = append(out.Enum, v)
	}
	return out
}

// integer is a whole number of min to max, or one of allowed.
type integer struct {
	min, max int
	allowed  []int
}

func (s integer) decode(d *decoder, v value) int {
	if !d.unwrap(&v) {
		return 0
	}
	tk := v.node.GetToken()
	digits := decimal.MatchString(tk.Value)
	// The parser takes a number of more than 64 bits for text.
	plain := tk.Type == token.IntegerType || tk.Type == token.StringType
	if !plain || !digits {
		form := "Write it with the digits 0 to 9 alone."
		if quoted := tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType; quoted && digits {
			form = fmt.Sprintf("Remove the quotes: %s.", clip(tk.Value))
		}
		d.wrongType(v, "a whole number", form)
		return 0
	}
	n, err := strconv.Atoi(tk.Value)
	if len(s.allowed) > 0 {
		words := make([]string, len(s.allowed))
		for i, a := range s.allowed {
			if words[i] = strconv.Itoa(a); a == n {
				return n
			}
		}
		d.fail(v, codeInvalidValue, "The values are "+enumerate(words)+".", "%s cannot be %s", v.what, clip(tk.Value))
		return 0
	}
	if err != nil || n < s.min || n > s.max {
		d.fail(v, codeOutOfRange, fmt.Sprintf("Write %d to %d.", s.min, s.max), "%s cannot be %s", v.what, clip(tk.Value))
	}
	return n
}

// Other notations of YAML (octal, hexadecimal, underscores) read differently in YAML 1.1 and 1.2.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func (s integer) schema() *jsonschema.Schema {
	out := &jsonschema.Schema{Type: "integer"}
	for _, a := range s.allowed {
		out.Enum = append(out.Enum, a)
	}
	if len(s.allowed) == 0 {
		out.Minimum, out.Maximum = json.Number(strconv.Itoa(s.min)), json.Number(strconv.Itoa(s.max))
	}
	return out
}

type boolean struct{}

func (boolean) decode(d *decoder, v value) bool {
	if !d.unwrap(&v) {
		return false
	}
	n, ok := v.node.(*ast.BoolNode)
	if !ok {
		form := "Write true or false."
		if s, ok := v.node.(*ast.StringNode); ok && (s.Value == "true" || s.Value == "false") {
			form = fmt.Sprintf("Remove the quotes: %s.", s.Value)
		}
		d.wrongType(v, "true or false", form)
		return false
	}
	return n.Value
}

func (boolean) schema() *jsonschema.Schema { return &jsonschema.Schema{Type: "boolean"} }

// list is a list of 1 to max items.
type list[V any] struct {
	of shape[V]
	// max is the most that AWS allows.
	max int
	// form shows how to write the list.
	form string
}

func (s list[V]) decode(d *decoder, v value) []V {
	items, ok := d.items(v, s.form)
	if !ok {
		return nil
	}
	if len(items) == 0 {
		d.fail(v, codeMissingValue, "Add an item, or remove the key.", "%s is empty", v.what)
	}
	if len(items) > s.max {
		d.fail(v, codeTooMany, fmt.Sprintf("AWS allows %d.", s.max), "%s has %d items", v.what, len(items))
	}
	var out []V
	for _, item := range items {
		out = append(out, s.of.decode(d, item))
	}
	return out
}

func (s list[V]) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", Items: s.of.schema(), MinItems: bound(1), MaxItems: bound(s.max)}
}

// dict is a map whose keys are names that the user chooses. join makes one E of a name and its value.
type dict[V, E any] struct {
	names nameRule
	of    shape[V]
	join  func(e entry, v V) E
	// min is the least number of entries, max the most; 0 means that there is no such limit.
	min, max int
	// limit says why there is a most; form shows how to write the map.
	limit, form string
}

func (s dict[V, E]) decode(d *decoder, v value) []E {
	entries, ok := d.entries(v, s.form)
	if !ok {
		return nil
	}
	if len(entries) < s.min && !d.broken[v.path] {
		d.fail(v, codeMissingValue, s.form, "%s is empty", v.what)
	}
	if s.max > 0 && len(entries) > s.max {
		d.fail(v, codeTooMany, s.limit, "%s has %d entries, more than %d", v.what, len(entries), s.max)
	}
	folded := map[string]entry{}
	var out []E
	for _, e := range entries {
		s.names.check(d, e.key, e.keyPos)
		if s.names.fold {
			if other, ok := folded[strings.ToLower(e.key)]; ok {
				d.report(codeCollidingNames, e.keyPos, "Rename one: "+s.names.foldReason,
					"%s differs from %s in line %d by the case of its letters alone", quote(e.key), quote(other.key), other.keyPos.Line)
			} else {
				folded[strings.ToLower(e.key)] = e
			}
		}
		out = append(out, s.join(e, s.of.decode(d, e.value)))
	}
	return out
}

func (s dict[V, E]) schema() *jsonschema.Schema {
	return &jsonschema.Schema{
		Type: "object", PropertyNames: s.names.schema(), AdditionalProperties: s.of.schema(),
		MinProperties: bound(s.min), MaxProperties: bound(s.max),
	}
}

func bound(n int) *uint64 {
	if n <= 0 {
		return nil
	}
	u := uint64(n)
	return &u
}

// object is a map with known keys.
type object[T any] struct {
	// noun names it in messages, such as "a table".
	noun   string
	fields []field[T]
	// keys is where the positions of the keys are kept.
	keys func(*T) *map[string]diag.Position
	// place notes where the object itself stands; nil for none.
	place func(t *T, v value)
}

func (o object[T]) decode(d *decoder, v value) T {
	var t T
	for _, f := range o.fields {
		f.setDefault(d, &t)
	}
	keys := map[string]diag.Position{}
	if o.keys != nil {
		*o.keys(&t) = keys
	}
	if o.place != nil {
		o.place(&t, v)
	}
	decodeFields(d, v, o.noun, o.fields, &t, keySet{at: keys})
	return t
}

func (o object[T]) schema() *jsonschema.Schema { return fieldsSchema(o.fields) }

// either is a value or a list of up to max of them.
type either[V any] struct {
	of  shape[V]
	max int
}

func (s either[V]) decode(d *decoder, v value) []V {
	if _, isList := v.node.(*ast.SequenceNode); isList {
		return list[V]{of: s.of, max: s.max, form: "Write a list, such as [A, B]."}.decode(d, v)
	}
	return []V{s.of.decode(d, v)}
}

func (s either[V]) schema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		s.of.schema(), {Type: "array", Items: s.of.schema(), MinItems: bound(1), MaxItems: bound(s.max)},
	}}
}

// matching is text of a pattern that Go and JSON Schema share.
type matching struct {
	pattern *regexp.Regexp
	// what says what the text is, such as "the ARN of a KMS key", and form how it is written.
	what, form string
	max        int
	// empty lets the text be empty.
	empty bool
}

func (s matching) decode(d *decoder, v value) string {
	least := 1
	if s.empty {
		least = 0
	}
	got := text{min: least, max: s.max}.decode(d, v)
	if !d.broken[v.path] && !s.pattern.MatchString(got) {
		d.fail(v, codeInvalidValue, s.form, "%s must be %s, not %s", v.what, s.what, quote(got))
	}
	return got
}

func (s matching) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: s.pattern.String(), MaxLength: bound(s.max)}
}
