package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"streamgen/internal/records"
)

// recording writes what the table's stream has to a file of the project.
func (f *fixture) recording(t *testing.T, n int) {
	t.Helper()
	f.gen(t, "record", "orders", "--out", "orders.jsonl", "--from", "trim_horizon", "--count", fmt.Sprint(n)).want(t, ExitOK)
}

func TestReplay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(t, "a", "b", "skipped", "c", "d", "e")
	f.recording(t, 6)
	replay := func(args ...string) ran {
		t.Helper()
		return f.gen(t, append([]string{"replay", "orders.jsonl", "--handler", "ship"}, args...)...)
	}
	replay().want(t, ExitOK, "5 records in 3 batches; 1 left out", "batch 3, shard ", "1 record 100000000000000000007: 1 done in 1 invocation", "5 of 5 records done in 3 invocations")
	wantList(t, "original batches", []string{"a b", "c d", "e"}, f.got(t))
	replay("--batch-size", "4", "--no-filter").want(t, ExitOK)
	wantList(t, "other batches", []string{"a b skipped c", "d e"}, f.got(t))

	// The function reports c, again and again.
	f.fails("c", false)
	replay("--attempts", "2").want(t, ExitFailed, "1 done, 1 failed in 4 invocations", `failed: 100000000000000000005 INSERT Id="c"`, ": the function reports it as failed", "4 of 5 records done in 6 invocations, 1 failed")
	wantList(t, "a report", []string{"a b", "c d", "c", "c", "d", "e"}, f.got(t))

	f.fails("b", true)
	r := replay("--json", "--attempts", "1")
	r.want(t, ExitFailed)
	var result replayed
	if err := json.Unmarshal([]byte(r.out), &result); err != nil {
		t.Fatal(err, r.out)
	}
	b := result.Batches[0]
	if result.Records != 5 || result.Filtered != 1 || result.Done != 4 || result.Failed != 1 || result.Invocations != 5 || result.Function != "ship" || result.Table != "orders" ||
		len(result.Batches) != 3 || b.Done != 1 || len(b.Failed) != 1 || b.Failed[0].Why != "no such address" || b.Failed[0].Sequence != b.Last || len(b.Invocations) != 3 {
		t.Errorf("%s", r.out)
	}
	f.got(t)

	// An event, without shards.
	f.fails("none", true)
	event := records.Event(f.recorded(t, 2))
	write(t, filepath.Join(f.dir, "event.json"), string(event))
	f.gen(t, "replay", "event.json", "--handler", "ship").want(t, ExitOK, "batch 1, 2 records 100000000000000000002–…3: 2 done")
	f.genWith(t.Context(), string(event), "replay", "-", "--handler", "ship", "--env", "local", "--endpoint", f.stack.Endpoint()).want(t, ExitOK, "2 of 2 records done")
	write(t, filepath.Join(f.dir, "none.jsonl"), `{"streamgen_recording":1}`+"\n")
	f.gen(t, "replay", "none.jsonl", "--handler", "ship").want(t, ExitOK, "0 records in 0 batches")

	f.got(t)
	write(t, filepath.Join(f.dir, "streams.json"), strings.Replace(string(event), "table/orders/stream/", "table/orders/stream/1", 1))
	write(t, filepath.Join(f.dir, "bad.json"), `{"Records":[]}`)
	for want, args := range map[string][]string{
		"want --handler": {"orders.jsonl"}, `no handler "x"`: {"orders.jsonl", "--handler", "x"}, "no such file": {"x", "--handler", "ship"}, `has no "Records"`: {"bad.json", "--handler", "ship"},
		"records of several streams": {"streams.json", "--handler", "ship"}, "--batch-size 10001": {"orders.jsonl", "--handler", "ship", "--batch-size", "10001"},
		"does not go with --env": {"orders.jsonl", "--handler", "ship", "--compare", "main"}, "--ignore is for --compare": {"orders.jsonl", "--handler", "ship", "--ignore", "x"},
		"does not read the table": {"orders.jsonl", "--handler", "ship", "--table", "x"}, "are not below 0": {"orders.jsonl", "--handler", "ship", "--speed", "-1"},
	} {
		f.gen(t, append([]string{"replay"}, args...)...).want(t, ExitInput, want)
	}
	f.genWith(t.Context(), "", "replay", "orders.jsonl", "--handler", "ship", "--env", "default").want(t, ExitInput, "no terminal to ask on")
	write(t, filepath.Join(f.dir, "gen.yaml"), recordsSpec+"    tumbling_window_in_seconds: 60\n")
	replay().want(t, ExitInput, "keeps state over windows of the table orders")
	wantList(t, "events of refused commands", nil, f.got(t))
}

