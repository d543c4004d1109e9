package cloudwatch_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/api/cloudwatch"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/metrics"
)

type fixture struct {
	*sdk.Client
	clock  *clock.Manual
	alarms *metrics.Alarms
	json   http.Handler
}

func newFixture(t *testing.T) fixture {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC))
	store := metrics.NewStore(c)
	alarms := metrics.NewAlarms(metrics.Options{Account: "000000000000", Region: "us-east-1", Clock: c, Store: store})
	t.Cleanup(alarms.Close)
	front := cloudwatch.New(store, alarms, c)
	server := httptest.NewServer(front.CBOR)
	t.Cleanup(server.Close)
	return fixture{sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}), c, alarms, front.JSON}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func alarm() *sdk.PutMetricAlarmInput {
	return &sdk.PutMetricAlarmInput{
		AlarmName: aws.String("queue"), AlarmDescription: aws.String("too many"), Namespace: aws.String("app"), MetricName: aws.String("Depth"),
		Dimensions: []types.Dimension{{Name: aws.String("Queue"), Value: aws.String("q")}}, Statistic: types.StatisticMaximum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData: aws.String("notBreaching"), AlarmActions: []string{"arn:aws:sns:us-east-1:123456789012:everybody"},
		Tags: []types.Tag{{Key: aws.String("Team"), Value: aws.String("orders")}},
	}
}

func TestAlarm(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	_, err := f.PutMetricAlarm(ctx, alarm())
	must(t, err)
	describe := func() types.MetricAlarm {
		t.Helper()
		out, err := f.DescribeAlarms(ctx, &sdk.DescribeAlarmsInput{AlarmNames: []string{"queue"}, AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm}})
		must(t, err)
		if len(out.MetricAlarms) != 1 {
			t.Fatalf("got %+v", out)
		}
		return out.MetricAlarms[0]
	}
	got, in := describe(), alarm()
	if aws.ToString(got.AlarmArn) != "arn:aws:cloudwatch:us-east-1:000000000000:alarm:queue" || *got.AlarmDescription != *in.AlarmDescription ||
		*got.MetricName != *in.MetricName || got.Statistic != in.Statistic || *got.Period != 60 || *got.Threshold != 10 || got.DatapointsToAlarm != nil ||
		!aws.ToBool(got.ActionsEnabled) || *got.TreatMissingData != "notBreaching" || got.StateValue != types.StateValueInsufficientData ||
		cmp.Diff(got.AlarmActions, in.AlarmActions) != "" || *got.Dimensions[0].Value != "q" {
		t.Errorf("got %+v", got)
	}
	tags, err := f.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceARN: got.AlarmArn})
	must(t, err)
	if len(tags.Tags) != 1 || *tags.Tags[0].Value != "orders" {
		t.Errorf("got %+v", tags)
	}

	_, err = f.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("app"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Depth"), Dimensions: in.Dimensions, Value: aws.Float64(11), Unit: types.StandardUnitCount}}})
	must(t, err)
	f.clock.AwaitSleepers(1)
	f.clock.Advance(time.Minute)
	f.clock.AwaitSleepers(1)
	if got := describe(); got.StateValue != types.StateValueAlarm || !strings.HasPrefix(*got.StateReason, "Threshold Crossed: 1 out of the last 1 datapoint [11.0 (02/01/26 03:04:00)] was greater than the threshold (10.0)") {
		t.Errorf("got %s %s", got.StateValue, *got.StateReason)
	}
	history, err := f.DescribeAlarmHistory(ctx, &sdk.DescribeAlarmHistoryInput{AlarmName: aws.String("queue"), MaxRecords: aws.Int32(2)})
	must(t, err)
	if len(history.AlarmHistoryItems) != 2 || history.NextToken == nil || *history.AlarmHistoryItems[1].HistorySummary != "Alarm updated from INSUFFICIENT_DATA to ALARM" {
		t.Errorf("got %+v", history)
	}
	_, err = f.SetAlarmState(ctx, &sdk.SetAlarmStateInput{AlarmName: aws.String("queue"), StateValue: types.StateValueOk, StateReason: aws.String("by hand")})
	must(t, err)
	if got := describe(); got.StateValue != types.StateValueOk || *got.StateReason != "by hand" {
		t.Errorf("got %+v", got)
	}
	forMetric, err := f.DescribeAlarmsForMetric(ctx, &sdk.DescribeAlarmsForMetricInput{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: in.Dimensions})
	must(t, err)
	if len(forMetric.MetricAlarms) != 1 {
		t.Errorf("got %+v", forMetric)
	}
	_, err = f.DisableAlarmActions(ctx, &sdk.DisableAlarmActionsInput{AlarmNames: []string{"queue"}})
	must(t, err)
	if aws.ToBool(describe().ActionsEnabled) {
		t.Error("the actions are enabled")
	}
	_, err = f.DeleteAlarms(ctx, &sdk.DeleteAlarmsInput{AlarmNames: []string{"queue"}})
	must(t, err)
	_, err = f.DeleteAlarms(ctx, &sdk.DeleteAlarmsInput{AlarmNames: []string{"queue"}})
	wantError(t, err, "ResourceNotFound", "Unable to find alarm queue")
}

