package judge

import (
	"fmt"
	"maps"
	"slices"
)

// destroyed is about whatever holds data and goes, whole: nothing brings it back but a backup. A type of which nothing is known counts
// as one that holds data.
func destroyed(c *change) []Finding {
	if c.action != Delete && c.action != Replace {
		return nil
	}
	h, holds, known := held(c.kind())
	if known && !holds || c.kept() {
		return nil
	}
	code, does := "data-destroyed", "destroys"
	if c.action == Replace && !c.oldLives {
		code = "data-replaced"
	}
	if c.oldLives {
		code, does = "data-left-behind", "leaves behind, unmanaged,"
	}
	summary := fmt.Sprintf("%s %s", does, h.what)
	if !known {
		code, summary = "type-unknown", fmt.Sprintf("%s a resource of type %s, of which is not known what it holds", does, c.kind())
	}
	if c.action == Replace {
		summary += ", and makes a new one"
	}
	f := c.entire(Data, code, High, summary).because(c.why(), c.order())
	if c.destroys() {
		f = f.because(h.note, c.backup()).because(c.protection())
	}
	return []Finding{f.guarded("")}
}

// kept reports whether AWS keeps what terraform deletes: a log group with skip_destroy only leaves the state.
func (c *change) kept() bool {
	return c.kind() == "aws_cloudwatch_log_group" && c.was("skip_destroy") == true && c.action == Delete
}

// backup says what is left of a table: DynamoDB takes a backup of one that has point-in-time recovery when it is deleted, and keeps it
// for 35 days (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html).
func (c *change) backup() string {
	switch {
	case c.kind() != tableType:
		return ""
	case c.was("point_in_time_recovery", 0, "enabled") == true:
		return "DynamoDB keeps a backup of it for 35 days, since it has point-in-time recovery."
	default:
		return "It has no point-in-time recovery, so DynamoDB keeps no backup of it."
	}
}

// protection says that AWS will refuse.
func (c *change) protection() string {
	for _, name := range protections {
		if on(c.was(name)) {
			return fmt.Sprintf("AWS refuses as long as %s is set; an apply before this one has to take it away.", name)
		}
	}
	return ""
}

// indexesRemoved is about global secondary indexes that leave a table or are made again under their name: queries of them fail at
// once, and an index that comes back has to be filled from the table first
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html). The provider makes an index again when its
// keys or its projection change.
func indexesRemoved(c *change) []Finding {
	const argument = "global_secondary_index"
	if c.action != Update || !c.changes(argument) {
		return nil
	}
	before, after, readable := c.named(argument, "name")
	if !readable {
		return []Finding{c.unreadable("index-unreadable", "indexes", argument)}
	}
	var out []Finding
	for _, name := range slices.Sorted(maps.Keys(before)) {
		is, stays := after[name]
		if stays && !indexRemade(before[name], is) {
			continue
		}
		code, summary := "index-removed", fmt.Sprintf("removes the index %s", name)
		reason := "Queries of it fail at once; an index that is made again answers only when it is filled from the table."
		if stays {
			code, summary = "index-remade", fmt.Sprintf("removes the index %s and makes it again", name)
			reason = "Its keys or its projection change. Queries of it fail until it is filled from the table."
		}
		f := c.block(Data, code, High, summary, path{argument, name}, before[name], is)
		out = append(out, f.because(reason).guarded(name))
	}
	return out
}

// indexRemade compares what cannot change of an index. hash_key and range_key say the same as key_schema.
func indexRemade(before, after any) bool {
	keyOf := func(index any) []any {
		key := []any{}
		for _, k := range elements(at(index, "key_schema")) {
			key = append(key, []any{at(k, "key_type"), at(k, "attribute_name")})
		}
		if len(key) > 0 {
			return key
		}
		for _, k := range [][2]string{{"HASH", "hash_key"}, {"RANGE", "range_key"}} {
			if name := at(index, k[1]); !blank(name) {
				key = append(key, []any{k[0], name})
			}
		}
		return key
	}
	removed, added := unmatched(elements(at(before, "non_key_attributes")), elements(at(after, "non_key_attributes")))
	return !same(keyOf(before), keyOf(after)) || !same(at(before, "projection_type"), at(after, "projection_type")) ||
		len(removed)+len(added) > 0
}

// named gives the blocks of a set before and after by the argument that names them. They are not readable where a name is sensitive or
// known only after apply.
func (c *change) named(argument, by string) (before, after map[string]any, readable bool) {
	readable = true
	blocks := func(v any) map[string]any {
		out := map[string]any{}
		switch v.(type) {
		case hidden, unknown:
			readable = false
		}
		for _, b := range elements(v) {
			name, ok := at(b, by).(string)
			readable = readable && ok
			out[name] = b
		}
		return out
	}
	before, after = blocks(c.was(argument)), blocks(c.will(argument))
	return before, after, readable
}

