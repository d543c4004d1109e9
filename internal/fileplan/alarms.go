package fileplan

import (
	"slices"
	"strings"

	"streamgen/internal/spec"
)

// Alarm is one metric alarm of a handler. It goes off above its threshold and says nothing where there is nothing to
// measure.
type Alarm struct {
	Local string
	Name  any
	// Settings are the alarm's arguments after its name.
	Settings []Argument
	// Count is the number of the alarm's resources where environments differ; empty where they do not.
	Count Expression
}

// AlarmsOf are the handler's alarms. The dimension FunctionName has what was measured for all versions and aliases of
// a function, and so it is right where the mappings invoke an alias.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
func (h Handler) AlarmsOf() []Alarm {
	const enabled = "alarms.enabled"
	if !h.Alarms.Enabled && !h.Varies(enabled) {
		return nil
	}
	function := Object{{"FunctionName", Expression("aws_lambda_function." + h.Local + ".function_name")}}
	// What fails or is throttled is tried again within seconds. It is no reason to wake somebody until it goes on, in
	// three of five minutes, which leaves room for the growing pauses between the attempts. The age of stuck records
	// grows by itself, and what is in the queue was tried often enough: there one value tells all.
	once := []Argument{{"period", 300}, {"evaluation_periods", 1}}
	lasting := []Argument{{"period", 60}, {"evaluation_periods", 5}, {"datapoints_to_alarm", 3}}
	list := []Alarm{
		h.alarm("iterator_age", "Milliseconds that records waited in the stream.",
			metric{"AWS/Lambda", "IteratorAge", "Maximum", function}, once, h.Alarms.IteratorAge),
		h.alarm("errors", "Invocations that failed.",
			metric{"AWS/Lambda", "Errors", "Sum", function}, lasting, h.Alarms.Errors),
		h.alarm("throttles", "Invocations that were refused because too many were under way.",
			metric{"AWS/Lambda", "Throttles", "Sum", function}, lasting, h.Alarms.Throttles),
	}
	if q := h.Queue(); q != nil {
		queue := Object{{"QueueName", Expression("aws_sqs_queue." + q.Local + ".name")}}
		list = append(list, h.alarm("failure_queue", "Batches of records that were given up and wait in the queue.",
			metric{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", queue}, once, h.Alarms.FailureQueue))
	}
	if h.ParkingQueue.Enabled {
		queue := Object{{"QueueName", Expression(h.parkingAddress() + ".name")}}
		list = append(list, h.alarm("parking_queue", "Records that the handler parked and that wait in the queue.",
			metric{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", queue}, once, h.Alarms.ParkingQueue))
	}
	if h.Varies(enabled) {
		for i := range list {
			list[i].Count = h.Var(enabled) + " ? 1 : 0"
		}
	}
	return list
}

// metric is what an alarm watches.
type metric struct {
	namespace, name, statistic string
	dimensions                 Object
}

// topic is the ARN of the topic of all alarms, which the main stack makes: the others name it.
func (h Handler) topic() any {
	if h.StackName() == spec.MainStack {
		return Expression("aws_sns_topic.alarms.arn")
	}
	return append(Text{"arn:", partition, ":sns:", region, ":", account, ":"}, parts(h.Prefixed(h.SNSTopic))...)
}

// alarm is one alarm; key is that of its threshold below "alarms", periods are the arguments that say how long.
func (h Handler) alarm(key, description string, m metric, periods []Argument, threshold int) Alarm {
	settings := slices.Concat(
		[]Argument{{"alarm_description", description}, {"namespace", m.namespace}, {"metric_name", m.name}, {"statistic", m.statistic}},
		periods,
		[]Argument{
			{"comparison_operator", "GreaterThanThreshold"},
			{"threshold", h.Arg("alarms."+key, threshold)},
			{"treat_missing_data", "notBreaching"},
		},
	)
	actions := anys(h.AlarmActions)
	if h.SNSTopic != "" {
		actions = append(actions, h.topic())
	}
	if len(actions) > 0 {
		settings = append(settings, Argument{"alarm_actions", actions})
	}
	settings = append(settings, Argument{"dimensions", m.dimensions})
	name := h.FunctionName + "-" + strings.ReplaceAll(key, "_", "-")
	return Alarm{Local: h.Local + "_" + key, Name: h.Prefixed(name), Settings: h.tagged(settings)}
}
