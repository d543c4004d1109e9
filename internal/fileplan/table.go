package fileplan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// Table is the view of a table's terraform file.
type Table struct {
	spec.Table
	arguments
	scope
	// Local is the name of the table's resources in terraform.
	Local string
	// Foreign is set for a table of another stack.
	Foreign bool
}

func newTable(s scope, t spec.Table) Table {
	local := LocalName(t.Name)
	return Table{Table: t, arguments: newArguments(s.Spec, "table", t.Origin.Path, local), scope: s, Local: local}
}

// StreamOnly is set for a table of which nothing but its stream is known.
func (t Table) StreamOnly() bool { return t.StreamARN != "" }

// AWSName is the table's name in AWS. A table that others own has no prefix of ours; of a stream the name stands in its ARN.
func (t Table) AWSName() any {
	if _, table, ok := strings.Cut(t.StreamARN, ":table/"); ok {
		name, _, _ := strings.Cut(table, "/")
		return name
	}
	if t.Existing {
		return t.TableName
	}
	return t.Prefixed(t.TableName)
}

// LookedUp reports whether the table is made elsewhere: by others, or by another stack.
func (t Table) LookedUp() bool { return t.Existing || t.Foreign }

// address is where the table stands in terraform: a resource, or a data source for a table that is looked up.
func (t Table) address() string {
	if t.LookedUp() {
		return "data.aws_dynamodb_table." + t.Local
	}
	return "aws_dynamodb_table." + t.Local
}

// ARN is the table's ARN; a table of which only the stream is known has none.
func (t Table) ARN() Expression { return Expression(t.address() + ".arn") }

// NameReference is the table's name as terraform knows it.
func (t Table) NameReference() Expression { return Expression(t.address() + ".name") }

// Stream is the ARN of the table's stream.
func (t Table) Stream() any {
	if t.StreamOnly() {
		return t.StreamARN
	}
	return Expression(t.address() + ".stream_arn")
}

// NameValue is the table's name for a function's environment.
func (t Table) NameValue() any {
	if t.StreamOnly() {
		return t.TableName
	}
	return t.NameReference()
}

// DeletionProtectionEnabled is an expression: an environment may take the protection away, never add it.
func (t Table) DeletionProtectionEnabled() any {
	const key = "deletion_protection_enabled"
	switch {
	case t.Varies(key):
		return Expression("var.deletion_protection_enabled && ") + t.Var(key)
	case t.DeletionProtection:
		return Expression("var.deletion_protection_enabled")
	default:
		return false
	}
}

// Settings are the arguments that not every table has.
func (t Table) Settings() []Argument {
	var list []Argument
	if t.RangeKey != "" {
		list = append(list, Argument{"range_key", t.RangeKey})
	}
	list = t.capacity(list, "read_capacity", t.Capacity.Read)
	list = t.capacity(list, "write_capacity", t.Capacity.Write)
	return t.unless(list, "table_class", "table_class", t.TableClass, "STANDARD")
}

func (t Table) capacity(list []Argument, key string, value int) []Argument {
	return t.unless(list, key, key, value, 0)
}

// IndexedAttributes are the attributes that are a key of the table or of an index, sorted by name. The provider
// must be told of these and of no others.
func (t Table) IndexedAttributes() []spec.Attribute {
	keys := map[string]bool{t.HashKey: true, t.RangeKey: true}
	for _, g := range t.GlobalSecondaryIndexes {
		for _, name := range slices.Concat(g.HashKeys, g.RangeKeys) {
			keys[name] = true
		}
	}
	for _, l := range t.LocalSecondaryIndexes {
		keys[l.RangeKey] = true
	}
	var indexed []spec.Attribute
	for _, a := range t.Attributes {
		if keys[a.Name] {
			indexed = append(indexed, a)
		}
	}
	slices.SortFunc(indexed, func(a, b spec.Attribute) int { return cmp.Compare(a.Name, b.Name) })
	return indexed
}

// Block is a nested block of arguments, there once or, with ForEach, once for each of a list's elements.
type Block struct {
	Name      string
	ForEach   Expression
	Arguments []Argument
	Blocks    []Block
}

