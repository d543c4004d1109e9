package logs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// Limits of https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html and of the
// operations that read.
const (
	maxEvents    = 10_000
	maxBatch     = 1 << 20
	maxBatchSpan = 24 * time.Hour
)

type putLogEventsInput struct {
	streamInput
	LogEvents []struct {
		Timestamp int64  `json:"timestamp"`
		Message   string `json:"message"`
	} `json:"logEvents"`
	SequenceToken string `json:"sequenceToken"` // AWS takes any, since 2023
}

type putLogEventsOutput struct {
	NextSequenceToken string    `json:"nextSequenceToken"`
	Rejected          *rejected `json:"rejectedLogEventsInfo,omitempty"`
}

type rejected struct {
	Expired *int `json:"expiredLogEventEndIndex,omitempty"`
	TooOld  *int `json:"tooOldLogEventEndIndex,omitempty"`
	TooNew  *int `json:"tooNewLogEventStartIndex,omitempty"`
}

func (s service) putLogEvents(in *putLogEventsInput) (*putLogEventsOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if n := len(in.LogEvents); n < 1 || n > maxEvents {
		return nil, invalid("1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and %d", maxEvents)
	}
	var events []control.NewLogEvent
	size := 0
	for i, e := range in.LogEvents {
		if e.Message == "" {
			return nil, invalid("1 validation error detected: Value '' at 'logEvents.%d.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1", i+1)
		}
		if e.Timestamp < 0 {
			return nil, invalid("1 validation error detected: Value '%d' at 'logEvents.%d.member.timestamp' failed to satisfy constraint: Member must have value greater than or equal to 0", e.Timestamp, i+1)
		}
		if i > 0 && e.Timestamp < in.LogEvents[i-1].Timestamp {
			return nil, invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		if size += len(e.Message) + control.EventOverhead; size > maxBatch {
			return nil, invalid("Upload too large: over %d bytes", maxBatch)
		}
		events = append(events, control.NewLogEvent{At: time.UnixMilli(e.Timestamp), Message: e.Message})
	}
	if events[len(events)-1].At.Sub(events[0].At) > maxBatchSpan {
		return nil, invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	r, err := s.groups.Put(in.LogGroupName, in.LogStreamName, events)
	if err != nil {
		return nil, err
	}
	out := &putLogEventsOutput{NextSequenceToken: fmt.Sprintf("%056d", 0)}
	if r != (control.Rejected{Expired: -1, TooOld: -1, TooNew: -1}) {
		out.Rejected = &rejected{index(r.Expired), index(r.TooOld), index(r.TooNew)}
	}
	return out, nil
}

func index(i int) *int {
	if i < 0 {
		return nil
	}
	return &i
}

// position is an event's place in a group's order.
type position struct {
	ms int64
	id uint64
}

func at(e control.LogEvent) position { return position{e.At.UnixMilli(), e.ID} }

// String is the position as an event id: 56 digits that order as the events do.
func (p position) String() string { return fmt.Sprintf("%036d%020d", p.ms, p.id) }

func (p position) compare(o position) int {
	return cmp.Or(cmp.Compare(p.ms, o.ms), cmp.Compare(p.id, o.id))
}

func parsePosition(text string) (position, error) {
	if len(text) != 56 {
		return position{}, badToken()
	}
	ms, err := strconv.ParseInt(text[:36], 10, 64)
	id, err2 := strconv.ParseUint(text[36:], 10, 64)
	if err != nil || err2 != nil {
		return position{}, badToken()
	}
	return position{ms, id}, nil
}

// span is a range of time in milliseconds, without its end.
type span struct{ start, end *int64 }

func (s span) holds(e control.LogEvent) bool {
	ms := e.At.UnixMilli()
	return (s.start == nil || ms >= *s.start) && (s.end == nil || ms < *s.end)
}

// fits is how many events, from the first on, an answer of a megabyte holds.
func fits(events []control.LogEvent, limit int) int {
	size := 0
	for i, e := range events {
		if size += len(e.Message) + control.EventOverhead; i == limit || size > maxBatch {
			return i
		}
	}
	return len(events)
}

type getLogEventsInput struct {
	LogGroupName       string `json:"logGroupName"`
	LogGroupIdentifier string `json:"logGroupIdentifier"`
	LogStreamName      string `json:"logStreamName"`
	StartTime          *int64 `json:"startTime"`
	EndTime            *int64 `json:"endTime"`
	StartFromHead      bool   `json:"startFromHead"`
	Limit              *int   `json:"limit"`
	NextToken          string `json:"nextToken"`
	Unmask             bool   `json:"unmask"`
}

type getLogEventsOutput struct {
	Events            []outputEvent `json:"events"`
	NextForwardToken  string        `json:"nextForwardToken"`
	NextBackwardToken string        `json:"nextBackwardToken"`
}

type outputEvent struct {
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
}

// getLogEvents reads a stream from its head or its tail. A token is "f/" or "b/", for the direction, and the position
// that the page ended at; at the end of a stream the same token comes back.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
func (s service) getLogEvents(in *getLogEventsInput) (*getLogEventsOutput, error) {
	group, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := s.readable(group, "GetLogEvents"); err != nil {
		return nil, err
	}
	if err := checkStreamName(in.LogStreamName); err != nil {
		return nil, err
	}
	limit, err := checkLimit(in.Limit, maxEvents)
	if err != nil {
		return nil, err
	}
	if in.Unmask {
		return nil, wire.NotEmulated("unmask of GetLogEvents")
	}
	forward, from := in.StartFromHead, (*position)(nil)
	if in.NextToken != "" {
		direction, text, _ := strings.Cut(in.NextToken, "/")
		p, err := parsePosition(text)
		if err != nil || direction != "f" && direction != "b" {
			return nil, badToken()
		}
		forward, from = direction == "f", &p
	}
	within := span{in.StartTime, in.EndTime}
	events, err := s.groups.StreamEvents(group, in.LogStreamName, func(e control.LogEvent) bool {
		switch {
		case !within.holds(e):
			return false
		case from == nil:
			return true
		case forward:
			return at(e).compare(*from) > 0
		default:
			return at(e).compare(*from) < 0
		}
	})
	if err != nil {
		return nil, err
	}
	if forward {
		events = events[:fits(events, limit)]
	} else {
		slices.Reverse(events)
		events = events[:fits(events, limit)]
		slices.Reverse(events)
	}
	first, last := position{}, position{}
	if from != nil {
		first, last = *from, *from
	}
	if len(events) > 0 {
		first, last = at(events[0]), at(events[len(events)-1])
	}
	out := &getLogEventsOutput{Events: []outputEvent{}, NextForwardToken: "f/" + last.String(), NextBackwardToken: "b/" + first.String()}
	for _, e := range events {
		out.Events = append(out.Events, outputEvent{e.At.UnixMilli(), e.Message, e.Ingested.UnixMilli()})
	}
	return out, nil
}

type filterLogEventsInput struct {
	LogGroupName        string   `json:"logGroupName"`
	LogGroupIdentifier  string   `json:"logGroupIdentifier"`
	LogStreamNames      []string `json:"logStreamNames"`
	LogStreamNamePrefix string   `json:"logStreamNamePrefix"`
	StartTime           *int64   `json:"startTime"`
	EndTime             *int64   `json:"endTime"`
	FilterPattern       string   `json:"filterPattern"`
	Limit               *int     `json:"limit"`
	NextToken           string   `json:"nextToken"`
	Interleaved         *bool    `json:"interleaved"` // AWS takes it as true whatever it says, since 2019
	Unmask              bool     `json:"unmask"`
}

type filterLogEventsOutput struct {
	Events             []filteredEvent `json:"events"`
	SearchedLogStreams []struct{}      `json:"searchedLogStreams"` // AWS leaves it empty, since 2020
	NextToken          string          `json:"nextToken,omitempty"`
}

type filteredEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	EventID       string `json:"eventId"`
}

// filterLogEvents searches a group. Unlike the end of a [getLogEventsInput], that of a search is part of its range.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
func (s service) filterLogEvents(in *filterLogEventsInput) (*filterLogEventsOutput, error) {
	group, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := s.readable(group, "FilterLogEvents"); err != nil {
		return nil, err
	}
	limit, err := checkLimit(in.Limit, maxEvents)
	if err != nil {
		return nil, err
	}
	if in.Unmask {
		return nil, wire.NotEmulated("unmask of FilterLogEvents")
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "" {
		return nil, invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
	}
	if err := s.checkStreams(group, in.LogStreamNames); err != nil {
		return nil, err
	}
	matches, err := parseFilter(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	after := position{ms: -1}
	if in.NextToken != "" {
		if after, err = parsePosition(in.NextToken); err != nil {
			return nil, err
		}
	}
	within := span{start: in.StartTime}
	if in.EndTime != nil {
		end := *in.EndTime + 1
		within.end = &end
	}
	events, err := s.groups.Events(group, func(e control.LogEvent) bool {
		return within.holds(e) && at(e).compare(after) > 0 && strings.HasPrefix(e.Stream, in.LogStreamNamePrefix) &&
			(len(in.LogStreamNames) == 0 || slices.Contains(in.LogStreamNames, e.Stream)) && matches(e.Message)
	})
	if err != nil {
		return nil, err
	}
	out := &filterLogEventsOutput{Events: []filteredEvent{}, SearchedLogStreams: []struct{}{}}
	if n := fits(events, limit); n < len(events) {
		events = events[:n]
		out.NextToken = at(events[n-1]).String()
	}
	for _, e := range events {
		out.Events = append(out.Events, filteredEvent{e.Stream, e.At.UnixMilli(), e.Message, e.Ingested.UnixMilli(), at(e).String()})
	}
	return out, nil
}

// checkStreams checks that every stream which a search names exists.
func (s service) checkStreams(group string, names []string) error {
	if len(names) > 100 {
		return invalid("1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: Member must have length less than or equal to 100")
	}
	for _, name := range names {
		if err := checkStreamName(name); err != nil {
			return err
		}
		if _, err := s.groups.StreamEvents(group, name, func(control.LogEvent) bool { return false }); err != nil {
			return err
		}
	}
	return nil
}
