package spec

import (
	"cmp"
	"slices"

	"streamgen/internal/diag"
)

// The format of version 1. Each object's fields stand in the order in which the schema and the messages list them.

var specObject = object[Spec]{
	noun: "the spec",
	keys: func(s *Spec) *map[string]diag.Position { return &s.Origin.Keys },
	place: func(s *Spec, v value) {
		s.Origin.Pos = v.keyPos
	},
	fields: []field[Spec]{
		required("version", "Version of the spec's format; 1 is the only one.",
			integer{allowed: []int{1}}, func(s *Spec) *int { return &s.Version }),
		required("project", "Name of the project. Everything that is made in AWS carries it in the tag Project.",
			projectNames, func(s *Spec) *string { return &s.Project }),
		required("region", "The AWS region that everything is made in.",
			region{}, func(s *Spec) *string { return &s.Region }),
		optional("tags", "Tags of every resource that takes tags.",
			sorted(dict[string, Tag]{
				names: tagKeys, of: tagValue{}, max: maxTags, limit: "AWS allows 50, and streamgen sets two.", form: "Write key: value pairs.",
				join: func(e entry, v string) Tag { return Tag{e.key, v} },
			}, func(t Tag) string { return t.Key }),
			func(s *Spec) *[]Tag { return &s.Tags }),
		optional("tables", "DynamoDB tables by name.",
			dict[Table, Table]{
				names: tableNames, of: tableObject, form: "Write one key per table.",
				join: func(e entry, t Table) Table { t.Name = e.key; return t },
			},
			func(s *Spec) *[]Table { return &s.Tables }),
		optional("handlers", "Lambda functions by name, each with the event source mapping that feeds it.",
			dict[Handler, Handler]{
				names: handlerNames, of: handlerObject, form: "Write one key per handler.",
				join: func(e entry, h Handler) Handler { h.Name = e.key; return h },
			},
			func(s *Spec) *[]Handler { return &s.Handlers }),
	},
}

// AWS allows 50 tags for a resource; the tag Project is one of them.
const maxTags = 48

var tableObject = object[Table]{
	noun:  "a table",
	keys:  func(t *Table) *map[string]diag.Position { return &t.Origin.Keys },
	place: func(t *Table, v value) { t.Origin.Path, t.Origin.Pos = v.path, v.keyPos },
	fields: []field[Table]{
		required("hash_key", "The attribute that is the hash (partition) key.",
			text{min: 1}, func(t *Table) *string { return &t.HashKey }),
		optional("range_key", "The attribute that is the range (sort) key.",
			text{min: 1}, func(t *Table) *string { return &t.RangeKey }),
		required("attributes", "The typed attributes of the table's items: name: type, with the types S, N, B, BOOL, SS, NS and BS.",
			dict[string, Attribute]{
				names: attributeNames, of: attributeTypes, min: 1, form: "Write name: type pairs, such as Id: S.",
				join: func(e entry, t string) Attribute { return Attribute{e.key, AttributeType(t), e.keyPos} },
			},
			func(t *Table) *[]Attribute { return &t.Attributes }),
		preset("billing_mode", "How the table is paid for.",
			billingModes, func(t *Table) *string { return &t.BillingMode }, "PAY_PER_REQUEST"),
		optional("stream_view_type", "What the records of the table's stream hold. A table without it has no stream.",
			streamViewTypes, func(t *Table) *string { return &t.StreamViewType }),
		optional("global_secondary_index", "Global secondary indexes of the table.",
			list[GlobalSecondaryIndex]{of: indexObject, max: 20, form: `Start each index with a dash, such as "- name: by-date".`},
			func(t *Table) *[]GlobalSecondaryIndex { return &t.GlobalSecondaryIndexes }),
		nested("point_in_time_recovery", "Continuous backups of the table.",
			preset("enabled", "Whether the table can be restored to any second of the last 35 days.",
				boolean{}, func(t *Table) *bool { return &t.PointInTimeRecovery }, true)),
		preset("deletion_protection_enabled", "Whether AWS refuses to delete the table.",
			boolean{}, func(t *Table) *bool { return &t.DeletionProtection }, true),
	},
}

var attributeTypes = choice{
	values: []string{"S", "N", "B", "BOOL", "SS", "NS", "BS"},
	refused: map[string]refusal{
		"M":    {codeNotSupportedYet, "(map) is not supported yet", notTyped},
		"L":    {codeNotSupportedYet, "(list) is not supported yet", notTyped},
		"NULL": {codeNotSupportedYet, "is not supported yet", notTyped},
	},
}

