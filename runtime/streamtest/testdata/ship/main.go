// Command ship is a function with all that a main can have: settings, a handler that is made first, a log, an end.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest/testdata/orders"
)

func main() {
	stream.ServeNew(newShipping, func(s *shipping) []stream.Route {
		return []stream.Route{stream.On("orders", s.handle)}
	})
}

type shipping struct{ carrier string }

func newShipping(context.Context) (*shipping, error) {
	carrier := os.Getenv("CARRIER")
	if carrier == "" {
		return nil, errors.New("CARRIER is not set")
	}
	return &shipping{carrier}, nil
}

func (s *shipping) handle(ctx context.Context, c stream.Change[orders.Item]) error {
	if c.New == nil || c.New.Status != "paid" {
		return errors.New("not paid")
	}
	slog.InfoContext(ctx, "shipped", "carrier", s.carrier)
	return nil
}

// Close implements io.Closer.
func (s *shipping) Close() error {
	slog.Info("closed")
	return nil
}
