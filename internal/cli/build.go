package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"streamgen/internal/fileplan"
	"streamgen/internal/pack"
	"streamgen/internal/report"
	"streamgen/internal/spec"
)

// target is what packages are compiled for: the machine's own platform, or Linux and each handler's own architecture.
type target struct{ goos, goarch string }

// lambdaTarget is what Lambda runs; hostTarget what the local stack can start.
func lambdaTarget() target { return target{goos: "linux"} }
func hostTarget() target   { return target{runtime.GOOS, runtime.GOARCH} }

// folder is the target's folder under .gen/packages.
func (t target) folder() string {
	switch {
	case t.goarch == "":
		return "lambda"
	case t.goos == "linux":
		return t.goarch
	default:
		return t.goos + "-" + t.goarch
	}
}

// architecture is Go's name for what a handler is compiled for.
func (t target) architecture(h spec.Handler) string {
	switch {
	case t.goarch != "":
		return t.goarch
	case h.Architecture == "x86_64":
		return "amd64"
	default:
		return "arm64"
	}
}

func newBuild(std streams, at func() (string, error)) *cobra.Command {
	var env string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Compile the handlers into Lambda packages",
		Long: `Compile each handler into a zip with a 'bootstrap' for provided.al2023, under .gen/packages. The same sources and Go
version give the same bytes on any machine. What did not change since the last build is not built again. Stale generated files are
rendered first.`,
		Example: `  gen build                # for AWS, each handler for its own architecture
  gen build --env local    # for the local stack, which runs on this machine`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			p, err := loadProject(start, findingsText, loadOptions{})
			if err != nil {
				return err
			}
			target := lambdaTarget()
			if env == localEnvironment {
				target = hostTarget()
			} else if e := (environment{name: env}); env != "" {
				if err := e.resolve(p.spec); err != nil {
					return err
				}
			}
			quiet := std
			quiet.out = std.err
			if err := p.generate(cmd.Context(), quiet, generateOptions{}); err != nil {
				return err
			}
			res, err := p.build(cmd.Context(), std, target)
			if err != nil {
				return err
			}
			if asJSON {
				return report.JSON(std.out, res.Packages)
			}
			for _, pkg := range res.Packages {
				if _, err := fmt.Fprintf(std.out, "%s  %s  %.1f MB\n", pkg.SHA256, path.Join(workFolder, "packages", target.folder(), pkg.Name+".zip"), float64(pkg.Size)/1e6); err != nil {
					return err
				}
			}
			return nil
		},
	}
	envFlag(cmd, &env)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// build compiles every handler for the target.
func (p *project) build(ctx context.Context, std streams, t target) (pack.Result, error) {
	release, err := lockProject(ctx, std, p.dir, filesLock)
	if err != nil {
		return pack.Result{}, err
	}
	defer release()
	byArchitecture := map[string][]pack.Handler{}
	for _, h := range p.spec.Handlers {
		arch := t.architecture(h)
		byArchitecture[arch] = append(byArchitecture[arch], pack.Handler{Name: h.Name, Dir: path.Join(fileplan.FunctionsFolder, h.Name)})
	}
	var all pack.Result
	for _, arch := range slices.Sorted(maps.Keys(byArchitecture)) {
		res, err := pack.Build(ctx, pack.Options{
			ProjectDir: p.dir,
			Handlers:   byArchitecture[arch],
			GOOS:       t.goos,
			GOARCH:     arch,
			OutDir:     p.work("packages", t.folder()),
			CacheDir:   p.work("cache", "packages", t.folder()),
			Env:        os.Environ(),
			Progress: func(e pack.Event) {
				if e.State == pack.Built {
					std.printf("built %s in %s\n", e.Handler, e.Elapsed.Round(10*time.Millisecond))
				}
			},
		})
		all.Go += res.Go
		if err != nil {
			return all, err
		}
		all.Packages = append(all.Packages, res.Packages...)
	}
	return all, nil
}
