package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"streamgen/internal/local"
	"streamgen/internal/tf"
)

// bench is a project outside the repository, a local stack, and a watch on what the stack is asked.
type bench struct {
	gen, project string
	watch        *requestWatch
	stack        *local.Stack
	printed      *output
}

func newBench(t *testing.T) *bench {
	t.Helper()
	if !tf.ProviderAvailable(t.Context()) || testing.Short() {
		t.Skip("needs the AWS provider, and minutes: make provider")
	}
	b := &bench{gen: buildGen(t), project: filepath.Join(t.TempDir(), "orders"), watch: &requestWatch{}, printed: newOutput()}
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Logger: slog.New(b.watch)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := stack.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	b.stack = stack
	if out, err := exec.Command(b.gen, "init", b.project, "--no-terraform").CombinedOutput(); err != nil {
		t.Fatalf("gen init: %v\n%s", err, out)
	}
	return b
}

// command is one of gen's, on the project and the stack.
func (b *bench) command(name string) *exec.Cmd {
	cmd := exec.Command(b.gen, name, "--env", "local", "--endpoint", b.stack.Endpoint())
	cmd.Dir = b.project
	return cmd
}

// mustRun runs a command to its end and wants a text in its output.
func (b *bench) mustRun(t *testing.T, name, want string) {
	t.Helper()
	out, err := b.command(name).CombinedOutput()
	if err != nil || !strings.Contains(string(out), want) {
		t.Fatalf("gen %s: %v\n%s", name, err, out)
	}
}

