// Command bench runs the benchmarks that back a goal and prints a line for each: "ratio NAME VALUE goal GOAL" against the alternative
// in the same run, or "value NAME VALUE goal GOAL" where there is none. A value that misses its goal makes it fail.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// goal is a figure that the project promises.
type goal struct {
	name, pkg, benchmark string
	// against is the benchmark of the alternative, of the same run; the figure is then how many times more it takes. Empty for none.
	against string
	// metric is the unit of the figure in the benchmark's output, such as "ns/op".
	metric string
	// most is what the median may be, in the metric's unit times scale; least is what a ratio must be.
	most, scale float64
	unit        string
	least       float64
}

const runtimePackage = "./runtime/stream"

var goals = []goal{
	{name: "decode-aws-lambda-go", pkg: runtimePackage, benchmark: "BenchmarkDecode/stream", against: "BenchmarkDecode/aws-lambda-go", metric: "ns/op", least: 15},
	{name: "decode-json-valid", pkg: runtimePackage, benchmark: "BenchmarkDecode/stream", against: "BenchmarkDecode/json.Valid", metric: "ns/op", least: 1},
	{name: "decode-allocations", pkg: runtimePackage, benchmark: "BenchmarkDecode/stream", metric: "allocs/record", most: 2, scale: 1},
	{name: "invoke-1", pkg: runtimePackage, benchmark: "BenchmarkFunction/invoke/1/stream", against: "BenchmarkFunction/invoke/1/byhand", metric: "ns/op", least: 1},
	{name: "invoke-100", pkg: runtimePackage, benchmark: "BenchmarkFunction/invoke/100/stream", against: "BenchmarkFunction/invoke/100/byhand", metric: "ns/op", least: 1},
	{name: "invoke-1000", pkg: runtimePackage, benchmark: "BenchmarkFunction/invoke/1000/stream", against: "BenchmarkFunction/invoke/1000/byhand", metric: "ns/op", least: 1},
	{name: "invoke-1000-memory", pkg: runtimePackage, benchmark: "BenchmarkFunction/invoke/1000/stream", against: "BenchmarkFunction/invoke/1000/byhand", metric: "MB-peak", least: 2},
	{name: "cold-start", pkg: runtimePackage, benchmark: "BenchmarkFunction/start/stream", against: "BenchmarkFunction/start/byhand", metric: "ns/op", least: 1},
	{name: "binary", pkg: runtimePackage, benchmark: "BenchmarkFunction/start/stream", against: "BenchmarkFunction/start/byhand", metric: "MB-binary", least: 1},
	{name: "lanes-1", pkg: runtimePackage, benchmark: "BenchmarkSchedule/1", metric: "ns/record", most: 300, scale: 1, unit: "ns"},
	{name: "lanes-8", pkg: runtimePackage, benchmark: "BenchmarkSchedule/8", metric: "ns/record", most: 300, scale: 1, unit: "ns"},
	{name: "stack-start", pkg: "./internal/local/conformance", benchmark: "BenchmarkStart", metric: "ns/op", most: 50, scale: 1e-6, unit: "ms"},
	{name: "generate-1000-cold", pkg: "./internal/cli", benchmark: "BenchmarkGenerate/cold/1000", metric: "ns/op", most: 500, scale: 1e-6, unit: "ms"},
	{name: "generate-1000-noop", pkg: "./internal/cli", benchmark: "BenchmarkGenerate/noop/1000", metric: "ns/op", most: 100, scale: 1e-6, unit: "ms"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	missed := 0
	runs := runs{}
	for _, g := range goals {
		met, err := g.report(ctx, runs, out)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		if !met {
			missed++
		}
	}
	own, err := demoShare(ctx)
	if err != nil {
		return err
	}
	const most = 2.0
	fmt.Fprintf(out, "value demo-own-share %.2fs goal <%gs\n", own, most)
	if own > most {
		missed++
	}
	if missed > 0 {
		return fmt.Errorf("%d goals missed", missed)
	}
	return nil
}

// report prints the goal's figure and tells whether it is met.
func (g goal) report(ctx context.Context, r runs, out io.Writer) (met bool, err error) {
	output, err := r.output(ctx, g.pkg, g.benchmark)
	if err != nil {
		return false, err
	}
	value, err := median(output, g.benchmark, g.metric)
	if err != nil {
		return false, err
	}
	if g.against == "" {
		value *= g.scale
		fmt.Fprintf(out, "value %s %.2f%s goal <%g%s\n", g.name, value, g.unit, g.most, g.unit)
		return value <= g.most, nil
	}
	alternative, err := median(output, g.against, g.metric)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "ratio %s %.2f goal %g\n", g.name, alternative/value, g.least)
	return alternative/value >= g.least, nil
}

// runs are the outputs of benchmarks by name: of one run each, so that what is compared ran side by side.
type runs map[string][]byte

// output gives five runs of a benchmark with all below its function.
func (r runs) output(ctx context.Context, pkg, benchmark string) ([]byte, error) {
	function, below, _ := strings.Cut(benchmark, "/")
	pattern := "^" + function + "$"
	if pkg != runtimePackage && below != "" {
		pattern += "/^" + strings.ReplaceAll(below, "/", "$/^") + "$" // others take long, and nothing is compared with them
	}
	if out, has := r[pattern]; has {
		return out, nil
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-count", "5", pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	r[pattern] = out
	return out, nil
}

// median gives that of a benchmark's figures.
func median(output []byte, benchmark, metric string) (float64, error) {
	figures := regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(benchmark)+`(?:-\d+)?\s.*?([0-9.]+) `+regexp.QuoteMeta(metric)+`\b`).FindAllSubmatch(output, -1)
	var values []float64
	for _, f := range figures {
		v, err := strconv.ParseFloat(string(f[1]), 64)
		if err != nil {
			return 0, err
		}
		values = append(values, v)
	}
	if len(values) == 0 {
		return 0, fmt.Errorf("no figure of %s in\n%s", benchmark, output)
	}
	slices.Sort(values)
	return values[len(values)/2], nil
}

// demoShare runs the demo and gives the part of its time, in seconds, that is not terraform's, the provider's or the compiler's.
func demoShare(ctx context.Context) (float64, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./tools/demo")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * time.Minute
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("the demo: %w\n%s", err, stderr.Bytes())
	}
	share := regexp.MustCompile(`(?m)^\s*in all\s+\S+\s+([0-9.]+)s\s*$`).FindSubmatch(out)
	if share == nil {
		return 0, fmt.Errorf("the demo printed no sum:\n%s", out)
	}
	return strconv.ParseFloat(string(share[1]), 64)
}
