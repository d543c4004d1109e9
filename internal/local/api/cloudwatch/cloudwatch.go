// Package cloudwatch is the front end of CloudWatch in the local stack: metrics, and alarms on one metric each.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
package cloudwatch

import (
	"net/http"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/metrics"
	"streamgen/internal/local/wire"
)

// Service is the name of the service in the paths of its protocol, and before the operation in X-Amz-Target.
const Service = "GraniteServiceVersion20100801"

// Front is CloudWatch's API in the two protocols that clients speak.
type Front struct{ CBOR, JSON http.Handler }

// New gives the front end of one region's metrics and alarms.
func New(store *metrics.Store, alarms *metrics.Alarms, c clock.Clock) Front {
	s := service{store, alarms, c}
	operations := map[string]wire.CBOROperation{
		"PutMetricAlarm":          wire.TypedCBOR("PutMetricAlarm", s.putMetricAlarm),
		"DescribeAlarms":          wire.TypedCBOR("DescribeAlarms", s.describeAlarms),
		"DescribeAlarmsForMetric": wire.TypedCBOR("DescribeAlarmsForMetric", s.describeAlarmsForMetric),
		"DescribeAlarmHistory":    wire.TypedCBOR("DescribeAlarmHistory", s.describeHistory),
		"DeleteAlarms":            wire.TypedCBOR("DeleteAlarms", s.deleteAlarms),
		"SetAlarmState":           wire.TypedCBOR("SetAlarmState", s.setState),
		"EnableAlarmActions":      wire.TypedCBOR("EnableAlarmActions", s.enableActions),
		"DisableAlarmActions":     wire.TypedCBOR("DisableAlarmActions", s.disableActions),
		"ListTagsForResource":     wire.TypedCBOR("ListTagsForResource", s.listTags),
		"TagResource":             wire.TypedCBOR("TagResource", s.tag),
		"UntagResource":           wire.TypedCBOR("UntagResource", s.untag),

		"PutMetricData":       wire.TypedCBOR("PutMetricData", s.putMetricData),
		"GetMetricData":       wire.TypedCBOR("GetMetricData", s.getMetricData),
		"GetMetricStatistics": wire.TypedCBOR("GetMetricStatistics", s.getMetricStatistics),
		"ListMetrics":         wire.TypedCBOR("ListMetrics", s.listMetrics),
	}
	json := map[string]wire.Operation{}
	for name, op := range operations {
		json[name] = op.AsJSON()
	}
	return Front{CBOR: &wire.CBOR{Operations: operations}, JSON: &wire.JSON{Version: "1.0", Target: Service, Operations: json}}
}

type service struct {
	store  *metrics.Store
	alarms *metrics.Alarms
	clock  clock.Clock
}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}

func missing(parameter string) error {
	return wire.Errorf("MissingParameter", "The parameter %s is required.", parameter)
}

func wrong(format string, args ...any) error {
	return wire.Errorf("InvalidParameterValue", format, args...)
}

// timestamp is a time as the protocol has it.
func timestamp(t time.Time) cbor.Value {
	return &cbor.Tag{ID: 1, Value: cbor.Float64(float64(t.UnixMilli()) / 1000)}
}

// timeOf is the time of a request's seconds.
func timeOf(seconds float64) time.Time { return time.UnixMilli(int64(seconds * 1000)).UTC() }

func list(texts []string) cbor.List {
	all := cbor.List{}
	for _, text := range texts {
		all = append(all, cbor.String(text))
	}
	return all
}

// page gives the part of an ordered list that follows the one which token names.
func page[T any](all []T, token string, limit int, name func(T) string) (items []T, next string, err error) {
	if token != "" {
		from := -1
		for i, item := range all {
			if name(item) == token {
				from = i
			}
		}
		if from < 0 {
			return nil, "", wire.Errorf("InvalidNextToken", "The next token %s is invalid", token)
		}
		all = all[from+1:]
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], name(all[limit-1]), nil
}

// checkLimit gives the limit, or the greatest one when none is given.
func checkLimit(limit *int, greatest int) (int, error) {
	if limit == nil {
		return greatest, nil
	}
	if *limit < 1 || *limit > greatest {
		return 0, invalid("1 validation error detected: Value '%d' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and %d", *limit, greatest)
	}
	return *limit, nil
}

// dimension is also a filter of ListMetrics, whose value may be left out.
type dimension struct {
	Name  string
	Value *string
}

func metricOf(namespace, name string, dimensions []dimension) (metrics.Metric, error) {
	m := metrics.Metric{Namespace: namespace, Name: name}
	if len(dimensions) > 30 {
		return m, invalid("1 validation error detected: Value at 'dimensions' failed to satisfy constraint: Member must have length less than or equal to 30")
	}
	for _, d := range dimensions {
		if d.Name == "" || d.Value == nil || *d.Value == "" {
			return m, missing("Dimensions.member.Name and Value")
		}
		m.Dimensions = append(m.Dimensions, metrics.Dimension{Name: d.Name, Value: *d.Value})
	}
	return m, nil
}

func dimensionsOf(m metrics.Metric) cbor.List {
	all := cbor.List{}
	for _, d := range m.Dimensions {
		all = append(all, cbor.Map{"Name": cbor.String(d.Name), "Value": cbor.String(d.Value)})
	}
	return all
}
