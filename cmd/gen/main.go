// Command gen turns a small spec of DynamoDB tables and stream handlers into Terraform and Go, compiles the handlers, and
// drives terraform to apply them to AWS or to the local stack that it brings along.
package main

import (
	"os"

	"streamgen/internal/cli"
)

func main() {
	ctx, stop := cli.Interruptible(os.Stderr)
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
