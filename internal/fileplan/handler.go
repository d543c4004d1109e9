package fileplan

import (
	"slices"

	"streamgen/internal/spec"
)

// Handler is the view of a handler's terraform file.
type Handler struct {
	spec.Handler
	arguments
	scope
	// Local is the name of the handler's resources in terraform.
	Local string

	tables map[string]Table
}

func newHandler(s scope, h spec.Handler, tables map[string]Table) Handler {
	local := LocalName(h.Name)
	a := newArguments(s.Spec, "handler", h.Origin.Path, local)
	a.overrideReferences(s.Spec, h)
	return Handler{Handler: h, arguments: a, scope: s, Local: local, tables: tables}
}

// AWSName is the name of the function, its role and its role's policy.
func (h Handler) AWSName() any { return h.Prefixed(h.FunctionName) }

// VPCPolicyName is the name of the role's other policy.
func (h Handler) VPCPolicyName() any { return h.Prefixed(h.FunctionName + "-vpc") }

// LogGroupName is the name that Lambda itself gives to a function's log group.
func (h Handler) LogGroupName() any { return h.prefixedAfter("/aws/lambda/", h.FunctionName) }

// Package is the function's zip.
func (h Handler) Package() Text { return Text{Expression("var.packages"), "/" + h.Name + ".zip"} }

// Function are the function's arguments after those that every function has, and its blocks. The provider keeps an
// old value of what is not set any more for ephemeral_storage and tracing_config, so that these are always set.
//
// The function refers to as little as it can. Terraform makes a function's successor before it destroys the function,
// and so with all that the function depends on. Tables and log groups cannot have successors beside them: their names
// are taken.
func (h Handler) Function() Block {
	f := Block{Arguments: []Argument{
		{"architectures", []string{h.Architecture}},
		{"memory_size", h.Arg("memory_size", h.MemorySize)},
		{"timeout", h.Arg("timeout", h.Timeout)},
	}}
	f.Arguments = h.unless(f.Arguments, "reserved_concurrent_executions", "reserved_concurrent_executions", h.ReservedConcurrentExecutions, -1)
	f.Arguments = h.unless(f.Arguments, "kms_key_arn", "kms_key_arn", h.KMSKeyARN, "")
	if len(h.Layers) > 0 || h.Varies("layers") {
		f.Arguments = append(f.Arguments, Argument{"layers", h.Arg("layers", h.Layers)})
	}
	if h.Alias != "" {
		f.Arguments = append(f.Arguments, Argument{"publish", true})
	}
	f.Arguments = h.tagged(f.Arguments)
	f.Blocks = slices.Concat(
		[]Block{
			{Name: "environment", Arguments: []Argument{{"variables", h.variables()}}},
			{Name: "ephemeral_storage", Arguments: []Argument{{"size", h.Arg("ephemeral_storage.size", h.EphemeralStorage)}}},
			{Name: "tracing_config", Arguments: []Argument{{"mode", h.Arg("tracing_config.mode", tracingMode(h.Handler))}}},
		},
		h.vpc(),
		[]Block{h.logging()},
	)
	return f
}

// tracingMode is PassThrough where the spec says nothing, as it is in Lambda.
func tracingMode(h spec.Handler) string {
	if h.TracingMode == "" {
		return "PassThrough"
	}
	return h.TracingMode
}

// InVPC reports whether the function has network interfaces in any environment.
func (h Handler) InVPC() bool { return len(h.VPC.SubnetIDs) > 0 || h.Varies("vpc_config.") }

// VPCCount is the number of the VPC policy's resources where environments differ; empty where they do not.
func (h Handler) VPCCount() Expression {
	if h.Varies("vpc_config.") {
		return "length(" + h.Var("vpc_config.subnet_ids") + ") > 0 ? 1 : 0"
	}
	return ""
}

