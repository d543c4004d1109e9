package cli

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"streamgen/internal/report"
	"streamgen/internal/spec"
)

type doctorOptions struct {
	env  environment
	json bool
}

func newDoctor(std streams, at func() (string, error)) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at all that gen needs, and say what to do where something is missing",
		Long: `Look at the tools, the project and the environment, all at once, and say of each what was found and what to do where it is not well:
Go, git, terraform or OpenTofu, and the AWS provider; gen.yaml, the generated files and .gitignore; and of an environment on AWS credentials, account, region,
clock and the account's quotas against the spec, or the local stack. Nothing is changed and nothing is downloaded.

The exit code is 1 when something is a problem. A warning stops nothing. What cannot be looked at says why, and names the permission that it takes.`,
		Example: `  gen doctor
  gen doctor --env prod
  gen doctor --env local --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runDoctor(cmd.Context(), std, start, o)
		},
	}
	envFlag(cmd, &o.env.name)
	f := cmd.Flags()
	f.StringVar(&o.env.endpoint, "endpoint", defaultEndpoint, "`URL` of the local stack, for --env local")
	f.StringVar(&o.env.terraform, "terraform", "", "`PATH` of the terraform to look at (default: the one on the PATH, else a download)")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = cmd.MarkFlagFilename("terraform")
	return cmd
}

// verdict is what was found of one thing.
type verdict struct {
	Status health `json:"status"`
	// Check is what was looked at, Found what is there, and Do the way out where it is not ok.
	Check string `json:"check"`
	Found string `json:"found"`
	Do    string `json:"do,omitempty"`
}

// health says how well something is: a problem stops gen, a warning does not.
type health string

const (
	healthy health = "ok"
	warning health = "warning"
	problem health = "problem"
)

// examination is what gen doctor --json prints.
type examination struct {
	Environment string    `json:"environment"`
	Checks      []verdict `json:"checks"`
	Problems    int       `json:"problems"`
	Warnings    int       `json:"warnings"`
}

// checkLimit is how long one check may take.
const checkLimit = 20 * time.Second

// doctor looks at things. Each check is by itself, so that none waits for another.
type doctor struct {
	env environment
	// environ is the process environment, as os.Environ gives it.
	environ []string
	limit   time.Duration
	now     func() time.Time
	// reach reports whether an address answers at all.
	reach func(ctx context.Context, url string) error
	// project and spec are nil when there is none or it is not valid; missing says so.
	start   string
	project *project
	missing error
	// signed gives what it takes to ask AWS, and gets the credentials when it is called first.
	signed func() (access, error)
}

func runDoctor(ctx context.Context, std streams, start string, o doctorOptions) error {
	o.env.complete(start)
	d := &doctor{env: o.env, environ: os.Environ(), limit: checkLimit, now: time.Now, reach: reach, start: start}
	if d.project, d.missing = loadProject(start, findingsText, loadOptions{}); d.missing == nil {
		if err := d.env.resolve(d.project.spec); err != nil {
			return err
		}
	}
	d.signed = d.ask(ctx)
	out := d.examine(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := out.print(std, o.json); err != nil {
		return err
	}
	if out.Problems > 0 {
		return fmt.Errorf("%s to solve", count(out.Problems, "problem"))
	}
	return nil
}

// examine makes all checks at once and gives their verdicts in the order of the checks.
func (d *doctor) examine(ctx context.Context) examination {
	checks := d.checks()
	verdicts := make([][]verdict, len(checks))
	var all sync.WaitGroup
	for i, c := range checks {
		all.Go(func() { verdicts[i] = d.within(ctx, c) })
	}
	all.Wait()
	out := examination{Environment: d.env.name}
	for _, list := range verdicts {
		for _, v := range list {
			out.Checks = append(out.Checks, v)
			switch v.Status {
			case problem:
				out.Problems++
			case warning:
				out.Warnings++
			case healthy:
			}
		}
	}
	return out
}

// check looks at one thing, which may have several sides.
type check struct {
	name string
	run  func(ctx context.Context) []verdict
}

// checks are those that make sense in the environment.
func (d *doctor) checks() []check {
	list := []check{
		{"gen", one(d.gen)}, {"go", one(d.golang)}, {"git", one(d.git)}, {d.product().String(), one(d.terraform)}, {"AWS provider", one(d.provider)},
		{"gen.yaml", one(d.gotSpec)},
	}
	if d.project == nil {
		return append(list, check{"environment", one(func(context.Context) verdict {
			return unmade("environment", "without a valid gen.yaml nobody knows its region", "")
		})})
	}
	list = append(list, check{"generated files", one(d.generated)}, check{".gitignore", one(d.ignored)})
	if d.env.local() {
		return append(list, check{"local stack", d.stack})
	}
	return append(list,
		check{"endpoints", one(d.endpoints)}, check{"region", one(d.region)}, check{"credentials", one(d.credentials)}, check{"account", d.account},
		check{"backend", one(d.backend)}, check{"Lambda concurrency", d.concurrency}, check{"DynamoDB capacity", d.capacity}, check{"DynamoDB tables", one(d.tables)},
	)
}

func one(run func(context.Context) verdict) func(context.Context) []verdict {
	return func(ctx context.Context) []verdict { return []verdict{run(ctx)} }
}

// within makes a check that must be done in time. One that does not end when its time is over is left alone.
func (d *doctor) within(ctx context.Context, c check) []verdict {
	limited, cancel := context.WithTimeout(ctx, d.limit)
	defer cancel()
	done := make(chan []verdict, 1)
	go func() { done <- c.run(limited) }()
	grace := time.NewTimer(d.limit + d.limit/4) // what ends because its time is over says more than this
	defer grace.Stop()
	select {
	case v := <-done:
		return v
	case <-ctx.Done():
	case <-grace.C:
	}
	return []verdict{unmade(c.name, fmt.Sprintf("it did not end within %s", d.limit), "")}
}

func ok(what, format string, args ...any) verdict {
	return verdict{Status: healthy, Check: what, Found: fmt.Sprintf(format, args...)}
}

// unmade is the verdict of a check that could not be made.
func unmade(what, why, do string) verdict {
	return verdict{Status: warning, Check: what, Found: "not looked at: " + why, Do: do}
}

// getenv reads the process environment.
func (d *doctor) getenv(name string) string {
	value := ""
	for _, kv := range d.environ {
		if key, v, _ := strings.Cut(kv, "="); key == name {
			value = v
		}
	}
	return value
}

// entries are the tables and handlers as they are in the environment.
func (d *doctor) entries() ([]spec.Table, []spec.Handler) {
	for _, e := range d.project.spec.Environments {
		if e.Name == d.env.name {
			return e.Tables, e.Handlers
		}
	}
	return d.project.spec.Tables, d.project.spec.Handlers
}

// reach asks for an address; any answer will do.
func reach(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

func (e examination) print(std streams, asJSON bool) error {
	if asJSON {
		return report.JSON(std.out, e)
	}
	var b bytes.Buffer
	for _, v := range e.Checks {
		status := fmt.Sprintf("%-8s", v.Status)
		if std.colorOut() {
			status = map[health]string{problem: "\x1b[31m", warning: "\x1b[33m", healthy: "\x1b[32m"}[v.Status] + status + "\x1b[0m"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", status, v.Check, v.Found)
		if v.Do != "" {
			fmt.Fprintf(&b, "%8s   %s\n", "", v.Do)
		}
	}
	_, err := std.out.Write(b.Bytes())
	return err
}
