package fileplan

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/spec"
)

func TestFunctionSettings(t *testing.T) {
	want := []Argument{{"architectures", []string{"arm64"}}, {"memory_size", 128}, {"timeout", 30}}
	if diff := cmp.Diff(want, shopHandler(t, func(*spec.Spec, *spec.Handler) {}).Function().Arguments); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		change func(h *spec.Handler)
		want   any
	}{
		"architectures":                  {func(h *spec.Handler) { h.Architecture = "x86_64" }, []string{"x86_64"}},
		"memory_size":                    {func(h *spec.Handler) { h.MemorySize = 512 }, 512},
		"timeout":                        {func(h *spec.Handler) { h.Timeout = 60 }, 60},
		"reserved_concurrent_executions": {func(h *spec.Handler) { h.ReservedConcurrentExecutions = 0 }, 0},
		"kms_key_arn":                    {func(h *spec.Handler) { h.KMSKeyARN = customerKey }, customerKey},
		"layers":                         {func(h *spec.Handler) { h.Layers = []string{"layer"} }, []string{"layer"}},
		"publish":                        {func(h *spec.Handler) { h.Alias = "live" }, true},
		"tags":                           {func(h *spec.Handler) { h.Tags = []spec.Tag{{Key: "Team", Value: "a"}} }, Object{{"Team", "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) { c.change(h) })
			if diff := cmp.Diff(c.want, argument(h.Function().Arguments, name)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFunctionBlocks(t *testing.T) {
	one := func(name string, arguments ...Argument) Block { return Block{Name: name, Arguments: arguments} }
	group := Argument{"log_group", "/aws/lambda/ship-v1"}
	blocks := []Block{
		one("environment", Argument{"variables", Object{{"TABLE_ORDERS", "orders"}}}),
		one("ephemeral_storage", Argument{"size", 512}),
		one("tracing_config", Argument{"mode", "PassThrough"}),
		one("logging_config", Argument{"log_format", "Text"}, group),
	}
	if diff := cmp.Diff(blocks, shopHandler(t, func(*spec.Spec, *spec.Handler) {}).Function().Blocks); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		change func(s *spec.Spec, h *spec.Handler)
		want   Block
	}{
		"storage": {
			func(_ *spec.Spec, h *spec.Handler) { h.EphemeralStorage = 10240 }, one("ephemeral_storage", Argument{"size", 10240}),
		},
		"tracing": {
			func(_ *spec.Spec, h *spec.Handler) { h.TracingMode = "Active" }, one("tracing_config", Argument{"mode", "Active"}),
		},
		"VPC": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.VPC = spec.VPC{SubnetIDs: []string{"subnet-1"}, SecurityGroupIDs: []string{"sg-1"}, IPv6AllowedForDualStack: true}
			},
			one("vpc_config", Argument{"subnet_ids", []string{"subnet-1"}}, Argument{"security_group_ids", []string{"sg-1"}},
				Argument{"ipv6_allowed_for_dual_stack", true}),
		},
		"VPC in one environment": {
			func(s *spec.Spec, _ *spec.Handler) {
				override(s, func(*spec.Handler) {}, "vpc_config.subnet_ids", "vpc_config.security_group_ids")
			},
			Block{
				Name: "vpc_config", ForEach: "length(var.handler_ship_vpc_config_subnet_ids) > 0 ? [true] : []",
				Arguments: []Argument{
					{"subnet_ids", Expression("var.handler_ship_vpc_config_subnet_ids")},
					{"security_group_ids", Expression("var.handler_ship_vpc_config_security_group_ids")},
					{"ipv6_allowed_for_dual_stack", Expression("var.handler_ship_vpc_config_ipv6_allowed_for_dual_stack")},
				},
			},
		},
		"log": {
			func(_ *spec.Spec, h *spec.Handler) {
				h.Logging = spec.Logging{Format: "JSON", ApplicationLogLevel: "WARN", SystemLogLevel: "INFO"}
			},
			one("logging_config", Argument{"log_format", "JSON"}, Argument{"application_log_level", "WARN"},
				Argument{"system_log_level", "INFO"}, group),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := block(shopHandler(t, c.change).Function().Blocks, c.want.Name)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFunctionDependsOnLittle: terraform makes the successor of a function, and of all that it refers to, before it
// destroys the function. What has a fixed name must not be among it.
func TestFunctionDependsOnLittle(t *testing.T) {
	h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) {
		h.Reads, h.VPC.SubnetIDs, h.Environment = []string{"customers"}, []string{"subnet-1"}, []spec.Variable{{Name: "A", SSMParameter: "a"}}
	})
	for _, e := range append(expressionsIn(h.Function()), expressionsIn(h.VPCPolicy().Blocks())...) {
		if !strings.HasPrefix(string(e), "var.") && !slices.Contains([]Expression{account, partition, region}, e) {
			t.Errorf("the function depends on %s", e)
		}
	}
}

func TestLogGroupSettings(t *testing.T) {
	h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
		s.NamePrefix = "shop-"
		h.LogGroup = spec.LogGroup{RetentionInDays: 7, KMSKeyID: customerKey, Class: "INFREQUENT_ACCESS"}
	})
	want := []Argument{
		{"name", "/aws/lambda/shop-ship-v1"}, {"retention_in_days", 7}, {"log_group_class", "INFREQUENT_ACCESS"}, {"kms_key_id", customerKey},
	}
	if diff := cmp.Diff(want, h.LogGroupSettings()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// TestNamesOfEnvironments: an environment's prefix stands where it belongs in every name.
func TestNamesOfEnvironments(t *testing.T) {
	h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
		h.Sources[0].OnFailure.Type, h.Alarms.Enabled = "sqs", true
		s.Environments = []spec.Environment{{Settings: spec.Settings{NamePrefix: "prod-"}}}
	})
	prefix := Expression("var.name_prefix")
	for what, c := range map[string]struct{ got, want any }{
		"function":  {h.AWSName(), Text{"", prefix, "ship-v1"}},
		"log group": {h.LogGroupName(), Text{"/aws/lambda/", prefix, "ship-v1"}},
		"queue":     {h.Queue().Name, Text{"", prefix, "ship-v1-failures"}},
		"alarm":     {h.AlarmsOf()[0].Name, Text{"", prefix, "ship-v1-iterator-age"}},
		"table":     {argument(block(h.Function().Blocks, "environment").Arguments, "variables").(Object)[0].Value, Text{"", prefix, "orders"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
}

func TestProvisioned(t *testing.T) {
	const key = "provisioned_concurrent_executions"
	if h := shopHandler(t, func(*spec.Spec, *spec.Handler) {}); h.Provisioned() {
		t.Error("concurrency that nobody asked for is provisioned")
	}
	if h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) { h.ProvisionedConcurrentExecutions = 1 }); !h.Provisioned() || h.ProvisionedCount() != "" {
		t.Errorf("provisioned %v, count %q", h.Provisioned(), h.ProvisionedCount())
	}
	h := shopHandler(t, func(s *spec.Spec, _ *spec.Handler) { override(s, func(*spec.Handler) {}, key) })
	if !h.Provisioned() || h.ProvisionedCount() != "var.handler_ship_provisioned_concurrent_executions > 0 ? 1 : 0" {
		t.Errorf("in one environment: provisioned %v, count %q", h.Provisioned(), h.ProvisionedCount())
	}
}

func TestHandlerAddresses(t *testing.T) {
	few := []string{
		"aws_lambda_function.ship", "aws_cloudwatch_log_group.ship", "aws_iam_role.ship", "aws_iam_role_policy.ship",
		"aws_lambda_event_source_mapping.ship_orders",
	}
	if diff := cmp.Diff(few, shopHandler(t, func(*spec.Spec, *spec.Handler) {}).Addresses()); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	all := append(slices.Clone(few[:4]), "aws_iam_role_policy.ship_vpc", "aws_lambda_alias.ship", "aws_lambda_provisioned_concurrency_config.ship",
		"aws_lambda_event_source_mapping.ship_orders", "aws_lambda_event_source_mapping.ship_customers", "aws_sqs_queue.ship_failures",
		"aws_cloudwatch_metric_alarm.ship_iterator_age", "aws_cloudwatch_metric_alarm.ship_errors",
		"aws_cloudwatch_metric_alarm.ship_throttles", "aws_cloudwatch_metric_alarm.ship_failure_queue")
	h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) {
		h.VPC.SubnetIDs, h.Alias, h.ProvisionedConcurrentExecutions, h.Alarms.Enabled = []string{"subnet-1"}, "live", 1, true
		h.Sources[0].OnFailure.Type = "sqs"
		h.Sources = append(h.Sources, shopSource("customers"))
	})
	if diff := cmp.Diff(all, h.Addresses()); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
}
