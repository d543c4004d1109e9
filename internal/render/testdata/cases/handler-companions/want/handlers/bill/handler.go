// Package bill handles the changes of table "orders" and table "customers".
//
// This file is yours: gen created it once and never touches it again.
package bill

import (
	"context"
	"log/slog"

	"example.com/shop/generated/tables/customers"
	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
)

// Handler has what the function needs for as long as its process lives. Give it a method Close() error to have it closed at the end.
type Handler struct{}

// New makes the handler, once a process, before the first change. When it fails, Lambda is told why and starts another process.
func New(ctx context.Context) (*Handler, error) {
	return &Handler{}, nil
}

// HandleOrders is called with all changes of an invocation, in order for each item. After an error all are delivered again, unless it
// names the changes that failed: c.Failed(err), several of them joined by errors.Join.
func (h *Handler) HandleOrders(ctx context.Context, changes []stream.Change[orders.Item]) error {
	for _, c := range changes {
		slog.InfoContext(ctx, "change", "eventID", c.EventID, "eventName", c.Kind, "dynamodb", c.DynamoDB)
	}
	return nil
}

// HandleCustomers is called once per change, in order for each item. After an error this change is delivered again, and so are those of its
// item that follow it; stream.Skip(err) lets it pass. After nil this change is done.
func (h *Handler) HandleCustomers(ctx context.Context, c stream.Change[customers.Item]) error {
	slog.InfoContext(ctx, "change", "eventName", c.Kind, "dynamodb", c.DynamoDB)
	return nil
}
