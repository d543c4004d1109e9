package local

import (
	"encoding/json"
	"strings"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/metrics"
)

// meter makes metrics of what happens in a region, as AWS's services do.
type meter struct{ store *metrics.Store }

const (
	lambdaNamespace = "AWS/Lambda"
	sqsNamespace    = "AWS/SQS"
)

// function adds to a metric of Lambda: to the function's, with and without its resource, and to all functions'.
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
func (m meter) function(function, name, unit string, value float64) {
	m.store.Count(metrics.Of(lambdaNamespace, name, "FunctionName", function), unit, value)
	m.store.Count(metrics.Of(lambdaNamespace, name, "FunctionName", function, "Resource", function), unit, value)
	m.store.Count(metrics.Of(lambdaNamespace, name), unit, value)
}

func count(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// invocation is an end of one, or one that was throttled.
func (m meter) invocation(e host.Ended) {
	function := functionOfARN(e.FunctionARN)
	if e.Throttled || e.Err == nil {
		m.function(function, "Throttles", "Count", count(e.Throttled))
	}
	if e.Err != nil { // it was not run to its end
		return
	}
	m.function(function, "Invocations", "Count", 1)
	m.function(function, "Errors", "Count", count(e.Result.FunctionError != ""))
	m.function(function, "Duration", "Milliseconds", float64(e.Result.Duration)/float64(time.Millisecond))
	m.store.Count(metrics.Of(lambdaNamespace, "ConcurrentExecutions"), "Count", float64(e.Running))
}

// undelivered is an outcome or a dead letter of an asynchronous invocation that its target did not take.
func (m meter) undelivered(d host.Delivery) {
	name := esm.DestinationDeliveryFailures
	if d.Attributes != nil {
		name = "DeadLetterErrors"
	}
	m.function(functionOfARN(d.FunctionARN), name, "Count", 1)
}

// mapping is a value of a mapping's metrics: of its function's, or of those that its MetricsConfig asks for.
func (m meter) mapping(v esm.Metric) {
	switch v.Name {
	case esm.IteratorAge:
		m.function(functionOfARN(v.FunctionARN), v.Name, "Milliseconds", max(v.Value, 0))
	case esm.DestinationDeliveryFailures:
		m.function(functionOfARN(v.FunctionARN), v.Name, "Count", v.Value)
	default:
		m.store.Count(metrics.Of(lambdaNamespace, v.Name, "EventSourceMappingUUID", v.Mapping), "Count", v.Value)
	}
}

// queue adds to a metric of SQS.
func (m meter) queue(queue, name string, value float64) {
	unit := "Count"
	if name == "SentMessageSize" {
		unit = "Bytes"
	}
	m.store.Count(metrics.Of(sqsNamespace, name, "QueueName", queue), unit, value)
}

// sample measures the queues for the minute that ended.
func (m meter) sample(queues *control.Queues, ended time.Time) {
	for _, g := range queues.Gauges() {
		for name, value := range map[string]float64{
			"ApproximateNumberOfMessagesVisible": float64(g.Visible), "ApproximateNumberOfMessagesNotVisible": float64(g.Invisible),
			"ApproximateNumberOfMessagesDelayed": float64(g.Delayed), "ApproximateAgeOfOldestMessage": g.Oldest.Seconds(),
		} {
			unit := "Count"
			if name == "ApproximateAgeOfOldestMessage" {
				unit = "Seconds"
			}
			m.store.Put(metrics.Datum{Metric: metrics.Of(sqsNamespace, name, "QueueName", g.Queue), At: ended.Add(-time.Minute), Unit: unit, Stats: metrics.One(value)})
		}
	}
}

// embedded is what the embedded metric format says of a log event's other members.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type embedded struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct {
				Name, Unit        string
				StorageResolution int
			}
		}
	} `json:"_aws"`
}

// logged makes metrics of an event in the embedded metric format, but for groups of infrequent access. What is none, or not whole, is a
// log event alone.
func (m meter) logged(groups *control.Logs, e control.LogEvent) {
	if !strings.HasPrefix(e.Message, "{") || !strings.Contains(e.Message, `"_aws"`) {
		return
	}
	if g, err := groups.Group(e.Group); err != nil || g.LogClass() != control.StandardLogs {
		return
	}
	var about embedded
	var members map[string]any
	if json.Unmarshal([]byte(e.Message), &about) != nil || json.Unmarshal([]byte(e.Message), &members) != nil {
		return
	}
	for _, directive := range about.AWS.CloudWatchMetrics {
		for _, names := range directive.Dimensions {
			of := metrics.Metric{Namespace: directive.Namespace}
			for _, name := range names {
				if value, isText := members[name].(string); isText {
					of.Dimensions = append(of.Dimensions, metrics.Dimension{Name: name, Value: value})
				}
			}
			if len(of.Dimensions) < len(names) {
				continue
			}
			for _, metric := range directive.Metrics {
				of.Name = metric.Name
				if stats := statsOf(members[metric.Name]); stats.Samples > 0 {
					m.store.Put(metrics.Datum{Metric: of, At: time.UnixMilli(about.AWS.Timestamp), Unit: metric.Unit, Fine: metric.StorageResolution == 1, Stats: stats})
				}
			}
		}
	}
}

// statsOf are those of a number, or of a list of them.
func statsOf(value any) metrics.Stats {
	var stats metrics.Stats
	switch value := value.(type) {
	case float64:
		return metrics.One(value)
	case []any:
		for _, one := range value {
			if number, isNumber := one.(float64); isNumber {
				stats.Add(metrics.One(number))
			}
		}
	}
	return stats
}
