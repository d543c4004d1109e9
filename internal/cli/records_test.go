package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
	"streamgen/internal/records"
)

const recordsSpec = `version: 1
project: p
region: us-east-1
profile: minimal
tables:
  orders:
    hash_key: Id
    attributes: {Id: S, Total: N, Status: S}
    stream_view_type: NEW_AND_OLD_IMAGES
handlers:
  ship:
    table: orders
    starting_position: TRIM_HORIZON
    batch_size: 2
    filter_criteria: {filter: [{pattern: '{"dynamodb":{"Keys":{"Id":{"S":[{"anything-but":"skipped"}]}}}}'}]}
    destination_config: {on_failure: {type: sqs}}
`

// fixture is a project and the stack that it is applied to, with a function in the test's process.
type fixture struct {
	dir   string
	stack *local.Stack
	db    *dynamodb.Client
	// settings reach the stack.
	settings aws.Config

	mu     sync.Mutex
	events [][]byte
	answer func(event []byte) ([]byte, error)
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{dir: t.TempDir(), answer: func([]byte) ([]byte, error) { return []byte(`{"batchItemFailures":[]}`), nil }}
	write(t, filepath.Join(f.dir, "gen.yaml"), recordsSpec)
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", RetryPause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f.stack = stack
	f.settings = aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(stack.Endpoint()), HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("x", "x", ""),
	}
	f.db = dynamodb.NewFromConfig(f.settings)
	_, err = f.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddbtypes.KeyTypeHash}},
		StreamSpecification:  &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddbtypes.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stack.Register("us-east-1", "ship", time.Minute, f.handle); err != nil {
		t.Fatal(err)
	}
	return f
}

// handle is the function: it keeps what it gets and answers as the test says.
func (f *fixture) handle(_ context.Context, i local.Invocation) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, bytes.Clone(i.Payload))
	return f.answer(i.Payload)
}

// got gives the keys of the records of each event that the function had, and forgets them.
func (f *fixture) got(t *testing.T) []string {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, e := range f.events {
		list, err := records.ParseEvent(e)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, r := range list {
			ids = append(ids, idOf(r))
		}
		all = append(all, strings.Join(ids, " "))
	}
	f.events = nil
	return all
}

func idOf(r records.Record) string {
	var id struct{ S string }
	_ = json.Unmarshal(r.Keys["Id"], &id)
	return id.S
}

func (f *fixture) put(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := f.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]ddbtypes.AttributeValue{
			"Id": &ddbtypes.AttributeValueMemberS{Value: id}, "Status": &ddbtypes.AttributeValueMemberS{Value: "<new>"},
			"Binary": &ddbtypes.AttributeValueMemberB{Value: []byte{0, 255}}, "Set": &ddbtypes.AttributeValueMemberNS{Value: []string{"1", "2.5"}},
			"Deep": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{&ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{"n": &ddbtypes.AttributeValueMemberNULL{Value: true}}}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// change changes an attribute of an item.
func (f *fixture) change(t *testing.T, id, status string) {
	t.Helper()
	_, err := f.db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: map[string]ddbtypes.AttributeValue{"Id": &ddbtypes.AttributeValueMemberS{Value: id}},
		UpdateExpression: aws.String("SET #s = :s"), ExpressionAttributeNames: map[string]string{"#s": "Status"},
		ExpressionAttributeValues: map[string]ddbtypes.AttributeValue{":s": &ddbtypes.AttributeValueMemberS{Value: status}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ran is what a command gave.
type ran struct {
	code        int
	out, errout string
}

// gen runs a command on the project and the stack.
func (f *fixture) gen(t *testing.T, args ...string) ran {
	t.Helper()
	return f.genWith(t.Context(), "", append(args, "--env", "local", "--endpoint", f.stack.Endpoint())...)
}

func (f *fixture) genWith(ctx context.Context, stdin string, args ...string) ran {
	var out, errout bytes.Buffer
	code := Run(ctx, append(args, "-C", f.dir), strings.NewReader(stdin), &out, &errout)
	return ran{code, out.String(), errout.String()}
}

func (r ran) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.out, r.errout)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.errout, text) {
			t.Errorf("no %q in\n%s%s", text, r.out, r.errout)
		}
	}
}

