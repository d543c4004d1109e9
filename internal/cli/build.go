package cli

import (
	"context"
	"fmt"
	"os"
	"path"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"streamgen/internal/fileplan"
	"streamgen/internal/pack"
	"streamgen/internal/report"
)

// platform is what a package is compiled for.
type platform struct{ goos, goarch string }

// lambdaPlatform is what Lambda runs; hostPlatform what the local stack can start.
func lambdaPlatform() platform { return platform{"linux", "arm64"} }
func hostPlatform() platform   { return platform{runtime.GOOS, runtime.GOARCH} }

// folder is the platform's folder under .gen/packages.
func (p platform) folder() string {
	if p.goos == "linux" {
		return p.goarch
	}
	return p.goos + "-" + p.goarch
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
		Example: `  gen build                # arm64, for AWS
  gen build --env local    # for the local stack, which runs on this machine`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			p, err := loadProject(start, findingsText)
			if err != nil {
				return err
			}
			target := lambdaPlatform()
			if env == localEnvironment {
				target = hostPlatform()
			} else if env != "" {
				return unknownEnvironment(env)
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

// build compiles every handler for the platform.
func (p *project) build(ctx context.Context, std streams, target platform) (pack.Result, error) {
	release, err := lockProject(ctx, std, p.dir, filesLock)
	if err != nil {
		return pack.Result{}, err
	}
	defer release()
	var handlers []pack.Handler
	for _, h := range p.spec.Handlers {
		handlers = append(handlers, pack.Handler{Name: h.Name, Dir: path.Join(fileplan.FunctionsFolder, h.Name)})
	}
	if len(handlers) == 0 {
		return pack.Result{}, nil
	}
	return pack.Build(ctx, pack.Options{
		ProjectDir: p.dir,
		Handlers:   handlers,
		GOOS:       target.goos,
		GOARCH:     target.goarch,
		OutDir:     p.work("packages", target.folder()),
		CacheDir:   p.work("cache", "packages", target.folder()),
		Env:        os.Environ(),
		Progress: func(e pack.Event) {
			if e.State == pack.Built {
				std.printf("built %s in %s\n", e.Handler, e.Elapsed.Round(10*time.Millisecond))
			}
		},
	})
}
