package fileplan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/spec"
)

func TestAlarms(t *testing.T) {
	h := shopHandler(t, func(s *spec.Spec, h *spec.Handler) {
		s.NamePrefix, s.SNSTopic, s.AlarmActions = "shop-", "alarms", []string{"arn:aws:sns:us-east-1:1:page"}
		h.Alarms = spec.Alarms{Enabled: true, IteratorAge: 1, Errors: 2, Throttles: 3, FailureQueue: 4}
		h.Alias, h.Sources[0].OnFailure.Type = "live", "sqs"
	})
	type row struct {
		Local, Metric, Statistic               string
		Name                                   any
		Period, Of, Breaching, Threshold       any
		Dimensions, Actions, Missing, Operator any
	}
	var got []row
	for _, a := range h.AlarmsOf() {
		of := func(name string) any { return argument(a.Settings, name) }
		got = append(got, row{
			a.Local, of("namespace").(string) + " " + of("metric_name").(string), of("statistic").(string), a.Name,
			of("period"), of("evaluation_periods"), of("datapoints_to_alarm"), of("threshold"),
			of("dimensions"), of("alarm_actions"), of("treat_missing_data"), of("comparison_operator"),
		})
		if a.Count != "" {
			t.Errorf("%s has the count %s", a.Local, a.Count)
		}
	}
	// An alias needs no dimension of its own: FunctionName has what all versions and aliases measure.
	function := Object{{"FunctionName", Expression("aws_lambda_function.ship.function_name")}}
	queue := Object{{"QueueName", Expression("aws_sqs_queue.ship_failures.name")}}
	actions := []any{"arn:aws:sns:us-east-1:1:page", Expression("aws_sns_topic.alarms.arn")}
	const missing, above = "notBreaching", "GreaterThanThreshold"
	want := []row{
		{
			"ship_iterator_age", "AWS/Lambda IteratorAge", "Maximum", "shop-ship-v1-iterator-age",
			300, 1, nil, 1, function, actions, missing, above,
		},
		{"ship_errors", "AWS/Lambda Errors", "Sum", "shop-ship-v1-errors", 60, 5, 3, 2, function, actions, missing, above},
		{"ship_throttles", "AWS/Lambda Throttles", "Sum", "shop-ship-v1-throttles", 60, 5, 3, 3, function, actions, missing, above},
		{
			"ship_failure_queue", "AWS/SQS ApproximateNumberOfMessagesVisible", "Maximum", "shop-ship-v1-failure-queue",
			300, 1, nil, 4, queue, actions, missing, above,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alarms (-want +got):\n%s", diff)
	}
}

// TestAlarmsWithoutQueue: only a queue of ours has a depth to watch.
func TestAlarmsWithoutQueue(t *testing.T) {
	for _, kind := range []string{"none", "sns", "s3", "arn"} {
		h := shopHandler(t, func(_ *spec.Spec, h *spec.Handler) {
			h.Alarms.Enabled = true
			h.Sources[0].OnFailure = spec.OnFailure{Type: kind, ARN: "arn:aws:sqs:us-east-1:1:q"}
		})
		if got := len(h.AlarmsOf()); got != 3 {
			t.Errorf("%d alarms with destination %s, want 3", got, kind)
		}
		for _, a := range h.AlarmsOf() {
			if argument(a.Settings, "alarm_actions") != nil {
				t.Errorf("%s has actions, though the spec names none", a.Local)
			}
		}
	}
}

func TestAlarmsOfEnvironments(t *testing.T) {
	none := shopHandler(t, func(*spec.Spec, *spec.Handler) {})
	if got := none.AlarmsOf(); got != nil {
		t.Errorf("alarms that are not enabled: %v", got)
	}
	h := shopHandler(t, func(s *spec.Spec, _ *spec.Handler) {
		override(s, func(*spec.Handler) {}, "alarms.enabled", "alarms.errors")
	})
	for _, a := range h.AlarmsOf() {
		if a.Count != "var.handler_ship_alarms_enabled ? 1 : 0" {
			t.Errorf("%s has the count %q", a.Local, a.Count)
		}
	}
	if got := argument(h.AlarmsOf()[1].Settings, "threshold"); got != Expression("var.handler_ship_alarms_errors") {
		t.Errorf("threshold of errors is %v", got)
	}
	if got := argument(h.AlarmsOf()[2].Settings, "threshold"); got != 0 {
		t.Errorf("threshold of throttles is %v", got)
	}
}
