package esm

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Why records are given up.
const (
	retriesExhausted = "RetryAttemptsExhausted"
	ageExceeded      = "RecordAgeExceeded"
)

// invocation is what the last invocation of a batch ended with.
type invocation struct{ requestID, functionError, executedVersion string }

// report is what a destination gets of records that a mapping gives up. The records themselves are not in it.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
type report struct {
	RequestContext  requestContext   `json:"requestContext"`
	ResponseContext *responseContext `json:"responseContext,omitempty"`
	Version         string           `json:"version"`
	Timestamp       string           `json:"timestamp"`
	Batch           batchInfo        `json:"DDBStreamBatchInfo"`
}

type requestContext struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	// ApproximateInvokeCount is 1 for a record that expired before it was delivered.
	ApproximateInvokeCount int `json:"approximateInvokeCount"`
}

type responseContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	// FunctionError is null when the function succeeded and reported failed items.
	FunctionError *string `json:"functionError"`
}

type batchInfo struct {
	ShardID                         string `json:"shardId"`
	StartSequenceNumber             string `json:"startSequenceNumber"`
	EndSequenceNumber               string `json:"endSequenceNumber"`
	ApproximateArrivalOfFirstRecord string `json:"approximateArrivalOfFirstRecord"`
	ApproximateArrivalOfLastRecord  string `json:"approximateArrivalOfLastRecord"`
	BatchSize                       int    `json:"batchSize"`
	StreamARN                       string `json:"streamArn"`
}

// document is the report as JSON.
func (l *lane) document(records []Record, condition string, invokes int, last *invocation) string {
	if condition == ageExceeded {
		invokes++ // the attempt that found it too old counts
	}
	id := uuid.NewString()
	if last != nil && last.requestID != "" {
		id = last.requestID
	}
	first, final := records[0], records[len(records)-1]
	r := report{
		RequestContext: requestContext{
			RequestID: id, FunctionARN: l.config.FunctionARN, Condition: condition, ApproximateInvokeCount: invokes,
		},
		Version: "1.0", Timestamp: l.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		Batch: batchInfo{
			ShardID: l.id, StartSequenceNumber: first.SequenceNumber, EndSequenceNumber: final.SequenceNumber,
			ApproximateArrivalOfFirstRecord: first.ApproximateCreationDateTime.UTC().Format(time.RFC3339),
			ApproximateArrivalOfLastRecord:  final.ApproximateCreationDateTime.UTC().Format(time.RFC3339),
			BatchSize:                       len(records), StreamARN: l.config.StreamARN,
		},
	}
	if last != nil {
		r.ResponseContext = &responseContext{StatusCode: 200, ExecutedVersion: cmp.Or(last.executedVersion, "$LATEST")}
		if last.functionError != "" {
			r.ResponseContext.FunctionError = &last.functionError
		}
	}
	text, _ := json.Marshal(r) // strings and numbers alone cannot fail
	return string(text)
}