func wantList(t *testing.T, what string, want, got []string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func TestInvoke(t *testing.T) {
	f := newFixture(t)
	f.gen(t, "invoke", "ship", "--item", `{"Id":"1","Total":2}`, "--item", `{"Id":{"S":"2"}}`).want(t, ExitOK, `{"batchItemFailures":[]}`, "2 records done", "REPORT RequestId")
	wantList(t, "events", []string{"1 2"}, f.got(t))

	// The second record is reported.
	f.answer = func(event []byte) ([]byte, error) {
		list, err := records.ParseEvent(event)
		return fmt.Appendf(nil, `{"batchItemFailures":[{"itemIdentifier":%q}]}`, list[len(list)-1].Sequence), err
	}
	r := f.gen(t, "invoke", "ship", "--item", `{"Id":"1"}`, "--item", `{"Id":"2"}`, "--json")
	var result invoked
	if err := json.Unmarshal([]byte(r.out), &result); err != nil {
		t.Fatal(err, r.out)
	}
	if r.code != ExitFailed || result.Records != 2 || result.Done != 1 || len(result.Failed) != 1 || result.RequestID == "" || result.Function != "ship" {
		t.Errorf("%d %+v", r.code, result)
	}
	f.gen(t, "invoke", "ship", "--item", `{"Id":"1"}`, "--old", `{"Id":"1","Status":"new"}`).want(t, ExitFailed, `failed: MODIFY Id="1" {-Status: "new"}`, "first 0 of 1")
	f.answer = func([]byte) ([]byte, error) { return nil, errors.New("no") }
	f.gen(t, "invoke", "ship", "--old", `{"Id":"1"}`).want(t, ExitFailed, "ship failed after", `"errorMessage":"no"`)
	f.got(t)

	// An event from stdin.
	f.answer = func([]byte) ([]byte, error) { return []byte("null"), nil }
	f.gen(t, "invoke", "ship", "--item", `{"Id":"9"}`).want(t, ExitOK)
	event := string(f.events[0])
	f.genWith(t.Context(), event, "invoke", "ship", "--event", "-", "--env", "local", "--endpoint", f.stack.Endpoint()).want(t, ExitOK)
	wantList(t, "events", []string{"9", "9"}, f.got(t))

	for want, args := range map[string][]string{
		`no handler "shop"; gen.yaml has ship`: {"shop", "--item", "{}"}, "want an event": {"ship"}, "the item has no Id": {"ship", "--item", `{"Total":1}`},
		`Total is "x"`: {"ship", "--item", `{"Id":"1","Total":"x"}`}, "want --old too": {"ship", "--item", `{"Id":"1"}`, "--kind", "modify"},
		"want insert, modify or remove": {"ship", "--item", `{"Id":"1"}`, "--kind", "put"}, "no.json": {"ship", "--event", "no.json"},
		`has no "Records"`: {"ship", "--event", "gen.json"}, "does not read the table": {"ship", "--item", `{"Id":"1"}`, "--table", "x"},
	} {
		write(t, filepath.Join(f.dir, "gen.json"), "{}")
		f.gen(t, append([]string{"invoke"}, args...)...).want(t, ExitInput, want)
	}
	wantList(t, "events of refused commands", nil, f.got(t))
}

func TestRecord(t *testing.T) {
	f := newFixture(t)
	ids := []string{"a", "b", "c", "d", "e", "f", "g"}
	f.put(t, ids[:3]...)
	for _, where := range []string{"roll", "split"} {
		if status := admin(t, f.stack, "streams/"+where, `{"table":"orders"}`); status != 200 {
			t.Fatal(status)
		}
	}
	f.put(t, ids[3:]...)
	file := filepath.Join(f.dir, "recording")
	read := func() (ids []string, shards int) {
		t.Helper()
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		seen := map[string]bool{}
		h, _, err := records.Read(in, func(r records.Record) error {
			ids = append(ids, idOf(r))
			seen[r.Shard] = true
			return nil
		})
		if err != nil || h.Table != "orders" || h.ViewType != "NEW_AND_OLD_IMAGES" || !slices.Equal(h.Keys, []string{"Id"}) {
			t.Errorf("%+v %v", h, err)
		}
		return ids, len(seen)
	}
	f.gen(t, "record", "orders", "--out", "recording", "--from", "trim_horizon", "--count", "2").want(t, ExitOK, "2 records of 1 shard")
	if got, _ := read(); !slices.Equal(got, ids[:2]) {
		t.Errorf("got %v", got)
	}
	// It goes on where it was, and the parents come first.
	f.gen(t, "record", "orders", "--out", "recording", "--from", "trim_horizon", "--count", "5", "--json").want(t, ExitOK, `"records": 5`, `"total": 7`, "going on behind them")
	got, shards := read()
	if !slices.Equal(got[:3], ids[:3]) || shards < 2 || len(got) != 7 {
		t.Errorf("%v of %d shards", got, shards)
	}
	// What a function gets is what the recording has.
	f.gen(t, "record", "orders", "--out", "-", "--from", "trim_horizon", "--count", "1").want(t, ExitOK, `{"shard":"shardId-`, `"Status":{"S":"<new>"}`,
		`"Binary":{"B":"AP8="}`, `"Deep":{"L":[{"M":{"n":{"NULL":true}}}]}`, `"eventSourceARN":"arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/`, `"ApproximateCreationDateTime":`)

	// From now on, until its time is over: nothing of what was there.
	f.gen(t, "record", "orders", "--out", "none", "--for", "300ms").want(t, ExitOK, "0 records of 0 shards")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan ran)
	go func() {
		done <- f.genWith(ctx, "", "record", "orders", "--out", "recording", "--env", "local", "--endpoint", f.stack.Endpoint())
	}()
	f.put(t, "late")
	deadline := time.Now().Add(20 * time.Second)
	for {
		if got, _ := read(); slices.Contains(got, "late") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("what was written while it recorded is missing")
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	(<-done).want(t, ExitOK, "1 record of 1 shard")

	for want, args := range map[string][]string{
		"want --out": {"orders"}, `no table "x"; gen.yaml has orders`: {"x", "--out", "y"}, "--from": {"orders", "--out", "y", "--from", "now"},
		"no such file": {"orders", "--out", "nowhere/y"}, "no shard shardId-x": {"orders", "--out", "y", "--shard", "shardId-x"},
	} {
		f.gen(t, append([]string{"record"}, args...)...).want(t, ExitInput, want)
	}
	f.gen(t, "record", "orders", "--out", "gen.yaml").want(t, ExitFailed, "gen.yaml: line 1: it is no recording")
}

// fakeStream answers from a script, an error or a page for each call of GetRecords.
type fakeStream struct {
	pages     []any
	iterators []string
}

func (f *fakeStream) DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	d := &types.StreamDescription{StreamStatus: types.StreamStatusDisabled, Shards: []types.Shard{{ShardId: aws.String("shard-1")}}}
	return &dynamodbstreams.DescribeStreamOutput{StreamDescription: d}, nil
}

