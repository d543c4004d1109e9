package cli

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"streamgen/internal/fileplan"
	"streamgen/internal/spec"
	"streamgen/internal/tf"
)

const (
	// localEnvironment is the local stack; cloudEnvironment is AWS, as the ambient settings reach it, of a spec without environments.
	localEnvironment = spec.LocalEnvironment
	cloudEnvironment = "default"
)

// environment chooses where terraform works.
type environment struct {
	name      string
	endpoint  string
	noFast    bool
	terraform string
	// events is the file that gets what terraform does; empty for none.
	events string
	// lockTimeout is how long to wait for a state that another terraform has locked.
	lockTimeout time.Duration
	// reconfigure takes the state of a backend that was changed as it is.
	reconfigure bool
	// stacks are the only ones to work on; none means all.
	stacks []string

	// settings, program and values, the file of variables, are those of the spec.
	settings spec.Settings
	program  spec.Terraform
	values   string
}

// flags binds the options that every command that runs terraform has.
func (e *environment) flags(cmd *cobra.Command) {
	envFlag(cmd, &e.name)
	f := cmd.Flags()
	f.StringVar(&e.endpoint, "endpoint", defaultEndpoint, "`URL` of the local stack, for --env local")
	f.BoolVar(&e.noFast, "no-fast", false, "let the AWS provider wait as it does on AWS, for --env local")
	f.StringVar(&e.terraform, "terraform", "", "`PATH` of the terraform or OpenTofu to run (default: the one on the PATH, else a download)")
	f.DurationVar(&e.lockTimeout, "lock-timeout", time.Minute, "wait this `DURATION` for a state that another terraform has locked, such as 5m; 0s not to wait")
	f.StringArrayVar(&e.stacks, "stack", nil, "work on the `STACK` of gen.yaml, main for what names none (repeatable where a command takes several)")
	_ = cmd.MarkFlagFilename("terraform")
	_ = cmd.RegisterFlagCompletionFunc("stack", completeStacks)
}

// reconfigureFlag binds the option of commands that prepare the work folder.
func (e *environment) reconfigureFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&e.reconfigure, "reconfigure", false,
		"when the backend of gen.yaml was changed: go on with the state that is in the new one, and leave the old state where it is")
}

// eventsFlag binds the option of commands that show progress.
func (e *environment) eventsFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.events, "events", "", "write what terraform does to `FILE` while it does it, a JSON object per line")
	_ = cmd.MarkFlagFilename("events")
}

func envFlag(cmd *cobra.Command, env *string) {
	cmd.Flags().StringVar(env, "env", "", "`ENVIRONMENT` of gen.yaml, or local for the local stack (default: AWS, where the spec has no environments)")
	_ = cmd.RegisterFlagCompletionFunc("env", completeEnvironments)
}

// completeEnvironments offers the environments of the spec that is found, and the local one.
func completeEnvironments(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	dir, _ := cmd.Flags().GetString("chdir")
	var s *spec.Spec
	if start, err := startDir(dir); err == nil {
		if p, err := loadSpec(start, findingsText); err == nil {
			s = p.spec
		}
	}
	return append([]string{localEnvironment}, environmentNames(s)...), cobra.ShellCompDirectiveNoFileComp
}

// environmentNames are the environments on AWS.
func environmentNames(s *spec.Spec) []string {
	var names []string
	if s != nil {
		for _, e := range s.Environments {
			if e.Name != localEnvironment {
				names = append(names, e.Name)
			}
		}
	}
	return names
}

// resolve finds what the spec says of the environment.
func (e *environment) resolve(s *spec.Spec) error {
	e.settings, e.program = s.Settings, s.Terraform
	for _, env := range s.Environments {
		if env.Name == e.name {
			e.settings, e.values = env.Settings, fileplan.EnvironmentFile(env.Name)
			return nil
		}
	}
	names := environmentNames(s)
	switch {
	case e.name == localEnvironment:
	case e.name == cloudEnvironment && len(names) > 0:
		return usagef("gen.yaml has environments: choose one with --env: %s, or local for the local stack", strings.Join(names, ", "))
	case e.name == cloudEnvironment:
	case len(names) > 0:
		return usagef("there is no environment %q; gen.yaml has %s, and local is the local stack", e.name, strings.Join(names, ", "))
	default:
		return usagef("there is no environment %q in gen.yaml; leave --env out for AWS, or use --env local", e.name)
	}
	return nil
}

// complete fills in what the flags left out. start is the folder that gen runs in.
func (e *environment) complete(start string) {
	for _, path := range []*string{&e.terraform, &e.events} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(start, *path)
		}
	}
	if e.name == "" {
		e.name = cloudEnvironment
	}
}

func (e environment) local() bool { return e.name == localEnvironment }

// target is what the environment's packages are compiled for.
func (e environment) target() target {
	if e.local() {
		return hostTarget()
	}
	return lambdaTarget()
}

