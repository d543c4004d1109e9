// Command bench runs the benchmarks that back a goal and prints a line for each: "ratio NAME VALUE goal GOAL". VALUE is how many times more the
// alternative takes in the same run; where there is none, how many times the figure fits into what it may be, and the figure follows. A
// value below its goal makes bench fail. Arguments limit it to goals whose names begin with one of them.
package main

import (
	"bytes"
	"cmp"
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
	name string
	suite
	benchmark string
	// against is the benchmark of the alternative, of the same run; the figure is then how many times more it takes. Empty for none.
	against string
	// metric is the unit of the figure in the benchmark's output, such as "ns/op"; againstMetric that of the alternative, if it is another.
	metric, againstMetric string
	// least is what a ratio must be. Without an alternative most is what the figure may be, in the metric's unit times scale.
	least, most, scale float64
	unit               string
}

// suite is a package with benchmarks, from the folder of its module. With parts only those are run that a goal asks for: the others of
// such a package take long, and nothing is compared with them.
type suite struct {
	module, pkg string
	parts       bool
}

var (
	runtime  = suite{module: ".", pkg: "./runtime/stream"}
	sonic    = suite{module: "tools/sonicbench", pkg: "."} // needs sonic, which the project does not
	stack    = suite{module: ".", pkg: "./internal/local/conformance"}
	hosted   = suite{module: ".", pkg: "./internal/local/host"}
	streams  = suite{module: ".", pkg: "./internal/local/streams"}
	generate = suite{module: ".", pkg: "./internal/cli", parts: true}
)

