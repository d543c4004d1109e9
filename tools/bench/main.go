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
	"time"
)

// goal is a figure that the project promises.
type goal struct {
	name, pkg, benchmark string
	// metric is the unit of the figure in the benchmark's output, such as "ns/op".
	metric string
	// most is what the median may be, in the metric's unit times scale.
	most, scale float64
	unit        string
}

var goals = []goal{
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
	for _, g := range goals {
		value, err := g.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		fmt.Fprintf(out, "value %s %.2f%s goal <%g%s\n", g.name, value, g.unit, g.most, g.unit)
		if value > g.most {
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

// measure gives the median of five runs.
func (g goal) measure(ctx context.Context) (float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+g.benchmark+"$", "-count", "5", g.pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	figures := regexp.MustCompile(`(?m)^`+g.benchmark+`\S*\s.*?([0-9.]+) `+regexp.QuoteMeta(g.metric)).FindAllSubmatch(out, -1)
	var values []float64
	for _, f := range figures {
		v, err := strconv.ParseFloat(string(f[1]), 64)
		if err != nil {
			return 0, err
		}
		values = append(values, v*g.scale)
	}
	if len(values) == 0 {
		return 0, fmt.Errorf("no figure in\n%s", out)
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
