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
		"hcl":      hclValue,
		"hclKey":   hclKey,
		"hclText":  hclText,
		"goString": strconv.Quote,
	}
}

// hclValue gives a value of a view as an expression: text, numbers, booleans, lists and objects as literals, nil as null. An
// [fileplan.Expression] is written as it is.
func hclValue(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "null", nil
	case fileplan.Expression:
		return string(v), nil
	case fileplan.Text:
		return hclTemplate(v)
	case string:
		return quote(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case []any:
		return hclList(v)
	case []string:
		return hclList(v)
	case []fileplan.Expression:
		return hclList(v)
	case []fileplan.Object:
		return hclList(v)
	case fileplan.Object:
		return hclObject(v)
	case fileplan.Merge:
		elements, err := hclElements(v, ",\n")
		return "merge(\n" + elements + ",\n)", err
	}
	return "", fmt.Errorf("hcl: no way to write a %T", v)
}

// hclTemplate gives text with expressions in it.
func hclTemplate(t fileplan.Text) (string, error) {
	var b strings.Builder
	for _, part := range t {
		switch part := part.(type) {
		case string:
			b.WriteString(hclText(part))
		case fileplan.Expression:
			b.WriteString("${" + string(part) + "}")
		default:
			return "", fmt.Errorf("hcl: no way to write a %T into text", part)
		}
	}
	return `"` + b.String() + `"`, nil
}

func hclList[T any](list []T) (string, error) {
	elements, err := hclElements(list, ", ")
	return "[" + elements + "]", err
}

func hclElements[T any](list []T, between string) (string, error) {
	texts := make([]string, len(list))
	for i, v := range list {
		var err error
		if texts[i], err = hclValue(v); err != nil {
			return "", err
		}
	}
	return strings.Join(texts, between), nil
}

func hclObject(o fileplan.Object) (string, error) {
	if len(o) == 0 {
		return "{}", nil
	}
	var b strings.Builder
	b.WriteString("{\n")
	for _, a := range o {
		text, err := hclValue(a.Value)
		if err != nil {
			return "", err
		}
		b.WriteString(hclKey(a.Name) + " = " + text + "\n")
	}
	b.WriteByte('}')
	return b.String(), nil
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

func quote(s string) string { return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes()) }
