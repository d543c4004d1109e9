// Package standard handles the changes of table "documents".
package standard

import (
	"context"

	"streamgen/examples/multi-tenant/generated/tables/documents"
	"streamgen/examples/multi-tenant/jobqueue"
	"streamgen/runtime/stream"
)

// Handle makes a job of a document.
func Handle(ctx context.Context, c stream.Change[documents.Item]) error {
	return jobqueue.Put(ctx, "standard", c.New)
}
