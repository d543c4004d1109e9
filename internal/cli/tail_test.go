package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"streamgen/internal/local"
	"streamgen/internal/records"
)

// watched is what a command prints, while it does.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newWatched() *watched { return &watched{more: make(chan struct{})} }

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.more)
	w.more = make(chan struct{})
	return w.text.Write(p)
}

func (w *watched) now() (text string, more <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String(), w.more
}

func (w *watched) String() string {
	text, _ := w.now()
	return text
}

// await waits for a text.
func (w *watched) await(t *testing.T, want string) {
	t.Helper()
	w.awaits(t, 1, want)
}

// awaits waits until the texts stand there n times together.
func (w *watched) awaits(t *testing.T, n int, texts ...string) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		text, more := w.now()
		there := 0
		for _, want := range texts {
			there += strings.Count(text, want)
		}
		if there >= n {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("%d of %d %q in\n%s", there, n, texts, text)
		}
	}
}

// tailing is a tail that runs.
type tailing struct {
	out, err *watched
	stop     context.CancelFunc
	code     chan int
}

// tail starts a tail in a folder, and waits until it follows.
func tail(t *testing.T, dir, endpoint string, args ...string) *tailing {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	run := &tailing{out: newWatched(), err: newWatched(), stop: stop, code: make(chan int, 1)}
	go func() {
		run.code <- Run(ctx, slices.Concat([]string{"tail"}, args, []string{"-C", dir, "--endpoint", endpoint}), strings.NewReader(""), run.out, run.err)
	}()
	t.Cleanup(stop)
	run.err.await(t, "gen: following")
	return run
}

// ends waits for the end, which is a good one.
func (r *tailing) ends(t *testing.T) {
	t.Helper()
	select {
	case code := <-r.code:
		if code != ExitOK {
			t.Errorf("exit code %d\n%s", code, r.err)
		}
	case <-time.After(time.Minute):
		t.Fatalf("it goes on\n%s%s", r.out, r.err)
	}
}

var (
	tailClock    = regexp.MustCompile(`(?m)^\d\d:\d\d:\d\d\.\d{3}  `)
	tailTook     = regexp.MustCompile(`(attempt \d,|in) [0-9.]+(µs|ms|s)`)
	tailSequence = regexp.MustCompile(`1\d{20}(–…\d+)?`)
	tailShard    = regexp.MustCompile(`  [0-9a-f]{8}  `)
	tailSpaces   = regexp.MustCompile(` +`)
)

// lines are what was printed but for what differs from run to run, each with single spaces.
func (r *tailing) lines() []string {
	text := r.out.String()
	for _, c := range []struct {
		re *regexp.Regexp
		by string
	}{
		{tailClock, ""}, {tailTook, "$1 T"}, {tailShard, "  SHARD  "}, {tailSequence, "SEQ"}, {tailSpaces, " "},
	} {
		text = c.re.ReplaceAllString(text, c.by)
	}
	return strings.Split(strings.TrimSpace(text), "\n")
}

// attach makes a mapping of orders to a function, with batches of three, two attempts and a queue for what is given up.
func (f *fixture) attach(t *testing.T) {
	t.Helper()
	queues := sqs.NewFromConfig(f.settings)
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("lost")})
	if err != nil {
		t.Fatal(err)
	}
	about, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNameQueueArn}})
	if err != nil {
		t.Fatal(err)
	}
	table, err := f.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = lambda.NewFromConfig(f.settings).CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		EventSourceArn: table.Table.LatestStreamArn, FunctionName: aws.String("ship"), StartingPosition: lambdatypes.EventSourcePositionTrimHorizon,
		BatchSize: aws.Int32(3), MaximumRetryAttempts: aws.Int32(1), BisectBatchOnFunctionError: aws.Bool(true),
		DestinationConfig: &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: aws.String(about.Attributes["QueueArn"])}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// failOn makes the function fail with batches that hold a record.
func (f *fixture) failOn(bad string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = func(event []byte) ([]byte, error) {
		list, err := records.ParseEvent(event)
		if slices.ContainsFunc(list, func(r records.Record) bool { return idOf(r) == bad }) {
			err = errors.New("no luck")
		}
		return []byte("null"), err
	}
}

