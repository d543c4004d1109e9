package engine

import (
	"maps"
	"slices"
)

// MaxTags is how many tags a table may have.
const MaxTags = 50

// Tags are the tags of the table with the ARN, by their keys.
func (e *Engine) Tags(arn string) (tags map[string]string, err error) {
	err = e.inspect(arn, noResource(arn), func(t *table) error {
		tags = maps.Clone(t.settings.Tags)
		return nil
	})
	return tags, err
}

// ChangeTags sets and removes tags of the table with the ARN.
func (e *Engine) ChangeTags(arn string, set map[string]string, remove []string) error {
	missing := noResource(arn)
	if set == nil {
		missing = noItems // as it is said of removing tags
	}
	return e.configure(arn, missing, func(t *table) error {
		next := cloned(t.settings.Tags)
		maps.DeleteFunc(next, func(key, _ string) bool { return slices.Contains(remove, key) })
		maps.Copy(next, set)
		if len(next) > MaxTags {
			return validation("One or more parameter values were invalid: Too many tags: the limit is %d", MaxTags)
		}
		t.settings.Tags = next
		return nil
	})
}
