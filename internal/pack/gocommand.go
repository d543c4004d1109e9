package pack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// inherited are the settings of the go command that decide where code comes from and where it is
// cached, never what is built from it.
var inherited = []string{
	"GOAUTH", "GOCACHE", "GOCACHEPROG", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB",
	"GOPATH", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS",
}

// tuning are the variables of Go programs, hence of the go command, that change how it runs.
var tuning = []string{"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT"}

// goCommand runs the go command in the project with an environment in which equal sources give
// equal bytes, whatever the developer has set.
type goCommand struct {
	path     string
	dir      string
	env      []string
	version  string
	modCache string
	watch    *stopwatch
}

func newGoCommand(ctx context.Context, o Options, watch *stopwatch) (goCommand, error) {
	path, err := exec.LookPath("go")
	if err != nil {
		return goCommand{}, &NoGoError{Err: err}
	}
	base := o.Env
	if base == nil {
		base = os.Environ()
	}
	g := goCommand{path: path, dir: o.ProjectDir, env: base, watch: watch}
	out, err := g.run(ctx, append([]string{"env", "-json", "GOVERSION"}, inherited...)...)
	if err != nil {
		return goCommand{}, fmt.Errorf("asking go for its settings: %w", err)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out.stdout, &settings); err != nil {
		return goCommand{}, fmt.Errorf("reading the answer of go env: %w", err)
	}
	g.version, g.modCache = settings["GOVERSION"], settings["GOMODCACHE"]
	// A go.work above the project is the developer's own; one in the project belongs to it.
	workFile := "off"
	if file := filepath.Join(g.dir, "go.work"); isFile(file) {
		workFile = file
	}
	g.env = buildEnvironment(base, settings, workFile, o.GOOS, o.GOARCH)
	return g, nil
}

// buildEnvironment drops every variable of the go command from base and sets those that belong. GOOGLE_ variables are not
// the go command's: a program that GOAUTH names may need them. GOENV is off because a developer's "go env -w" would come back through it.
func buildEnvironment(base []string, settings map[string]string, workFile, goos, goarch string) []string {
	env := slices.DeleteFunc(slices.Clone(base), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		name = strings.ToUpper(name)
		ofGo := strings.HasPrefix(name, "GO") && !strings.HasPrefix(name, "GOOGLE_") || strings.HasPrefix(name, "CGO_")
		return ofGo && !slices.Contains(tuning, name)
	})
	for _, name := range inherited {
		if v := settings[name]; v != "" {
			env = append(env, name+"="+v)
		}
	}
	return append(env, "GOENV=off", "GOFLAGS=", "GOWORK="+workFile, "GOOS="+goos, "GOARCH="+goarch,
		"GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0")
}

// buildArgs is the go build command without packages. lambda.norpc leaves out the RPC server of
// the retired go1.x runtime.
func (g goCommand) buildArgs() []string {
	return []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-tags=lambda.norpc"}
}

type output struct {
	stdout []byte
	stderr string
}

// exitError says that the go command ran and refused.
type exitError struct {
	verb   string
	stderr string
}

func (e *exitError) Error() string {
	return fmt.Sprintf("go %s: %s", e.verb, strings.TrimSpace(e.stderr))
}

// run runs the go command to its end. Cancelling ctx kills it together with the compilers that it
// started.
func (g goCommand) run(ctx context.Context, args ...string) (output, error) {
	cmd := exec.CommandContext(ctx, g.path, args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	inOwnGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = 5 * time.Second

	stop := g.watch.start()
	err := cmd.Run()
	stop()
	out := output{stdout: stdout.Bytes(), stderr: stderr.String()}
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return out, fmt.Errorf("go %s: %w", args[0], context.Cause(ctx))
	case cmd.ProcessState != nil:
		return out, &exitError{verb: args[0], stderr: out.stderr}
	default:
		return out, fmt.Errorf("starting go %s: %w", args[0], err)
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
