package fileplan

import (
	"fmt"
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// Variable is an input of a module.
type Variable struct {
	Name, Description, Type string
	// Default is nil for null, which the variable may then be.
	Default any
	// Condition is what a value must meet; empty for nothing. Message says so in a sentence.
	Condition, Message string
}

// Nullable reports whether the variable may be null.
func (v Variable) Nullable() bool { return v.Default == nil }

// overridable is a key of an entry that environments may set: its type in terraform, and how it is read; nil stands for null.
type overridable[T any] struct {
	key, typ string
	value    func(T) any
}

// tableKey is the key of a table's customer key.
const tableKey = "server_side_encryption.kms_key_arn"

var tableKeys = []overridable[spec.Table]{
	{"billing_mode", "string", func(t spec.Table) any { return t.BillingMode }},
	{"read_capacity", "number", func(t spec.Table) any { return positive(t.Capacity.Read) }},
	{"write_capacity", "number", func(t spec.Table) any { return positive(t.Capacity.Write) }},
	{"autoscaling.read.min_capacity", "number", func(t spec.Table) any { return positive(t.Autoscaling.Read.MinCapacity) }},
	{"autoscaling.read.max_capacity", "number", func(t spec.Table) any { return positive(t.Autoscaling.Read.MaxCapacity) }},
	{"autoscaling.read.target_value", "number", func(t spec.Table) any { return positive(t.Autoscaling.Read.TargetValue) }},
	{"autoscaling.read.scale_in_cooldown", "number", func(t spec.Table) any { return t.Autoscaling.Read.ScaleInCooldown }},
	{"autoscaling.read.scale_out_cooldown", "number", func(t spec.Table) any { return t.Autoscaling.Read.ScaleOutCooldown }},
	{"autoscaling.write.min_capacity", "number", func(t spec.Table) any { return positive(t.Autoscaling.Write.MinCapacity) }},
	{"autoscaling.write.max_capacity", "number", func(t spec.Table) any { return positive(t.Autoscaling.Write.MaxCapacity) }},
	{"autoscaling.write.target_value", "number", func(t spec.Table) any { return positive(t.Autoscaling.Write.TargetValue) }},
	{"autoscaling.write.scale_in_cooldown", "number", func(t spec.Table) any { return t.Autoscaling.Write.ScaleInCooldown }},
	{"autoscaling.write.scale_out_cooldown", "number", func(t spec.Table) any { return t.Autoscaling.Write.ScaleOutCooldown }},
	{"on_demand_throughput.max_read_request_units", "number", func(t spec.Table) any { return positive(t.OnDemandThroughput.MaxReadRequestUnits) }},
	{"on_demand_throughput.max_write_request_units", "number", func(t spec.Table) any { return positive(t.OnDemandThroughput.MaxWriteRequestUnits) }},
	{"warm_throughput.read_units_per_second", "number", func(t spec.Table) any { return positive(t.WarmThroughput.ReadUnitsPerSecond) }},
	{"warm_throughput.write_units_per_second", "number", func(t spec.Table) any { return positive(t.WarmThroughput.WriteUnitsPerSecond) }},
	{"table_class", "string", func(t spec.Table) any { return t.TableClass }},
	{"point_in_time_recovery.enabled", "bool", func(t spec.Table) any { return t.PointInTimeRecovery }},
	{"point_in_time_recovery.recovery_period_in_days", "number", func(t spec.Table) any {
		if !t.PointInTimeRecovery {
			return nil
		}
		return positive(t.RecoveryPeriodInDays)
	}},
	{"server_side_encryption.enabled", "bool", func(t spec.Table) any { return t.ServerSideEncryption }},
	{tableKey, "string", func(t spec.Table) any { return filled(t.KMSKeyARN) }},
	{"deletion_protection_enabled", "bool", func(t spec.Table) any { return t.DeletionProtection }},
	{"contributor_insights.enabled", "bool", func(t spec.Table) any { return t.ContributorInsights.Enabled }},
	{"contributor_insights.mode", "string", func(t spec.Table) any { return filled(t.ContributorInsights.Mode) }},
	{"replica", replicaType, func(t spec.Table) any { return replicaObjects(t.Replicas) }},
	{"tags", "map(string)", func(t spec.Table) any { return tagObject(t.Tags) }},
}

const replicaType = `list(object({
    region_name                 = string
    kms_key_arn                 = string
    point_in_time_recovery      = bool
    deletion_protection_enabled = bool
    propagate_tags              = bool
    consistency_mode            = string
  }))`

func replicaObjects(replicas []spec.Replica) []Object {
	list := []Object{}
	for _, r := range replicas {
		list = append(list, Object{
			{"region_name", r.RegionName}, {"kms_key_arn", filled(r.KMSKeyARN)}, {"point_in_time_recovery", r.PointInTimeRecovery},
			{"deletion_protection_enabled", r.DeletionProtection}, {"propagate_tags", r.PropagateTags}, {"consistency_mode", filled(r.ConsistencyMode)},
		})
	}
	return list
}

var handlerKeys = []overridable[spec.Handler]{
	{"description", "string", func(h spec.Handler) any { return h.Description }},
	{"memory_size", "number", func(h spec.Handler) any { return h.MemorySize }},
	{"timeout", "number", func(h spec.Handler) any { return h.Timeout }},
	{"ephemeral_storage.size", "number", func(h spec.Handler) any { return h.EphemeralStorage }},
	{environmentKey, "map(string)", func(h spec.Handler) any { return plainVariables(h) }},
	{stores[0].references, "map(string)", func(h spec.Handler) any { return stores[0].referenced(h) }},
	{stores[0].keys, "list(string)", func(h spec.Handler) any { return stores[0].customerKeys(h) }},
	{stores[1].references, "map(string)", func(h spec.Handler) any { return stores[1].referenced(h) }},
	{stores[1].keys, "list(string)", func(h spec.Handler) any { return stores[1].customerKeys(h) }},
	{"kms_key_arn", "string", func(h spec.Handler) any { return filled(h.KMSKeyARN) }},
	{"vpc_config.subnet_ids", "list(string)", func(h spec.Handler) any { return listed(h.VPC.SubnetIDs) }},
	{"vpc_config.security_group_ids", "list(string)", func(h spec.Handler) any { return listed(h.VPC.SecurityGroupIDs) }},
	{"vpc_config.ipv6_allowed_for_dual_stack", "bool", func(h spec.Handler) any { return h.VPC.IPv6AllowedForDualStack }},
	{"tracing_config.mode", "string", func(h spec.Handler) any { return tracingMode(h) }},
	{"reserved_concurrent_executions", "number", func(h spec.Handler) any { return h.ReservedConcurrentExecutions }},
	{"provisioned_concurrent_executions", "number", func(h spec.Handler) any { return h.ProvisionedConcurrentExecutions }},
	{"layers", "list(string)", func(h spec.Handler) any { return listed(h.Layers) }},
	{"log_group.retention_in_days", "number", func(h spec.Handler) any { return h.LogGroup.RetentionInDays }},
	{"log_group.kms_key_id", "string", func(h spec.Handler) any { return filled(h.LogGroup.KMSKeyID) }},
	{"log_group.log_group_class", "string", func(h spec.Handler) any { return h.LogGroup.Class }},
	{"logging_config.log_format", "string", func(h spec.Handler) any { return h.Logging.Format }},
	{"logging_config.application_log_level", "string", func(h spec.Handler) any { return filled(h.Logging.ApplicationLogLevel) }},
	{"logging_config.system_log_level", "string", func(h spec.Handler) any { return filled(h.Logging.SystemLogLevel) }},
	{"tags", "map(string)", func(h spec.Handler) any { return tagObject(h.Tags) }},
	{"alarms.enabled", "bool", func(h spec.Handler) any { return h.Alarms.Enabled }},
	{"alarms.iterator_age", "number", func(h spec.Handler) any { return h.Alarms.IteratorAge }},
	{"alarms.errors", "number", func(h spec.Handler) any { return h.Alarms.Errors }},
	{"alarms.throttles", "number", func(h spec.Handler) any { return h.Alarms.Throttles }},
	{"alarms.failure_queue", "number", func(h spec.Handler) any { return h.Alarms.FailureQueue }},
	{"alarms.parking_queue", "number", func(h spec.Handler) any { return h.Alarms.ParkingQueue }},
	mappingKey("starting_position", "string", func(s spec.Source) any { return s.StartingPosition }),
	mappingKey("batch_size", "number", func(s spec.Source) any { return s.BatchSize }),
	mappingKey("maximum_batching_window_in_seconds", "number", func(s spec.Source) any { return s.MaximumBatchingWindow }),
	mappingKey("parallelization_factor", "number", func(s spec.Source) any { return s.ParallelizationFactor }),
	mappingKey("bisect_batch_on_function_error", "bool", func(s spec.Source) any { return s.BisectBatchOnFunctionError }),
	mappingKey("maximum_retry_attempts", "number", func(s spec.Source) any { return s.MaximumRetryAttempts }),
	mappingKey("maximum_record_age_in_seconds", "number", func(s spec.Source) any { return s.MaximumRecordAge }),
	mappingKey("enabled", "bool", func(s spec.Source) any { return s.Enabled }),
	mappingKey("metrics_config", "bool", func(s spec.Source) any { return s.EventCount }),
}

// mappingKey is a key that stands at the handler and holds for all its mappings that have none of their own.
func mappingKey(key, typ string, value func(spec.Source) any) overridable[spec.Handler] {
	return overridable[spec.Handler]{key, typ, func(h spec.Handler) any {
		for _, s := range h.Sources {
			if !setsItself(h, s, key) {
				return value(s)
			}
		}
		return value(h.Sources[0])
	}}
}

// positive is a number of which zero stands for not set, filled a text of which the empty one does.
func positive(n int) any {
	if n == 0 {
		return nil
	}
	return n
}

func filled(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func listed(list []string) []string { return append([]string{}, list...) }

// foreignKeys are those keys of a table that the stacks that use it have to know.
func foreignKeys() []overridable[spec.Table] {
	return slices.DeleteFunc(slices.Clone(tableKeys), func(k overridable[spec.Table]) bool { return k.key != tableKey })
}

// overrides are the variables of the keys that environments override, in the order of the entries.
func (m Module) overrides() []Variable {
	var list []Variable
	for _, t := range m.Tables {
		list = append(list, entryVariables(t.arguments, tableKeys, t.Table)...)
	}
	for _, t := range m.Foreign {
		list = append(list, entryVariables(t.arguments, foreignKeys(), t.Table)...)
	}
	for _, h := range m.Handlers {
		list = append(list, entryVariables(h.arguments, handlerKeys, h.Handler)...)
	}
	return list
}

func entryVariables[T any](a arguments, keys []overridable[T], entry T) []Variable {
	var list []Variable
	for _, k := range keys {
		if a.Varies(k.key) {
			list = append(list, Variable{
				Name: a.variable(k.key), Type: k.typ, Default: k.value(entry), Description: fmt.Sprintf("%s of %s.", k.key, a.entry),
			})
		}
	}
	return list
}

// settingsVariables are the variables of what environments differ in as a whole.
func (s scope) settingsVariables() []Variable {
	var list []Variable
	if s.PrefixVaries() {
		list = append(list, Variable{
			Name: "name_prefix", Type: "string", Default: s.NamePrefix, Description: "What stands before every name in AWS.",
			Condition: `can(regex("^[0-9A-Za-z_-]{0,32}$", var.name_prefix))`,
			Message:   "A prefix has at most 32 letters, digits, dashes and underscores.",
		})
	}
	return list
}

// PackagesFolder is where the packages of a target lie, seen from a stack's root module.
func PackagesFolder(stack, target string) string {
	up := strings.Repeat("../", strings.Count(StackFolder(stack), "/")+1)
	return up + ".gen/packages/" + target
}

// commonVariables are what every module of ours has as input.
func (m Module) commonVariables() []Variable {
	return []Variable{
		{
			Name: "packages", Type: "string", Default: PackagesFolder(m.stack, "lambda"),
			Description: "Folder of the functions' packages, <function>.zip each. Seen from the folder of the root module.",
			Condition:   "length(var.packages) > 0", Message: "The folder of the packages has a name.",
		},
		{
			Name: "deletion_protection_enabled", Type: "bool", Default: true,
			Description: "Whether tables are protected from deletion. It cannot protect a table whose spec says no.",
		},
	}
}

// values gives the variables their values in an environment.
func (m Module) values(e spec.Environment) []Argument {
	var list []Argument
	for _, t := range m.Tables {
		list = append(list, entryValues(t.arguments, tableKeys, there(e.Tables, func(o spec.Table) bool { return o.Name == t.Name }))...)
	}
	for _, t := range m.Foreign {
		list = append(list, entryValues(t.arguments, foreignKeys(), there(e.Tables, func(o spec.Table) bool { return o.Name == t.Name }))...)
	}
	for _, h := range m.Handlers {
		list = append(list, entryValues(h.arguments, handlerKeys, there(e.Handlers, func(o spec.Handler) bool { return o.Name == h.Name }))...)
	}
	return list
}

// there is an entry as it is in an environment, which has all entries of the spec.
func there[T any](entries []T, is func(T) bool) T { return entries[slices.IndexFunc(entries, is)] }

func entryValues[T any](a arguments, keys []overridable[T], entry T) []Argument {
	var list []Argument
	for _, k := range keys {
		if a.Varies(k.key) {
			list = append(list, Argument{a.variable(k.key), k.value(entry)})
		}
	}
	return list
}
