package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"streamgen/internal/records"
	"streamgen/internal/report"
	"streamgen/internal/spec"
)

type replayOptions struct {
	env       environment
	handler   string
	table     string
	batchSize int
	attempts  int
	noFilter  bool
	speed     float64
	compare   string
	ignore    []string
	yes       bool
	json      bool
}

func newReplay(std streams, at func() (string, error)) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay FILE --handler HANDLER",
		Short: "Give recorded records to a handler",
		Long: `Invoke a handler's build for this machine, in a stack of its own whose tables are empty, with the records of a file: a recording of
'gen record', or an event as JSON. With --env it is the deployed function of that environment; on AWS it asks, or wants --yes where there is no
terminal, and takes lambda:InvokeFunction.

The records are cut as the handler's mapping cuts them: its filter, a shard after the other, its parallelization_factor in lanes of partition keys
side by side, batch_size records at most and no more than 6 MB. --batch-size cuts them otherwise. How long Lambda waited for records then is not
known: the batches are full. What fails is treated as by the mapping: what a report leaves undone is the next batch, a failed batch is split where
the mapping splits, and what has failed --attempts times is given up, so that what follows goes on. The mapping's own number of attempts may be
endless, and its age for records is over: neither counts. A handler with tumbling windows is refused. The exit code is 1 when a record is not done.

--compare replays the same batches with another build as well, one after the other: a package's ZIP for this machine, another folder DIR with the
project, or a revision REV of git. It shows the batches of which the answers, the failed records or the errors differ, then the items of the
handler's tables and the messages of its parking queue that differ in the end. The exit code is 1 when anything differs. An attribute that a time or
a chance makes different is left out with --ignore.`,
		Example: `  gen replay orders.jsonl --handler ship
  gen replay orders.jsonl --handler ship --batch-size 1 --attempts 1
  gen replay orders.jsonl --handler ship --compare main
  gen replay event.json --handler ship --env local`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runReplay(cmd.Context(), std, start, args[0], o)
		},
	}
	o.env.endpointFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.handler, "handler", "", "the `HANDLER` of gen.yaml")
	f.StringVar(&o.table, "table", "", "the `TABLE` of gen.yaml that the records are of, where the handler reads several")
	f.IntVar(&o.batchSize, "batch-size", 0, "cut batches of `N` records (default: the mapping's batch_size)")
	f.IntVar(&o.attempts, "attempts", 0, "give a batch up after `N` failures (default: as often as the mapping, 3 at most)")
	f.BoolVar(&o.noFilter, "no-filter", false, "deliver the records too that the mapping's filter leaves out")
	f.Float64Var(&o.speed, "speed", 0, "deliver `N` times as fast as the records were written, such as 1 or 10 (default: as fast as can be)")
	f.StringVar(&o.compare, "compare", "", "compare with the build in a `ZIP`, or of a folder DIR or a revision REV of git")
	f.StringArrayVar(&o.ignore, "ignore", nil, "with --compare: leave the `ATTRIBUTE` of items out (repeatable)")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	_ = cmd.RegisterFlagCompletionFunc("handler", completeEntries(at, true, false))
	_ = cmd.RegisterFlagCompletionFunc("table", completeEntries(at, false, true))
	return cmd
}

func (o replayOptions) check(std streams, file string) error {
	switch {
	case o.handler == "":
		return usagef("want --handler HANDLER, which gets the records")
	case o.batchSize < 0 || o.batchSize > 10_000:
		return usagef("--batch-size %d: want 1 to 10000", o.batchSize)
	case o.attempts < 0 || o.speed < 0:
		return usagef("--attempts and --speed are not below 0")
	case o.compare != "" && o.env.name != "":
		return usagef("--compare runs builds on this machine: it does not go with --env")
	case len(o.ignore) > 0 && o.compare == "":
		return usagef("--ignore is for --compare")
	case o.asks() && (!isTerminal(std.in) || file == "-"):
		return usagef("this invokes a function on AWS and there is no terminal to ask on: --yes sends the records")
	}
	return nil
}

