package lambda

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"streamgen/internal/local/wire"
)

// constraints collects the members of a request that break the API model's rules, in Lambda's words.
type constraints []string

func (c *constraints) need(ok bool, member string, value any, rule string) {
	if !ok {
		*c = append(*c, fmt.Sprintf("Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, member, rule))
	}
}

func (c *constraints) present(ok bool, member string) {
	if !ok {
		*c = append(*c, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member))
	}
}

// within checks a number that was given; a nil one was not.
func (c *constraints) within(value *int, member string, low, high int) {
	if value == nil {
		return
	}
	c.need(*value >= low, member, *value, fmt.Sprintf("have value greater than or equal to %d", low))
	c.need(*value <= high, member, *value, fmt.Sprintf("have value less than or equal to %d", high))
}

// oneOf checks a value of an enumeration that was given; "" was not.
func (c *constraints) oneOf(value, member string, values ...string) {
	c.need(value == "" || slices.Contains(values, value), member, value, "satisfy enum value set: ["+strings.Join(values, ", ")+"]")
}

func (c constraints) err() error {
	switch len(c) {
	case 0:
		return nil
	case 1:
		return wire.Errorf("ValidationException", "1 validation error detected: %s", c[0])
	default:
		return wire.Errorf("ValidationException", "%d validation errors detected: %s", len(c), strings.Join(c, "; "))
	}
}

// notEmulated refuses the options of an operation that are given and not emulated.
func notEmulated(operation string, given map[string]bool) error {
	for _, option := range slices.Sorted(maps.Keys(given)) {
		if given[option] {
			return wire.NotEmulated(option + " of " + operation)
		}
	}
	return nil
}

func value[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
