package logs

import (
	"regexp"
	"slices"
	"strings"

	"streamgen/internal/local/wire"
)

// plainTerm is a term that needs no quotes.
var plainTerm = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// parseFilter reads a filter pattern of terms: those that a message must hold, `?term` of which one must be there, and
// `-term` that must not be. A term of other characters than letters, digits and underscore stands in double quotes.
// Patterns of fields, JSON and regular expressions are refused.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
func parseFilter(pattern string) (matches func(message string) bool, err error) {
	if len(pattern) > 1024 {
		return nil, invalid("1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: Member must have length less than or equal to 1024")
	}
	rest := strings.TrimSpace(pattern)
	if strings.HasPrefix(rest, "{") || strings.HasPrefix(rest, "[") || strings.Contains(rest, "%") {
		return nil, wire.NotEmulated("filterPattern with fields, JSON or a regular expression: " + pattern)
	}
	var all, anyOf, noneOf []string
	for rest != "" {
		terms := &all
		switch rest[0] {
		case '?':
			terms, rest = &anyOf, rest[1:]
		case '-':
			terms, rest = &noneOf, rest[1:]
		}
		var term string
		if quoted, found := strings.CutPrefix(rest, `"`); found {
			end := closingQuote(quoted)
			if end < 1 || end+1 < len(quoted) && quoted[end+1] != ' ' {
				return nil, invalid("Invalid filter pattern")
			}
			term, rest = strings.ReplaceAll(quoted[:end], `\"`, `"`), quoted[end+1:]
		} else {
			term, rest, _ = strings.Cut(rest, " ")
			if !plainTerm.MatchString(term) {
				return nil, invalid("Invalid filter pattern")
			}
		}
		*terms = append(*terms, term)
		rest = strings.TrimLeft(rest, " ")
	}
	if len(anyOf) > 0 && len(all)+len(noneOf) > 0 {
		return nil, wire.NotEmulated(`filterPattern with "?" terms beside others: ` + pattern)
	}
	return func(message string) bool {
		holds := func(term string) bool { return strings.Contains(message, term) }
		return !slices.ContainsFunc(all, func(term string) bool { return !holds(term) }) &&
			!slices.ContainsFunc(noneOf, holds) && (len(anyOf) == 0 || slices.ContainsFunc(anyOf, holds))
	}, nil
}

// closingQuote is the place of the first double quote without a backslash before it, or -1.
func closingQuote(s string) int {
	for i := range len(s) {
		if s[i] == '"' && (i == 0 || s[i-1] != '\\') {
			return i
		}
	}
	return -1
}
