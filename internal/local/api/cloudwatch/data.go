package cloudwatch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"streamgen/internal/local/metrics"
	"streamgen/internal/local/wire"
)

// units are those of CloudWatch.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
var units = strings.Fields(`Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits
	Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second Bits/Second Kilobits/Second
	Megabits/Second Gigabits/Second Terabits/Second Count/Second None`)

func checkUnit(unit string) error {
	if unit != "" && !slices.Contains(units, unit) {
		return wrong("The value %s for parameter Unit is invalid.", unit)
	}
	return nil
}

type statisticSet struct{ SampleCount, Sum, Minimum, Maximum float64 }

type datum struct {
	MetricName        string
	Dimensions        []dimension
	Timestamp         *float64
	Value             *float64
	StatisticValues   *statisticSet
	Values, Counts    []float64
	Unit              string
	StorageResolution *int
}

type putMetricDataInput struct {
	Namespace  string
	MetricData []datum
}

// Limits of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
const (
	maxData   = 1000
	maxValues = 150
	maxAge    = 14 * 24 * time.Hour
	maxAhead  = 2 * time.Hour
)

func (s service) putMetricData(in *putMetricDataInput) (cbor.Map, error) {
	switch {
	case in.Namespace == "":
		return nil, missing("Namespace")
	case strings.HasPrefix(in.Namespace, "AWS/"):
		return nil, wrong("The value AWS/ for parameter Namespace is invalid.")
	case len(in.MetricData) == 0:
		return nil, missing("MetricData")
	case len(in.MetricData) > maxData:
		return nil, invalid("1 validation error detected: Value at 'metricData' failed to satisfy constraint: Member must have length less than or equal to %d", maxData)
	}
	now := s.clock.Now()
	data := make([]metrics.Datum, len(in.MetricData))
	for i := range in.MetricData {
		var err error
		if data[i], err = in.MetricData[i].read(in.Namespace, i+1, now); err != nil {
			return nil, err
		}
	}
	s.store.Put(data...)
	return nil, nil
}

// read gives the datum of a number in its request.
func (d *datum) read(namespace string, number int, now time.Time) (metrics.Datum, error) {
	name := fmt.Sprintf("MetricData.member.%d.", number)
	if d.MetricName == "" {
		return metrics.Datum{}, missing(name + "MetricName")
	}
	m, err := metricOf(namespace, d.MetricName, d.Dimensions)
	if err != nil {
		return metrics.Datum{}, err
	}
	if err := checkUnit(d.Unit); err != nil {
		return metrics.Datum{}, err
	}
	at := now
	if d.Timestamp != nil {
		at = timeOf(*d.Timestamp)
	}
	if now.Sub(at) > maxAge || at.Sub(now) > maxAhead {
		return metrics.Datum{}, wrong("The parameter %sTimestamp must specify a time no older than 14 days and no more than 2 hours in the future.", name)
	}
	out := metrics.Datum{Metric: m, At: at, Unit: d.Unit}
	switch {
	case d.StorageResolution == nil || *d.StorageResolution == 60:
	case *d.StorageResolution == 1:
		out.Fine = true
	default:
		return metrics.Datum{}, wrong("The parameter %sStorageResolution must be 1 or 60.", name)
	}
	out.Stats, err = d.stats(name)
	return out, err
}

func (d *datum) stats(name string) (metrics.Stats, error) {
	given := 0
	for _, has := range []bool{d.Value != nil, d.StatisticValues != nil, len(d.Values) > 0} {
		if has {
			given++
		}
	}
	var out metrics.Stats
	switch {
	case given == 0:
		return out, missing(name + "Value")
	case given > 1:
		return out, wire.Errorf("InvalidParameterCombination", "The parameters %sValue, %sStatisticValues and %sValues are mutually exclusive and you have specified more than one.", name, name, name)
	case d.Value != nil:
		return metrics.One(*d.Value), nil
	case d.StatisticValues != nil:
		set := d.StatisticValues
		if set.SampleCount <= 0 || set.Minimum > set.Maximum {
			return out, wrong("The parameters of %sStatisticValues do not fit together.", name)
		}
		return metrics.Stats{Samples: set.SampleCount, Sum: set.Sum, Min: set.Minimum, Max: set.Maximum}, nil
	case len(d.Values) > maxValues:
		return out, wrong("The collection %sValues must not have a size greater than %d.", name, maxValues)
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return out, wrong("The parameters %sValues and %sCounts must be of the same size.", name, name)
	}
	for i, value := range d.Values {
		count := 1.0
		if len(d.Counts) > 0 {
			count = d.Counts[i]
		}
		if count > 0 {
			out.Add(metrics.Many(value, count))
		}
	}
	return out, nil
}

