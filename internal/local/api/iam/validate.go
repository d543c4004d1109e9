package iam

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// rule is what IAM asks of a parameter's value. Lengths are in characters; numbers have bounds instead.
type rule struct {
	optional         bool
	minimum, maximum int
	pattern          *regexp.Regexp
	wording          string // of the pattern, as IAM says it
	number, list     bool
}

const (
	nameWording = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
	pathWording = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
)

// rules are IAM's own, from https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html.
var rules = map[string]rule{
	"RoleName":                 {minimum: 1, maximum: 64, pattern: regexp.MustCompile(`^[\w+=,.@-]+$`), wording: nameWording},
	"PolicyName":               {minimum: 1, maximum: 128, pattern: regexp.MustCompile(`^[\w+=,.@-]+$`), wording: nameWording},
	"PolicyArn":                {minimum: 20, maximum: 2048},
	"AssumeRolePolicyDocument": {minimum: 1, maximum: 131072},
	"PolicyDocument":           {minimum: 1, maximum: 131072},
	"Path":                     {optional: true, minimum: 1, maximum: 512, pattern: regexp.MustCompile(`^(/|/[!-~]+/)$`), wording: pathWording},
	"PathPrefix":               {optional: true, minimum: 1, maximum: 512, pattern: regexp.MustCompile(`^/[!-~]*$`), wording: pathWording},
	"Description":              {optional: true, maximum: 1000},
	"MaxSessionDuration":       {optional: true, number: true, minimum: 3600, maximum: 43200},
	"MaxItems":                 {optional: true, number: true, minimum: 1, maximum: 1000},
	"Marker":                   {optional: true, minimum: 1, maximum: 320},
	"Tags":                     {optional: true, list: true},
	"TagKeys":                  {optional: true, list: true},
}

func (r rule) check(name string, form url.Values) error {
	if r.list || r.optional && !form.Has(name) {
		return nil
	}
	value, member := form.Get(name), strings.ToLower(name[:1])+name[1:]
	if !form.Has(name) {
		return wire.Errorf("ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
	}
	broken := func(constraint string) error {
		return wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, member, constraint)
	}
	size, length := utf8.RuneCountInString(value), "length "
	if r.number {
		n, err := strconv.Atoi(value)
		if err != nil {
			return wire.Errorf("MalformedInput", "%s must be a number", name)
		}
		size, length = n, "value "
	}
	switch {
	case size < r.minimum:
		return broken("Member must have " + length + "greater than or equal to " + strconv.Itoa(r.minimum))
	case size > r.maximum:
		return broken("Member must have " + length + "less than or equal to " + strconv.Itoa(r.maximum))
	case r.pattern != nil && !r.pattern.MatchString(value):
		return wire.Errorf("ValidationError", "The specified value for %s is invalid. %s", member, r.wording)
	}
	return nil
}

// request is one action's parameters, checked.
type request struct{ form url.Values }

func (r *request) get(name string) string { return r.form.Get(name) }

// optional is a parameter's value, or nil when it is not given.
func (r *request) optional(name string) *string {
	if !r.form.Has(name) {
		return nil
	}
	value := r.form.Get(name)
	return &value
}

// number is a parameter's value; given is false when there is none.
func (r *request) number(name string) (n int, given bool) {
	n, err := strconv.Atoi(r.form.Get(name))
	return n, err == nil
}

// tags reads the Tags parameter.
func (r *request) tags() (map[string]string, error) {
	members, err := wire.QueryList(r.form, "Tags", "Key", "Value")
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, m := range members {
		key, value := m.Get("Key"), m.Get("Value")
		if err := checkTagKey(key); err != nil {
			return nil, err
		}
		if utf8.RuneCountInString(value) > 256 {
			return nil, wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 256", value)
		}
		if _, twice := tags[key]; twice {
			return nil, wire.Errorf("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		tags[key] = value
	}
	if len(tags) > control.MaxTags {
		return nil, wire.Errorf("ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", control.MaxTags)
	}
	return tags, nil
}

// tagKeys reads the TagKeys parameter.
func (r *request) tagKeys() ([]string, error) {
	members, err := wire.QueryList(r.form, "TagKeys")
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, m := range members {
		if err := checkTagKey(m.Get("")); err != nil {
			return nil, err
		}
		keys = append(keys, m.Get(""))
	}
	return keys, nil
}

func checkTagKey(key string) error {
	if n := utf8.RuneCountInString(key); n < 1 || n > 128 {
		return wire.Errorf("ValidationError", "1 validation error detected: Value '%s' at 'tagKey' failed to satisfy constraint: Member must have length between 1 and 128", key)
	}
	return nil
}

// page gives the part of an ordered list that Marker and MaxItems (default 100) ask for. The marker is the last key of
// the page before, so that it stays right when the list changes.
func page[T any](r *request, all []T, key func(T) string) (items []T, next marker) {
	after := r.get("Marker")
	for len(all) > 0 && after != "" && key(all[0]) <= after {
		all = all[1:]
	}
	limit, given := r.number("MaxItems")
	if !given {
		limit = 100
	}
	if len(all) <= limit {
		return all, marker{}
	}
	return all[:limit], marker{IsTruncated: true, Marker: key(all[limit-1])}
}

type marker struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}
