package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"streamgen/internal/local"
)

// TestApplySurvivesKill kills gen apply, and with it terraform and its provider, when the stack sees a certain request, and runs
// the same command again, which is killed at a later one; the last run must end with everything in place and nothing to do.
func TestApplySurvivesKill(t *testing.T) {
	if !findProvider() || testing.Short() {
		t.Skip("needs the AWS provider, and minutes: make provider")
	}
	gen := buildGen(t)
	watch := &requestWatch{}
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Logger: slog.New(watch)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := stack.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	project := filepath.Join(t.TempDir(), "orders")
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(gen, args...)
		cmd.Dir = project
		return cmd
	}
	if out, err := exec.Command(gen, "init", project, "--no-terraform").CombinedOutput(); err != nil {
		t.Fatalf("gen init: %v\n%s", err, out)
	}
	local := []string{"--env", "local", "--endpoint", stack.Endpoint()}

	// The first two end gen alone, and terraform with it in good order; the others leave nobody alive to tidy up.
	for _, point := range []struct {
		operation string
		all       bool
	}{
		{"GetCallerIdentity", false},
		{"CreateRole", false},
		{"CreateTable", true},
		{"PutRolePolicy", true},
		{"POST /2015-03-31/functions", true},
		{"POST /2015-03-31/event-source-mappings", true},
	} {
		killed := killAt(t, watch, point.operation, point.all, project, run(append([]string{"apply"}, local...)...))
		t.Logf("%s: killed: %v", point.operation, killed)
	}
	out, err := run(append([]string{"apply"}, local...)...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "apply complete") {
		t.Fatalf("gen apply after the kills: %v\n%s", err, out)
	}
	t.Logf("%s", out)
	if out, err = run(append([]string{"plan"}, local...)...).CombinedOutput(); err != nil || !strings.Contains(string(out), "no changes\n") {
		t.Fatalf("gen plan after the kills: %v\n%s", err, out)
	}
	killAt(t, watch, "DeleteTable", true, project, run(append([]string{"destroy"}, local...)...))
	if out, err = run(append([]string{"destroy"}, local...)...).CombinedOutput(); err != nil || !strings.Contains(string(out), "nothing left") {
		t.Fatalf("gen destroy after the kill: %v\n%s", err, out)
	}
	if left := processesIn(t, project); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// killAt starts the command and kills it when the stack sees the operation. It reports false when the command ended before
// that, which is what a run does that finds its work done.
func killAt(t *testing.T, watch *requestWatch, operation string, all bool, project string, cmd *exec.Cmd) bool {
	t.Helper()
	seen := watch.next(operation)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("%s was never called: %v\n%s", operation, err, &out)
		}
		return false
	case <-seen:
	}
	_ = cmd.Process.Kill()
	if all {
		for _, pid := range processesIn(t, project) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	<-ended
	return true
}

// processesIn gives the processes that run in the project's folder: terraform and its provider.
func processesIn(t *testing.T, project string) []int {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, link := range dirs {
		cwd, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(cwd, project) {
			continue // gone, or another's
		}
		pid, err := strconv.Atoi(strings.Split(link, "/")[2])
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// requestWatch is a log handler that tells when the stack has answered a certain operation.
type requestWatch struct {
	mu        sync.Mutex
	operation string
	seen      chan struct{}
}

func (w *requestWatch) next(operation string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.operation, w.seen = operation, make(chan struct{})
	return w.seen
}

// Enabled implements [slog.Handler].
func (w *requestWatch) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements [slog.Handler].
func (w *requestWatch) Handle(_ context.Context, r slog.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "operation" && w.seen != nil && strings.TrimSuffix(a.Value.String(), "/") == w.operation {
			close(w.seen)
			w.seen = nil
		}
		return true
	})
	return nil
}

// WithAttrs implements [slog.Handler].
func (w *requestWatch) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements [slog.Handler].
func (w *requestWatch) WithGroup(string) slog.Handler { return w }

// TestGenerateSurvivesKill kills gen generate after ever longer times and lets the next run finish: the tree must be the one
// that a run without interruption writes.
func TestGenerateSurvivesKill(t *testing.T) {
	gen := buildGen(t)
	project := filepath.Join(t.TempDir(), "orders")
	if out, err := exec.Command(gen, "init", project, "--no-terraform").CombinedOutput(); err != nil {
		t.Fatalf("gen init: %v\n%s", err, out)
	}
	specs := []string{manyTables(10), manyTables(3)}
	begun := time.Now()
	whole := exec.Command(gen, "generate", "-C", project)
	if out, err := whole.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	step := time.Since(begun) / 20
	for i := range 40 {
		if err := os.WriteFile(filepath.Join(project, "gen.yaml"), []byte(specs[i%2]), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(gen, "generate", "-C", project)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(step*time.Duration(i), func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() >= 0) {
			t.Fatalf("run %d failed by itself: %v", i, err)
		}
		if i%5 != 4 {
			continue
		}
		if out, err := exec.Command(gen, "generate", "-C", project).CombinedOutput(); err != nil {
			t.Fatalf("after kill %d: %v\n%s", i, err, out)
		}
		if out, err := exec.Command(gen, "generate", "--check", "-C", project).CombinedOutput(); err != nil {
			t.Fatalf("after kill %d, not up to date: %v\n%s", i, err, out)
		}
	}
	leftovers, err := filepath.Glob(filepath.Join(project, "generated", "*", "*", ".gen-*"))
	if err != nil || len(leftovers) > 0 {
		t.Errorf("half-written files are left: %v, %v", leftovers, err)
	}
}

func manyTables(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nproject: many\nregion: us-east-1\ntables:\n")
	for i := range n {
		fmt.Fprintf(&b, "  table%d: {hash_key: id, attributes: {id: S}, stream_view_type: KEYS_ONLY}\n", i)
	}
	b.WriteString("handlers:\n")
	for i := range n {
		fmt.Fprintf(&b, "  handler%d: {table: table%d}\n", i, i)
	}
	return b.String()
}

// buildGen compiles gen for a test that kills it.
func buildGen(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gen")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/gen")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}
