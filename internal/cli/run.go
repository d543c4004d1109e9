// Package cli is the command line of gen: one file per command, each of them options → validate → one library call → report.
// It is the only place that knows cobra, flags and the process environment.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"streamgen/internal/diag"
)

// Exit codes of gen, documented in docs/cli.md.
const (
	ExitOK      = 0
	ExitFailed  = 1
	ExitInput   = 2 // bad arguments or a bad spec: nothing was done
	ExitChanges = 3 // --check, --diff or plan found changes pending
	ExitRefused = 4 // the plan destroys what holds data, or loses records, and nobody named it
)

// Run executes gen with the arguments after the program's name and returns the exit code. stdout gets the result, stderr
// the story. Cancelling ctx interrupts what runs: terraform is asked to stop and finishes what it has begun.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	std := newStreams(ctx, stdin, stdout, stderr)
	root := newRoot(std)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	return std.exit(ctx, err)
}

// streams are the three streams of one run.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// printf tells the story: it writes to stderr.
func (s streams) printf(format string, args ...any) { fmt.Fprintf(s.err, format, args...) }

// isTerminal reports whether v is a terminal.
func isTerminal(v any) bool {
	if o, ok := v.(*outlet); ok {
		v = o.stream
	}
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (s streams) color() bool { return colored(s.err) }

func (s streams) colorOut() bool { return colored(s.out) }

func colored(v any) bool { return isTerminal(v) && os.Getenv("NO_COLOR") == "" }

// pending says that a command that writes nothing found something to write.
var errPending = errors.New("changes are pending")

// usageError is a mistake in the arguments.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// findingsError carries what is wrong with the user's input. code is the exit code that it stands for.
type findingsError struct {
	findings diag.Findings
	sources  diag.Sources
	code     int
	as       findingsFormat
	// summary follows the findings when they do not speak for themselves.
	summary string
}

func (e findingsError) Error() string { return fmt.Sprintf("%d findings", len(e.findings)) }

// exit prints an error in its own way and gives the exit code.
func (s streams) exit(ctx context.Context, err error) int {
	var findings findingsError
	var usage usageError
	var passed terraformExit
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &passed):
		return passed.code
	case errors.Is(err, errPending):
		return ExitChanges
	case errors.Is(err, errWouldRefuse):
		return ExitRefused
	case errors.Is(err, errRefused):
		s.printf("gen: %v\n", err)
		return ExitRefused
	case errors.As(err, &findings):
		if werr := findings.as.write(s, findings.findings, findings.sources); werr != nil {
			s.printf("gen: %v\n", werr)
		}
		if findings.summary != "" {
			s.printf("gen: %s\n", findings.summary)
		}
		return findings.code
	case errors.As(err, &usage):
		s.printf("gen: %v\n", err)
		return ExitInput
	case ctx.Err() != nil:
		s.printf("gen: interrupted: %v\n", err)
		return ExitFailed
	default:
		s.printf("gen: %v\n", err)
		return ExitFailed
	}
}

func newRoot(std streams) *cobra.Command {
	var dir string
	root := &cobra.Command{
		Use:   "gen",
		Short: "DynamoDB Streams to Lambda: one spec, real Terraform, typed Go, a local stack",
		Long: `gen reads gen.yaml, a small spec of DynamoDB tables and the Go handlers of their streams. It renders Terraform and Go,
compiles the handlers into reproducible Lambda packages, and drives the real terraform to apply them: to AWS, or to the
local stack inside this program, which needs no Docker and no account.

Exit codes: 0 ok, 1 failed, 2 bad input, 3 changes pending, 4 refused.`,
		Example: `  gen init orders && cd orders     # a new project
  gen local                        # the local stack, in a second terminal
  gen apply --env local            # generate, compile, plan and apply
  gen tail                         # what happens to records there
  gen generate --diff              # what a change of gen.yaml would write`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().StringVarP(&dir, "chdir", "C", "", "run as if started in `DIR`")
	_ = root.MarkPersistentFlagDirname("chdir") // the flag is there
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w\nSee '%s --help'", err, cmd.CommandPath())
	})
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		hint := ""
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = fmt.Sprintf("; did you mean %q?", near[0])
		}
		return usagef("unknown command %q%s\nSee 'gen --help'", args[0], hint)
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.SuggestionsMinimumDistance = 2
	at := func() (string, error) { return startDir(dir) }
	root.AddCommand(
		newInit(std, at),
		newValidate(std, at),
		newGenerate(std, at),
		newBuild(std, at),
		newPlan(std, at),
		newApply(std, at),
		newDestroy(std, at),
		newDrift(std, at),
		newOutput(std, at),
		newTerraform(std, at),
		newUnlock(std, at),
		newImport(std, at),
		newDoctor(std, at),
		newLocal(std),
		newInvoke(std, at),
		newRecord(std, at),
		newTail(std, at),
		newRedrive(std, at),
		newReplay(std, at),
		newGraph(std, at),
		newTemplates(std, at),
		newSchema(std),
		newVersion(std),
	)
	for _, c := range root.Commands() {
		c.Args = usageArgs(c.Args)
	}
	return root
}

// usageArgs makes a complaint about arguments an input error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		check = cobra.NoArgs
	}
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("%w\nSee '%s --help'", err, cmd.CommandPath())
		}
		return nil
	}
}