// findTerraform finds the terraform to run, or downloads it.
func (e environment) findTerraform(ctx context.Context, std streams) (tf.Binary, error) {
	installDir, err := tf.InstallDir()
	if err != nil {
		return tf.Binary{}, err
	}
	binary, err := tf.Find(ctx, tf.FindOptions{
		Product:    tf.Product(e.program.Binary),
		Version:    e.program.Version,
		Path:       e.terraform,
		InstallDir: installDir,
		Progress:   func(text string) { std.printf("gen: %s\n", text) },
	})
	if err == nil && binary.Note != "" {
		std.printf("gen: %s\n", binary.Note)
	}
	return binary, err
}

// openStack prepares terraform to work on a stack of the project in the environment. Nothing runs yet.
func (e environment) openStack(ctx context.Context, p *project, binary tf.Binary, stack string, progress func(tf.Event)) (*tf.Terraform, error) {
	o := tf.Options{
		Binary:   binary,
		Source:   filepath.Join(p.dir, filepath.FromSlash(fileplan.StackFolder(stack))),
		WorkDir:  p.stackWork(e.name, stack),
		VarFile:  e.values,
		Progress: progress,
		// To tf.Options none at all means the usual time.
		LockTimeout: max(e.lockTimeout, 1),
		Reconfigure: e.reconfigure,
	}
	if e.lockTimeout < 0 {
		return nil, usagef("--lock-timeout %s: want a time such as 5m, or 0s not to wait", e.lockTimeout)
	}
	var err error
	if e.local() {
		err = e.localOptions(p, stack, &o)
	} else {
		err = e.cloudOptions(p, stack, &o)
	}
	if err != nil {
		return nil, err
	}
	t, err := tf.Open(o)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(hardStop(ctx), t.Kill)
	return t, nil
}

func (e environment) localOptions(p *project, stack string, o *tf.Options) error {
	mirror, err := tf.MirrorDir()
	if err != nil {
		return err
	}
	cliConfig := p.work("terraform.rc")
	if err := tf.WriteCLIConfig(cliConfig, mirror); err != nil {
		return err
	}
	o.Env = tf.LocalEnvironment(os.Environ(), e.endpoint, e.settings.Region, !e.noFast, cliConfig)
	o.StateFile = localState
	o.Vars = map[string]string{
		"packages":                    fileplan.PackagesFolder(stack, e.target().folder()),
		"deletion_protection_enabled": "false",
	}
	if fileplan.HasAccounts(p.spec) {
		o.Vars["allowed_account_ids"] = "[]" // the stack's account is nobody's
	}
	return nil
}

// localState is where the state of the local environment lies in its work folder.
const localState = "state/terraform.tfstate"

// warn names the variables that terraform does not get.
func (e environment) warn(std streams) {
	if e.local() {
		return
	}
	_, dropped := tf.CloudEnvironment(os.Environ())
	for _, name := range dropped {
		std.printf("gen: %s is not passed on to terraform: it would change how gen runs it\n", name)
	}
}

func (e environment) cloudOptions(p *project, stack string, o *tf.Options) error {
	env, _ := tf.CloudEnvironment(os.Environ())
	if err := refuseLoopback(env); err != nil {
		return err
	}
	if p.stacked() {
		if err := tf.SharePlugins(env); err != nil {
			return err
		}
	}
	o.Env = env
	o.StateFile = fmt.Sprintf("../../%s/%s.tfstate", stateFolder, e.name)
	if stack != spec.MainStack {
		o.StateFile = fmt.Sprintf("../../../%s/%s.%s.tfstate", stateFolder, e.name, stack)
	}
	backend := stackBackend(e.settings.Backend, stack)
	o.Backend = tf.Backend{Type: backend.Type, Arguments: backendArguments(backend.Settings)}
	return nil
}

func backendArguments(settings []spec.BackendSetting) []tf.BackendArgument {
	arguments := make([]tf.BackendArgument, len(settings))
	for i, s := range settings {
		arguments[i] = tf.BackendArgument{Name: s.Key, Value: s.Value}
		if block, isBlock := s.Value.([]spec.BackendSetting); isBlock {
			arguments[i].Value = backendArguments(block)
		}
	}
	return arguments
}

// refuseLoopback refuses settings that lead to a local stack: the state of AWS would be replaced by what the stack holds.
func refuseLoopback(env map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if !strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
			continue
		}
		if u, err := url.Parse(env[name]); err == nil && isLoopback(u.Hostname()) {
			return usagef("%s=%s leads to this machine, not to AWS: use --env local, or unset it", name, env[name])
		}
	}
	return nil
}

// initTerraform prepares terraform for the local environment, which needs no stack.
func initTerraform(ctx context.Context, std streams, p *project) error {
	e := environment{name: localEnvironment, endpoint: defaultEndpoint}
	if err := e.resolve(p.spec); err != nil {
		return err
	}
	release, err := lockProject(ctx, std, p.dir, e.name+".lock")
	if err != nil {
		return err
	}
	defer release()
	binary, err := e.findTerraform(ctx, std)
	if err != nil {
		return err
	}
	std.printf("gen: %s init\n", string(binary.Product))
	for _, stack := range p.stacks {
		t, err := e.openStack(ctx, p, binary, stack.Name, nil)
		if err != nil {
			return err
		}
		if err := t.Init(ctx); err != nil {
			return err
		}
	}
	return nil
}
