package judge

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// hidden stands where a sensitive value was: two of them can be compared, and nothing of the value is left.
type hidden [sha256.Size]byte

// unknown stands for a value that is known only after apply.
type unknown struct{}

const (
	hiddenText  = "(sensitive)"
	unknownText = "(known after apply)"
)

func (hidden) String() string                { return hiddenText }
func (hidden) MarshalJSON() ([]byte, error)  { return json.Marshal(hiddenText) }
func (unknown) String() string               { return unknownText }
func (unknown) MarshalJSON() ([]byte, error) { return json.Marshal(unknownText) }

func hide(v any) hidden {
	text, err := json.Marshal(v)
	if err != nil {
		text = fmt.Append(nil, v)
	}
	return sha256.Sum256(text)
}

// seal gives a value of a plan with its sensitive parts hidden and its unknown parts marked. The masks have the value's shape with
// true in place of what is meant; where a mask has another shape than the value and marks anything at all, it means the whole.
// other is the mask of the same argument on the other side of the change: what is sensitive on one side is hidden on both, as far
// as the shapes agree.
func seal(v, sensitive, other, unknowns any) any {
	if sensitive == true || other == true {
		return hide(v)
	}
	if unknowns == true {
		return unknown{}
	}
	switch v := v.(type) {
	case map[string]any:
		s, fits := fitting(sensitive, isMap)
		if !fits {
			return hide(v)
		}
		u, fits := fitting(unknowns, isMap)
		if !fits {
			return unknown{}
		}
		o, _ := fitting(other, isMap)
		return sealMap(v, entries(s), entries(o), entries(u))
	case []any:
		same := func(mask any) bool { l, ok := mask.([]any); return ok && len(l) == len(v) }
		s, fits := fitting(sensitive, same)
		if !fits {
			return hide(v)
		}
		u, fits := fitting(unknowns, same)
		if !fits {
			return unknown{}
		}
		o, _ := fitting(other, same)
		out := make([]any, len(v))
		for i := range v {
			out[i] = seal(v[i], element(s, i), element(o, i), element(u, i))
		}
		return out
	}
	switch {
	case marks(sensitive):
		return hide(v)
	case marks(unknowns):
		return unknown{}
	}
	return v
}

// sealMap seals the entries of a map; one that is unknown stands in the mask alone.
func sealMap(v, sensitive, other, unknowns map[string]any) map[string]any {
	out := make(map[string]any, len(v))
	for k := range v {
		out[k] = seal(v[k], sensitive[k], other[k], unknowns[k])
	}
	for k, u := range unknowns {
		if _, known := v[k]; !known && marks(u) {
			out[k] = seal(nil, sensitive[k], other[k], true)
		}
	}
	return out
}

// fitting gives a mask that fits the value, or none where nothing is marked. It does not fit where it marks something and has
// another shape.
func fitting(mask any, fits func(any) bool) (any, bool) {
	switch {
	case fits(mask):
		return mask, true
	case marks(mask):
		return nil, false
	}
	return nil, true
}