// Blocks are the table's nested blocks after its attributes.
func (t Table) Blocks() []Block {
	var blocks []Block
	for _, g := range t.GlobalSecondaryIndexes {
		blocks = append(blocks, globalIndex(g))
	}
	for _, l := range t.LocalSecondaryIndexes {
		b := Block{Name: "local_secondary_index", Arguments: []Argument{
			{"name", l.Name}, {"range_key", l.RangeKey}, {"projection_type", l.ProjectionType},
		}}
		if len(l.NonKeyAttributes) > 0 {
			b.Arguments = append(b.Arguments, Argument{"non_key_attributes", l.NonKeyAttributes})
		}
		blocks = append(blocks, b)
	}
	if t.TTLAttribute != "" {
		blocks = append(blocks, Block{Name: "ttl", Arguments: []Argument{{"attribute_name", t.TTLAttribute}, {"enabled", t.TTLEnabled}}})
	}
	blocks = append(blocks, t.recovery())
	_, said := t.Origin.Keys["server_side_encryption"] // the provider leaves a table as it is that has no block
	if said || t.ServerSideEncryption || t.Varies("server_side_encryption.enabled") || t.Varies("server_side_encryption.kms_key_arn") {
		b := Block{Name: "server_side_encryption", Arguments: []Argument{{"enabled", t.Arg("server_side_encryption.enabled", t.ServerSideEncryption)}}}
		b.Arguments = t.unless(b.Arguments, "kms_key_arn", "server_side_encryption.kms_key_arn", t.KMSKeyARN, "")
		blocks = append(blocks, b)
	}
	blocks = t.pair(blocks, "on_demand_throughput", "max_read_request_units", t.OnDemandThroughput.MaxReadRequestUnits,
		"max_write_request_units", t.OnDemandThroughput.MaxWriteRequestUnits)
	blocks = t.pair(blocks, "warm_throughput", "read_units_per_second", t.WarmThroughput.ReadUnitsPerSecond,
		"write_units_per_second", t.WarmThroughput.WriteUnitsPerSecond)
	return append(blocks, t.replicas()...)
}

// recovery is the block that says whether the table has continuous backups.
func (t Table) recovery() Block {
	const period = "point_in_time_recovery.recovery_period_in_days"
	b := Block{Name: "point_in_time_recovery", Arguments: []Argument{{"enabled", t.Arg("point_in_time_recovery.enabled", t.PointInTimeRecovery)}}}
	switch {
	case t.Varies(period):
		b.Arguments = append(b.Arguments, Argument{"recovery_period_in_days", t.Var(period)})
	case t.PointInTimeRecovery: // the provider keeps an old value of what is not set
		b.Arguments = append(b.Arguments, Argument{"recovery_period_in_days", cmp.Or(t.RecoveryPeriodInDays, 35)})
	}
	return b
}

// pair adds a block of two numbers of which zero stands for not set.
func (t Table) pair(blocks []Block, name, first string, a int, second string, b int) []Block {
	block := Block{Name: name}
	if t.Varies(name + ".") {
		block.ForEach = Expression(fmt.Sprintf("%s == null && %s == null ? [] : [true]", t.Var(name+"."+first), t.Var(name+"."+second)))
	}
	block.Arguments = t.unless(nil, first, name+"."+first, a, 0)
	block.Arguments = t.unless(block.Arguments, second, name+"."+second, b, 0)
	if len(block.Arguments) == 0 {
		return blocks
	}
	return append(blocks, block)
}

func (t Table) replicas() []Block {
	if t.Varies("replica") {
		names := []string{"region_name", "kms_key_arn", "point_in_time_recovery", "deletion_protection_enabled", "propagate_tags", "consistency_mode"}
		b := Block{Name: "replica", ForEach: t.Var("replica")}
		for _, name := range names {
			b.Arguments = append(b.Arguments, Argument{name, Expression("replica.value." + name)})
		}
		b.Arguments[3].Value = Expression("var.deletion_protection_enabled && replica.value.deletion_protection_enabled")
		return []Block{b}
	}
	var blocks []Block
	for _, r := range t.Replicas {
		b := Block{Name: "replica", Arguments: []Argument{{"region_name", r.RegionName}}}
		if r.KMSKeyARN != "" {
			b.Arguments = append(b.Arguments, Argument{"kms_key_arn", r.KMSKeyARN})
		}
		if r.PointInTimeRecovery {
			b.Arguments = append(b.Arguments, Argument{"point_in_time_recovery", true})
		}
		protection := any(false)
		if r.DeletionProtection {
			protection = Expression("var.deletion_protection_enabled")
		}
		b.Arguments = append(b.Arguments, Argument{"deletion_protection_enabled", protection})
		if r.PropagateTags {
			b.Arguments = append(b.Arguments, Argument{"propagate_tags", true})
		}
		if r.ConsistencyMode == "STRONG" {
			b.Arguments = append(b.Arguments, Argument{"consistency_mode", r.ConsistencyMode})
		}
		blocks = append(blocks, b)
	}
	return blocks
}

