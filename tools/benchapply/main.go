// Command benchapply measures gen apply against the same terraform commands, run by hand on the same tree, on a local stack of its own. It
// prints a line for each figure, as tools/bench does: "ratio NAME VALUE goal GOAL", of which the value may be at most the goal.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"streamgen/internal/tf"
)

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 5, "`runs` of each way, of which the median counts")
	flag.IntVar(&o.stacks, "stacks", 50, "`stacks` of the project that has many; 0 leaves it out")
	flag.IntVar(&o.handlers, "handlers", 500, "`handlers` of the project whose time is divided; 0 leaves it out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchapply:", err)
		os.Exit(1)
	}
}

type options struct{ runs, stacks, handlers int }

// bench is gen, and a folder for projects.
type bench struct {
	options
	gen, dir string
	missed   int
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "benchapply-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, gen: filepath.Join(dir, "gen"), dir: dir}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.gen, "./cmd/gen").CombinedOutput(); err != nil {
		return fmt.Errorf("building gen: %w\n%s", err, out)
	}
	steps := []func(context.Context) error{b.single}
	if o.stacks > 0 {
		steps = append(steps, b.many)
	}
	if o.handlers > 0 {
		steps = append(steps, b.large)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if b.missed > 0 {
		return fmt.Errorf("%d goals missed", b.missed)
	}
	return nil
}

func (b *bench) print(name string, value, goal float64) {
	fmt.Printf("ratio %s %.3f goal %g\n", name, value, goal)
	if value > goal {
		b.missed++
	}
}

// single compares a project of one handler: an apply with nothing to do, and one after a change of the handler.
func (b *bench) single(ctx context.Context) error {
	p, err := b.project(ctx, "single", spec(1, func(int) string { return "" }))
	if err != nil {
		return err
	}
	defer p.close()
	byHand, err := p.byHand(ctx)
	if err != nil {
		return err
	}
	var own, hand []time.Duration
	for range b.runs {
		h, err := byHand.apply(ctx, false)
		if err != nil {
			return err
		}
		g, err := p.apply(ctx)
		if err != nil {
			return err
		}
		own, hand = append(own, g.terraformAndOwn()), append(hand, h)
	}
	b.print("apply-no-change", ratio(own, hand), 1.02)

	own, hand = nil, nil
	for i := range b.runs {
		// The package is built beforehand, which both need and neither is measured by.
		if err := p.change(ctx, fmt.Sprint("by hand ", i)); err != nil {
			return err
		}
		h, err := byHand.apply(ctx, true)
		if err != nil {
			return err
		}
		if err := p.change(ctx, fmt.Sprint("by gen ", i)); err != nil {
			return err
		}
		g, err := p.apply(ctx)
		if err != nil {
			return err
		}
		own, hand = append(own, g.terraformAndOwn()), append(hand, h)
	}
	b.print("apply-one-handler", ratio(own, hand), 1.02)
	return nil
}

// many compares a project of many stacks, of which one is changed, with a project that has only that stack.
func (b *bench) many(ctx context.Context) error {
	measure := func(name string, stacks int) ([]time.Duration, error) {
		p, err := b.project(ctx, name, spec(stacks, func(i int) string { return fmt.Sprintf(", stack: stack%d", i) }))
		if err != nil {
			return nil, err
		}
		defer p.close()
		var took []time.Duration
		for i := range b.runs {
			if err := p.change(ctx, fmt.Sprint("change ", i)); err != nil {
				return nil, err
			}
			g, err := p.apply(ctx)
			if err != nil {
				return nil, err
			}
			took = append(took, g.terraformAndOwn())
		}
		return took, nil
	}
	one, err := measure("one-stack", 1)
	if err != nil {
		return err
	}
	all, err := measure("many-stacks", b.stacks)
	if err != nil {
		return err
	}
	b.print(fmt.Sprintf("apply-one-of-%d-stacks", b.stacks), ratio(all, one), 1.5)
	return nil
}

// large divides the time of an apply of many handlers in one stack, with one of them changed.
func (b *bench) large(ctx context.Context) error {
	p, err := b.project(ctx, "large", spec(b.handlers, func(int) string { return "" }))
	if err != nil {
		return err
	}
	defer p.close()
	var share []float64
	for i := range b.runs {
		if err := p.change(ctx, fmt.Sprint("change ", i)); err != nil {
			return err
		}
		g, err := p.apply(ctx)
		if err != nil {
			return err
		}
		share = append(share, g.Own/g.Total)
		fmt.Fprintf(os.Stderr, "%d handlers, one changed: %.1fs in all, terraform and provider %.1fs, go %.1fs, gen %.1fs\n", b.handlers, g.Total, g.Terraform, g.Compile, g.Own)
	}
	slices.Sort(share)
	b.print(fmt.Sprintf("own-share-of-%d-handlers", b.handlers), share[len(share)/2], 0.02)
	return nil
}

func ratio(a, b []time.Duration) float64 {
	return median(a).Seconds() / median(b).Seconds()
}