// TestReplayLanes: lanes run side by side, and those of an item in order.
func TestReplayLanes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	write(t, filepath.Join(f.dir, "gen.yaml"), recordsSpec+"    parallelization_factor: 3\n")
	var ids []string
	for i := range 30 {
		ids = append(ids, fmt.Sprint("item", i%5))
	}
	f.put(t, ids...) // only the first of each is a change: the same item again is none
	for i := range 30 {
		f.change(t, ids[i], fmt.Sprint(i))
	}
	f.recording(t, 35)
	f.gen(t, "replay", "orders.jsonl", "--handler", "ship").want(t, ExitOK, "35 of 35 records done")
	last := map[string]string{}
	n := 0
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		list, err := records.ParseEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			n++
			if records.CompareSequence(last[idOf(r)], r.Sequence) >= 0 {
				t.Errorf("%s came after %s", r.Sequence, last[idOf(r)])
			}
			last[idOf(r)] = r.Sequence
		}
	}
	if n != 35 {
		t.Errorf("%d records were delivered", n)
	}
}

// TestReplayInterrupt: the batch that is under way comes to its end.
func TestReplayInterrupt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(t, "a", "b", "c")
	f.recording(t, 3)
	ctx, interrupt := context.WithCancel(t.Context())
	f.answer = func([]byte) ([]byte, error) {
		interrupt()
		return nil, nil
	}
	f.genWith(ctx, "", "replay", "orders.jsonl", "--handler", "ship", "--env", "local", "--endpoint", f.stack.Endpoint()).want(t, ExitFailed, "batch 1", "2 done", "interrupted")
	wantList(t, "events", []string{"a b"}, f.got(t))
}

func TestReplaySpeed(t *testing.T) {
	at := time.Unix(1000, 0)
	b := &replayedBatch{list: []records.Record{{At: at}, {At: at.Add(10 * time.Second)}}}
	r := replay{begun: at}
	if got := r.early(b, time.Now()); got != 0 {
		t.Errorf("as fast as can be is after %s", got)
	}
	r.options.speed = 4
	if got := r.early(b, time.Now()); got <= 2*time.Second || got > 2500*time.Millisecond {
		t.Errorf("four times as fast is after %s", got)
	}
	if got := r.early(b, time.Now().Add(-time.Minute)); got > 0 {
		t.Errorf("what is late waits %s", got)
	}
}

// TestReplayedTable: records of another environment are of the table that its name ends with, and the stack here takes over its prefix.
func TestReplayedTable(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "gen.yaml"), `version: 1
project: p
region: us-east-1
profile: minimal
tables:
  orders: {hash_key: Id, attributes: {Id: S}, stream_view_type: NEW_IMAGE}
  old-orders: {hash_key: Id, attributes: {Id: S}, stream_view_type: NEW_IMAGE}
  bills: {hash_key: Id, attributes: {Id: S}, stream_view_type: NEW_IMAGE}
handlers:
  ship:
    tables: [orders, old-orders, bills]
`)
	for _, c := range []struct{ name, option, table, prefix, err string }{
		{"orders", "", "orders", "", ""}, {"old-orders", "", "old-orders", "", ""}, {"prod-old-orders", "", "old-orders", "prod-", ""}, {"prod-bills", "", "bills", "prod-", ""},
		{"rest", "bills", "bills", "", ""}, {"rest", "", "", "", "reads no table with the name rest; choose one with --table"},
	} {
		p, err := openPlace(streams{}, dir, environment{}, true)
		if err != nil {
			t.Fatal(err)
		}
		h, err := p.handler("ship")
		if err != nil {
			t.Fatal(err)
		}
		r := replay{place: p, handler: h, options: replayOptions{table: c.option}}
		err = r.cut([]records.Record{{StreamARN: "arn:aws:dynamodb:us-east-1:1:table/" + c.name + "/stream/x", Sequence: "1"}}, true)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || r.result.Table != c.table || r.source.Table != c.table || r.env.settings.NamePrefix != c.prefix || len(r.result.Batches) != 1 {
			t.Errorf("%s: %v %+v prefix %q", c.name, err, r.result, r.env.settings.NamePrefix)
		}
	}
}

