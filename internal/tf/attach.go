package tf

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Streams are what an attached terraform reads and writes. Files are handed to it as they are.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Terminal says that In is a terminal. Terraform then stays in this process's group, or else it could not read there; a Ctrl-C
	// reaches it from the terminal, and the context must not end by it, or terraform would hear of it twice and quit without waiting.
	Terminal bool
}

// quitTime is how long an attached terraform may take to end when it is stopped at once: it heard that from the terminal, too.
const quitTime = 10 * time.Second

// Attach runs any terraform command in the work folder, in the environment of all others, with the caller's streams, and gives its
// exit code. The configuration's variables are set for the commands that take some, before the arguments that follow the command, so
// that these have the last word. When ctx ends terraform is interrupted once. An error says that terraform did not run, or was killed.
//
// The variables are arguments, as everywhere in this package. As TF_VAR_ in the environment they would come before all files of
// variables, and a file of the environment's could not be among them; TF_CLI_ARGS_plan and so on are split by rules of their own.
func (t *Terraform) Attach(ctx context.Context, s Streams, args ...string) (code int, err error) {
	fail := func(err error) (int, error) { return -1, t.failed(ctx, strings.Join(args, " "), transcript{}, err) }
	if err := t.ready(ctx); err != nil {
		return fail(err)
	}
	cmd := exec.Command(t.Binary.Path, t.withVars(args)...)
	cmd.Dir, cmd.Env = t.WorkDir, t.environ()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	cmd.WaitDelay = quitTime // for streams that are no files and do not end
	defer t.spent(time.Now())
	release := func() {}
	if s.Terminal {
		err = cmd.Start()
	} else {
		release, err = start(cmd)
	}
	if err != nil {
		return fail(fmt.Errorf("starting %s: %w", t.Binary.Path, err))
	}
	defer release()
	exited, supervised := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(supervised)
		if s.Terminal {
			t.superviseShared(ctx, cmd.Process, exited)
		} else {
			t.supervise(ctx, cmd.Process, exited)
		}
	}()
	_ = cmd.Wait() // the state of the process says it better
	close(exited)
	<-supervised
	if code = cmd.ProcessState.ExitCode(); code >= 0 {
		return code, nil // terraform has said why it is not 0
	}
	if !s.Terminal {
		killGroup(cmd.Process)
	}
	return fail(nil)
}

// superviseShared is supervise for a process in a group that is not its own: it alone can be killed.
func (t *Terraform) superviseShared(ctx context.Context, p *os.Process, exited <-chan struct{}) {
	select {
	case <-exited:
		return
	case <-t.killed:
	case <-ctx.Done():
		_ = interrupt(p) // fails when it has ended
		select {
		case <-exited:
			return
		case <-t.killed:
		}
	}
	quit := time.NewTimer(quitTime)
	defer quit.Stop()
	select {
	case <-exited:
	case <-quit.C:
		_ = p.Kill()
		<-exited
	}
}

// withVars adds the variables to a command line that takes some. A plan in a file has its own.
func (t *Terraform) withVars(args []string) []string {
	at := slices.IndexFunc(args, func(arg string) bool { return !strings.HasPrefix(arg, "-") })
	if at < 0 || !TakesVars(args[at]) {
		return args
	}
	if last := args[len(args)-1]; args[at] == "apply" && t.isFile(last) {
		return args
	}
	return slices.Insert(slices.Clone(args), at+1, t.varArgs()...)
}

// isFile reports whether there is a file at the path as terraform understands it.
func (t *Terraform) isFile(path string) bool {
	if !filepath.IsAbs(path) {
		path = t.path(path)
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// TakesVars reports whether a terraform command takes the configuration's variables.
func TakesVars(command string) bool {
	return slices.Contains([]string{"apply", "console", "destroy", "import", "plan", "refresh"}, command)
}
