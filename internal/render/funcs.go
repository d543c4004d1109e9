package render

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"text/template"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
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

// hclValue gives a string, or a list of strings, as an expression.
func hclValue(v any) (string, error) {
	r := reflect.ValueOf(v)
	switch {
	case r.Kind() == reflect.String:
		return quote(r.String()), nil
	case r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.String:
		values := make([]cty.Value, r.Len())
		for i := range values {
			values[i] = cty.StringVal(r.Index(i).String())
		}
		return string(hclwrite.TokensForValue(cty.TupleVal(values)).Bytes()), nil
	}
	return "", fmt.Errorf("hcl: %T is neither a string nor a list of strings", v)
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