func TestWithoutID(t *testing.T) {
	for message, want := range map[string]string{
		"RequestId: 8f2b Error: Task timed out after 1.00 seconds": "Error: Task timed out after 1.00 seconds", "the order is lost": "the order is lost", "RequestId: x": "RequestId: x",
	} {
		if got := withoutID(message); got != want {
			t.Errorf("%q: %q", message, got)
		}
	}
}

func TestDifferences(t *testing.T) {
	item := func(id, status string) records.Record {
		keys := records.Image{"Id": []byte(`{"S":"` + id + `"}`)}
		return records.Record{Keys: keys, New: records.Image{"Id": keys["Id"], "Status": []byte(`{"S":"` + status + `"}`)}}
	}
	parked := records.Record{Kind: records.Insert, Sequence: "7", JSON: []byte(`{"x":1}`)}
	before := leftBehind{"table orders": {"1": item("1", "new"), "2": item("2", "new"), "3": item("3", "new")}, "queue ship-parked": {"7 1": parked, "8 1": parked}}
	now := leftBehind{"table orders": {"1": item("1", "new"), "2": item("2", "paid"), "4": item("4", "new")}, "queue ship-parked": {"7 1": parked, "9 1": parked}}
	var got []string
	for _, e := range before.differences(now) {
		got = append(got, fmt.Sprintf("%s: %s (%t %t)", e.Where, e.text, e.Before != nil, e.Now != nil))
	}
	wantList(t, "differences", []string{
		"queue ship-parked: parked no more: INSERT (true false)", "queue ship-parked: parked now: INSERT (false true)",
		`table orders: MODIFY Id="2" {Status: "new" → "paid"} (true true)`, `table orders: REMOVE Id="3" {Status: "new"} (true false)`, `table orders: INSERT Id="4" {Status: "new"} (false true)`,
	}, got)
	if got := before.differences(before); len(got) != 0 || got == nil {
		t.Errorf("a run differs from itself: %v", got)
	}
}

// writingHandler writes a shipment of each order into a table of its own: without any SDK, which the test's module would have to download.
const writingHandler = `package ship

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"MODULE/generated/tables/orders"
	"streamgen/runtime/stream"
)

// Handle notes a shipment.
func Handle(ctx context.Context, c stream.Change[orders.Item]) error {
	if c.New.Status == "lost" {
		return errors.New("WORD is lost")
	}
	body := fmt.Sprintf(` + "`" + `{"TableName":%q,"Item":{"Id":{"S":%q},"By":{"S":"WORD"},"Key":{"S":%q}}}` + "`" + `, os.Getenv("TABLE_SHIPMENTS"), c.New.ID, os.Getenv("AWS_ACCESS_KEY_ID"))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("AWS_ENDPOINT_URL"), strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Security-Token", os.Getenv("AWS_SESSION_TOKEN"))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+os.Getenv("AWS_ACCESS_KEY_ID")+"/20260102/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}
`