// marks reports whether a mask marks anything.
func marks(mask any) bool {
	switch m := mask.(type) {
	case bool:
		return m
	case map[string]any:
		for _, v := range m {
			if marks(v) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(m, marks)
	}
	return false
}

func isMap(v any) bool { _, ok := v.(map[string]any); return ok }

func entries(v any) map[string]any { m, _ := v.(map[string]any); return m }

func elements(v any) []any { l, _ := v.([]any); return l }

func element(v any, i int) any {
	if l := elements(v); i < len(l) {
		return l[i]
	}
	return nil
}

// path leads to a part of a resource's value by names and numbers.
type path []any

var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// String writes the path as terraform does: replica[0].region_name, tags["a b"].
func (p path) String() string {
	if len(p) == 0 {
		return "." // the resource as a whole
	}
	var b strings.Builder
	for i, step := range p {
		switch s := step.(type) {
		case string:
			switch {
			case !plainKey.MatchString(s):
				fmt.Fprintf(&b, "[%s]", text(s))
			case i == 0:
				b.WriteString(s)
			default:
				b.WriteString("." + s)
			}
		default:
			fmt.Fprintf(&b, "[%s]", text(s))
		}
	}
	return b.String()
}

// top is the argument of the resource that the path begins with.
func (p path) top() string {
	if len(p) == 0 {
		return ""
	}
	s, _ := p[0].(string)
	return s
}

func (p path) to(step any) path { return append(slices.Clip(p), step) }

// at follows a path; nil where it leads nowhere.
func at(v any, steps ...any) any {
	for _, step := range steps {
		switch s := step.(type) {
		case string:
			v = entries(v)[s]
		case int:
			v = element(v, s)
		}
	}
	return v
}

// text is a value as JSON; hidden and unknown ones are as in [Argument].
func text(v any) string {
	switch v := v.(type) {
	case hidden, unknown:
		return fmt.Sprint(v)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "(not JSON)"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// blank reports what providers use alike for "nothing".
func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func same(a, b any) bool {
	if blank(a) && blank(b) {
		return true
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && !slices.ContainsFunc(keys(a, b), func(k string) bool { return !same(a[k], b[k]) })
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case unknown:
		return false // it may be anything
	}
	return reflect.DeepEqual(a, b)
}

// keys are the keys of both maps, in order.
func keys(a, b map[string]any) []string {
	var all []string
	for k := range a {
		all = append(all, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}

// differences lists the parts in which two values differ, as deep as their shapes agree.
func differences(p path, before, after any) []Argument {
	if same(before, after) {
		return nil
	}
	if isMap(before) && (isMap(after) || blank(after)) || isMap(after) && blank(before) {
		var out []Argument
		b, a := entries(before), entries(after)
		for _, k := range keys(b, a) {
			out = append(out, differences(p.to(k), b[k], a[k])...)
		}
		return out
	}
	b, bIsList := before.([]any)
	a, aIsList := after.([]any)
	if (bIsList || blank(before)) && (aIsList || blank(after)) && (slices.ContainsFunc(b, isMap) || slices.ContainsFunc(a, isMap)) {
		return listDifferences(p, b, a)
	}
	return []Argument{argument(p, before, after)}
}

// listDifferences leaves out the elements that both lists have, since a set of blocks is a list in the plan and one that comes or
// goes shifts the others. What is left is compared place by place, where it has the same places.
func listDifferences(p path, before, after []any) []Argument {
	removed, added := unmatched(before, after)
	switch {
	case len(removed) == 0 && len(added) == 0:
		return []Argument{argument(p, before, after)} // another order
	case slices.Equal(removed, added), len(removed) == 1 && len(added) == 1:
		var out []Argument
		for i := range removed {
			out = append(out, differences(p.to(added[i]), before[removed[i]], after[added[i]])...)
		}
		return out
	}
	var out []Argument
	for _, i := range removed {
		out = append(out, argument(p.to(i), before[i], nil))
	}
	for _, i := range added {
		out = append(out, argument(p.to(i), nil, after[i]))
	}
	return out
}

// unmatched gives the places of the elements that the other list does not have.
func unmatched(before, after []any) (removed, added []int) {
	taken := make([]bool, len(after))
	for i, b := range before {
		j := slices.IndexFunc(after, func(a any) bool { return same(b, a) })
		for j >= 0 && j < len(after) && (taken[j] || !same(b, after[j])) {
			j++
		}
		if j < 0 || j == len(after) {
			removed = append(removed, i)
			continue
		}
		taken[j] = true
	}
	for j := range after {
		if !taken[j] {
			added = append(added, j)
		}
	}
	return removed, added
}

// argument shows nothing of a value that is sensitive on either side.
func argument(p path, before, after any) Argument {
	_, was := before.(hidden)
	_, is := after.(hidden)
	if was || is {
		return Argument{Path: p.String(), Before: hiddenText, After: hiddenText, at: p}
	}
	return Argument{Path: p.String(), Before: text(before), After: text(after), at: p}
}

// number reads a JSON number, however it was decoded.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

// decimal writes a number as people do, without an exponent.
func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

func str(v any) string { s, _ := v.(string); return s }

// texts reads a list of strings; what is hidden or unknown among them stands as its text.
func texts(v any) []string {
	var out []string
	for _, e := range elements(v) {
		switch e := e.(type) {
		case string:
			out = append(out, e)
		case hidden, unknown:
			out = append(out, fmt.Sprint(e))
		}
	}
	return out
}
