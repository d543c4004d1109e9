package spec

import (
	"regexp"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"streamgen/internal/diag"
)

var tableObject = object[Table]{
	noun:  "a table",
	keys:  func(t *Table) *map[string]diag.Position { return &t.Origin.Keys },
	place: func(t *Table, v value) { t.Origin.Path, t.Origin.Pos = v.path, v.keyPos },
	fields: []field[Table]{
		optional("name", "The table's name in AWS, before name_prefix; without it, the name of the entry.",
			tableNames, func(t *Table) *string { return &t.TableName }),
		required("hash_key", "The attribute that is the hash (partition) key.",
			text{min: 1}, func(t *Table) *string { return &t.HashKey }),
		optional("range_key", "The attribute that is the range (sort) key.",
			text{min: 1}, func(t *Table) *string { return &t.RangeKey }),
		required("attributes", "The typed attributes of the table's items: name: type, or name: {type, optional, attributes, of}.",
			attributeMap(), func(t *Table) *[]Attribute { return &t.Attributes }),
		preset("unknown_attributes", "What items do with attributes that the spec does not type: keep holds them as JSON in the field Extra, and writes them again.",
			choice{values: []string{"skip", "keep"}}, func(t *Table) *string { return &t.UnknownAttributes }, "skip"),
		perEnvironment(preset("billing_mode", "How the table is paid for.",
			choice{values: []string{"PAY_PER_REQUEST", "PROVISIONED"}}, func(t *Table) *string { return &t.BillingMode }, "PAY_PER_REQUEST")),
		perEnvironment(optional("read_capacity", "Read capacity units of a PROVISIONED table.",
			integer{min: 1, max: mostCapacity}, func(t *Table) *int { return &t.Capacity.Read })),
		perEnvironment(optional("write_capacity", "Write capacity units of a PROVISIONED table.",
			integer{min: 1, max: mostCapacity}, func(t *Table) *int { return &t.Capacity.Write })),
		perEnvironment(autoscaling(func(t *Table) *Autoscaling { return &t.Autoscaling })),
		perEnvironment(onDemand(func(t *Table) *OnDemandThroughput { return &t.OnDemandThroughput })),
		perEnvironment(warm(func(t *Table) *WarmThroughput { return &t.WarmThroughput })),
		perEnvironment(preset("table_class", "The storage class of the table.",
			choice{values: []string{"STANDARD", "STANDARD_INFREQUENT_ACCESS"}}, func(t *Table) *string { return &t.TableClass }, "STANDARD")),
		nested("ttl", "Expiry of items.",
			required("attribute_name", "The attribute, of type N, that holds the second since 1970 at which the item expires.",
				attributeNames, func(t *Table) *string { return &t.TTLAttribute }),
			preset("enabled", "Whether items expire.", boolean{}, func(t *Table) *bool { return &t.TTLEnabled }, true)),
		perEnvironment(nested("point_in_time_recovery", "Continuous backups of the table.",
			profiled("enabled", "Whether the table can be restored to any second of the period.",
				boolean{}, func(t *Table) *bool { return &t.PointInTimeRecovery }, true, false),
			preset("recovery_period_in_days", "How far back the table can be restored.",
				integer{min: 1, max: 35}, func(t *Table) *int { return &t.RecoveryPeriodInDays }, 35))),
		perEnvironment(nested("server_side_encryption", "Encryption with a KMS key instead of the key that DynamoDB owns.",
			optional("enabled", "Whether a KMS key is used: the account's key aws/dynamodb, or kms_key_arn.",
				boolean{}, func(t *Table) *bool { return &t.ServerSideEncryption }),
			optional("kms_key_arn", "The customer key.", kmsKeyARN, func(t *Table) *string { return &t.KMSKeyARN }))),
		perEnvironment(profiled("deletion_protection_enabled", "Whether AWS refuses to delete the table.",
			boolean{}, func(t *Table) *bool { return &t.DeletionProtection }, true, false)),
		preset("prevent_destroy", "Whether terraform refuses every plan that deletes or replaces the table.",
			boolean{}, func(t *Table) *bool { return &t.PreventDestroy }, false),
		optional("stream_view_type", "What the records of the table's stream hold. A table without it has no stream.",
			streamViewTypes, func(t *Table) *string { return &t.StreamViewType }),
		optional("global_secondary_index", "Global secondary indexes of the table.",
			list[GlobalSecondaryIndex]{of: indexObject, max: 20, form: `Start each index with a dash, such as "- name: by-date".`},
			func(t *Table) *[]GlobalSecondaryIndex { return &t.GlobalSecondaryIndexes }),
		optional("local_secondary_index", "Local secondary indexes of the table; they can only be made with the table.",
			list[LocalSecondaryIndex]{of: localIndexObject, max: 5, form: `Start each index with a dash, such as "- name: by-date".`},
			func(t *Table) *[]LocalSecondaryIndex { return &t.LocalSecondaryIndexes }),
		perEnvironment(optional("replica", "Copies of the table in other regions (a global table).",
			list[Replica]{of: replicaObject, max: 50, form: `Start each replica with a dash, such as "- region_name: eu-west-1".`},
			func(t *Table) *[]Replica { return &t.Replicas })),
		perEnvironment(insights(func(t *Table) *ContributorInsights { return &t.ContributorInsights })),
		optional("resource_policy", "Who else may use the table and its indexes.",
			list[Statement]{of: accessObject, max: 50, form: `Start each statement with a dash, such as "- principals: [...]".`},
			func(t *Table) *[]Statement { return &t.ResourcePolicy }),
		perEnvironment(optional("tags", "Tags of the table, beside those of the spec.", ownTags(), func(t *Table) *[]Tag { return &t.Tags })),
		preset("existing", "Whether the table is there and belongs to others: it is read, never made or changed.",
			boolean{}, func(t *Table) *bool { return &t.Existing }, false),
		optional("stream_arn", "The stream of an existing table of which nothing else is known.",
			matching{pattern: streamARN, what: "the ARN of a table's stream", form: "Write arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL."},
			func(t *Table) *string { return &t.StreamARN }),
		preset("import", "Whether a table that is there is adopted into terraform's state.",
			boolean{}, func(t *Table) *bool { return &t.Import }, false),
		optional("renamed_from", "The entry's name before it was renamed, so that the table stays what it is.",
			tableNames, func(t *Table) *string { return &t.RenamedFrom }),
		optional("stack", "The stack that the table is applied with: a root module and a state of its own. Without it, the main one.",
			stackNames, func(t *Table) *string { return &t.Stack }),
	},
}

