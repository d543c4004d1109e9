package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"streamgen/internal/tf"
)

func newTerraform(std streams, at func() (string, error)) *cobra.Command {
	var env environment
	cmd := &cobra.Command{
		Use:   "terraform [flags] [--] COMMAND [ARG...]",
		Short: "Run any terraform command as gen runs it",
		Long: `Run a terraform command in the environment's work folder, with the credentials, CLI configuration, variables, backend and state that gen uses.
Its input, output and exit code are terraform's. gen's flags stand before the command; a path among the arguments is relative to the work folder,
.gen/ENVIRONMENT.

For plan, apply, destroy, refresh, import and console, what is stale is generated and compiled first, and the variables are set; -var and -var-file
of yours come after gen's and count. For all others nothing is generated or compiled. 'terraform init' runs first where it has to.

Nothing stands between you and what you ask terraform for: 'gen terraform -- apply' is neither judged nor refused, and when it is killed, gen cannot
find what it had created. Another gen in the environment waits meanwhile.`,
		Example: `  gen terraform --env prod -- state list
  gen terraform -- state show module.streams.aws_dynamodb_table.orders
  gen terraform --env local console
  gen terraform -- providers lock -platform linux_arm64`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runTerraform(cmd.Context(), std, start, env, args)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return []string{
				"apply", "console", "destroy", "fmt", "force-unlock", "get", "graph", "import", "init", "metadata", "modules", "output", "plan",
				"providers", "refresh", "show", "state", "taint", "test", "untaint", "validate", "version",
			}, cobra.ShellCompDirectiveNoFileComp
		},
	}
	env.flags(cmd)
	env.reconfigureFlag(cmd)
	cmd.Flags().SetInterspersed(false) // what follows the command is terraform's
	return cmd
}

// terraformExit is the exit code of a terraform that has said itself why it is not 0.
type terraformExit struct {
	product tf.Product
	code    int
}

func (e terraformExit) Error() string {
	return fmt.Sprintf("%s ended with exit code %d", string(e.product), e.code)
}

func runTerraform(ctx context.Context, std streams, start string, env environment, args []string) error {
	command, err := terraformCommand(args)
	if err != nil {
		return err
	}
	s, err := openFor(ctx, std, start, env, command)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.progress.close(); err != nil { // nothing draws where terraform writes
		return err
	}
	terminal := isTerminal(std.in)
	if terminal {
		// A Ctrl-C reaches terraform from the terminal. What is sent to gen alone does not.
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
		defer stop()
	}
	code, err := s.terraform.Attach(ctx, tf.Streams{In: std.in, Out: direct(std.out), Err: direct(std.err), Terminal: terminal}, args...)
	if err == nil && code != 0 {
		err = terraformExit{s.terraform.Binary.Product, code}
	}
	return err
}

// direct is the stream itself, which may be a terminal or a file.
func direct(w io.Writer) io.Writer {
	if o, isOutlet := w.(*outlet); isOutlet {
		return o.stream
	}
	return w
}

// terraformCommand is the command among terraform's arguments; empty where there are options alone, such as -version.
func terraformCommand(args []string) (string, error) {
	for _, arg := range args {
		if strings.HasPrefix(arg, "-chdir") {
			return "", usagef("%s: gen runs terraform in the environment's work folder; choose that with --env", arg)
		}
		if strings.HasPrefix(arg, "-") {
			continue
		}
		if arg == "workspace" && slices.ContainsFunc(args, func(a string) bool { return a == "new" || a == "select" || a == "delete" }) {
			return "", usagef("terraform workspace: each environment of gen.yaml has a state of its own, and in another workspace gen would not find it; choose with --env")
		}
		return arg, nil
	}
	return "", nil
}

// openFor opens a session that is ready for a terraform command: as for gen's own commands where it looks at the configuration's values, and else
// with nothing but what is there, so that a state can be looked into and mended whatever is wrong with the spec or a handler.
func openFor(ctx context.Context, std streams, start string, env environment, command string) (s *session, err error) {
	if tf.TakesVars(command) {
		return openSession(ctx, std, start, env)
	}
	w, err := openAsIs(ctx, std, start, env)
	if err != nil {
		return nil, err
	}
	if w.release, err = lockProject(ctx, std, w.project.dir, w.env.name+".lock"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	chosen, err := w.chosen()
	if err != nil {
		return nil, err
	}
	if len(chosen) != 1 {
		return nil, usagef("the project has stacks: choose one with --stack: %s", strings.Join(stackNames(chosen), ", "))
	}
	if s, err = w.session(ctx, chosen[0], std); err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.terraform.Source); errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("nothing is generated yet: 'gen generate' does it")
	}
	if command == "init" {
		return s, s.terraform.Stage() // it does the rest itself
	}
	return s, s.explain(s.terraform.Init(ctx))
}
