// Package shiporders handles the changes of table "orders".
//
// This file is yours: gen created it once and never touches it again.
package shiporders

import (
	"context"
	"log/slog"

	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
)

// Handle is called once per change, in order for each item. After an error this change is delivered again, and so are those of its
// item that follow it; stream.Skip(err) lets it pass. After nil this change is done.
func Handle(ctx context.Context, c stream.Change[orders.Item]) error {
	slog.InfoContext(ctx, "change", "eventName", c.Kind, "dynamodb", c.DynamoDB)
	return nil
}
