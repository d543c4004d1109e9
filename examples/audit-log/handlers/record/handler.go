// Package record handles the changes of table "accounts".
package record

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/examples/audit-log/generated/tables/accounts"
	"streamgen/examples/audit-log/generated/tables/audit"
	"streamgen/runtime/stream"
)

// connect makes the client once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*dynamodb.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	return dynamodb.NewFromConfig(settings), err
})

// Handle writes a change down. Its key is the account and the change's sequence number, filled up so that text has the order of
// numbers; an entry that is there already stays as it is. The role may put items and nothing else.
func Handle(ctx context.Context, c stream.Change[accounts.Item]) error {
	db, err := connect()
	if err != nil {
		return err
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:           aws.String(audit.Name()),
		ConditionExpression: aws.String("attribute_not_exists(Account)"),
		Item: map[string]types.AttributeValue{
			"Account": &types.AttributeValueMemberS{Value: c.Keys.ID},
			"Change":  &types.AttributeValueMemberS{Value: fmt.Sprintf("%040s", c.SequenceNumber)},
			"Kind":    &types.AttributeValueMemberS{Value: string(c.Kind)},
			"At":      &types.AttributeValueMemberS{Value: c.CreatedAt.Format(time.RFC3339)},
			"Record":  &types.AttributeValueMemberS{Value: string(c.DynamoDB)},
		},
	})
	if there := (*types.ConditionalCheckFailedException)(nil); errors.As(err, &there) {
		return nil // delivered before
	}
	return err
}