const notTyped = "Leave the attribute out: items may have attributes that the spec does not name."

var billingModes = choice{
	values: []string{"PAY_PER_REQUEST"},
	refused: map[string]refusal{
		"PROVISIONED": {codeNotSupportedYet, "is not supported yet", "Use PAY_PER_REQUEST, which is the default."},
	},
}

var streamViewTypes = choice{values: []string{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}}

var indexObject = object[GlobalSecondaryIndex]{
	noun:  "an index",
	keys:  func(g *GlobalSecondaryIndex) *map[string]diag.Position { return &g.Keys },
	place: func(g *GlobalSecondaryIndex, v value) { g.Pos = v.pos },
	fields: []field[GlobalSecondaryIndex]{
		required("name", "The name of the index, of 3 to 255 characters.",
			indexNames, func(g *GlobalSecondaryIndex) *string { return &g.Name }),
		required("hash_key", "The attribute that is the index's hash (partition) key.",
			text{min: 1}, func(g *GlobalSecondaryIndex) *string { return &g.HashKey }),
		optional("range_key", "The attribute that is the index's range (sort) key.",
			text{min: 1}, func(g *GlobalSecondaryIndex) *string { return &g.RangeKey }),
		preset("projection_type", "Which attributes the index holds.",
			choice{values: []string{"ALL", "KEYS_ONLY", "INCLUDE"}},
			func(g *GlobalSecondaryIndex) *string { return &g.ProjectionType }, "ALL"),
		optional("non_key_attributes", "The attributes that the index holds beside the keys, with projection_type INCLUDE.",
			list[string]{of: attributeNames, max: 20, form: "Write a list of attribute names, such as [Total, Status]."},
			func(g *GlobalSecondaryIndex) *[]string { return &g.NonKeyAttributes }),
	},
}

var handlerObject = object[Handler]{
	noun:  "a handler",
	keys:  func(h *Handler) *map[string]diag.Position { return &h.Origin.Keys },
	place: func(h *Handler, v value) { h.Origin.Path, h.Origin.Pos = v.path, v.keyPos },
	fields: []field[Handler]{
		required("table", "The table of this spec whose stream the handler reads.",
			text{min: 1}, func(h *Handler) *string { return &h.Table }),
		optional("description", "Description of the function.",
			text{max: 256}, func(h *Handler) *string { return &h.Description }),
		preset("memory_size", "Memory of the function in MB.",
			integer{min: 128, max: 10240}, func(h *Handler) *int { return &h.MemorySize }, 128),
		preset("timeout", "How many seconds one invocation may take.",
			integer{min: 1, max: 900}, func(h *Handler) *int { return &h.Timeout }, 30),
		preset("starting_position", "Where in the stream the handler begins: TRIM_HORIZON is the oldest record, LATEST the next one.",
			startingPositions, func(h *Handler) *string { return &h.StartingPosition }, "TRIM_HORIZON"),
		preset("batch_size", "How many records one invocation gets at most.",
			integer{min: 1, max: 10000}, func(h *Handler) *int { return &h.BatchSize }, 100),
		nested("environment", "The function's environment.",
			optional("variables", "Environment variables, at most 4 KB in all.",
				sorted(dict[string, Variable]{
					names: variableNames, of: text{}, form: "Write NAME: value pairs.",
					join: func(e entry, v string) Variable { return Variable{e.key, v} },
				}, func(v Variable) string { return v.Name }),
				func(h *Handler) *[]Variable { return &h.Environment })),
		nested("log_group", "The function's log group in CloudWatch Logs.",
			preset("retention_in_days", "How many days log events are kept.",
				integer{allowed: retentions}, func(h *Handler) *int { return &h.RetentionInDays }, 30)),
	},
}

var startingPositions = choice{
	values: []string{"TRIM_HORIZON", "LATEST"},
	refused: map[string]refusal{
		"AT_TIMESTAMP": {codeInvalidValue, "is for Kinesis and Kafka; Lambda refuses it for DynamoDB streams", "Use TRIM_HORIZON or LATEST."},
	},
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

// sortedDict is a dict whose order in the file means nothing.
type sortedDict[V, E any] struct {
	dict[V, E]
	by func(E) string
}

func sorted[V, E any](s dict[V, E], by func(E) string) sortedDict[V, E] {
	return sortedDict[V, E]{s, by}
}

func (s sortedDict[V, E]) decode(d *decoder, v value) []E {
	out := s.dict.decode(d, v)
	slices.SortFunc(out, func(a, b E) int { return cmp.Compare(s.by(a), s.by(b)) })
	return out
}
