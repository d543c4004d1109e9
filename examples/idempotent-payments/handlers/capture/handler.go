// Package capture handles the changes of table "payments".
package capture

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/examples/idempotent-payments/generated/tables/ledger"
	"streamgen/examples/idempotent-payments/generated/tables/payments"
	"streamgen/runtime/stream"
)

// connect makes the client once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*dynamodb.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	return dynamodb.NewFromConfig(settings), err
})

// Handle books a payment. Lambda delivers at least once: the condition makes the second delivery of a payment, and its second
// authorisation, find the first one's entry. What the entry says must be what is to be booked, or somebody has to look: the change is parked, and the
// payments that follow are not held up.
func Handle(ctx context.Context, c stream.Change[payments.Item]) error {
	db, err := connect()
	if err != nil {
		return err
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String(ledger.Name()),
		ConditionExpression: aws.String("attribute_not_exists(Payment) OR (Account = :account AND Cents = :cents)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":account": &types.AttributeValueMemberS{Value: c.New.Account},
			":cents":   &types.AttributeValueMemberN{Value: c.New.Cents.String()},
		},
		Item: map[string]types.AttributeValue{
			"Payment": &types.AttributeValueMemberS{Value: c.New.ID},
			"Account": &types.AttributeValueMemberS{Value: c.New.Account},
			"Cents":   &types.AttributeValueMemberN{Value: c.New.Cents.String()},
		},
	})
	if other := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &other) {
		return stream.Park(fmt.Errorf("payment of event %s is booked with another account or amount", c.EventID))
	}
	return err
}
