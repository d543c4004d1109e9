package esm

import (
	"slices"

	"streamgen/internal/filter"
)

// MaxFilter is how many characters a filter may have.
const MaxFilter = filter.MaxPattern

// parseFilters reads a mapping's patterns.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
func parseFilters(patterns []string) ([]filter.Pattern, error) {
	const most = 10
	if len(patterns) > most {
		return nil, errorf(InvalidParameterValue, "A mapping has at most %d filters.", most)
	}
	filters := make([]filter.Pattern, len(patterns))
	for i, text := range patterns {
		var err error
		if filters[i], err = filter.ParsePattern(text); err != nil {
			return nil, errorf(InvalidParameterValue, "Invalid filter pattern definition. (%v)", err)
		}
	}
	return filters, nil
}

// wants reports whether a record is to be delivered: it matches one of the filters, or there are none.
func (p *poller) wants(r Record) bool {
	return len(p.filters) == 0 || slices.ContainsFunc(p.filters, func(f filter.Pattern) bool { return f.Match(r.JSON) })
}
