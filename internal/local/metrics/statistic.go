package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Value is a value that was measured, and how often.
type Value struct{ Value, Count float64 }

// maxValues is how many different values are kept for percentiles; past it the two neighbours that count least become one.
const maxValues = 64

// Stats are what is known of the values that were measured. The zero value knows of none.
type Stats struct {
	Samples, Sum, Min, Max float64
	// Values are in the order of their size. They are missing where a statistic set was measured, of which no percentiles can be told.
	Values []Value
}

// One is what is known of one value.
func One(value float64) Stats { return Many(value, 1) }

// Many is what is known of a value that was measured as often.
func Many(value, count float64) Stats {
	return Stats{count, value * count, value, value, []Value{{value, count}}}
}

// Add adds what is known of more values.
func (s *Stats) Add(more Stats) {
	if more.Samples == 0 {
		return
	}
	if s.Samples == 0 {
		*s = more
		s.Values = slices.Clone(more.Values)
		return
	}
	complete := s.complete() && more.complete()
	s.Samples += more.Samples
	s.Sum += more.Sum
	s.Min, s.Max = min(s.Min, more.Min), max(s.Max, more.Max)
	if !complete {
		s.Values = nil
		return
	}
	for _, v := range more.Values {
		s.add(v)
	}
}

func (s *Stats) add(v Value) {
	at, found := slices.BinarySearchFunc(s.Values, v.Value, func(have Value, value float64) int { return cmp.Compare(have.Value, value) })
	if found {
		s.Values[at].Count += v.Count
		return
	}
	s.Values = slices.Insert(s.Values, at, v)
	if len(s.Values) <= maxValues {
		return
	}
	least := 0
	for i := range len(s.Values) - 1 {
		if s.Values[i].Count+s.Values[i+1].Count < s.Values[least].Count+s.Values[least+1].Count {
			least = i
		}
	}
	a, b := s.Values[least], s.Values[least+1]
	count := a.Count + b.Count
	s.Values[least] = Value{(a.Value*a.Count + b.Value*b.Count) / count, count}
	s.Values = slices.Delete(s.Values, least+1, least+2)
}

// complete says whether every value is known.
func (s *Stats) complete() bool { return len(s.Values) > 0 || s.Samples == 0 }

// Statistic makes a number of what is known; it is false where there is none.
type Statistic func(Stats) (float64, bool)

// The statistics of CloudWatch.
const (
	Average     = "Average"
	Sum         = "Sum"
	Minimum     = "Minimum"
	Maximum     = "Maximum"
	SampleCount = "SampleCount"
)

// ParseStatistic gives a statistic by its name: one of the constants above, or a percentile such as "p99.9".
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
func ParseStatistic(name string) (Statistic, error) {
	switch name {
	case Average:
		return func(s Stats) (float64, bool) { return s.Sum / s.Samples, s.Samples > 0 }, nil
	case Sum:
		return func(s Stats) (float64, bool) { return s.Sum, s.Samples > 0 }, nil
	case Minimum:
		return func(s Stats) (float64, bool) { return s.Min, s.Samples > 0 }, nil
	case Maximum:
		return func(s Stats) (float64, bool) { return s.Max, s.Samples > 0 }, nil
	case SampleCount:
		return func(s Stats) (float64, bool) { return s.Samples, s.Samples > 0 }, nil
	}
	if p, ok := percentileOf(name); ok {
		return func(s Stats) (float64, bool) { return s.percentile(p) }, nil
	}
	return nil, fmt.Errorf("the statistic %s", name)
}

// percentileOf gives 99.9 for "p99.9".
func percentileOf(name string) (float64, bool) {
	digits, isPercentile := strings.CutPrefix(name, "p")
	if !isPercentile || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	p, err := strconv.ParseFloat(digits, 64)
	return p, err == nil && p >= 0 && p <= 100
}

// percentile interpolates between the two values that are nearest to it.
func (s Stats) percentile(p float64) (float64, bool) {
	switch {
	case s.Samples == 0:
		return 0, false
	case s.Min == s.Max || p == 0:
		return s.Min, true
	case p == 100:
		return s.Max, true
	case !s.complete():
		return 0, false
	}
	rank := p / 100 * (s.Samples - 1)
	low := s.at(math.Floor(rank))
	return low + (s.at(math.Ceil(rank))-low)*(rank-math.Floor(rank)), true
}

// at is the value at a place in the order of the values, counted from 0.
func (s Stats) at(place float64) float64 {
	for _, v := range s.Values {
		if place < v.Count {
			return v.Value
		}
		place -= v.Count
	}
	return s.Max
}
