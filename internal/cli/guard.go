package cli

import (
	"fmt"
	"strings"

	"streamgen/internal/tf"
)

// guardData refuses to delete or replace tables that the user did not name: what they hold would be lost.
func guardData(p tf.Plan, allowed []string) error {
	may := map[string]bool{}
	for _, a := range allowed {
		kind, name, found := strings.Cut(a, ".")
		if !found || kind != "table" && kind != tableType {
			return usagef("--allow-destroy %s: want table.NAME", a)
		}
		may[resourceName(name)] = true
	}
	var lost []string
	for _, c := range p.Changes {
		name, isTable := strings.CutPrefix(c.Address, tableType+".")
		if isTable && (c.Action == tf.Delete || c.Action == tf.Replace) && !may[name] {
			lost = append(lost, fmt.Sprintf("  %s of %s: allow it with --allow-destroy table.%s", c.Action, c.Address, name))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("the plan destroys tables and all their items, so nothing was done:\n%s", strings.Join(lost, "\n"))
}

const tableType = "aws_dynamodb_table"

// resourceName is a table's name as terraform addresses have it.
func resourceName(table string) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(table)
}
