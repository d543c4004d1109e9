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
	var findings diag.Findings
	for address, owner := range s.owners() {
		at := slices.IndexFunc(tables, func(t spec.Table) bool {
			return len(t.LocalSecondaryIndexes) > 0 && owner.Name == fileplan.DataName("table", t.Name)
		})
		if at < 0 || remade[address] {
			continue
		}
		there, err := localIndexesOf(state, address)
		if err != nil {
			return err
		}
		findings = append(findings, changedIndexes(tables[at], there)...)
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

// localIndexesOf gives the local indexes that a table has in a state.
func localIndexesOf(state []byte, address string) (list []localIndex, err error) {
	attributes, err := tf.StateAttributes(state, address)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(attributes["local_secondary_index"])
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("reading %s in terraform's state: %w", address, err)
	}
	return list, nil
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
