package cloudwatch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"streamgen/internal/local/metrics"
	"streamgen/internal/local/wire"
)

type tag struct{ Key, Value string }

type putMetricAlarmInput struct {
	AlarmName, AlarmDescription                        string
	ActionsEnabled                                     *bool
	OKActions, AlarmActions, InsufficientDataActions   []string
	MetricName, Namespace                              string
	Statistic, ExtendedStatistic                       string
	Dimensions                                         []dimension
	Period, EvaluationPeriods, DatapointsToAlarm       int
	Unit                                               string
	Threshold                                          *float64
	ComparisonOperator                                 string
	TreatMissingData, EvaluateLowSampleCountPercentile string
	Tags                                               []tag
}

// check refuses what AWS refuses, and what the stack cannot evaluate.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (in *putMetricAlarmInput) check() error {
	for name, value := range map[string]string{"AlarmName": in.AlarmName, "ComparisonOperator": in.ComparisonOperator, "MetricName": in.MetricName, "Namespace": in.Namespace} {
		if value == "" {
			return missing(name)
		}
	}
	switch {
	case in.Threshold == nil:
		return missing("Threshold")
	case (in.Statistic == "") == (in.ExtendedStatistic == ""):
		return wire.Errorf("InvalidParameterCombination", "Exactly one of the parameters Statistic and ExtendedStatistic must be specified.")
	case in.EvaluationPeriods < 1:
		return invalid("1 validation error detected: Value '%d' at 'evaluationPeriods' failed to satisfy constraint: Member must have value greater than or equal to 1", in.EvaluationPeriods)
	case in.DatapointsToAlarm < 0 || in.DatapointsToAlarm > in.EvaluationPeriods:
		return invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods and greater than 0")
	case !period(in.Period):
		return invalid("Metric period must be 10, 20, 30 or a multiple of 60")
	}
	if most := 86400; in.Period < 3600 && in.Period*in.EvaluationPeriods > most || in.Period*in.EvaluationPeriods > 7*most {
		return invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d).", most)
	}
	if strings.Contains(in.ComparisonOperator, "Upper") || strings.Contains(in.ComparisonOperator, "Lower") {
		return wire.NotEmulated("the ComparisonOperator " + in.ComparisonOperator + " of PutMetricAlarm: it knows no anomaly detection")
	}
	if metrics.Comparisons()[in.ComparisonOperator] == "" {
		return invalid("1 validation error detected: Value '%s' at 'comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: %v",
			in.ComparisonOperator, slices.Sorted(maps.Keys(metrics.Comparisons())))
	}
	if !slices.Contains([]string{"", metrics.Missing, metrics.Ignore, metrics.Breaching, metrics.NotBreaching}, in.TreatMissingData) {
		return invalid("Option %s for parameter TreatMissingData is invalid, it must be one of: [breaching, notBreaching, ignore, missing]", in.TreatMissingData)
	}
	if !slices.Contains([]string{"", "evaluate", "ignore"}, in.EvaluateLowSampleCountPercentile) {
		return invalid("Option %s for parameter EvaluateLowSampleCountPercentile is invalid, it must be one of: [evaluate, ignore]", in.EvaluateLowSampleCountPercentile)
	}
	if _, err := metrics.ParseStatistic(in.Statistic + in.ExtendedStatistic); err != nil {
		return wire.NotEmulated(err.Error() + " of PutMetricAlarm")
	}
	for _, actions := range [][]string{in.OKActions, in.AlarmActions, in.InsufficientDataActions} {
		if err := checkActions(actions); err != nil {
			return err
		}
	}
	return checkUnit(in.Unit)
}

// period says whether an alarm may have a period of so many seconds.
func period(seconds int) bool {
	return slices.Contains([]int{10, 20, 30}, seconds) || seconds >= 60 && seconds%60 == 0
}

func checkActions(arns []string) error {
	if len(arns) > 5 {
		return invalid("1 validation error detected: Value at 'actions' failed to satisfy constraint: Member must have length less than or equal to 5")
	}
	for _, arn := range arns {
		parts := strings.SplitN(arn, ":", 6)
		if len(parts) != 6 || parts[0] != "arn" {
			return invalid("Invalid arn syntax: %s", arn)
		}
		if parts[2] != "sns" {
			return wire.NotEmulated("the action " + arn + " of PutMetricAlarm: it knows SNS topics")
		}
	}
	return nil
}

