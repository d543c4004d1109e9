// Package pack turns handlers into the zip files that Lambda takes: each handler's main package is
// compiled into a binary called bootstrap (what the provided.al2023 runtime starts) and
// zipped so that the same sources give the same bytes in any folder and on any day. What did not
// change since the last run is not built again.
package pack

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Handler is one Lambda function's main package.
type Handler struct {
	// Name is the function's name; the package becomes <OutDir>/<Name>.zip.
	Name string
	// Dir is the folder of the main package, slash-separated and relative to the project,
	// such as "generated/functions/process-orders".
	Dir string
}

// Options say what Build builds and where.
type Options struct {
	// ProjectDir is the folder of the project's go.mod.
	ProjectDir string
	Handlers   []Handler
	// GOOS is "linux" for Lambda, or what the local stack runs on. GOARCH is "arm64" or "amd64", the
	// two architectures of Lambda.
	GOOS, GOARCH string
	// OutDir receives <name>.zip per handler, CacheDir what is remembered between runs.
	OutDir   string
	CacheDir string
	// Parallel is how many handlers are linked and zipped at once; 0 means one per processor.
	Parallel int
	// Env is the environment from which that of the go command is derived; nil means the
	// environment of this process. Of its Go settings only those that cannot change the bytes of
	// a build (proxies, caches, toolchain choice) reach the compiler.
	Env []string
	// Progress, if set, hears what happens to each handler, from several goroutines but one at a time.
	Progress func(Event)
}

// State says what became of a handler.
type State string

// A handler is Current when its zip was up to date, else Building and then Built.
const (
	Current  State = "current"
	Building State = "building"
	Built    State = "built"
)

// Event is one step of one handler.
type Event struct {
	Handler string
	State   State
	// Elapsed is how long the handler took, in state Built.
	Elapsed time.Duration
}

// Package is one handler's finished zip.
type Package struct {
	Name string `json:"name"`
	Path string `json:"path"`
	// SHA256 is the zip's digest in lower-case hex.
	SHA256 string `json:"sha256"`
	// Size is the size of the zip in bytes.
	Size int64 `json:"size"`
	// Rebuilt reports whether the compiler ran for this handler.
	Rebuilt bool `json:"rebuilt"`
	// Compile is the time that this handler's own go build took.
	Compile time.Duration `json:"compile"`

	modified time.Time // of the zip's last change
}

// Now gives the SHA256 that the zip has now. It is read again only if its size or the time of its last change is another than it was when the
// zip was made or looked at: hundreds of them are not read several times in one run. A zip that is gone has "".
func (p Package) Now() (string, error) {
	info, err := os.Stat(p.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case info.Size() == p.Size && info.ModTime().Equal(p.modified):
		return p.SHA256, nil
	}
	sum, err := fileSum(p.Path)
	return hex.EncodeToString(sum), err
}

// Result is what one Build made.
type Result struct {
	// Packages stand in the order of Options.Handlers.
	Packages []Package
	// Go is the wall-clock time during which a go command ran. Builds that run at once count once.
	Go time.Duration
}

// Build compiles and zips the handlers whose sources changed and reports on all of them. When
// handlers do not compile, the error is a *CompileError that holds what the compiler said of all of
// them. Cancelling ctx ends the go command and its children and leaves earlier zips as they were.
func Build(ctx context.Context, o Options) (Result, error) {
	b, err := newBuilder(ctx, o)
	if err != nil {
		return Result{}, err
	}
	keys, err := b.inputs(ctx)
	if err != nil {
		return Result{}, err
	}
	result := Result{Packages: make([]Package, len(o.Handlers))}
	var stale []int
	for i, h := range o.Handlers {
		p, ok := b.current(h, keys[i])
		if !ok {
			stale = append(stale, i)
			continue
		}
		result.Packages[i] = p
		b.report(Event{Handler: h.Name, State: Current})
	}
	if len(stale) > 0 {
		err = b.buildAll(ctx, stale, keys, result.Packages)
	}
	result.Go = b.watch.total()
	if err != nil {
		return Result{Go: result.Go}, err
	}
	return result, nil
}

type builder struct {
	Options
	gocmd    goCommand
	watch    *stopwatch
	progress sync.Mutex
}

