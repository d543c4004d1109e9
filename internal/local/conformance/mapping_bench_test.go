package conformance_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"streamgen/internal/local"
)

// benched is a stack whose mappings are measured.
type benched struct {
	b      *testing.B
	stack  *local.Stack
	db     *dynamodb.Client
	lambda *lambda.Client
}

func newBenched(b *testing.B) benched {
	stack := newStack(b, local.Options{})
	c := config(stack.Endpoint())
	return benched{b, stack, dynamodb.NewFromConfig(c), lambda.NewFromConfig(c)}
}

// table makes one with a stream, and gives the stream's ARN.
func (m benched) table(name string) *string {
	out, err := m.db.CreateTable(m.b.Context(), &dynamodb.CreateTableInput{TableName: &name, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeNewAndOldImages}})
	must(m.b, err)
	return out.TableDescription.LatestStreamArn
}

// mapping gives a function of this process the records of a stream, from the oldest on.
func (m benched) mapping(stream *string, name string, in lambda.CreateEventSourceMappingInput, run local.Function) (uuid *string) {
	arn, err := m.stack.Register("us-east-1", name, time.Minute, run)
	must(m.b, err)
	in.EventSourceArn, in.FunctionName, in.StartingPosition = stream, &arn, "TRIM_HORIZON"
	made, err := m.lambda.CreateEventSourceMapping(m.b.Context(), &in)
	must(m.b, err)
	return made.UUID
}

// drain is how long a mapping takes for all that is in the stream of the table orders.
func (m benched) drain(stream *string, name string, in lambda.CreateEventSourceMappingInput, run local.Function) time.Duration {
	begun := time.Now()
	uuid := m.mapping(stream, name, in, run)
	must(m.b, m.stack.AwaitCaughtUp(m.b.Context(), "us-east-1", "orders"))
	took := time.Since(begun)
	_, err := m.lambda.DeleteEventSourceMapping(m.b.Context(), &lambda.DeleteEventSourceMappingInput{UUID: uuid})
	must(m.b, err)
	return took
}

func (m benched) put(id string, attributes map[string]ddb.AttributeValue) {
	item := map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: id}}
	for name, value := range attributes {
		item[name] = value
	}
	_, err := m.db.PutItem(m.b.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: item})
	must(m.b, err)
}

func doNothing(context.Context, local.Invocation) ([]byte, error) { return []byte("{}"), nil }

// BenchmarkMapping measures the time from a PutItem to the first line of its handler.
func BenchmarkMapping(b *testing.B) {
	m := newBenched(b)
	begun := make(chan time.Time, 1)
	m.mapping(m.table("orders"), "fn", lambda.CreateEventSourceMappingInput{}, func(context.Context, local.Invocation) ([]byte, error) {
		begun <- time.Now()
		return []byte("{}"), nil
	})
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		put := time.Now()
		m.put(fmt.Sprint(i), nil)
		took = append(took, (<-begun).Sub(put))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

// BenchmarkMappingThroughput drains 20,000 records through one mapping into a handler that does nothing.
func BenchmarkMappingThroughput(b *testing.B) {
	const records = 20_000
	m := newBenched(b)
	stream := m.table("orders")
	for from := 0; from < records; from += 25 {
		var writes []ddb.WriteRequest
		for i := from; i < from+25; i++ {
			writes = append(writes, ddb.WriteRequest{PutRequest: &ddb.PutRequest{Item: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: fmt.Sprint(i)}}}})
		}
		_, err := m.db.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{"orders": writes}})
		must(b, err)
	}
	var took time.Duration
	runs := 0
	for b.Loop() {
		runs++
		took += m.drain(stream, fmt.Sprint("fn-", runs), lambda.CreateEventSourceMappingInput{}, doNothing)
	}
	b.ReportMetric(float64(took.Microseconds())/float64(runs*records), "us/record")
}

// BenchmarkHotItems drains the changes of four items into a handler that takes about a millisecond a record, with one lane and with ten.
// What comes of one item is never side by side: lanes can gain at most four times, and no more than the cores when the handler computes.
func BenchmarkHotItems(b *testing.B) {
	const changes = 100
	m := newBenched(b)
	stream := m.table("orders")
	for i := range changes {
		for _, id := range []string{"a", "b", "c", "e"} { // which are in four of the ten lanes
			m.put(id, map[string]ddb.AttributeValue{"n": &ddb.AttributeValueMemberN{Value: fmt.Sprint(i)}})
		}
	}
	work := make([]byte, 1<<20)
	for name, handle := range map[string]func(){
		"computing": func() { sha256.Sum256(work) },
		"waiting":   func() { time.Sleep(time.Millisecond) },
	} {
		for _, lanes := range []int32{1, 10} {
			b.Run(fmt.Sprintf("%s/%d", name, lanes), func(b *testing.B) {
				m := m
				m.b = b
				in := lambda.CreateEventSourceMappingInput{ParallelizationFactor: &lanes, BatchSize: aws.Int32(1)}
				var took time.Duration
				runs := 0
				for b.Loop() {
					runs++
					took += m.drain(stream, fmt.Sprintf("%s-%d-%d", name, lanes, runs), in, func(context.Context, local.Invocation) ([]byte, error) {
						handle()
						return []byte("{}"), nil
					})
				}
				b.ReportMetric(float64(took.Microseconds())/float64(runs*4*changes), "us/record")
			})
		}
	}
}
