// Package adopt makes entries of gen.yaml from tables that are there: [Read] asks AWS what a table is, [Table.Entry] says that in the
// keys of the spec, and [Insert] puts it into a file and leaves everything else there as it is.
package adopt

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Table is what AWS says of a table. What could not be read is nil, and Unread says why.
type Table struct {
	Description *types.TableDescription
	Backups     *types.PointInTimeRecoveryDescription
	TTL         *types.TimeToLiveDescription
	// Tags are all tags, those of AWS among them.
	Tags map[string]string
	// Insights are contributor insights that are on, by the name of the index; the table's own have the name "".
	Insights map[string]types.ContributorInsightsMode
	// Replicas are the table's copies, by region; one whose settings could not be read is nil.
	Replicas map[string]*Replica
	// ResourcePolicy reports that the table has one.
	ResourcePolicy bool
	// CustomerKeys says of each KMS key that encrypts the table or a replica whether it is the customer's, not the account's key
	// aws/dynamodb. A key that is missing is one of which that is not known.
	CustomerKeys map[string]bool
	// Unread are questions that AWS did not answer, each with what it takes.
	Unread []string
}

// Replica is what AWS says of a table's copy, in the copy's region.
type Replica struct {
	DeletionProtection, PointInTimeRecovery bool
	// KMSKeyARN is empty where the key is DynamoDB's own.
	KMSKeyARN string
}

// Entry is a table as gen.yaml has it.
type Entry struct {
	// Name is the entry's key below "tables".
	Name string
	// Keys are the entry's keys in the order of docs/spec.md; they make JSON too.
	Keys Map
	// Notes are what else there is to know of the entry, a sentence each. They stand in the YAML as comments.
	Notes []string
}

// Options say how the entry is to be written.
type Options struct {
	// Name is the entry's key, TableName the table's name in AWS without the prefix of the environment.
	Name, TableName string
	// Minimal is set for a spec with the profile minimal, which has other defaults.
	Minimal bool
	// DefaultTags are those that every resource of the project gets.
	DefaultTags map[string]string
}

// Entry says in the keys of the spec what the table is; what is as the spec has it by default is left out.
func (t Table) Entry(o Options) Entry {
	d := t.Description
	w := writer{table: t, options: o}
	w.note("take import out once the table is in terraform's state: where there is no such table, as in another environment, it fails an apply")
	w.set("import", true)
	w.unless("name", o.TableName, o.Name)
	hash, ranges := keys(d.KeySchema)
	w.set("hash_key", first(hash))
	w.unless("range_key", first(ranges), "")
	w.attributes(slices.Concat(hash, ranges))
	w.capacity()
	w.unless("table_class", tableClass(d), string(types.TableClassStandard))
	w.expiry()
	w.recovery()
	w.encryption()
	w.unless("deletion_protection_enabled", aws.ToBool(d.DeletionProtectionEnabled), !o.Minimal)
	if s := d.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		w.set("stream_view_type", string(s.StreamViewType))
	}
	w.indexes()
	w.replicas()
	if m := t.insights(""); len(m) > 0 {
		w.set("contributor_insights", m)
	}
	w.others()
	w.tags()
	for _, u := range t.Unread {
		w.note("not known: %s", u)
	}
	return Entry{Name: o.Name, Keys: w.keys, Notes: w.notes}
}

// writer collects an entry's keys.
type writer struct {
	table   Table
	options Options
	keys    Map
	notes   []string
}

func (w *writer) set(key string, value any) { w.keys = append(w.keys, Pair{key, value}) }

// unless sets a key that has not its default.
func (w *writer) unless(key string, value, preset any) {
	if value != preset {
		w.set(key, value)
	}
}

