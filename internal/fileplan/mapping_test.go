package fileplan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/diag"
	"streamgen/internal/filter"
	"streamgen/internal/spec"
)

// mappingDefaults are the arguments of a mapping of which the spec says nothing.
func mappingDefaults() Object {
	return Object{
		{"event_source_arn", Expression("aws_dynamodb_table.orders.stream_arn")},
		{"function_name", Expression("aws_lambda_function.ship.arn")},
		{"starting_position", "TRIM_HORIZON"},
		{"batch_size", 100},
		{"parallelization_factor", 1},
		{"bisect_batch_on_function_error", true},
		{"maximum_retry_attempts", 10},
		{"maximum_record_age_in_seconds", 43_200},
		{"function_response_types", []string{"ReportBatchItemFailures"}},
	}
}

func TestMappingSettings(t *testing.T) {
	if diff := cmp.Diff([]Argument(mappingDefaults()), shopHandler(t, func(*spec.Spec, *spec.Handler) {}).Mappings()[0].Settings()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for name, c := range map[string]struct {
		change func(h *spec.Handler, s *spec.Source)
		want   any
	}{
		"function_name":                      {func(h *spec.Handler, _ *spec.Source) { h.Alias = "live" }, Expression("aws_lambda_alias.ship.arn")},
		"starting_position":                  {func(_ *spec.Handler, s *spec.Source) { s.StartingPosition = "LATEST" }, "LATEST"},
		"batch_size":                         {func(_ *spec.Handler, s *spec.Source) { s.BatchSize = 7 }, 7},
		"maximum_batching_window_in_seconds": {func(_ *spec.Handler, s *spec.Source) { s.MaximumBatchingWindow = 5 }, 5},
		"parallelization_factor":             {func(_ *spec.Handler, s *spec.Source) { s.ParallelizationFactor = 3 }, 3},
		"bisect_batch_on_function_error":     {func(_ *spec.Handler, s *spec.Source) { s.BisectBatchOnFunctionError = false }, nil},
		"maximum_retry_attempts":             {func(_ *spec.Handler, s *spec.Source) { s.MaximumRetryAttempts = -1 }, -1},
		"maximum_record_age_in_seconds":      {func(_ *spec.Handler, s *spec.Source) { s.MaximumRecordAge = -1 }, -1},
		"tumbling_window_in_seconds":         {func(_ *spec.Handler, s *spec.Source) { s.TumblingWindow = 60 }, 60},
		"function_response_types":            {func(_ *spec.Handler, s *spec.Source) { s.ReportBatchItemFailures = false }, nil},
		"enabled":                            {func(_ *spec.Handler, s *spec.Source) { s.Enabled = false }, false},
		"kms_key_arn":                        {func(_ *spec.Handler, s *spec.Source) { s.FilterKMSKeyARN = customerKey }, customerKey},
		"tags": {
			func(h *spec.Handler, _ *spec.Source) { h.Tags = []spec.Tag{{Key: "Team", Value: "a"}} }, Object{{"Team", "a"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) { c.change(h, &h.Sources[0]) })
			got := argument(h.Mappings()[0].Settings(), name)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if cmp.Equal(argument(mappingDefaults(), name), got) {
				t.Error("the case does not change anything")
			}
		})
	}
}

func TestMappingBlocks(t *testing.T) {
	one := func(name string, arguments ...Argument) Block { return Block{Name: name, Arguments: arguments} }
	for name, c := range map[string]struct {
		change func(s *spec.Source)
		want   []Block
	}{
		"nothing": {func(*spec.Source) {}, nil},
		"typed filter": {
			func(s *spec.Source) { s.On = []filter.Kind{filter.Insert} },
			[]Block{{Name: "filter_criteria", Blocks: []Block{one("filter", Argument{"pattern", `{"eventName":["INSERT"]}`})}}},
		},
		"raw filter": {
			func(s *spec.Source) { s.Patterns = []string{`{"a":[1]}`, `{"b":[2]}`} },
			[]Block{{Name: "filter_criteria", Blocks: []Block{
				one("filter", Argument{"pattern", `{"a":[1]}`}), one("filter", Argument{"pattern", `{"b":[2]}`}),
			}}},
		},
		"metrics": {
			func(s *spec.Source) { s.EventCount = true },
			[]Block{one("metrics_config", Argument{"metrics", []string{"EventCount"}})},
		},
		"destination": {
			func(s *spec.Source) { s.OnFailure = spec.OnFailure{Type: "arn", ARN: "arn:aws:sqs:us-east-1:1:q"} },
			[]Block{{Name: "destination_config", Blocks: []Block{one("on_failure", Argument{"destination_arn", "arn:aws:sqs:us-east-1:1:q"})}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) { c.change(&h.Sources[0]) })
			if diff := cmp.Diff(c.want, h.Mappings()[0].Blocks()); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMappingOverrides: what an environment sets for the handler holds for the mappings that do not set it themselves.
func TestMappingOverrides(t *testing.T) {
	h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
		h.Origin.Keys = map[string]diag.Position{"batch_size": at(11)}
		common, own := shopSource("orders"), shopSource("customers")
		common.Origin.Keys = h.Origin.Keys
		own.Origin = spec.Origin{Path: "handlers.ship.tables.customers", Keys: map[string]diag.Position{"batch_size": at(14), "metrics_config.metrics": at(15)}}
		own.EventCount = true
		h.Sources = []spec.Source{common, own}
		override(s, func(*spec.Handler) {}, "batch_size", "metrics_config", "kms_key_arn", "enabled")
	})
	common, own := h.Mappings()[0], h.Mappings()[1]
	if got := argument(common.Settings(), "batch_size"); got != Expression("var.handler_ship_batch_size") {
		t.Errorf("batch_size of the handler's mapping is %v", got)
	}
	if got := argument(own.Settings(), "batch_size"); got != 100 {
		t.Errorf("batch_size of the mapping with its own is %v", got)
	}
	if got := argument(own.Settings(), "enabled"); got != Expression("var.handler_ship_enabled") {
		t.Errorf("enabled of the mapping without its own is %v", got)
	}
	if got := block(common.Blocks(), "metrics_config").ForEach; got != "var.handler_ship_metrics_config ? [true] : []" {
		t.Errorf("metrics_config of the handler's mapping is for each of %q", got)
	}
	if got := block(own.Blocks(), "metrics_config").ForEach; got != "" {
		t.Errorf("metrics_config of the mapping with its own is for each of %q", got)
	}
	if got := argument(common.Settings(), "kms_key_arn"); got != nil {
		t.Errorf("the function's key encrypts the filter: %v", got)
	}
	if common.Local != "ship_orders" || own.Local != "ship_customers" {
		t.Errorf("mappings %s and %s", common.Local, own.Local)
	}
}

func TestDependsOn(t *testing.T) {
	for service, want := range map[string][]Expression{
		"none": {"aws_iam_role_policy.ship"},
		"sqs":  {"aws_iam_role_policy.ship"},
		"s3": {
			"aws_iam_role_policy.ship", "aws_s3_bucket_public_access_block.ship_failures",
			"aws_s3_bucket_server_side_encryption_configuration.ship_failures",
		},
	} {
		h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) { h.Sources[0].OnFailure.Type = service })
		if diff := cmp.Diff(want, h.Mappings()[0].DependsOn()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", service, diff)
		}
	}
}
