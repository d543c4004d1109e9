package streamtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Build builds a main package, such as "../../generated/functions/ship", and gives the command that runs it, for [Start]. The path is
// relative to the folder of the test, as in go build. What does not build ends the test.
func Build(t testing.TB, pkg string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", dir+string(filepath.Separator), pkg)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	built, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(built) != 1 {
		t.Fatalf("build %s: %d programs, want one", pkg, len(built))
	}
	return exec.Command(filepath.Join(dir, built[0].Name()))
}

// Function is a function that runs as Lambda runs it: as a process that asks a Runtime API for its events. It is a lambda.Handler, so
// [Invoke] and [Deliver] take it as they take a handler inside of the test.
type Function struct {
	t      testing.TB
	cmd    *exec.Cmd // what to run
	name   string
	output *os.File

	turn        sync.Mutex // held for each invocation
	invocations int

	mu      sync.Mutex
	process *process
	stopped bool
}

// Start runs a function as Lambda does, until the test ends: its main, its environment, its log. cmd says what to run with its Path, Args,
// Dir and Env, and is not started itself; [Build] makes one of a main package, and Env may be added to. It must be the function's own
// program, not "go run", whose end is not the function's. Start returns when the function asks for its first event, or has ended.
//
// The environment has what Lambda adds, see
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime, with credentials that are none:
// whatever those of the test's own environment are, the function does not have them. The function's name is that of the program.
//
// When the process ends, the next event goes to a new one. One that outlasts an event's deadline is killed.
func Start(t testing.TB, cmd *exec.Cmd) *Function {
	t.Helper()
	if cmd.Err != nil {
		t.Fatalf("start the function: %v", cmd.Err)
	}
	if cmd.Process != nil || cmd.Stdin != nil || cmd.Stdout != nil || cmd.Stderr != nil || cmd.ExtraFiles != nil || cmd.SysProcAttr != nil {
		t.Fatal("start the function: of its command, Start takes Path, Args, Dir and Env alone")
	}
	output, err := os.OpenFile(filepath.Join(t.TempDir(), "output"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatalf("start the function: %v", err)
	}
	f := &Function{
		t: t, name: strings.TrimSuffix(filepath.Base(cmd.Path), ".exe"), output: output,
		cmd: &exec.Cmd{Path: cmd.Path, Args: slices.Clone(cmd.Args), Dir: cmd.Dir, Env: cmd.Environ()}, // the caller may go on with its own
	}
	t.Cleanup(func() {
		f.Stop()
		if t.Failed() {
			t.Logf("%s wrote:\n%s", f.name, f.Output())
		}
		_ = f.output.Close() // nothing was written through it
	})
	p, err := f.running()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-p.api.ready:
	case <-p.exited:
	case <-ctx.Done():
		t.Fatalf("%s has not asked for an event (%v): does its main call stream.Start, or lambda.Start?", f.name, ctx.Err())
	}
	return f
}

// patience is what a function may take to begin, and to end. Lambda has less: 10 s and 300 ms. Here it only bounds how long a broken test
// hangs, on a machine that may be busy.
const patience = time.Minute

// Invoke gives the function an event and waits for its response, in ctx's time; [Event] and [WindowEvent] make events. Its errors are what
// Lambda reports: the error that the function returned, or how it failed, timed out or ended. Events are handled one at a time.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	f.turn.Lock()
	defer f.turn.Unlock()
	f.invocations++
	i := &invocation{id: requestID(f.invocations), number: f.invocations, payload: payload, answer: make(chan posted, 1)}
	started := time.Now()
	var limited bool
	if i.deadline, limited = ctx.Deadline(); !limited {
		i.deadline = started.Add(15 * time.Minute) // Lambda's largest timeout
	}
	p, err := f.offer(ctx, i)
	if err == nil {
		var a posted
		a, err = p.await(ctx, i)
		if err == nil {
			return a.response, a.err
		}
	}
	if p != nil {
		f.forget(p)
		p.kill()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		message := fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", i.id, i.deadline.Sub(started).Seconds())
		err = &lambdaError{"Sandbox.Timedout", message, err}
	}
	return nil, err
}

// offer has a process take an invocation. Upon an error that process, if there is one, is of no more use.
func (f *Function) offer(ctx context.Context, i *invocation) (*process, error) {
	for {
		p, err := f.running()
		if err != nil {
			return nil, err
		}
		select {
		case p.api.work <- i:
			return p, nil
		case <-ctx.Done():
			return p, ctx.Err()
		case <-p.exited:
		}
		select {
		case <-p.api.ready: // it ended after the event before, and another one takes this
			f.forget(p)
		default:
			return p, p.initError(i)
		}
	}
}

// Output gives all that the function has written so far, to its standard output and its standard error. What it wrote before it answered an
// event is there when Invoke returns.
func (f *Function) Output() string {
	f.t.Helper()
	text, err := os.ReadFile(f.output.Name())
	if err != nil {
		f.t.Fatal(err)
	}
	return string(text)
}

// Log gives the lines of JSON in the output, as encoding/json decodes them: those of slog, and of metrics.
func (f *Function) Log() []map[string]any {
	f.t.Helper()
	var log []map[string]any
	for line := range strings.Lines(f.Output()) {
		var members map[string]any
		if json.Unmarshal([]byte(line), &members) == nil && members != nil {
			log = append(log, members)
		}
	}
	return log
}

