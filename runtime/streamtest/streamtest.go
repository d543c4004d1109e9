// Package streamtest builds the events of DynamoDB streams from typed items and delivers them to a handler as Lambda does, for tests.
//
//	h := stream.Handler(ship.Handle)
//	got := streamtest.Invoke(t, h,
//		streamtest.Insert(&orders.Item{ID: "1"}),
//		streamtest.Modify(&orders.Item{ID: "1"}, &orders.Item{ID: "1", Status: "paid"}),
//	)
//	if got.Unfinished != 2 {
//		t.Errorf("record %d is not done: %v", got.Unfinished, got.Err)
//	}
package streamtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"streamgen/runtime/stream"
)

// Record is a stream record. Its fields may be changed before it is delivered.
type Record struct {
	// Table is the table's name in AWS, "table" unless it is set; a handler with several tables needs it.
	Table string
	Kind  stream.Kind
	// Keys, Old and New are images in DynamoDB's JSON; an empty one is not in the record.
	Keys, Old, New stream.JSON
	// ByTTL is set for a removal that DynamoDB has made itself.
	ByTTL bool
	// EventID and SequenceNumber are chosen by [Event] where they are empty: equal records in equal places get equal ones.
	EventID, SequenceNumber string
	// CreatedAt is the time of the change, the start of 2026 unless it is set.
	CreatedAt time.Time

	err error
}

// Insert is the record of a new item.
func Insert[T any, P stream.Item[T]](item P) Record {
	return newRecord[T](stream.Insert, nil, item)
}

// Modify is the record of an item that changes. Both must have the same key.
func Modify[T any, P stream.Item[T]](old, current P) Record {
	return newRecord(stream.Modify, old, current)
}

// Remove is the record of an item that is deleted.
func Remove[T any, P stream.Item[T]](old P) Record { return newRecord[T](stream.Remove, old, nil) }

// Expire is the record of an item that DynamoDB deletes because its time to live is over.
func Expire[T any, P stream.Item[T]](old P) Record {
	r := Remove[T](old)
	r.ByTTL = true
	return r
}

func newRecord[T any, P stream.Item[T]](kind stream.Kind, old, current P) Record {
	r := Record{Kind: kind}
	var oldKeys stream.JSON
	if old != nil {
		r.Old, oldKeys, r.err = images(old)
		r.Keys = oldKeys
	}
	if current != nil {
		var err error
		r.New, r.Keys, err = images(current)
		r.err = errors.Join(r.err, err)
	}
	if old != nil && current != nil && oldKeys != r.Keys {
		r.err = errors.Join(r.err, fmt.Errorf("the item before has the key %s and the item after %s: these are two items", oldKeys, r.Keys))
	}
	return r
}

// images gives an item's image and that of its key.
func images[T any, P stream.Item[T]](item P) (image, keys stream.JSON, err error) {
	all, err := stream.Marshal(item)
	if err != nil {
		return "", "", err
	}
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(all, &attributes); err != nil {
		return "", "", err
	}
	key := map[string]json.RawMessage{}
	for _, name := range item.KeyNames() {
		if attributes[name] == nil {
			return "", "", fmt.Errorf("the item has no %q, which is of its key", name)
		}
		key[name] = attributes[name]
	}
	only, err := json.Marshal(key)
	return stream.JSON(all), stream.JSON(only), err
}

// View gives the record as a stream with this view type has it: KEYS_ONLY, NEW_IMAGE, OLD_IMAGE or NEW_AND_OLD_IMAGES.
func (r Record) View(streamViewType string) Record {
	if streamViewType == "KEYS_ONLY" || streamViewType == "OLD_IMAGE" {
		r.New = ""
	}
	if streamViewType == "KEYS_ONLY" || streamViewType == "NEW_IMAGE" {
		r.Old = ""
	}
	return r
}

// Event gives the event of one batch, as Lambda delivers it. Its errors are those of items that cannot be written.
func Event(records ...Record) ([]byte, error) {
	list := make([]lambdaRecord, len(records))
	var errs []error
	for i, r := range records {
		if r.err != nil {
			errs = append(errs, fmt.Errorf("record %d: %w", i, r.err))
		}
		list[i] = r.encode(i)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"Records": list})
}

// lambdaRecord is a record in the order of Lambda's members.
type lambdaRecord struct {
	EventID        string        `json:"eventID"`
	EventName      stream.Kind   `json:"eventName"`
	EventVersion   string        `json:"eventVersion"`
	EventSource    string        `json:"eventSource"`
	AWSRegion      string        `json:"awsRegion"`
	DynamoDB       streamRecord  `json:"dynamodb"`
	EventSourceARN string        `json:"eventSourceARN"`
	UserIdentity   *userIdentity `json:"userIdentity,omitempty"`
}

