package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/records"
)

const failuresARN = "arn:aws:sqs:us-east-1:000000000000:ship-failures"

// mapping makes the handler's mapping as gen.yaml has it, which reports to a destination; change is for what a test wants otherwise.
func (f *fixture) mapping(t *testing.T, destination string, change func(*lambda.CreateEventSourceMappingInput)) {
	t.Helper()
	in := &lambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("ship"), EventSourceArn: aws.String(f.stream(t)), StartingPosition: lambdatypes.EventSourcePositionTrimHorizon,
		BatchSize: aws.Int32(2), BisectBatchOnFunctionError: aws.Bool(true), MaximumRetryAttempts: aws.Int32(0),
		FunctionResponseTypes: []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures},
		FilterCriteria: &lambdatypes.FilterCriteria{Filters: []lambdatypes.Filter{
			{Pattern: aws.String(`{"dynamodb":{"Keys":{"Id":{"S":[{"anything-but":"skipped"}]}}}}`)},
		}},
		DestinationConfig: &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: &destination}},
	}
	if change != nil {
		change(in)
	}
	if _, err := lambda.NewFromConfig(f.settings).CreateEventSourceMapping(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) stream(t *testing.T) string {
	t.Helper()
	about, err := f.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	if err != nil {
		t.Fatal(err)
	}
	return *about.Table.LatestStreamArn
}

// caughtUp waits until each record was delivered or given up.
func (f *fixture) caughtUp(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := f.stack.AwaitCaughtUp(ctx, "us-east-1", "orders"); err != nil {
		t.Fatal(err)
	}
}

// fails lets the function fail for items whose IDs begin with a text: it reports the first of them, or fails as a whole.
func (f *fixture) fails(prefix string, whole bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = func(event []byte) ([]byte, error) {
		list, err := records.ParseEvent(event)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if !strings.HasPrefix(idOf(r), prefix) {
				continue
			}
			if whole {
				return nil, errors.New("no such address")
			}
			return fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, r.Sequence), nil
		}
		return []byte(`{"batchItemFailures":[]}`), nil
	}
}

// queue makes the queue of failures.
func (f *fixture) queue(t *testing.T) *testQueue {
	t.Helper()
	q := &testQueue{T: t, client: sqs.NewFromConfig(f.settings)}
	made, err := q.client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("ship-failures")})
	if err != nil {
		t.Fatal(err)
	}
	q.url = made.QueueUrl
	return q
}

type testQueue struct {
	*testing.T
	client *sqs.Client
	url    *string
}