func globalIndex(g spec.GlobalSecondaryIndex) Block {
	b := Block{Name: "global_secondary_index", Arguments: []Argument{{"name", g.Name}, {"projection_type", g.ProjectionType}}}
	if len(g.NonKeyAttributes) > 0 {
		b.Arguments = append(b.Arguments, Argument{"non_key_attributes", g.NonKeyAttributes})
	}
	b.Arguments = set(b.Arguments, "read_capacity", g.Capacity.Read)
	b.Arguments = set(b.Arguments, "write_capacity", g.Capacity.Write)
	for _, name := range g.HashKeys {
		b.Blocks = append(b.Blocks, keyElement(name, "HASH"))
	}
	for _, name := range g.RangeKeys {
		b.Blocks = append(b.Blocks, keyElement(name, "RANGE"))
	}
	onDemand := set(set(nil, "max_read_request_units", g.OnDemandThroughput.MaxReadRequestUnits),
		"max_write_request_units", g.OnDemandThroughput.MaxWriteRequestUnits)
	if len(onDemand) > 0 {
		b.Blocks = append(b.Blocks, Block{Name: "on_demand_throughput", Arguments: onDemand})
	}
	warm := set(set(nil, "read_units_per_second", g.WarmThroughput.ReadUnitsPerSecond),
		"write_units_per_second", g.WarmThroughput.WriteUnitsPerSecond)
	if len(warm) > 0 {
		b.Blocks = append(b.Blocks, Block{Name: "warm_throughput", Arguments: warm})
	}
	return b
}

func keyElement(attribute, keyType string) Block {
	return Block{Name: "key_schema", Arguments: []Argument{{"attribute_name", attribute}, {"key_type", keyType}}}
}

// set adds a number that is not zero.
func set(list []Argument, name string, value int) []Argument {
	if value == 0 {
		return list
	}
	return append(list, Argument{name, value})
}

// IgnoredChanges are arguments that something else than terraform changes: application autoscaling.
func (t Table) IgnoredChanges() []Expression {
	var ignored []Expression
	for _, p := range t.Scalings() {
		if p.Index == "" {
			ignored = append(ignored, Expression(p.Direction+"_capacity"))
		}
	}
	return ignored
}

// Scaling is one target tracking policy of a table's or an index's capacity, and its scalable target.
// https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
type Scaling struct {
	spec.ScalingPolicy
	// Local is the name of the two resources, Direction is read or write, Index is empty for the table itself.
	Local, Direction, Index string

	table Table
}

// Scalings are the policies that the table has in any environment, table first.
func (t Table) Scalings() []Scaling {
	var list []Scaling
	add := func(index, direction string, p spec.ScalingPolicy, varies bool) {
		if p.MaxCapacity == 0 && !varies {
			return
		}
		local := t.Local + "_" + direction
		if index != "" {
			local = t.Local + "_" + LocalName(index) + "_" + direction
		}
		list = append(list, Scaling{ScalingPolicy: p, Local: local, Direction: direction, Index: index, table: t})
	}
	add("", "read", t.Autoscaling.Read, t.Varies("autoscaling.read."))
	add("", "write", t.Autoscaling.Write, t.Varies("autoscaling.write."))
	for _, g := range t.GlobalSecondaryIndexes {
		add(g.Name, "read", g.Autoscaling.Read, false)
		add(g.Name, "write", g.Autoscaling.Write, false)
	}
	return list
}

