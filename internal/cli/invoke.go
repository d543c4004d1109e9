package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"streamgen/internal/batchfailure"
	"streamgen/internal/local"
	"streamgen/internal/records"
	"streamgen/internal/report"
	"streamgen/internal/spec"
)

type invokeOptions struct {
	env   environment
	event string
	items []string
	old   string
	kind  string
	table string
	async bool
	local bool
	json  bool
}

func newInvoke(std streams, at func() (string, error)) *cobra.Command {
	var o invokeOptions
	cmd := &cobra.Command{
		Use:   "invoke HANDLER",
		Short: "Invoke a handler with an event, or with one made of an item",
		Long: `Invoke the deployed function of a handler, or with --local its build for this machine, with an event of records of a DynamoDB stream. The
answer goes to stdout; what the function logged, and what Lambda would make of the answer, to stderr. The exit code is 1 when the function failed or
reported failed records.

--event is a file with an event, or - for stdin. --item makes an event of the item as it is now, --old of what it was before; they are plain JSON, with the
types that gen.yaml gives the attributes, or DynamoDB's JSON. --item alone is an insertion, both are a modification, --old alone is a removal. --item may
be given several times, for a record each.

--local runs the handler in a stack of its own inside this process, whose tables are empty. No other stack and no account are needed.`,
		Example: `  gen invoke ship --local --item '{"Id":"1","Status":"paid"}' --old '{"Id":"1","Status":"new"}'
  gen invoke ship --env local --event event.json
  gen invoke ship --env prod --kind remove --item '{"Id":"1"}' --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runInvoke(cmd.Context(), std, start, args[0], o)
		},
		ValidArgsFunction: only(1, completeEntries(at, true, false)),
	}
	o.env.endpointFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.event, "event", "", "invoke with the event in `FILE`; - is stdin")
	f.StringArrayVar(&o.items, "item", nil, "make a record of the item as it is now: `JSON` (repeatable)")
	f.StringVar(&o.old, "old", "", "the item as it was: `JSON`")
	f.StringVar(&o.kind, "kind", "", "the `KIND` of change: insert, modify or remove (default: by --item and --old)")
	f.StringVar(&o.table, "table", "", "the `TABLE` of gen.yaml that the item is of, where the handler reads several")
	f.BoolVar(&o.async, "async", false, "do not wait for the answer: Lambda tries an event that fails twice more")
	f.BoolVar(&o.local, "local", false, "run the handler's build for this machine, without any stack")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"insert", "modify", "remove"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("table", completeEntries(at, false, true))
	return cmd
}

// only completes the first n arguments.
func only(n int, complete cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, typed)
	}
}

// invoked is the result of gen invoke, as --json prints it: fields are added, never renamed or taken away.
type invoked struct {
	Handler  string `json:"handler"`
	Function string `json:"function"`
	// RequestID is empty where the function's log does not say it.
	RequestID     string `json:"request_id,omitempty"`
	Async         bool   `json:"async,omitempty"`
	FunctionError string `json:"function_error,omitempty"`
	// Answer is the function's, as it is when it is JSON, else as a text.
	Answer json.RawMessage `json:"answer,omitempty"`
	// TookMS is in milliseconds.
	TookMS float64 `json:"took_ms,omitempty"`
	// Records is how many there were, Done how many from the first on Lambda takes for done. Failed are the sequence numbers that the answer
	// names, Why says why all failed where none is to blame.
	Records int      `json:"records"`
	Done    int      `json:"done"`
	Failed  []string `json:"failed,omitempty"`
	Why     string   `json:"why,omitempty"`
	// Log is the end of what the function logged.
	Log string `json:"log,omitempty"`
}

func (o invokeOptions) check() error {
	switch {
	case o.event != "" && (len(o.items) > 0 || o.old != "" || o.kind != ""):
		return usagef("--event has its records: it goes with none of --item, --old and --kind")
	case o.async && o.local:
		return usagef("--async is for a deployed function, not for --local")
	}
	return nil
}

func runInvoke(ctx context.Context, std streams, start, name string, o invokeOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	p, err := openPlace(std, start, o.env, o.local)
	if err != nil {
		return err
	}
	h, err := p.handler(name)
	if err != nil {
		return err
	}
	// The event before anything runs: most mistakes are in it.
	batch, err := p.batchOf(ctx, start, h, o)
	if err != nil {
		return err
	}
	var f function
	if o.local {
		here, made, err := p.runHere(ctx, h)
		if err != nil {
			return err
		}
		defer func() { _ = here.close() }() // the process ends with the command
		f = made
	} else {
		settings, err := p.connect(ctx)
		if err != nil {
			return err
		}
		f = newFunction(settings, p.functionName(h))
	}
	event := records.Event(batch)
	result := invoked{Handler: h.Name, Function: f.name, Records: len(batch)}
	if o.async {
		return f.start(ctx, std, event, result, o.json)
	}
	a, err := f.invoke(ctx, event)
	if err != nil {
		return err
	}
	result.take(a, records.Judge(batch, a.Payload, a.FunctionError, p.reports(h, batch)))
	return result.print(std, batch, o.json)
}

// reports says whether the mapping that delivers such a batch takes reports of failed items.
func (p place) reports(h spec.Handler, batch []records.Record) bool {
	s, _, err := p.sourceOf(h, records.TableOf(batch[0].StreamARN))
	return err == nil && s.ReportBatchItemFailures
}

// start invokes the function without waiting for it.
func (f function) start(ctx context.Context, std streams, event []byte, result invoked, asJSON bool) error {
	out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: event, InvocationType: lambdatypes.InvocationTypeEvent})
	if err != nil {
		return fmt.Errorf("invoking %s: %w", f.name, err)
	}
	result.Async = true
	if asJSON {
		return report.JSON(std.out, result)
	}
	std.printf("gen: %s has the event (status %d); its log tells what becomes of it\n", f.name, out.StatusCode)
	return nil
}

func (r *invoked) take(a records.Answer, v batchfailure.Verdict) {
	r.RequestID, r.FunctionError, r.Log, r.TookMS = a.RequestID, a.FunctionError, a.Log, milliseconds(a.Took)
	r.Answer = a.Payload
	if !json.Valid(a.Payload) {
		r.Answer, _ = json.Marshal(string(a.Payload)) // a text cannot fail
	}
	r.Done, r.Failed, r.Why = v.Done, v.Named, v.Why
}

// print gives the result, and an error when not all went well.
func (r *invoked) print(std streams, batch []records.Record, asJSON bool) error {
	var err error
	if asJSON {
		err = report.JSON(std.out, r)
	} else {
		_, _ = io.WriteString(std.err, r.Log)
		_, err = fmt.Fprintf(std.out, "%s\n", r.Answer)
	}
	if err != nil {
		return err
	}
	took := duration(r.TookMS)
	switch {
	case r.FunctionError != "":
		return fmt.Errorf("%s failed after %s (%s): Lambda delivers all %s again", r.Function, took, r.FunctionError, count(r.Records, "record"))
	case r.Why != "":
		return fmt.Errorf("%s answered in %s, and Lambda delivers all %s again: %s", r.Function, took, count(r.Records, "record"), r.Why)
	case r.Done < r.Records:
		for _, b := range batch {
			if slices.Contains(r.Failed, b.Sequence) {
				std.printf("gen: failed: %s\n", b.String(60))
			}
		}
		return fmt.Errorf("%s answered in %s and reports failed records: Lambda takes the first %d of %d for done and delivers the rest again", r.Function, took, r.Done, r.Records)
	}
	std.printf("gen: %s answered in %s: %s done\n", r.Function, took, count(r.Records, "record"))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// duration is a time in milliseconds as people are told of it.
func duration(ms float64) time.Duration {
	return time.Duration(ms * float64(time.Millisecond)).Round(10 * time.Microsecond)
}

// batchOf gives the records that the options ask for.
func (p place) batchOf(ctx context.Context, start string, h spec.Handler, o invokeOptions) ([]records.Record, error) {
	if o.event != "" {
		return readEvent(p.std, start, o.event)
	}
	if len(o.items) == 0 && o.old == "" {
		return nil, usagef("want an event: --event FILE, or --item JSON, --old JSON or both")
	}
	_, t, err := p.source(h, o.table)
	if err != nil {
		return nil, err
	}
	if t.HashKey == "" {
		return nil, usagef("gen.yaml does not know the keys of the table %s: use --event", t.Name)
	}
	made := records.Made{Region: p.env.settings.Region, ViewType: t.StreamViewType, Keys: keyNames(t)}
	if made.ViewType == "" {
		made.ViewType = "NEW_AND_OLD_IMAGES" // of a table of others, whose stream is as they made it
	}
	if o.local {
		made.StreamARN = fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s/stream/2000-01-01T00:00:00.000", made.Region, local.Account, p.tableName(t))
	} else {
		settings, err := p.connect(ctx)
		if err != nil {
			return nil, err
		}
		if made.StreamARN, err = p.streamOf(ctx, settings, t); err != nil {
			return nil, err
		}
	}
	return makeBatch(made, t.Attributes, o, time.Now())
}

// keyNames are a table's key attributes, the hash key first.
func keyNames(t spec.Table) []string {
	if t.RangeKey == "" {
		return []string{t.HashKey}
	}
	return []string{t.HashKey, t.RangeKey}
}

func readEvent(std streams, start, file string) ([]records.Record, error) {
	text, err := readInput(std, start, file)
	if err != nil {
		return nil, err
	}
	batch, err := records.ParseEvent(text)
	if err != nil {
		return nil, usagef("--event %s: %w", file, err)
	}
	return batch, nil
}

// readInput reads a file that the user named, or stdin for -.
func readInput(std streams, start, file string) (text []byte, err error) {
	if file == "-" {
		text, err = io.ReadAll(std.in)
	} else {
		text, err = os.ReadFile(within(start, file))
	}
	if err != nil {
		return nil, usageError{err}
	}
	return text, nil
}

// within is a path that the user wrote, as seen from the folder that gen runs in.
func within(start, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(start, path)
}

// makeBatch makes a record of each item.
func makeBatch(made records.Made, attributes []spec.Attribute, o invokeOptions, now time.Time) ([]records.Record, error) {
	var old records.Image
	if o.old != "" {
		var err error
		if old, err = records.ParseItem([]byte(o.old), attributes); err != nil {
			return nil, usagef("--old: %w", err)
		}
	}
	if len(o.items) > 1 && old != nil {
		return nil, usagef("--old goes with one --item: put several modifications into a file, and use --event")
	}
	items := make([]records.Image, max(len(o.items), 1)) // none at all is a removal
	for i, text := range o.items {
		var err error
		if items[i], err = records.ParseItem([]byte(text), attributes); err != nil {
			return nil, usagef("--item: %w", err)
		}
	}
	var batch []records.Record
	for i, item := range items {
		before, after, err := changeOf(o.kind, made.ViewType, old, item)
		if err != nil {
			return nil, err
		}
		id := strings.ReplaceAll(uuid.NewString(), "-", "")
		r, err := made.Record(before, after, id, fmt.Sprintf("%021d", now.UnixNano()+int64(i)), now.Unix())
		if err != nil {
			return nil, usageError{err}
		}
		batch = append(batch, r)
	}
	return batch, nil
}

// changeOf gives what a change of a kind has before and after it.
func changeOf(kind, view string, old, item records.Image) (before, after records.Image, err error) {
	switch kind {
	case "":
		return old, item, nil
	case "insert":
		if old != nil {
			return nil, nil, usagef("--kind insert: there is no --old of what was not there")
		}
		return nil, item, nil
	case "remove":
		if old != nil && item != nil {
			return nil, nil, usagef("--kind remove: want --old, or --item, not both")
		}
		if old == nil {
			old = item
		}
		return old, nil, nil
	case "modify":
		if item == nil {
			return nil, nil, usagef("--kind modify: want --item, the item as it is now")
		}
		if old == nil && strings.Contains(view, "OLD") {
			return nil, nil, usagef("--kind modify: want --old too, since the stream has the item as it was (%s)", view)
		}
		if old == nil {
			old = item
		}
		return old, item, nil
	}
	return nil, nil, usagef("--kind %s: want insert, modify or remove", kind)
}
