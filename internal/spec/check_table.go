package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"streamgen/internal/diag"
)

func (d *decoder) checkTable(s *Spec, t Table) {
	single := func(name string) []string {
		if name == "" {
			return nil
		}
		return []string{name}
	}
	d.checkKeys(t, t.Origin.Path, "the table", single(t.HashKey), single(t.RangeKey), t.Origin.Keys)
	d.checkIndexes(t)
	d.checkCapacity(t)
	d.checkTTL(t)
	d.checkReplicas(s, t)
	d.checkOwnership(s, t)
	d.checkSensitive(t, t.Attributes)
}

// checkSensitive finds attributes that are to be hidden in the log, where they never are.
func (d *decoder) checkSensitive(t Table, attributes []Attribute) {
	for _, a := range attributes {
		if a.Sensitive && a.Name != t.HashKey && a.Name != t.RangeKey {
			d.report(codeInvalidValue, a.Pos, "Leave it out.", "sensitive says nothing here: of an item the log has the key alone, and attribute %s is not of it", quote(a.Name))
		}
		below := a.Attributes
		if a.Of != nil {
			below = append(slices.Clone(below), *a.Of)
		}
		d.checkSensitive(Table{}, below)
	}
}

// checkIndexes holds the indexes of a table to their rules; the names of both kinds are one set.
func (d *decoder) checkIndexes(t Table) {
	names := map[string]int{}
	unique := func(path, name string, keys map[string]diag.Position) {
		if name == "" || d.broken[join(path, "name")] {
			return
		}
		if line, ok := names[name]; ok {
			d.report(codeDuplicateItem, keys["name"], "Rename one of the two.", "the table has an index %s in line %d already", quote(name), line)
			return
		}
		names[name] = keys["name"].Line
	}
	projected := 0
	for i, g := range t.GlobalSecondaryIndexes {
		path := pathOf(t.Origin.Path, "global_secondary_index", i)
		d.checkKeys(t, path, "the index", g.HashKeys, g.RangeKeys, g.Keys)
		d.checkProjection(path, g.ProjectionType, g.NonKeyAttributes, g.Keys)
		projected += len(g.NonKeyAttributes)
		unique(path, g.Name, g.Keys)
	}
	for i, l := range t.LocalSecondaryIndexes {
		path := pathOf(t.Origin.Path, "local_secondary_index", i)
		d.checkKey(t, path, "the index", "range_key", l.RangeKey, l.Keys)
		d.checkProjection(path, l.ProjectionType, l.NonKeyAttributes, l.Keys)
		projected += len(l.NonKeyAttributes)
		unique(path, l.Name, l.Keys)
	}
	if _, set := t.Origin.Keys["range_key"]; len(t.LocalSecondaryIndexes) > 0 && !set && !d.broken[t.Origin.Path] {
		d.report(codeLocalIndex, t.Origin.Keys["local_secondary_index"], "Give the table a range_key, or use global_secondary_index.",
			"a table without a range key has no local secondary indexes")
	}
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	const mostProjected = 100
	if projected > mostProjected {
		at, set := t.Origin.Keys["global_secondary_index"]
		if !set {
			at = t.Origin.Keys["local_secondary_index"]
		}
		d.report(codeTooMany, at, fmt.Sprintf("AWS allows %d; use projection_type ALL for some.", mostProjected),
			"the indexes of the table project %d attributes in all", projected)
	}
}

