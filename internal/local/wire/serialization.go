package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
)

// wrongType words a JSON value of another type than the member's as AWS's parser does, as far as the parser's own names for types
// are not needed. body is what was decoded.
func wrongType(e *json.UnmarshalTypeError, body []byte) string {
	given, _, _ := strings.Cut(e.Value, " ") // "number 1.5" names a number that does not fit
	switch e.Type.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Interface:
		switch given {
		case "object":
			return "Start of structure or map found where not expected"
		case "array":
			return "Start of list found where not expected"
		default:
			return "Unexpected field type"
		}
	}
	want := map[reflect.Kind]string{reflect.String: "String", reflect.Bool: "Boolean", reflect.Int64: "Long", reflect.Float64: "Double"}[e.Type.Kind()]
	if want == "" {
		want = "Integer"
	}
	switch given {
	case "object":
		return "Start of structure or map found where not expected"
	case "array":
		return "Unrecognized collection type class java.lang." + want
	case "string":
		if want == "Boolean" {
			return "Unexpected token received from parser"
		}
	}
	return token(given, body[:min(int(e.Offset), len(body))]) + " cannot be converted to " + want
}

// token is the parser's name for the scalar with which read ends.
func token(given string, read []byte) string {
	switch literal := read[len(bytes.TrimRight(read, "0123456789+-.eE")):]; {
	case given == "string":
		return "STRING_VALUE"
	case given == "bool" && bytes.HasSuffix(read, []byte("true")):
		return "TRUE_VALUE"
	case given == "bool":
		return "FALSE_VALUE"
	case bytes.ContainsAny(literal, ".eE"):
		return "DECIMAL_VALUE"
	default:
		return "NUMBER_VALUE"
	}
}