// The most that AWS gives by default, per table: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const mostCapacity = 40_000

var (
	kmsKeyARN = matching{
		pattern: regexp.MustCompile(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+$`),
		what:    "the ARN of a KMS key", form: "Write arn:aws:kms:REGION:ACCOUNT:key/ID.", max: 2048,
	}
	streamARN = regexp.MustCompile(`^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[a-zA-Z0-9_.-]+/stream/.+$`)
)

func ownTags() sortedDict[string, Tag] {
	return sorted(dict[string, Tag]{
		names: tagKeys, of: tagValue{}, max: maxTags, limit: "AWS allows 50, and streamgen sets two.", form: "Write key: value pairs.",
		join: func(e entry, v string) Tag { return Tag{e.key, v} },
	}, func(t Tag) string { return t.Key })
}

// attributeShape is a type, or a map that says more of it.
type attributeShape struct{}

var attributeTypes = choice{values: []string{"S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"}, refused: map[string]refusal{
	"M": {codeMissingKey, "needs to be told what is in it", "Write {type: M, attributes: {...}} for a structure, or {type: M, of: S} for names that are data."},
	"L": {codeMissingKey, "needs to be told what is in it", "Write {type: L, of: S}, with the type of its elements."},
}}

func attributeMap() dict[Attribute, Attribute] {
	return dict[Attribute, Attribute]{
		names: attributeNames, of: attributeShape{}, min: 1, form: "Write name: type pairs, such as Id: S.",
		join: func(e entry, a Attribute) Attribute { a.Name, a.Pos = e.key, e.keyPos; return a },
	}
}

func (attributeShape) decode(d *decoder, v value) Attribute {
	if _, isMap := v.node.(*ast.MappingNode); !isMap {
		return Attribute{Type: AttributeType(attributeTypes.decode(d, v)), Pos: v.pos}
	}
	a := attributeObject().decode(d, v)
	if d.broken[v.path] || a.Type == "" {
		return a
	}
	need := func(key, detail string) {
		d.fail(v, codeMissingKey, detail, "%s of type %s needs %s", v.what, a.Type, key)
	}
	switch {
	case a.Type != Number && a.Number != "":
		need("no number", "It chooses the Go type of an N.")
	case a.Type == Map && (len(a.Attributes) > 0) == (a.Of != nil):
		need("either attributes or of", "A structure has attributes; a map whose names are data has of, the type of its values.")
	case a.Type == List && a.Of == nil:
		need("of", "Say the type of the list's elements.")
	case a.Type == List && len(a.Attributes) > 0:
		need("no attributes", "Put them into of: {type: M, attributes: {...}}.")
	case a.Type != Map && a.Type != List && (a.Of != nil || len(a.Attributes) > 0):
		need("neither attributes nor of", "These are for M and L.")
	}
	return a
}

func (attributeShape) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Ref: "#/$defs/attribute"}
}

// attributeObject is made anew for each use, since it refers to itself.
func attributeObject() object[Attribute] {
	types := choice{values: append([]string{"M", "L"}, attributeTypes.values...)}
	return object[Attribute]{
		noun: "an attribute", place: func(a *Attribute, v value) { a.Pos = v.pos },
		fields: []field[Attribute]{
			required("type", "The type.", asType{types}, func(a *Attribute) *AttributeType { return &a.Type }),
			preset("optional", "Whether the attribute may be absent; code can tell then.", boolean{}, func(a *Attribute) *bool { return &a.Optional }, false),
			preset("sensitive", "Whether the log hides the values of this attribute, which is one of the table's key.",
				boolean{}, func(a *Attribute) *bool { return &a.Sensitive }, false),
			optional("number", "The Go type of an N: decimal, without it, holds every number of DynamoDB exactly; one that int64 or float64 cannot hold is an error of its record.",
				choice{values: []string{"decimal", "int64", "float64"}}, func(a *Attribute) *string { return &a.Number }),
			{
				key: "attributes", doc: "The attributes of a map (M) that is a structure.", setDefault: func(*decoder, *Attribute) {},
				decode: func(d *decoder, v value, a *Attribute, _ keySet) { a.Attributes = attributeMap().decode(d, v) },
				schema: func() *jsonschema.Schema { return attributeMap().schema() },
			},
			{
				key: "of", doc: "The type of the elements of a list (L) or of a map (M) whose names are data.", setDefault: func(*decoder, *Attribute) {},
				decode: func(d *decoder, v value, a *Attribute, _ keySet) { of := attributeShape{}.decode(d, v); a.Of = &of },
				schema: attributeShape{}.schema,
			},
		},
	}
}

func attributeSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{attributeTypes.schema(), attributeObject().schema()}}
}

// asType is a choice whose values are attribute types.
type asType struct{ choice }

func (s asType) decode(d *decoder, v value) AttributeType {
	return AttributeType(s.choice.decode(d, v))
}

var streamViewTypes = choice{values: []string{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}}

func autoscaling[T any](in func(*T) *Autoscaling) field[T] {
	policy := func(key, doc string, in func(*T) *ScalingPolicy) field[T] {
		return nested(key, doc,
			required("min_capacity", "The least capacity.", integer{min: 1, max: mostCapacity}, func(t *T) *int { return &in(t).MinCapacity }),
			required("max_capacity", "The most capacity.", integer{min: 1, max: mostCapacity}, func(t *T) *int { return &in(t).MaxCapacity }),
			preset("target_value", "The utilisation to keep, in percent.", integer{min: 20, max: 90}, func(t *T) *int { return &in(t).TargetValue }, 70),
			preset("scale_in_cooldown", "Seconds between two steps down.", integer{min: 0, max: 86400}, func(t *T) *int { return &in(t).ScaleInCooldown }, 60),
			preset("scale_out_cooldown", "Seconds between two steps up.", integer{min: 0, max: 86400}, func(t *T) *int { return &in(t).ScaleOutCooldown }, 60))
	}
	return nested("autoscaling", "Target tracking of PROVISIONED capacity.",
		policy("read", "Read capacity.", func(t *T) *ScalingPolicy { return &in(t).Read }),
		policy("write", "Write capacity.", func(t *T) *ScalingPolicy { return &in(t).Write }))
}

func onDemand[T any](in func(*T) *OnDemandThroughput) field[T] {
	return nested("on_demand_throughput", "The most that PAY_PER_REQUEST grows to.",
		optional("max_read_request_units", "Read request units per second.", integer{min: 1, max: mostCapacity}, func(t *T) *int { return &in(t).MaxReadRequestUnits }),
		optional("max_write_request_units", "Write request units per second.", integer{min: 1, max: mostCapacity}, func(t *T) *int { return &in(t).MaxWriteRequestUnits }))
}

func warm[T any](in func(*T) *WarmThroughput) field[T] {
	// Less than these a table has anyway: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
	return nested("warm_throughput", "What the table takes at once, without growing first.",
		optional("read_units_per_second", "Read units per second.", integer{min: 12_000, max: 10_000_000}, func(t *T) *int { return &in(t).ReadUnitsPerSecond }),
		optional("write_units_per_second", "Write units per second.", integer{min: 4_000, max: 10_000_000}, func(t *T) *int { return &in(t).WriteUnitsPerSecond }))
}

func insights[T any](in func(*T) *ContributorInsights) field[T] {
	return nested("contributor_insights", "CloudWatch Contributor Insights: which keys are used most.",
		optional("enabled", "Whether keys are counted.", boolean{}, func(t *T) *bool { return &in(t).Enabled }),
		preset("mode", "Which requests are counted.", choice{values: []string{"ACCESSED_AND_THROTTLED_KEYS", "THROTTLED_KEYS"}},
			func(t *T) *string { return &in(t).Mode }, "ACCESSED_AND_THROTTLED_KEYS"))
}

var projectionTypes = choice{values: []string{"ALL", "KEYS_ONLY", "INCLUDE"}}

var indexObject = object[GlobalSecondaryIndex]{
	noun:  "an index",
	keys:  func(g *GlobalSecondaryIndex) *map[string]diag.Position { return &g.Keys },
	place: func(g *GlobalSecondaryIndex, v value) { g.Pos = v.pos },
	fields: []field[GlobalSecondaryIndex]{
		required("name", "The name of the index, of 3 to 255 characters.",
			indexNames, func(g *GlobalSecondaryIndex) *string { return &g.Name }),
		required("hash_key", "The attribute that is the index's hash (partition) key, or a list of up to four.",
			either[string]{text{min: 1}, 4}, func(g *GlobalSecondaryIndex) *[]string { return &g.HashKeys }),
		optional("range_key", "The attribute that is the index's range (sort) key, or a list of up to four.",
			either[string]{text{min: 1}, 4}, func(g *GlobalSecondaryIndex) *[]string { return &g.RangeKeys }),
		preset("projection_type", "Which attributes the index holds.",
			projectionTypes, func(g *GlobalSecondaryIndex) *string { return &g.ProjectionType }, "ALL"),
		optional("non_key_attributes", "The attributes that the index holds beside the keys, with projection_type INCLUDE.",
			list[string]{of: attributeNames, max: 20, form: "Write a list of attribute names, such as [Total, Status]."},
			func(g *GlobalSecondaryIndex) *[]string { return &g.NonKeyAttributes }),
		optional("read_capacity", "Read capacity units of the index of a PROVISIONED table.",
			integer{min: 1, max: mostCapacity}, func(g *GlobalSecondaryIndex) *int { return &g.Capacity.Read }),
		optional("write_capacity", "Write capacity units of the index of a PROVISIONED table.",
			integer{min: 1, max: mostCapacity}, func(g *GlobalSecondaryIndex) *int { return &g.Capacity.Write }),
		autoscaling(func(g *GlobalSecondaryIndex) *Autoscaling { return &g.Autoscaling }),
		onDemand(func(g *GlobalSecondaryIndex) *OnDemandThroughput { return &g.OnDemandThroughput }),
		warm(func(g *GlobalSecondaryIndex) *WarmThroughput { return &g.WarmThroughput }),
		insights(func(g *GlobalSecondaryIndex) *ContributorInsights { return &g.ContributorInsights }),
	},
}

var localIndexObject = object[LocalSecondaryIndex]{
	noun:  "an index",
	keys:  func(l *LocalSecondaryIndex) *map[string]diag.Position { return &l.Keys },
	place: func(l *LocalSecondaryIndex, v value) { l.Pos = v.pos },
	fields: []field[LocalSecondaryIndex]{
		required("name", "The name of the index, of 3 to 255 characters.", indexNames, func(l *LocalSecondaryIndex) *string { return &l.Name }),
		required("range_key", "The attribute that is the index's range (sort) key.", text{min: 1}, func(l *LocalSecondaryIndex) *string { return &l.RangeKey }),
		preset("projection_type", "Which attributes the index holds.",
			projectionTypes, func(l *LocalSecondaryIndex) *string { return &l.ProjectionType }, "ALL"),
		optional("non_key_attributes", "The attributes that the index holds beside the keys, with projection_type INCLUDE.",
			list[string]{of: attributeNames, max: 20, form: "Write a list of attribute names, such as [Total, Status]."},
			func(l *LocalSecondaryIndex) *[]string { return &l.NonKeyAttributes }),
	},
}

var replicaObject = object[Replica]{
	noun:  "a replica",
	keys:  func(r *Replica) *map[string]diag.Position { return &r.Keys },
	place: func(r *Replica, v value) { r.Pos = v.pos },
	fields: []field[Replica]{
		required("region_name", "The replica's region.", region{}, func(r *Replica) *string { return &r.RegionName }),
		optional("kms_key_arn", "A customer key of the replica's region.", kmsKeyARN, func(r *Replica) *string { return &r.KMSKeyARN }),
		profiled("point_in_time_recovery", "Continuous backups of the replica.", boolean{}, func(r *Replica) *bool { return &r.PointInTimeRecovery }, true, false),
		profiled("deletion_protection_enabled", "Whether AWS refuses to delete the replica.", boolean{}, func(r *Replica) *bool { return &r.DeletionProtection }, true, false),
		preset("propagate_tags", "Whether the replica gets the table's tags.", boolean{}, func(r *Replica) *bool { return &r.PropagateTags }, true),
		preset("consistency_mode", "How the replica follows.", choice{values: []string{"EVENTUAL", "STRONG"}}, func(r *Replica) *string { return &r.ConsistencyMode }, "EVENTUAL"),
	},
}

var (
	actionNames = matching{
		pattern: regexp.MustCompile(`^[a-z0-9-]+:[a-zA-Z*?]+$`), what: "an action of IAM", form: "Write SERVICE:Action, such as s3:PutObject.", max: 128,
	}
	statementIDs = matching{pattern: regexp.MustCompile(`^[a-zA-Z0-9]+$`), what: "letters and digits", form: "Use letters and digits.", max: 100}
	principals   = matching{
		pattern: regexp.MustCompile(`^(arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:.+|[0-9]{12})$`),
		what:    "the ARN of a role or user, or the number of an account", form: "Write arn:aws:iam::ACCOUNT:role/NAME.", max: 2048,
	}
	resourceARNs = matching{
		pattern: regexp.MustCompile(`^(arn:aws[a-z-]*:[a-z0-9-]+:.*|\*)$`), what: "an ARN", form: "Write arn:aws:SERVICE:REGION:ACCOUNT:NAME.", max: 2048,
	}
)

var conditionObject = object[Condition]{
	noun: "a condition",
	fields: []field[Condition]{
		required("test", "The condition operator, such as StringEquals.", text{min: 1, max: 64}, func(c *Condition) *string { return &c.Test }),
		required("variable", "The condition key, such as aws:PrincipalOrgID.", text{min: 1, max: 256}, func(c *Condition) *string { return &c.Variable }),
		required("values", "The values, of which one must match.", list[string]{of: text{min: 1, max: 2048}, max: 50, form: "Write a list."}, func(c *Condition) *[]string { return &c.Values }),
	},
}

// statementFields are what statements of all policies share.
func statementFields() []field[Statement] {
	return []field[Statement]{
		optional("sid", "A name for the statement.", statementIDs, func(s *Statement) *string { return &s.SID }),
		required("actions", "The actions that are allowed.", list[string]{of: actionNames, max: 100, form: "Write a list, such as [s3:PutObject]."}, func(s *Statement) *[]string { return &s.Actions }),
		optional("condition", "Conditions that must hold.", list[Condition]{of: conditionObject, max: 10, form: "Start each condition with a dash."}, func(s *Statement) *[]Condition { return &s.Conditions }),
	}
}

var accessObject = object[Statement]{
	noun: "a statement", place: func(s *Statement, v value) { s.Pos = v.pos },
	fields: append(statementFields(),
		required("principals", "Roles, users or accounts.", list[string]{of: principals, max: 50, form: "Write a list of ARNs."}, func(s *Statement) *[]string { return &s.Principals })),
}

var allowObject = object[Statement]{
	noun: "a statement", place: func(s *Statement, v value) { s.Pos = v.pos },
	fields: append(statementFields(),
		required("resources", "The ARNs that the actions are allowed on.", list[string]{of: resourceARNs, max: 100, form: "Write a list of ARNs."}, func(s *Statement) *[]string { return &s.Resources })),
}
