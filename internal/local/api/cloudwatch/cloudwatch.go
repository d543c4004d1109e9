// Package cloudwatch is the front end of CloudWatch's alarms in the local stack. Alarms are described and listed; nothing measures, so
// that none ever changes its state.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// Service is the name of the service in the paths of its protocol.
const Service = "GraniteServiceVersion20100801"

// described are the members of an alarm that are kept as they were given.
var described = []string{
	"AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName", "Namespace",
	"Statistic", "Dimensions", "Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
}

// Description is an alarm as it was described.
type Description cbor.Map

// MarshalJSON gives the CBOR, in which a number keeps its kind.
func (d Description) MarshalJSON() ([]byte, error) { return json.Marshal(cbor.Encode(cbor.Map(d))) }

// UnmarshalJSON is the reverse.
func (d *Description) UnmarshalJSON(text []byte) error {
	var encoded []byte
	if err := json.Unmarshal(text, &encoded); err != nil {
		return err
	}
	v, err := cbor.Decode(encoded)
	if err != nil {
		return err
	}
	m, ok := v.(cbor.Map)
	if !ok {
		return fmt.Errorf("a description is %T", v)
	}
	*d = Description(m)
	return nil
}

// New gives the front end of one region's alarms.
func New(alarms *control.Alarms[Description]) http.Handler {
	s := service{alarms}
	op := func(do func(cbor.Map) (cbor.Map, error), members ...string) wire.CBOROperation {
		return wire.CBOROperation{Members: members, Do: func(_ context.Context, in cbor.Map) (cbor.Map, error) {
			out, err := do(in)
			var e *control.Error
			if errors.As(err, &e) {
				return nil, wire.Errorf(e.Code, "%s", e.Message)
			}
			return out, err
		}}
	}
	return &wire.CBOR{Operations: map[string]wire.CBOROperation{
		"PutMetricAlarm":      op(s.putMetricAlarm, append(slices.Clone(described), "Tags")...),
		"DescribeAlarms":      op(s.describeAlarms, "AlarmNames", "AlarmNamePrefix", "AlarmTypes", "MaxRecords"),
		"DeleteAlarms":        op(s.deleteAlarms, "AlarmNames"),
		"ListTagsForResource": op(s.listTags, "ResourceARN"),
		"TagResource":         op(s.tag, "ResourceARN", "Tags"),
		"UntagResource":       op(s.untag, "ResourceARN", "TagKeys"),
	}}
}

type service struct{ alarms *control.Alarms[Description] }

func (s service) putMetricAlarm(in cbor.Map) (cbor.Map, error) {
	for _, name := range []string{"AlarmName", "ComparisonOperator", "EvaluationPeriods", "MetricName", "Namespace", "Period", "Threshold"} {
		if in[name] == nil {
			return nil, wire.Errorf("ValidationError", "The parameter %s is required: streamgen local knows alarms on one metric alone", name)
		}
	}
	description := Description{"ActionsEnabled": cbor.Bool(true)}
	for _, name := range described {
		if v := in[name]; v != nil {
			description[name] = v
		}
	}
	s.alarms.Put(text(in["AlarmName"]), description, tagsOf(in["Tags"]))
	return nil, nil
}

func (s service) describeAlarms(in cbor.Map) (cbor.Map, error) {
	names := texts(in["AlarmNames"])
	prefix := text(in["AlarmNamePrefix"])
	list := cbor.List{}
	for _, a := range s.alarms.All() {
		if len(names) > 0 && !slices.Contains(names, a.Name) || !strings.HasPrefix(a.Name, prefix) {
			continue
		}
		out := cbor.Map(maps.Clone(a.Description))
		updated := &cbor.Tag{ID: 1, Value: cbor.Float64(float64(a.Updated.UnixMilli()) / 1000)}
		out["AlarmArn"], out["StateValue"] = cbor.String(a.ARN), cbor.String("INSUFFICIENT_DATA")
		out["StateReason"] = cbor.String("streamgen local measures nothing")
		out["StateUpdatedTimestamp"], out["AlarmConfigurationUpdatedTimestamp"] = updated, updated
		list = append(list, out)
	}
	return cbor.Map{"MetricAlarms": list, "CompositeAlarms": cbor.List{}}, nil
}

func (s service) deleteAlarms(in cbor.Map) (cbor.Map, error) {
	return nil, s.alarms.Delete(texts(in["AlarmNames"]))
}

func (s service) listTags(in cbor.Map) (cbor.Map, error) {
	list := cbor.List{}
	err := s.alarms.UpdateTags(text(in["ResourceARN"]), func(tags map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			list = append(list, cbor.Map{"Key": cbor.String(key), "Value": cbor.String(tags[key])})
		}
	})
	return cbor.Map{"Tags": list}, err
}

func (s service) tag(in cbor.Map) (cbor.Map, error) {
	return nil, s.alarms.UpdateTags(text(in["ResourceARN"]), func(tags map[string]string) { maps.Copy(tags, tagsOf(in["Tags"])) })
}

func (s service) untag(in cbor.Map) (cbor.Map, error) {
	return nil, s.alarms.UpdateTags(text(in["ResourceARN"]), func(tags map[string]string) {
		for _, key := range texts(in["TagKeys"]) {
			delete(tags, key)
		}
	})
}

func text(v cbor.Value) string {
	s, _ := v.(cbor.String)
	return string(s)
}

func texts(v cbor.Value) []string {
	list, _ := v.(cbor.List)
	var out []string
	for _, one := range list {
		out = append(out, text(one))
	}
	return out
}

func tagsOf(v cbor.Value) map[string]string {
	list, _ := v.(cbor.List)
	tags := map[string]string{}
	for _, one := range list {
		if tag, ok := one.(cbor.Map); ok {
			tags[text(tag["Key"])] = text(tag["Value"])
		}
	}
	return tags
}
