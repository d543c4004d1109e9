package metrics

import (
	"strings"
	"testing"
	"time"

	"streamgen/internal/local/clock"
)

func start() time.Time { return time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC) }

// points reads data points as AWS's documentation writes them: 0 is within the threshold, X breaches, - is missing.
func points(text string) []datapoint {
	var all []datapoint
	for i, mark := range strings.Fields(text) {
		p := datapoint{start: start().Add(time.Duration(i) * time.Minute), samples: 1}
		switch mark {
		case "-":
			p.missing = true
		case "X":
			p.value = 2
		}
		all = append(all, p)
	}
	return all
}

// The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html; "" retains the state.
func TestMissingData(t *testing.T) {
	for _, test := range []struct {
		needed                                   int
		points                                   string
		missing, ignore, breaching, notBreaching string
	}{
		{3, "0 - X - X", "OK", "OK", "OK", "OK"},
		{3, "- - - - 0", "OK", "OK", "OK", "OK"},
		{3, "- - - - -", "INSUFFICIENT_DATA", "", "ALARM", "OK"},
		{3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{3, "- - X - -", "ALARM", "", "ALARM", "OK"},
		{2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"},
		{2, "0 - X - -", "OK", "OK", "ALARM", "OK"},
		{2, "- - - - 0", "OK", "OK", "ALARM", "OK"},
		{2, "- - - X -", "ALARM", "", "ALARM", "OK"},
		{3, "- - - - X", "OK", "", "ALARM", "OK"},
	} {
		for treat, want := range map[string]string{Missing: test.missing, Ignore: test.ignore, Breaching: test.breaching, NotBreaching: test.notBreaching} {
			r := Rule{EvaluationPeriods: 3, DatapointsToAlarm: test.needed, Threshold: 1, Comparison: "GreaterThanThreshold", Missing: treat}
			if got, _ := r.evaluate(points(test.points)); got != want {
				t.Errorf("%d of 3, %s, %s: %q, want %q", test.needed, test.points, treat, got, want)
			}
		}
	}
}

func TestComparisons(t *testing.T) {
	for operator, want := range map[string]string{
		"GreaterThanThreshold": "--X", "GreaterThanOrEqualToThreshold": "-XX", "LessThanThreshold": "X--", "LessThanOrEqualToThreshold": "XX-",
	} {
		r, got := Rule{Threshold: 1, Comparison: operator}, ""
		for _, value := range []float64{0, 1, 2} {
			if r.breaches(value) {
				got += "X"
			} else {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("%s of 0, 1, 2: %s, want %s", operator, got, want)
		}
	}
}

func TestReasons(t *testing.T) {
	c := clock.NewManual(start())
	r := Rule{Metric: Of("n", "m"), Statistic: Sum, Period: time.Minute, EvaluationPeriods: 2, DatapointsToAlarm: 1, Comparison: "GreaterThanThreshold", Missing: NotBreaching}
	s := NewStore(c)
	if got := r.judge(s, start()); got.state != StateOK || got.reason != "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [NonBreaching]." {
		t.Errorf("got %+v", got)
	}
	s.Put(Datum{Metric: r.Metric, At: start().Add(-90 * time.Second), Stats: One(1)}, Datum{Metric: r.Metric, At: start().Add(-70 * time.Second), Stats: One(2)})
	want := "Threshold Crossed: 1 out of the last 2 datapoints [3.0 (02/01/26 03:02:00)] was greater than the threshold (0.0) and 1 missing datapoint was treated as [NonBreaching] " +
		"(minimum 1 datapoint for OK -> ALARM transition)."
	if got := r.judge(s, start()); got.state != StateAlarm || got.reason != want || !strings.Contains(got.data, `"recentDatapoints":[3]`) {
		t.Errorf("got %+v", got)
	}
	r.Missing, r.Metric = Missing, Of("n", "other")
	if got := r.judge(s, start()); got.state != StateInsufficient || got.reason != "Insufficient Data: 2 datapoints were unknown." {
		t.Errorf("got %+v", got)
	}
}

func TestPercentiles(t *testing.T) {
	var s Stats
	for i := range 1001 {
		s.Add(One(float64(i)))
	}
	for name, want := range map[string]float64{"p0": 0, "p50": 500, "p99": 990, "p100": 1000} {
		statistic, err := ParseStatistic(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := statistic(s); !ok || got < want-40 || got > want+40 { // 64 values stand for 1001
			t.Errorf("%s is %v, want about %v", name, got, want)
		}
	}
	if _, err := ParseStatistic("tm90"); err == nil {
		t.Error("a trimmed mean is taken")
	}
	var set Stats
	set.Add(Stats{Samples: 3, Sum: 6, Min: 1, Max: 3})
	median, err := ParseStatistic("p50")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := median(set); ok {
		t.Error("a statistic set has a median")
	}
}

func TestStoreForgets(t *testing.T) {
	c := clock.NewManual(start())
	s, m := NewStore(c), Of("n", "m", "a", "1")
	for range 30 * 60 { // a datum a minute
		s.Count(m, "Count", 1)
		c.Advance(time.Minute)
	}
	total := 0.0
	for _, p := range s.Read(m, "", start().Truncate(time.Hour), c.Now(), time.Hour) {
		total += p.Sum
	}
	if total != 30*60 {
		t.Errorf("after merging, %v of %v are there", total, 30*60)
	}
	if n := len(s.series[m.key()]["Count"].buckets); n > 25*60+10 {
		t.Errorf("%d buckets are kept", n)
	}
	c.Advance(16 * 24 * time.Hour)
	s.Count(m, "Count", 1)
	if n := len(s.series[m.key()]["Count"].buckets); n != 1 {
		t.Errorf("%d buckets are kept after 16 days", n)
	}
	for i := range maxSeries + 10 {
		c.Advance(time.Second)
		s.Count(Of("n", "m", "id", string(rune('a'+i%26))+time.Duration(i).String()), "", 1)
	}
	if s.count != maxSeries || len(s.series) != maxSeries {
		t.Errorf("%d metrics are kept", s.count)
	}
}
