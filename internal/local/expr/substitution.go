package expr

import (
	"maps"
	"slices"
	"strings"

	"streamgen/internal/local/attr"
)

// Limits of placeholders and expressions.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
const (
	maxPlaceholder   = 255     // bytes of a placeholder's name
	maxSubstitutions = 2 << 20 // bytes of all names or all values
	maxExpression    = 4 << 10 // bytes of an expression
	maxOperators     = 300
	maxInOperands    = 100
	maxListIndex     = 1<<31 - 1
)

// Substitutions are what a request's expressions call #name and :value: ExpressionAttributeNames and
// ExpressionAttributeValues. They remember which of them the expressions used.
type Substitutions struct {
	names  map[string]string
	values attr.Item
	used   map[string]bool
}

// NewSubstitutions checks the placeholders. Nil means that the request had no such parameter.
func NewSubstitutions(names map[string]string, values attr.Item) (*Substitutions, error) {
	if err := checkNames(names); err != nil {
		return nil, err
	}
	if err := checkValues(values); err != nil {
		return nil, err
	}
	return &Substitutions{names: names, values: values, used: map[string]bool{}}, nil
}

func checkNames(names map[string]string) error {
	if names == nil {
		return nil
	}
	if len(names) == 0 {
		return errorf("ExpressionAttributeNames must not be empty")
	}
	size := 0
	for _, key := range slices.Sorted(maps.Keys(names)) {
		if err := checkPlaceholder("ExpressionAttributeNames", key, '#'); err != nil {
			return err
		}
		if names[key] == "" {
			return errorf("ExpressionAttributeNames contains invalid value: Empty attribute name for key %s", key)
		}
		size += len(key) + len(names[key])
	}
	if size > maxSubstitutions {
		return errorf("ExpressionAttributeNames exceeds max size")
	}
	return nil
}

func checkValues(values attr.Item) error {
	if values == nil {
		return nil
	}
	if len(values) == 0 {
		return errorf("ExpressionAttributeValues must not be empty")
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := checkPlaceholder("ExpressionAttributeValues", key, ':'); err != nil {
			return err
		}
	}
	if values.Size() > maxSubstitutions {
		return errorf("ExpressionAttributeValues exceeds max size")
	}
	return nil
}

func checkPlaceholder(parameter, key string, sigil byte) error {
	if len(key) > maxPlaceholder {
		return errorf("%s contains invalid key: The expression attribute map contains a key that is too long", parameter)
	}
	if len(key) < 2 || key[0] != sigil || partsEnd(key, 1) != len(key) {
		return errorf("%s contains invalid key: Syntax error; key: \"%s\"", parameter, key)
	}
	return nil
}

// CheckUsed is called after the request's last expression was parsed: a substitution that none of them used is an error.
func (s *Substitutions) CheckUsed() error {
	if unused := s.unused(maps.Keys(s.names)); unused != "" {
		return errorf("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", unused)
	}
	if unused := s.unused(maps.Keys(s.values)); unused != "" {
		return errorf("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", unused)
	}
	return nil
}

func (s *Substitutions) unused(keys func(func(string) bool)) string {
	var unused []string
	for key := range keys {
		if !s.used[key] {
			unused = append(unused, key)
		}
	}
	slices.Sort(unused)
	return strings.Join(unused, ", ")
}

func (s *Substitutions) name(placeholder string) (string, error) {
	name, found := s.names[placeholder]
	if !found {
		return "", errorf("An expression attribute name used in the document path is not defined; attribute name: %s", placeholder)
	}
	s.used[placeholder] = true
	return name, nil
}

func (s *Substitutions) value(placeholder string) (attr.Value, error) {
	v, found := s.values[placeholder]
	if !found {
		return attr.Value{}, errorf("An expression attribute value used in expression is not defined; attribute value: %s", placeholder)
	}
	s.used[placeholder] = true
	return v, nil
}