// asks reports whether the user is asked before anything is sent.
func (o replayOptions) asks() bool {
	return !o.yes && o.env.name != "" && o.env.name != localEnvironment
}

// replayed is the result of gen replay, as --json prints it: fields are added, never renamed or taken away.
type replayed struct {
	Handler  string `json:"handler"`
	Function string `json:"function"`
	File     string `json:"file"`
	Table    string `json:"table"`
	// Records were delivered, Filtered left out by the mapping's filter.
	Records     int     `json:"records"`
	Filtered    int     `json:"filtered"`
	Invocations int     `json:"invocations"`
	Done        int     `json:"done"`
	Failed      int     `json:"failed"`
	TookMS      float64 `json:"took_ms"`
	// Batches are in the order of their shards, lanes and records.
	Batches []*replayedBatch `json:"batches"`
	// Compared says how another build differs.
	Compared *compared `json:"compared,omitempty"`
}

// replayedBatch is a batch and what became of it.
type replayedBatch struct {
	list []records.Record

	Batch   int    `json:"batch"`
	Shard   string `json:"shard,omitempty"`
	Lane    int    `json:"lane"`
	First   string `json:"first"`
	Last    string `json:"last"`
	Records int    `json:"records"`
	batchOutcome
}

// batchOutcome is what a build made of a batch.
type batchOutcome struct {
	Done        int            `json:"done"`
	Failed      []failedRecord `json:"failed,omitempty"`
	Invocations []invocation   `json:"invocations,omitempty"`
	TookMS      float64        `json:"took_ms"`
}

// invocation is one invocation with records of a batch.
type invocation struct {
	Records int    `json:"records"`
	First   string `json:"first"`
	// Answer is the function's as a text; Error is the message of one that failed.
	Answer string `json:"answer,omitempty"`
	Error  string `json:"error,omitempty"`
}

// replay is one run of gen replay.
type replay struct {
	place
	options replayOptions
	handler spec.Handler
	source  spec.Source
	// shards have lanes, and lanes batches, which are in the result too.
	shards [][][]*replayedBatch
	begun  time.Time // when the first record was written
	result replayed

	mu sync.Mutex // of stdout, and of the result's counts
}

func runReplay(ctx context.Context, std streams, start, file string, o replayOptions) error {
	if err := o.check(std, file); err != nil {
		return err
	}
	list, err := openRecords(std, start, file)
	if err != nil {
		return err
	}
	here := o.env.name == ""
	p, err := openPlace(std, start, o.env, here)
	if err != nil {
		return err
	}
	h, err := p.handler(o.handler)
	if err != nil {
		return err
	}
	r := &replay{place: p, options: o, handler: h, result: replayed{Handler: h.Name, File: file, Batches: []*replayedBatch{}}}
	if err := r.cut(list, here); err != nil {
		return err
	}
	std.printf("gen: %s in %s; %d left out by the filter\n", count(r.result.Records, "record"), batches(len(r.result.Batches)), r.result.Filtered)
	if r.result.Records == 0 {
		return r.print(nil)
	}
	if o.compare != "" {
		return r.print(r.compare(ctx, start))
	}
	var f function
	rest := time.Duration(0)
	if here {
		l, made, err := r.runHere(ctx, h)
		if err != nil {
			return err
		}
		defer func() { _ = l.close() }() // the process ends with the command
		f = made
	} else {
		settings, err := r.connect(ctx)
		if err != nil {
			return err
		}
		f, rest = newFunction(settings, p.functionName(h)), 500*time.Millisecond
		if o.asks() {
			if err := r.askToSend(ctx, r.result.Records, f.name); err != nil {
				return err
			}
		}
	}
	r.result.Function = f.name
	return r.print(r.run(ctx, f, rest, r.source.ParallelizationFactor))
}

