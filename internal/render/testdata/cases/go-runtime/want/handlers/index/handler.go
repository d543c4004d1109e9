// Package index handles the changes of table "products".
//
// This file is yours: gen created it once and never touches it again.
package index

import (
	"context"
	"log/slog"

	"example.com/shop/generated/tables/products"
	"streamgen/runtime/stream"
)

// Handle is called with all changes of an invocation, in order for each item. After an error all are delivered again, unless it
// names the changes that failed: c.Failed(err), several of them joined by errors.Join.
func Handle(ctx context.Context, changes []stream.Change[products.Item]) error {
	for _, c := range changes {
		slog.InfoContext(ctx, "change", "eventID", c.EventID, "eventName", c.Kind, "dynamodb", c.DynamoDB)
	}
	return nil
}