// TestApplySurvivesKill kills gen apply, and with it terraform and its provider, when the stack sees a certain request, and runs
// the same command again, which is killed at a later one; the last run must end with everything in place and nothing to do.
func TestApplySurvivesKill(t *testing.T) {
	b := newBench(t)
	// The first two end gen alone, and terraform with it in good order; the others leave nobody alive to tidy up.
	for _, point := range []struct {
		operation string
		all, long bool
	}{
		{"GetCallerIdentity", false, true},
		{"CreateRole", false, false},
		{"CreateTable", true, false},
		{"PutRolePolicy", true, true},
		{"POST /2015-03-31/functions", true, true},
		{"POST /2015-03-31/event-source-mappings", true, false},
	} {
		if point.long && os.Getenv("STREAMGEN_LONG") == "" {
			continue
		}
		_, seen := b.at(t, "apply", point.operation, func(gen *os.Process) { b.kill(t, gen, point.all) })
		t.Logf("killed at %s: %v", point.operation, seen)
	}
	b.mustRun(t, "apply", "apply complete")
	b.mustRun(t, "plan", "no changes\n")
	b.at(t, "destroy", "DeleteTable", func(gen *os.Process) { b.kill(t, gen, true) })
	b.mustRun(t, "destroy", "nothing left")
	if left := processesIn(t, b.project); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// TestApplyInterrupted interrupts gen apply once, which ends it in good order, and then twice, which ends it at once.
func TestApplyInterrupted(t *testing.T) {
	b := newBench(t)
	out, seen := b.at(t, "apply", "CreateRole", func(gen *os.Process) { _ = gen.Signal(os.Interrupt) })
	if !seen || !strings.Contains(out, "stopping cleanly") || !strings.Contains(out, "run the same command again") {
		t.Errorf("interrupted once: seen %v\n%s", seen, out)
	}
	if left := processesIn(t, b.project); len(left) > 0 {
		t.Errorf("processes are left after one interrupt: %v", left)
	}
	locks, err := filepath.Glob(filepath.Join(b.project, ".gen", "local", "state", ".*.lock.info"))
	if err != nil || len(locks) > 0 {
		t.Errorf("the state is still locked: %v, %v", locks, err)
	}
	out, _ = b.at(t, "apply", "POST /2015-03-31/functions", func(gen *os.Process) {
		_ = gen.Signal(os.Interrupt)
		b.printed.await("stopping cleanly") // two signals at once are one
		_ = gen.Signal(os.Interrupt)
	})
	if left := processesIn(t, b.project); len(left) > 0 {
		t.Errorf("processes are left after two interrupts: %v\n%s", left, out)
	}
	b.mustRun(t, "apply", "apply complete")
	b.mustRun(t, "plan", "no changes\n")
}

// TestApplySurvivesRandomStops kills and interrupts applies at random requests, as many as STREAMGEN_STOPS says. Whatever they leave, the next
// apply converges, and destroy leaves nothing in the world and no lock.
func TestApplySurvivesRandomStops(t *testing.T) {
	stops, err := strconv.Atoi(os.Getenv("STREAMGEN_STOPS"))
	if err != nil {
		t.Skip("takes minutes: STREAMGEN_STOPS says how many applies are stopped")
	}
	b := newBench(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	ways := []struct {
		name string
		act  func(gen *os.Process)
	}{
		{"kill of gen", func(gen *os.Process) { b.kill(t, gen, false) }},
		{"kill of all", func(gen *os.Process) { b.kill(t, gen, true) }},
		{"interrupt", func(gen *os.Process) { _ = gen.Signal(os.Interrupt) }},
		{"two interrupts", func(gen *os.Process) {
			_ = gen.Signal(os.Interrupt)
			b.printed.await("stopping cleanly") // two signals at once are one
			_ = gen.Signal(os.Interrupt)
		}},
	}
	for stopped := 0; stopped < stops; {
		way, after := ways[random.IntN(len(ways))], 1+random.IntN(60) // an apply from nothing makes about as many requests
		if _, seen := b.at(t, "apply", strconv.Itoa(after), way.act); seen {
			stopped++
			t.Logf("stop %d: %s after %d requests", stopped, way.name, after)
		}
		if stopped%3 != 0 && stopped < stops {
			continue // the next is stopped on what this one left
		}
		b.mustRun(t, "apply", "apply complete")
		b.mustRun(t, "plan", "no changes\n")
		b.mustRun(t, "destroy", "nothing left")
		if left := inTheWorld(t, b.stack.Endpoint()); len(left) > 0 {
			t.Fatalf("after destroy the stack still holds %v", left)
		}
		if locks, err := filepath.Glob(filepath.Join(b.project, ".gen", "local", "state", ".*.lock.info")); err != nil || len(locks) > 0 {
			t.Fatalf("the state is still locked: %v, %v", locks, err)
		}
		if left := processesIn(t, b.project); len(left) > 0 {
			t.Fatalf("processes are left: %v", left)
		}
	}
}

// inTheWorld is what a stack holds of what apply makes.
func inTheWorld(t *testing.T, endpoint string) []string {
	t.Helper()
	settings := stackConfig(endpoint, "us-east-1")
	var left []string
	tables, err := dynamodb.NewFromConfig(settings).ListTables(t.Context(), &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	left = append(left, tables.TableNames...)
	queues, err := sqs.NewFromConfig(settings).ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil {
		t.Fatal(err)
	}
	left = append(left, queues.QueueUrls...)
	mappings, err := lambda.NewFromConfig(settings).ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mappings.EventSourceMappings {
		left = append(left, *m.EventSourceMappingArn)
	}
	groups, err := cloudwatchlogs.NewFromConfig(settings).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.LogGroups {
		left = append(left, *g.LogGroupName)
	}
	return left
}

// at starts a command and acts on it when the stack sees an operation, or so many of any where operation is a number. It gives what the
// command printed, and reports false when the command ended well before that, as a run does that finds its work done.
func (b *bench) at(t *testing.T, name, operation string, act func(gen *os.Process)) (string, bool) {
	t.Helper()
	b.printed.Reset()
	seen := b.watch.next(operation)
	cmd := b.command(name)
	cmd.Stdout, cmd.Stderr = b.printed, b.printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("%s was never called: %v\n%s", operation, err, b.printed.String())
		}
		return b.printed.String(), false
	case <-seen:
	}
	act(cmd.Process)
	<-ended
	return b.printed.String(), true
}

// kill ends gen, and on demand everything that it has started, with no chance to tidy up.
func (b *bench) kill(t *testing.T, gen *os.Process, all bool) {
	t.Helper()
	_ = gen.Kill()
	if !all {
		return
	}
	for _, pid := range processesIn(t, b.project) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// output is what a running command has printed so far.
type output struct {
	mu   sync.Mutex
	more *sync.Cond
	text strings.Builder
}

func newOutput() *output {
	o := &output{}
	o.more = sync.NewCond(&o.mu)
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.more.Broadcast()
	return o.text.Write(p)
}

// await returns when the text is there.
func (o *output) await(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !strings.Contains(o.text.String(), text) {
		o.more.Wait()
	}
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) Reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Reset()
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

// requestWatch is a log handler that tells when the stack has answered a certain operation, or so many of any.
type requestWatch struct {
	mu        sync.Mutex
	operation string
	left      int
	seen      chan struct{}
}

func (w *requestWatch) next(operation string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.operation, w.left, w.seen = operation, 1, make(chan struct{})
	if n, err := strconv.Atoi(operation); err == nil {
		w.operation, w.left = "", n
	}
	return w.seen
}

// Enabled implements [slog.Handler].
func (w *requestWatch) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements [slog.Handler].
func (w *requestWatch) Handle(_ context.Context, r slog.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "operation" && w.seen != nil && (w.operation == "" || strings.TrimSuffix(a.Value.String(), "/") == w.operation) {
			if w.left--; w.left == 0 {
				close(w.seen)
				w.seen = nil
			}
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
