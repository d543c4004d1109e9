package logs

import (
	"regexp"
	"slices"
	"unicode/utf8"

	"streamgen/internal/local/control"
)

const groupPattern, streamPattern = `[\.\-_/#A-Za-z0-9]+`, `[^:*]*`

var (
	groupName  = regexp.MustCompile(`^` + groupPattern + `$`)
	streamName = regexp.MustCompile(`^` + streamPattern + `$`)
)

func checkGroupName(name string) error {
	return checkName("logGroupName", name, groupName, groupPattern)
}

func checkStreamName(name string) error {
	return checkName("logStreamName", name, streamName, streamPattern)
}

func checkName(member, name string, matches *regexp.Regexp, pattern string) error {
	broken := func(constraint string) error {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", name, member, constraint)
	}
	switch {
	case name == "":
		return broken("Member must have length greater than or equal to 1")
	case utf8.RuneCountInString(name) > 512:
		return broken("Member must have length less than or equal to 512")
	case !matches.MatchString(name):
		return broken("Member must satisfy regular expression pattern: " + pattern)
	}
	return nil
}

// checkLimit gives the limit, or the greatest one when none is given.
func checkLimit(limit *int, greatest int) (int, error) {
	if limit == nil {
		return greatest, nil
	}
	if *limit < 1 || *limit > greatest {
		return 0, invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", *limit, greatest)
	}
	return *limit, nil
}

func checkTags(tags map[string]string) error {
	if len(tags) > control.MaxTags {
		return invalid("A resource can have %d tags.", control.MaxTags)
	}
	for key, value := range tags {
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 {
			return invalid("The tag key %q must have 1 to 128 characters.", key)
		}
		if utf8.RuneCountInString(value) > 256 {
			return invalid("The value of tag %q must have at most 256 characters.", key)
		}
	}
	return nil
}

// checkRetention refuses what is none of the periods that a retention policy may have.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
func checkRetention(days int) error {
	allowed := []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	if !slices.Contains(allowed, days) {
		return invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v", days, allowed)
	}
	return nil
}

// page gives the part of an ordered list that follows the item which token names.
func page[T any](all []T, token string, limit int, name func(T) string) (items []T, next string, err error) {
	if token != "" {
		last := slices.IndexFunc(all, func(item T) bool { return name(item) == token })
		if last < 0 {
			return nil, "", badToken()
		}
		all = all[last+1:]
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], name(all[limit-1]), nil
}

func badToken() error { return invalid("The specified nextToken is invalid.") }