var goals = []goal{
	{name: "decode-aws-lambda-go", suite: runtime, benchmark: "BenchmarkDecode/stream", against: "BenchmarkDecode/aws-lambda-go", metric: "ns/op", least: 15},
	{name: "decode-json-valid", suite: runtime, benchmark: "BenchmarkDecode/stream", against: "BenchmarkDecode/json.Valid", metric: "ns/op", least: 1},
	{name: "decode-allocations", suite: runtime, benchmark: "BenchmarkDecode/stream", metric: "allocs/record", most: 2, scale: 1},
	{name: "decode-sonic", suite: sonic, benchmark: "BenchmarkDecode/stream", against: "BenchmarkDecode/sonic", metric: "ns/op", least: 5},
	{name: "decode-sonic-plain", suite: sonic, benchmark: "BenchmarkDecode/stream", against: "BenchmarkDecode/sonic-plain", metric: "ns/op", least: 1},
	{name: "invoke-1", suite: runtime, benchmark: "BenchmarkFunction/1/stream", against: "BenchmarkFunction/1/byhand", metric: "ns/op", least: 1},
	{name: "invoke-100", suite: runtime, benchmark: "BenchmarkFunction/100/stream", against: "BenchmarkFunction/100/byhand", metric: "ns/op", least: 1},
	{name: "invoke-1000", suite: runtime, benchmark: "BenchmarkFunction/1000/stream", against: "BenchmarkFunction/1000/byhand", metric: "ns/op", least: 1},
	{name: "invoke-1000-memory", suite: runtime, benchmark: "BenchmarkFunction/1000/stream", against: "BenchmarkFunction/1000/byhand", metric: "MB-peak", least: 2},
	{name: "cold-start", suite: runtime, benchmark: "BenchmarkStart", against: "BenchmarkStart", metric: "ms-stream", againstMetric: "ms-byhand", least: 1},
	{name: "binary", suite: runtime, benchmark: "BenchmarkStart", against: "BenchmarkStart", metric: "MB-stream", againstMetric: "MB-byhand", least: 1},
	{name: "lanes-1", suite: runtime, benchmark: "BenchmarkSchedule/1", metric: "ns/record", most: 300, scale: 1, unit: "ns"},
	{name: "lanes-8", suite: runtime, benchmark: "BenchmarkSchedule/8", metric: "ns/record", most: 300, scale: 1, unit: "ns"},
	{name: "stack-start", suite: stack, benchmark: "BenchmarkStart", metric: "ns/op", most: 50, scale: 1e-6, unit: "ms"},
	{name: "mapping-p50", suite: stack, benchmark: "BenchmarkMapping", metric: "ms-p50", most: 5, scale: 1, unit: "ms"},
	{name: "mapping-record", suite: stack, benchmark: "BenchmarkMappingThroughput", metric: "us/record", most: 50, scale: 1, unit: "us a record"},
	{name: "mapping-p99", suite: stack, benchmark: "BenchmarkMapping", metric: "ms-p99", most: 20, scale: 1, unit: "ms"},
	// Of four items at most four lanes have work, and two cores, the least that a machine has, gain at most 2.
	{name: "mapping-hot-items", suite: stack, benchmark: "BenchmarkHotItems/computing/10", against: "BenchmarkHotItems/computing/1", metric: "us/record", least: 1.5},
	{name: "mapping-hot-waiting", suite: stack, benchmark: "BenchmarkHotItems/waiting/10", against: "BenchmarkHotItems/waiting/1", metric: "us/record", least: 3},
	{name: "idle", suite: stack, benchmark: "BenchmarkIdle", metric: "%-of-a-core", most: 1, scale: 1, unit: "%"},
	{name: "cold-start-overhead", suite: hosted, benchmark: "BenchmarkColdStart", metric: "ms-overhead", most: 5, scale: 1, unit: "ms"},
	{name: "engine-put", suite: streams, benchmark: "BenchmarkWrite/1000", metric: "ns/op", most: 5, scale: 1e-3, unit: "us"},
	{name: "engine-put-1000000", suite: streams, benchmark: "BenchmarkWrite/1000000", against: "BenchmarkWrite/1000", metric: "ns/op", least: 0.5},
	{name: "engine-memory", suite: streams, benchmark: "BenchmarkMemory", metric: "B/item", most: 2048, scale: 1, unit: " B an item of 1 KB"},
	{name: "generate-1000-cold", suite: generate, benchmark: "BenchmarkGenerate/cold/1000", metric: "ns/op", most: 500, scale: 1e-6, unit: "ms"},
	{name: "generate-1000-noop", suite: generate, benchmark: "BenchmarkGenerate/noop/1000", metric: "ns/op", most: 100, scale: 1e-6, unit: "ms"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, prefixes []string, out io.Writer) error {
	wanted := func(name string) bool {
		return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
	missed := 0
	runs := runs{}
	for _, g := range goals {
		if !wanted(g.name) {
			continue
		}
		met, err := g.report(ctx, runs, out)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		if !met {
			missed++
		}
	}
	if name := "demo-own-share"; wanted(name) {
		own, err := demoShare(ctx)
		if err != nil {
			return err
		}
		if !atMost(out, name, own, 2, "s") {
			missed++
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d goals missed", missed)
	}
	return nil
}

// report prints the goal's figure and tells whether it is met.
func (g goal) report(ctx context.Context, r runs, out io.Writer) (met bool, err error) {
	outputs, err := r.outputs(ctx, g.suite, g.benchmark)
	if err != nil {
		return false, err
	}
	values, err := figures(outputs, g.benchmark, g.metric)
	if err != nil {
		return false, err
	}
	if g.against == "" {
		return atMost(out, g.name, median(values)*g.scale, g.most, g.unit), nil
	}
	ratios, err := figures(outputs, g.against, cmp.Or(g.againstMetric, g.metric))
	if err != nil {
		return false, err
	}
	for i := range ratios {
		ratios[i] /= values[i]
	}
	ratio := median(ratios)
	fmt.Fprintf(out, "ratio %s %.2f goal %g\n", g.name, ratio, g.least)
	return ratio >= g.least, nil
}

// atMost prints a figure for which there is no alternative, and tells whether it is no more than the most.
func atMost(out io.Writer, name string, value, most float64, unit string) bool {
	fmt.Fprintf(out, "ratio %s %.2f goal 1 (%.2f%s, at most %g%s)\n", name, most/value, value, unit, most, unit)
	return value <= most
}

// runs are the outputs of the runs of benchmarks, by what was run.
type runs map[string][][]byte

// outputs gives five runs of a benchmark with all below its function, so that what is compared ran side by side.
func (r runs) outputs(ctx context.Context, s suite, benchmark string) ([][]byte, error) {
	function, below, _ := strings.Cut(benchmark, "/")
	pattern := "^" + function + "$"
	if s.parts && below != "" {
		pattern += "/^" + strings.ReplaceAll(below, "/", "$/^") + "$"
	}
	key := s.module + s.pkg + pattern
	for len(r[key]) < 5 {
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, s.pkg)
		cmd.Dir = s.module
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, out)
		}
		r[key] = append(r[key], out)
	}
	return r[key], nil
}

// figures gives those of a benchmark, one of each run.
func figures(outputs [][]byte, benchmark, metric string) ([]float64, error) {
	figure := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(benchmark) + `(?:-\d+)?\s.*?([0-9.]+) ` + regexp.QuoteMeta(metric) + `\b`)
	values := make([]float64, len(outputs))
	for i, output := range outputs {
		found := figure.FindSubmatch(output)
		if found == nil {
			return nil, fmt.Errorf("no figure of %s in\n%s", benchmark, output)
		}
		var err error
		if values[i], err = strconv.ParseFloat(string(found[1]), 64); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
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
