// Package sum handles the changes of table "orders".
//
// This file is yours: gen created it once and never touches it again.
package sum

import (
	"context"

	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
)

// Totals is what a window's invocations hand on, as JSON of 1 MB at most.
type Totals struct {
	Changes int `json:"changes"`
}

// Handle is called for each batch of a window with the state that the call before it returned, and at last, with no
// changes, when the window is final. After an error the batch is delivered again with the state that it had.
func Handle(ctx context.Context, w stream.Window, state Totals, changes []stream.Change[orders.Item]) (Totals, error) {
	state.Changes += len(changes)
	return state, nil
}