// openRecords reads a recording or an event. Its records are of one stream.
func openRecords(std streams, start, file string) (list []records.Record, err error) {
	from := std.in
	if file != "-" {
		f, err := os.Open(within(start, file))
		if err != nil {
			return nil, usageError{err}
		}
		defer f.Close()
		from = f
	}
	in := bufio.NewReader(from)
	head, _ := in.Peek(1024) // what cannot be read, cannot be read below either
	if line, _, _ := bytes.Cut(head, []byte("\n")); bytes.Contains(line, []byte(`"streamgen_recording"`)) {
		_, _, err = records.Read(in, func(r records.Record) error {
			list = append(list, r)
			return nil
		})
	} else {
		var text []byte
		if text, err = io.ReadAll(in); err == nil {
			list, err = records.ParseEvent(text)
		}
	}
	if err != nil {
		return nil, usagef("%s: %w", file, err)
	}
	for _, r := range list {
		if r.StreamARN != list[0].StreamARN {
			return nil, usagef("%s has records of several streams, %s and %s: replay one after the other", file, list[0].StreamARN, r.StreamARN)
		}
	}
	return list, nil
}

// cut makes batches of the records, as the mapping does.
func (r *replay) cut(list []records.Record, here bool) error {
	if len(list) == 0 {
		return nil
	}
	name := records.TableOf(list[0].StreamARN)
	var t spec.Table
	var err error
	if r.options.table != "" {
		r.source, t, err = r.place.source(r.handler, r.options.table)
	} else {
		r.source, t, err = r.sourceOf(r.handler, name)
	}
	if err != nil {
		return err
	}
	if r.source.TumblingWindow > 0 {
		return usagef("the handler %s keeps state over windows of the table %s: that is for 'gen local' and for tests, not for a replay",
			r.handler.Name, t.Name)
	}
	if prefix, is := strings.CutSuffix(name, t.TableName); is && here && !t.Existing {
		r.env.settings.NamePrefix = prefix // the stack of our own has the names that the records have
	}
	wanted := list
	if !r.options.noFilter {
		if wanted, err = records.Filter(list, r.source.FilterPatterns(t)); err != nil {
			return err
		}
	}
	r.result.Table, r.result.Records, r.result.Filtered = t.Name, len(wanted), len(list)-len(wanted)
	size := r.source.BatchSize
	if r.options.batchSize > 0 {
		size = r.options.batchSize
	}
	r.begun = slices.MinFunc(list, func(a, b records.Record) int { return a.At.Compare(b.At) }).At
	for _, shard := range records.ByShard(wanted) {
		var lanes [][]*replayedBatch
		for n, lane := range records.Lanes(shard, r.source.ParallelizationFactor, t.HashKey) {
			var all []*replayedBatch
			for _, b := range records.Batches(lane, size) {
				all = append(all, &replayedBatch{
					list: b, Batch: len(r.result.Batches) + len(all) + 1, Shard: b[0].Shard, Lane: n + 1,
					First: b[0].Sequence, Last: b[len(b)-1].Sequence, Records: len(b),
				})
			}
			lanes = append(lanes, all)
			r.result.Batches = append(r.result.Batches, all...)
		}
		r.shards = append(r.shards, lanes)
	}
	return nil
}

// attempts is how often a batch may fail.
func (r *replay) attempts() int {
	const most = 3
	switch retries := r.source.MaximumRetryAttempts; {
	case r.options.attempts > 0:
		return r.options.attempts
	case retries < 0:
		return most
	default:
		return min(retries+1, most)
	}
}

