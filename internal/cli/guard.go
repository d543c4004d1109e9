package cli

import (
	"fmt"
	"strings"

	"streamgen/internal/fileplan"
	"streamgen/internal/tf"
)

const tableType = "aws_dynamodb_table"

// allowedTables reads --allow-destroy: the terraform names of the tables that the user named, as table.NAME or by their address.
func allowedTables(flags []string) (map[string]bool, error) {
	allowed := map[string]bool{}
	for _, f := range flags {
		kind, name, found := strings.Cut(f, ".")
		if !found || name == "" || kind != "table" && kind != tableType {
			return nil, usagef("--allow-destroy %s: want table.NAME", f)
		}
		allowed[fileplan.LocalName(name)] = true
	}
	return allowed, nil
}

// guardData refuses to delete or replace tables that the user did not name: what they hold would be lost.
func guardData(p tf.Plan, allowed map[string]bool) error {
	var lost []string
	for _, c := range p.Changes {
		name, isTable := strings.CutPrefix(c.Address, tableType+".")
		if isTable && (c.Action == tf.Delete || c.Action == tf.Replace) && !allowed[name] {
			lost = append(lost, fmt.Sprintf("  %s of %s: allow it with --allow-destroy table.%s", c.Action, c.Address, name))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("the plan destroys tables and all their items, so nothing was done:\n%s", strings.Join(lost, "\n"))
}
