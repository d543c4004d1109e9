package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/spf13/cobra"

	"streamgen/internal/records"
	"streamgen/internal/report"
	"streamgen/internal/spec"
)

type redriveOptions struct {
	env     environment
	from    string
	table   string
	limit   int
	retries int
	records bool
	dryRun  bool
	yes     bool
	local   bool
	keep    bool
	delete  bool
	inexact bool
	json    bool
}

func newRedrive(std streams, at func() (string, error)) *cobra.Command {
	var o redriveOptions
	cmd := &cobra.Command{
		Use:   "redrive HANDLER",
		Short: "Give the records to a handler again that its mapping gave up",
		Long: `Take the reports of records that a handler's mapping gave up, from the handler's queue or bucket of failures, and invoke its function
with these records again. A queue's reports say where in the stream the records are and are read again there, which DynamoDB allows for 24 hours; a
bucket's have the records themselves. On AWS it shows what there is and asks, or wants --yes where there is no terminal. --dry-run shows it and
sends nothing.

The function is invoked as the mapping does it: with batch_size records at most, those of a shard in their order, and what its answer reports as
failed is tried again. A batch that fails is split in two, down to the record that fails, and that one is tried --retries times more. A report is
deleted when all of its records are done; the others stay, and the exit code is 1. After an interruption they stay too: a batch that is under way
comes to its end, and a second interrupt ends it at once. The changes that items have had since were delivered before: the handler now sees older
ones after newer ones.

A report says which records were the first and the last of a batch, and how many. Where the mapping has a parallelization_factor, or a filter that
was changed, more may lie between them than was given up, or less. Unless all reports that overlap make up what lies there, nobody knows which ones
these are, and such a report is left. --inexact sends all of them to the function, of which some may be done already, and what is left of batches
that DynamoDB has begun to forget.

--local runs the handler's build for this machine in a stack of its own, with the records of the environment; the reports stay, unless --delete.

On AWS it takes sqs:GetQueueUrl, ReceiveMessage, ChangeMessageVisibility and DeleteMessage for a queue, s3:ListBucket, GetObject and DeleteObject
for a bucket, kms:Decrypt where they have a key, dynamodb:GetShardIterator and GetRecords for the stream, and lambda:InvokeFunction.`,
		Example: `  gen redrive ship --env prod --dry-run --records     # what there is, with each record
  gen redrive ship --env prod                         # show, ask, send
  gen redrive ship --env prod --local                 # what the fixed handler would make of them
  gen redrive ship --from messages.json --yes         # reports of a topic, of a file`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runRedrive(cmd.Context(), std, start, args[0], o)
		},
		ValidArgsFunction: only(1, completeEntries(at, true, false)),
	}
	o.env.endpointFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.from, "from", "", "take the reports in `FILE`, or - for stdin: reports, messages of SQS or SNS, one after the other or in a list")
	f.StringVar(&o.table, "table", "", "take reports of this `TABLE` of gen.yaml alone")
	f.IntVar(&o.limit, "limit", 0, "take `N` reports at most")
	f.IntVar(&o.retries, "retries", 1, "invoke the function `N` times more with a record that fails")
	f.BoolVar(&o.records, "records", false, "show each record, with what changed")
	f.BoolVar(&o.dryRun, "dry-run", false, "send nothing and delete nothing")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&o.local, "local", false, "send to the handler's build for this machine, and keep the reports")
	f.BoolVar(&o.keep, "keep", false, "delete no reports")
	f.BoolVar(&o.delete, "delete", false, "with --local: delete the reports whose records are done")
	f.BoolVar(&o.inexact, "inexact", false, "send what a report may mean, where it is not known exactly")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	_ = cmd.MarkFlagFilename("from")
	_ = cmd.RegisterFlagCompletionFunc("table", completeEntries(at, false, true))
	return cmd
}

