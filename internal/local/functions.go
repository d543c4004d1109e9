package local

import (
	"context"
	"fmt"
	"strings"

	"streamgen/internal/local/host"
)

// deliver sends what a function's asynchronous invocation ended with to a queue or to another function.
func (r *regional) deliver(_ context.Context, d host.Delivery) error {
	switch parts := strings.Split(d.Destination, ":"); {
	case len(parts) > 5 && parts[2] == "sqs":
		return r.queues.SendToARN(d.Destination, d.Document)
	case len(parts) > 5 && parts[2] == "lambda":
		_, err := r.functions.InvokeAsync(d.Destination, []byte(d.Document))
		return err
	}
	return fmt.Errorf("streamgen local does not emulate the destination %s", d.Destination)
}