// wants checks how many messages are visible, and that none is invisible.
func (q *testQueue) wants(visible int) {
	q.Helper()
	got, err := q.client.GetQueueAttributes(q.Context(), &sqs.GetQueueAttributesInput{QueueUrl: q.url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if err != nil {
		q.Fatal(err)
	}
	a := got.Attributes
	if a["ApproximateNumberOfMessages"] != fmt.Sprint(visible) || a["ApproximateNumberOfMessagesNotVisible"] != "0" {
		q.Errorf("%s messages are visible and %s are not, want %d and 0", a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"], visible)
	}
}

func (q *testQueue) send(body string) {
	q.Helper()
	if _, err := q.client.SendMessage(q.Context(), &sqs.SendMessageInput{QueueUrl: q.url, MessageBody: &body}); err != nil {
		q.Fatal(err)
	}
}

// redriven runs gen redrive with --json.
func (f *fixture) redriven(t *testing.T, code int, args ...string) redriven {
	t.Helper()
	r := f.gen(t, append([]string{"redrive", "ship", "--json"}, args...)...)
	r.want(t, code)
	var result redriven
	if err := json.Unmarshal([]byte(r.out), &result); err != nil {
		t.Fatalf("%v\n%s%s", err, r.out, r.errout)
	}
	return result
}

// statuses are those of the reports, each with how many records it found.
func (r redriven) statuses() []string {
	var all []string
	for _, g := range r.Reports {
		text := fmt.Sprintf("%s %d", g.Status, g.Found)
		if g.Deleted {
			text += " deleted"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

func TestRedrive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue(t)
	f.fails("bad", false)
	f.mapping(t, failuresARN, nil)
	f.put(t, "a", "bad1", "skipped", "b", "bad2", "c")
	f.caughtUp(t)
	q.wants(2)
	f.got(t)

	// Nothing is sent, and the messages are there for others.
	f.gen(t, "redrive", "ship", "--dry-run", "--records").want(t, ExitOK, "1 record of orders, shard ", "RetryAttemptsExhausted after 1 invocation, given up ", " ago, for 23h",
		"ready", `INSERT Id="bad1" {Binary: "AP8="`, "2 records of 2 reports would be sent")
	wantList(t, "events", nil, f.got(t))
	q.wants(2)
	// --limit takes some.
	if r := f.redriven(t, ExitOK, "--dry-run", "--limit", "1"); len(r.Reports) != 1 || r.Records != 1 || !r.DryRun || r.Function != "" {
		t.Errorf("%+v", r)
	}
	q.wants(2)

	// One of them is still bad: both are sent in one batch, and that one again. It stays.
	f.fails("bad2", true)
	r := f.gen(t, "redrive", "ship")
	r.want(t, ExitFailed, `failed: INSERT Id="bad2"`, ": no such address", "done, and the report deleted", "1 done, 1 failed again", "not all reports are done: 1 failed", "REPORT RequestId")
	wantList(t, "events", []string{"bad1 bad2", "bad1", "bad2", "bad2"}, f.got(t))
	q.wants(1)
	f.redriven(t, ExitFailed, "--retries", "0")
	wantList(t, "events without retries", []string{"bad2"}, f.got(t))

	f.fails("worse", true)
	if r := f.redriven(t, ExitOK, "--keep"); cmp.Diff([]string{"done 1"}, r.statuses()) != "" || r.Done != 1 || r.Function != "ship" {
		t.Errorf("%+v", r)
	}
	q.wants(1)
	if r := f.redriven(t, ExitOK); cmp.Diff([]string{"done 1 deleted"}, r.statuses()) != "" {
		t.Errorf("%+v", r)
	}
	q.wants(0)
	f.got(t)
	f.gen(t, "redrive", "ship").want(t, ExitOK, "nothing was given up")
	if r := f.redriven(t, ExitOK); r.Reports == nil || len(r.Reports) != 0 {
		t.Errorf("%+v", r)
	}
	wantList(t, "events", nil, f.got(t))
}

func TestRedriveIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.gen(t, "redrive", "ship").want(t, ExitFailed, "there is no queue ship-failures in us-east-1")
	for want, args := range map[string][]string{
		`no handler "x"; gen.yaml has ship`: {"x"}, "does not read the table": {"ship", "--table", "x"}, "are not below 0": {"ship", "--limit", "-1"},
		"--keep and --delete": {"ship", "--keep", "--delete", "--local"}, "goes with neither": {"ship", "--dry-run", "--yes"}, "--delete is for --local": {"ship", "--delete"},
		"nowhere.json": {"ship", "--from", "nowhere.json"}, "--from gen.json: report 1": {"ship", "--from", "gen.json"}, "from a file nothing": {"ship", "--from", "x", "--local", "--delete"},
	} {
		write(t, filepath.Join(f.dir, "gen.json"), "{}")
		f.gen(t, append([]string{"redrive"}, args...)...).want(t, ExitInput, want)
	}
	f.genWith(t.Context(), "", "redrive", "ship").want(t, ExitInput, "no terminal to ask on")
	f.genWith(t.Context(), "", "redrive", "ship", "--json").want(t, ExitInput, "want --dry-run or --yes with it")
	for change, want := range map[string]string{
		"destination_config: {on_failure: {type: sns}}":                                               "a topic keeps nothing",
		"destination_config: {on_failure: {type: none}}":                                              "has no destination for failures",
		"destination_config: {on_failure: {destination_arn: 'arn:aws:sns:us-east-1:000000000000:t'}}": "a topic keeps nothing",
		"destination_config: {on_failure: {type: sqs}}\n    tumbling_window_in_seconds: 60":           "the windows of these records are over",
	} {
		write(t, filepath.Join(f.dir, "gen.yaml"), strings.Replace(recordsSpec, "destination_config: {on_failure: {type: sqs}}", change, 1))
		f.gen(t, "redrive", "ship").want(t, ExitInput, want)
	}
}

// reportOf is a report as Lambda makes it.
func reportOf(f *fixture, t *testing.T, function, shard, first, last string, n int) string {
	return fmt.Sprintf(`{"requestContext":{"functionArn":"arn:aws:lambda:us-east-1:000000000000:function:%s","condition":"RetryAttemptsExhausted","approximateInvokeCount":3},
		"timestamp":"2026-01-02T03:04:05.678Z","DDBStreamBatchInfo":{"shardId":%q,"startSequenceNumber":%q,"endSequenceNumber":%q,"batchSize":%d,"streamArn":%q}}`,
		function, shard, first, last, n, f.stream(t))
}

// recorded are the records of the stream, as gen record writes them.
func (f *fixture) recorded(t *testing.T, n int) []records.Record {
	t.Helper()
	r := f.gen(t, "record", "orders", "--out", "-", "--from", "trim_horizon", "--count", fmt.Sprint(n))
	r.want(t, ExitOK)
	var list []records.Record
	if _, _, err := records.Read(strings.NewReader(r.out), func(r records.Record) error {
		list = append(list, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestRedriveWhatIsNotKnown is about reports whose range has more than was given up, and about messages that are no reports of the handler.
func TestRedriveWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue(t)
	f.put(t, "a", "b", "skipped", "c", "d", "e")
	list := f.recorded(t, 6)
	shard := list[0].Shard
	q.send("hello")
	q.send("hello")
	q.send(reportOf(f, t, "bill", shard, list[0].Sequence, list[0].Sequence, 1))
	q.send(reportOf(f, t, "ship", shard, list[0].Sequence, list[5].Sequence, 3)) // of five that pass the filter
	q.send(reportOf(f, t, "ship:live", shard, list[0].Sequence, list[3].Sequence, 3))
	q.send(reportOf(f, t, "ship", shard, list[1].Sequence, list[4].Sequence, 2)) // the two ends
	q.send(reportOf(f, t, "ship", "shardId-00000000000000000001-abcd", list[0].Sequence, list[3].Sequence, 3))
	q.send(reportOf(f, t, "ship", shard, "100000000000000000000", list[3].Sequence, 3))

	r := f.gen(t, "redrive", "ship", "--dry-run")
	r.want(t, ExitFailed, "left in the queue ship-failures: ", "it is a report of the function bill", "beginning of value, as of 1 more", "unclear: of the 5 records that lie there 3 were given up",
		"gone: the stream, or its shard shardId-00000000000000000001-abcd, is gone", "not all reports are to be sent: 1 gone, 2 unclear; --inexact sends what may be meant")
	q.wants(8)
	got := f.redriven(t, ExitFailed)
	wantList(t, "reports", []string{"done 2 deleted", "done 3 deleted", "gone 0", "unclear 3", "unclear 5"}, got.statuses())
	if got.Others != 3 || got.Records != 4 || got.Done != 4 { // b is in two reports
		t.Errorf("%+v", got)
	}
	wantList(t, "events", []string{"a b", "c d"}, f.got(t))
	q.wants(6)
	got = f.redriven(t, ExitFailed, "--inexact")
	wantList(t, "inexact reports", []string{"done 3 deleted", "done 5 deleted", "gone 0"}, got.statuses())
	wantList(t, "events", []string{"a b", "c d", "e"}, f.got(t))
	q.wants(4)
}

// TestRedriveLanes: what all lanes of a mapping gave up is known, though not which of them; what one of them gave up, while others went on, is not.
func TestRedriveLanes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue(t)
	lanes := func(in *lambda.CreateEventSourceMappingInput) {
		in.ParallelizationFactor, in.BatchSize, in.BisectBatchOnFunctionError = aws.Int32(3), aws.Int32(10), aws.Bool(false)
	}
	ids := strings.Split("abcdefghijklmnop", "")
	sentAgain := func() int {
		t.Helper()
		seen := map[string]bool{}
		for _, event := range f.got(t) {
			for id := range strings.FieldsSeq(event) {
				seen[id] = true
			}
		}
		return len(seen)
	}
	// All that is written fails.
	f.fails("", true)
	f.put(t, ids...)
	f.mapping(t, failuresARN, lanes)
	f.caughtUp(t)
	f.got(t)
	f.fails("none", true)
	got := f.redriven(t, ExitOK)
	if len(got.Reports) < 2 || got.Records != 16 || got.Done != 16 || slices.ContainsFunc(got.Reports, func(g *given) bool { return g.Inexact || !g.Deleted }) {
		t.Fatalf("%+v", got)
	}
	q.wants(0)
	if n := sentAgain(); n != 16 {
		t.Errorf("%d of 16 records were sent again", n)
	}

	// Of the same records, one lane fails.
	other := newFixture(t)
	q = other.queue(t)
	other.fails("a", true)
	other.put(t, ids...)
	other.mapping(t, failuresARN, lanes)
	other.caughtUp(t)
	other.got(t)
	other.fails("none", true)
	got = other.redriven(t, ExitFailed)
	if len(got.Reports) != 1 || got.Reports[0].Status != givenUnclear || got.Reports[0].Records >= got.Reports[0].Found || got.Records != 0 {
		t.Errorf("%+v", got)
	}
	wantList(t, "events", nil, other.got(t))
	q.wants(1)
	got = other.redriven(t, ExitOK, "--inexact")
	if !got.Reports[0].Inexact || got.Done <= got.Reports[0].Records || !strings.HasPrefix(strings.Join(other.got(t), " "), "a ") {
		t.Errorf("%+v", got)
	}
	q.wants(0)
}

func TestClarify(t *testing.T) {
	report := func(status givenStatus, n, first, last int, found ...int) *given {
		g := &given{Status: status, Records: n, First: fmt.Sprint(first), Last: fmt.Sprint(last), Found: len(found)}
		for _, sequence := range found {
			g.list = append(g.list, records.Record{Sequence: fmt.Sprint(sequence)})
		}
		return g
	}
	trimmed := report(givenUnclear, 3, 10, 14, 11, 12)
	trimmed.trimmed = true
	for name, c := range map[string]struct {
		chunk []*given
		want  string
	}{
		"two lanes":              {[]*given{report(givenUnclear, 3, 10, 14, 10, 11, 12, 13, 14), report(givenUnclear, 3, 11, 15, 11, 12, 13, 14, 15)}, "ready ready"},
		"one has both ends":      {[]*given{report(givenUnclear, 3, 10, 13, 10, 11, 12, 13), report(givenReady, 2, 12, 14, 12, 14)}, "ready ready"},
		"a third lane is done":   {[]*given{report(givenUnclear, 3, 10, 14, 10, 11, 12, 13, 14), report(givenUnclear, 2, 11, 15, 11, 12, 13, 14, 15)}, "unclear unclear"},
		"the same message twice": {[]*given{report(givenUnclear, 3, 10, 15, 10, 11, 12, 13, 14, 15), report(givenUnclear, 3, 10, 15, 10, 11, 12, 13, 14, 15)}, "unclear unclear"},
		"trimmed":                {[]*given{trimmed, report(givenUnclear, 2, 11, 15, 11, 12, 13, 14, 15)}, "unclear unclear"},
		"without any record":     {[]*given{report(givenGone, 0, 10, 14)}, "gone"},
		"each by itself":         {[]*given{report(givenUnclear, 3, 10, 14, 10, 11, 12, 13, 14), report(givenReady, 2, 15, 16, 15, 16)}, "unclear ready"},
	} {
		clarify(c.chunk)
		var got []string
		for _, g := range c.chunk {
			got = append(got, string(g.Status))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestRedriveTrimmed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue(t)
	f.fails("bad", true)
	f.mapping(t, failuresARN, func(in *lambda.CreateEventSourceMappingInput) {
		in.BatchSize, in.BisectBatchOnFunctionError = aws.Int32(3), aws.Bool(false)
	})
	f.put(t, "bad1")
	f.caughtUp(t)
	list := f.recorded(t, 1)
	advance := func(d string) {
		t.Helper()
		if status := admin(t, f.stack, "clock", fmt.Sprintf(`{"advance":%q}`, d)); status != 200 {
			t.Fatal(status)
		}
	}
	advance("23h")
	f.put(t, "bad2", "bad3")
	f.caughtUp(t)
	f.fails("none", true)
	q.wants(list2(f, t, q, list[0]))
	advance("2h")
	f.got(t)
	r := f.gen(t, "redrive", "ship")
	r.want(t, ExitFailed, "gone: DynamoDB keeps records for 24 hours", "unclear: 2 of 3 records are left: DynamoDB keeps")
	got := f.redriven(t, ExitFailed, "--dry-run")
	for _, g := range got.Reports {
		if (g.Status == givenGone) != (g.Records == 1 && g.First == list[0].Sequence) {
			t.Errorf("%+v", g)
		}
	}
	// Of the report that is partly trimmed, the rest is sent when that is wanted.
	got = f.redriven(t, ExitFailed, "--inexact")
	if !slices.Contains(got.statuses(), "done 2 deleted") {
		t.Errorf("%v", got.statuses())
	}
	q.wants(1)
}

// list2 adds a report of the first record and what follows it, and gives how many messages there are then.
func list2(f *fixture, t *testing.T, q *testQueue, first records.Record) int {
	t.Helper()
	list := f.recorded(t, 3)
	q.send(reportOf(f, t, "ship", first.Shard, first.Sequence, list[len(list)-1].Sequence, 3))
	got, err := q.client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: q.url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscan(got.Attributes["ApproximateNumberOfMessages"], &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRedriveBucket: a bucket has the records themselves, also when the stream has them no more.
func TestRedriveBucket(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	write(t, filepath.Join(f.dir, "gen.yaml"), strings.Replace(recordsSpec, "type: sqs", "type: s3", 1))
	c := s3.NewFromConfig(f.settings, func(o *s3.Options) { o.UsePathStyle = true })
	const bucket = "ship-failures-000000000000"
	if _, err := c.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	objects := func() (keys []string) {
		t.Helper()
		got, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range got.Contents {
			keys = append(keys, *o.Key)
		}
		return keys
	}
	f.fails("bad", false)
	f.mapping(t, "arn:aws:s3:::"+bucket, nil)
	f.put(t, "a", "bad1", "bad2")
	f.caughtUp(t)
	keys := objects()
	if len(keys) != 2 {
		t.Fatalf("objects %v", keys)
	}
	out, err := c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &keys[0]})
	if err != nil {
		t.Fatal(err)
	}
	document, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	if status := admin(t, f.stack, "clock", `{"advance":"48h"}`); status != 200 {
		t.Fatal(status)
	}
	f.got(t)
	f.fails("bad2", false)
	f.gen(t, "redrive", "ship").want(t, ExitFailed, `failed: INSERT Id="bad2"`, "done, and the report deleted")
	wantList(t, "events", []string{"bad1 bad2", "bad2", "bad2"}, f.got(t))
	if left := objects(); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
	// The object's text is a report with its records, wherever it lies.
	write(t, filepath.Join(f.dir, "report.json"), string(document))
	if r := f.redriven(t, ExitOK, "--from", "report.json", "--retries", "0", "--dry-run"); r.Records != 1 || r.Reports[0].From != "file report.json" {
		t.Errorf("%+v", r)
	}
}

// TestRedriveFrom takes the reports from a file: nothing is asked of a queue.
func TestRedriveFrom(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(t, "a", "b")
	list := f.recorded(t, 2)
	// Whose function it was does not matter: somebody chose the file.
	message, err := json.Marshal(reportOf(f, t, "other", list[0].Shard, list[0].Sequence, list[1].Sequence, 2))
	if err != nil {
		t.Fatal(err)
	}
	text := `{"Type":"Notification","Message":` + string(message) + "}\n" + reportOf(f, t, "ship", list[1].Shard, list[1].Sequence, list[1].Sequence, 1)
	r := f.genWith(t.Context(), text, "redrive", "ship", "--from", "-", "--env", "local", "--endpoint", f.stack.Endpoint())
	r.want(t, ExitOK, "sent 2 records of 2 reports to ship: 2 done, 0 failed")
	wantList(t, "events", []string{"a b"}, f.got(t))
}

// TestRedriveInterrupt: the batch that is under way comes to its end, and all others stay.
func TestRedriveInterrupt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue(t)
	f.fails("bad", false)
	f.mapping(t, failuresARN, nil)
	f.put(t, "bad1", "bad2", "bad3", "bad4", "bad5", "bad6")
	f.caughtUp(t)
	q.wants(6)
	f.got(t)
	ctx, interrupt := context.WithCancel(t.Context())
	f.mu.Lock()
	f.answer = func([]byte) ([]byte, error) {
		interrupt()
		return []byte(`{}`), nil
	}
	f.mu.Unlock()
	r := f.genWith(ctx, "", "redrive", "ship", "--env", "local", "--endpoint", f.stack.Endpoint())
	r.want(t, ExitFailed, "interrupted", "sent 2 records of 6 reports to ship: 2 done, 0 failed again", "not all reports are done: 4 left")
	wantList(t, "events", []string{"bad1 bad2"}, f.got(t))
	q.wants(4)
	// The next run goes on from there.
	f.redriven(t, ExitOK)
	wantList(t, "events", []string{"bad3 bad4", "bad5 bad6"}, f.got(t))
	q.wants(0)
}

// givenUp writes the items a and b, and gives the queue in which a report has both.
func (f *fixture) givenUp(t *testing.T) *testQueue {
	t.Helper()
	q := f.queue(t)
	f.put(t, "a", "b")
	list := f.recorded(t, 2)
	q.send(reportOf(f, t, "ship", list[0].Shard, list[0].Sequence, list[1].Sequence, 2))
	return q
}

// TestRedriveAsks: on AWS somebody sees what there is before anything is sent.
func TestRedriveAsks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.givenUp(t)
	var story bytes.Buffer
	run := func(answer string) error {
		t.Helper()
		std := streams{in: strings.NewReader(answer), out: &story, err: &story}
		p, err := openPlace(std, f.dir, environment{name: localEnvironment, endpoint: f.stack.Endpoint()}, false)
		if err != nil {
			t.Fatal(err)
		}
		h, err := p.handler("ship")
		if err != nil {
			t.Fatal(err)
		}
		stores, err := p.failureStores(t.Context(), f.settings, h, h.Sources)
		if err != nil {
			t.Fatal(err)
		}
		r := redrive{
			place: p, options: redriveOptions{env: environment{name: "prod"}}, handler: h, stores: stores, now: time.Now,
			reader: rangeReader{client: dynamodbstreams.NewFromConfig(f.settings), tell: t.Logf, sleep: sleep}, invoke: newFunction(f.settings, "ship").finish,
			result: redriven{Function: "ship"},
		}
		return errors.Join(r.run(t.Context()), stores[0].close(t.Context()))
	}
	if err := run("no\n"); err == nil || !strings.Contains(err.Error(), "nothing was done") || !strings.Contains(story.String(), "ready") {
		t.Errorf("%v\n%s", err, &story)
	}
	wantList(t, "events", nil, f.got(t))
	q.wants(1)
	if err := run("yes\n"); err != nil || !strings.Contains(story.String(), "Send 2 records to ship in local? Only yes sends: ") {
		t.Errorf("%v\n%s", err, &story)
	}
	wantList(t, "events", []string{"a b"}, f.got(t))
	q.wants(0)
}

// TestRedriveWithoutFunction: what could not be sent stays.
func TestRedriveWithoutFunction(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.givenUp(t)
	if _, err := lambda.NewFromConfig(f.settings).DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("ship")}); err != nil {
		t.Fatal(err)
	}
	f.gen(t, "redrive", "ship").want(t, ExitFailed, "  left\n", "0 done, 0 failed again", "invoking ship: ", "Function not found")
	q.wants(1)
}

// TestMessagesStayInvisible for as long as they are worked on.
func TestMessagesStayInvisible(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	q := f.queue(t)
	for range 12 {
		q.send("{}")
	}
	slept := make(chan struct{})
	wake := make(chan struct{})
	failures := &failureQueue{
		client: q.client, name: "ship-failures", url: q.url, held: map[string]string{}, tell: t.Logf,
		sleep: func(ctx context.Context, d time.Duration) error {
			if d != hidden/2 {
				t.Errorf("slept %s", d)
			}
			slept <- struct{}{}
			select {
			case <-wake:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
	go func() { <-slept }()
	n := 0
	if err := failures.collect(t.Context(), func(string, records.Report, error) bool { n++; return true }); err != nil || n != 12 {
		t.Fatal(n, err)
	}
	for range 3 {
		if status := admin(t, f.stack, "clock", `{"advance":"6m"}`); status != 200 {
			t.Fatal(status)
		}
		wake <- struct{}{} // half of the time is over
		<-slept            // and all were extended
		got, err := q.client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: q.url})
		if err != nil || len(got.Messages) > 0 {
			t.Fatalf("others receive %v, %v", got.Messages, err)
		}
	}
	if err := failures.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	q.wants(12)
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m", 90 * time.Minute: "1h30m", 24 * time.Hour: "24h0m", 75 * time.Hour: "3d",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
	if got := pauseAfter(500*time.Millisecond, 3); got != 2*time.Second {
		t.Errorf("the third pause is %s", got)
	}
	if got := pauseAfter(500*time.Millisecond, 1000); got != time.Minute {
		t.Errorf("the thousandth pause is %s", got)
	}
}

// TestRangeReader reads on after whatever happens to a reader, and reads nothing twice that it has.
func TestRangeReader(t *testing.T) {
	client := &fakeStream{}
	r := rangeReader{client: client, tell: t.Logf, sleep: func(context.Context, time.Duration) error { return nil }}
	for _, c := range []struct {
		name        string
		pages       []any
		first, last string
		want        string
		missing     string
		iterators   []string
	}{
		{"with interruptions", []any{5, 0, "LimitExceededException", 6, "ExpiredIteratorException", 7, 8}, "5", "7", "5 6 7", "", []string{"AT_SEQUENCE_NUMBER5", "AFTER_SEQUENCE_NUMBER6"}},
		{"what is on the page", nil, "7", "7", "7", "", nil},
		{"expired at once", []any{"ExpiredIteratorException", 9, 9}, "9", "9", "9", "", []string{"AT_SEQUENCE_NUMBER9", "AT_SEQUENCE_NUMBER9"}},
		{"trimmed meanwhile", []any{"TrimmedDataAccessException", 11, 12, 13}, "10", "12", "11 12", "DynamoDB keeps records for 24 hours", []string{"AT_SEQUENCE_NUMBER10", "TRIM_HORIZON"}},
		{"the shard ends", []any{20, 21}, "20", "25", "20 21", "does not have all", []string{"AT_SEQUENCE_NUMBER20"}},
		{"nothing comes", append(slices.Repeat([]any{0}, 20), 99), "30", "31", "", "does not have all", []string{"AT_SEQUENCE_NUMBER30"}},
	} {
		client.iterators = nil
		if c.pages != nil {
			client.pages = c.pages
		}
		list, missing, err := r.read(t.Context(), records.Report{StreamARN: "stream", Shard: "s-1", First: c.first, Last: c.last})
		var got []string
		for _, record := range list {
			got = append(got, record.Sequence)
			if record.Shard != "s-1" || record.StreamARN != "stream" {
				t.Errorf("%s: %+v", c.name, record)
			}
		}
		if err != nil || strings.Join(got, " ") != c.want || !strings.Contains(missing, c.missing) || (missing == "") != (c.missing == "") {
			t.Errorf("%s: %v %q %v", c.name, got, missing, err)
		}
		wantList(t, c.name, c.iterators, client.iterators)
	}
	client.pages = []any{"AccessDeniedException"}
	if _, _, err := r.read(t.Context(), records.Report{StreamARN: "stream", Shard: "s-2", First: "1", Last: "1"}); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error %v", err)
	}
}