func (o redriveOptions) check(std streams) error {
	switch {
	case o.limit < 0 || o.retries < 0:
		return usagef("--limit and --retries are not below 0")
	case o.dryRun && (o.yes || o.delete):
		return usagef("--dry-run sends and deletes nothing: it goes with neither --yes nor --delete")
	case o.keep && o.delete:
		return usagef("--keep and --delete contradict each other")
	case o.delete && !o.local:
		return usagef("--delete is for --local: without it, the reports of what is done are deleted anyway")
	case o.delete && o.from != "":
		return usagef("--delete goes with a queue or a bucket: from a file nothing is deleted")
	case o.asks() && o.json:
		return usagef("--json shows nothing to be asked about: want --dry-run or --yes with it")
	case o.asks() && (!isTerminal(std.in) || o.from == "-"):
		return usagef("this invokes a function on AWS and there is no terminal to ask on: --dry-run shows what would be sent, --yes sends it")
	}
	return nil
}

// asks reports whether the user is asked before anything is sent.
func (o redriveOptions) asks() bool {
	return !o.dryRun && !o.yes && !o.local && o.env.name != localEnvironment
}

// redriven is the result of gen redrive, as --json prints it: fields are added, never renamed or taken away.
type redriven struct {
	Handler  string `json:"handler"`
	Function string `json:"function,omitempty"`
	DryRun   bool   `json:"dry_run,omitempty"`
	// Reports are those of the handler, in the order in which they are sent. Others is how many were left that are none of its.
	Reports []*given `json:"reports"`
	Others  int      `json:"others"`
	// Records were found, Done were done and Failed failed again.
	Records int `json:"records"`
	Done    int `json:"done"`
	Failed  int `json:"failed"`
}

// redrive is one run of gen redrive.
type redrive struct {
	place
	options redriveOptions
	handler spec.Handler
	stores  []failureStore
	reader  rangeReader
	// invoke runs the function; nil in a dry run. rest is the pause after a failure, at first.
	invoke func(context.Context, []byte) (records.Answer, error)
	rest   time.Duration
	now    func() time.Time
	// sending says that records are sent, and not shown alone.
	sending bool
	result  redriven
}

func runRedrive(ctx context.Context, std streams, start, name string, o redriveOptions) (err error) {
	if err := o.check(std); err != nil {
		return err
	}
	p, err := openPlace(std, start, o.env, false)
	if err != nil {
		return err
	}
	h, err := p.handler(name)
	if err != nil {
		return err
	}
	sources, err := p.redriven(h, o.table)
	if err != nil {
		return err
	}
	r := &redrive{place: p, options: o, handler: h, now: time.Now, result: redriven{Handler: h.Name, DryRun: o.dryRun, Reports: []*given{}}}
	if o.from != "" {
		file, err := openFailureFile(std, start, o.from)
		if err != nil {
			return err
		}
		r.stores = []failureStore{file}
	}
	settings, err := p.connect(ctx)
	if err != nil {
		return err
	}
	r.reader = rangeReader{client: dynamodbstreams.NewFromConfig(settings), region: p.env.settings.Region, tell: std.printf, sleep: sleep}
	if o.from == "" {
		if r.stores, err = p.failureStores(ctx, settings, h, sources); err != nil {
			return err
		}
	}
	closeFunction, err := r.open(ctx, settings)
	if err != nil {
		return err
	}
	defer closeFunction()
	err = r.run(ctx)
	for _, store := range r.stores {
		err = errors.Join(err, store.close(hardStop(ctx)))
	}
	return r.print(err)
}

// redriven are the mappings of a handler whose reports are taken: that of the named table, or all.
func (p place) redriven(h spec.Handler, table string) ([]spec.Source, error) {
	sources := h.Sources
	if table != "" {
		s, _, err := p.source(h, table)
		if err != nil {
			return nil, err
		}
		sources = []spec.Source{s}
	}
	for _, s := range sources {
		if s.TumblingWindow > 0 {
			return nil, usagef("the handler %s keeps state over windows of the table %s, and the windows of these records are over: nothing can be sent to it again",
				h.Name, s.Table)
		}
	}
	return sources, nil
}