func (w *writer) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// keys splits a key schema into hash and range keys; an index may have several of each.
func keys(schema []types.KeySchemaElement) (hash, ranges []string) {
	for _, k := range schema {
		if k.KeyType == types.KeyTypeHash {
			hash = append(hash, aws.ToString(k.AttributeName))
		} else {
			ranges = append(ranges, aws.ToString(k.AttributeName))
		}
	}
	return hash, ranges
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// attributes are those whose types AWS knows: the table's own key, then those of indexes. The names of others are as far known as
// indexes and the expiry mention them.
func (w *writer) attributes(key []string) {
	d := w.table.Description
	definitions := slices.Clone(d.AttributeDefinitions)
	place := func(a types.AttributeDefinition) int {
		if i := slices.Index(key, aws.ToString(a.AttributeName)); i >= 0 {
			return i
		}
		return len(key)
	}
	slices.SortStableFunc(definitions, func(a, b types.AttributeDefinition) int { return cmp.Compare(place(a), place(b)) })
	var typed Map
	known := map[string]bool{}
	for _, a := range definitions {
		typed = append(typed, Pair{aws.ToString(a.AttributeName), string(a.AttributeType)})
		known[aws.ToString(a.AttributeName)] = true
	}
	w.set("attributes", typed)
	var mentioned []string
	mention := func(name, form string) {
		if !known[name] {
			known[name] = true
			mentioned = append(mentioned, fmt.Sprintf(form, name))
		}
	}
	if expires, attribute := w.table.expires(); expires {
		mention(attribute, "%q (N, by which items expire)")
	}
	for _, g := range d.GlobalSecondaryIndexes {
		for _, name := range nonKeys(g.Projection) {
			mention(name, "%q")
		}
	}
	for _, l := range d.LocalSecondaryIndexes {
		for _, name := range nonKeys(l.Projection) {
			mention(name, "%q")
		}
	}
	note := "AWS knows the attributes of keys alone: add to attributes what handlers use"
	if len(mentioned) > 0 {
		note += "; there are " + strings.Join(mentioned, ", ")
	}
	w.note("%s", note)
}

func nonKeys(p *types.Projection) []string {
	if p == nil {
		return nil
	}
	return p.NonKeyAttributes
}

func (t Table) provisioned() bool {
	b := t.Description.BillingModeSummary
	return b == nil || b.BillingMode == types.BillingModeProvisioned // a table from before there was another mode has none
}

func (w *writer) capacity() {
	d := w.table.Description
	if w.table.provisioned() {
		w.set("billing_mode", string(types.BillingModeProvisioned))
		w.keys = append(w.keys, capacity(d.ProvisionedThroughput)...)
		w.note("DynamoDB does not say whether Application Auto Scaling changes the capacity: if it does, write autoscaling, or an apply sets it back")
	}
	if most := onDemand(d.OnDemandThroughput); len(most) > 0 {
		w.set("on_demand_throughput", most)
	}
	if v := d.WarmThroughput; v != nil {
		w.warm("the table", aws.ToInt64(v.ReadUnitsPerSecond), aws.ToInt64(v.WriteUnitsPerSecond))
	}
}

func capacity(p *types.ProvisionedThroughputDescription) Map {
	if p == nil {
		return nil
	}
	return Map{{"read_capacity", aws.ToInt64(p.ReadCapacityUnits)}, {"write_capacity", aws.ToInt64(p.WriteCapacityUnits)}}
}

// onDemand leaves out what has no limit, which AWS says as -1.
func onDemand(o *types.OnDemandThroughput) Map {
	var m Map
	if o == nil {
		return nil
	}
	for _, unit := range []struct {
		key   string
		value *int64
	}{{"max_read_request_units", o.MaxReadRequestUnits}, {"max_write_request_units", o.MaxWriteRequestUnits}} {
		if aws.ToInt64(unit.value) > 0 {
			m = append(m, Pair{unit.key, *unit.value})
		}
	}
	return m
}

// What a table or index takes at once without any setting.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
const warmReads, warmWrites = 12_000, 4_000

// warm notes what is warm beyond that and does not set it: AWS raises it as traffic grows, and the AWS provider replaces a table that
// is warmer than what is set.
func (w *writer) warm(what string, reads, writes int64) {
	if reads > warmReads || writes > warmWrites {
		w.note("%s is warm for %d reads and %d writes a second; warm_throughput is left out, since AWS raises it by itself and terraform "+
			"would replace a table that is warmer than it says", what, reads, writes)
	}
}

func tableClass(d *types.TableDescription) string {
	if d.TableClassSummary == nil {
		return string(types.TableClassStandard)
	}
	return string(d.TableClassSummary.TableClass)
}

// expires reports whether items expire, or are about to, and by which attribute.
func (t Table) expires() (bool, string) {
	if t.TTL == nil {
		return false, ""
	}
	on := t.TTL.TimeToLiveStatus == types.TimeToLiveStatusEnabled || t.TTL.TimeToLiveStatus == types.TimeToLiveStatusEnabling
	return on, aws.ToString(t.TTL.AttributeName)
}

func (w *writer) expiry() {
	on, attribute := w.table.expires()
	if on {
		w.set("ttl", Map{{"attribute_name", attribute}})
	}
	if t := w.table.TTL; t != nil && (t.TimeToLiveStatus == types.TimeToLiveStatusEnabling || t.TimeToLiveStatus == types.TimeToLiveStatusDisabling) {
		w.note("ttl is changing right now: terraform sees a difference until AWS is done with it, within an hour")
	}
}

// recovery is left out where it could not be read.
func (w *writer) recovery() {
	b := w.table.Backups
	if b == nil {
		return
	}
	const usual = 35
	on := b.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled
	var m Map
	if preset := !w.options.Minimal; on != preset {
		m = append(m, Pair{"enabled", on})
	}
	if days := aws.ToInt32(b.RecoveryPeriodInDays); on && days != 0 && days != usual {
		m = append(m, Pair{"recovery_period_in_days", int64(days)})
	}
	if len(m) > 0 {
		w.set("point_in_time_recovery", m)
	}
}

func (w *writer) encryption() {
	s := w.table.Description.SSEDescription
	if s == nil || s.Status != types.SSEStatusEnabled && s.Status != types.SSEStatusUpdating {
		return
	}
	m := Map{{"enabled", true}}
	if key := aws.ToString(s.KMSMasterKeyArn); w.names("server_side_encryption.kms_key_arn", key) {
		m = append(m, Pair{"kms_key_arn", key})
	}
	w.set("server_side_encryption", m)
}

// names reports whether a key has to be named: the account's key aws/dynamodb must not be, or terraform sees a difference.
func (w *writer) names(where, arn string) bool {
	customer, known := w.table.CustomerKeys[arn]
	if !known && arn != "" {
		w.note("whether the key of %s is the customer's is not known: leave it out if it is the account's key aws/dynamodb", where)
	}
	return arn != "" && (customer || !known)
}

func (w *writer) indexes() {
	d := w.table.Description
	var global, local []Map
	for _, g := range d.GlobalSecondaryIndexes {
		if g.IndexStatus == types.IndexStatusDeleting {
			w.note("the index %q is left out: AWS is deleting it", aws.ToString(g.IndexName))
			continue
		}
		hash, ranges := keys(g.KeySchema)
		m := Map{{"name", aws.ToString(g.IndexName)}, {"hash_key", oneOrMore(hash)}}
		if len(ranges) > 0 {
			m = append(m, Pair{"range_key", oneOrMore(ranges)})
		}
		m = append(m, projection(g.Projection)...)
		if w.table.provisioned() {
			m = append(m, capacity(g.ProvisionedThroughput)...)
		}
		if most := onDemand(g.OnDemandThroughput); len(most) > 0 {
			m = append(m, Pair{"on_demand_throughput", most})
		}
		if v := g.WarmThroughput; v != nil {
			w.warm(fmt.Sprintf("the index %q", aws.ToString(g.IndexName)), aws.ToInt64(v.ReadUnitsPerSecond), aws.ToInt64(v.WriteUnitsPerSecond))
		}
		if on := w.table.insights(aws.ToString(g.IndexName)); len(on) > 0 {
			m = append(m, Pair{"contributor_insights", on})
		}
		global = append(global, m)
	}
	for _, l := range d.LocalSecondaryIndexes {
		_, ranges := keys(l.KeySchema)
		m := Map{{"name", aws.ToString(l.IndexName)}, {"range_key", first(ranges)}}
		local = append(local, append(m, projection(l.Projection)...))
	}
	if len(global) > 0 {
		w.set("global_secondary_index", global)
	}
	if len(local) > 0 {
		w.set("local_secondary_index", local)
	}
}

func oneOrMore(names []string) any {
	if len(names) == 1 {
		return names[0]
	}
	return names
}

func projection(p *types.Projection) Map {
	var m Map
	if p == nil {
		return nil
	}
	if p.ProjectionType != types.ProjectionTypeAll {
		m = append(m, Pair{"projection_type", string(p.ProjectionType)})
	}
	if len(p.NonKeyAttributes) > 0 {
		m = append(m, Pair{"non_key_attributes", p.NonKeyAttributes})
	}
	return m
}

func (w *writer) replicas() {
	t := w.table
	var list []Map
	for _, region := range slices.Sorted(maps.Keys(t.Replicas)) {
		m := Map{{"region_name", region}}
		if r := t.Replicas[region]; r != nil {
			if w.names("the replica in "+region, r.KMSKeyARN) {
				m = append(m, Pair{"kms_key_arn", r.KMSKeyARN})
			}
			if preset := !w.options.Minimal; r.PointInTimeRecovery != preset {
				m = append(m, Pair{"point_in_time_recovery", r.PointInTimeRecovery})
			}
			if preset := !w.options.Minimal; r.DeletionProtection != preset {
				m = append(m, Pair{"deletion_protection_enabled", r.DeletionProtection})
			}
		}
		m = append(m, Pair{"propagate_tags", false})
		if t.Description.MultiRegionConsistency == types.MultiRegionConsistencyStrong {
			m = append(m, Pair{"consistency_mode", "STRONG"})
		}
		list = append(list, m)
	}
	if len(list) > 0 {
		w.set("replica", list)
		w.note("propagate_tags is false, as terraform has it for replicas that it imports; without the key an apply copies the table's tags to them")
	}
	for _, witness := range t.Description.GlobalTableWitnesses {
		w.note("the witness in %q is left out: gen.yaml has no key for it", aws.ToString(witness.RegionName))
	}
}

func (t Table) insights(index string) Map {
	mode, on := t.Insights[index]
	if !on {
		return nil
	}
	m := Map{{"enabled", true}}
	if mode != "" && mode != types.ContributorInsightsModeAccessedAndThrottledKeys {
		m = append(m, Pair{"mode", string(mode)})
	}
	return m
}

// others notes what terraform has as resources beside the table.
func (w *writer) others() {
	if len(w.table.Insights) > 0 {
		w.note("terraform imports the table alone: the plan shows contributor insights as new, and an apply sets them to what they are")
	}
	if w.table.ResourcePolicy {
		w.note("the table has a resource policy, which stays as it is; written as resource_policy it would be terraform's")
	}
}

// reserved begin tags that AWS sets and nobody else can.
const (
	reserved   = "aws:"
	cloudStack = "aws:cloudformation:stack-name"
	projectTag = "Project"
)

// tags are those that the project does not set by itself.
func (w *writer) tags() {
	var own Map
	var changes []string
	for _, key := range slices.Sorted(maps.Keys(w.table.Tags)) {
		value := w.table.Tags[key]
		preset, isDefault := w.options.DefaultTags[key]
		switch {
		case strings.HasPrefix(strings.ToLower(key), reserved), isDefault && preset == value:
		case strings.EqualFold(key, projectTag): // the spec cannot set it
			if !isDefault {
				w.note("the tag %q is left out, and an apply removes it: the project has its own", key)
			}
		default:
			own = append(own, Pair{key, value})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.options.DefaultTags)) {
		value, has := w.table.Tags[key]
		if !has || value != w.options.DefaultTags[key] && strings.EqualFold(key, projectTag) {
			changes = append(changes, fmt.Sprintf("%s=%s", key, w.options.DefaultTags[key]))
		}
	}
	if len(own) > 0 {
		w.set("tags", own)
	}
	if len(changes) > 0 && w.table.Tags != nil {
		w.note("an apply gives the table the project's tags: %s", strings.Join(changes, ", "))
	}
	if stack := w.table.Tags[cloudStack]; stack != "" {
		w.note("CloudFormation's stack %q made the table: give it DeletionPolicy Retain there and take it out, or the stack deletes it one day", stack)
	}
}
