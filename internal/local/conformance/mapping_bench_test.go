package conformance_test

import (
	"context"
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

// BenchmarkMapping measures the time from a PutItem to the first line of its handler.
func BenchmarkMapping(b *testing.B) {
	stack := newStack(b, local.Options{})
	db, ctx := dynamodb.NewFromConfig(config(stack.Endpoint())), b.Context()
	out, err := db.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String("orders"), BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeNewAndOldImages}})
	must(b, err)
	begun := make(chan time.Time, 1)
	arn, err := stack.Register("us-east-1", "fn", time.Minute, func(context.Context, local.Invocation) ([]byte, error) {
		begun <- time.Now()
		return []byte("{}"), nil
	})
	must(b, err)
	_, err = lambda.NewFromConfig(config(stack.Endpoint())).CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: out.TableDescription.LatestStreamArn, FunctionName: &arn, StartingPosition: "TRIM_HORIZON"})
	must(b, err)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		put := time.Now()
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: fmt.Sprint(i)}}})
		must(b, err)
		took = append(took, (<-begun).Sub(put))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

// BenchmarkMappingThroughput drains 20,000 records through one mapping into a handler that does nothing.
func BenchmarkMappingThroughput(b *testing.B) {
	const records = 20_000
	stack := newStack(b, local.Options{})
	db, ctx := dynamodb.NewFromConfig(config(stack.Endpoint())), b.Context()
	out, err := db.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: aws.String("orders"), BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeNewAndOldImages}})
	must(b, err)
	for from := 0; from < records; from += 25 {
		var writes []ddb.WriteRequest
		for i := from; i < from+25; i++ {
			writes = append(writes, ddb.WriteRequest{PutRequest: &ddb.PutRequest{Item: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: fmt.Sprint(i)}}}})
		}
		_, err := db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{"orders": writes}})
		must(b, err)
	}
	var took time.Duration
	runs := 0
	for b.Loop() {
		runs++
		arn, err := stack.Register("us-east-1", fmt.Sprint("fn-", runs), time.Minute, func(context.Context, local.Invocation) ([]byte, error) { return []byte("{}"), nil })
		must(b, err)
		begun := time.Now()
		made, err := lambda.NewFromConfig(config(stack.Endpoint())).CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
			EventSourceArn: out.TableDescription.LatestStreamArn, FunctionName: &arn, StartingPosition: "TRIM_HORIZON"})
		must(b, err)
		must(b, stack.AwaitCaughtUp(ctx, "us-east-1", "orders"))
		took += time.Since(begun)
		_, err = lambda.NewFromConfig(config(stack.Endpoint())).DeleteEventSourceMapping(ctx, &lambda.DeleteEventSourceMappingInput{UUID: made.UUID})
		must(b, err)
	}
	b.ReportMetric(float64(took.Microseconds())/float64(runs*records), "us/record")
}
