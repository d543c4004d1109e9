package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

// localIndexes refuses what the AWS provider would pass over in silence: it tells the local secondary indexes of a table apart by their names
// alone (schema "local_secondary_index" of aws_dynamodb_table in 6.34), so that another key or projection under the same name plans nothing.
func (s *session) localIndexes(ctx context.Context, p tf.Plan) error {
	tables := s.project.spec.Tables
	if !slices.ContainsFunc(tables, func(t spec.Table) bool { return len(t.LocalSecondaryIndexes) > 0 }) {
		return nil
	}
	state, err := s.terraform.State(ctx)
	if err != nil {
		return s.explain(err)
	}
	remade := map[string]bool{}
	for _, c := range p.Changes {
		remade[c.Address] = c.Action == tf.Replace
	}
	there, err := localIndexesOf(state)
	if err != nil {
		return err
	}
	var findings diag.Findings
	for address, owner := range s.owners() {
		at := slices.IndexFunc(tables, func(t spec.Table) bool { return owner.Name == fileplan.DataName("table", t.Name) })
		if at >= 0 && !remade[address] {
			findings = append(findings, changedIndexes(tables[at], there[address])...)
		}
	}
	if len(findings) == 0 {
		return nil
	}
	return findingsError{findings: findings.Sorted(), sources: s.sources, code: ExitInput, as: findingsText, summary: "nothing was done"}
}

// localIndex is an index as the state has it.
type localIndex struct {
	Name             string   `json:"name"`
	RangeKey         string   `json:"range_key"`
	ProjectionType   string   `json:"projection_type"`
	NonKeyAttributes []string `json:"non_key_attributes"`
}

// localIndexesOf gives the local indexes of the tables of a state, by the tables' addresses.
func localIndexesOf(state []byte) (map[string][]localIndex, error) {
	if len(state) == 0 {
		return nil, nil
	}
	var all struct {
		Resources []struct {
			Module, Type, Name string
			Instances          []struct{ Attributes json.RawMessage }
		}
	}
	if err := json.Unmarshal(state, &all); err != nil {
		return nil, fmt.Errorf("reading terraform's state: %w", err)
	}
	tables := map[string][]localIndex{}
	for _, r := range all.Resources {
		if r.Type != "aws_dynamodb_table" {
			continue
		}
		for _, instance := range r.Instances {
			var table struct {
				Indexes []localIndex `json:"local_secondary_index"`
			}
			if err := json.Unmarshal(instance.Attributes, &table); err != nil {
				return nil, fmt.Errorf("reading %s in terraform's state: %w", r.Name, err)
			}
			address := strings.Join([]string{r.Module, r.Type, r.Name}, ".")
			tables[address] = append(tables[address], table.Indexes...)
		}
	}
	return tables, nil
}

// changedIndexes finds the indexes of a table whose definition is another under the same name.
func changedIndexes(t spec.Table, there []localIndex) (findings diag.Findings) {
	for _, want := range t.LocalSecondaryIndexes {
		at := slices.IndexFunc(there, func(ix localIndex) bool { return ix.Name == want.Name })
		if at < 0 {
			continue
		}
		have := there[at]
		add := func(key, is string) {
			pos, set := want.Keys[key]
			if !set {
				pos = want.Pos
			}
			findings = append(findings, diag.Finding{
				Code: "local-index-changed", Severity: diag.Error, Pos: pos,
				Summary: fmt.Sprintf("the local secondary index %s of the table %s has %s %s, and terraform would leave it so", want.Name, t.Name, key, is),
				Detail:  "An index cannot be changed. Under another name it is a new one, for which the table is made anew, which is refused until it is named.",
			})
		}
		if have.RangeKey != want.RangeKey {
			add("range_key", have.RangeKey)
		}
		if have.ProjectionType != want.ProjectionType {
			add("projection_type", have.ProjectionType)
		}
		if !slices.Equal(slices.Sorted(slices.Values(have.NonKeyAttributes)), slices.Sorted(slices.Values(want.NonKeyAttributes))) {
			add("non_key_attributes", "["+strings.Join(have.NonKeyAttributes, ", ")+"]")
		}
	}
	return findings
}