// Stop ends the function as Lambda does: with SIGTERM if it has registered an extension, as stream.ServeNew does for a handler with a Close
// method and lambda.WithEnableSIGTERM does, and without notice otherwise, or where there is no SIGTERM (Windows). It waits for the
// end; a process that does not heed SIGTERM, or fails upon it, fails the test. Stop is called when the test ends, unless it was before.
func (f *Function) Stop() {
	f.t.Helper()
	f.mu.Lock()
	p := f.process
	f.process, f.stopped = nil, true
	f.mu.Unlock()
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.t.Context()), patience) // the test's own is done when it ends
	defer cancel()
	if err := p.stop(ctx); err != nil {
		f.t.Errorf("stop %s: %v", f.name, err)
	}
}

// running gives the function's process, and starts one if there is none.
func (f *Function) running() (*process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil, errors.New("invoke the function: it is stopped")
	}
	if f.process != nil {
		return f.process, nil
	}
	api, err := serveRuntimeAPI(functionARN(f.name))
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: f.cmd.Path, Args: f.cmd.Args, Dir: f.cmd.Dir, Env: f.environment(api.listener.Addr().String()),
		Stdout: f.output, Stderr: f.output, SysProcAttr: ownGroup(),
	}
	if err := cmd.Start(); err != nil {
		api.close()
		return nil, fmt.Errorf("start %s: %w", f.name, err)
	}
	f.process = &process{api: api, cmd: cmd, exited: make(chan struct{})}
	go f.process.wait()
	return f.process, nil
}

// forget has the next event start a process.
func (f *Function) forget(p *process) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.process == p {
		f.process = nil
	}
}

// environment is the process's. What is reserved by Lambda comes last, so that it counts.
func (f *Function) environment(api string) []string {
	reserved := map[string]string{
		"_HANDLER":                        "bootstrap",
		"AWS_ACCESS_KEY_ID":               "test",
		"AWS_SECRET_ACCESS_KEY":           "test",
		"AWS_SESSION_TOKEN":               "test",
		"AWS_PROFILE":                     "", // an SDK would prefer it to the credentials above
		"AWS_CONFIG_FILE":                 os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE":     os.DevNull,
		"AWS_DEFAULT_REGION":              region,
		"AWS_REGION":                      region,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_LAMBDA_FUNCTION_NAME":        f.name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "2026/01/01/[$LATEST]00000000000000000000000000000000",
		"AWS_LAMBDA_RUNTIME_API":          api,
		"LAMBDA_TASK_ROOT":                filepath.Dir(f.cmd.Path),
	}
	env := append([]string{"TZ=:UTC"}, f.cmd.Env...)
	for name, value := range reserved {
		env = append(env, name+"="+value)
	}
	return env
}

// process is one process of a function.
type process struct {
	api    *runtimeAPI
	cmd    *exec.Cmd
	exited chan struct{} // closed when it is gone, with all that it started

	mu    sync.Mutex
	ended bool // its id may be another's
}

func (p *process) wait() {
	_ = p.cmd.Wait() // the state says it all
	p.mu.Lock()
	killGroup(p.cmd.Process) // what it left behind
	p.ended = true
	p.mu.Unlock()
	p.api.close()
	close(p.exited)
}

// kill ends the process at once, and waits for it.
func (p *process) kill() {
	p.mu.Lock()
	if !p.ended {
		killGroup(p.cmd.Process)
	}
	p.mu.Unlock()
	<-p.exited
}

// stop ends the process as Lambda ends an execution environment.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
func (p *process) stop(ctx context.Context) error {
	if !p.api.hasExtension() {
		p.kill()
		return nil
	}
	select {
	case <-p.exited: // by itself
		return nil
	case <-p.api.asking: // it is done with the event before
	case <-ctx.Done():
	}
	if sent := p.cmd.Process.Signal(syscall.SIGTERM) == nil; !sent { // there is none, or it is gone
		p.kill()
		return nil
	}
	select {
	case <-p.exited:
		if !p.cmd.ProcessState.Success() {
			return fmt.Errorf("upon SIGTERM: %v", p.cmd.ProcessState)
		}
		return nil
	case <-ctx.Done():
		p.kill()
		return errors.New("still running after SIGTERM; Lambda gives it 300 ms")
	}
}

// await waits for what the process posts about an invocation that it took.
func (p *process) await(ctx context.Context, i *invocation) (posted, error) {
	select {
	case a := <-i.answer:
		return a, nil
	case <-ctx.Done():
		return posted{}, ctx.Err()
	case <-p.exited:
	}
	select {
	case a := <-i.answer: // it ended right after
		return a, nil
	default:
		return posted{}, p.exitError(i)
	}
}

// initError says why the process ended before it asked for an event.
func (p *process) initError(i *invocation) error {
	if err := p.api.initError(); err != nil {
		return err
	}
	return p.exitError(i)
}

// exitError says how the process ended, in Lambda's words.
func (p *process) exitError(i *invocation) error {
	reason := "Runtime exited without providing a reason"
	if !p.cmd.ProcessState.Success() {
		reason = "Runtime exited with error: " + p.cmd.ProcessState.String()
	}
	return &lambdaError{kind: "Runtime.ExitError", message: fmt.Sprintf("RequestId: %s Error: %s", i.id, reason)}
}

// lambdaError is a failure as Lambda reports it.
type lambdaError struct {
	kind, message string
	cause         error
}

func (e *lambdaError) Error() string { return e.kind + ": " + e.message }

func (e *lambdaError) Unwrap() error { return e.cause }
