// Package sum handles the changes of table "customers".
//
// This file is yours: gen created it once and never touches it again.
package sum

import (
	"context"

	"example.com/shop/generated/tables/customers"
	"streamgen/runtime/stream"
)

// Handler has what the function needs for as long as its process lives. Give it a method Close() error to have it closed at the end.
type Handler struct{}

// New makes the handler, once a process, before the first change. When it fails, Lambda is told why and starts another process.
func New(ctx context.Context) (*Handler, error) {
	return &Handler{}, nil
}

// Totals is what a window's invocations hand on, as JSON of 1 MB at most.
type Totals struct {
	Changes int `json:"changes"`
}

// Handle is called for each batch of a window with the state that the call before it returned, and at last, with no
// changes, when the window is final. After an error the batch is delivered again with the state that it had.
func (h *Handler) Handle(ctx context.Context, w stream.Window, state Totals, changes []stream.Change[customers.Item]) (Totals, error) {
	state.Changes += len(changes)
	return state, nil
}
