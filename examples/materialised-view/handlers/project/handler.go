// Package project handles the changes of table "orders".
package project

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/examples/materialised-view/generated/tables/orders"
	"streamgen/examples/materialised-view/generated/tables/ordersbycustomer"
	"streamgen/runtime/stream"
)

// connect makes the client once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*dynamodb.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	return dynamodb.NewFromConfig(settings), err
})

// Handle brings the view to what the order is now. The changes of an order come in their sequence, so that the last one has the last
// word; a change that comes twice does no harm.
func Handle(ctx context.Context, c stream.Change[orders.Item]) error {
	was, is := inView(c.Old), inView(c.New)
	if was && (!is || c.Old.Customer != c.New.Customer) {
		if err := remove(ctx, c.Old); err != nil {
			return err
		}
	}
	if !is {
		return nil
	}
	return put(ctx, c.New)
}

// inView reports whether the view shows an order: it is open and somebody's.
func inView(o *orders.Item) bool { return o != nil && o.Customer != "" && o.Status != "CLOSED" }

func key(o *orders.Item) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"Customer": &types.AttributeValueMemberS{Value: o.Customer},
		"Id":       &types.AttributeValueMemberS{Value: o.ID},
	}
}

func remove(ctx context.Context, o *orders.Item) error {
	db, err := connect()
	if err != nil {
		return err
	}
	_, err = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(ordersbycustomer.Name()), Key: key(o)})
	return err
}

func put(ctx context.Context, o *orders.Item) error {
	db, err := connect()
	if err != nil {
		return err
	}
	item := key(o)
	item["Status"] = &types.AttributeValueMemberS{Value: o.Status}
	if o.Total != "" {
		item["Total"] = &types.AttributeValueMemberN{Value: o.Total.String()}
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(ordersbycustomer.Name()), Item: item})
	return err
}
