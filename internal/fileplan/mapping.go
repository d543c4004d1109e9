package fileplan

import (
	"strconv"
	"strings"

	"streamgen/internal/filter"
	"streamgen/internal/spec"
)

// Mapping is one event source mapping of a handler.
type Mapping struct {
	spec.Source
	// Local is the mapping's name in terraform.
	Local string

	handler Handler
	table   Table
}

// Mappings are the handler's event source mappings, one for each table.
func (h Handler) Mappings() []Mapping {
	list := make([]Mapping, len(h.Sources))
	for i, s := range h.Sources {
		list[i] = Mapping{Source: s, Local: h.Local + "_" + LocalName(s.Table), handler: h, table: h.tables[s.Table]}
	}
	return list
}

// varies reports whether environments override a key of the handler that the mapping does not set itself.
func (m Mapping) varies(key string) bool {
	return m.handler.Varies(key) && !setsItself(m.handler.Handler, m.Source, key)
}

// setsItself reports whether a mapping has a key, or a key below it, of its own beside the handler's.
func setsItself(h spec.Handler, s spec.Source, key string) bool {
	if s.Origin.Path == h.Origin.Path {
		return false
	}
	for set := range s.Origin.Keys {
		if set == key || strings.HasPrefix(set, key+".") {
			return true
		}
	}
	return false
}

func (m Mapping) arg(key string, literal any) any {
	if m.varies(key) {
		return m.handler.Var(key)
	}
	return literal
}

// Settings are the mapping's arguments. The provider keeps an old value of what is not set any more for
// parallelization_factor, maximum_retry_attempts and maximum_record_age_in_seconds, and cannot go back to a default
// batch_size: these are always set.
func (m Mapping) Settings() []Argument {
	list := []Argument{
		{"event_source_arn", m.table.Stream()},
		{"function_name", m.handler.Target()},
		{"starting_position", m.startingPosition()},
		{"batch_size", m.arg("batch_size", m.BatchSize)},
	}
	list = m.unless(list, "maximum_batching_window_in_seconds", m.MaximumBatchingWindow, 0)
	list = append(list, Argument{"parallelization_factor", m.arg("parallelization_factor", m.ParallelizationFactor)})
	list = m.unless(list, "bisect_batch_on_function_error", m.BisectBatchOnFunctionError, false)
	list = append(list,
		Argument{"maximum_retry_attempts", m.arg("maximum_retry_attempts", m.MaximumRetryAttempts)},
		Argument{"maximum_record_age_in_seconds", m.arg("maximum_record_age_in_seconds", m.MaximumRecordAge)},
	)
	if m.TumblingWindow > 0 {
		list = append(list, Argument{"tumbling_window_in_seconds", m.TumblingWindow})
	}
	if m.ReportBatchItemFailures {
		list = append(list, Argument{"function_response_types", []string{"ReportBatchItemFailures"}})
	}
	list = m.unless(list, "enabled", m.Enabled, true)
	if m.FilterKMSKeyARN != "" {
		list = append(list, Argument{"kms_key_arn", m.FilterKMSKeyARN})
	}
	return m.handler.tagged(list)
}

// startingPosition is the spec's, but for a stream that took the place of another: what it has had since is for the handler, and
// LATEST would skip it.
func (m Mapping) startingPosition() any {
	if m.table.NewStream {
		return "TRIM_HORIZON"
	}
	return m.arg("starting_position", m.StartingPosition)
}

// unless is an argument that is left out where its value is what terraform takes anyway.
func (m Mapping) unless(list []Argument, key string, value, standard any) []Argument {
	if value == standard && !m.varies(key) {
		return list
	}
	return append(list, Argument{key, m.arg(key, value)})
}

// Blocks are the mapping's nested blocks.
func (m Mapping) Blocks() []Block {
	var blocks []Block
	if patterns := m.FilterPatterns(); len(patterns) > 0 {
		criteria := Block{Name: "filter_criteria"}
		for _, p := range patterns {
			criteria.Blocks = append(criteria.Blocks, Block{Name: "filter", Arguments: []Argument{{"pattern", p}}})
		}
		blocks = append(blocks, criteria)
	}
	const metrics = "metrics_config"
	if m.EventCount || m.varies(metrics) {
		b := Block{Name: metrics, Arguments: []Argument{{"metrics", []string{"EventCount"}}}}
		if m.varies(metrics) {
			b.ForEach = m.handler.Var(metrics) + " ? [true] : []"
		}
		blocks = append(blocks, b)
	}
	// To take a destination away again is not possible: for no block the provider leaves the mapping as it is, and
	// for an empty ARN it crashes.
	if d, ok := m.destination(); ok {
		blocks = append(blocks, Block{Name: "destination_config", Blocks: []Block{
			{Name: "on_failure", Arguments: []Argument{{"destination_arn", d.arn}}},
		}})
	}
	return blocks
}

// DependsOn are the resources that the mapping does not refer to and needs nevertheless: the role's policy, since
// Lambda asks for the permissions when it makes the mapping and uses them until the mapping is gone, and the
// protection of a bucket.
func (m Mapping) DependsOn() []Expression {
	list := []Expression{Expression("aws_iam_role_policy." + m.handler.Local)}
	if m.OnFailure.Type == "s3" {
		for _, address := range m.handler.Bucket().Addresses()[1:] {
			list = append(list, Expression(address))
		}
	}
	return list
}

// FilterPatterns are the patterns that AWS filters by.
func (m Mapping) FilterPatterns() []string { return m.Source.FilterPatterns(m.table.Table) }

// Selection is the mapping's typed filter.
func (m Mapping) Selection() filter.Selection { return m.Source.Selection(m.table.Table) }

// sensitiveKeys are the key attributes of the mapping's table whose values the log hides, as Go literals.
func (m Mapping) sensitiveKeys() []string {
	var names []string
	for _, a := range m.table.Attributes {
		if a.Sensitive {
			names = append(names, strconv.Quote(a.Name))
		}
	}
	return names
}

// sampleKey is the key of some item of the mapping's table, as the fields of a Go literal.
func (m Mapping) sampleKey() string {
	var fields []string
	for _, name := range []string{m.table.HashKey, m.table.RangeKey} {
		a, found := m.table.Attribute(name)
		if !found {
			continue
		}
		value := `"1"`
		switch {
		case a.Type == spec.Binary:
			value = `[]byte("1")`
		case a.Type == spec.Number && a.Number != "" && a.Number != "decimal":
			value = "1"
		}
		fields = append(fields, fieldName(name)+": "+value)
	}
	return strings.Join(fields, ", ")
}
