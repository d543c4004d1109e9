// Command provider makes sure that terraform and OpenTofu can install the AWS provider on this machine. Where the Terraform registry
// answers there is nothing to do. Elsewhere it builds the real provider from its source, which the Go module proxy has, into the
// filesystem mirror in the user's cache folder that gen tells both about. That takes about half an hour, once a machine.
//
// With -opentofu it builds OpenTofu itself instead, where gen finds it: about ten minutes.
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	force := flag.Bool("build", false, "build the provider even where the registry answers")
	opentofu := flag.Bool("opentofu", false, "build OpenTofu, not the provider")
	flag.Parse()
	run := func() error { return provide(ctx, *force, os.Stdout) }
	if *opentofu {
		run = func() error { return buildOpenTofu(ctx, os.Stdout) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1) //nolint:gocritic // nothing is deferred that matters after a failure
	}
}

// provide puts the AWS provider into the mirror, for both products.
func provide(ctx context.Context, force bool, out io.Writer) error {
	mirror, err := tf.MirrorDir()
	if err != nil {
		return err
	}
	s := source{
		title:    tf.ProductTerraform.ProviderAddress() + " " + tf.ProviderVersion,
		dir:      "tools/terraform-provider-aws",
		pkg:      "github.com/hashicorp/terraform-provider-aws",
		ldflags:  "-X github.com/hashicorp/terraform-provider-aws/version.ProviderVersion=" + tf.ProviderVersion,
		duration: "half an hour",
		target:   tf.MirrorPath(mirror, tf.ProductTerraform, tf.ProviderVersion, runtime.GOOS, runtime.GOARCH),
	}
	if !s.built() && !force && tf.RegistryAnswers(ctx, tf.ProductTerraform) {
		fmt.Fprintln(out, "provider: the registry answers; terraform downloads the provider from there")
		return nil
	}
	if err := s.buildOnce(ctx, out); err != nil {
		return err
	}
	return tf.ShareMirror(mirror, tf.ProviderVersion, runtime.GOOS, runtime.GOARCH)
}

// buildOpenTofu builds OpenTofu where gen looks for it.
func buildOpenTofu(ctx context.Context, out io.Writer) error {
	dir, err := tf.InstallDir()
	if err != nil {
		return err
	}
	s := source{
		title:    "OpenTofu " + tf.OpenTofuVersion,
		dir:      "tools/opentofu",
		pkg:      "github.com/opentofu/opentofu/cmd/tofu",
		ldflags:  "-X github.com/opentofu/opentofu/version.dev=no", // a release says so
		duration: "ten minutes",
		target:   tf.InstallPath(dir, tf.ProductOpenTofu, tf.OpenTofuVersion),
	}
	return s.buildOnce(ctx, out)
}

// source is a program that is built from the source that a nested module names.
type source struct {
	title    string
	dir, pkg string
	ldflags  string
	duration string // about, on two cores
	target   string
}

func (s source) built() bool {
	_, err := os.Stat(s.target)
	return err == nil
}

// buildOnce builds the program unless it is there, or another process is building it.
func (s source) buildOnce(ctx context.Context, out io.Writer) error {
	if !s.built() {
		if err := os.MkdirAll(filepath.Dir(s.target), 0o755); err != nil {
			return err
		}
		lock := flock.New(s.target + ".lock")
		if _, err := lock.TryLockContext(ctx, time.Second); err != nil {
			return fmt.Errorf("waiting for another build: %w", err)
		}
		defer func() { _ = lock.Unlock() }()
	}
	if s.built() {
		fmt.Fprintf(out, "provider: %s is in %s\n", s.title, filepath.Dir(s.target))
		return nil
	}
	return s.build(ctx, out)
}

// build compiles the program beside its target and moves it there when it is whole.
func (s source) build(ctx context.Context, out io.Writer) error {
	if _, err := os.Stat(filepath.Join(s.dir, "go.mod")); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("run it in the repository's root: no %s here", s.dir)
	}
	fmt.Fprintf(out, "provider: building %s from source; about %s on two cores, once a machine\n", s.title, s.duration)
	begun := time.Now()
	partial := s.target + ".partial"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w "+s.ldflags, "-o", partial, s.pkg)
	cmd.Dir = s.dir
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
		return fmt.Errorf("building %s: %w", s.title, err)
	}
	if err := os.Rename(partial, s.target); err != nil {
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