// TestTail sees a batch of three go to the function, fail, be halved, and one record be tried twice and given up.
func TestTail(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.failOn("b")
	f.put(t, "a", "b", "c")
	endpoint := f.stack.Endpoint()
	all := tail(t, f.dir, endpoint, "ship", "--no-logs")
	failures := tail(t, f.dir, endpoint, "orders", "--failures", "--logs", "--no-records")
	kinds := tail(t, f.dir, endpoint, "--kind", "drop", "--kind", "bisect", "--count", "3")
	raw := tail(t, f.dir, endpoint, "--json", "--no-logs", "--count", "13")
	f.gen(t, "tail", "--for", "1ns").want(t, ExitOK)
	f.attach(t)

	raw.ends(t)
	kinds.ends(t)
	image := func(id string) string {
		return fmt.Sprintf(` INSERT Id="%s" {Binary: "AP8=", Deep: [{n: null}], Set: <1, 2.5>, Status: "<new>"}`, id)
	}
	all.err.await(t, "following ship on "+endpoint)
	all.out.awaits(t, 2, "success")
	wantList(t, "lines", []string{
		"ship invoke 3 records orders SHARD SEQ attempt 1", image("a"), image("b"), image("c"),
		"ship failure 3 records orders SHARD SEQ attempt 1, T: no luck (errorString)",
		"ship bisect 3 records orders SHARD SEQ now 1 and 2",
		"ship invoke 1 record orders SHARD SEQ attempt 1", image("a"),
		"ship success 1 record orders SHARD SEQ in T",
		"ship invoke 2 records orders SHARD SEQ attempt 1", image("b"), image("c"),
		"ship failure 2 records orders SHARD SEQ attempt 1, T: no luck (errorString)",
		"ship bisect 2 records orders SHARD SEQ now 1 and 1",
		"ship invoke 1 record orders SHARD SEQ attempt 1", image("b"),
		"ship failure 1 record orders SHARD SEQ attempt 1, T: no luck (errorString)",
		"ship retry 1 record orders SHARD SEQ again in T after attempt 1",
		"ship invoke 1 record orders SHARD SEQ attempt 2",
		"ship failure 1 record orders SHARD SEQ attempt 2, T: no luck (errorString)",
		"ship drop 1 record orders SHARD SEQ given up after attempt 2: RetryAttemptsExhausted; sqs lost is told", image("b"),
		"ship invoke 1 record orders SHARD SEQ attempt 1", image("c"),
		"ship success 1 record orders SHARD SEQ in T",
	}, all.lines())
	wantList(t, "kinds", []string{
		"ship bisect 3 records orders SHARD SEQ now 1 and 2", image("a"), image("b"), image("c"),
		"ship bisect 2 records orders SHARD SEQ now 1 and 1", image("b"), image("c"),
		"ship drop 1 record orders SHARD SEQ given up after attempt 2: RetryAttemptsExhausted; sqs lost is told", image("b"),
	}, kinds.lines())

	failures.out.await(t, "drop")
	var failed []string
	for i, line := range failures.lines() {
		if !strings.Contains(line, "|") {
			failed = append(failed, line)
		} else if i == 0 || !strings.Contains(line, "RequestId") && !strings.Contains(line, "no luck") {
			t.Errorf("line %d of failures: %s", i, line)
		}
	}
	wantList(t, "failures", []string{
		"ship failure 3 records orders SHARD SEQ attempt 1, T: no luck (errorString)",
		"ship bisect 3 records orders SHARD SEQ now 1 and 2",
		"ship failure 2 records orders SHARD SEQ attempt 1, T: no luck (errorString)",
		"ship bisect 2 records orders SHARD SEQ now 1 and 1",
		"ship failure 1 record orders SHARD SEQ attempt 1, T: no luck (errorString)",
		"ship retry 1 record orders SHARD SEQ again in T after attempt 1",
		"ship failure 1 record orders SHARD SEQ attempt 2, T: no luck (errorString)",
		"ship drop 1 record orders SHARD SEQ given up after attempt 2: RetryAttemptsExhausted; sqs lost is told",
	}, failed)
	if n := strings.Count(failures.out.String(), "START RequestId"); n != 4 {
		t.Errorf("%d invocations in the log of failures, want 4\n%s", n, failures.out)
	}

	var got []string
	for _, line := range strings.Split(strings.TrimSpace(raw.out.String()), "\n") {
		var e local.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil || len(e.Records) != e.Count || e.FunctionARN == "" {
			t.Errorf("%v: %s", err, line)
		}
		got = append(got, e.Kind)
	}
	wantList(t, "JSON", strings.Fields("invoke failure bisect invoke success invoke failure bisect invoke failure retry invoke failure"), got)
	for _, run := range []*tailing{all, failures} {
		run.stop()
		run.ends(t)
	}
}