func newBuilder(ctx context.Context, o Options) (*builder, error) {
	if o.GOARCH != "arm64" && o.GOARCH != "amd64" {
		return nil, fmt.Errorf("cannot build for %q: Lambda runs arm64 and amd64", o.GOARCH)
	}
	if !slices.Contains([]string{"linux", "darwin", "windows"}, o.GOOS) {
		return nil, fmt.Errorf("cannot build for %q: Lambda runs linux, the local stack also darwin and windows", o.GOOS)
	}
	seen := map[string]bool{}
	for _, h := range o.Handlers {
		if h.Name == "" || h.Name != filepath.Base(h.Name) || !filepath.IsLocal(h.Name) {
			return nil, fmt.Errorf("handler name %q is not a file name", h.Name)
		}
		if !filepath.IsLocal(filepath.FromSlash(h.Dir)) {
			return nil, fmt.Errorf("handler %s: folder %q is not inside the project", h.Name, h.Dir)
		}
		if seen[h.Name] {
			return nil, fmt.Errorf("handler %s is there twice", h.Name)
		}
		seen[h.Name] = true
	}
	for _, dir := range []*string{&o.ProjectDir, &o.OutDir, &o.CacheDir} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return nil, fmt.Errorf("resolving %s: %w", *dir, err)
		}
		*dir = abs
	}
	for _, dir := range []string{o.OutDir, o.CacheDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("making the folder for packages: %w", err)
		}
	}
	o.Parallel = cmp.Or(max(o.Parallel, 0), runtime.GOMAXPROCS(0))
	watch := &stopwatch{}
	g, err := newGoCommand(ctx, o, watch)
	if err != nil {
		return nil, err
	}
	b := &builder{Options: o, gocmd: g, watch: watch}
	b.sweep()
	return b, nil
}

// buildAll builds the handlers numbered in stale and fills in their packages.
func (b *builder) buildAll(ctx context.Context, stale []int, keys []input, packages []Package) error {
	if len(stale) > 1 && b.Parallel > 1 {
		b.warm(ctx, stale, keys)
	}
	failures := make([]error, len(stale))
	var group errgroup.Group
	group.SetLimit(b.Parallel)
	for n, i := range stale {
		group.Go(func() error {
			packages[i], failures[n] = b.build(ctx, b.Handlers[i], keys[i])
			return nil
		})
	}
	_ = group.Wait() // each failure is kept, so that the caller sees all of them
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("building handlers: %w", err)
	}
	return join(failures)
}

// warm compiles what the handlers import in one go command. Several go commands at once would each
// compile the packages that they share.
func (b *builder) warm(ctx context.Context, stale []int, keys []input) {
	var shared []string
	for _, i := range stale {
		shared = append(shared, keys[i].imports...)
	}
	slices.Sort(shared)
	if shared = slices.Compact(shared); len(shared) == 0 {
		return
	}
	// What does not compile here is reported by the handlers' own builds, each with its name.
	_, _ = b.gocmd.run(ctx, append(b.gocmd.buildArgs(), shared...)...)
}

func (b *builder) build(ctx context.Context, h Handler, in input) (Package, error) {
	start := time.Now()
	b.report(Event{Handler: h.Name, State: Building})
	work, err := os.MkdirTemp(b.CacheDir, "build-*")
	if err != nil {
		return Package{}, fmt.Errorf("handler %s: making a folder to build in: %w", h.Name, err)
	}
	defer os.RemoveAll(work)

	binary := filepath.Join(work, "bootstrap")
	compiling := time.Now()
	if out, err := b.gocmd.run(ctx, append(b.gocmd.buildArgs(), "-o", binary, "./"+h.Dir)...); err != nil {
		if exit := (*exitError)(nil); errors.As(err, &exit) {
			return Package{}, &CompileError{Failures: []Failure{{Handler: h.Name, Output: out.stderr}}}
		}
		return Package{}, fmt.Errorf("handler %s: %w", h.Name, err)
	}
	compile := time.Since(compiling)

	p, err := b.zip(h, binary)
	if err != nil {
		return Package{}, fmt.Errorf("handler %s: %w", h.Name, err)
	}
	p.Rebuilt, p.Compile = true, compile
	if err := b.remember(h, in, p); err != nil {
		return Package{}, fmt.Errorf("handler %s: %w", h.Name, err)
	}
	b.report(Event{Handler: h.Name, State: Built, Elapsed: time.Since(start)})
	return p, nil
}

func (b *builder) report(e Event) {
	if b.Progress == nil {
		return
	}
	b.progress.Lock()
	defer b.progress.Unlock()
	b.Progress(e)
}
