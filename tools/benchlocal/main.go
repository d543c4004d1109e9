// Command benchlocal measures the local stack as its clients see it: how long an empty one takes to start, and operations of DynamoDB through
// AWS's SDK with 1, 8 and 64 clients. The same client does the same against a server that knows nothing but answers of the same size, which is
// as fast as any could be, and, where STREAMGEN_REFERENCE_ENDPOINT names one, against another implementation. Each server is a process of
// its own; they take turns, and the median of the turns counts. It prints a line for each figure, as tools/bench does: "ratio NAME VALUE goal GOAL".
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// referenceVariable names the endpoint of another implementation.
const referenceVariable = "STREAMGEN_REFERENCE_ENDPOINT"

type options struct {
	turns int
	turn  time.Duration
}

func main() {
	var o options
	constant := flag.String("constant", "", "serve the answers of `FILE` and nothing else")
	flag.IntVar(&o.turns, "turns", 5, "`turns` of each server, of which the median counts")
	flag.DurationVar(&o.turn, "turn", 400*time.Millisecond, "`time` of a turn")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *constant != "" {
		err = serveConstant(ctx, *constant)
	} else {
		err = run(ctx, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchlocal:", err)
		os.Exit(1)
	}
}

// bench has what all measurements need.
type bench struct {
	options
	dir, gen string
	missed   int
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "benchlocal-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, gen: filepath.Join(dir, "gen")}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", b.gen, "./cmd/gen").CombinedOutput(); err != nil {
		return fmt.Errorf("building gen: %w\n%s", err, out)
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	if err := b.operations(ctx); err != nil {
		return err
	}
	if b.missed > 0 {
		return fmt.Errorf("%d goals missed", b.missed)
	}
	return nil
}

func (b *bench) ratio(name string, value, goal float64) {
	fmt.Printf("ratio %s %.2f goal %g\n", name, value, goal)
	if value < goal {
		b.missed++
	}
}

// start measures the process of an empty stack from its beginning to the first answer.
func (b *bench) start(ctx context.Context) error {
	const most = 50 // ms
	var took []float64
	for range b.turns {
		begun := time.Now()
		s, err := startServer(ctx, b.gen, "local", "--listen", "127.0.0.1:0")
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, strings.NewReader("{}"))
		if err != nil {
			return errors.Join(err, s.stop())
		}
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return errors.Join(err, s.stop())
		}
		took = append(took, float64(time.Since(begun).Microseconds())/1000)
		if err := errors.Join(res.Body.Close(), s.stop()); err != nil {
			return err
		}
	}
	ms := median(took)
	fmt.Printf("value local-start %.1f ms\n", ms)
	b.ratio("local-start", most/ms, 1)
	return nil
}

// operations measures each operation against each server.
func (b *bench) operations(ctx context.Context) error {
	stack, err := startServer(ctx, b.gen, "local", "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = stack.stop() }() // what was measured is known
	answers, err := prepare(ctx, stack.endpoint)
	if err != nil {
		return fmt.Errorf("the stack: %w", err)
	}
	file := filepath.Join(b.dir, "answers.json")
	if err := answers.save(file); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	constant, err := startServer(ctx, self, "-constant", file)
	if err != nil {
		return err
	}
	defer func() { _ = constant.stop() }()
	reference := os.Getenv(referenceVariable)
	if reference == "" {
		fmt.Println("benchlocal: nothing is compared with another implementation: " + referenceVariable + " is not set")
	} else if _, err := prepare(ctx, reference); err != nil {
		return fmt.Errorf("%s: %w", reference, err)
	}

	for _, op := range operations {
		for _, clients := range []int{1, 8, 64} {
			endpoints := []string{stack.endpoint, constant.endpoint}
			compared := reference != "" && clients == 8 && !op.stackAlone
			if compared {
				endpoints = append(endpoints, reference)
			}
			rates, err := b.turnsOf(ctx, op, clients, endpoints)
			if err != nil {
				return fmt.Errorf("%s with %d clients: %w", op.name, clients, err)
			}
			name := fmt.Sprintf("local-%s-%d", op.name, clients)
			fmt.Printf("value %s %.0f a second\n", name, rates[0])
			b.ratio(name, rates[0]/rates[1], 0.5)
			if compared {
				fmt.Printf("value %s-constant-reference %.2f: what the fastest server could be to this client\n", name, rates[1]/rates[2])
				b.ratio(name+"-reference", rates[0]/rates[2], 8)
			}
		}
	}
	return nil
}

// turnsOf gives the median rate of the operation at each of the endpoints, which take turns.
func (b *bench) turnsOf(ctx context.Context, op operation, clients int, endpoints []string) ([]float64, error) {
	all := make([][]float64, len(endpoints))
	for range b.turns {
		for i, endpoint := range endpoints {
			rate, err := op.rate(ctx, endpoint, clients, b.turn)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", endpoint, err)
			}
			all[i] = append(all[i], rate)
		}
	}
	rates := make([]float64, len(endpoints))
	for i := range all {
		rates[i] = median(all[i])
	}
	return rates, nil
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// server is a process that serves until it is interrupted.
type server struct {
	cmd      *exec.Cmd
	endpoint string
}

var endpoint = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startServer starts a process that tells its endpoint in its first line on stderr.
func startServer(ctx context.Context, program string, args ...string) (*server, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	s := &server{cmd: cmd, endpoint: endpoint.FindString(line)}
	if s.endpoint == "" {
		return nil, errors.Join(fmt.Errorf("%s told no endpoint: %q", program, line), err, s.stop())
	}
	return s, nil
}

func (s *server) stop() error {
	return errors.Join(s.cmd.Process.Signal(os.Interrupt), s.cmd.Wait())
}
