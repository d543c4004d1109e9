package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/tf"
)

type unlockOptions struct {
	env   environment
	yes   bool
	force bool
	json  bool
}

func newUnlock(std streams, at func() (string, error)) *cobra.Command {
	var o unlockOptions
	cmd := &cobra.Command{
		Use:   "unlock [ID]",
		Short: "Release the lock of a state that a killed terraform left behind",
		Long: `Show who has the state locked, since when and what for, and release the lock. terraform locks a state while it may write it; one that was killed
cannot release it, and all others wait, and then fail. It asks first, or wants --yes where there is no terminal. With ID only the lock with that ID
is released.

A lock whose holder still runs is not released, unless --force: two terraforms would then write the same state. Of a state in a file on this
machine the system knows whether it does, and there a lock that was left behind holds up nobody. Of any other state only this machine is looked at:
a gen that works in the environment, or, on Linux, a terraform in its work folder.`,
		Example: `  gen unlock --env prod
  gen unlock --env prod 8a3c1d2e-5f60-7a81-92b3-c4d5e6f70819 --yes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runUnlock(cmd.Context(), std, start, o, strings.Join(args, ""))
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o.env.flags(cmd)
	f := cmd.Flags()
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&o.force, "force", false, "release the lock of a terraform that still runs, or may")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// unlockReport is the result of gen unlock, as --json prints it: fields are added, never renamed or taken away.
type unlockReport struct {
	Environment string      `json:"environment"`
	Locks       []foundLock `json:"locks"`
}

// foundLock is the lock of a state, and what became of it.
type foundLock struct {
	// Stack is empty in a project without stacks.
	Stack     string    `json:"stack,omitempty"`
	ID        string    `json:"id"`
	Operation string    `json:"operation,omitempty"`
	Info      string    `json:"info,omitempty"`
	Who       string    `json:"who,omitempty"`
	Version   string    `json:"version,omitempty"`
	Created   time.Time `json:"created,omitzero"`
	Path      string    `json:"path,omitempty"`
	// Holder is running, ended or unknown; Process is the holder's, where it can be seen.
	Holder   tf.Holder `json:"holder"`
	Process  int       `json:"process,omitempty"`
	Released bool      `json:"released"`
}

func runUnlock(ctx context.Context, std streams, start string, o unlockOptions, id string) error {
	w, err := openAsIs(ctx, std, start, o.env)
	if err != nil {
		return err
	}
	// As long as this command runs, no gen begins to work in the environment.
	work := flock.New(filepath.Join(w.project.work(), w.env.name+".lock"))
	if err := os.MkdirAll(w.project.work(), 0o755); err != nil {
		return err
	}
	idle, err := work.TryLock()
	if err != nil {
		return fmt.Errorf("looking whether another gen works: %w", err)
	}
	defer func() { _ = work.Unlock() }() // the system releases it when gen ends, whatever comes
	out := unlockReport{Environment: w.env.name, Locks: []foundLock{}}
	var others []string
	failed := w.states(ctx, func(stack string, state *tf.State) error {
		l, found, err := state.Lock(ctx)
		if err != nil || !found {
			return err
		}
		if id != "" && l.ID != id {
			others = append(others, l.ID)
			return nil
		}
		one := foundLock{
			ID: l.ID, Operation: l.Operation, Info: l.Info, Who: l.Who, Version: l.Version, Created: l.Created, Path: l.Path, Holder: l.Holder, Process: l.Process,
		}
		if w.project.stacked() {
			one.Stack = stack
		}
		err = w.releaseLock(ctx, o, state, l, one, idle)
		one.Released = err == nil
		out.Locks = append(out.Locks, one)
		return err
	})
	if o.json {
		if err := report.JSON(std.out, out); err != nil {
			return err
		}
	}
	switch {
	case failed != nil:
		return failed
	case len(others) > 0 && len(out.Locks) == 0:
		return usagef("no lock of %s has the ID %s, but %s", w.env.name, id, strings.Join(others, ", "))
	case len(out.Locks) == 0 && !o.json:
		_, err = fmt.Fprintf(std.out, "no lock: the state of %s is free\n", w.env.name)
	}
	return err
}

// releaseLock shows a lock and releases it, if it may. idle says that no other gen works in the environment.
func (w workplace) releaseLock(ctx context.Context, o unlockOptions, state *tf.State, l tf.HeldLock, found foundLock, idle bool) error {
	if _, err := w.std.err.Write(found.text(w.env.name, time.Now())); err != nil {
		return err
	}
	switch {
	case o.force:
	case l.Holder == tf.HolderRunning && l.Process != 0:
		return fmt.Errorf("the lock is not released: its terraform still runs; wait for it, or end it in good order: kill -INT %d", l.Process)
	case l.Holder == tf.HolderRunning:
		return fmt.Errorf("the lock is not released: its terraform still runs; wait for it, or end it in good order")
	case l.Holder != tf.HolderEnded && !idle:
		return fmt.Errorf("the lock is not released: another gen works in %s here, and it may be that one's; wait for it, or interrupt it", w.env.name)
	}
	if !o.yes {
		if !isTerminal(w.std.in) {
			return usagef("there is no terminal to ask on: --yes releases the lock")
		}
		if err := ask(ctx, w.std, "Release this lock? Only 'yes' will do: ", "yes"); err != nil {
			return err
		}
	}
	if err := state.Unlock(ctx, l); err != nil {
		return err
	}
	if o.json {
		return nil
	}
	_, err := fmt.Fprintf(w.std.out, "released the lock %s\n", l.ID)
	return err
}

// text shows a lock to people.
func (l foundLock) text(environment string, now time.Time) []byte {
	var b bytes.Buffer
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", name, printable(value))
		}
	}
	of := environment
	if l.Stack != "" {
		of += ", stack " + l.Stack
	}
	fmt.Fprintf(&b, "the state of %s is locked\n", of)
	row("ID", l.ID)
	row("operation", strings.TrimPrefix(l.Operation, "OperationType"))
	row("info", l.Info)
	row("who", l.Who)
	if !l.Created.IsZero() {
		row("since", fmt.Sprintf("%s, %s ago", l.Created.Local().Format(time.DateTime), now.Sub(l.Created).Round(time.Second)))
	}
	row("terraform", l.Version)
	row("state", l.Path)
	row("holder", map[tf.Holder]string{
		tf.HolderRunning: "runs" + ofProcess(l.Process),
		tf.HolderEnded:   "has ended",
		tf.HolderUnknown: "is not seen here; it may run elsewhere" + otherHost(l.Who),
	}[l.Holder])
	return b.Bytes()
}

func ofProcess(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(", process %d", pid)
}

// otherHost says that a lock is another machine's, if it is.
func otherHost(who string) string {
	host, err := os.Hostname()
	at := strings.LastIndex(who, "@")
	if err != nil || at < 0 || who[at+1:] == host {
		return ""
	}
	return ": it was taken on " + who[at+1:]
}
