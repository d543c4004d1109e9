package tf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// State is the state that a configuration's backend keeps, without the configuration: terraform runs in a folder that has nothing but
// the backend, beside the work folder and as deep. So it needs no provider and no module, and another terraform may run in the work
// folder meanwhile.
type State struct {
	terraform *Terraform
	// work is the folder that the configuration is applied in, file the state's file; empty where another backend keeps the state.
	work, file string
}

// OpenState connects the backend of the options, unless that was done before. Source, Vars and VarFile do not matter. Errors are
// *[Error] where terraform failed.
func OpenState(ctx context.Context, o Options) (*State, error) {
	work, err := filepath.Abs(o.WorkDir)
	if err != nil {
		return nil, fmt.Errorf("opening the state: %w", err)
	}
	s := &State{work: work}
	o.WorkDir, o.Vars, o.VarFile = work+".state", nil, ""
	if file, isFile := stateFile(o); isFile {
		if s.file = file; !filepath.IsAbs(file) {
			s.file = filepath.Join(work, filepath.FromSlash(file))
		}
		o.Backend, o.StateFile = Backend{}, s.file
		if below, err := filepath.Rel(o.WorkDir, s.file); err == nil {
			o.StateFile = below // so that a project that is moved has the same backend
		}
	} else if o.Backend.Type == "" {
		return nil, errors.New("opening the state: the options say neither StateFile nor Backend")
	}
	if s.terraform, err = Open(o); err != nil {
		return nil, err
	}
	return s, s.terraform.connect(ctx)
}

// stateFile is the file on this machine that keeps the state, if one does; as in the options, it may be relative to WorkDir.
func stateFile(o Options) (path string, isFile bool) {
	switch o.Backend.Type {
	case "":
		return o.StateFile, o.StateFile != ""
	case "local":
		path = "terraform.tfstate"
		for _, a := range o.Backend.Arguments {
			if p, isText := a.Value.(string); a.Name == "path" && isText {
				path = p
			}
		}
		return path, true
	}
	return "", false
}

// connect lets terraform know the backend.
func (t *Terraform) connect(ctx context.Context) error {
	if err := t.stageBackend(); err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	now := initialised{Inputs: digest([]string{t.Binary.Path, t.Binary.Version, digestFile(t.path(backendFile))})}
	var last initialised
	if err := readJSON(t.path(initFile), &last); err == nil && last == now {
		return nil
	}
	// What the folder was connected to before is of no interest: there is nothing to move.
	noPlugins, connected := t.path("no-plugins"), t.path(dataDir, "terraform.tfstate")
	if err := errors.Join(remove(t.path(initFile), t.path(lockFile)), os.RemoveAll(t.path(dataDir)), os.MkdirAll(noPlugins, 0o755)); err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	// Once the backend is connected, terraform init installs the providers of what is in the state, which nothing here needs. It is told
	// to look for them where there are none, and that this fails does not matter.
	_, err := t.stream(ctx, "init", []string{"-json", "-input=false", "-plugin-dir=" + noPlugins})
	if _, missing := os.Stat(connected); err != nil && (missing != nil || t.ready(ctx) != nil) {
		return err
	}
	if err := writeJSON(t.path(initFile), now); err != nil {
		return fmt.Errorf("opening the state: %w", err)
	}
	return nil
}

// Kill is as [Terraform.Kill].
func (s *State) Kill() { s.terraform.Kill() }

// Output is as [Terraform.Output].
func (s *State) Output(ctx context.Context) (map[string]Output, error) {
	return s.terraform.Output(ctx)
}

// Holder says whether the terraform that took a lock still runs.
type Holder string

// A lock of a state in a file is running or ended: the system knows. Any other lock is running when a terraform is seen in the work
// folder (on Linux), and else unknown: it may run in another folder, or on another machine.
const (
	HolderRunning Holder = "running"
	HolderEnded   Holder = "ended"
	HolderUnknown Holder = "unknown"
)

// HeldLock is a lock that was found on a state.
type HeldLock struct {
	Lock
	Holder Holder
	// Process is that of the holder, where it can be seen; else 0.
	Process int
}

// nothing is an address that no configuration has.
const nothing = "terraform_data.streamgen_looks_for_a_lock"

// Lock finds the lock of the state. Where a backend keeps the state, it tries to take the lock: a command that would remove what is not
// there, and leaves it at that.
func (s *State) Lock(ctx context.Context) (l HeldLock, found bool, err error) {
	if s.file != "" {
		return s.fileLock()
	}
	t := s.terraform
	said, err := t.run(ctx, "state", []string{"rm", "-no-color", "-dry-run", "-lock-timeout=0s", nothing}, func([]byte) {})
	if err == nil && said.orderly && (said.code == 0 || strings.Contains(said.stderr, "No state file was found")) {
		return HeldLock{}, false, nil
	}
	err = t.failed(ctx, "state rm", transcript{exit: said}, err)
	if l.Lock, found = LockOf(err); !found {
		return HeldLock{}, false, err
	}
	l.Holder = HolderUnknown
	if running := processesIn(s.work, t.Binary.Path); len(running) > 0 {
		l.Holder, l.Process = HolderRunning, running[0]
	}
	return l, true, nil
}

func (s *State) fileLock() (l HeldLock, found bool, err error) {
	pid, locked, err := lockHolder(s.file)
	if err != nil {
		return HeldLock{}, false, fmt.Errorf("looking for the state's lock: %w", err)
	}
	l.Lock, found, err = readLock(s.file)
	switch l.Holder, l.Process = HolderEnded, pid; {
	case locked:
		l.Holder = HolderRunning // it may not have said who it is yet
		return l, true, nil
	case err != nil:
		return HeldLock{}, false, err
	}
	return l, found, nil
}

// Unlock releases a lock that Lock found. One on a file ends with its holder alone, so that all there is to do is to remove the note that
// a killed one left behind.
func (s *State) Unlock(ctx context.Context, l HeldLock) error {
	if s.file == "" {
		t := s.terraform
		said, err := t.run(ctx, "force-unlock", []string{"-no-color", "-force", l.ID}, func([]byte) {})
		if err == nil && said.orderly && said.code == 0 {
			return nil
		}
		return t.failed(ctx, "force-unlock", transcript{exit: said}, err)
	}
	if l.Holder == HolderRunning {
		return fmt.Errorf("the lock of a state in a file lasts as long as its holder runs%s: end that", processText(l.Process))
	}
	if err := remove(lockInfoFile(s.file)); err != nil {
		return fmt.Errorf("releasing the lock: %w", err)
	}
	return nil
}

func processText(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(", process %d", pid)
}
