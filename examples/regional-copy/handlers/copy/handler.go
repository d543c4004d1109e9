// Package copy handles the changes of table "products".
//
// A copy of a whole table needs no handler: write replicas at the table.
package copy

import (
	"context"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/examples/regional-copy/generated/tables/products"
	"streamgen/runtime/stream"
)

// connect makes the client of the other region once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*dynamodb.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background(), config.WithRegion(os.Getenv("REGION")))
	return dynamodb.NewFromConfig(settings), err
})

// Handle brings the copy to what the product is now.
func Handle(ctx context.Context, c stream.Change[products.Item]) error {
	db, err := connect()
	if err != nil {
		return err
	}
	key := map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: c.Keys.ID}}
	if c.New == nil || !c.New.Public {
		_, err := db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(os.Getenv("COPY")), Key: key})
		return err
	}
	item := key
	item["Name"] = &types.AttributeValueMemberS{Value: c.New.Name}
	if c.New.Price != "" {
		item["Price"] = &types.AttributeValueMemberN{Value: c.New.Price.String()}
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(os.Getenv("COPY")), Item: item})
	return err
}
