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

	"github.com/spf13/cobra"

	"streamgen/internal/fileplan"
	"streamgen/internal/tf"
)

const (
	// localEnvironment is the local stack; cloudEnvironment is AWS, as the ambient settings reach it.
	localEnvironment = "local"
	cloudEnvironment = "default"
)

// environment chooses where terraform works.
type environment struct {
	name      string
	endpoint  string
	noFast    bool
	terraform string
}

// flags binds the options that every command that runs terraform has.
func (e *environment) flags(cmd *cobra.Command) {
	envFlag(cmd, &e.name)
	f := cmd.Flags()
	f.StringVar(&e.endpoint, "endpoint", defaultEndpoint, "`URL` of the local stack, for --env local")
	f.BoolVar(&e.noFast, "no-fast", false, "let the AWS provider wait as it does on AWS, for --env local")
	f.StringVar(&e.terraform, "terraform", "", "`PATH` of the terraform to run (default: the one on the PATH, else a download)")
	_ = cmd.MarkFlagFilename("terraform")
}

func envFlag(cmd *cobra.Command, env *string) {
	cmd.Flags().StringVar(env, "env", "", "`ENVIRONMENT`: local is the local stack (default: AWS, by the ambient settings)")
	_ = cmd.RegisterFlagCompletionFunc("env", cobra.FixedCompletions([]string{localEnvironment}, cobra.ShellCompDirectiveNoFileComp))
}

func unknownEnvironment(name string) error {
	return usagef("there is no environment %q; leave --env out for AWS, or use --env local", name)
}

// check refuses what cannot work before anything is done. start is the folder that gen runs in.
func (e *environment) check(start string) error {
	if e.terraform != "" && !filepath.IsAbs(e.terraform) {
		e.terraform = filepath.Join(start, e.terraform)
	}
	switch e.name {
	case "":
		e.name = cloudEnvironment
	case localEnvironment:
	default:
		return unknownEnvironment(e.name)
	}
	return nil
}

func (e environment) local() bool { return e.name == localEnvironment }

// platform is what the environment's packages are compiled for.
func (e environment) platform() platform {
	if e.local() {
		return hostPlatform()
	}
	return lambdaPlatform()
}

// open finds terraform and prepares it to work on the project in the environment. Nothing runs yet but 'terraform version'.
func (e environment) open(ctx context.Context, std streams, p *project, progress func(tf.Event)) (*tf.Terraform, error) {
	installDir, err := tf.InstallDir()
	if err != nil {
		return nil, err
	}
	binary, err := tf.Find(ctx, tf.FindOptions{
		Path:       e.terraform,
		InstallDir: installDir,
		Progress:   func(text string) { std.printf("gen: %s\n", text) },
	})
	if err != nil {
		return nil, err
	}
	if binary.Note != "" {
		std.printf("gen: %s\n", binary.Note)
	}
	o := tf.Options{
		Binary:   binary,
		Source:   filepath.Join(p.dir, filepath.FromSlash(fileplan.TerraformFolder)),
		WorkDir:  p.work(e.name),
		Progress: progress,
	}
	if e.local() {
		err = e.localOptions(p, &o)
	} else {
		err = cloudOptions(std, &o)
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

func (e environment) localOptions(p *project, o *tf.Options) error {
	mirror, err := tf.MirrorDir()
	if err != nil {
		return err
	}
	cliConfig := p.work("terraform.rc")
	if err := tf.WriteCLIConfig(cliConfig, mirror); err != nil {
		return err
	}
	o.Env = tf.LocalEnvironment(os.Environ(), e.endpoint, p.spec.Region, !e.noFast, cliConfig)
	o.StateFile = localState
	o.Vars = map[string]string{
		"packages":                    "../../" + workFolder + "/packages/" + e.platform().folder(),
		"deletion_protection_enabled": "false",
	}
	return nil
}

// localState is where the state of the local environment lies in its work folder.
const localState = "state/terraform.tfstate"

func cloudOptions(std streams, o *tf.Options) error {
	env, dropped := tf.CloudEnvironment(os.Environ())
	for _, name := range dropped {
		std.printf("gen: %s is not passed on to terraform: it would change how gen runs it\n", name)
	}
	if err := refuseLoopback(env); err != nil {
		return err
	}
	o.Env = env
	o.StateFile = fmt.Sprintf("../../%s/%s.tfstate", stateFolder, cloudEnvironment)
	return nil
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
	release, err := lockProject(ctx, std, p.dir, e.name+".lock")
	if err != nil {
		return err
	}
	defer release()
	t, err := e.open(ctx, std, p, progressLines(std))
	if err != nil {
		return err
	}
	std.printf("gen: terraform init\n")
	return t.Init(ctx)
}
