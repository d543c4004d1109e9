// Package ship handles the changes of table "orders" and table "customers" and table "foreign".
//
// This file is yours: gen created it once and never touches it again.
package ship

import (
	"context"
	"log/slog"
	"os"

	"example.com/shop/generated/tables/customers"
	"example.com/shop/generated/tables/foreign"
	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
)

var logger = slog.New(slog.NewJSONHandler(os.Stdout, nil))

// HandleOrders is called once per change, in order for each item. After an error this change and those that follow it
// are delivered again; after nil this change is done.
func HandleOrders(ctx context.Context, c stream.Change[orders.Item]) error {
	logger.InfoContext(ctx, "change", "eventID", c.EventID, "eventName", c.Kind, "dynamodb", c.DynamoDB)
	return nil
}

// HandleCustomers is called once per change, in order for each item. After an error this change and those that follow it
// are delivered again; after nil this change is done.
func HandleCustomers(ctx context.Context, c stream.Change[customers.Item]) error {
	logger.InfoContext(ctx, "change", "eventID", c.EventID, "eventName", c.Kind, "dynamodb", c.DynamoDB)
	return nil
}

// HandleForeign is called once per change, in order for each item. After an error this change and those that follow it
// are delivered again; after nil this change is done.
func HandleForeign(ctx context.Context, c stream.Change[foreign.Item]) error {
	logger.InfoContext(ctx, "change", "eventID", c.EventID, "eventName", c.Kind, "dynamodb", c.DynamoDB)
	return nil
}
