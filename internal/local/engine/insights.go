package engine

import (
	"maps"
	"slices"
	"time"
)

// Insights are the contributor insights of a table or index. They are described: nothing is counted.
type Insights struct {
	Enabled bool
	// Mode is "ACCESSED_AND_THROTTLED_KEYS" or "THROTTLED_KEYS".
	Mode    string
	Changed time.Time
}

// DescribedInsights are insights with what they belong to. Index is "" for a table's own; Ranged says that its key has a range
// attribute.
type DescribedInsights struct {
	Insights
	Table, Index string
	Ranged       bool
}

// ContributorInsights tells of a table's insights, or of those of one of its global indexes.
func (e *Engine) ContributorInsights(name, index string) (d DescribedInsights, err error) {
	err = e.inspect(name, noTable, func(t *table) error {
		d, err = t.insights(index)
		return err
	})
	return d, err
}

func (t *table) insights(index string) (DescribedInsights, error) {
	keys := t.schema.keys
	if index != "" {
		i := t.schema.at(index)
		if i < 0 || t.schema.indexes[i].Local {
			return DescribedInsights{}, noIndex()
		}
		keys = t.schema.indexes[i].Keys
	}
	return DescribedInsights{Insights: t.settings.Insights[index], Table: t.name, Index: index, Ranged: hashLength(keys) < len(keys)}, nil
}

// SetContributorInsights turns insights on, in a mode, or off. Those that are as asked stay as they are.
func (e *Engine) SetContributorInsights(name, index string, enabled bool, mode string) (d DescribedInsights, err error) {
	err = e.configure(name, noTable, func(t *table) error {
		if d, err = t.insights(index); err != nil {
			return err
		}
		if !enabled {
			mode = ""
		}
		if d.Enabled == enabled && d.Mode == mode {
			return nil
		}
		d.Insights = Insights{Enabled: enabled, Mode: mode, Changed: e.options.Clock.Now()}
		t.settings.Insights = cloned(t.settings.Insights)
		t.settings.Insights[index] = d.Insights
		return nil
	})
	return d, err
}

// ListContributorInsights gives the insights that were ever turned on, by table and index; name, a table's unless "", narrows them.
func (e *Engine) ListContributorInsights(name string) (all []DescribedInsights, err error) {
	e.mu.RLock()
	tables := slices.Sorted(maps.Keys(e.tables))
	e.mu.RUnlock()
	if name != "" {
		tables = []string{name}
	}
	for _, of := range tables {
		err := e.inspect(of, noTable, func(t *table) error {
			for _, index := range slices.Sorted(maps.Keys(t.settings.Insights)) {
				d, err := t.insights(index)
				if err != nil {
					return err
				}
				all = append(all, d)
			}
			return nil
		})
		if err != nil && name != "" {
			return nil, err
		}
	}
	return all, nil
}