// open makes the function ready that gets the records.
func (r *redrive) open(ctx context.Context, settings aws.Config) (closeFunction func(), err error) {
	f, done := newFunction(settings, r.functionName(r.handler)), func() {}
	switch {
	case r.options.dryRun:
		return done, nil
	case r.options.local:
		here, made, err := r.runHere(ctx, r.handler)
		if err != nil {
			return nil, err
		}
		f, done = made, func() { _ = here.close() } // the process ends with the command
	default:
		r.rest = 500 * time.Millisecond
	}
	r.invoke, r.result.Function = f.finish, f.name
	return done, nil
}

func (r *redrive) run(ctx context.Context) error {
	if err := r.collect(ctx); err != nil {
		return err
	}
	reports := r.result.Reports
	if len(reports) == 0 {
		return nil
	}
	if !r.options.asks() {
		return r.pass(ctx, !r.options.dryRun)
	}
	if err := r.pass(ctx, false); err != nil {
		return err
	}
	sendable := 0
	for _, g := range reports {
		if g.Status == givenReady {
			sendable += g.Found
		}
	}
	if sendable == 0 {
		return nil
	}
	if err := r.askToSend(ctx, sendable, r.result.Function); err != nil {
		return err
	}
	return r.pass(ctx, true)
}

// askToSend asks whether records may go to a function of the environment.
func (p place) askToSend(ctx context.Context, n int, function string) error {
	return ask(ctx, p.std, fmt.Sprintf("Send %s to %s in %s? Only yes sends: ", count(n, "record"), function, p.env.name), "yes")
}

// collect takes the handler's reports and brings them in the order of their records. Shards are named by when they were opened, so that a
// parent stands before its children.
func (r *redrive) collect(ctx context.Context) error {
	told := r.now()
	for _, store := range r.stores {
		others := map[string][]string{} // messages that stay, by why
		err := store.collect(ctx, func(id string, report records.Report, err error) bool {
			if now := r.now(); now.Sub(told) > 10*time.Second {
				told = now
				r.std.printf("gen: %s so far\n", count(len(r.result.Reports), "report"))
			}
			g, why := r.given(store, id, report, err)
			if why != "" {
				r.result.Others++
				others[why] = append(others[why], id)
				return true
			}
			r.result.Reports = append(r.result.Reports, g)
			return r.options.limit == 0 || len(r.result.Reports) < r.options.limit
		})
		if err != nil {
			return err
		}
		for _, why := range slices.Sorted(maps.Keys(others)) {
			ids := others[why]
			if len(ids) > 1 {
				why += fmt.Sprintf(", as of %d more", len(ids)-1)
			}
			r.std.printf("gen: left in the %s: %s: %s\n", store, ids[0], why)
		}
		if r.options.limit > 0 && len(r.result.Reports) == r.options.limit {
			break
		}
	}
	slices.SortStableFunc(r.result.Reports, func(a, b *given) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Shard, b.Shard), records.CompareSequence(a.First, b.First))
	})
	return nil
}

// given takes a report if it is one of the handler's; why says why it is not.
func (r *redrive) given(store failureStore, id string, report records.Report, err error) (g *given, why string) {
	if err != nil {
		return nil, err.Error()
	}
	_, name, _ := strings.Cut(report.FunctionARN, ":function:")
	name, _, _ = strings.Cut(name, ":") // its alias or version
	if name != r.plainFunction(r.handler) && r.options.from == "" {
		return nil, "it is a report of the function " + name
	}
	source, table, err := r.sourceOf(r.handler, records.TableOf(report.StreamARN))
	if err != nil && r.options.from != "" && r.options.table != "" { // somebody knows what the file has
		source, table, err = r.source(r.handler, r.options.table)
	}
	if err != nil {
		return nil, "it is a report of the table " + records.TableOf(report.StreamARN)
	}
	if r.options.table != "" && source.Table != r.options.table {
		return nil, "it is a report of the table " + table.Name
	}
	return &given{
		report: report, store: store, source: source, From: store.String(), ID: id, Condition: report.Condition, Invokes: report.Invokes,
		GivenUp: report.At, Table: table.Name, Stream: report.StreamARN, Shard: report.Shard, First: report.First, Last: report.Last, Records: report.Count,
		Status: givenLeft,
	}, ""
}

