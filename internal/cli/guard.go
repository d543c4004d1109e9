package cli

import (
	"fmt"
	"strings"

	"streamgen/internal/fileplan"
	"streamgen/internal/tf"
)

// dataKinds are the resources that hold what nobody can make again: how --allow-destroy names them, their type, and what follows the
// entry's name in theirs.
var dataKinds = []struct{ kind, resource, suffix string }{
	{"table", "aws_dynamodb_table", ""},
	{"queue", "aws_sqs_queue", "_failures"},
	{"bucket", "aws_s3_bucket", "_failures"},
}

// allowedData reads --allow-destroy: the addresses of what the user named, as table.NAME, queue.HANDLER, bucket.HANDLER or by the
// address itself.
func allowedData(flags []string) (map[string]bool, error) {
	allowed := map[string]bool{}
	for _, f := range flags {
		address, ok := dataAddress(f)
		if !ok {
			return nil, usagef("--allow-destroy %s: want table.NAME, queue.HANDLER or bucket.HANDLER", f)
		}
		allowed[address] = true
	}
	return allowed, nil
}

func dataAddress(flag string) (address string, ok bool) {
	const module = "module." + fileplan.ModuleName + "."
	kind, name, _ := strings.Cut(strings.TrimPrefix(flag, module), ".")
	for _, d := range dataKinds {
		switch {
		case name == "":
		case kind == d.kind:
			return module + d.resource + "." + fileplan.LocalName(name) + d.suffix, true
		case kind == d.resource:
			return module + d.resource + "." + name, true
		}
	}
	return "", false
}

// guardData refuses to delete or replace what holds data and the user did not name.
func guardData(p tf.Plan, allowed map[string]bool) error {
	var lost []string
	for _, c := range p.Changes {
		if flag := dataFlag(c.Address); flag != "" && (c.Action == tf.Delete || c.Action == tf.Replace) && !allowed[c.Address] {
			lost = append(lost, fmt.Sprintf("  %s of %s: allow it with --allow-destroy %s", c.Action, c.Address, flag))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("the plan destroys what holds data, with all that is in it, so nothing was done:\n%s", strings.Join(lost, "\n"))
}

// dataFlag names a resource that holds data as --allow-destroy does; empty for any other resource.
func dataFlag(address string) string {
	for _, d := range dataKinds {
		if name, found := strings.CutPrefix(address, "module."+fileplan.ModuleName+"."+d.resource+"."); found {
			return d.kind + "." + strings.TrimSuffix(name, d.suffix)
		}
	}
	return ""
}