// TestTailGoesOn when the stack is started anew on its port, wherever it runs.
func TestTailGoesOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	inside := tail(t, f.dir, f.stack.Endpoint(), "--kind", "invocation")
	outside := tail(t, t.TempDir(), f.stack.Endpoint(), "ship", "--kind", "invocation")
	missed := tail(t, t.TempDir(), f.stack.Endpoint(), "bill", "--kind", "invocation")
	everything := tail(t, f.dir, f.stack.Endpoint(), "--all", "--kind", "invocation")
	invoke := func(region, name string) {
		t.Helper()
		settings := f.settings
		settings.Region = region
		if _, err := lambda.NewFromConfig(settings).Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	invoke("us-east-1", "ship")
	inside.out.await(t, "  ship  invocation  in ")
	if err := f.stack.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, run := range []*tailing{inside, outside, everything, missed} {
		run.err.await(t, "has ended; waiting until it is back")
	}
	again, err := local.Start(t.Context(), local.Options{Listen: strings.TrimPrefix(f.stack.Endpoint(), "http://")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = again.Close(context.Background()) })
	for region, names := range map[string][]string{"us-east-1": {"ship", "audit"}, "eu-west-1": {"ship"}} {
		for _, name := range names {
			if _, err := again.Register(region, name, time.Minute, f.handle); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, run := range []*tailing{inside, outside, everything, missed} {
		run.err.await(t, "the stack is back")
	}
	invoke("us-east-1", "audit")
	invoke("eu-west-1", "ship")
	invoke("us-east-1", "ship")
	for _, run := range []*tailing{inside, outside, everything} {
		run.out.awaits(t, 2, "us-east-1/ship  ", "  ship  ")
	}
	for _, run := range []*tailing{inside, outside, everything, missed} {
		run.stop()
		run.ends(t)
		if n := strings.Count(run.err.String(), "has ended"); n != 1 {
			t.Errorf("said %d times that the stack ended", n)
		}
	}
	one := func(name string) string { return name + " invocation in T" }
	wantList(t, "the project", []string{one("ship"), one("ship")}, inside.lines())
	wantList(t, "outside", []string{one("us-east-1/ship"), one("eu-west-1/ship"), one("us-east-1/ship")}, outside.lines())
	wantList(t, "everything", []string{one("ship"), one("audit"), one("eu-west-1/ship"), one("ship")}, everything.lines())
	wantList(t, "another function", []string{""}, missed.lines())
}

func TestTailRefuses(t *testing.T) {
	f := newFixture(t)
	write(t, filepath.Join(f.dir, "gen.yaml"), recordsSpec+"environments:\n  prod: {}\n")
	nowhere := t.TempDir()
	for _, c := range []struct {
		dir  string
		args string
		code int
		want string
	}{
		{f.dir, "--env prod", ExitInput, "--env prod is on AWS, which tells nobody what its mappings do"},
		{f.dir, "ship --env prod", ExitInput, "'gen record TABLE --env prod --out -'"},
		{nowhere, "--env prod", ExitInput, "follows the local stack alone"},
		{f.dir, "--env stage", ExitInput, `there is no environment "stage"; gen.yaml has prod`},
		{f.dir, "bill", ExitInput, `there is no handler and no table "bill"; gen.yaml has orders, ship, and --all`},
		{f.dir, "--kind log --kind logs", ExitInput, "--kind logs: want one of invoke, success"},
		{f.dir, "--kind drop --failures", ExitInput, "leave out --kind"},
		{f.dir, "--records --no-records", ExitInput, "exclude each other"},
		{f.dir, "--kind log --no-logs", ExitInput, "--no-logs leaves out"},
		{f.dir, "--logs --no-logs", ExitInput, "--no-logs leaves out"},
		{f.dir, "--count -1", ExitInput, "not below 0"},
		{f.dir, "--endpoint http://127.0.0.1:1", ExitFailed, "no local stack on http://127.0.0.1:1; start it with 'gen local'"},
		{nowhere, "--endpoint http://127.0.0.1:1", ExitFailed, "no local stack on http://127.0.0.1:1; start it with 'gen local'"},
		{nowhere, "--endpoint https://example.com", ExitInput, "--endpoint"},
	} {
		var out, errout bytes.Buffer
		args := slices.Concat([]string{"tail", "--endpoint", f.stack.Endpoint()}, strings.Fields(c.args), []string{"-C", c.dir})
		ran{Run(t.Context(), args, strings.NewReader(""), &out, &errout), out.String(), errout.String()}.want(t, c.code, c.want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := f.genWith(ctx, "", "tail", "--endpoint", f.stack.Endpoint()); r.code != ExitOK {
		t.Errorf("interrupted at once: %d %s", r.code, r.errout)
	}
	for want, args := range map[string][]string{"orders\n": {"ship", ""}, "bisect\n": {"--kind", ""}} {
		var out, errout bytes.Buffer
		code := Run(t.Context(), append([]string{"__complete", "-C", f.dir, "tail"}, args...), strings.NewReader(""), &out, &errout)
		ran{code, out.String(), errout.String()}.want(t, ExitOK, want)
	}
}

// TestViewOfTable: of a table's handlers all that has no table is shown, and of what has one this table's alone.
func TestViewOfTable(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "gen.yaml"), `version: 1
project: p
region: us-east-1
profile: minimal
name_prefix: dev-
tables:
  orders: {hash_key: Id, attributes: {Id: S}, stream_view_type: KEYS_ONLY}
  bills: {hash_key: Id, attributes: {Id: S}, stream_view_type: KEYS_ONLY, name: the-bills}
handlers:
  ship: {table: orders, function_name: shipping, alias: live}
  audit: {tables: {orders: {}, bills: {}}}
`)
	open := func(o tailOptions, names ...string) view {
		t.Helper()
		o.env.name = localEnvironment
		v, err := openView(streams{}, dir, names, o)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := open(tailOptions{}, "bills")
	if got := v.query().Encode(); got != "function=dev-audit&region=us-east-1&table=dev-the-bills" {
		t.Errorf("query %s", got)
	}
	for _, c := range []struct {
		function, table, kind string
		want                  bool
	}{
		{"dev-audit", "dev-the-bills", local.EventInvoke, true}, {"dev-audit", "dev-orders", local.EventInvoke, false}, {"dev-audit", "", local.EventLog, true},
		{"dev-shipping", "", local.EventLog, false}, {"other", "dev-the-bills", local.EventDrop, true}, {"", "", local.EventLost, true},
	} {
		e := &local.Event{Kind: c.kind, Function: c.function, Table: c.table, Region: "us-east-1"}
		if got := v.has(e); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	v = open(tailOptions{}, "ship")
	e := &local.Event{Function: "dev-shipping", Table: "dev-orders", Region: "us-east-1"}
	if v.function(e) != "ship" || v.table(e) != "orders" || v.query().Get("function") != "dev-shipping" || v.query().Has("table") && v.query().Get("table") != "" {
		t.Errorf("%s of %s: %s", v.function(e), v.table(e), v.query().Encode())
	}
	if got := open(tailOptions{all: true}).query().Encode(); got != "" {
		t.Errorf("everything: %s", got)
	}
	if got := open(tailOptions{all: true}, "ship", "x").query().Encode(); got != "function=ship&function=dev-shipping&function=x&table=ship&table=x" {
		t.Errorf("names of the stack: %s", got)
	}
}

// TestFeedFollower rests longer and longer while the stack is away, tells of it once, and takes no line that was cut off.
func TestFeedFollower(t *testing.T) {
	const health = `{"status":"ok","id":"x"}`
	answers := make(chan http.HandlerFunc, 20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (<-answers)(w, r) }))
	defer server.Close()
	script := func(next ...http.HandlerFunc) {
		for _, answer := range next {
			answers <- answer
		}
	}
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	away := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	var told, taken []string
	var slept []time.Duration
	f := feedFollower{
		endpoint: server.URL, begun: func(again bool) { told = append(told, fmt.Sprint("again ", again)) },
		tell:  func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) },
		sleep: func(ctx context.Context, d time.Duration) error { slept = append(slept, d); return ctx.Err() },
		take: func(e *local.Event, line []byte) error {
			if taken = append(taken, string(line)); e.Kind == local.EventDrop {
				return errEnough
			}
			return nil
		},
	}
	script(says(health), says(`{"kind":"log"}`+"\n"+`{"kind":"dr`))
	script(slices.Repeat([]http.HandlerFunc{away}, 6)...)
	script(says(health), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		says(health), says(`{"kind":"lost","lost":2}`+"\n"+`{"kind":"drop"}`+"\n"))
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantList(t, "events", []string{`{"kind":"log"}`, `{"kind":"lost","lost":2}`, `{"kind":"drop"}`}, taken)
	wantList(t, "told", []string{"again false", "gen: the stack on " + server.URL + " has ended; waiting until it is back\n", "again true"}, told)
	ms := time.Millisecond
	if want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 2000 * ms, 2000 * ms, 100 * ms}; !slices.Equal(slept, want) {
		t.Errorf("slept %v, want %v", slept, want)
	}

	script(says(health), func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":"there is no events"}`)
	})
	if err := f.run(t.Context()); err == nil || !strings.Contains(err.Error(), "404 Not Found): there is no events; is it of the same version") {
		t.Errorf("an older stack: %v", err)
	}
	script(says(health), says("hello\n"))
	if err := f.run(t.Context()); err == nil || !strings.Contains(err.Error(), "reading an event") {
		t.Errorf("no event: %v", err)
	}
	failed := errors.New("no space")
	p := newTailPrinter(streams{out: broken{failed}}, view{}, tailOptions{})
	if err := p.take(&local.Event{Kind: local.EventInvoke}, nil); !errors.Is(err, failed) {
		t.Errorf("output that fails: %v", err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
