// Package records is what the commands about single records have in common: records and events as Lambda gets them, recordings in
// files, batches and lanes of them, what a function's answer says of them, and the reports of a failure destination. It calls nobody.
package records

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// The kinds of change, as a record names them.
const (
	Insert = "INSERT"
	Modify = "MODIFY"
	Remove = "REMOVE"
)

// Record is one record of a DynamoDB stream as Lambda hands it to a function.
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
type Record struct {
	// Shard is the shard that it was read from; empty where that is not known.
	Shard string
	// Kind is Insert, Modify or Remove; Sequence is decimal and grows within a shard.
	Kind, Sequence string
	// At is when the change was made, to the second.
	At        time.Time
	StreamARN string
	// Keys, Old and New are attributes by name, each in DynamoDB's JSON; an image is nil where the record has none.
	Keys, Old, New Image
	// JSON is the whole record.
	JSON json.RawMessage
}

// Image is attributes by name, each in DynamoDB's JSON, such as {"S":"paid"}.
type Image map[string]json.RawMessage

// Parse reads a record.
func Parse(text json.RawMessage) (Record, error) {
	var r struct {
		EventName      string `json:"eventName"`
		EventSourceARN string `json:"eventSourceARN"`
		DynamoDB       *struct {
			ApproximateCreationDateTime float64
			Keys, NewImage, OldImage    Image
			SequenceNumber              string
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("reading a record: %w", err)
	}
	switch {
	case r.DynamoDB == nil:
		return Record{}, fmt.Errorf(`reading a record: it has no "dynamodb"`)
	case r.EventName != Insert && r.EventName != Modify && r.EventName != Remove:
		return Record{}, fmt.Errorf("reading a record: eventName is %q, want %s, %s or %s", r.EventName, Insert, Modify, Remove)
	case r.DynamoDB.SequenceNumber == "" || strings.Trim(r.DynamoDB.SequenceNumber, "0123456789") != "":
		return Record{}, fmt.Errorf("reading a record: SequenceNumber is %q, want digits", r.DynamoDB.SequenceNumber)
	}
	whole, fraction := math.Modf(r.DynamoDB.ApproximateCreationDateTime)
	return Record{
		Kind: r.EventName, Sequence: r.DynamoDB.SequenceNumber, StreamARN: r.EventSourceARN,
		At:   time.Unix(int64(whole), int64(fraction*1e9)).UTC(),
		Keys: r.DynamoDB.Keys, Old: r.DynamoDB.OldImage, New: r.DynamoDB.NewImage, JSON: text,
	}, nil
}

// ParseEvent reads the records of an event; an event without any is an error.
func ParseEvent(event []byte) ([]Record, error) {
	var e struct{ Records []json.RawMessage }
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, fmt.Errorf("reading an event: %w", err)
	}
	if len(e.Records) == 0 {
		return nil, fmt.Errorf(`reading an event: it has no "Records"`)
	}
	list := make([]Record, len(e.Records))
	for i, text := range e.Records {
		var err error
		if list[i], err = Parse(text); err != nil {
			return nil, fmt.Errorf("record %d of the event: %w", i+1, err)
		}
	}
	return list, nil
}

const eventHead, eventTail = `{"Records":[`, `]}`

// Event is what a function is invoked with for the records.
func Event(list []Record) []byte {
	size := len(eventHead) + len(eventTail)
	for _, r := range list {
		size += len(r.JSON) + 1
	}
	b := append(make([]byte, 0, size), eventHead...)
	for i, r := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.JSON...)
	}
	return append(b, eventTail...)
}

// CompareSequence orders sequence numbers, which vary in length: it is negative when a comes before b.
func CompareSequence(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// TableOf gives the name of the table in the ARN of its stream; empty for any other text.
func TableOf(streamARN string) string {
	_, rest, _ := strings.Cut(streamARN, ":table/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// Short is the end of a shard's ID, by which people tell shards apart.
func Short(shard string) string {
	if i := strings.LastIndexByte(shard, '-'); i >= 0 {
		return shard[i+1:]
	}
	return shard
}
