// Package bill handles the changes of table "orders".
//
// This file is yours: gen created it once and never touches it again.
package bill

import (
	"context"
	"log/slog"
	"os"

	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
)

var logger = slog.New(slog.NewJSONHandler(os.Stdout, nil))

// Handle is called once per change, in order for each item. After an error this change and those that follow it
// are delivered again; after nil this change is done.
func Handle(ctx context.Context, c stream.Change[orders.Item]) error {
	logger.InfoContext(ctx, "change", "eventID", c.EventID, "eventName", c.Kind, "dynamodb", c.DynamoDB)
	return nil
}