// run delivers all batches to a function: a shard after the other, as one may continue another, and its lanes side by side.
func (r *replay) run(ctx context.Context, f function, rest time.Duration, atOnce int) error {
	began := time.Now()
	d := records.Deliverer{
		Invoke: f.finish, Reports: r.source.ReportBatchItemFailures, Bisect: r.source.BisectBatchOnFunctionError, Attempts: r.attempts(),
		Rest: func(ctx context.Context, n int) error { return sleep(ctx, pauseAfter(rest, n)) },
	}
	for _, lanes := range r.shards {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atOnce)
		for _, lane := range lanes {
			group.Go(func() error {
				for _, b := range lane {
					if err := sleep(ctx, r.early(b, began)); err != nil {
						return err
					}
					out, err := d.Deliver(ctx, b.list)
					if err := errors.Join(err, r.take(b, out)); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	r.result.TookMS = milliseconds(time.Since(began))
	return nil
}

// early is how long it is before a batch is due: not at all, unless the records are to come at some speed.
func (r *replay) early(b *replayedBatch, began time.Time) time.Duration {
	if r.options.speed == 0 {
		return 0
	}
	written := b.list[len(b.list)-1].At.Sub(r.begun)
	return time.Until(began.Add(time.Duration(float64(written) / r.options.speed)))
}

// take keeps what became of a batch, and tells it.
func (r *replay) take(b *replayedBatch, out records.Outcome) error {
	b.batchOutcome = outcomeOf(out)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Invocations += len(b.Invocations)
	r.result.Done += b.Done
	r.result.Failed += len(b.Failed)
	if r.options.json || r.options.compare != "" {
		return nil
	}
	if len(b.Failed) > 0 {
		_, _ = io.WriteString(r.std.err, out.Tries[len(out.Tries)-1].Answer.Log)
	}
	_, err := io.WriteString(r.std.out, b.String()+": "+b.batchOutcome.String()+"\n")
	return err
}

func outcomeOf(out records.Outcome) batchOutcome {
	o := batchOutcome{Done: len(out.Done), Failed: failedOf(out.Failed)}
	for _, t := range out.Tries {
		i := invocation{Records: len(t.Records), First: t.Records[0].Sequence, Error: withoutID(t.Answer.Failure())}
		if i.Error == "" {
			i.Answer = string(t.Answer.Payload)
		}
		o.Invocations = append(o.Invocations, i)
		o.TookMS += milliseconds(t.Answer.Took)
	}
	return o
}

// withoutID takes away by which messages of Lambda's own differ from one invocation to the next.
func withoutID(message string) string {
	if rest, is := strings.CutPrefix(message, "RequestId: "); is {
		if _, said, found := strings.Cut(rest, " "); found {
			return said
		}
	}
	return message
}

// String tells which batch it is.
func (b *replayedBatch) String() string {
	text := fmt.Sprintf("batch %d, ", b.Batch)
	if b.Shard != "" {
		text += "shard " + records.Short(b.Shard) + ", "
	}
	return text + count(b.Records, "record") + " " + records.Range(b.First, b.Last)
}

// String tells what became of a batch, with a line for each record that failed.
func (o batchOutcome) String() string {
	text := fmt.Sprintf("%d done", o.Done)
	if n := len(o.Failed); n > 0 {
		text += fmt.Sprintf(", %d failed", n)
	}
	text += " in " + count(len(o.Invocations), "invocation")
	if o.TookMS > 0 { // not where outcomes are compared
		text += fmt.Sprintf(", %.1f ms", o.TookMS)
	}
	for _, f := range o.Failed {
		text += fmt.Sprintf("\n  failed: %s %s: %s", f.Sequence, f.Record, f.Why)
	}
	return text
}

// print gives the result, and an error when not all went well; err is what ended the run.
func (r *replay) print(err error) error {
	if r.options.json {
		if werr := report.JSON(r.std.out, r.result); werr != nil {
			return errors.Join(err, werr)
		}
	}
	c := r.result.Compared
	switch {
	case err != nil:
		return err
	case c != nil && c.differs():
		return fmt.Errorf("%s differs from %s: %s", c.Now, c.Before, c.summary())
	case c != nil:
		r.std.printf("gen: %s and %s do the same with %s\n", c.Before, c.Now, count(r.result.Records, "record"))
		return nil
	}
	rest := r.result.Records - r.result.Done - r.result.Failed
	told := fmt.Sprintf("%d of %s done in %s", r.result.Done, count(r.result.Records, "record"), count(r.result.Invocations, "invocation"))
	if r.result.Failed+rest > 0 {
		return fmt.Errorf("%s, %d failed", told, r.result.Failed+rest)
	}
	r.std.printf("gen: %s\n", told)
	return nil
}

func batches(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return fmt.Sprintf("%d batches", n)
}
