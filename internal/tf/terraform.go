// Package tf drives terraform, or OpenTofu in its place: it finds or installs the binary, keeps a folder in which terraform
// runs, plans to a file, applies exactly that file, and tells its caller what happens as values.
//
// Commands that write or that start provider plug-ins (init, plan, apply, refresh, import, untaint)
// run through process.go, commands that only read (version, show, output, state pull) through
// terraform-exec.
// terraform-exec cannot run the first kind here: it keeps the child's process id to itself, so
// plug-ins survive a hard stop; on macOS it leaves terraform in the terminal's process group, where
// one Ctrl-C arrives twice and makes terraform quit without waiting; and on Linux it kills
// terraform when its parent dies, in the middle of what it is doing.
package tf

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// Options describe one configuration and where it runs.
type Options struct {
	Binary Binary
	// Source is the folder with the configuration. It is only read.
	Source string
	// WorkDir is the folder that terraform runs in. It lies as deep in the project as Source, so
	// that relative paths in the configuration mean the same in both. It holds a copy of the
	// configuration, terraform's own files, plans and, in log, what terraform said last.
	WorkDir string
	// Env is the whole environment of terraform, from [LocalEnvironment] or [CloudEnvironment].
	Env map[string]string
	// StateFile is where the state is kept on this machine, absolute or relative to WorkDir. When
	// it is empty the configuration's own backend holds the state.
	StateFile string
	// Backend keeps the state elsewhere; StateFile is not used then.
	Backend Backend
	// VarFile is a file of variables, relative to WorkDir; empty for none. Vars come before it.
	VarFile string
	// Vars are the values of the configuration's variables, as on terraform's command line.
	Vars map[string]string
	// Progress, if set, hears what terraform does while it does it, one event at a time.
	Progress func(Event)
	// Grace is how long an interrupted terraform may take to finish what it has begun and save the
	// state, before it is killed; 0 means ten minutes.
	Grace time.Duration
	// LockTimeout is how long to wait for a state that another terraform has locked; 0 means a minute.
	LockTimeout time.Duration
	// Reconfigure takes the state that is in the backend after it was changed; the state before stays where it is. Without it Init
	// fails then, see [BackendChanged].
	Reconfigure bool
}

// Terraform runs terraform commands for one configuration, one at a time. Only Kill and Elapsed may
// be called while a command runs.
type Terraform struct {
	Options
	reader  *tfexec.Terraform
	killed  chan struct{}
	kill    sync.Once
	elapsed atomic.Int64
}

// Open checks the options and makes the work folder. It starts nothing.
func Open(o Options) (*Terraform, error) {
	switch {
	case o.Binary.Path == "":
		return nil, errors.New("opening terraform: the option Binary is missing; use Find")
	case o.Source == "" || o.WorkDir == "":
		return nil, errors.New("opening terraform: the options Source and WorkDir are needed")
	case o.Env == nil:
		return nil, errors.New("opening terraform: the option Env is missing; use LocalEnvironment or CloudEnvironment")
	}
	for _, dir := range []*string{&o.Source, &o.WorkDir} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return nil, fmt.Errorf("opening terraform: %w", err)
		}
		*dir = abs
	}
	if err := os.MkdirAll(filepath.Join(o.WorkDir, logDir), 0o755); err != nil {
		return nil, fmt.Errorf("opening terraform: %w", err)
	}
	if o.Grace <= 0 {
		o.Grace = 10 * time.Minute
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = time.Minute
	}
	reader, err := newReader(o.WorkDir, o.Binary.Path, o.Env)
	if err != nil {
		return nil, fmt.Errorf("opening terraform: %w", err)
	}
	return &Terraform{Options: o, reader: reader, killed: make(chan struct{})}, nil
}

// newReader makes a terraform-exec client. It sets the variables that terraform-exec owns by itself
// and does not take them from a caller; a command that only reads needs no TF_VAR_ either.
func newReader(dir, binary string, env map[string]string) (*tfexec.Terraform, error) {
	reader, err := tfexec.NewTerraform(dir, binary)
	if err != nil {
		return nil, err
	}
	if err := reader.SetEnv(tfexec.CleanEnv(maps.Clone(env))); err != nil {
		return nil, err
	}
	return reader, reader.SetWaitDelay(5 * time.Second)
}

// Kill ends the running terraform, its plug-ins and whatever else it started, at once and for good:
// commands after it are refused. What an apply was creating at that moment may exist without being
// in the state; the next Plan looks for it.
func (t *Terraform) Kill() { t.kill.Do(func() { close(t.killed) }) }

// Elapsed is the time spent in terraform and its plug-ins so far.
func (t *Terraform) Elapsed() time.Duration { return time.Duration(t.elapsed.Load()) }

// spent adds the time since start to Elapsed.
func (t *Terraform) spent(start time.Time) { t.elapsed.Add(int64(time.Since(start))) }

// read runs one of terraform-exec's commands under the same rules as the others.
func (t *Terraform) read(ctx context.Context, op string, command func(context.Context) error) error {
	if err := t.ready(ctx); err != nil {
		return &Error{Product: t.Binary.Product, Op: op, Err: err, Stopped: true}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-t.killed:
			cancel(errKilled)
		case <-ctx.Done():
		}
	}()
	defer t.spent(time.Now())
	if err := command(ctx); err != nil {
		if stopped := context.Cause(ctx); stopped != nil {
			return &Error{Product: t.Binary.Product, Op: op, Err: stopped, Stopped: true}
		}
		return &Error{Product: t.Binary.Product, Op: op, Err: err}
	}
	return nil
}

func (t *Terraform) ready(ctx context.Context) error {
	select {
	case <-t.killed:
		return errKilled
	default:
		return context.Cause(ctx)
	}
}

// environ is the environment of every command.
func (t *Terraform) environ() []string {
	env := maps.Clone(t.Env)
	env["TF_IN_AUTOMATION"] = "1"
	return environ(env)
}

// varArgs are the options that set the configuration's variables.
func (t *Terraform) varArgs() []string {
	var args []string
	if t.VarFile != "" {
		args = append(args, "-var-file="+t.VarFile) // first: what comes later counts
	}
	for _, name := range slices.Sorted(maps.Keys(t.Vars)) {
		args = append(args, "-var="+name+"="+t.Vars[name])
	}
	return args
}

func (t *Terraform) lockTimeoutArg() string { return "-lock-timeout=" + t.LockTimeout.String() }

// path is a file in the work folder.
func (t *Terraform) path(elem ...string) string {
	return filepath.Join(append([]string{t.WorkDir}, elem...)...)
}