// TestReplayBuilds replays a recording to builds of a handler, as they are and against each other.
func TestReplayBuilds(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	write(t, filepath.Join(s.dir, "gen.yaml"), strings.Replace(shipSpec, "handlers:\n  ship:\n", "  shipments:\n    hash_key: Id\n    attributes: {Id: S}\nhandlers:\n  ship:\n    writes: [shipments]\n", 1))
	code := func(word string) { s.handlerFrom(writingHandler, word) }
	code("one")
	s.deploy()
	s.put("1", "paid")
	s.put("2", "lost")
	s.wants("record", s.local("record", "orders", "--out", "orders.jsonl", "--from", "trim_horizon", "--count", "2"), 0)
	s.wants("replay", s.run("replay", "orders.jsonl", "--handler", "ship", "--attempts", "1"), ExitFailed, "1 of 2 records done in 2 invocations, 1 failed",
		`INSERT Id="2" {Status: "lost"}: the function reports it as failed`, "one is lost")

	// The build that is there now is kept, in three ways; then the handler changes.
	zips, err := filepath.Glob(filepath.Join(s.dir, ".gen", "packages", "*", "ship.zip"))
	if err != nil || len(zips) != 1 {
		t.Fatal(zips, err)
	}
	zip, err := os.ReadFile(zips[0])
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, "old.zip"), string(zip))
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "."}, {"-c", "user.name=x", "-c", "user.email=x@x", "commit", "--quiet", "--message", "one"}, {"tag", "first"}} {
		git := exec.Command("git", args...)
		git.Dir = s.dir
		if out, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	compare := func(with string, more ...string) int {
		return s.run(append([]string{"replay", "orders.jsonl", "--handler", "ship", "--compare", with}, more...)...)
	}
	s.wants("the same", compare("old.zip", "--ignore", "Key"), 0, "old.zip and this build do the same with 2 records")

	code("two")
	for _, with := range []string{"old.zip", "first"} {
		s.wants(with, compare(with, "--ignore", "Key"), ExitFailed, with+": ", "this build: ", `table shipments, from `+with+` to this build`, `MODIFY Id="1" {By: "one" → "two"}`,
			"this build differs from "+with+": ")
		if strings.Contains(s.out.String(), "Key") {
			t.Errorf("an attribute that is ignored is told:\n%s", &s.out)
		}
	}
	s.wants("JSON", compare("old.zip", "--json"), ExitFailed)
	var result replayed
	if err := json.Unmarshal(s.out.Bytes(), &result); err != nil || result.Compared == nil || len(result.Compared.Effects) != 1 || result.Compared.Effects[0].Where != "table shipments" {
		t.Errorf("%v: %s", err, &s.out)
	}
	for want, with := range map[string]string{"git knows no such revision": "nowhere", "want a package, a folder or a revision": "-x"} {
		s.wants(want, compare(with), ExitInput, want)
	}
	write(t, filepath.Join(s.dir, "empty", "x"), "")
	s.wants("a folder above", compare("empty", "--ignore", "Key"), 0, "do the same") // the project above it is this one
}

// TestRedriveHere gives the records of the stack's queue to a build on this machine.
func TestRedriveHere(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	stream := s.deploy()
	queue, err := sqs.NewFromConfig(s.config()).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("ship-failures")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = lambda.NewFromConfig(s.config()).CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("ship"), EventSourceArn: &stream, StartingPosition: lambdatypes.EventSourcePositionTrimHorizon, MaximumRetryAttempts: aws.Int32(0),
		FunctionResponseTypes: []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures},
		DestinationConfig:     &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: aws.String("arn:aws:sqs:eu-west-1:000000000000:ship-failures")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.put("1", "lost")
	if err := s.stack.AwaitCaughtUp(t.Context(), "eu-west-1", "orders"); err != nil {
		t.Fatal(err)
	}
	messages := func(want string) {
		t.Helper()
		got, err := sqs.NewFromConfig(s.config()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
		if err != nil || got.Attributes["ApproximateNumberOfMessages"] != want {
			t.Errorf("%v %v, want %s messages", got.Attributes, err, want)
		}
	}
	messages("1")
	s.wants("as it is", s.local("redrive", "ship", "--local"), ExitFailed, `failed: INSERT Id="1"`, "the order is lost", "1 failed again")
	messages("1")
	s.handlerFrom(strings.Replace(shipHandler, `"lost"`, `"stolen"`, 1), "shipping")
	s.wants("repaired", s.local("redrive", "ship", "--local"), 0, "done", "1 done, 0 failed again")
	messages("1") // the deployed one is as it was
	s.wants("and deleted", s.local("redrive", "ship", "--local", "--delete"), 0, "done, and the report deleted")
	messages("0")
}

// TestItems: what a build left behind is all of a table, also of one that no page holds.
func TestItems(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 4 {
		f.change(t, fmt.Sprint("item", i), strings.Repeat("x", 350_000))
	}
	f.change(t, "small", "<new>")
	items, err := f.stack.Items("us-east-1", "orders")
	if err != nil || len(items) != 5 || !strings.Contains(fmt.Sprintf("%s", items), `{"Id":{"S":"small"},"Status":{"S":"<new>"}}`) {
		t.Errorf("%d items, %v", len(items), err)
	}
	if _, err := f.stack.Items("us-east-1", "gone"); err == nil || !strings.Contains(err.Error(), "reading the table gone") {
		t.Errorf("of a table that is not there: %v", err)
	}
}