// unreadable has to be named as the table itself: whatever blocks go, it is not to be seen here.
func (c *change) unreadable(code, what, argument string) Finding {
	f := c.finding(Data, code, High, "changes its "+what+", and which is not to be seen", argument)
	return f.because("They are sensitive or known only after apply.").guarded("")
}

// replicasRemoved is about copies of a table in other regions that go, or are made again: the provider does that when the key or the
// consistency changes. The items live on elsewhere, but who reads and writes in that region fails.
func replicasRemoved(c *change) []Finding {
	const argument = "replica"
	if c.action != Update || !c.changes(argument) {
		return nil
	}
	before, after, readable := c.named(argument, "region_name")
	if !readable {
		return []Finding{c.unreadable("replica-unreadable", "copies in other regions", argument)}
	}
	var out []Finding
	for _, region := range slices.Sorted(maps.Keys(before)) {
		is, stays := after[region]
		if stays && !replicaRemade(before[region], is) {
			continue
		}
		code, summary := "replica-removed", fmt.Sprintf("destroys the copy of the table in %s", region)
		if stays {
			code, summary = "replica-remade", summary+" and makes it again"
		}
		f := c.block(Data, code, High, summary, path{argument, region}, before[region], is)
		out = append(out, f.because("The items live on in the other regions; reads and writes in this one fail.").guarded(region))
	}
	return out
}

// replicasChanged is about a copy that stays and loses its backups, or changes in another way.
func replicasChanged(c *change) []Finding {
	const argument, backups = "replica", "point_in_time_recovery"
	before, after, readable := c.named(argument, "region_name")
	if c.action != Update || !readable {
		return nil
	}
	var out []Finding
	for _, region := range slices.Sorted(maps.Keys(before)) {
		was, is := before[region], after[region]
		if is == nil || replicaRemade(was, is) {
			continue
		}
		f := c.block(Rest, "updated", Low, "changes the copy of the table in "+region, path{argument, region}, was, is)
		if len(f.Arguments) == 0 {
			continue
		}
		if at(was, backups) == true && at(is, backups) != true {
			f.Class, f.Code, f.Severity = Data, "backups-off", High
			f.Summary = fmt.Sprintf("turns point-in-time recovery off in %s", region)
		}
		out = append(out, f)
	}
	return out
}

func replicaRemade(before, after any) bool {
	return slices.ContainsFunc([]string{"kms_key_arn", "consistency_mode"}, func(argument string) bool {
		was, is := at(before, argument), at(after, argument)
		return !isUnknown(is) && !same(was, is) // what is not known is computed
	})
}

// backupsEnd is about point-in-time recovery that is turned off or reaches back less far. What it kept is gone at once: turned on
// again it begins anew (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/pointintimerecovery_restores.html).
func backupsEnd(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	if c.turned(false, "point_in_time_recovery", 0, "enabled") {
		out = append(out, c.finding(Data, "backups-off", High, "turns point-in-time recovery off", "point_in_time_recovery").because(
			"The table cannot be restored to any moment before now, not even when recovery is turned on again."))
	} else if was, is, ok := c.numbers("point_in_time_recovery", 0, "recovery_period_in_days"); ok && is < was {
		out = append(out, c.finding(Data, "backups-shortened", Medium,
			fmt.Sprintf("point-in-time recovery reaches back %s instead of %s days", decimal(is), decimal(was)), "point_in_time_recovery").because(
			"What is older cannot be restored any more."))
	}
	return out
}

// itemsExpire is about a time to live that is turned on or looks at another attribute: DynamoDB then deletes every item whose attribute
// holds a time that has passed (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html).
func itemsExpire(c *change) []Finding {
	if c.action != Update || c.will("ttl", 0, "enabled") != true {
		return nil
	}
	const reason = "DynamoDB deletes the items whose attribute holds a time, in seconds since 1970, that has passed."
	attribute := text(c.will("ttl", 0, "attribute_name"))
	if c.was("ttl", 0, "enabled") != true {
		return []Finding{c.finding(Data, "items-expire", High, "items expire by their attribute "+attribute, "ttl").because(reason)}
	}
	if c.changes("ttl", 0, "attribute_name") {
		return []Finding{c.finding(Data, "items-expire", High, "items expire by another attribute, "+attribute, "ttl").because(reason)}
	}
	return nil
}

// objectsExpire is about rules of a bucket that delete objects, where they are new or others
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html).
func objectsExpire(c *change) []Finding {
	if c.action != Create && c.action != Update && c.action != Replace {
		return nil
	}
	deleting := func(v any) []any {
		var out []any
		for _, r := range elements(v) {
			keeps := blank(at(r, "expiration")) && blank(at(r, "noncurrent_version_expiration"))
			if !keeps && at(r, "status") != "Disabled" {
				out = append(out, r)
			}
		}
		return out
	}
	before, after := deleting(c.was("rule")), deleting(c.will("rule"))
	if _, added := unmatched(before, after); len(added) == 0 {
		return nil
	}
	f := c.finding(Data, "objects-expire", Medium, "objects of the bucket are deleted by rules that are new or others", "rule")
	f.whole = c.action == Create
	return []Finding{f}
}

