package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one key under one operator. All conditions of a statement must hold.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type condition struct {
	key      string // in lower case
	tests    []test // one for each of the policy's values
	negated  bool   // no test may hold
	all, any bool   // ForAllValues, ForAnyValue
	ifExists bool
	null     bool // tests whether there is the key at all
}

// test says whether a request's value is what a policy's value wants.
type test func(have string, keys Keys) bool

// operators make the test of a policy's value.
var operators = map[string]struct {
	negated bool
	test    func(value string, variables bool) (test, error)
}{
	"stringequals":              {false, text(false, false)},
	"stringnotequals":           {true, text(false, false)},
	"stringequalsignorecase":    {false, text(false, true)},
	"stringnotequalsignorecase": {true, text(false, true)},
	"stringlike":                {false, text(true, false)},
	"stringnotlike":             {true, text(true, false)},
	"arnequals":                 {false, arn},
	"arnlike":                   {false, arn},
	"arnnotequals":              {true, arn},
	"arnnotlike":                {true, arn},
	"numericequals":             {false, number(func(order int) bool { return order == 0 })},
	"numericnotequals":          {true, number(func(order int) bool { return order == 0 })},
	"numericlessthan":           {false, number(func(order int) bool { return order < 0 })},
	"numericlessthanequals":     {false, number(func(order int) bool { return order <= 0 })},
	"numericgreaterthan":        {false, number(func(order int) bool { return order > 0 })},
	"numericgreaterthanequals":  {false, number(func(order int) bool { return order >= 0 })},
	"dateequals":                {false, date(func(order int) bool { return order == 0 })},
	"datenotequals":             {true, date(func(order int) bool { return order == 0 })},
	"datelessthan":              {false, date(func(order int) bool { return order < 0 })},
	"datelessthanequals":        {false, date(func(order int) bool { return order <= 0 })},
	"dategreaterthan":           {false, date(func(order int) bool { return order > 0 })},
	"dategreaterthanequals":     {false, date(func(order int) bool { return order >= 0 })},
	"bool":                      {false, boolean},
	"binaryequals":              {false, text(false, false)},
	"ipaddress":                 {false, address},
	"notipaddress":              {true, address},
	"null":                      {false, boolean},
}

func newConditions(text json.RawMessage, variables bool) ([]condition, error) {
	if text == nil {
		return nil, nil
	}
	var block map[string]map[string]oneOrMore[any]
	if err := json.Unmarshal(text, &block); err != nil {
		return nil, errorf("Syntax errors in policy.")
	}
	var all []condition
	for _, operator := range slices.Sorted(maps.Keys(block)) {
		for _, key := range slices.Sorted(maps.Keys(block[operator])) {
			c, err := newCondition(operator, key, block[operator][key], variables)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func newCondition(operator, key string, values []any, variables bool) (condition, error) {
	c := condition{key: strings.ToLower(key)}
	name := strings.ToLower(operator)
	if rest, found := strings.CutPrefix(name, "forallvalues:"); found {
		name, c.all = rest, true
	} else if rest, found := strings.CutPrefix(name, "foranyvalue:"); found {
		name, c.any = rest, true
	}
	if rest, found := strings.CutSuffix(name, "ifexists"); found {
		name, c.ifExists = rest, true
	}
	o, found := operators[name]
	c.null = name == "null"
	if !found || c.null && c.ifExists {
		return c, notEmulated("the condition operator %s", operator)
	}
	if !Known(c.key) {
		return c, notEmulated("the condition key %s", key)
	}
	c.negated = o.negated
	for _, v := range values {
		value, ok := v.(string)
		switch v := v.(type) {
		case bool:
			value, ok = strconv.FormatBool(v), true
		case float64:
			value, ok = strconv.FormatFloat(v, 'f', -1, 64), true
		}
		if !ok {
			return c, errorf("Syntax errors in policy.")
		}
		t, err := o.test(value, variables)
		if err != nil {
			return c, err
		}
		c.tests = append(c.tests, t)
	}
	return c, nil
}

func (c condition) holds(keys Keys) bool {
	have := keys.values(c.key)
	switch {
	case c.null:
		return c.passes(strconv.FormatBool(have == nil), keys)
	case c.all:
		return !slices.ContainsFunc(have, func(v string) bool { return !c.passes(v, keys) })
	case c.any:
		return have == nil && c.ifExists || slices.ContainsFunc(have, func(v string) bool { return c.passes(v, keys) })
	case len(have) == 0:
		return c.ifExists || c.negated
	case c.negated:
		return !slices.ContainsFunc(have, func(v string) bool { return !c.passes(v, keys) })
	default:
		return slices.ContainsFunc(have, func(v string) bool { return c.passes(v, keys) })
	}
}

// passes says whether one of the request's values is what the condition wants of each.
func (c condition) passes(value string, keys Keys) bool {
	return slices.ContainsFunc(c.tests, func(t test) bool { return t(value, keys) }) != c.negated
}

func text(wildcards, ignoreCase bool) func(string, bool) (test, error) {
	return func(value string, variables bool) (test, error) {
		g, err := newGlob(value, wildcards, variables)
		if err != nil {
			return nil, err
		}
		if !ignoreCase {
			return g.match, nil
		}
		return func(have string, keys Keys) bool {
			want, ok := g.expand(keys)
			return ok && strings.EqualFold(string(want), have)
		}, nil
	}
}

func arn(value string, variables bool) (test, error) {
	r, err := newResource(value, variables)
	if err != nil {
		return nil, errorf("%s is no ARN to compare with", value)
	}
	return r.match, nil
}

func number(wanted func(order int) bool) func(string, bool) (test, error) {
	return func(value string, _ bool) (test, error) {
		want, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, errorf("%q is no number to compare with", value)
		}
		return func(have string, _ Keys) bool {
			n, err := strconv.ParseFloat(have, 64)
			switch {
			case err != nil:
				return false
			case n < want:
				return wanted(-1)
			case n > want:
				return wanted(1)
			default:
				return wanted(0)
			}
		}, nil
	}
}

func date(wanted func(order int) bool) func(string, bool) (test, error) {
	return func(value string, _ bool) (test, error) {
		want, err := parseTime(value)
		if err != nil {
			return nil, errorf("%q is no time to compare with", value)
		}
		return func(have string, _ Keys) bool {
			t, err := parseTime(have)
			return err == nil && wanted(t.Compare(want))
		}, nil
	}
}

// parseTime reads the forms of ISO 8601 that IAM takes, and seconds of the epoch.
func parseTime(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) > len("2006") {
		return time.Unix(seconds, 0), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}

func boolean(value string, _ bool) (test, error) {
	if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
		return nil, errorf("%q is neither true nor false", value)
	}
	return func(have string, _ Keys) bool { return strings.EqualFold(have, value) }, nil
}

func address(value string, _ bool) (test, error) {
	prefix, err := netip.ParsePrefix(value)
	if err != nil {
		ip, err := netip.ParseAddr(value)
		if err != nil {
			return nil, errorf("%q is no address and no range of addresses", value)
		}
		prefix = netip.PrefixFrom(ip, ip.BitLen())
	}
	return func(have string, _ Keys) bool {
		ip, err := netip.ParseAddr(have)
		return err == nil && prefix.Contains(ip.Unmap())
	}, nil
}
