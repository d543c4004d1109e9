package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	table    = "lambda-dynamodb-stream"
	function = "process-dynamodb-records"
)

// demo is one run. out gets the transcript, story what the commands tell while they work.
type demo struct {
	root       string
	out, story io.Writer

	gen   string
	stack *stack
	steps []step
}

// step is one line of the summary.
type step struct {
	name string
	took time.Duration
	// own is the part of took that was neither terraform with its provider nor the go compiler.
	own time.Duration
}

// result is what a test wants to know of a run.
type result struct {
	steps   []step
	records []loggedRecord
	// pending are the changes of the second plan, left what the stack still held after destroy.
	pending []change
	left    []string
}

// loggedRecord is one line of the reference handler's log.
type loggedRecord struct {
	EventID   string          `json:"eventID"`
	EventName string          `json:"eventName"`
	DynamoDB  json.RawMessage `json:"dynamodb"`
}

// change and timing are parts of what 'gen plan|apply|destroy --json' print.
type change struct {
	Address string `json:"address"`
	Action  string `json:"action"`
}

type planned struct {
	Findings []change `json:"findings"`
	Timing   struct {
		Own float64 `json:"own_seconds"`
	} `json:"timing"`
}

// run goes through the steps and leaves no process behind, whatever happens.
func (d *demo) run(ctx context.Context) (res result, err error) {
	defer func() {
		if d.stack != nil {
			err = errors.Join(err, d.stack.close())
		}
	}()
	if err := d.build(ctx); err != nil {
		return res, err
	}
	if err := d.start(ctx); err != nil {
		return res, err
	}
	if _, err := d.command(ctx, "apply", "apply"); err != nil {
		return res, err
	}
	c := newClients(d.stack.endpoint)
	if res.records, err = d.records(ctx, c); err != nil {
		return res, err
	}
	again, err := d.command(ctx, "plan again", "plan")
	if err != nil {
		return res, err
	}
	if res.pending = again.Findings; len(res.pending) > 0 {
		return res, fmt.Errorf("the second plan has changes: %v", res.pending)
	}
	fmt.Fprintln(d.out, "second plan: no changes")
	if _, err := d.command(ctx, "destroy", "destroy"); err != nil {
		return res, err
	}
	if res.left, err = c.left(ctx); err != nil {
		return res, err
	}
	if len(res.left) > 0 {
		return res, fmt.Errorf("destroy left %s", strings.Join(res.left, ", "))
	}
	fmt.Fprintln(d.out, "destroyed: nothing left on the stack")

	cpu, err := d.stop()
	if err != nil {
		return res, err
	}
	d.steps = append(d.steps, step{name: "stack's processor time, all steps", own: cpu})
	res.steps = d.steps
	return res, d.summary()
}

func (d *demo) build(ctx context.Context) error {
	begun := time.Now()
	name := "gen"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	root, err := filepath.Abs(d.root)
	if err != nil {
		return err
	}
	d.root, d.gen = root, filepath.Join(root, ".gen", "bin", name)
	cmd := d.child(ctx, "go", "build", "-trimpath", "-o", d.gen, "./cmd/gen")
	cmd.Stdout, cmd.Stderr = d.story, d.story
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building gen: %w", err)
	}
	d.done("build gen", begun, 0)
	return nil
}

func (d *demo) start(ctx context.Context) error {
	begun := time.Now()
	s, err := startStack(d.child(context.WithoutCancel(ctx), d.gen, "local", "--listen", "127.0.0.1:0", "--json"), d.story)
	if err != nil {
		return err
	}
	d.stack = s
	if err := s.ready(ctx); err != nil {
		return err
	}
	took := time.Since(begun)
	d.done("start the local stack", begun, took)
	fmt.Fprintf(d.out, "local stack on %s\n", s.endpoint)
	return nil
}

// command runs one of gen's commands against the stack and reads its JSON result.
func (d *demo) command(ctx context.Context, name, subcommand string) (planned, error) {
	begun := time.Now()
	cmd := d.child(ctx, d.gen, subcommand, "--env", "local", "--endpoint", d.stack.endpoint, "--json")
	var stdout strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, d.story
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 3 { // 3: changes pending, the caller judges them
			return planned{}, fmt.Errorf("gen %s: %w", subcommand, errors.Join(ctx.Err(), err))
		}
	}
	var p planned
	if err := json.Unmarshal([]byte(stdout.String()), &p); err != nil {
		return planned{}, fmt.Errorf("reading the result of gen %s: %w", subcommand, err)
	}
	d.done(name, begun, time.Duration(p.Timing.Own*float64(time.Second)))
	return p, nil
}

// records writes, changes and deletes one item and waits for the handler's three lines.
func (d *demo) records(ctx context.Context, c clients) ([]loggedRecord, error) {
	begun := time.Now()
	if err := c.writeItem(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var records []loggedRecord
	for len(records) < 3 {
		line, err := d.stack.nextLog(ctx)
		if err != nil {
			return nil, fmt.Errorf("waiting for the handler's log, %d of 3 records there: %w", len(records), err)
		}
		var r loggedRecord
		if json.Unmarshal([]byte(line), &r) != nil || r.EventID == "" {
			continue // START, END and REPORT lines
		}
		records = append(records, r)
		fmt.Fprintf(d.out, "%s %s %s\n", r.EventID, r.EventName, r.DynamoDB)
	}
	inGroup, err := c.recordsInLogGroup(ctx)
	if err != nil {
		return nil, err
	}
	if inGroup != len(records) {
		return nil, fmt.Errorf("the log group holds %d of the handler's %d records", inGroup, len(records))
	}
	d.done("write, change, delete an item; see the log", begun, time.Since(begun))
	return records, nil
}

func (d *demo) stop() (cpu time.Duration, err error) {
	begun := time.Now()
	s := d.stack
	d.stack = nil
	if err := s.close(); err != nil {
		return 0, err
	}
	d.done("stop the local stack", begun, time.Since(begun))
	return s.cpu(), nil
}

func (d *demo) done(name string, begun time.Time, own time.Duration) {
	d.steps = append(d.steps, step{name: name, took: time.Since(begun), own: own})
}

func (d *demo) summary() error {
	w := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nstep\ttime\tours\t")
	var total step
	for _, s := range d.steps {
		took := "-"
		if s.took > 0 {
			took = fmt.Sprintf("%.2fs", s.took.Seconds())
		}
		fmt.Fprintf(w, "%s\t%s\t%.2fs\t\n", s.name, took, s.own.Seconds())
		total.took += s.took
		total.own += s.own
	}
	fmt.Fprintf(w, "in all\t%.2fs\t%.2fs\t\n", total.took.Seconds(), total.own.Seconds())
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(d.out, "ours: not terraform with its provider, not the go compiler")
	return err
}

// child is a command that gets an interrupt of its own when ctx ends, and time to finish what it has begun.
func (d *demo) child(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = d.root
	cmd.Env = os.Environ()
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = 2 * time.Minute
	apart(cmd)
	return cmd
}