// Arg is as for the table, with the key below the policy; an index's policy is the same everywhere.
func (p Scaling) Arg(key string, literal any) any {
	if p.Index != "" {
		return literal
	}
	return p.table.Arg("autoscaling."+p.Direction+"."+key, literal)
}

// Count is the number of the policy's resources where environments differ; empty where they do not.
func (p Scaling) Count() Expression {
	if key := "autoscaling." + p.Direction + ".max_capacity"; p.Index == "" && p.table.Varies(key) {
		return p.table.Var(key) + " == null ? 0 : 1"
	}
	return ""
}

// TargetReference is an attribute of the policy's scalable target.
func (p Scaling) TargetReference(attribute string) Expression {
	index := ""
	if p.Count() != "" {
		index = "[0]"
	}
	return Expression("aws_appautoscaling_target." + p.Local + index + "." + attribute)
}

// ResourceID names what is scaled.
func (p Scaling) ResourceID() Expression {
	id := "table/${" + string(p.table.NameReference()) + "}"
	if p.Index != "" {
		id += "/index/" + p.Index
	}
	return Expression(`"` + id + `"`)
}

// Dimension and Metric are Application Auto Scaling's words for the direction.
func (p Scaling) Dimension() string {
	of := "table"
	if p.Index != "" {
		of = "index"
	}
	return "dynamodb:" + of + ":" + p.title() + "CapacityUnits"
}

// Metric is the utilisation that the policy tracks.
func (p Scaling) Metric() string { return "DynamoDB" + p.title() + "CapacityUtilization" }

func (p Scaling) title() string { return strings.ToUpper(p.Direction[:1]) + p.Direction[1:] }

// Insights is a resource that counts a table's or an index's keys.
type Insights struct {
	Local, Index string
	Mode         any
	Table        Expression
	Count        Expression
}

// ContributorInsightsOf are the table's own and those of its indexes.
func (t Table) ContributorInsightsOf() []Insights {
	var list []Insights
	const enabled, mode = "contributor_insights.enabled", "contributor_insights.mode"
	if t.ContributorInsights.Enabled || t.Varies(enabled) {
		own := Insights{Local: t.Local, Mode: t.Arg(mode, t.ContributorInsights.Mode), Table: t.NameReference()}
		if t.Varies(enabled) {
			own.Count = t.Var(enabled) + " ? 1 : 0"
		}
		list = append(list, own)
	}
	for _, g := range t.GlobalSecondaryIndexes {
		if g.ContributorInsights.Enabled {
			list = append(list, Insights{
				Local: t.Local + "_" + LocalName(g.Name), Index: g.Name, Mode: g.ContributorInsights.Mode, Table: t.NameReference(),
			})
		}
	}
	return list
}

// AccessPolicy is the table's resource policy as a document.
func (t Table) AccessPolicy() Policy {
	p := Policy{Name: t.Local + "_access"}
	for _, s := range t.ResourcePolicy {
		p.Statements = append(p.Statements, Statement{
			SID: s.SID, Actions: s.Actions, Principals: s.Principals, Conditions: conditions(s.Conditions),
			Resources: []any{t.ARN(), Expression(`"${` + string(t.ARN()) + `}/index/*"`)},
		})
	}
	return p
}

// ResourceTags are the table's own tags; those of the spec come from the provider.
func (t Table) ResourceTags() any {
	if len(t.Tags) == 0 && !t.Varies("tags") {
		return nil
	}
	return t.Arg("tags", tagObject(t.Tags))
}

func tagObject(tags []spec.Tag) Object {
	object := Object{}
	for _, tag := range tags {
		object = append(object, Argument{tag.Key, tag.Value})
	}
	return object
}

// Addresses are the table's resources in terraform, without data sources.
func (t Table) Addresses() []string {
	if t.LookedUp() {
		return nil
	}
	list := []string{"aws_dynamodb_table." + t.Local}
	for _, p := range t.Scalings() {
		list = append(list, "aws_appautoscaling_target."+p.Local, "aws_appautoscaling_policy."+p.Local)
	}
	for _, i := range t.ContributorInsightsOf() {
		list = append(list, "aws_dynamodb_contributor_insights."+i.Local)
	}
	if len(t.ResourcePolicy) > 0 {
		list = append(list, "aws_dynamodb_resource_policy."+t.Local)
	}
	return list
}