// granularity refuses a period that data cannot have.
func granularity(seconds int) error {
	if !slices.Contains([]int{1, 5, 10, 20, 30}, seconds) && (seconds < 60 || seconds%60 != 0) {
		return wrong("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
	}
	return nil
}

type getMetricStatisticsInput struct {
	Namespace, MetricName, Unit    string
	Dimensions                     []dimension
	StartTime, EndTime             *float64
	Period                         int
	Statistics, ExtendedStatistics []string
}

func (s service) getMetricStatistics(in *getMetricStatisticsInput) (cbor.Map, error) {
	if in.Namespace == "" || in.MetricName == "" || in.StartTime == nil || in.EndTime == nil {
		return nil, missing("Namespace, MetricName, StartTime and EndTime")
	}
	if len(in.Statistics)+len(in.ExtendedStatistics) == 0 {
		return nil, wire.Errorf("InvalidParameterCombination", "At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	if err := granularity(in.Period); err != nil {
		return nil, err
	}
	m, err := metricOf(in.Namespace, in.MetricName, in.Dimensions)
	if err != nil {
		return nil, err
	}
	from, to := timeOf(*in.StartTime), timeOf(*in.EndTime)
	if !from.Before(to) {
		return nil, wrong("The parameter StartTime must be less than the parameter EndTime.")
	}
	every := time.Duration(in.Period) * time.Second
	from = from.Truncate(min(every, time.Minute))
	if n := to.Sub(from) / every; n > 1440 {
		return nil, wire.Errorf("InvalidParameterCombination", "You have requested up to %d datapoints, which exceeds the limit of 1440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n)
	}
	points := cbor.List{}
	for _, p := range s.store.Read(m, in.Unit, from, to, every) {
		out := cbor.Map{"Timestamp": timestamp(p.Start), "Unit": cbor.String(p.Unit)}
		extended := cbor.Map{}
		for _, name := range slices.Concat(in.Statistics, in.ExtendedStatistics) {
			statistic, err := metrics.ParseStatistic(name)
			if err != nil {
				return nil, wire.NotEmulated(err.Error() + " of GetMetricStatistics")
			}
			if value, ok := statistic(p.Stats); ok && slices.Contains(in.Statistics, name) {
				out[name] = cbor.Float64(value)
			} else if ok {
				extended[name] = cbor.Float64(value)
			}
		}
		if len(extended) > 0 {
			out["ExtendedStatistics"] = extended
		}
		points = append(points, out)
	}
	return cbor.Map{"Label": cbor.String(in.MetricName), "Datapoints": points}, nil
}

type metric struct {
	Namespace, MetricName string
	Dimensions            []dimension
}

type metricStat struct {
	Metric     metric
	Period     int
	Stat, Unit string
}

type metricDataQuery struct {
	ID         string `json:"Id"`
	Label      string
	MetricStat *metricStat
	Expression string
	Period     int
	ReturnData *bool
}

type getMetricDataInput struct {
	MetricDataQueries  []metricDataQuery
	StartTime, EndTime *float64
	ScanBy             string
	MaxDatapoints      *int
}

func (s service) getMetricData(in *getMetricDataInput) (cbor.Map, error) {
	if len(in.MetricDataQueries) == 0 || in.StartTime == nil || in.EndTime == nil {
		return nil, missing("MetricDataQueries, StartTime and EndTime")
	}
	from, to := timeOf(*in.StartTime), timeOf(*in.EndTime)
	if !from.Before(to) {
		return nil, invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	if in.MaxDatapoints != nil {
		return nil, wire.NotEmulated("MaxDatapoints of GetMetricData")
	}
	results := cbor.List{}
	for _, q := range in.MetricDataQueries {
		out, err := s.query(q, from, to, in.ScanBy != "TimestampAscending")
		if err != nil {
			return nil, err
		}
		if q.ReturnData == nil || *q.ReturnData {
			results = append(results, out)
		}
	}
	return cbor.Map{"MetricDataResults": results, "Messages": cbor.List{}}, nil
}

func (s service) query(q metricDataQuery, from, to time.Time, descending bool) (cbor.Map, error) {
	if q.Expression != "" {
		return nil, wire.NotEmulated("the Expression " + q.Expression + " of GetMetricData: it knows no metric math")
	}
	if q.ID == "" || q.MetricStat == nil {
		return nil, missing("MetricDataQueries.member.Id and MetricStat")
	}
	if q.Period != 0 {
		return nil, invalid("The parameter MetricDataQueries.member.Period is that of an expression.")
	}
	if err := granularity(q.MetricStat.Period); err != nil {
		return nil, err
	}
	about := q.MetricStat.Metric
	m, err := metricOf(about.Namespace, about.MetricName, about.Dimensions)
	if err != nil {
		return nil, err
	}
	statistic, err := metrics.ParseStatistic(q.MetricStat.Stat)
	if err != nil {
		return nil, wire.NotEmulated(err.Error() + " of GetMetricData")
	}
	every := time.Duration(q.MetricStat.Period) * time.Second
	points := s.store.Read(m, q.MetricStat.Unit, from.Truncate(every), to, every)
	if descending {
		slices.Reverse(points)
	}
	times, values := cbor.List{}, cbor.List{}
	for _, p := range points {
		if value, ok := statistic(p.Stats); ok {
			times, values = append(times, timestamp(p.Start)), append(values, cbor.Float64(value))
		}
	}
	label := q.Label
	if label == "" {
		label = about.MetricName
	}
	return cbor.Map{"Id": cbor.String(q.ID), "Label": cbor.String(label), "Timestamps": times, "Values": values, "StatusCode": cbor.String("Complete")}, nil
}

type listMetricsInput struct {
	Namespace, MetricName, NextToken, RecentlyActive string
	Dimensions                                       []dimension
}

func (s service) listMetrics(in *listMetricsInput) (cbor.Map, error) {
	since := s.clock.Now().Add(-maxAge)
	switch in.RecentlyActive {
	case "":
	case "PT3H":
		since = s.clock.Now().Add(-3 * time.Hour)
	default:
		return nil, invalid("1 validation error detected: Value '%s' at 'recentlyActive' failed to satisfy constraint: Member must satisfy enum value set: [PT3H]", in.RecentlyActive)
	}
	has := func(m metrics.Metric, filter dimension) bool {
		return slices.ContainsFunc(m.Dimensions, func(d metrics.Dimension) bool {
			return d.Name == filter.Name && (filter.Value == nil || d.Value == *filter.Value)
		})
	}
	found := slices.DeleteFunc(s.store.List(since), func(m metrics.Metric) bool {
		return in.Namespace != "" && m.Namespace != in.Namespace || in.MetricName != "" && m.Name != in.MetricName ||
			slices.ContainsFunc(in.Dimensions, func(d dimension) bool { return !has(m, d) })
	})
	items, next, err := page(found, in.NextToken, 500, func(m metrics.Metric) string { return fmt.Sprintf("%q", m) })
	if err != nil {
		return nil, err
	}
	listed := cbor.List{}
	for _, m := range items {
		listed = append(listed, cbor.Map{"Namespace": cbor.String(m.Namespace), "MetricName": cbor.String(m.Name), "Dimensions": dimensionsOf(m)})
	}
	out := cbor.Map{"Metrics": listed}
	if next != "" {
		out["NextToken"] = cbor.String(next)
	}
	return out, nil
}
