package engine

import (
	"maps"
	"slices"
	"strings"
)

// MaxTags is how many tags a table may have.
const MaxTags = 50

// Tags are the tags of the table with the ARN, by their keys.
func (e *Engine) Tags(arn string) (tags map[string]string, err error) {
	err = e.inspect(e.tableOf(arn), noResource(arn), func(t *table) error {
		tags = maps.Clone(t.tags)
		return nil
	})
	return tags, err
}

// ChangeTags sets and removes tags of the table with the ARN.
func (e *Engine) ChangeTags(arn string, set map[string]string, remove []string) error {
	return e.configure(e.tableOf(arn), noResource(arn), func(t *table) error {
		next := map[string]string{}
		maps.Copy(next, t.tags)
		maps.DeleteFunc(next, func(key, _ string) bool { return slices.Contains(remove, key) })
		maps.Copy(next, set)
		if len(next) > MaxTags {
			return validation("One or more parameter values were invalid: Too many tags: the limit is %d", MaxTags)
		}
		t.tags = next
		return nil
	})
}

// tableOf is the name in the ARN of a table of this account and region, else "".
func (e *Engine) tableOf(arn string) string {
	name, ours := strings.CutPrefix(arn, e.arn(""))
	if !ours {
		return ""
	}
	return name
}

func noResource(arn string) func(string) error {
	return func(string) error {
		return fail("ResourceNotFoundException", "Requested resource not found: ResourcArn: %s not found", arn)
	}
}
