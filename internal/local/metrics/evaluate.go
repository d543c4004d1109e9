package metrics

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The states of an alarm.
const (
	StateOK           = "OK"
	StateAlarm        = "ALARM"
	StateInsufficient = "INSUFFICIENT_DATA"
)

// What is done about periods without data.
const (
	Missing      = "missing"
	Ignore       = "ignore"
	Breaching    = "breaching"
	NotBreaching = "notBreaching"
)

// Rule is what an alarm watches, and when it goes off.
type Rule struct {
	Metric
	Unit string
	// Statistic is a name that [ParseStatistic] takes.
	Statistic string
	Period    time.Duration
	// Of the last EvaluationPeriods data points, DatapointsToAlarm must be beyond the threshold; 0 is all of them.
	EvaluationPeriods, DatapointsToAlarm int
	Threshold                            float64
	// Comparison is one of the operators that [Rule.breaches] knows.
	Comparison string
	// Missing is one of the constants above.
	Missing string
	// LowSamples, "ignore", keeps the state as long as a percentile is of too few samples.
	LowSamples string
}

// Comparisons are the operators of a fixed threshold, with the words for them.
func Comparisons() map[string]string {
	return map[string]string{
		"GreaterThanThreshold": "greater than", "GreaterThanOrEqualToThreshold": "greater than or equal to",
		"LessThanThreshold": "less than", "LessThanOrEqualToThreshold": "less than or equal to",
	}
}

func (r *Rule) breaches(value float64) bool {
	switch r.Comparison {
	case "GreaterThanThreshold":
		return value > r.Threshold
	case "GreaterThanOrEqualToThreshold":
		return value >= r.Threshold
	case "LessThanThreshold":
		return value < r.Threshold
	default:
		return value <= r.Threshold
	}
}

// needed is how many data points must breach.
func (r *Rule) needed() int {
	if r.DatapointsToAlarm == 0 {
		return r.EvaluationPeriods
	}
	return r.DatapointsToAlarm
}

// treatMissing is how missing data are treated. Alarms on DynamoDB's metrics ignore them whatever they say.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (r *Rule) treatMissing() string {
	switch {
	case r.Namespace == "AWS/DynamoDB":
		return Ignore
	case r.Missing == "":
		return Missing
	}
	return r.Missing
}

// spare is how many data points are looked at beyond those that are evaluated, for late ones and gaps: AWS does not say how many; its
// documented tables have 5 for 3.
const spare = 2

// datapoint is one period of an alarm.
type datapoint struct {
	start   time.Time
	value   float64
	samples float64
	missing bool
}

// verdict is what an evaluation gives; an empty state leaves the alarm as it is.
type verdict struct {
	state, reason string
	data          string
}

// evaluate judges the data points, the oldest first, of which there are EvaluationPeriods and the spare ones.
//
// Missing ones count only as far as there are fewer data points than are to be evaluated. An alarm goes off early when the oldest data
// point breaches, is as old as DatapointsToAlarm, and no later one is within the threshold.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (r *Rule) evaluate(points []datapoint) (state string, used []datapoint) {
	var actual []datapoint
	for _, p := range points {
		if !p.missing {
			actual = append(actual, p)
		}
	}
	used = actual[max(len(actual)-r.EvaluationPeriods, 0):]
	breaching := 0
	for _, p := range used {
		if r.breaches(p.value) {
			breaching++
		}
	}
	gaps, treat := r.EvaluationPeriods-len(used), r.treatMissing()
	if gaps > 0 && treat == Breaching {
		breaching += gaps
	}
	switch {
	case breaching >= r.needed():
		return StateAlarm, used
	case gaps == 0 || treat == Breaching || treat == NotBreaching:
		return StateOK, used
	case len(used) == 0 && treat == Missing:
		return StateInsufficient, used
	case len(used) == 0:
		return "", used
	case breaching < len(used): // one is within the threshold
		return StateOK, used
	}
	switch oldest := slices.IndexFunc(points, func(p datapoint) bool { return !p.missing }); {
	case treat == Ignore:
		return "", used
	case len(points)-oldest >= r.needed():
		return StateAlarm, used
	}
	return StateOK, used
}

// tooFew says whether a percentile is of so few samples that it means nothing.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
func (r *Rule) tooFew(points []datapoint) bool {
	p, isPercentile := percentileOf(r.Statistic)
	if !isPercentile || r.LowSamples != Ignore {
		return false
	}
	for _, point := range points {
		if need := 10 / (1 - max(p, 100-p)/100); !point.missing && point.samples < need {
			return true
		}
	}
	return false
}

