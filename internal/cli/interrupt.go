package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// interrupts are carried by the context of [Interruptible].
type interrupts struct {
	// hard ends when the user interrupts a second time.
	hard context.Context
	// story is told of the first.
	story *outlet
}

type interruptsKey struct{}

// Interruptible gives a context that the first interrupt cancels: terraform finishes what it has begun and saves its state. The
// second interrupt ends what still runs at once. stop releases the signals.
func Interruptible(stderr io.Writer) (ctx context.Context, stop func()) {
	hard, kill := context.WithCancel(context.Background())
	story := &outlet{stream: stderr}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), interruptsKey{}, interrupts{hard, story}))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
			}
			cancel()
			if n == 1 {
				fmt.Fprintln(story, "gen: stopping cleanly; interrupt again to stop at once")
				continue
			}
			kill()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
		kill()
	}
}

// hardStop is the context that ends at the second interrupt; it never ends where [Interruptible] was not used.
func hardStop(ctx context.Context) context.Context {
	if i, ok := ctx.Value(interruptsKey{}).(interrupts); ok {
		return i.hard
	}
	return context.WithoutCancel(ctx)
}
