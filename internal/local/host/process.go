package host

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// grace is how long a process that registered an extension may take to end after it was asked.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
const grace = 300 * time.Millisecond

// process is one running bootstrap: an execution environment, in Lambda's words. At most one invocation is in it.
type process struct {
	host    *Host
	rev     *revision
	api     *runtimeAPI
	log     *logStream
	capture *capture
	cmd     *exec.Cmd
	init    time.Duration // how long it took to ask for its first invocation; 0 once reported
	taken   chan struct{} // closed when it is taken to work again; made each time it comes to rest
	exited  chan struct{} // closed when it is gone and all that it wrote is logged
	status  string        // how it ended; read after exited

	mu    sync.Mutex
	group group
	ended bool // the group is no more; its id may be another's
}

// startError says why no process came to be. It is the function's failure, not the host's.
type startError struct{ cause error }

func (e *startError) Error() string { return e.cause.Error() }
func (e *startError) Unwrap() error { return e.cause }

// start makes a process of the revision. log is where its output goes.
func (r *revision) start(log *logStream) (*process, error) {
	if err := checkEntry(r.code.dir); err != nil {
		return nil, &startError{err}
	}
	api, err := serveRuntimeAPI(r.function)
	if err != nil {
		return nil, err
	}
	out, err := newCapture(log)
	if err != nil {
		api.close()
		return nil, fmt.Errorf("making a pipe for the output of %s: %w", r.function.Name, err)
	}
	p := &process{
		host: r.host, rev: r, api: api, log: log, capture: out, exited: make(chan struct{}),
		cmd: &exec.Cmd{
			Path: filepath.Join(r.code.dir, entryFile), Args: []string{filepath.Join(r.code.dir, entryFile)},
			Dir: r.code.dir, Env: r.environment(log.name, api.addr()),
			Stdout: out.w, Stderr: out.w, SysProcAttr: attributes(),
		},
	}
	if err := p.launch(); err != nil {
		api.close()
		out.close()
		return nil, err
	}
	return p, nil
}

// launch starts the process and the goroutine that waits for its end.
func (p *process) launch() error {
	h := p.host
	h.mu.Lock()
	if h.isClosed() {
		h.mu.Unlock()
		return ErrClosed
	}
	p.rev.hold()
	started := make(chan error)
	h.wg.Go(func() { p.run(started) })
	h.mu.Unlock()
	return <-started
}

// run starts the process and sees it to its end.
func (p *process) run(started chan<- error) {
	// The kernel ties "kill it when its parent ends" to the thread that started the process, so that thread must live as
	// long as the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer p.rev.drop()
	err := p.cmd.Start()
	if err == nil {
		if p.group, err = newGroup(p.cmd.Process); err != nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	}
	if err != nil {
		started <- &startError{err}
		return
	}
	p.host.remember(p)
	started <- nil

	_ = p.cmd.Wait() // the state says it all
	p.mu.Lock()
	p.group.kill() // what it left behind
	p.group.close()
	p.ended = true
	p.mu.Unlock()
	p.capture.close()
	p.api.close()
	p.status = p.cmd.ProcessState.String()
	p.host.forget(p)
	close(p.exited)
}

// remember keeps the process for Close, which may have come meanwhile.
func (h *Host) remember(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.processes[p] = struct{}{}
	if h.isClosed() {
		p.group.kill()
	}
}

func (h *Host) forget(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.processes, p)
}

// gone says whether the process has ended.
func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill ends the process and all that it started, at once, and waits for it.
func (p *process) kill() {
	p.signal(group.kill)
	<-p.exited
}

func (p *process) signal(send func(group)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		send(p.group)
	}
}

// shutdown ends a process as Lambda does: one that registered an extension is asked first.
func (p *process) shutdown() {
	if p.api.hasExtension() {
		p.signal(group.terminate)
		timer := time.NewTimer(grace) // of the machine: a clock that stands would keep the host from closing
		defer timer.Stop()
		select {
		case <-p.exited:
			return
		case <-timer.C:
		}
	}
	p.kill()
}

// exitReason is how Lambda words the end of a process that should have gone on.
func (p *process) exitReason() string {
	if p.status == "exit status 0" {
		return "Runtime exited without providing a reason"
	}
	return "Runtime exited with error: " + p.status
}

// peakMemory is the most memory that the process has had resident, in MB; 0 when it cannot be told.
func (p *process) peakMemory() int {
	if p.gone() {
		return endedMemory(p.cmd.ProcessState)
	}
	return peakMemory(p.cmd.Process.Pid)
}
