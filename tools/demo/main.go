// Command demo runs the reference project from nothing to a handler's log and back to nothing, on this machine alone: it builds
// gen, starts the local stack, applies, changes one item three times, shows what the handler logged, plans again, destroys,
// and says how long each step took.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	d := demo{root: ".", out: os.Stdout, story: os.Stderr}
	_, err := d.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
