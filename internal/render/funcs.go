package render

import (
	"fmt"
	"strconv"
	"strings"
	"text/template"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"streamgen/internal/fileplan"
)

// funcs are the ways by which a template writes a value that it does not know.
func funcs() template.FuncMap {
	return template.FuncMap{
		"hcl":     written((*hclWriter).value),
		"hclKey":  hclKey,
		"hclText": hclText,
		// These write whole lines.
		"hclArguments": written((*hclWriter).arguments),
		"hclBlock":     written((*hclWriter).block),
		"hclBody":      written((*hclWriter).body),
		"goString":     strconv.Quote,
	}
}

// written makes a function of templates of one that writes.
func written[V any](write func(*hclWriter, V)) func(V) (string, error) {
	return func(v V) (string, error) {
		var w hclWriter
		write(&w, v)
		return w.String(), w.err
	}
}

// hclWriter writes what templates do not know. The first value that it cannot write is its error.
type hclWriter struct {
	strings.Builder
	err error
}

// arguments writes each argument on a line of its own, which begins with the line's break.
func (w *hclWriter) arguments(list []fileplan.Argument) {
	for _, a := range list {
		w.WriteByte('\n')
		w.WriteString(a.Name)
		w.WriteString(" = ")
		w.value(a.Value)
	}
}

// body writes the arguments and blocks of a block, each on lines of its own, which begin with the line's break.
func (w *hclWriter) body(b fileplan.Block) {
	w.arguments(b.Arguments)
	for i, block := range b.Blocks {
		if i > 0 || len(b.Arguments) > 0 {
			w.WriteByte('\n')
		}
		w.WriteByte('\n')
		w.block(block)
	}
}

// block writes a nested block.
func (w *hclWriter) block(b fileplan.Block) {
	if b.ForEach != "" {
		w.WriteString("dynamic " + quote(b.Name) + " {\nfor_each = " + string(b.ForEach) + "\n\ncontent {")
		w.body(b)
		w.WriteString("\n}\n}")
		return
	}
	w.WriteString(b.Name + " {")
	w.body(b)
	w.WriteString("\n}")
}

// value writes a value of a view as an expression: text, numbers, booleans, lists and objects as literals, nil as null. An
// [fileplan.Expression] is written as it is.
func (w *hclWriter) value(v any) {
	switch v := v.(type) {
	case nil:
		w.WriteString("null")
	case fileplan.Expression:
		w.WriteString(string(v))
	case fileplan.Text:
		w.template(v)
	case string:
		w.WriteString(quote(v))
	case bool:
		w.WriteString(strconv.FormatBool(v))
	case int:
		w.WriteString(strconv.Itoa(v))
	case []any:
		writeList(w, v)
	case []string:
		writeList(w, v)
	case []fileplan.Expression:
		writeList(w, v)
	case []fileplan.Object:
		writeList(w, v)
	case fileplan.Object:
		w.object(v)
	case fileplan.Merge:
		w.WriteString("merge(\n")
		for _, o := range v {
			w.value(o)
			w.WriteString(",\n")
		}
		w.WriteByte(')')
	default:
		w.fail("hcl: no way to write a %T", v)
	}
}

func (w *hclWriter) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// template writes text with expressions in it.
func (w *hclWriter) template(t fileplan.Text) {
	w.WriteByte('"')
	for _, part := range t {
		switch part := part.(type) {
		case string:
			w.WriteString(hclText(part))
		case fileplan.Expression:
			w.WriteString("${" + string(part) + "}")
		default:
			w.fail("hcl: no way to write a %T into text", part)
		}
	}
	w.WriteByte('"')
}

func writeList[T any](w *hclWriter, list []T) {
	w.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			w.WriteString(", ")
		}
		w.value(v)
	}
	w.WriteByte(']')
}

func (w *hclWriter) object(o fileplan.Object) {
	if len(o) == 0 {
		w.WriteString("{}")
		return
	}
	w.WriteString("{\n")
	for _, a := range o {
		w.WriteString(hclKey(a.Name) + " = ")
		w.value(a.Value)
		w.WriteByte('\n')
	}
	w.WriteByte('}')
}

// hclKey gives a key of an object. A plain identifier needs no quotes unless it is a word of the language.
func hclKey(key string) string {
	switch key {
	case "for", "true", "false", "null":
		return quote(key)
	}
	if hclsyntax.ValidIdentifier(key) && !strings.Contains(key, "-") {
		return key
	}
	return quote(key)
}

// hclText gives what stands between the quotes of a template, to put beside ${…}.
func hclText(s string) string {
	quoted := quote(s)
	return quoted[1 : len(quoted)-1]
}

// quote gives text as a literal. Most of it is plain, which needs no library to know.
func quote(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '$' || c == '%' {
			return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
		}
	}
	return `"` + s + `"`
}