func (f *fakeStream) GetShardIterator(_ context.Context, in *dynamodbstreams.GetShardIteratorInput, _ ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	f.iterators = append(f.iterators, string(in.ShardIteratorType)+aws.ToString(in.SequenceNumber))
	return &dynamodbstreams.GetShardIteratorOutput{ShardIterator: aws.String("i")}, nil
}

func (f *fakeStream) GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	page := f.pages[0]
	f.pages = f.pages[1:]
	if code, isError := page.(string); isError {
		return nil, &smithy.GenericAPIError{Code: code, Message: "no"}
	}
	out := &dynamodbstreams.GetRecordsOutput{}
	if len(f.pages) > 0 {
		out.NextShardIterator = aws.String("i")
	}
	if n := page.(int); n > 0 {
		out.Records = []types.Record{{EventName: types.OperationTypeInsert, Dynamodb: &types.StreamRecord{SequenceNumber: aws.String(fmt.Sprint(n))}}}
	}
	return out, nil
}

// TestFollowerGoesOn after iterators that expired, requests that were too many, empty pages, and records that the stream has no more.
func TestFollowerGoesOn(t *testing.T) {
	client := &fakeStream{pages: []any{1, 0, "LimitExceededException", "LimitExceededException", 2, "ExpiredIteratorException", 3, "TrimmedDataAccessException", 9}}
	var got, told []string
	var slept []time.Duration
	f := follower{
		client: client, stream: "stream", pause: time.Second,
		take: func(list []records.Record) error {
			got = append(got, list[0].Sequence)
			return nil
		},
		tell:  func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) },
		sleep: func(_ context.Context, d time.Duration) error { slept = append(slept, d); return nil },
	}
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantList(t, "records", []string{"1", "2", "3", "9"}, got)
	wantList(t, "iterators", []string{"TRIM_HORIZON", "AFTER_SEQUENCE_NUMBER2", "TRIM_HORIZON"}, client.iterators)
	if len(told) != 2 || !strings.Contains(told[0], "too often") || !strings.Contains(told[1], "no more what follows record 3") {
		t.Errorf("told %q", told)
	}
	if !slices.Contains(slept, 500*time.Millisecond) || !slices.Contains(slept, time.Second) {
		t.Errorf("slept %v", slept)
	}
	client.pages = []any{"AccessDeniedException"}
	f.shards = nil
	if err := f.run(t.Context()); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("error %v", err)
	}
}

// admin posts to the stack's own API.
func admin(t *testing.T, s *local.Stack, path, body string) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint()+"/_streamgen/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}
