package records

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Report is what a failure destination is told of records that a mapping gave up. From a queue or a topic the records themselves are
// missing. https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
type Report struct {
	FunctionARN string
	// Condition is why, such as RetryAttemptsExhausted; Invokes is about how often the function was invoked with them.
	Condition string
	Invokes   int
	At        time.Time
	// StreamARN, Shard, First and Last, sequence numbers, say where the records are in the stream; Count is how many of what is there.
	StreamARN, Shard, First, Last string
	Count                         int
	// FirstArrival and LastArrival are when the records were written.
	FirstArrival, LastArrival time.Time
	// Event is what the function was invoked with, which S3 gets; nil from elsewhere.
	Event []byte
}

// ParseReport reads a report.
func ParseReport(text []byte) (Report, error) {
	var d struct {
		RequestContext struct {
			FunctionARN string `json:"functionArn"`
			Condition   string `json:"condition"`
			Invokes     int    `json:"approximateInvokeCount"`
		} `json:"requestContext"`
		Timestamp time.Time `json:"timestamp"`
		Batch     *struct {
			ShardID string    `json:"shardId"`
			First   string    `json:"startSequenceNumber"`
			Last    string    `json:"endSequenceNumber"`
			Arrived time.Time `json:"approximateArrivalOfFirstRecord"`
			Ended   time.Time `json:"approximateArrivalOfLastRecord"`
			Size    int       `json:"batchSize"`
			Stream  string    `json:"streamArn"`
		} `json:"DDBStreamBatchInfo"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return Report{}, fmt.Errorf("it is no report of Lambda's: %w", err)
	}
	if d.Batch == nil || d.Batch.First == "" || d.Batch.Last == "" || d.Batch.ShardID == "" {
		return Report{}, errors.New("it is no report of Lambda's about a DynamoDB stream")
	}
	r := Report{
		FunctionARN: d.RequestContext.FunctionARN, Condition: d.RequestContext.Condition, Invokes: d.RequestContext.Invokes, At: d.Timestamp,
		StreamARN: d.Batch.Stream, Shard: d.Batch.ShardID, First: d.Batch.First, Last: d.Batch.Last, Count: d.Batch.Size,
		FirstArrival: d.Batch.Arrived, LastArrival: d.Batch.Ended,
	}
	if len(d.Payload) > 0 && string(d.Payload) != "null" {
		// The event is a text in the report; one that stands there as an object is as good.
		var event string
		if json.Unmarshal(d.Payload, &event) == nil {
			r.Event = []byte(event)
		} else {
			r.Event = d.Payload
		}
	}
	return r, nil
}

// Holds reports whether a record lies in the report's range.
func (r Report) Holds(sequence string) bool {
	return CompareSequence(r.First, sequence) <= 0 && CompareSequence(sequence, r.Last) <= 0
}
