// Package esm is Lambda's event source mapping for DynamoDB streams: it polls a stream's shards, makes batches of their
// records, invokes a function with them, and decides by the answer what is done and what comes again.
//
// It delivers at least once and in each shard's order. AWS is eventually consistent where this package is not: there, a
// mapping at LATEST may miss records written during the first minutes after it was created or updated.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batch-settings.html
package esm

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"streamgen/internal/local/clock"
)

// Record is one record of a stream.
type Record struct {
	// SequenceNumber is decimal and grows within a shard.
	SequenceNumber string
	// Key is the item's partition key. Records with one key are delivered in order.
	Key string
	// ApproximateCreationDateTime is what the record's age counts from.
	ApproximateCreationDateTime time.Time
	// JSON is the whole record as the function receives it.
	JSON json.RawMessage
}

// Shard is one shard of a stream.
type Shard struct {
	// ID is the shard's name; ParentID is the shard that it continues, or "".
	ID, ParentID string
	// Closed says that the shard gets no more records.
	Closed bool
}

// Source is a stream as one mapping reads it. Its methods are called from several goroutines, Wait from one at a time.
type Source interface {
	// Shards gives every shard that can still be read, a parent before its children.
	Shards() []Shard
	// Latest is the sequence number after which LATEST begins now, or "" for the shard's first record.
	Latest(shardID string) (after string)
	// Read gives up to limit records, in order, with a greater sequence number than after. closed says that the shard gets no
	// more records and that these were its last; so it is of a shard that is gone. An error is taken as nothing to read for now.
	Read(shardID, after string, limit int) (records []Record, closed bool, err error)
	// Wait returns once a record or a shard may have been added since it returned last, or when ctx ends.
	Wait(ctx context.Context) error
}

// Result is what a function gave.
type Result struct {
	// Payload is the function's answer.
	Payload []byte
	// FunctionError is not "" when the function failed.
	FunctionError string
	// RequestID is the invocation's.
	RequestID string
	// ExecutedVersion is the version of the function that ran; "" means $LATEST.
	ExecutedVersion string
}

// Invoker runs functions. An error means that the function was not run: it is throttled, gone, or the service is ill.
type Invoker interface {
	Invoke(ctx context.Context, functionARN string, payload []byte) (Result, error)
}

// Delivery is a report about records that a mapping gives up.
type Delivery struct {
	// Destination is the ARN that the report goes to, with the rights of the function's role.
	Destination, FunctionARN string
	// Mapping is the mapping's UUID.
	Mapping, ShardID string
	At               time.Time
	// Document is the report as JSON. Event is what the function was, or would have been, invoked with: S3 gets both.
	Document, Event string
}

// Backoff is how long a shard waits between attempts: Base, doubled after each, up to Max. AWS does not publish its own.
type Backoff struct{ Base, Max time.Duration }

// wait is the time after attempt n, counted from 0.
func (b Backoff) wait(n int) time.Duration {
	for d := b.Base; ; d *= 2 {
		if n == 0 || d >= b.Max {
			return min(d, b.Max)
		}
		n--
	}
}

// Options configure Mappings.
type Options struct {
	// Account and Region are those of the mappings' ARNs.
	Account, Region string
	// Clock times windows, backoff and age. Nil means the machine's.
	Clock clock.Clock
	// Source finds a stream by its ARN and gives a Source of its own for each call, or false if there is none.
	Source func(streamARN string) (Source, bool)
	// Invoker runs the functions.
	Invoker Invoker
	// Destination sends a report about records that a mapping gives up. Its error means that the report did not arrive.
	Destination func(Delivery) error
	// Access says whether the function's role may read the stream, before a mapping is made and before each read; its error is what a
	// caller of CreateEventSourceMapping sees. Nil allows every role.
	Access func(functionARN, streamARN string) error
	// Observe is told of each thing that a mapping does, from the goroutine that does it. Nil drops it.
	Observe func(Event)
	// Metrics is told of each value of a mapping's metrics, from the goroutine that it comes of. Nil drops it.
	Metrics func(Metric)
	// Backoff between attempts; the zero value means 500 ms up to one minute.
	Backoff Backoff
	// PollInterval is how long a shard with nothing to read rests when no Wait wakes it; 0 means 5 s. Lambda polls every 250 ms, as nothing
	// wakes it.
	PollInterval time.Duration
	// Logger tells of records that were dropped. Nil drops that too.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Backoff == (Backoff{}) {
		o.Backoff = Backoff{Base: 500 * time.Millisecond, Max: time.Minute}
	}
	if o.PollInterval == 0 {
		o.PollInterval = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// The codes of [Error], as Lambda names them on the wire.
const (
	InvalidParameterValue = "InvalidParameterValueException"
	ResourceConflict      = "ResourceConflictException"
	ResourceNotFound      = "ResourceNotFoundException"
)

// Error is a refusal that a caller of Lambda's API would see.
type Error struct {
	// Code is one of the constants above.
	Code string
	// Message is what clients show.
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