func (s service) putMetricAlarm(in *putMetricAlarmInput) (cbor.Map, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	m, err := metricOf(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	s.alarms.Put(metrics.Alarm{
		Name: in.AlarmName, Description: in.AlarmDescription, ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled, Tags: tags,
		OKActions: in.OKActions, AlarmActions: in.AlarmActions, InsufficientActions: in.InsufficientDataActions,
		Rule: metrics.Rule{
			Metric: m, Unit: in.Unit, Statistic: in.Statistic + in.ExtendedStatistic, Period: time.Duration(in.Period) * time.Second,
			EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm, Threshold: *in.Threshold,
			Comparison: in.ComparisonOperator, Missing: in.TreatMissingData, LowSamples: in.EvaluateLowSampleCountPercentile,
		},
	})
	return nil, nil
}

// describe gives an alarm as it was described; what was left out stays out.
func describe(a metrics.Alarm) cbor.Map {
	r := a.Rule
	out := cbor.Map{
		"AlarmName": cbor.String(a.Name), "AlarmArn": cbor.String(a.ARN), "ActionsEnabled": cbor.Bool(a.ActionsEnabled),
		"OKActions": list(a.OKActions), "AlarmActions": list(a.AlarmActions), "InsufficientDataActions": list(a.InsufficientActions),
		"MetricName": cbor.String(r.Name), "Namespace": cbor.String(r.Namespace), "Dimensions": dimensionsOf(r.Metric),
		"Period": cbor.Uint(r.Period / time.Second), "EvaluationPeriods": cbor.Uint(r.EvaluationPeriods), "Threshold": cbor.Float64(r.Threshold),
		"ComparisonOperator": cbor.String(r.Comparison), "StateValue": cbor.String(a.State), "StateReason": cbor.String(a.Reason),
		"StateUpdatedTimestamp": timestamp(a.Updated), "StateTransitionedTimestamp": timestamp(a.Transitioned),
		"AlarmConfigurationUpdatedTimestamp": timestamp(a.Configured),
	}
	statistic := "Statistic"
	if strings.HasPrefix(r.Statistic, "p") {
		statistic = "ExtendedStatistic"
	}
	for name, value := range map[string]string{
		"AlarmDescription": a.Description, statistic: r.Statistic, "Unit": r.Unit, "TreatMissingData": r.Missing,
		"EvaluateLowSampleCountPercentile": r.LowSamples, "StateReasonData": a.ReasonData,
	} {
		if value != "" {
			out[name] = cbor.String(value)
		}
	}
	if r.DatapointsToAlarm > 0 {
		out["DatapointsToAlarm"] = cbor.Uint(r.DatapointsToAlarm)
	}
	return out
}

type describeAlarmsInput struct {
	AlarmNames, AlarmTypes        []string
	AlarmNamePrefix, ActionPrefix string
	StateValue                    string
	MaxRecords                    *int
	NextToken                     string
}

func (s service) describeAlarms(in *describeAlarmsInput) (cbor.Map, error) {
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != "" {
		return nil, wire.Errorf("ValidationError", "AlarmNamePrefix and AlarmNames cannot both be specified")
	}
	limit, err := checkLimit(in.MaxRecords, 100)
	if err != nil {
		return nil, err
	}
	composite := len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, "MetricAlarm")
	alarms := slices.DeleteFunc(s.alarms.All(), func(a metrics.Alarm) bool {
		actions := slices.Concat(a.OKActions, a.AlarmActions, a.InsufficientActions)
		return composite || len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.Name) || !strings.HasPrefix(a.Name, in.AlarmNamePrefix) ||
			in.StateValue != "" && a.State != in.StateValue ||
			in.ActionPrefix != "" && !slices.ContainsFunc(actions, func(arn string) bool { return strings.HasPrefix(arn, in.ActionPrefix) })
	})
	items, next, err := page(alarms, in.NextToken, limit, func(a metrics.Alarm) string { return a.Name })
	if err != nil {
		return nil, err
	}
	described := cbor.List{}
	for _, a := range items {
		described = append(described, describe(a))
	}
	out := cbor.Map{"MetricAlarms": described, "CompositeAlarms": cbor.List{}}
	if next != "" {
		out["NextToken"] = cbor.String(next)
	}
	return out, nil
}

type describeAlarmsForMetricInput struct {
	MetricName, Namespace, Statistic, ExtendedStatistic, Unit string
	Dimensions                                                []dimension
	Period                                                    int
}