func TestRefusedAlarms(t *testing.T) {
	f := newFixture(t)
	for want, change := range map[string]func(*sdk.PutMetricAlarmInput){
		`does not emulate "Metrics" of PutMetricAlarm`: func(in *sdk.PutMetricAlarmInput) {
			in.Metrics = []types.MetricDataQuery{{Id: aws.String("e"), Expression: aws.String("1")}}
		},
		"does not emulate the ComparisonOperator GreaterThanUpperThreshold": func(in *sdk.PutMetricAlarmInput) {
			in.ComparisonOperator = types.ComparisonOperatorGreaterThanUpperThreshold
		},
		"does not emulate the action arn:aws:lambda:us-east-1:000000000000:function:f": func(in *sdk.PutMetricAlarmInput) {
			in.AlarmActions = []string{"arn:aws:lambda:us-east-1:000000000000:function:f"}
		},
		"does not emulate the statistic tm90": func(in *sdk.PutMetricAlarmInput) {
			in.Statistic, in.ExtendedStatistic = "", aws.String("tm90")
		},
		"Metric period must be 10, 20, 30 or a multiple of 60":              func(in *sdk.PutMetricAlarmInput) { in.Period = aws.Int32(61) },
		"EvaluationPeriods * Period must be <= 86400":                       func(in *sdk.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(1441) },
		"Option never for parameter TreatMissingData is invalid":            func(in *sdk.PutMetricAlarmInput) { in.TreatMissingData = aws.String("never") },
		"DatapointsToAlarm must be less than or equal to EvaluationPeriods": func(in *sdk.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) },
		"Exactly one of the parameters Statistic and ExtendedStatistic":     func(in *sdk.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p90") },
	} {
		in := alarm()
		change(in)
		_, err := f.PutMetricAlarm(t.Context(), in)
		var api smithy.APIError
		if !errors.As(err, &api) || !strings.Contains(api.ErrorMessage(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	_, err := f.PutCompositeAlarm(t.Context(), &sdk.PutCompositeAlarmInput{AlarmName: aws.String("c"), AlarmRule: aws.String("TRUE")})
	wantError(t, err, "UnknownOperationException", "streamgen local does not emulate PutCompositeAlarm")
}

func TestMetricData(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	now := f.clock.Now()
	var data []types.MetricDatum
	for i := range 500 { // enough for the client to compress it
		data = append(data, types.MetricDatum{MetricName: aws.String("Took"), Unit: types.StandardUnitMilliseconds, Value: aws.Float64(float64(i % 10)),
			Timestamp: aws.Time(now.Add(-time.Duration(i%2) * time.Minute)), Dimensions: []types.Dimension{{Name: aws.String("Of"), Value: aws.String("a")}}})
	}
	_, err := f.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("app"), MetricData: data})
	must(t, err)
	_, err = f.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("app"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Set"), StatisticValues: &types.StatisticSet{SampleCount: aws.Float64(2), Sum: aws.Float64(5), Minimum: aws.Float64(1), Maximum: aws.Float64(4)}},
		{MetricName: aws.String("Many"), Values: []float64{1, 2}, Counts: []float64{3, 1}}}})
	must(t, err)

	stat := func(name, stat string, dimensions ...types.Dimension) types.MetricDataQuery {
		return types.MetricDataQuery{Id: aws.String(strings.ToLower(name)), MetricStat: &types.MetricStat{Stat: &stat, Period: aws.Int32(60),
			Metric: &types.Metric{Namespace: aws.String("app"), MetricName: &name, Dimensions: dimensions}}}
	}
	out, err := f.GetMetricData(ctx, &sdk.GetMetricDataInput{StartTime: aws.Time(now.Add(-5 * time.Minute)), EndTime: aws.Time(now.Add(time.Minute)), MetricDataQueries: []types.MetricDataQuery{
		stat("Took", "Average", data[0].Dimensions...), stat("Set", "Average"), stat("Many", "Sum"), stat("None", "Sum")}})
	must(t, err)
	var got []string
	for _, r := range out.MetricDataResults {
		got = append(got, fmt.Sprint(*r.Id, r.Values))
	}
	if d := cmp.Diff([]string{"took[4 5]", "set[2.5]", "many[5]", "none[]"}, got); d != "" {
		t.Error(d)
	}
	if !out.MetricDataResults[0].Timestamps[0].Equal(now) {
		t.Errorf("the newest is of %v", out.MetricDataResults[0].Timestamps[0])
	}
	statistics, err := f.GetMetricStatistics(ctx, &sdk.GetMetricStatisticsInput{Namespace: aws.String("app"), MetricName: aws.String("Took"), Dimensions: data[0].Dimensions,
		StartTime: aws.Time(now.Add(-time.Minute)), EndTime: aws.Time(now.Add(time.Minute)), Period: aws.Int32(120), Statistics: []types.Statistic{types.StatisticSum, types.StatisticSampleCount}, ExtendedStatistics: []string{"p50"}})
	must(t, err)
	if p := statistics.Datapoints; len(p) != 1 || *p[0].Sum != 2250 || *p[0].SampleCount != 500 || p[0].ExtendedStatistics["p50"] != 4.5 || p[0].Unit != types.StandardUnitMilliseconds {
		t.Errorf("got %+v", p)
	}
	list, err := f.ListMetrics(ctx, &sdk.ListMetricsInput{Namespace: aws.String("app"), Dimensions: []types.DimensionFilter{{Name: aws.String("Of")}}})
	must(t, err)
	if len(list.Metrics) != 1 || *list.Metrics[0].MetricName != "Took" {
		t.Errorf("got %+v", list.Metrics)
	}
	_, err = f.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("AWS/Lambda"), MetricData: data[:1]})
	wantError(t, err, "InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
	_, err = f.PutMetricData(ctx, &sdk.PutMetricDataInput{Namespace: aws.String("app"), MetricData: []types.MetricDatum{{MetricName: aws.String("m"), Value: aws.Float64(1), Timestamp: aws.Time(now.Add(-15 * 24 * time.Hour))}}})
	wantError(t, err, "InvalidParameterValue", "no older than 14 days")
	_, err = f.GetMetricData(ctx, &sdk.GetMetricDataInput{StartTime: aws.Time(now.Add(-time.Hour)), EndTime: &now, MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("e"), Expression: aws.String("a+b")}}})
	wantError(t, err, "ValidationException", "streamgen local does not emulate the Expression a+b of GetMetricData")
}

// The protocol of clients that do not speak CBOR.
func TestJSON(t *testing.T) {
	f := newFixture(t)
	call := func(operation, body string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", cloudwatch.Service+"."+operation)
		w := httptest.NewRecorder()
		f.json.ServeHTTP(w, r)
		text, _ := io.ReadAll(w.Body)
		return string(text)
	}
	if got := call("PutMetricData", `{"Namespace":"app","MetricData":[{"MetricName":"m","Value":1.5}]}`); got != "{}" {
		t.Errorf("got %s", got)
	}
	from := f.clock.Now().Unix()
	got := call("GetMetricStatistics", fmt.Sprintf(`{"Namespace":"app","MetricName":"m","StartTime":%d,"EndTime":%d,"Period":60,"Statistics":["Sum"]}`, from, from+60))
	if want := fmt.Sprintf(`{"Datapoints":[{"Sum":1.5,"Timestamp":%d,"Unit":"None"}],"Label":"m"}`, from); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := call("PutMetricData", `{"Nonsense":1}`); !strings.Contains(got, `does not emulate \"Nonsense\" of PutMetricData`) {
		t.Errorf("got %s", got)
	}
}