type streamRecord struct {
	ApproximateCreationDateTime json.Number
	Keys                        stream.JSON
	NewImage                    stream.JSON `json:",omitempty"`
	OldImage                    stream.JSON `json:",omitempty"`
	SequenceNumber              string
	SizeBytes                   int
	StreamViewType              string
}

type userIdentity struct {
	PrincipalID string `json:"principalId"`
	Type        string `json:"type"`
}

func (r Record) encode(i int) lambdaRecord {
	if r.Table == "" {
		r.Table = "table"
	}
	if r.SequenceNumber == "" {
		r.SequenceNumber = fmt.Sprintf("%d00000000000000000%03d", 1, i)
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if r.EventID == "" {
		sum := sha256.Sum256(fmt.Append(nil, r.Table, i, r.Kind, r.Keys, r.Old, r.New))
		r.EventID = hex.EncodeToString(sum[:16])
	}
	out := lambdaRecord{
		EventID: r.EventID, EventName: r.Kind, EventVersion: "1.1", EventSource: "aws:dynamodb", AWSRegion: "us-east-1",
		EventSourceARN: "arn:aws:dynamodb:us-east-1:123456789012:table/" + r.Table + "/stream/2026-01-01T00:00:00.000",
		DynamoDB: streamRecord{
			ApproximateCreationDateTime: json.Number(strconv.FormatInt(r.CreatedAt.Unix(), 10) + ".0"),
			Keys:                        r.Keys, NewImage: r.New, OldImage: r.Old, SequenceNumber: r.SequenceNumber,
			SizeBytes: len(r.Keys) + len(r.New) + len(r.Old), StreamViewType: r.viewType(),
		},
	}
	if r.ByTTL {
		out.UserIdentity = &userIdentity{PrincipalID: "dynamodb.amazonaws.com", Type: "Service"}
	}
	return out
}

func (r Record) viewType() string {
	switch {
	case r.Old != "" && r.New != "":
		return "NEW_AND_OLD_IMAGES"
	case r.Old != "":
		return "OLD_IMAGE"
	case r.New != "":
		return "NEW_IMAGE"
	}
	return "KEYS_ONLY"
}

// Invocation is what came of one delivery.
type Invocation struct {
	// First is the index of the first record that was delivered, Unfinished of the lowest that Lambda delivers again. It is the number of
	// the records when all are done.
	First, Unfinished int
	// Response is what the function answered, Err its error, upon which all that was delivered is delivered again.
	Response []byte
	Err      error
}

// Invoke delivers the records to a handler once, as one batch, with a minute's time. What is no event ends the test.
func Invoke(t testing.TB, h lambda.Handler, records ...Record) Invocation {
	t.Helper()
	return invoke(t, h, number(records), 0)
}

// Deliver delivers the records as one batch, and what is unfinished again, as Lambda does, up to so many times. It gives all invocations;
// the last tells whether everything is done.
func Deliver(t testing.TB, h lambda.Handler, attempts int, records ...Record) []Invocation {
	t.Helper()
	var all []Invocation
	records = number(records)
	for first := 0; len(all) < attempts && (first < len(records) || len(all) == 0); {
		i := invoke(t, h, records, first)
		all = append(all, i)
		first = i.Unfinished
	}
	return all
}

// number gives the records the names that they keep when some of them are delivered again.
func number(records []Record) []Record {
	records = slices.Clone(records)
	for i, r := range records {
		encoded := r.encode(i)
		records[i].EventID, records[i].SequenceNumber = encoded.EventID, encoded.DynamoDB.SequenceNumber
	}
	return records
}

func invoke(t testing.TB, h lambda.Handler, records []Record, first int) Invocation {
	t.Helper()
	payload, err := Event(records[first:]...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := Invocation{First: first, Unfinished: first}
	if got.Response, got.Err = h.Invoke(ctx, payload); got.Err != nil {
		return got
	}
	if got.Unfinished, got.Err = unfinished(records, first, got.Response); got.Err != nil {
		got.Unfinished = first
	}
	return got
}

// unfinished reads a response as Lambda does: the lowest sequence number counts, and one that is not of the batch fails all of it.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
func unfinished(records []Record, first int, response []byte) (int, error) {
	var r struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(response, &r); err != nil {
		return 0, fmt.Errorf("the response is not what Lambda takes: %w", err)
	}
	lowest := len(records)
	for _, f := range r.BatchItemFailures {
		i := slices.IndexFunc(records[first:], func(r Record) bool { return r.SequenceNumber == f.ItemIdentifier })
		if i < 0 {
			return 0, fmt.Errorf("the response names %q, which is no sequence number of the batch: Lambda delivers all of it again", f.ItemIdentifier)
		}
		lowest = min(lowest, first+i)
	}
	return lowest, nil
}