func (s service) describeAlarmsForMetric(in *describeAlarmsForMetricInput) (cbor.Map, error) {
	if in.MetricName == "" || in.Namespace == "" {
		return nil, missing("MetricName and Namespace")
	}
	m, err := metricOf(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	described := cbor.List{}
	for _, a := range s.alarms.All() {
		r := a.Rule
		if r.Same(m) && (in.Statistic+in.ExtendedStatistic == "" || r.Statistic == in.Statistic+in.ExtendedStatistic) &&
			(in.Unit == "" || r.Unit == in.Unit) && (in.Period == 0 || r.Period == time.Duration(in.Period)*time.Second) {
			described = append(described, describe(a))
		}
	}
	return cbor.Map{"MetricAlarms": described}, nil
}

type alarmNames struct{ AlarmNames []string }

func (s service) deleteAlarms(in *alarmNames) (cbor.Map, error) {
	return nil, s.alarms.Delete(in.AlarmNames)
}

func (s service) enableActions(in *alarmNames) (cbor.Map, error) {
	s.alarms.EnableActions(in.AlarmNames, true)
	return nil, nil
}

func (s service) disableActions(in *alarmNames) (cbor.Map, error) {
	s.alarms.EnableActions(in.AlarmNames, false)
	return nil, nil
}

type setStateInput struct{ AlarmName, StateValue, StateReason, StateReasonData string }

func (s service) setState(in *setStateInput) (cbor.Map, error) {
	states := []string{metrics.StateInsufficient, metrics.StateAlarm, metrics.StateOK}
	if !slices.Contains(states, in.StateValue) {
		return nil, invalid("1 validation error detected: Value '%s' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: %v", in.StateValue, states)
	}
	if in.StateReason == "" {
		return nil, missing("StateReason")
	}
	return nil, s.alarms.SetState(in.AlarmName, in.StateValue, in.StateReason, in.StateReasonData)
}

type describeHistoryInput struct {
	AlarmName, HistoryItemType, ScanBy, NextToken string
	AlarmTypes                                    []string
	StartDate, EndDate                            *float64
	MaxRecords                                    *int
}

func (s service) describeHistory(in *describeHistoryInput) (cbor.Map, error) {
	limit, err := checkLimit(in.MaxRecords, 100)
	if err != nil {
		return nil, err
	}
	items := slices.DeleteFunc(s.alarms.History(), func(h metrics.HistoryItem) bool {
		return in.AlarmName != "" && h.Alarm != in.AlarmName || in.HistoryItemType != "" && h.Kind != in.HistoryItemType ||
			in.StartDate != nil && h.At.Before(timeOf(*in.StartDate)) || in.EndDate != nil && h.At.After(timeOf(*in.EndDate)) ||
			len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, "MetricAlarm")
	})
	if in.ScanBy != "TimestampAscending" {
		slices.Reverse(items)
	}
	from := 0
	if in.NextToken != "" {
		if _, err := fmt.Sscan(in.NextToken, &from); err != nil || from < 0 || from > len(items) {
			return nil, wire.Errorf("InvalidNextToken", "The next token %s is invalid", in.NextToken)
		}
	}
	out, told := cbor.Map{}, cbor.List{}
	for _, h := range items[from:min(from+limit, len(items))] {
		told = append(told, cbor.Map{
			"AlarmName": cbor.String(h.Alarm), "AlarmType": cbor.String("MetricAlarm"), "Timestamp": timestamp(h.At),
			"HistoryItemType": cbor.String(h.Kind), "HistorySummary": cbor.String(h.Summary), "HistoryData": cbor.String(h.Data),
		})
	}
	if from+limit < len(items) {
		out["NextToken"] = cbor.String(fmt.Sprint(from + limit))
	}
	out["AlarmHistoryItems"] = told
	return out, nil
}

type listTagsInput struct{ ResourceARN string }

func (s service) listTags(in *listTagsInput) (cbor.Map, error) {
	all := cbor.List{}
	err := s.alarms.UpdateTags(in.ResourceARN, func(tags map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			all = append(all, cbor.Map{"Key": cbor.String(key), "Value": cbor.String(tags[key])})
		}
	})
	return cbor.Map{"Tags": all}, err
}

type tagInput struct {
	ResourceARN string
	Tags        []tag
}

func (s service) tag(in *tagInput) (cbor.Map, error) {
	return nil, s.alarms.UpdateTags(in.ResourceARN, func(tags map[string]string) {
		for _, t := range in.Tags {
			tags[t.Key] = t.Value
		}
	})
}

type untagInput struct {
	ResourceARN string
	TagKeys     []string
}

func (s service) untag(in *untagInput) (cbor.Map, error) {
	return nil, s.alarms.UpdateTags(in.ResourceARN, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}
