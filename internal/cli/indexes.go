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

// indexes compares the spec's indexes with the state where the AWS provider, as of 6.34, passes a change over in silence. It tells local
// indexes apart by their names alone, so that another key or projection under the same name plans nothing: that is refused. And a table whose
// last global index leaves the spec keeps it, which is told. (Schema and diff of aws_dynamodb_table.)
func (s *session) indexes(ctx context.Context, p tf.Plan) error {
	tables := s.project.spec.Tables
	if !slices.ContainsFunc(tables, func(t spec.Table) bool { return len(t.LocalSecondaryIndexes) > 0 || len(t.GlobalSecondaryIndexes) == 0 }) {
		return nil
	}
	state, err := s.terraform.State(ctx)
	if err != nil {
		return s.explain(err)
	}
	attributes, err := tf.StateAttributes(state, "aws_dynamodb_table")
	if err != nil {
		return err
	}
	byName := make(map[string]spec.Table, len(tables))
	for _, t := range tables {
		byName[fileplan.DataName("table", t.Name)] = t
	}
	remade := map[string]bool{}
	for _, c := range p.Changes {
		remade[c.Address] = c.Action == tf.Replace
	}
	var refused, told diag.Findings
	for address, owner := range s.owners() {
		t, isTable := byName[owner.Name]
		if !isTable || remade[address] {
			continue
		}
		there, err := indexesOf(attributes[address])
		if err != nil {
			return fmt.Errorf("reading %s in terraform's state: %w", address, err)
		}
		refused = append(refused, changedIndexes(t, there.Local)...)
		if len(t.GlobalSecondaryIndexes) == 0 { // otherwise it sees what is missing
			told = append(told, keptIndexes(there, owner.Origin.Pos)...)
		}
	}
	if err := findingsText.write(s.std, told.Sorted(), s.sources); err != nil || len(refused) == 0 {
		return err
	}
	return findingsError{findings: refused.Sorted(), sources: s.sources, code: ExitInput, as: findingsText, summary: "nothing was done"}
}

// heldIndexes are the indexes of a table as the state has them.
type heldIndexes struct {
	Table  string      `json:"name"`
	Local  []heldIndex `json:"local_secondary_index"`
	Global []heldIndex `json:"global_secondary_index"`
}

type heldIndex struct {
	Name             string   `json:"name"`
	RangeKey         string   `json:"range_key"`
	ProjectionType   string   `json:"projection_type"`
	NonKeyAttributes []string `json:"non_key_attributes"`
}

// indexesOf gives the indexes among a table's attributes in a state; a table that is not there has none.
func indexesOf(attributes json.RawMessage) (there heldIndexes, err error) {
	if attributes == nil {
		return there, nil
	}
	return there, json.Unmarshal(attributes, &there)
}

// keptIndexes tells of the global indexes of a table that has none in the spec.
func keptIndexes(there heldIndexes, pos diag.Position) (findings diag.Findings) {
	for _, ix := range there.Global {
		findings = append(findings, diag.Finding{
			Code: "global-index-kept", Severity: diag.Warning, Pos: pos,
			Summary: fmt.Sprintf("the table %s keeps its global secondary index %s: terraform does not take away a table's last one", there.Table, ix.Name),
			Detail: fmt.Sprintf("It costs as before. To remove it: aws dynamodb update-table --table-name %s --global-secondary-index-updates 'Delete={IndexName=%s}'",
				there.Table, ix.Name),
		})
	}
	return findings
}

// changedIndexes finds the indexes of a table whose definition is another under the same name.
func changedIndexes(t spec.Table, there []heldIndex) (findings diag.Findings) {
	for _, want := range t.LocalSecondaryIndexes {
		at := slices.IndexFunc(there, func(ix heldIndex) bool { return ix.Name == want.Name })
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
