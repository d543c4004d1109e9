package records

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// ParseReports reads what people have of reports: one JSON document after the other, or lists of them. Each is a report, what SNS sends
// with a report in it, a message of SQS, or the answer of ReceiveMessage.
func ParseReports(text []byte) ([]Report, error) {
	var all []Report
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var document json.RawMessage
		switch err := d.Decode(&document); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("report %d: %w", len(all)+1, err)
		}
		list, err := unwrap(document)
		if err != nil {
			return nil, fmt.Errorf("report %d: %w", len(all)+len(list)+1, err)
		}
		all = append(all, list...)
	}
}

// unwrap finds the reports in a document. With an error it gives those before the wrong one.
func unwrap(document json.RawMessage) (all []Report, err error) {
	var list []json.RawMessage
	var text string
	var envelope struct {
		Messages      []json.RawMessage
		Type, Message string // of SNS
		Body          string // of SQS
	}
	switch {
	case json.Unmarshal(document, &list) == nil:
	case json.Unmarshal(document, &text) == nil:
		list = []json.RawMessage{json.RawMessage(text)}
	case json.Unmarshal(document, &envelope) != nil:
		return nil, errors.New("it is no JSON object")
	case envelope.Messages != nil:
		list = envelope.Messages
	case envelope.Type == "Notification" && envelope.Message != "":
		list = []json.RawMessage{json.RawMessage(envelope.Message)}
	case envelope.Body != "":
		list = []json.RawMessage{json.RawMessage(envelope.Body)}
	default:
		r, err := ParseReport(document)
		if err != nil {
			return nil, err
		}
		return []Report{r}, nil
	}
	for _, inner := range list {
		found, err := unwrap(inner)
		all = append(all, found...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// Holds reports whether a record lies in the report's range.
func (r Report) Holds(sequence string) bool {
	return CompareSequence(r.First, sequence) <= 0 && CompareSequence(sequence, r.Last) <= 0
}

// Pick tells which records the report is about. all are those that the stream has from First to Last, and wanted those of them that the
// mapping's filter lets through. The range may hold more than was given up: records that were filtered out, those of other lanes of a
// mapping with a ParallelizationFactor, those of which a part of the batch was done. Count tells them apart where it can. exact is false
// where it cannot, or where the stream has not all of the range any more; then the records are all that may be meant.
func (r Report) Pick(all, wanted []Record) (picked []Record, exact bool) {
	if len(all) == 0 {
		return nil, false
	}
	first, last := all[0], all[len(all)-1]
	whole := first.Sequence == r.First && last.Sequence == r.Last
	switch {
	case whole && len(all) == r.Count:
		return all, true
	case whole && len(wanted) == r.Count && r.Count > 0:
		return wanted, true
	case whole && r.First == r.Last:
		return all, true
	case whole && r.Count == 2: // both ends were given up
		return []Record{first, last}, true
	case whole && len(wanted) < r.Count: // the filter is not the one that it was
		return all, false
	}
	return wanted, false
}
