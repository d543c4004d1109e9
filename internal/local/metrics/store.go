// Package metrics is the CloudWatch of the local stack: metrics in memory, and alarms that are evaluated on them.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
package metrics

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"streamgen/internal/local/clock"
)

// Dimension is a name and value that tells one metric from others of its name.
type Dimension struct{ Name, Value string }

// Metric names a metric. The order of the dimensions does not matter.
type Metric struct {
	Namespace, Name string
	Dimensions      []Dimension
}

// Of gives a metric whose dimensions are names and values in turn.
func Of(namespace, name string, dimensions ...string) Metric {
	m := Metric{Namespace: namespace, Name: name}
	for i := 0; i+1 < len(dimensions); i += 2 {
		m.Dimensions = append(m.Dimensions, Dimension{dimensions[i], dimensions[i+1]})
	}
	return m
}

// sorted gives the dimensions in the order of their names.
func (m Metric) sorted() []Dimension {
	return slices.SortedFunc(slices.Values(m.Dimensions), func(a, b Dimension) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
	})
}

// key is the metric as a text that no other one has: no part of it may have the separator.
func (m Metric) key() string {
	var b strings.Builder
	b.WriteString(m.Namespace)
	b.WriteByte(0)
	b.WriteString(m.Name)
	for _, d := range m.sorted() {
		b.WriteByte(0)
		b.WriteString(d.Name)
		b.WriteByte(0)
		b.WriteString(d.Value)
	}
	return b.String()
}

// Same says whether both name the same metric.
func (m Metric) Same(other Metric) bool { return m.key() == other.key() }

// Datum is something that was measured.
type Datum struct {
	Metric
	At time.Time
	// Unit is one of CloudWatch's; "" is None.
	Unit string
	// Fine keeps the datum by the second instead of the minute, for three hours.
	Fine bool
	Stats
}

// How long what is measured is kept, and how exactly: by the second for fine data, then by the minute, then by the hour. AWS keeps minutes
// for 15 days.
const (
	keptFine   = 3 * time.Hour
	keptCoarse = 24 * time.Hour
	keptAtAll  = 15 * 24 * time.Hour
	// maxSeries is how many metrics there can be, of one unit each. Past that, the one that had no data for the longest time is dropped.
	maxSeries = 5000
	// merging is how often a metric's older data are merged.
	merging = 10 * time.Minute
)

// bucket is what was measured from a second on, for as long as the bucket is.
type bucket struct {
	start  int64 // in seconds
	length int64
	Stats
}

// series is what is known of one metric in one unit.
type series struct {
	Metric
	unit    string
	buckets []bucket // in the order of time
	written time.Time
	merged  time.Time
}

// Store holds the metrics of one region. It is safe for concurrent use.
type Store struct {
	clock clock.Clock

	mu     sync.Mutex
	series map[string]map[string]*series // by metric and unit
	count  int
}

// NewStore gives a store without metrics.
func NewStore(c clock.Clock) *Store {
	return &Store{clock: c, series: map[string]map[string]*series{}}
}

// Put adds what was measured.
func (s *Store) Put(data ...Datum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for _, d := range data {
		s.find(d).add(d, now)
	}
}

// Count adds one value that was measured now.
func (s *Store) Count(m Metric, unit string, value float64) {
	s.Put(Datum{Metric: m, At: s.clock.Now(), Unit: unit, Stats: One(value)})
}

// find gives the series of a datum. The caller holds s.mu.
func (s *Store) find(d Datum) *series {
	unit, key := cmp.Or(d.Unit, "None"), d.key()
	units := s.series[key]
	if units == nil {
		units = map[string]*series{}
		s.series[key] = units
	}
	found := units[unit]
	if found == nil {
		if s.count >= maxSeries {
			s.drop()
		}
		found = &series{Metric: Metric{d.Namespace, d.Name, d.sorted()}, unit: unit}
		units[unit] = found
		s.series[key] = units // which drop may have removed
		s.count++
	}
	return found
}

