package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// stack is a running 'gen local --json'.
type stack struct {
	cmd      *exec.Cmd
	endpoint string
	events   chan event
	drained  chan struct{}
	closing  sync.Once
	closed   error
}

// event is one line that 'gen local --json' prints.
type event struct {
	Event    string `json:"event"`
	Endpoint string `json:"endpoint"`
	Group    string `json:"group"`
	Message  string `json:"message"`
}

func startStack(cmd *exec.Cmd, story io.Writer) (*stack, error) {
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = story
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the local stack: %w", err)
	}
	s := &stack{cmd: cmd, events: make(chan event, 1024), drained: make(chan struct{})}
	go s.read(stdout)
	return s, nil
}

// read hands on the stack's events; what nobody has asked for by then is dropped rather than block the stack.
func (s *stack) read(stdout io.Reader) {
	defer close(s.drained)
	defer close(s.events)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		select {
		case s.events <- e:
		default:
		}
	}
}

// ready waits until the stack serves.
func (s *stack) ready(ctx context.Context) error {
	e, err := s.next(ctx, "ready")
	if err != nil {
		return fmt.Errorf("waiting for the local stack: %w", err)
	}
	s.endpoint = e.Endpoint
	return nil
}

// nextLog gives the next line of a function's log.
func (s *stack) nextLog(ctx context.Context) (string, error) {
	e, err := s.next(ctx, "log")
	return e.Message, err
}

func (s *stack) next(ctx context.Context, kind string) (event, error) {
	for {
		select {
		case <-ctx.Done():
			return event{}, ctx.Err()
		case e, open := <-s.events:
			if !open {
				return event{}, errors.New("the local stack ended")
			}
			if e.Event == kind {
				return e, nil
			}
		}
	}
}

// close asks the stack to end and waits for it; a second call gives the same answer.
func (s *stack) close() error {
	s.closing.Do(func() {
		if err := interrupt(s.cmd.Process); err != nil {
			s.closed = s.cmd.Process.Kill()
		}
		timer := time.AfterFunc(20*time.Second, func() { _ = s.cmd.Process.Kill() })
		defer timer.Stop()
		<-s.drained
		if err := s.cmd.Wait(); err != nil {
			s.closed = fmt.Errorf("the local stack ended badly: %w", err)
		}
	})
	return s.closed
}

// cpu is the processor time of the stack and the handler processes that it ran, once it has ended.
func (s *stack) cpu() time.Duration {
	return s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime()
}