// judge evaluates a rule on what is known at a time.
func (r *Rule) judge(s *Store, at time.Time) verdict {
	statistic, err := ParseStatistic(r.Statistic)
	if err != nil { // which nobody could have put
		return verdict{}
	}
	n := r.EvaluationPeriods + spare
	from := at.Add(-time.Duration(n) * r.Period)
	points := make([]datapoint, n)
	for i := range points {
		points[i] = datapoint{start: from.Add(time.Duration(i) * r.Period), missing: true}
	}
	for _, p := range s.Read(r.Metric, r.Unit, from, at, r.Period) {
		if value, ok := statistic(p.Stats); ok {
			i := int(p.Start.Sub(from) / r.Period)
			points[i] = datapoint{start: p.Start, value: value, samples: p.Samples}
		}
	}
	if r.tooFew(points) {
		return verdict{}
	}
	state, used := r.evaluate(points)
	if state == "" {
		return verdict{}
	}
	return verdict{state: state, reason: r.reason(state, used), data: r.reasonData(at, points, used)}
}

// plural gives "1 datapoint" or "2 datapoints".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// number writes a value as Java does, as AWS's reasons have it: 1.0.
func number(f float64) string {
	text := fmt.Sprint(f)
	if !strings.ContainsAny(text, ".eIN") {
		text += ".0"
	}
	return text
}

// reason words an evaluation as AWS does.
func (r *Rule) reason(state string, used []datapoint) string {
	gaps := r.EvaluationPeriods - len(used)
	if state == StateInsufficient {
		return fmt.Sprintf("Insufficient Data: %s %s unknown.", plural(gaps, "datapoint"), wasOrWere(gaps))
	}
	treated := map[string]string{Breaching: "Breaching", NotBreaching: "NonBreaching"}[r.treatMissing()]
	if len(used) == 0 {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s %s treated as [%s].",
			plural(r.EvaluationPeriods, "period"), plural(gaps, "missing datapoint"), wasOrWere(gaps), treated)
	}
	var texts []string
	count := 0
	for _, p := range slices.Backward(used) {
		if r.breaches(p.value) == (state == StateAlarm) {
			count++
			texts = append(texts, fmt.Sprintf("%s (%s)", number(p.value), p.start.UTC().Format("02/01/06 15:04:05")))
		}
	}
	not, transition := "", fmt.Sprintf("(minimum %s for OK -> ALARM transition)", plural(r.needed(), "datapoint"))
	if state == StateOK {
		not, transition = "not ", fmt.Sprintf("(minimum %s for ALARM -> OK transition)", plural(r.EvaluationPeriods-r.needed()+1, "datapoint"))
	}
	text := fmt.Sprintf("Threshold Crossed: %d out of the last %s [%s] %s %s%s the threshold (%s)",
		count, plural(r.EvaluationPeriods, "datapoint"), strings.Join(texts, ", "), wasOrWere(count), not, Comparisons()[r.Comparison], number(r.Threshold))
	if gaps > 0 && treated != "" {
		text += fmt.Sprintf(" and %s %s treated as [%s]", plural(gaps, "missing datapoint"), wasOrWere(gaps), treated)
	}
	return text + " " + transition + "."
}

func wasOrWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// timestamp is a time as AWS's reason data and notifications have it.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

type evaluated struct {
	Timestamp   string   `json:"timestamp"`
	SampleCount float64  `json:"sampleCount,omitempty"`
	Value       *float64 `json:"value,omitempty"`
}

// reasonData is the evaluation in AWS's JSON.
func (r *Rule) reasonData(at time.Time, points, used []datapoint) string {
	data := struct {
		Version    string      `json:"version"`
		QueryDate  string      `json:"queryDate"`
		StartDate  string      `json:"startDate,omitempty"`
		Unit       string      `json:"unit,omitempty"`
		Statistic  string      `json:"statistic"`
		Period     int         `json:"period"`
		Recent     []float64   `json:"recentDatapoints"`
		Threshold  float64     `json:"threshold"`
		Datapoints []evaluated `json:"evaluatedDatapoints,omitempty"`
	}{Version: "1.0", QueryDate: timestamp(at), Unit: r.Unit, Statistic: r.Statistic, Period: int(r.Period / time.Second), Recent: []float64{}, Threshold: r.Threshold}
	if len(used) > 0 {
		data.StartDate = timestamp(used[0].start)
	}
	for _, p := range used {
		data.Recent = append(data.Recent, p.value)
	}
	for _, p := range slices.Backward(points[max(len(points)-r.EvaluationPeriods, 0):]) {
		e := evaluated{Timestamp: timestamp(p.start)}
		if !p.missing {
			e.SampleCount, e.Value = p.samples, &p.value
		}
		data.Datapoints = append(data.Datapoints, e)
	}
	text, _ := json.Marshal(data) // NaN is never measured
	return string(text)
}
