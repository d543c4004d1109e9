package stacktest_test

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/stacktest"
)

// As a user tests a handler: an order is written, and the handler makes a note of it.
func TestANoteOfEachOrder(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders", "notes")
	db := dynamodb.NewFromConfig(stack.Config())

	note := func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		for _, r := range e.Records {
			_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(stack.TableName("notes")), Item: map[string]types.AttributeValue{
				"Id": &types.AttributeValueMemberS{Value: r.Change.Keys["Id"].String()},
			}})
			if err != nil {
				return events.DynamoDBEventResponse{}, err
			}
		}
		return events.DynamoDBEventResponse{}, nil
	}
	stack.Attach(t, "orders", lambda.NewHandler(note), stacktest.Mapping{BatchSize: 10, MaximumRetryAttempts: 2})

	_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(stack.TableName("orders")), Item: map[string]types.AttributeValue{
		"Id": &types.AttributeValueMemberS{Value: "order-1"}, "Line": &types.AttributeValueMemberN{Value: "1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	stack.AwaitCaughtUp(t, "orders")

	out, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(stack.TableName("notes")), Key: map[string]types.AttributeValue{
		"Id": &types.AttributeValueMemberS{Value: "order-1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Item) == 0 {
		t.Error("there is no note of the order")
	}
}
