package control

import (
	"cmp"
	"slices"
	"time"
	"unicode/utf8"
)

// A group's events are bounded: past either limit its oldest ones are dropped, which AWS never does.
const (
	// MaxGroupEvents is how many events a group holds.
	MaxGroupEvents = 100_000
	// MaxGroupBytes is how many bytes a group holds, each event counted with its message and [EventOverhead].
	MaxGroupBytes = 64 << 20
)

// Limits of an event. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const (
	// EventOverhead is what an event counts besides its message, in bytes.
	EventOverhead = 26
	// MaxEventBytes is the largest event, with its overhead.
	MaxEventBytes = 1 << 20

	maxEventAge    = 14 * 24 * time.Hour
	maxEventFuture = 2 * time.Hour
)

// LogEvent is one event of a log stream. Times are of milliseconds.
type LogEvent struct {
	Group, Stream string
	// ID is unique in the registry and greater than those of all events that came before.
	ID           uint64
	At, Ingested time.Time
	Message      string
}

func (e LogEvent) size() int { return len(e.Message) + EventOverhead }

// compare orders events by their time and, within a millisecond, by their arrival.
func (e LogEvent) compare(o LogEvent) int {
	return cmp.Or(e.At.Compare(o.At), cmp.Compare(e.ID, o.ID))
}

// NewLogEvent is what a writer knows of an event.
type NewLogEvent struct {
	At      time.Time
	Message string
}

// Rejected says which events of a [Logs.Put] were not kept: those before Expired (past the group's retention) and
// TooOld (of more than 14 days), and those from TooNew on (more than 2 hours ahead). -1 says that there are none.
type Rejected struct{ Expired, TooOld, TooNew int }

// Put adds events, in order of their times, to a stream that exists.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
func (l *Logs) Put(group, stream string, events []NewLogEvent) (Rejected, error) {
	rejected := Rejected{-1, -1, -1}
	l.mu.Lock()
	g, err := l.find(group)
	if err != nil {
		l.mu.Unlock()
		return rejected, err
	}
	s, err := g.findStream(stream)
	if err != nil {
		l.mu.Unlock()
		return rejected, err
	}
	now := l.now()
	var added []LogEvent
	for i, e := range events {
		switch {
		case g.expired(e.At, now):
			rejected.Expired = i + 1
		case now.Sub(e.At) > maxEventAge:
			rejected.TooOld = i + 1
		case e.At.Sub(now) > maxEventFuture:
			if rejected.TooNew < 0 {
				rejected.TooNew = i
			}
		default:
			added = append(added, l.add(g, s, e, now))
		}
	}
	subscribers := l.subscribed()
	l.mu.Unlock()
	tell(subscribers, added)
	return rejected, nil
}

// Append adds an event to a stream and makes the group and the stream where they are missing, as Lambda does when a
// function logs. A message above [MaxEventBytes] becomes several events.
func (l *Logs) Append(group, stream string, at time.Time, message string) {
	l.mu.Lock()
	now := l.now()
	g := l.groups[group]
	if g == nil {
		g = l.addGroup(LogGroup{Name: group})
	}
	s := g.streams[stream]
	if s == nil {
		s = g.addStream(stream, now)
	}
	var added []LogEvent
	for {
		part := cut(message, MaxEventBytes-EventOverhead)
		added = append(added, l.add(g, s, NewLogEvent{at, part}, now))
		if message = message[len(part):]; message == "" {
			break
		}
	}
	subscribers := l.subscribed()
	l.mu.Unlock()
	tell(subscribers, added)
}

// Has says whether there are a group and a stream of it.
func (l *Logs) Has(group, stream string) (hasGroup, hasStream bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.groups[group]
	return g != nil, g != nil && g.streams[stream] != nil
}

// cut gives the start of s of at most n bytes, without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}

func (l *Logs) add(g *logGroup, s *LogStream, e NewLogEvent, now time.Time) LogEvent {
	l.arrivals++
	event := LogEvent{Group: g.Name, Stream: s.Name, ID: l.arrivals, Message: e.Message,
		At: e.At.UTC().Truncate(time.Millisecond), Ingested: now}
	if s.FirstEvent.IsZero() || event.At.Before(s.FirstEvent) {
		s.FirstEvent = event.At
	}
	if event.At.After(s.LastEvent) {
		s.LastEvent = event.At
	}
	s.LastIngestion = now

	g.events = append(g.events, event)
	g.StoredBytes += event.size()
	for len(g.events) > MaxGroupEvents || g.StoredBytes > MaxGroupBytes {
		g.StoredBytes -= g.events[0].size()
		g.events[0] = LogEvent{} // lets the message go
		g.events = g.events[1:]
	}
	return event
}

func (g *logGroup) expired(at, now time.Time) bool {
	return g.RetentionDays > 0 && now.Sub(at) > time.Duration(g.RetentionDays)*24*time.Hour
}

func (g *logGroup) expire(now time.Time) {
	if g.RetentionDays > 0 {
		g.remove(func(e LogEvent) bool { return g.expired(e.At, now) })
	}
}

func (g *logGroup) remove(gone func(LogEvent) bool) {
	g.events = slices.DeleteFunc(g.events, func(e LogEvent) bool {
		if gone(e) {
			g.StoredBytes -= e.size()
			return true
		}
		return false
	})
}

// Events gives the events of a group for which keep holds, ordered by time and arrival. keep must not call the registry.
func (l *Logs) Events(group string, keep func(LogEvent) bool) ([]LogEvent, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return nil, err
	}
	return g.read(l.now(), keep), nil
}

// StreamEvents is [Logs.Events] of one stream, which must exist.
func (l *Logs) StreamEvents(group, stream string, keep func(LogEvent) bool) ([]LogEvent, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, err := l.find(group)
	if err != nil {
		return nil, err
	}
	if _, err := g.findStream(stream); err != nil {
		return nil, err
	}
	return g.read(l.now(), func(e LogEvent) bool { return e.Stream == stream && keep(e) }), nil
}

func (g *logGroup) read(now time.Time, keep func(LogEvent) bool) []LogEvent {
	g.expire(now)
	var kept []LogEvent
	for _, e := range g.events {
		if keep(e) {
			kept = append(kept, e)
		}
	}
	slices.SortFunc(kept, LogEvent.compare)
	return kept
}

// Subscribe calls f with every event from now on, on the goroutine of the event's writer: f must not block. The events
// of one writer come in their order.
func (l *Logs) Subscribe(f func(LogEvent)) (cancel func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := &f
	l.subscribers[key] = struct{}{}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.subscribers, key)
	}
}

func (l *Logs) subscribed() []func(LogEvent) {
	var all []func(LogEvent)
	for f := range l.subscribers {
		all = append(all, *f)
	}
	return all
}

func tell(subscribers []func(LogEvent), events []LogEvent) {
	for _, f := range subscribers {
		for _, e := range events {
			f(e)
		}
	}
}
