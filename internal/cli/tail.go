package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"streamgen/internal/local"
)

type tailOptions struct {
	env       environment
	all       bool
	kinds     []string
	failures  bool
	records   bool
	noRecords bool
	logs      bool
	noLogs    bool
	limit     time.Duration
	count     int
	json      bool
}

func newTail(std streams, at func() (string, error)) *cobra.Command {
	var o tailOptions
	cmd := &cobra.Command{
		Use:   "tail [HANDLER|TABLE]...",
		Short: "Follow what happens to records on the local stack, as it happens",
		Long: `Follow the local stack: each batch that goes to a handler, with its records and what changed in them, what the handler logs, whether it was
done, and where not, what became of it: which records are left, the error, the pause before the next attempt, the halves of a batch, and what was given up and
who was told. It goes on until it is interrupted, also when the stack is started anew.

Handlers and tables are those of gen.yaml; without any, all of them are followed. What else runs on the stack is left out unless it reads one of these
tables; --all shows it, and takes names of functions and tables as the stack has them. So it is where there is no gen.yaml.

The first records of a batch are shown, once: --records shows all of them, --no-records none. What handlers log is shown for people: --logs shows all log
lines as they are, with Lambda's own (START, END, REPORT) and those of metrics, --no-logs none. --failures shows what went wrong alone, with what was logged in
these invocations.`,
		Example: `  gen tail                          # in a second terminal, all day
  gen tail ship --records
  gen tail orders --failures
  gen tail --kind drop --json | jq .records[]
  gen tail ship --no-logs --count 10 --for 1m`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			start, err := at()
			if err != nil {
				return err
			}
			return runTail(cmd.Context(), std, start, args, o)
		},
		ValidArgsFunction: completeEntries(at, true, true),
	}
	f := cmd.Flags()
	f.StringVar(&o.env.name, "env", localEnvironment, "`ENVIRONMENT` of gen.yaml: local, since AWS tells nobody what its mappings do")
	f.StringVar(&o.env.endpoint, "endpoint", defaultEndpoint, "`URL` of the local stack")
	f.BoolVar(&o.all, "all", false, "show all that runs on the stack, of this project or not")
	f.StringArrayVar(&o.kinds, "kind", nil, "show events of this `KIND` alone (repeatable): "+strings.Join(local.EventKinds(), ", "))
	f.BoolVar(&o.failures, "failures", false, "show what went wrong alone, with its log lines")
	f.BoolVar(&o.records, "records", false, "show all records of a batch (default: the first few)")
	f.BoolVar(&o.noRecords, "no-records", false, "show no records")
	f.BoolVar(&o.logs, "logs", false, "show all log lines as they are, Lambda's own too (default: what handlers log, in short)")
	f.BoolVar(&o.noLogs, "no-logs", false, "show no log lines")
	f.DurationVar(&o.limit, "for", 0, "stop after this `DURATION`, such as 10m")
	f.IntVar(&o.count, "count", 0, "stop after `N` events")
	f.BoolVar(&o.json, "json", false, "print each event whole, as the stack tells it, a JSON object a line")
	_ = cmd.RegisterFlagCompletionFunc("env", cobra.FixedCompletions([]string{localEnvironment}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions(local.EventKinds(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o tailOptions) check() error {
	for _, kind := range o.kinds {
		if all := local.EventKinds(); !slices.Contains(all, kind) {
			return usagef("--kind %s: want one of %s", kind, strings.Join(all, ", "))
		}
	}
	switch {
	case o.count < 0 || o.limit < 0:
		return usagef("--count and --for are not below 0")
	case o.failures && len(o.kinds) > 0:
		return usagef("--failures chooses the kinds of events itself: leave out --kind")
	case o.records && o.noRecords:
		return usagef("--records and --no-records exclude each other")
	case o.noLogs && (o.logs || slices.Contains(o.kinds, local.EventLog)):
		return usagef("--no-logs leaves out what --logs or --kind log asks for")
	}
	return nil
}

// wanted are the kinds to ask the stack for; none is all of them.
func (o tailOptions) wanted() []string {
	kinds := o.kinds
	switch {
	case o.failures:
		kinds = append(slices.Clone(failureKinds), local.EventSuccess, local.EventInvocation, local.EventLog)
	case len(kinds) > 0 && o.logs && !slices.Contains(kinds, local.EventLog):
		kinds = append(slices.Clone(kinds), local.EventLog)
	case len(kinds) == 0 && o.noLogs:
		kinds = local.EventKinds()
	}
	if o.noLogs {
		kinds = slices.DeleteFunc(slices.Clone(kinds), func(kind string) bool { return kind == local.EventLog })
	}
	return kinds
}

func runTail(ctx context.Context, std streams, start string, names []string, o tailOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	view, err := openView(std, start, names, o)
	if err != nil {
		return err
	}
	query := view.query()
	query["kind"] = o.wanted()
	if !o.noRecords {
		query.Set("records", "1")
	}
	following, cancel := ctx, context.CancelFunc(func() {})
	if o.limit > 0 {
		following, cancel = context.WithTimeout(ctx, o.limit)
	}
	defer cancel()
	p := newTailPrinter(std, view, o)
	f := feedFollower{
		endpoint: o.env.endpoint, query: query, take: p.take, sleep: sleep, tell: std.printf,
		begun: func(again bool) {
			if again {
				p.forget()
				std.printf("gen: the stack is back, and followed from now on\n")
				return
			}
			std.printf("gen: following %s on %s; interrupt to end it\n", view.what, o.env.endpoint)
		},
	}
	err = f.run(following)
	if following.Err() != nil && errors.Is(err, following.Err()) { // interrupted, or the time is over
		return nil
	}
	return err
}

// view is what of the stack is looked at, and what it is called.
type view struct {
	// what tells people.
	what string
	// region is that of the project; empty without one. keys are the entries of gen.yaml by the names that their functions and tables have there.
	region    string
	functions map[string]string
	tables    map[string]string
	// Mappings are shown of these tables and of these functions; logs and direct invocations also of the readers of the tables. Without any of
	// them all is shown, of all regions when everywhere is set.
	onlyTables, onlyFunctions, readers []string
	everywhere                         bool
}

// openView finds what is to be followed.
func openView(std streams, start string, names []string, o tailOptions) (view, error) {
	if _, err := findProject(start); err != nil {
		if o.env.name != localEnvironment {
			return view{}, refuseAWS(o.env.name)
		}
		return viewOfStack(view{}, names), nil
	}
	p, err := openPlace(std, start, o.env, true)
	if err != nil {
		return view{}, err
	}
	if !p.env.local() {
		return view{}, refuseAWS(p.env.name)
	}
	v := view{region: p.env.settings.Region, functions: map[string]string{}, tables: map[string]string{}}
	for _, h := range p.handlers {
		v.functions[p.plainFunction(h)] = h.Name
	}
	for _, t := range p.tables {
		v.tables[p.tableName(t)] = t.Name
	}
	if o.all {
		return viewOfStack(v, names), nil
	}
	v.what = strings.Join(names, ", ")
	for _, h := range p.handlers {
		if len(names) == 0 || slices.Contains(names, h.Name) {
			v.onlyFunctions = append(v.onlyFunctions, p.plainFunction(h))
		}
	}
	var known []string
	for _, t := range p.tables {
		known = append(known, t.Name)
		if len(names) > 0 && !slices.Contains(names, t.Name) {
			continue
		}
		v.onlyTables = append(v.onlyTables, p.tableName(t))
		for _, h := range p.handlers {
			if _, _, err := p.source(h, t.Name); err == nil {
				v.readers = append(v.readers, p.plainFunction(h))
			}
		}
	}
	for _, h := range p.handlers {
		known = append(known, h.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return view{}, usagef("there is no handler and no table %q; gen.yaml has %s, and --all takes what else the stack has", name, orNone(known))
		}
	}
	if len(names) == 0 {
		v.what = "the project " + p.project.spec.Project
	}
	return v, nil
}

// viewOfStack is a view of the whole stack, or of functions and tables that the stack itself has by these names. With a project it may be
// the project's keys as well.
func viewOfStack(v view, names []string) view {
	v.everywhere, v.what = true, strings.Join(names, ", ")
	if len(names) == 0 {
		v.what = "everything"
	}
	for _, name := range names {
		v.onlyFunctions, v.onlyTables = append(v.onlyFunctions, name), append(v.onlyTables, name)
		for inAWS, key := range v.functions {
			if key == name && inAWS != name {
				v.onlyFunctions = append(v.onlyFunctions, inAWS)
			}
		}
		for inAWS, key := range v.tables {
			if key == name && inAWS != name {
				v.onlyTables = append(v.onlyTables, inAWS)
			}
		}
	}
	return v
}

func refuseAWS(env string) error {
	return usagef("--env %s is on AWS, which tells nobody what its mappings do: 'gen tail' follows the local stack alone. "+
		"'gen record TABLE --env %[1]s --out -' follows a table's stream there, and 'aws logs tail /aws/lambda/FUNCTION --follow' what a function logs", env)
}

// query asks the stack for what the view may show.
func (v view) query() url.Values {
	q := url.Values{"table": v.onlyTables, "function": slices.Concat(v.onlyFunctions, v.readers)}
	if !v.everywhere {
		q.Set("region", v.region)
	}
	return q
}

// has says whether the view shows an event that came for its query.
func (v view) has(e *local.Event) bool {
	switch {
	case len(v.onlyTables)+len(v.onlyFunctions) == 0 || e.Kind == local.EventLost:
		return true
	case slices.Contains(v.onlyFunctions, e.Function) || e.Table == "" && slices.Contains(v.readers, e.Function):
		return true
	}
	return slices.Contains(v.onlyTables, e.Table)
}

// function is what the view calls the function of an event. Where that is not in the project's region, the region stands before it.
func (v view) function(e *local.Event) string {
	switch key, found := v.functions[e.Function]; {
	case e.Function == "":
		return e.Group
	case e.Region != v.region:
		return e.Region + "/" + e.Function
	case found:
		return key
	}
	return e.Function
}

// table is what the view calls the table of an event.
func (v view) table(e *local.Event) string {
	if key, found := v.tables[e.Table]; found && e.Region == v.region {
		return key
	}
	return e.Table
}

// feedFollower reads the events of the local stack, and goes on when the stack has ended and is back.
type feedFollower struct {
	endpoint string
	query    url.Values
	// take gets each event, as it is and as its line says it. errEnough ends the reading.
	take func(e *local.Event, line []byte) error
	// begun is called when events are told from now on; again says that they were before.
	begun func(again bool)
	// tell tells the story; sleep rests.
	tell  func(format string, args ...any)
	sleep func(context.Context, time.Duration) error

	reading, before bool // begun was called since the stack answered, at all
}

// run reads until ctx ends or take has enough. A stack that is not there when it begins is an error.
func (f *feedFollower) run(ctx context.Context) error {
	if _, err := probeStack(ctx, f.endpoint); err != nil {
		return err
	}
	for {
		err := f.read(ctx)
		var gone endedError
		switch {
		case errors.Is(err, errEnough):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.As(err, &gone):
			return err
		}
		if f.reading {
			f.reading = false
			f.tell("gen: the stack on %s has ended; waiting until it is back\n", f.endpoint)
		}
		if err := f.await(ctx); err != nil {
			return err
		}
	}
}

// await waits until the stack answers.
func (f *feedFollower) await(ctx context.Context) error {
	const first, most = 100 * time.Millisecond, 2 * time.Second
	for pause := first; ; pause = min(2*pause, most) {
		if err := f.sleep(ctx, pause); err != nil {
			return err
		}
		if _, err := probeStack(ctx, f.endpoint); err == nil {
			return nil
		}
	}
}

// endedError says that the stack went away.
type endedError struct{ err error }

func (e endedError) Error() string { return e.err.Error() }

// read reads events until the stack goes away, which is an [endedError].
func (f *feedFollower) read(ctx context.Context) error {
	u, err := url.Parse(f.endpoint)
	if err != nil {
		return err
	}
	res, err := askStack(ctx, u, "events", f.query)
	if err != nil {
		return endedError{err}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		var refusal struct{ Error string }
		_ = json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&refusal)
		return fmt.Errorf("the stack on %s tells no events (%s): %s; is it of the same version as this gen?", f.endpoint, res.Status, refusal.Error)
	}
	f.begun(f.before)
	f.reading, f.before = true, true
	for lines := bufio.NewReaderSize(res.Body, 64<<10); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			err = errors.New("it closed the connection")
		}
		if err != nil {
			return endedError{err} // a last line that is cut off is no event
		}
		var e local.Event
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("reading an event of the stack: %w", err)
		}
		if err := f.take(&e, bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
}