// checkCapacity holds what a table is paid for to its billing mode.
func (d *decoder) checkCapacity(t Table) {
	if d.broken[join(t.Origin.Path, "billing_mode")] || t.Existing {
		return
	}
	provisioned := t.BillingMode == "PROVISIONED"
	check := func(owner string, own Capacity, scaling Autoscaling, keys map[string]diag.Position, at diag.Position) {
		for _, c := range []struct {
			key   string
			value int
		}{{"read_capacity", own.Read}, {"write_capacity", own.Write}} {
			_, set := keys[c.key]
			switch {
			case provisioned && !set:
				d.report(codeCapacity, at, "Set it, or use billing_mode PAY_PER_REQUEST.", "%s of a PROVISIONED table needs %s", owner, c.key)
			case !provisioned && set:
				d.report(codeCapacity, keys[c.key], "Remove it, or write billing_mode: PROVISIONED.", "%s has no effect with billing_mode PAY_PER_REQUEST", c.key)
			}
		}
		if at, set := keys["autoscaling"]; set && !provisioned {
			d.report(codeCapacity, at, "Remove it, or write billing_mode: PROVISIONED.", "autoscaling has no effect with billing_mode PAY_PER_REQUEST")
		}
		for name, p := range map[string]ScalingPolicy{"read": scaling.Read, "write": scaling.Write} {
			if p.MinCapacity > p.MaxCapacity && p.MaxCapacity > 0 {
				d.report(codeOutOfRange, keys["autoscaling."+name+".min_capacity"], "Write the smaller number as min_capacity.", "min_capacity %d is more than max_capacity %d", p.MinCapacity, p.MaxCapacity)
			}
		}
		if at, set := keys["on_demand_throughput"]; set && provisioned {
			d.report(codeCapacity, at, "Remove it, or use billing_mode PAY_PER_REQUEST.", "on_demand_throughput has no effect with billing_mode PROVISIONED")
		}
	}
	at, set := t.Origin.Keys["billing_mode"]
	if !set {
		at = t.Origin.Pos
	}
	check("the table", t.Capacity, t.Autoscaling, t.Origin.Keys, at)
	for _, g := range t.GlobalSecondaryIndexes {
		check("the index", g.Capacity, g.Autoscaling, g.Keys, g.Pos)
		if at, set := g.Keys["autoscaling"]; set && provisioned {
			d.warn(codeScaledIndex, at, "Use billing_mode PAY_PER_REQUEST, or expect the capacity to be scaled again after an apply.",
				"an apply sets the capacity of the index %s back to what the spec says: the AWS provider can ignore what autoscaling changed for a table, not for one index", quote(g.Name))
		}
	}
}

// checkTTL wants the time at which an item expires to be a number.
func (d *decoder) checkTTL(t Table) {
	if a, ok := t.Attribute(t.TTLAttribute); t.TTLAttribute != "" && ok && a.Type != Number {
		d.report(codeTTLType, t.Origin.Keys["ttl.attribute_name"], "Give it the type N: the second since 1970.", "the attribute %s, by which items expire, has the type %s", quote(a.Name), a.Type)
	}
}

// checkReplicas holds to what a global table needs.
func (d *decoder) checkReplicas(s *Spec, t Table) {
	if len(t.Replicas) == 0 {
		return
	}
	if view, set := t.Origin.Keys["stream_view_type"]; t.StreamViewType != "NEW_AND_OLD_IMAGES" && !d.broken[join(t.Origin.Path, "stream_view_type")] {
		if !set {
			view = t.Origin.Keys["replica"]
		}
		d.report(codeReplica, view, "Write stream_view_type: NEW_AND_OLD_IMAGES.", "a table with replicas needs a stream with new and old images")
	}
	seen := map[string]bool{s.Region: true}
	for _, r := range t.Replicas {
		if seen[r.RegionName] && r.RegionName != "" {
			d.report(codeReplica, r.Keys["region_name"], "Write each other region once.", "the table is in %s already", r.RegionName)
		}
		seen[r.RegionName] = true
	}
	strong := slices.DeleteFunc(slices.Clone(t.Replicas), func(r Replica) bool { return r.ConsistencyMode != "STRONG" })
	if n := len(strong); n > 0 && (n != len(t.Replicas) || n != 2) {
		d.report(codeReplica, strong[0].Keys["consistency_mode"], "Write it for both of two replicas, or for none.",
			"strong consistency needs a table in three regions, with consistency_mode STRONG for both replicas")
		return
	}
	if len(strong) > 0 && !inOneRegionSet(slices.Collect(maps.Keys(seen))) {
		d.report(codeReplica, strong[0].Keys["consistency_mode"], "Choose the three regions from one of: "+strings.Join(regionSets(), "; ")+".",
			"strong consistency needs all three regions in one of AWS's Region sets, not %s", strings.Join(slices.Sorted(maps.Keys(seen)), ", "))
	}
}

// regionSets are the Region sets of global tables with strong consistency.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html#V2globaltables_HowItWorks.consistency-modes.mrsc
func regionSets() []string {
	return []string{
		"us-east-1, us-east-2, us-west-2", "eu-central-1, eu-west-1, eu-west-2, eu-west-3", "ap-northeast-1, ap-northeast-2, ap-northeast-3",
	}
}