// pass goes through the reports: it finds their records, and sends them if send says so.
func (r *redrive) pass(ctx context.Context, send bool) error {
	r.sending, r.result.Records = send, 0
	for _, g := range r.result.Reports {
		g.Status = givenLeft
	}
	for rest := r.result.Reports; len(rest) > 0; {
		// As many reports of a shard as make up a batch, and those that lie between.
		n, found, last := 0, 0, ""
		for n < len(rest) && rest[n].Stream == rest[0].Stream && rest[n].Shard == rest[0].Shard &&
			(found < rest[0].source.BatchSize || rest[n].liesBefore(last)) {
			g := rest[n]
			if err := r.find(ctx, g); err != nil {
				return err
			}
			if last = later(last, g.Last); g.Status == givenReady {
				found += g.Found
			}
			n++
		}
		chunk := rest[:n]
		rest = rest[n:]
		clarify(chunk)
		var list []records.Record
		for _, g := range chunk {
			if g.Status == givenReady {
				list = append(list, g.list...)
			}
		}
		list = inOrderOnce(list)
		r.result.Records += len(list)
		var err error
		if send {
			err = r.send(ctx, chunk, list)
		}
		for _, g := range chunk {
			err = errors.Join(err, r.show(g))
			g.list = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inOrderOnce brings records of a shard into their order, each of them once.
func inOrderOnce(list []records.Record) []records.Record {
	slices.SortStableFunc(list, func(a, b records.Record) int { return records.CompareSequence(a.Sequence, b.Sequence) })
	return slices.CompactFunc(list, func(a, b records.Record) bool { return a.Sequence == b.Sequence })
}

// find finds the records of a report: in the report, or in the stream.
func (r *redrive) find(ctx context.Context, g *given) error {
	g.list, g.Found, g.trimmed, g.Inexact, g.Why = nil, 0, false, false, ""
	event, err := g.store.event(ctx, g.ID)
	if err != nil {
		return err
	}
	if event != nil {
		if g.list, err = records.ParseEvent(event); err != nil {
			g.Status, g.Why = givenGone, err.Error()
			return nil //nolint:nilerr // it is told with the report; the others go on
		}
		for i := range g.list {
			g.list[i].Shard = g.Shard
		}
		g.Status, g.Found = givenReady, len(g.list)
		return nil
	}
	all, missing, err := r.reader.read(ctx, g.report)
	if err != nil {
		return err
	}
	table, err := r.table(g.Table)
	if err != nil {
		return err
	}
	wanted, err := records.Filter(all, g.source.FilterPatterns(table))
	if err != nil {
		return err
	}
	list, exact := g.report.Pick(all, wanted)
	g.list, g.Found, g.trimmed = list, len(list), missing != ""
	switch {
	case len(all) == 0:
		g.Status, g.Why = givenGone, missing
		return nil
	case exact:
	case missing != "":
		g.Inexact, g.Why = true, fmt.Sprintf("%d of %s are left: %s", len(list), count(g.Records, "record"), missing)
	case len(wanted) < g.Records:
		g.Inexact = true
		g.Why = fmt.Sprintf("gen.yaml's filter lets %d of the %s through that lie there, and %d were given up", len(wanted), count(len(all), "record"), g.Records)
	default:
		g.Inexact, g.Why = true, fmt.Sprintf("of the %s that lie there %d were given up", count(len(list), "record"), g.Records)
	}
	g.Status = givenReady
	if g.Inexact && (!r.options.inexact || len(list) == 0) {
		g.Status = givenUnclear
	}
	return nil
}

// send delivers the records of some reports, and deletes the reports that are done with.
func (r *redrive) send(ctx context.Context, chunk []*given, list []records.Record) error {
	done, failed := map[string]bool{}, map[string]records.Failed{}
	source := chunk[0].source
	d := records.Deliverer{
		Invoke: r.invoke, Reports: source.ReportBatchItemFailures, Bisect: true, Attempts: r.options.retries + 1,
		Rest: func(ctx context.Context, n int) error { return sleep(ctx, pauseAfter(r.rest, n)) },
	}
	var stopped error
	for _, batch := range records.Batches(list, source.BatchSize) {
		var out records.Outcome
		if out, stopped = d.Deliver(ctx, batch); len(out.Failed) > 0 && !r.options.json {
			_, _ = io.WriteString(r.std.err, out.Tries[len(out.Tries)-1].Answer.Log) // of the story; the result goes to stdout
		}
		for _, record := range out.Done {
			done[record.Sequence] = true
		}
		for _, f := range out.Failed {
			failed[f.Record.Sequence] = f
		}
		r.result.Done, r.result.Failed = r.result.Done+len(out.Done), r.result.Failed+len(out.Failed)
		if stopped != nil {
			break
		}
	}
	for _, g := range chunk {
		if g.Status != givenReady {
			continue
		}
		g.settle(done, failed)
		if g.Status != givenDone || r.options.keep || r.options.from != "" || r.options.local && !r.options.delete {
			continue
		}
		// What is done is done, though the user has had enough.
		if err := g.store.remove(hardStop(ctx), g.ID); err != nil {
			return errors.Join(stopped, err)
		}
		g.Deleted = true
	}
	return stopped
}

// pauseAfter is how long to wait after the n-th failure in a row, as a mapping does: first, doubled each time.
func pauseAfter(first time.Duration, n int) time.Duration {
	const most = time.Minute
	return min(most, first<<min(n-1, 10))
}

// show prints a report's line, and its records where these are asked for or failed.
func (r *redrive) show(g *given) error {
	if r.options.json {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s, shard %s, %s, %s after %s, %s\n", count(g.Records, "record"), g.Table, records.Short(g.Shard),
		records.Range(g.First, g.Last), g.Condition, count(g.Invokes, "invocation"), g.age(r.now()))
	switch {
	case g.Status == givenDone && g.Deleted:
		fmt.Fprintln(&b, "  done, and the report deleted")
	case g.Why != "":
		fmt.Fprintf(&b, "  %s: %s\n", g.Status, g.Why)
	default:
		fmt.Fprintf(&b, "  %s\n", g.Status)
	}
	for _, f := range g.Failed {
		fmt.Fprintf(&b, "  failed: %s: %s\n", f.Record, f.Why)
	}
	if r.options.records {
		for _, record := range g.list {
			fmt.Fprintf(&b, "  %s %s\n", record.Sequence, record.String(60))
		}
	}
	_, err := io.WriteString(r.std.out, b.String())
	return err
}

// print gives the result, and an error when not all went well; err is what ended the run.
func (r *redrive) print(err error) error {
	byStatus := map[givenStatus]int{}
	for _, g := range r.result.Reports {
		byStatus[g.Status]++
	}
	if r.options.json {
		if werr := report.JSON(r.std.out, r.result); werr != nil {
			return errors.Join(err, werr)
		}
	}
	reports := count(len(r.result.Reports), "report")
	switch {
	case len(r.result.Reports) == 0 && err == nil:
		r.std.printf("gen: nothing was given up: there is no report for %s\n", r.handler.Name)
	case r.options.dryRun:
		r.std.printf("gen: %s of %s would be sent; nothing was\n", count(r.result.Records, "record"), reports)
	case r.sending:
		to := r.result.Function
		if r.options.local {
			to = "the build on this machine"
		}
		r.std.printf("gen: sent %s of %s to %s: %d done, %d failed again\n",
			count(r.result.Done+r.result.Failed, "record"), reports, to, r.result.Done, r.result.Failed)
	}
	var bad []string
	for _, status := range []givenStatus{givenFailed, givenGone, givenUnclear, givenLeft} {
		if n := byStatus[status]; n > 0 {
			bad = append(bad, fmt.Sprintf("%d %s", n, status))
		}
	}
	if len(bad) == 0 {
		return err
	}
	hint := ""
	if byStatus[givenUnclear] > 0 {
		hint = "; --inexact sends what may be meant"
	}
	what := "done"
	if r.options.dryRun {
		what = "to be sent"
	}
	undone := fmt.Sprintf("not all reports are %s: %s%s", what, strings.Join(bad, ", "), hint)
	if err == nil {
		return errors.New(undone)
	}
	r.std.printf("gen: %s\n", undone)
	return err
}