// drop removes the series that was not written to for the longest time. The caller holds s.mu.
func (s *Store) drop() {
	var oldest *series
	for _, units := range s.series {
		for _, one := range units {
			if oldest == nil || one.written.Before(oldest.written) {
				oldest = one
			}
		}
	}
	key := oldest.key()
	delete(s.series[key], oldest.unit)
	if len(s.series[key]) == 0 {
		delete(s.series, key)
	}
	s.count--
}

func (s *series) add(d Datum, now time.Time) {
	s.written = now
	if now.Sub(s.merged) >= merging {
		s.merge(now)
	}
	length := int64(60)
	if d.Fine {
		length = 1
	}
	start := d.At.Unix() - d.At.Unix()%length
	at, found := slices.BinarySearchFunc(s.buckets, start, func(b bucket, start int64) int { return cmp.Compare(b.start, start) })
	if !found {
		s.buckets = slices.Insert(s.buckets, at, bucket{start: start, length: length})
	}
	s.buckets[at].Add(d.Stats)
}

// merge drops what is too old, and makes coarse what need not be fine any more.
func (s *series) merge(now time.Time) {
	s.merged = now
	var kept []bucket
	for _, b := range s.buckets {
		length := b.length
		switch age := now.Sub(time.Unix(b.start, 0)); {
		case age > keptAtAll:
			continue
		case age > keptCoarse:
			length = 3600
		case age > keptFine:
			length = max(length, 60)
		}
		b.start, b.length = b.start-b.start%length, length
		if last := len(kept) - 1; last >= 0 && kept[last].start == b.start {
			kept[last].length = max(kept[last].length, length)
			kept[last].Add(b.Stats)
			continue
		}
		kept = append(kept, b)
	}
	s.buckets = kept
}

// Point is what was measured of a metric in a period.
type Point struct {
	Start time.Time
	Unit  string
	Stats
}

// Read gives the points of a metric in periods that begin at from, until to, without those in which nothing was measured. An empty unit
// means all of them.
func (s *Store) Read(m Metric, unit string, from, to time.Time, period time.Duration) []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	var points []Point
	seconds, first := int64(period/time.Second), from.Unix()
	for _, one := range s.inUnits(m, unit) {
		at, _ := slices.BinarySearchFunc(one.buckets, first, func(b bucket, start int64) int { return cmp.Compare(b.start, start) })
		for _, b := range one.buckets[at:] {
			if b.start >= to.Unix() {
				break
			}
			start := time.Unix(first+(b.start-first)/seconds*seconds, 0).UTC()
			i, found := slices.BinarySearchFunc(points, start, func(p Point, start time.Time) int { return p.Start.Compare(start) })
			if !found {
				points = slices.Insert(points, i, Point{Start: start, Unit: one.unit})
			}
			points[i].Add(b.Stats)
		}
	}
	return points
}

// inUnits gives the series of a metric in a unit, or in all of them, in a fixed order. The caller holds s.mu.
func (s *Store) inUnits(m Metric, unit string) []*series {
	units := s.series[m.key()]
	if unit != "" {
		if one := units[unit]; one != nil {
			return []*series{one}
		}
		return nil
	}
	var all []*series
	for _, one := range units {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *series) int { return strings.Compare(a.unit, b.unit) })
	return all
}

// List gives the metrics that had data since a time, ordered by namespace, name and dimensions.
func (s *Store) List(since time.Time) []Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := map[string]Metric{}
	for key, units := range s.series {
		for _, one := range units {
			if !one.written.Before(since) {
				keys[key] = one.Metric
			}
		}
	}
	order := make([]string, 0, len(keys))
	for key := range keys {
		order = append(order, key)
	}
	slices.Sort(order)
	all := make([]Metric, len(order))
	for i, key := range order {
		all[i] = keys[key]
	}
	return all
}