func inOneRegionSet(regions []string) bool {
	return slices.ContainsFunc(regionSets(), func(set string) bool {
		return !slices.ContainsFunc(regions, func(region string) bool { return !slices.Contains(strings.Split(set, ", "), region) })
	})
}

// checkOwnership holds to what can be said of a table that others own, of one that is adopted and of one that was renamed.
func (d *decoder) checkOwnership(s *Spec, t Table) {
	keys := t.Origin.Keys
	if t.Existing {
		allowed := []string{"existing", "name", "stream_arn", "hash_key", "range_key", "attributes", "stream_view_type", "global_secondary_index", "server_side_encryption"}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if top, _, nested := strings.Cut(key, "."); !nested && !slices.Contains(allowed, top) {
				d.report(codeExisting, keys[key], "Remove it: streamgen reads the table and never changes it.", "%s cannot be set for an existing table", key)
			}
		}
	} else if at, set := keys["stream_arn"]; set {
		d.report(codeExisting, at, "Add existing: true, or remove it.", "stream_arn is for existing tables")
	}
	if t.RenamedFrom == "" {
		return
	}
	if _, still := s.Table(t.RenamedFrom); still {
		d.report(codeRenamed, keys["renamed_from"], "Remove renamed_from, or the old entry.", "the table %s, which this one was renamed from, is still in the spec", quote(t.RenamedFrom))
	}
	if _, named := keys["name"]; !named {
		d.report(codeRenamed, keys["renamed_from"], fmt.Sprintf("AWS cannot rename a table: add name: %s, so that it stays the table that it is.", clip(t.RenamedFrom)),
			"the renamed table %s would be replaced", quote(t.Name))
	}
}

func (d *decoder) checkKeys(t Table, path, owner string, hash, ranges []string, keys map[string]diag.Position) {
	seen := map[string]bool{}
	for i, name := range slices.Concat(hash, ranges) {
		key := "hash_key"
		if i >= len(hash) {
			key = "range_key"
		}
		d.checkKey(t, path, owner, key, name, keys)
		if name != "" && seen[name] {
			d.report(codeSameKeys, keys[key], "Remove "+key+", or choose another attribute.", "the range key of %s is its hash key", owner)
		}
		seen[name] = true
	}
}

func (d *decoder) checkKey(t Table, path, owner, key, name string, keys map[string]diag.Position) {
	attributes := join(t.Origin.Path, "attributes")
	if name == "" || d.broken[join(path, key)] {
		return
	}
	a, ok := t.Attribute(name)
	if !ok {
		if d.broken[attributes] {
			return
		}
		var names []string
		for _, a := range t.Attributes {
			names = append(names, a.Name)
		}
		detail := fmt.Sprintf("Add it to attributes with its type, such as %s: S.", clip(name))
		if near := nearest(name, names); near != "" {
			detail = fmt.Sprintf("Did you mean %s?", clip(near))
		}
		d.report(codeUnknownAttribute, keys[key], detail, "the %s of %s, %s, is not among the table's attributes", key, owner, quote(name))
		return
	}
	switch a.Type {
	case String, Number, Binary:
		if a.Optional {
			d.report(codeKeyType, keys[key], "Remove optional: every item has its keys.", "the %s of %s, %s, is optional", key, owner, quote(name))
		}
	default:
		if !d.broken[join(attributes, name)] {
			d.report(codeKeyType, keys[key], "A key is S, N or B.", "the %s of %s, %s, has the type %s", key, owner, quote(name), a.Type)
		}
	}
}

func (d *decoder) checkProjection(path, projection string, attributes []string, keys map[string]diag.Position) {
	at, set := keys["non_key_attributes"]
	include := projection == "INCLUDE"
	switch {
	case d.broken[join(path, "projection_type")], d.broken[join(path, "non_key_attributes")]:
	case include && !set:
		d.report(codeProjection, keys["projection_type"], "List the attributes to project in non_key_attributes.",
			"projection_type INCLUDE needs non_key_attributes")
	case !include && set:
		d.report(codeProjection, at, "Write projection_type: INCLUDE, or remove non_key_attributes.",
			"non_key_attributes has no effect with projection_type %s", projection)
	}
	seen := map[string]bool{}
	for _, name := range attributes {
		if name != "" && seen[name] {
			d.report(codeDuplicateItem, at, "Remove one of the two.", "non_key_attributes lists %s twice", quote(name))
		}
		seen[name] = true
	}
}
