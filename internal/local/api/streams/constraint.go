package streams

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"streamgen/internal/local/wire"
)

// check words the faults that a request's members have as AWS does, all in one message; "" is no fault.
func check(faults ...string) error {
	faults = slices.DeleteFunc(faults, func(fault string) bool { return fault == "" })
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return validation("1 validation error detected: %s", faults[0])
	default:
		return validation("%d validation errors detected: %s", len(faults), strings.Join(faults, "; "))
	}
}

func validation(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

func fault(value any, member, constraint string, args ...any) string {
	return fmt.Sprintf("Value '%v' at '%s' failed to satisfy constraint: %s", value, member, fmt.Sprintf(constraint, args...))
}

// required wants a member that is not empty.
func required(member, value string) string {
	if value == "" {
		return fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member)
	}
	return ""
}

// length wants a member that is there to have so many characters.
func length(member, value string, least, most int) string {
	switch {
	case value == "":
		return ""
	case len(value) < least:
		return fault(value, member, "Member must have length greater than or equal to %d", least)
	case len(value) > most:
		return fault(value, member, "Member must have length less than or equal to %d", most)
	default:
		return ""
	}
}

// The lengths that the API's reference has.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html
func arnLength(member, value string) string      { return length(member, value, 37, 1024) }
func shardIDLength(member, value string) string  { return length(member, value, 28, 65) }
func sequenceLength(member, value string) string { return length(member, value, 21, 40) }

// oneOf wants a member that is there to have one of the values.
func oneOf[T ~string](member string, value T, allowed ...T) string {
	if value == "" || slices.Contains(allowed, value) {
		return ""
	}
	return fault(value, member, "Member must satisfy enum value set: [%s]", strings.Trim(strings.ReplaceAll(fmt.Sprint(allowed), " ", ", "), "[]"))
}

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// tableName wants the name of a table if there is one.
func tableName(value string) string {
	if f := length("tableName", value, 3, 255); f != "" || value == "" || namePattern.MatchString(value) {
		return f
	}
	return fault(value, "tableName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
}

// positive wants a limit that is there to be one.
func positive(limit *int) string {
	if limit == nil || *limit > 0 {
		return ""
	}
	return fault(*limit, "limit", "Member must have value greater than or equal to 1")
}

// limitOf gives a limit, most when the request has none. Those that are too large have an error of their own.
func limitOf(limit *int, most int, tooMany string) (int, error) {
	switch {
	case limit == nil:
		return most, nil
	case *limit > most:
		return 0, validation("One or more parameter values were invalid: %s", tooMany)
	default:
		return *limit, nil
	}
}

var arnPattern = regexp.MustCompile(`^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]+/stream/[^/]+$`)

// checkARN tells an ARN that no stream can have from one that no stream has.
func checkARN(arn string) error {
	if !arnPattern.MatchString(arn) {
		return validation("Invalid StreamArn")
	}
	return nil
}
