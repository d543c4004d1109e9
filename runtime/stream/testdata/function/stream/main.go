// Command stream is the function that benchmarks run, on package stream.
package main

import (
	"context"

	"streamgen/runtime/stream"
	"streamgen/runtime/stream/testdata/purchase"
)

func main() {
	stream.Start(func(context.Context, stream.Change[purchase.Item]) error { return nil })
}
