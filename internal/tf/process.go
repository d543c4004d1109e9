package tf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// exit is how a terraform process ended.
type exit struct {
	code int
	// orderly is false when terraform was killed or crashed: then it may have left work half done.
	orderly bool
	stderr  string
}

// run runs one terraform command to its end and gives each line of its output to line.
//
// Output goes through files in the work folder, not pipes: should this process be killed, terraform
// can still write, and so finishes what it is doing and saves the state instead of dying of a broken
// pipe. On Linux it is also interrupted then. When ctx ends, terraform is interrupted once, which
// it takes as the wish to stop in good order; it is killed only when Options.Grace is over or Kill
// is called. Plug-ins do not watch their parent: one that is idle outlives a killed terraform. They
// stay in its process group, so the whole group is killed.
func (t *Terraform) run(ctx context.Context, op string, args []string, line func([]byte)) (exit, error) {
	if err := t.ready(ctx); err != nil {
		return exit{}, err
	}
	stdout, err := newLog(t.path(logDir, op+".jsonl"))
	if err != nil {
		return exit{}, err
	}
	defer stdout.Close()
	stderr, err := newLog(t.path(logDir, op+".err"))
	if err != nil {
		return exit{}, err
	}
	defer stderr.Close()

	cmd := exec.Command(t.Binary.Path, append([]string{op}, args...)...)
	cmd.Dir, cmd.Env = t.WorkDir, t.environ()
	cmd.Stdout, cmd.Stderr = stdout.write, stderr.write
	defer t.spent(time.Now())
	release, err := start(cmd)
	if err != nil {
		return exit{}, fmt.Errorf("starting %s: %w", t.Binary.Path, err)
	}
	defer release()
	var waitErr error
	exited := make(chan struct{})
	go func() { waitErr = cmd.Wait(); close(exited) }()
	supervised := make(chan struct{})
	go func() { t.supervise(ctx, cmd.Process, exited); close(supervised) }()
	followErr := follow(stdout.read, exited, line)
	<-exited
	<-supervised

	end := exit{code: cmd.ProcessState.ExitCode()}
	// A plan ends with 2 when there are changes; any other 2 is that of a Go program's fatal error.
	end.orderly = end.code == 0 || end.code == 1 || end.code == 2 && op == "plan"
	if !end.orderly {
		killGroup(cmd.Process)
	}
	if text, err := io.ReadAll(stderr.read); err == nil {
		end.stderr = strings.TrimSpace(string(text))
	}
	if failed := (*exec.ExitError)(nil); waitErr != nil && !errors.As(waitErr, &failed) {
		return end, fmt.Errorf("waiting for %s: %w", t.Binary.Path, waitErr)
	}
	if followErr != nil {
		return end, fmt.Errorf("reading the output of %s: %w", t.Binary.Product, followErr)
	}
	return end, nil
}

// supervise interrupts and, if it must be, kills the process. It returns when the process has ended.
func (t *Terraform) supervise(ctx context.Context, p *os.Process, exited <-chan struct{}) {
	select {
	case <-exited:
		return
	case <-t.killed:
	case <-ctx.Done():
		_ = interrupt(p) // fails when it has ended, or without a console on Windows; then it may finish all the same
		overdue := time.NewTimer(t.Grace)
		defer overdue.Stop()
		select {
		case <-exited:
			return
		case <-t.killed:
		case <-overdue.C:
		}
	}
	killGroup(p)
	<-exited
}

// logFile is a file that a child writes while this process reads it.
type logFile struct{ write, read *os.File }

// newLog starts the file anew. A terraform that outlived its parent keeps writing to the old one.
func newLog(path string) (logFile, error) {
	if err := remove(path); err != nil {
		return logFile{}, fmt.Errorf("starting terraform's log: %w", err)
	}
	w, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return logFile{}, fmt.Errorf("starting terraform's log: %w", err)
	}
	r, err := os.Open(path)
	if err != nil {
		w.Close()
		return logFile{}, fmt.Errorf("starting terraform's log: %w", err)
	}
	return logFile{write: w, read: r}, nil
}

// Close closes both ends.
func (l logFile) Close() error { return errors.Join(l.write.Close(), l.read.Close()) }

// pollInterval is how late a line may be seen.
const pollInterval = 25 * time.Millisecond

// follow reads lines of any length from a growing file until the writer has exited and everything
// is read.
func follow(r io.Reader, exited <-chan struct{}, line func([]byte)) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	buf := make([]byte, 64<<10)
	var pending []byte
	for last := false; ; {
		n, err := r.Read(buf)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		pending = append(pending, buf[:n]...)
		for {
			text, rest, found := bytes.Cut(pending, []byte("\n"))
			if !found {
				break
			}
			line(text)
			pending = rest
		}
		switch {
		case n > 0:
		case last:
			if len(pending) > 0 {
				line(pending)
			}
			return nil
		default:
			select {
			case <-exited:
				last = true
			case <-tick.C:
			}
		}
	}
}
