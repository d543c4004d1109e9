package streamtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"streamgen/runtime/stream"
)

const (
	region  = "us-east-1"
	account = "123456789012"
	// shardID is of the one shard that all records come from.
	shardID = "shardId-00000001767225600000-5e1f7a1b"
)

// Event gives the event of one batch, as Lambda delivers it. Its errors are those of items that cannot be written, and of records of two
// tables, which never share a batch.
func Event(records ...Record) ([]byte, error) {
	var e struct{ Records []eventRecord }
	var err error
	if e.Records, err = eventRecords(records); err != nil {
		return nil, err
	}
	return encode(e)
}

func eventRecords(records []Record) ([]eventRecord, error) {
	list := make([]eventRecord, len(records))
	records = settle(records)
	var errs []error
	for i, r := range records {
		switch {
		case r.err != nil:
			errs = append(errs, fmt.Errorf("record %d: %w", i, r.err))
		case r.Table != records[0].Table:
			errs = append(errs, fmt.Errorf("record %d is of table %q and the first of %q: no batch has both", i, r.Table, records[0].Table))
		}
		for _, image := range []stream.JSON{r.Keys, r.Old, r.New} {
			if image != "" && !json.Valid([]byte(image)) {
				errs = append(errs, fmt.Errorf("record %d: %s is no JSON", i, image))
			}
		}
		list[i] = r.encode()
	}
	return list, errors.Join(errs...)
}

// Window is what the event of a tumbling window says beside its records.
type Window struct {
	// Table is the name in AWS of the table that the window is of; that of its records unless it is set, and "table" if there are none.
	Table string
	// Start and End bound the window: the start of 2026 and a minute after Start unless they are set.
	Start, End time.Time
	// State is what the window's invocation before returned, as JSON: {} in the first.
	State stream.JSON
	// Final is set for the window's last invocation, which has no records.
	Final bool
	// TerminatedEarly is set with Final when the window ends before its time, because its state grew beyond 1 MB.
	TerminatedEarly bool
}

// WindowEvent gives the event of one invocation of a tumbling window, as Lambda delivers it. [Deliver] makes those of whole windows. Its
// errors are those of [Event], and a State that is no JSON.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html
func WindowEvent(w Window, records ...Record) ([]byte, error) {
	var e struct {
		Records []eventRecord
		eventWindow
	}
	var err error
	if e.Records, err = eventRecords(records); err != nil {
		return nil, err
	}
	if len(records) > 0 {
		table := records[0].settled(0).Table
		if w.Table = cmp.Or(w.Table, table); w.Table != table {
			return nil, fmt.Errorf("the window is of table %q, and its records are of %q", w.Table, table)
		}
	}
	if w.State = cmp.Or(w.State, "{}"); !json.Valid([]byte(w.State)) {
		return nil, fmt.Errorf("the window's state %s is no JSON", w.State)
	}
	if w.Start.IsZero() {
		w.Start = epoch()
	}
	if w.End.IsZero() {
		w.End = w.Start.Add(time.Minute)
	}
	e.Window.Start, e.Window.End = w.Start.UTC(), w.End.UTC()
	e.State, e.ShardID, e.EventSourceARN = w.State, shardID, streamARN(cmp.Or(w.Table, "table"))
	e.IsFinalInvokeForWindow, e.IsWindowTerminatedEarly = w.Final, w.TerminatedEarly
	return encode(e)
}

// What follows has the members in Lambda's order.

type eventWindow struct {
	Window struct {
		Start time.Time `json:"start"`
		End   time.Time `json:"end"`
	} `json:"window"`
	State                   stream.JSON `json:"state"`
	ShardID                 string      `json:"shardId"`
	EventSourceARN          string      `json:"eventSourceARN"`
	IsFinalInvokeForWindow  bool        `json:"isFinalInvokeForWindow"`
	IsWindowTerminatedEarly bool        `json:"isWindowTerminatedEarly"`
}

type eventRecord struct {
	EventID        string        `json:"eventID"`
	EventName      stream.Kind   `json:"eventName"`
	EventVersion   string        `json:"eventVersion"`
	EventSource    string        `json:"eventSource"`
	AWSRegion      string        `json:"awsRegion"`
	DynamoDB       eventChange   `json:"dynamodb"`
	UserIdentity   *userIdentity `json:"userIdentity,omitempty"`
	EventSourceARN string        `json:"eventSourceARN"`
}

type eventChange struct {
	ApproximateCreationDateTime json.Number
	Keys                        stream.JSON `json:",omitempty"`
	NewImage                    stream.JSON `json:",omitempty"`
	OldImage                    stream.JSON `json:",omitempty"`
	SequenceNumber              string
	SizeBytes                   int
	StreamViewType              string
}

type userIdentity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
}

// encode gives a settled record as it is in an event.
func (r Record) encode() eventRecord {
	e := eventRecord{
		EventID: r.EventID, EventName: r.Kind, EventVersion: "1.1", EventSource: "aws:dynamodb", AWSRegion: region, EventSourceARN: streamARN(r.Table),
		DynamoDB: eventChange{
			// It is a number of seconds with a fraction, which is always zero.
			ApproximateCreationDateTime: json.Number(strconv.FormatInt(r.CreatedAt.Unix(), 10) + ".0"),
			Keys:                        r.Keys, NewImage: r.New, OldImage: r.Old, SequenceNumber: r.SequenceNumber,
			SizeBytes: imageSize(r.Keys) + imageSize(r.New) + imageSize(r.Old), StreamViewType: r.view,
		},
	}
	if r.ByTTL {
		e.UserIdentity = &userIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	}
	return e
}

func streamARN(table string) string {
	return "arn:aws:dynamodb:" + region + ":" + account + ":table/" + table + "/stream/2026-01-01T00:00:00.000"
}
