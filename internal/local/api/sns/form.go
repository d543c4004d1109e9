package sns

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// members reads a list of a form, such as "Tags.member" or "Attributes.entry", whose members are numbered from 1. A member's own
// names are without the list's; fields are those that it may have: "Value" also covers "Value.DataType".
func members(form url.Values, list string, fields ...string) ([]url.Values, error) {
	var all []url.Values
	for name, values := range form {
		rest, ours := strings.CutPrefix(name, list+".")
		if !ours {
			continue
		}
		number, field, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > len(form) {
			return nil, wire.Errorf("MalformedQueryString", "%s is no list of members that are numbered from 1", list)
		}
		if !slices.ContainsFunc(fields, func(f string) bool { return field == f || f != "" && strings.HasPrefix(field, f+".") }) {
			return nil, wire.NotEmulated(name)
		}
		for len(all) < n {
			all = append(all, url.Values{})
		}
		all[n-1][field] = values
	}
	for _, m := range all {
		if len(m) == 0 {
			return nil, wire.Errorf("MalformedQueryString", "%s is no list of members that are numbered from 1", list)
		}
	}
	return all, nil
}

// attributesOf reads a map of text.
func attributesOf(form url.Values) (map[string]string, error) {
	entries, err := members(form, "Attributes.entry", "key", "value")
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, e := range entries {
		all[e.Get("key")] = e.Get("value")
	}
	return all, nil
}

func tagsOf(form url.Values) (map[string]string, error) {
	list, err := members(form, "Tags.member", "Key", "Value")
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range list {
		key := t.Get("Key")
		if _, twice := tags[key]; twice || key == "" || len(key) > 128 || len(t.Get("Value")) > 256 || strings.HasPrefix(key, "aws:") {
			return nil, invalid("Tags")
		}
		tags[key] = t.Get("Value")
	}
	return tags, nil
}

// messageAttributesOf reads the attributes of a message.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
func messageAttributesOf(form url.Values) (control.MessageAttributes, error) {
	list, err := members(form, "MessageAttributes.entry", "Name", "Value")
	if err != nil || len(list) == 0 {
		return nil, err
	}
	all := control.MessageAttributes{}
	for _, e := range list {
		for _, field := range slices.Sorted(maps.Keys(e)) {
			if !slices.Contains([]string{"Name", "Value.DataType", "Value.StringValue", "Value.BinaryValue"}, field) {
				return nil, wire.NotEmulated(field + " of MessageAttributes")
			}
		}
		name, kind := e.Get("Name"), e.Get("Value.DataType")
		_, twice := all[name]
		if twice || !attributeName.MatchString(name) || strings.HasPrefix(strings.ToLower(name), "aws.") || strings.HasPrefix(strings.ToLower(name), "amazon.") {
			return nil, wire.Errorf(codeInvalidValue, "The message attribute name '%s' is not valid.", name)
		}
		a := control.MessageAttribute{DataType: kind, Value: []byte(e.Get("Value.StringValue"))}
		switch base, _, _ := strings.Cut(kind, "."); base {
		case "String":
		case "Number":
			if _, err := strconv.ParseFloat(string(a.Value), 64); err != nil {
				return nil, wire.Errorf(codeInvalidValue, "Could not cast message attribute '%s' value to number.", name)
			}
		case "Binary":
			if a.Value, err = base64.StdEncoding.DecodeString(e.Get("Value.BinaryValue")); err != nil {
				return nil, wire.Errorf(codeInvalidValue, "The message attribute '%s' with type 'Binary' has invalid base64.", name)
			}
		default:
			return nil, wire.Errorf(codeInvalidValue, "The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
		}
		if len(a.Value) == 0 {
			return nil, wire.Errorf(codeInvalidValue, "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, kind)
		}
		all[name] = a
	}
	return all, nil
}

// entry is a pair of a map in an answer.
type entry struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// attributes is a map in an answer.
type attributes map[string]string

// MarshalXML implements [xml.Marshaler]: the pairs are in the order of their keys.
func (m attributes) MarshalXML(enc *xml.Encoder, start xml.StartElement) error {
	list := struct {
		Entries []entry `xml:"entry"`
	}{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		list.Entries = append(list.Entries, entry{key, m[key]})
	}
	return enc.EncodeElement(list, start)
}

// page gives those of a sorted list that come after a token, and the token of the next page.
func page[T any](all []T, token string, key func(T) string) (part []T, next string) {
	const most = 100
	from := 0
	if token != "" {
		from = slices.IndexFunc(all, func(t T) bool { return key(t) > token })
		if from < 0 {
			return nil, ""
		}
	}
	part = all[from:]
	if len(part) > most {
		part = part[:most]
		next = key(part[most-1])
	}
	return part, next
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameter", "Invalid parameter: %s", fmt.Sprintf(format, args...))
}