func median(list []time.Duration) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// spec has so many tables with a handler each, and what further says of each entry.
func spec(n int, further func(i int) string) string {
	var b strings.Builder
	b.WriteString("version: 1\nproject: bench\nregion: us-east-1\nprofile: minimal\ntables:\n")
	for i := range n {
		fmt.Fprintf(&b, "  table%d: {hash_key: Id, attributes: {Id: S}, stream_view_type: KEYS_ONLY%s}\n", i, further(i))
	}
	b.WriteString("handlers:\n")
	for i := range n {
		fmt.Fprintf(&b, "  handler%d: {table: table%d%s}\n", i, i, further(i))
	}
	return b.String()
}

// project is a project that was applied to a stack of its own.
type project struct {
	*bench
	dir, endpoint string
	stack         *exec.Cmd
}

func (b *bench) project(ctx context.Context, name, spec string) (*project, error) {
	p := &project{bench: b, dir: filepath.Join(b.dir, name)}
	file := p.dir + ".yaml"
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, b.gen, "init", p.dir, "--spec", file, "--no-terraform").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gen init: %w\n%s", err, out)
	}
	p.stack = exec.Command(b.gen, "local", "--listen", "127.0.0.1:0", "--json")
	stdout, err := p.stack.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.stack.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	var ready struct{ Endpoint string }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &ready) != nil || ready.Endpoint == "" {
		p.close()
		return nil, errors.New("the local stack does not say where it listens")
	}
	p.endpoint = ready.Endpoint
	go func() {
		for lines.Scan() { // what functions log is of no interest, and must not block them
		}
	}()
	fmt.Fprintf(os.Stderr, "first apply of %s\n", name)
	if _, err := p.apply(ctx); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *project) close() {
	_ = p.stack.Process.Kill() // it holds nothing that is needed any more
	_ = p.stack.Wait()
}

// timing is the part of what gen apply prints that this program reads, in seconds.
type timing struct {
	Total     float64 `json:"total_seconds"`
	Terraform float64 `json:"terraform_seconds"`
	Compile   float64 `json:"compile_seconds"`
	Own       float64 `json:"own_seconds"`
}

// terraformAndOwn is what an apply takes without the compiler.
func (t timing) terraformAndOwn() time.Duration {
	return time.Duration((t.Total - t.Compile) * float64(time.Second))
}

func (p *project) apply(ctx context.Context) (timing, error) {
	cmd := exec.CommandContext(ctx, p.gen, "apply", "--env", "local", "--endpoint", p.endpoint, "--json")
	cmd.Dir = p.dir
	var story bytes.Buffer
	cmd.Stderr = &story
	out, err := cmd.Output()
	if err != nil {
		return timing{}, fmt.Errorf("gen apply: %w\n%s", err, &story)
	}
	var result struct{ Timing timing }
	if err := json.Unmarshal(out, &result); err != nil {
		return timing{}, fmt.Errorf("gen apply: %w", err)
	}
	return result.Timing, nil
}

// change makes the first handler another program, and builds it.
func (p *project) change(ctx context.Context, text string) error {
	file := filepath.Join(p.dir, "handlers", "handler0", "handler.go")
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	source, _, _ = bytes.Cut(source, []byte("\n// Changed"))
	source = fmt.Appendf(source, "\n// Changed makes this another program.\nvar Changed = %q\n\nfunc init() { println(Changed) }\n", text)
	if err := os.WriteFile(file, source, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, p.gen, "build", "--env", "local")
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("gen build: %w\n%s", err, out)
	}
	return nil
}

// byHand runs terraform in the project's work folder as somebody would who has its environment.
type byHand struct {
	terraform string
	dir       string
	env       []string
	vars      []string
}

func (p *project) byHand(ctx context.Context) (*byHand, error) {
	binary, err := tf.Find(ctx, tf.FindOptions{})
	if err != nil {
		return nil, err
	}
	h := &byHand{terraform: binary.Path, dir: filepath.Join(p.dir, ".gen", "local")}
	for name, value := range tf.LocalEnvironment(os.Environ(), p.endpoint, "us-east-1", true, filepath.Join(p.dir, ".gen", "terraform.rc")) {
		h.env = append(h.env, name+"="+value)
	}
	packages, err := filepath.Glob(filepath.Join(p.dir, ".gen", "packages", "*"))
	if err != nil || len(packages) != 1 {
		return nil, fmt.Errorf("the project has packages in %v: %w", packages, err)
	}
	h.vars = []string{"-var=deletion_protection_enabled=false", "-var=packages=../../.gen/packages/" + filepath.Base(packages[0])}
	return h, nil
}

// apply plans to a file and, if there is something to do, shows the plan as JSON and applies it; then it reads the outputs. It gives what that took.
func (h *byHand) apply(ctx context.Context, changed bool) (time.Duration, error) {
	begun := time.Now()
	steps := [][]string{append([]string{"plan", "-input=false", "-json", "-out=byhand.tfplan"}, h.vars...)}
	if changed {
		steps = append(steps, []string{"show", "-json", "-no-color", "byhand.tfplan"}, []string{"apply", "-input=false", "-json", "byhand.tfplan"})
	}
	for _, args := range append(steps, []string{"output", "-json", "-no-color"}) {
		cmd := exec.CommandContext(ctx, h.terraform, args...)
		cmd.Dir, cmd.Env = h.dir, h.env
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("terraform %s: %w\n%s", args[0], err, out)
		}
	}
	return time.Since(begun), nil
}
