package stacktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"streamgen/internal/local"
)

// Mapping says how a table's stream is delivered, in the words and the ranges of Lambda's event source mapping. The stream is delivered
// from its first record on, and a report of failed records is taken always.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
type Mapping struct {
	// BatchSize is the most records of a batch, 1 to 10000; 0 is Lambda's default, 100.
	BatchSize int `json:",omitempty"`
	// MaximumBatchingWindowInSeconds is how long a batch waits to be full, 0 to 300, on the stack's clock.
	MaximumBatchingWindowInSeconds int `json:",omitempty"`
	// MaximumRetryAttempts is how often a batch that failed is delivered again before it is given up, 0 to 10000; -1 is until its records
	// expire, which is Lambda's default. The pauses between attempts begin with a millisecond and double.
	MaximumRetryAttempts int
	// MaximumRecordAgeInSeconds is how old a record may get before it is given up, 60 to 604800; 0 is as long as the stream has it.
	MaximumRecordAgeInSeconds int `json:",omitempty"`
	// BisectBatchOnFunctionError halves a batch that failed, and delivers each half as a batch of its own.
	BisectBatchOnFunctionError bool `json:",omitempty"`
	// ParallelizationFactor is how many batches of a shard are delivered at a time, 1 to 10; 0 is 1. The changes of a partition key stay in order.
	ParallelizationFactor int `json:",omitempty"`
	// TumblingWindowInSeconds is the length of the windows over which the handler keeps a state, up to 900; 0 is none. A window ends when a record
	// of a later one comes, or a second after its time on the stack's clock.
	TumblingWindowInSeconds int `json:",omitempty"`
	// Filters are patterns of which a record must match one; without any, every record is delivered.
	// https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
	Filters []string `json:"-"`
	// OnFailure is the ARN of a queue that is told of records that are given up; "" is none.
	OnFailure string `json:"-"`
}

// functionTimeout is Lambda's longest: what a handler is slow at is its test's to say.
const functionTimeout = 15 * time.Minute

// Attach makes a handler one that Lambda invokes, in this process, with what is written to a table, and gives the function's name. A
// handler is what the Lambda library takes: lambda.NewHandler makes one of a Go function, and the packages that gen generates have one.
// It runs on goroutines of the stack, must return when its context ends, and its panic is a failed invocation.
func (s *Stack) Attach(t testing.TB, table string, handler lambda.Handler, m Mapping) (function string) {
	t.Helper()
	name := s.TableName(table)
	described, err := dynamodb.NewFromConfig(s.config).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatalf("attach a handler: %v", err)
	}
	stream := described.Table.LatestStreamArn
	if stream == nil || described.Table.StreamSpecification == nil {
		t.Fatalf("attach a handler: table %s has no stream", name)
	}
	function = fmt.Sprintf("handler-%d", s.functions.Add(1))
	arn, err := s.stack.Register(region, function, functionTimeout, invoke(handler))
	if err != nil {
		t.Fatalf("attach a handler: %v", err)
	}
	s.createMapping(t, *stream, arn, m)
	return function
}

// invoke runs a handler with the context that the Lambda library gives it.
func invoke(handler lambda.Handler) local.Function {
	return func(ctx context.Context, i local.Invocation) ([]byte, error) {
		about := &lambdacontext.LambdaContext{AwsRequestID: i.RequestID, InvokedFunctionArn: i.FunctionARN}
		if i.ClientContext != nil {
			if err := json.Unmarshal(i.ClientContext, &about.ClientContext); err != nil {
				return nil, fmt.Errorf("read the client context: %w", err)
			}
		}
		return handler.Invoke(lambdacontext.NewContext(ctx, about), i.Payload)
	}
}

type filter struct{ Pattern string }

// createMapping asks Lambda's API for the mapping: it checks the ranges and refuses what is not emulated.
func (s *Stack) createMapping(t testing.TB, stream, function string, m Mapping) {
	t.Helper()
	in := struct {
		Mapping
		EventSourceArn, FunctionName, StartingPosition string
		FunctionResponseTypes                          []string
		FilterCriteria                                 *struct{ Filters []filter }                       `json:",omitempty"`
		DestinationConfig                              *struct{ OnFailure struct{ Destination string } } `json:",omitempty"`
	}{Mapping: m, EventSourceArn: stream, FunctionName: function, StartingPosition: "TRIM_HORIZON", FunctionResponseTypes: []string{"ReportBatchItemFailures"}}
	if len(m.Filters) > 0 {
		in.FilterCriteria = &struct{ Filters []filter }{}
		for _, pattern := range m.Filters {
			in.FilterCriteria.Filters = append(in.FilterCriteria.Filters, filter{pattern})
		}
	}
	if m.OnFailure != "" {
		in.DestinationConfig = &struct{ OnFailure struct{ Destination string } }{}
		in.DestinationConfig.OnFailure.Destination = m.OnFailure
	}
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint()+"/2015-03-31/event-source-mappings", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("attach a handler: %v", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= http.StatusBadRequest {
		why, _ := io.ReadAll(res.Body)
		t.Fatalf("attach a handler: CreateEventSourceMapping answers %s %s", res.Status, strings.TrimSpace(string(why)))
	}
}
