package logs

import (
	"cmp"
	"slices"
	"strings"

	"streamgen/internal/local/control"
)

type streamInput struct {
	LogGroupName  string `json:"logGroupName"`
	LogStreamName string `json:"logStreamName"`
}

func (in *streamInput) check() error {
	return cmp.Or(checkGroupName(in.LogGroupName), checkStreamName(in.LogStreamName))
}

func (s service) createLogStream(in *streamInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, s.groups.CreateStream(in.LogGroupName, in.LogStreamName)
}

func (s service) deleteLogStream(in *streamInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, s.groups.DeleteStream(in.LogGroupName, in.LogStreamName)
}

type describeLogStreamsInput struct {
	LogGroupName        string `json:"logGroupName"`
	LogGroupIdentifier  string `json:"logGroupIdentifier"`
	LogStreamNamePrefix string `json:"logStreamNamePrefix"`
	OrderBy             string `json:"orderBy"`
	Descending          bool   `json:"descending"`
	Limit               *int   `json:"limit"`
	NextToken           string `json:"nextToken"`
}

type describeLogStreamsOutput struct {
	LogStreams []logStream `json:"logStreams"`
	NextToken  string      `json:"nextToken,omitempty"`
}

type logStream struct {
	ARN                 string `json:"arn"`
	LogStreamName       string `json:"logStreamName"`
	CreationTime        *int64 `json:"creationTime"`
	FirstEventTimestamp *int64 `json:"firstEventTimestamp,omitempty"`
	LastEventTimestamp  *int64 `json:"lastEventTimestamp,omitempty"`
	LastIngestionTime   *int64 `json:"lastIngestionTime,omitempty"`
	StoredBytes         int    `json:"storedBytes"` // AWS reports 0 for every stream
}

func (s service) describeLogStreams(in *describeLogStreamsInput) (*describeLogStreamsOutput, error) {
	group, err := s.group(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	limit, err := checkLimit(in.Limit, 50)
	if err != nil {
		return nil, err
	}
	streams, err := s.groups.Streams(group)
	if err != nil {
		return nil, err
	}
	switch in.OrderBy {
	case "", "LogStreamName":
	case "LastEventTime":
		if in.LogStreamNamePrefix != "" {
			return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
		}
		slices.SortStableFunc(streams, func(a, b control.LogStream) int { return a.LastEvent.Compare(b.LastEvent) })
	default:
		return nil, invalid("1 validation error detected: Value '%s' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value set: [LogStreamName, LastEventTime]", in.OrderBy)
	}
	if in.Descending {
		slices.Reverse(streams)
	}
	streams = slices.DeleteFunc(streams, func(st control.LogStream) bool { return !strings.HasPrefix(st.Name, in.LogStreamNamePrefix) })
	items, next, err := page(streams, in.NextToken, limit, func(st control.LogStream) string { return st.Name })
	if err != nil {
		return nil, err
	}
	out := &describeLogStreamsOutput{LogStreams: []logStream{}, NextToken: next}
	for _, st := range items {
		out.LogStreams = append(out.LogStreams, logStream{ARN: st.ARN, LogStreamName: st.Name, CreationTime: milliseconds(st.Created),
			FirstEventTimestamp: milliseconds(st.FirstEvent), LastEventTimestamp: milliseconds(st.LastEvent), LastIngestionTime: milliseconds(st.LastIngestion)})
	}
	return out, nil
}
