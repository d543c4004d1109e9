package dynamodb

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"streamgen/internal/local/wire"
)

// constraint is one rule on one member of a request. It gives what is wrong, "" when nothing is.
type constraint func() string

// check applies a request's constraints and words what they find as AWS does: all in one message, ten at most.
func check(constraints ...constraint) error {
	var found []string
	for _, c := range constraints {
		if fault := c(); fault != "" && len(found) < 10 {
			found = append(found, fault)
		}
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return wire.Errorf("ValidationException", "1 validation error detected: %s", found[0])
	default:
		return wire.Errorf("ValidationException", "%d validation errors detected: %s", len(found), strings.Join(found, "; "))
	}
}

func fault(value any, member, format string, args ...any) string {
	text := "null"
	if value != nil {
		text = fmt.Sprintf("'%v'", value)
	}
	return fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", text, member, fmt.Sprintf(format, args...))
}

// required wants a member to be there.
func required(member string, present bool) constraint {
	return func() string {
		if present {
			return ""
		}
		return fault(nil, member, "Member must not be null")
	}
}

// oneOf wants a member that is there to have one of the values.
func oneOf[T ~string](member string, value T, allowed ...T) constraint {
	return func() string {
		if value == "" || slices.Contains(allowed, value) {
			return ""
		}
		names := make([]string, len(allowed))
		for i, a := range allowed {
			names[i] = string(a)
		}
		return fault(value, member, "Member must satisfy enum value set: [%s]", strings.Join(names, ", "))
	}
}

// between wants a number that is there to lie in the range; most < 0 means that it has no upper end.
func between(member string, value *int, least, most int) constraint {
	return func() string {
		switch {
		case value == nil:
			return ""
		case *value < least:
			return fault(*value, member, "Member must have value greater than or equal to %d", least)
		case most >= 0 && *value > most:
			return fault(*value, member, "Member must have value less than or equal to %d", most)
		default:
			return ""
		}
	}
}

// length wants a list or text that is there to have a length in the range; most < 0 means that it has no upper end.
func length(member string, value any, n, least, most int) constraint {
	return func() string {
		switch {
		case n < least:
			return fault(value, member, "Member must have length greater than or equal to %d", least)
		case most >= 0 && n > most:
			return fault(value, member, "Member must have length less than or equal to %d", most)
		default:
			return ""
		}
	}
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// resourceName wants the name of a table or index.
func resourceName(member, value string) constraint {
	return func() string {
		switch {
		case value == "":
			return fault(nil, member, "Member must not be null")
		case len(value) < 3:
			return fault(value, member, "Member must have length greater than or equal to 3")
		case len(value) > 255:
			return fault(value, member, "Member must have length less than or equal to 255")
		case !namePattern.MatchString(value):
			return fault(value, member, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
		default:
			return ""
		}
	}
}

// tableARN is what AWS takes in the place of a table's name. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
var tableARN = regexp.MustCompile(`^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]{3,255}$`)

// tableName wants the name or the ARN of a table.
func tableName(value string) constraint { return tableAt("tableName", value) }

// tableAt is tableName for a name that is another member.
func tableAt(member, value string) constraint {
	if tableARN.MatchString(value) {
		return func() string { return "" }
	}
	return resourceName(member, value)
}

// checkTable makes the checks of an operation on a table as a whole: that of its name's length first, then all others at once.
func checkTable(name string, constraints ...constraint) error {
	if err := checkTableName(name); err != nil {
		return err
	}
	return check(append([]constraint{tableName(name)}, constraints...)...)
}

// checkTableName wants the name that an operation on a table as a whole cannot do without.
func checkTableName(name string) error {
	switch {
	case name == "":
		return wire.Errorf("ValidationException", "The parameter 'TableName' is required but was not present in the request")
	case !strings.HasPrefix(name, "arn:") && (len(name) < 3 || len(name) > 255):
		return wire.Errorf("ValidationException", "TableName must be at least 3 characters long and at most 255 characters long")
	default:
		return nil
	}
}

func invalidParameters(format string, args ...any) error {
	return wire.Errorf("ValidationException", "One or more parameter values were invalid: "+format, args...)
}

// named wants the name of an index, a backup or a table that may be absent, with all that is wrong with it.
func named(member, value string) []constraint {
	if value == "" {
		return []constraint{required(member, false)}
	}
	return []constraint{matches(member, value), length(member, value, len(value), 3, 255)}
}

// matches wants text of the characters that names consist of.
func matches(member, value string) constraint {
	return func() string {
		if namePattern.MatchString(value) {
			return ""
		}
		return fault(value, member, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	}
}
