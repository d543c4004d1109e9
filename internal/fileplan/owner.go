package fileplan

import (
	"strings"

	"streamgen/internal/spec"
)

// Owner is the entry of the spec that a resource belongs to.
type Owner struct {
	// Entry is the entry's name in the spec.
	Entry string
	// Table is the entry of the table that a mapping reads; empty for what is no mapping.
	Table string
	// Name is what the command line calls the resource, such as "table.orders", if it holds something that can be lost: data, or a
	// mapping's place in its stream. It is empty for any other resource.
	Name string
	// Origin is that of the entry; of a mapping, that of its table in the handler.
	Origin spec.Origin
}

// Owners gives the owner of every resource of a plan's files, by the resource's address in terraform without an index.
func Owners(files []File) map[string]Owner {
	owners := map[string]Owner{}
	add := func(address string, o Owner) { owners["module."+ModuleName+"."+address] = o }
	for _, f := range files {
		switch v := f.View.(type) {
		case Table:
			for _, a := range v.Addresses() {
				o := Owner{Entry: v.Name, Origin: v.Origin}
				if a == v.address() {
					o.Name = DataName("table", v.Name)
				}
				add(a, o)
			}
		case Handler:
			for _, a := range v.Addresses() {
				o := Owner{Entry: v.Name, Origin: v.Origin}
				if kind := dataKind(a, v.Local); kind != "" {
					o.Name = DataName(kind, v.Name)
				}
				add(a, o)
			}
			for _, m := range v.Mappings() {
				o := Owner{Entry: v.Name, Table: m.Table, Name: DataName("mapping", v.Name), Origin: m.Origin}
				if len(v.Sources) > 1 {
					o.Name += "/" + m.Table
				}
				add("aws_lambda_event_source_mapping."+m.Local, o)
			}
		}
	}
	return owners
}

// handlerData are the resources of a handler that hold data: the kind in their name, their type, and what follows the handler's name in
// theirs.
var handlerData = []struct{ kind, resource, suffix string }{
	{"idempotency", "aws_dynamodb_table", "_idempotency"},
	{"parking", "aws_sqs_queue", "_parked"},
	{"queue", "aws_sqs_queue", "_failures"},
	{"bucket", "aws_s3_bucket", "_failures"},
	{"log_group", "aws_cloudwatch_log_group", ""},
}

func dataKind(address, local string) string {
	for _, d := range handlerData {
		if address == d.resource+"."+local+d.suffix {
			return d.kind
		}
	}
	return ""
}

// DataKinds are the kinds of resources that hold data, as they stand in [DataName].
func DataKinds() []string {
	kinds := []string{"table"}
	for _, d := range handlerData {
		kinds = append(kinds, d.kind)
	}
	return kinds
}

// DataAddress gives the address in terraform of a resource that holds data, by its kind and entry as in [DataName]. ok is false for an
// unknown kind.
func DataAddress(kind, entry string) (address string, ok bool) {
	const module = "module." + ModuleName + "."
	if kind == "table" {
		return module + "aws_dynamodb_table." + LocalName(entry), true
	}
	for _, d := range handlerData {
		if d.kind == kind {
			return module + d.resource + "." + LocalName(entry) + d.suffix, true
		}
	}
	return "", false
}

// DataNameOf is the opposite of [DataAddress], for a resource that has no entry any more: the entry's name is as terraform has it. It is
// empty for a resource that holds no data of ours.
func DataNameOf(address string) string {
	resource, found := strings.CutPrefix(address, "module."+ModuleName+".")
	if !found {
		return ""
	}
	kind, local, _ := strings.Cut(resource, ".")
	for _, d := range handlerData {
		if entry, ends := strings.CutSuffix(local, d.suffix); ends && kind == d.resource {
			return DataName(d.kind, entry)
		}
	}
	if kind == "aws_dynamodb_table" {
		return DataName("table", local)
	}
	return ""
}