// versionsEnd is about a bucket that keeps no versions any more: what is overwritten or deleted from now on is gone
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html).
func versionsEnd(c *change) []Finding {
	const enabled = "Enabled"
	status := []any{"versioning_configuration", 0, "status"}
	if c.was(status...) != enabled || c.will(status...) == enabled {
		return nil
	}
	f := c.entire(Data, "versions-off", High, "the bucket keeps no more versions of its objects")
	return []Finding{f.because("What is overwritten or deleted from now on is gone.")}
}

// keyDisabled is about a key that is switched off: nothing that it encrypted can be read until it is switched on again
// (https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html).
func keyDisabled(c *change) []Finding {
	for _, argument := range []string{"is_enabled", "enabled"} {
		if c.action == Update && c.turned(false, argument) {
			return []Finding{c.finding(Data, "key-disabled", High, "switches the key off", argument).because(
				"Nothing that it encrypted can be read until it is switched on again.")}
		}
	}
	return nil
}

// retentions are the arguments that say how long a resource keeps what it holds; never says that 0 or nothing means for ever.
var retentions = []struct {
	kind, argument string
	never          bool
	what, unit     string
}{
	// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
	{"aws_cloudwatch_log_group", "retention_in_days", true, "log events are", "days"},
	// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
	{"aws_sqs_queue", "message_retention_seconds", false, "messages are", "seconds"},
	{"aws_kinesis_stream", "retention_period", false, "records are", "hours"},
	{"aws_cloudwatch_event_archive", "retention_days", true, "events are", "days"},
	{"aws_cloudtrail_event_data_store", "retention_period", false, "events are", "days"},
	{"aws_db_instance", "backup_retention_period", false, "backups are", "days"},
	{"aws_rds_cluster", "backup_retention_period", false, "backups are", "days"},
	{"aws_docdb_cluster", "backup_retention_period", false, "backups are", "days"},
	{"aws_neptune_cluster", "backup_retention_period", false, "backups are", "days"},
	{"aws_elasticache_replication_group", "snapshot_retention_limit", false, "snapshots are", "days"},
}

// keptShorter is about a retention that is shortened: what is older goes within hours.
func keptShorter(c *change) []Finding {
	return c.retention(func(was, is float64) bool { return is < was }, Data, Medium, "kept-shorter", "What is older is deleted.")
}

func (c *change) retention(wanted func(was, is float64) bool, class Class, severity Severity, code, reason string) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	for _, r := range retentions {
		if r.kind != c.kind() || !c.changes(r.argument) {
			continue
		}
		was, is := period(c.was(r.argument), r.never), period(c.will(r.argument), r.never)
		if was < 0 || is < 0 || !wanted(was, is) {
			continue
		}
		summary := fmt.Sprintf("%s kept for %s instead of %s", r.what, periodWords(is, r.unit), periodWords(was, r.unit))
		out = append(out, c.finding(class, code, severity, summary, r.argument).because(reason))
	}
	return out
}

// forEver is longer than any number that AWS takes.
const forEver = 1e9

// period reads a retention; it is negative where it is not known.
func period(v any, never bool) float64 {
	n, ok := number(v)
	switch {
	case never && (v == nil || ok && n == 0):
		return forEver
	case !ok:
		return -1
	}
	return n
}

func periodWords(n float64, unit string) string {
	if n == forEver {
		return "ever"
	}
	return decimal(n) + " " + unit
}

// protections are the arguments by which AWS refuses a deletion.
var protections = []string{"deletion_protection_enabled", "deletion_protection", "enable_deletion_protection"}

// destructive are the arguments by which a deletion takes along what would have stopped it, or leaves no copy.
var destructive = []string{"force_destroy", "force_delete", "force_overwrite_replica_secret", "skip_final_snapshot"}

// on reads a protection; Cognito's is a word.
func on(v any) bool { return v == true || v == "ACTIVE" }

// protectionOff is about what keeps a resource from being deleted by accident and is taken away.
func protectionOff(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	for _, argument := range protections {
		if _, open := c.will(argument).(unknown); !open && on(c.was(argument)) && !on(c.will(argument)) {
			out = append(out, c.finding(Data, "protection-off", Medium, "takes its deletion protection away", argument).because(
				"The next plan can delete it."))
		}
	}
	for _, argument := range destructive {
		if c.turned(true, argument) {
			out = append(out, c.finding(Data, "protection-off", Medium, fmt.Sprintf("sets %s", argument), argument).because(
				"A later deletion takes along what would have stopped it, or leaves no copy."))
		}
	}
	return out
}
