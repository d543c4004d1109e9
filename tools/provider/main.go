// Command provider makes sure that terraform can install the AWS provider on this machine. Where the Terraform registry answers there
// is nothing to do. Elsewhere it builds the real provider from its source, which the Go module proxy has, into the filesystem
// mirror in the user's cache folder that gen tells terraform about. That takes about half an hour, once a machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"

	"streamgen/internal/tf"
)

// sourceDir is the nested module that names the provider's source, see its README.
const sourceDir = "tools/terraform-provider-aws"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	force := flag.Bool("build", false, "build the provider even where the registry answers")
	flag.Parse()
	if err := run(ctx, *force, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1) //nolint:gocritic // nothing is deferred that matters after a failure
	}
}

func run(ctx context.Context, force bool, out io.Writer) error {
	mirror, err := tf.MirrorDir()
	if err != nil {
		return err
	}
	target := tf.MirrorPath(mirror, tf.ProviderVersion, runtime.GOOS, runtime.GOARCH)
	if _, err := os.Stat(target); err == nil {
		fmt.Fprintf(out, "provider: %s %s is in the mirror\n", tf.ProviderAddress, tf.ProviderVersion)
		return nil
	}
	if !force && tf.RegistryAnswers(ctx) {
		fmt.Fprintln(out, "provider: the registry answers; terraform downloads the provider from there")
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	lock := flock.New(target + ".lock")
	if _, err := lock.TryLockContext(ctx, time.Second); err != nil {
		return fmt.Errorf("waiting for another build: %w", err)
	}
	defer func() { _ = lock.Unlock() }()
	if _, err := os.Stat(target); err == nil {
		fmt.Fprintf(out, "provider: %s %s is in the mirror\n", tf.ProviderAddress, tf.ProviderVersion)
		return nil
	}
	return build(ctx, target, out)
}

// build compiles the provider beside its target and moves it there when it is whole.
func build(ctx context.Context, target string, out io.Writer) error {
	if _, err := os.Stat(filepath.Join(sourceDir, "go.mod")); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("run it in the repository's root: no %s here", sourceDir)
	}
	fmt.Fprintf(out, "provider: building %s %s from source; about half an hour on two cores, once a machine\n", tf.ProviderAddress, tf.ProviderVersion)
	begun := time.Now()
	partial := target + ".partial"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath",
		"-ldflags", "-s -w -X github.com/hashicorp/terraform-provider-aws/version.ProviderVersion="+tf.ProviderVersion,
		"-o", partial, "github.com/hashicorp/terraform-provider-aws")
	cmd.Dir = sourceDir
	// The garbage collector's setting is the compiler's: it trades the machine's memory for a third of the time.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOGC=400", "GOFLAGS=-mod=readonly", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second

	done := make(chan struct{})
	go heartbeat(out, begun, done)
	err := cmd.Run()
	close(done)
	if err != nil {
		return fmt.Errorf("building the provider: %w", err)
	}
	if err := os.Rename(partial, target); err != nil {
		return err
	}
	fmt.Fprintf(out, "provider: built in %s\n", time.Since(begun).Round(time.Second))
	return nil
}

// heartbeat shows that a long silent build is alive.
func heartbeat(out io.Writer, begun time.Time, done <-chan struct{}) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			fmt.Fprintf(out, "provider: still building, %s\n", time.Since(begun).Round(time.Second))
		}
	}
}