func (h Handler) vpc() []Block {
	if !h.InVPC() {
		return nil
	}
	b := Block{Name: "vpc_config", Arguments: []Argument{
		{"subnet_ids", h.Arg("vpc_config.subnet_ids", h.VPC.SubnetIDs)},
		{"security_group_ids", h.Arg("vpc_config.security_group_ids", h.VPC.SecurityGroupIDs)},
	}}
	const dual = "ipv6_allowed_for_dual_stack"
	b.Arguments = h.unless(b.Arguments, dual, "vpc_config."+dual, h.VPC.IPv6AllowedForDualStack, false)
	if h.Varies("vpc_config.") {
		b.ForEach = "length(" + h.Var("vpc_config.subnet_ids") + ") > 0 ? [true] : []"
	}
	return []Block{b}
}

// logging names the log group and does not refer to it, as [Handler.Function] says. The log group is there in time
// nevertheless: the role's policy waits for it, and the mappings for the policy.
func (h Handler) logging() Block {
	b := Block{Name: "logging_config", Arguments: []Argument{{"log_format", h.Arg("logging_config.log_format", h.Logging.Format)}}}
	b.Arguments = h.unless(b.Arguments, "application_log_level", "logging_config.application_log_level", h.Logging.ApplicationLogLevel, "")
	b.Arguments = h.unless(b.Arguments, "system_log_level", "logging_config.system_log_level", h.Logging.SystemLogLevel, "")
	b.Arguments = append(b.Arguments, Argument{"log_group", h.LogGroupName()})
	return b
}

// tagged adds the handler's tags to the arguments of one of its resources; those of the spec come from the provider.
func (h Handler) tagged(list []Argument) []Argument {
	if len(h.Tags) == 0 && !h.Varies("tags") {
		return list
	}
	return append(list, Argument{"tags", h.Arg("tags", tagObject(h.Tags))})
}

// Tagging are the arguments of a resource that has tags and nothing else to say.
func (h Handler) Tagging() []Argument { return h.tagged(nil) }

// LogGroupSettings are the log group's arguments. The provider keeps the class of a log group that has none set.
func (h Handler) LogGroupSettings() []Argument {
	list := []Argument{
		{"name", h.LogGroupName()},
		{"retention_in_days", h.Arg("log_group.retention_in_days", h.LogGroup.RetentionInDays)},
		{"log_group_class", h.Arg("log_group.log_group_class", h.LogGroup.Class)},
	}
	return h.tagged(h.unless(list, "kms_key_id", "log_group.kms_key_id", h.LogGroup.KMSKeyID, ""))
}

// Provisioned reports whether the alias has provisioned concurrency in any environment.
func (h Handler) Provisioned() bool {
	return h.ProvisionedConcurrentExecutions > 0 || h.Varies("provisioned_concurrent_executions")
}

// ProvisionedCount is the number of its resources where environments differ; empty where they do not.
func (h Handler) ProvisionedCount() Expression {
	if h.Varies("provisioned_concurrent_executions") {
		return h.Var("provisioned_concurrent_executions") + " > 0 ? 1 : 0"
	}
	return ""
}

// Target is what the mappings invoke.
func (h Handler) Target() Expression {
	if h.Alias != "" {
		return Expression("aws_lambda_alias." + h.Local + ".arn")
	}
	return Expression("aws_lambda_function." + h.Local + ".arn")
}

// Addresses are the handler's resources in terraform, without data sources.
func (h Handler) Addresses() []string {
	list := []string{
		"aws_lambda_function." + h.Local, "aws_cloudwatch_log_group." + h.Local, "aws_iam_role." + h.Local, "aws_iam_role_policy." + h.Local,
	}
	if h.InVPC() {
		list = append(list, "aws_iam_role_policy."+h.VPCPolicy().Name)
	}
	if h.Alias != "" {
		list = append(list, "aws_lambda_alias."+h.Local)
	}
	if h.Provisioned() {
		list = append(list, "aws_lambda_provisioned_concurrency_config."+h.Local)
	}
	for _, m := range h.Mappings() {
		list = append(list, "aws_lambda_event_source_mapping."+m.Local)
	}
	for _, c := range h.Created() {
		list = append(list, c.Addresses()...)
	}
	list = append(list, h.companionAddresses()...)
	for _, a := range h.AlarmsOf() {
		list = append(list, "aws_cloudwatch_metric_alarm."+a.Local)
	}
	return list
}
