package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// billingChanged is about how a table is paid for. It can be switched back only four times in 24 hours
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-switching-capacity-modes.html). Capacities come and go with it.
func billingChanged(c *change) []Finding {
	if c.action != Update || !c.changes("billing_mode") {
		return nil
	}
	summary := "the table is paid by request"
	reason := "It takes whatever comes, within the limits of the account and of on_demand_throughput."
	if c.will("billing_mode") != "PAY_PER_REQUEST" {
		summary, reason = "the table is paid by provisioned capacity", "What is beyond the capacity is throttled."
	}
	return []Finding{c.finding(Cost, "billing-mode", Medium, summary, "billing_mode", "read_capacity", "write_capacity").because(reason)}
}

// replicasAdded is about copies of a table in more regions: each stores everything and is written whatever is written
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/global-tables-billing.html).
func replicasAdded(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	before, after, readable := c.named("replica", "region_name")
	for _, region := range slices.Sorted(maps.Keys(after)) {
		if _, was := before[region]; !was && readable {
			out = append(out, c.block(Cost, "replica-added", Medium, "adds a copy of the table in "+region, path{"replica", region}, nil, nil).
				because("It stores all items, and every write is paid for there as well."))
		}
	}
	return out
}

// indexesAdded is about new indexes of a table: they are filled from it, and written with it
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html).
func indexesAdded(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	before, after, readable := c.named("global_secondary_index", "name")
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, was := before[name]; !was && readable {
			out = append(out, c.block(Cost, "index-added", Low, "adds the index "+name, path{"global_secondary_index", name}, nil, nil).
				because("It is filled from the table, which takes writes; queries of it fail until then."))
		}
	}
	return out
}

// indexesChanged is about indexes that stay: their capacity changes, or how they are written.
func indexesChanged(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	before, after, readable := c.named("global_secondary_index", "name")
	for _, name := range slices.Sorted(maps.Keys(after)) {
		was, stays := before[name]
		if !stays || !readable || indexRemade(was, after[name]) {
			continue
		}
		f := c.block(Cost, "index-capacity", Low, "the index "+name+" gets another capacity", path{"global_secondary_index", name}, was, after[name])
		if len(f.Arguments) == 0 {
			continue
		}
		capacity := func(a Argument) bool {
			return strings.Contains(a.Path, "capacity") || strings.Contains(a.Path, "throughput")
		}
		if !slices.ContainsFunc(f.Arguments, capacity) {
			f.Class, f.Code, f.Summary = Rest, "updated", "the index "+name+" is written in another way"
		}
		out = append(out, f)
	}
	return out
}

// backupsBegin is about point-in-time recovery that is turned on, or reaches back further. It costs by the table's size, however far it
// reaches (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html).
func backupsBegin(c *change) []Finding {
	const argument = "point_in_time_recovery"
	if c.action != Update {
		return nil
	}
	if c.turned(true, argument, 0, "enabled") {
		return []Finding{c.finding(Cost, "backups-on", Low, "turns point-in-time recovery on", argument).because("It costs by the size of the table.")}
	}
	return nil
}

// capacities are the arguments that say how much of something is kept ready or paid for.
var capacities = []struct{ kind, argument, what string }{
	{tableType, "read_capacity", "read capacity"},
	{tableType, "write_capacity", "write capacity"},
	{tableType, "on_demand_throughput", "limit of requests"},
	{tableType, "warm_throughput", "warm throughput"},
	{tableType, "table_class", "table class"},
	// A function's share of a processor grows with its memory: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	{functionType, "memory_size", "memory"},
	{functionType, "ephemeral_storage", "disk"},
	{functionType, "reserved_concurrent_executions", "reserved concurrency"},
	{mappingType, "provisioned_poller_config", "provisioned pollers"},
	{"aws_kinesis_stream", "shard_count", "shards"},
	{"aws_kinesis_stream", "stream_mode_details", "capacity mode"},
	{"aws_db_instance", "instance_class", "instance class"},
	{"aws_db_instance", "allocated_storage", "storage"},
	{"aws_rds_cluster", "serverlessv2_scaling_configuration", "capacity"},
	{"aws_instance", "instance_type", "instance type"},
}

// capacityChanged is about capacity that becomes more or less; a table that gets less is throttled sooner
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/provisioned-capacity-mode.html).
func capacityChanged(c *change) []Finding {
	if c.action != Update {
		return nil
	}
	var out []Finding
	for _, k := range capacities {
		capacity := k.argument == "read_capacity" || k.argument == "write_capacity"
		zero, isNumber := number(c.will(k.argument))
		stopped := k.argument == "reserved_concurrent_executions" && isNumber && zero == 0 // see functionStopped
		if k.kind != c.kind() || !c.changes(k.argument) || capacity && c.changes("billing_mode") || stopped {
			continue
		}
		summary := "another " + k.what
		if was, is, ok := c.numbers(k.argument); ok {
			summary = fmt.Sprintf("%s of %s instead of %s", k.what, decimal(is), decimal(was))
		} else if was, is := str(c.was(k.argument)), str(c.will(k.argument)); was != "" && is != "" {
			summary = fmt.Sprintf("%s %s instead of %s", k.what, is, was)
		}
		out = append(out, c.finding(Cost, strings.ReplaceAll(k.argument, "_", "-"), Low, summary, k.argument))
	}
	return out
}

// capacityResources are types that are nothing but capacity, and what a sentence calls them.
var capacityResources = map[string]string{
	"aws_appautoscaling_target":                  "automatic scaling",
	"aws_appautoscaling_policy":                  "a policy of automatic scaling",
	"aws_appautoscaling_scheduled_action":        "a schedule of automatic scaling",
	"aws_lambda_provisioned_concurrency_config":  "provisioned concurrency",
	"aws_dynamodb_table_replica":                 "a copy of the table in another region",
	"aws_dynamodb_contributor_insights":          "contributor insights",
	"aws_dynamodb_kinesis_streaming_destination": "a copy of all changes to Kinesis",
}

// capacityResource is about such a type as a whole. A capacity whose scaling goes stays where it is.
func capacityResource(c *change) []Finding {
	what, is := capacityResources[c.kind()]
	if !is {
		return nil
	}
	verb, known := map[Action]string{Create: "adds", Update: "changes", Replace: "makes again", Delete: "removes"}[c.action]
	if _, holds, _ := held(c.kind()); !known || holds && c.destroys() {
		return nil
	}
	return []Finding{c.entire(Cost, "capacity", Low, verb+" "+what).because(c.why())}
}

// keptLonger is about a retention that is prolonged: what is kept is paid for.
func keptLonger(c *change) []Finding {
	return c.retention(func(was, is float64) bool { return is > was }, Cost, Low, "kept-longer", "")
}
