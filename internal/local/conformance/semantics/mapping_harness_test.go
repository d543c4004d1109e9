// Package semantics proves row by row what docs/semantics says of the local stack: each test is a table, each of its subtests a row of it.
// The tests are users of a stack of their own, through AWS's own clients, with time in their hands.
package semantics

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	gocmp "github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
	"streamgen/internal/local/clock"
)

const (
	region   = "us-east-1"
	tableARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders"
	fnARN    = "arn:aws:lambda:us-east-1:000000000000:function:fn"
	queueARN = "arn:aws:sqs:us-east-1:000000000000:lost"
)

// began is when a stand's clock begins.
var began = time.Date(2026, 11, 23, 4, 5, 6, 789e6, time.UTC)

// patience bounds how long a broken test waits.
const patience = 30 * time.Second

// handClock is a manual clock that tells what is waited for.
type handClock struct {
	*clock.Manual

	mu      sync.Mutex
	waits   []wait // all that there ever were
	changed chan struct{}
}

// wait is a call of After.
type wait struct {
	since, until time.Time
	taken        bool // a test has let it pass
}

func newHandClock(at time.Time) *handClock {
	return &handClock{Manual: clock.NewManual(at), changed: make(chan struct{})}
}

func (c *handClock) After(d time.Duration) (<-chan time.Time, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now()
	c.waits = append(c.waits, wait{since: now, until: now.Add(d)})
	close(c.changed)
	c.changed = make(chan struct{})
	return c.Manual.After(d)
}

func (c *handClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Manual.Advance(d)
}

// take takes a wait that fits, which may be over already. Without one it gives the channel that is closed when somebody waits anew.
func (c *handClock) take(fits func(wait) bool) (until time.Time, none <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, w := range c.waits {
		if !w.taken && fits(w) {
			c.waits[i].taken = true
			return w.until, nil
		}
	}
	return time.Time{}, c.changed
}

// stand is a stack with a table whose stream can be handed to a function of the test's.
type stand struct {
	*testing.T
	clock   *handClock
	stack   *local.Stack
	options local.Options
	ended   chan struct{} // closed at the test's end: no function waits any more

	db      *dynamodb.Client
	streams *dynamodbstreams.Client
	lambda  *lambda.Client
	sqs     *sqs.Client

	stream  string // the ARN of the table's
	mapping string // the UUID of the one that was made last
	calls   chan *call
	names   map[string]string // of records, by sequence number

	mu     sync.Mutex
	events []local.Event
	told   chan struct{} // holds a word when there are events
}

// newStand starts a stack and makes the table orders with the hash key id and a stream of both images.
func newStand(t *testing.T, change ...func(*local.Options)) *stand {
	t.Helper()
	s := emptyStand(t, change...)
	s.table(ddb.StreamViewTypeNewAndOldImages)
	return s
}

func emptyStand(t *testing.T, change ...func(*local.Options)) *stand {
	t.Helper()
	s := &stand{
		T: t, clock: newHandClock(began), ended: make(chan struct{}), calls: make(chan *call), names: map[string]string{}, told: make(chan struct{}, 1),
	}
	s.options = local.Options{Listen: "127.0.0.1:0", Dir: t.TempDir(), Clock: s.clock, Events: s.hear}
	for _, c := range change {
		c(&s.options)
	}
	s.start()
	t.Cleanup(func() { close(s.ended) }) // runs before that of start
	return s
}

// start starts the stack; its data folder, if it has one, may be of one before.
func (s *stand) start() {
	s.Helper()
	stack, err := local.Start(s.Context(), s.options)
	s.must(err)
	s.Cleanup(func() {
		if err := stack.Close(context.Background()); err != nil {
			s.Errorf("closing the stack: %v", err)
		}
	})
	s.stack = stack
	c := s.config()
	s.db, s.streams, s.lambda, s.sqs = dynamodb.NewFromConfig(c), dynamodbstreams.NewFromConfig(c), lambda.NewFromConfig(c), sqs.NewFromConfig(c)
}

func (s *stand) config() aws.Config {
	return aws.Config{Region: region, BaseEndpoint: aws.String(s.stack.Endpoint()), RetryMaxAttempts: 1, HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

func (s *stand) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// equal compares what there is with what the row says.
func (s *stand) equal(what string, got, want any) {
	s.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// refused wants an error with the code, status and message that a client sees.
func (s *stand) refused(err error, code string, status int, message string) {
	s.Helper()
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		s.Errorf("got %v, want %s", err, code)
		return
	}
	s.equal("the error", fmt.Sprintf("%s %d %s", api.ErrorCode(), response.HTTPStatusCode(), api.ErrorMessage()), fmt.Sprintf("%s %d %s", code, status, message))
}

// table makes the table orders with a stream. A key is "name" or "name:type"; without any there is the hash key id.
func (s *stand) table(view ddb.StreamViewType, keys ...string) {
	s.Helper()
	in := &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: ddb.BillingModePayPerRequest,
		StreamSpecification: &ddb.StreamSpecification{StreamEnabled: new(true), StreamViewType: view},
	}
	if len(keys) == 0 {
		keys = []string{"id"}
	}
	for i, key := range keys {
		name, kind, _ := strings.Cut(key, ":")
		in.AttributeDefinitions = append(in.AttributeDefinitions, ddb.AttributeDefinition{
			AttributeName: &name, AttributeType: ddb.ScalarAttributeType(cmp.Or(kind, "S")),
		})
		in.KeySchema = append(in.KeySchema, ddb.KeySchemaElement{AttributeName: &name, KeyType: []ddb.KeyType{ddb.KeyTypeHash, ddb.KeyTypeRange}[i]})
	}
	out, err := s.db.CreateTable(s.Context(), in)
	s.must(err)
	s.stream = *out.TableDescription.LatestStreamArn
}

// item reads an item as DynamoDB's JSON has it.
func (s *stand) item(text string) map[string]ddb.AttributeValue {
	s.Helper()
	var plain map[string]any
	s.must(json.Unmarshal([]byte(text), &plain))
	it := map[string]ddb.AttributeValue{}
	for name, v := range plain {
		it[name] = s.value(v)
	}
	return it
}

func (s *stand) value(v any) ddb.AttributeValue {
	s.Helper()
	for kind, v := range v.(map[string]any) {
		switch kind {
		case "S":
			return &ddb.AttributeValueMemberS{Value: v.(string)}
		case "N":
			return &ddb.AttributeValueMemberN{Value: v.(string)}
		case "B":
			return &ddb.AttributeValueMemberB{Value: []byte(v.(string))} // as text
		case "BOOL":
			return &ddb.AttributeValueMemberBOOL{Value: v.(bool)}
		case "NULL":
			return &ddb.AttributeValueMemberNULL{Value: v.(bool)}
		case "SS":
			return &ddb.AttributeValueMemberSS{Value: texts(v)}
		case "NS":
			return &ddb.AttributeValueMemberNS{Value: texts(v)}
		case "BS":
			var all [][]byte
			for _, text := range texts(v) {
				all = append(all, []byte(text))
			}
			return &ddb.AttributeValueMemberBS{Value: all}
		case "L":
			var all []ddb.AttributeValue
			for _, e := range v.([]any) {
				all = append(all, s.value(e))
			}
			return &ddb.AttributeValueMemberL{Value: all}
		case "M":
			all := map[string]ddb.AttributeValue{}
			for name, e := range v.(map[string]any) {
				all[name] = s.value(e)
			}
			return &ddb.AttributeValueMemberM{Value: all}
		}
	}
	s.Fatalf("%v is no attribute value", v)
	return nil
}

func texts(list any) (all []string) {
	for _, text := range list.([]any) {
		all = append(all, text.(string))
	}
	return all
}

// put puts items that are written as DynamoDB's JSON, and remove deletes one by its key.
func (s *stand) put(items ...string) {
	s.Helper()
	for _, it := range items {
		_, err := s.db.PutItem(s.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: s.item(it)})
		s.must(err)
	}
}

func (s *stand) remove(key string) {
	s.Helper()
	_, err := s.db.DeleteItem(s.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: s.item(key)})
	s.must(err)
}

// write writes what the words say, one after the other: "a" puts the item with the id a, "a:2" puts it with the value 2, "-a" deletes it,
// and "+61s" lets time pass.
func (s *stand) write(words string) {
	s.Helper()
	for word := range strings.FieldsSeq(words) {
		switch rest := word[1:]; word[0] {
		case '+':
			d, err := time.ParseDuration(rest)
			s.must(err)
			s.clock.Advance(d)
		case '-':
			s.remove(fmt.Sprintf(`{"id":{"S":%q}}`, rest))
		default:
			if id, value, valued := strings.Cut(word, ":"); valued {
				s.put(fmt.Sprintf(`{"id":{"S":%q},"v":{"S":%q}}`, id, value))
			} else {
				s.put(fmt.Sprintf(`{"id":{"S":%q}}`, id))
			}
		}
	}
}

// nameOf is the word that makes a record.
func nameOf(event, id, value string) string {
	switch {
	case event == "REMOVE":
		return "-" + id
	case value != "":
		return id + ":" + value
	}
	return id
}

// recordJSON is what tests look at in a record.
type recordJSON struct {
	EventName string
	DynamoDB  struct {
		ApproximateCreationDateTime json.Number
		Keys                        struct{ ID struct{ S string } }
		NewImage                    struct{ V struct{ S string } }
		SequenceNumber              string
		SizeBytes                   int
	}
}

func (r recordJSON) name() string {
	return nameOf(r.EventName, r.DynamoDB.Keys.ID.S, r.DynamoDB.NewImage.V.S)
}

// post calls an operation of DynamoDB or of Streams without a client and gives the answer as it is.
func (s *stand) post(target, body string) []byte {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.stack.Endpoint(), strings.NewReader(body))
	s.must(err)
	req.Header.Set("X-Amz-Target", target)
	return s.send(req)
}

func (s *stand) send(req *http.Request) []byte {
	s.Helper()
	res, err := local.Client().Do(req)
	s.must(err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	s.must(err)
	if res.StatusCode >= http.StatusBadRequest {
		s.Fatalf("%s: %s %s", req.URL, res.Status, text)
	}
	return text
}

// admin calls the stack's own API.
func (s *stand) admin(method, path, body string, into any) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.stack.Endpoint()+"/_streamgen/"+path, strings.NewReader(body))
	s.must(err)
	s.must(json.Unmarshal(s.send(req), into))
}

// split splits the one open shard of the stream and gives the children, roll rolls it.
func (s *stand) split() []string { s.Helper(); return s.divide("split", "") }
func (s *stand) roll()           { s.Helper(); s.divide("roll", "") }

func (s *stand) divide(how, shard string) []string {
	s.Helper()
	var out struct{ Children []string }
	s.admin(http.MethodPost, "streams/"+how, fmt.Sprintf(`{"table":"orders","shard":%q}`, shard), &out)
	return out.Children
}

// streamRecords reads the whole stream through its API, as JSON.
func (s *stand) streamRecords() (all []json.RawMessage) {
	s.Helper()
	var d struct {
		StreamDescription struct{ Shards []struct{ ShardID string } }
	}
	s.must(json.Unmarshal(s.post("DynamoDBStreams_20120810.DescribeStream", fmt.Sprintf(`{"StreamArn":%q}`, s.stream)), &d))
	for _, shard := range d.StreamDescription.Shards {
		var page struct {
			ShardIterator     string
			NextShardIterator string
			Records           []json.RawMessage
		}
		s.must(json.Unmarshal(s.post("DynamoDBStreams_20120810.GetShardIterator",
			fmt.Sprintf(`{"StreamArn":%q,"ShardId":%q,"ShardIteratorType":"TRIM_HORIZON"}`, s.stream, shard.ShardID)), &page))
		for next := page.ShardIterator; next != ""; {
			page.Records, page.NextShardIterator = nil, ""
			s.must(json.Unmarshal(s.post("DynamoDBStreams_20120810.GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, next)), &page))
			all = append(all, page.Records...)
			if next = page.NextShardIterator; len(page.Records) == 0 {
				break
			}
		}
	}
	return all
}

// changes are the stream's records, read.
func (s *stand) changes() (all []recordJSON) {
	s.Helper()
	for _, text := range s.streamRecords() {
		var r recordJSON
		s.must(json.Unmarshal(text, &r))
		all = append(all, r)
	}
	return all
}

// itemOf names the record of a sequence number.
func (s *stand) itemOf(number string) string {
	s.Helper()
	if s.names[number] == "" {
		for _, r := range s.changes() {
			s.names[r.DynamoDB.SequenceNumber] = r.name()
		}
	}
	return cmp.Or(s.names[number], number)
}

// hear takes in an event of the stack.
func (s *stand) hear(e local.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	select {
	case s.told <- struct{}{}:
	default:
	}
}

func (s *stand) heard() []local.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.events
	s.events = nil
	return all
}

// call is an invocation of a function in the test's hands: it waits for its answer.
type call struct {
	id      string // of the request
	event   []byte
	records []recordJSON
	answer  chan answer
}

type answer struct {
	payload string
	failed  bool
}

// reply is what the function answers to a call.
type reply func(*call) answer

// ok answers that all is done, fails is an error, says is any answer.
func ok(*call) answer    { return answer{payload: "{}"} }
func fails(*call) answer { return answer{failed: true} }
func says(payload string) reply {
	return func(*call) answer { return answer{payload: payload} }
}

// leaves reports records of the batch as failed, in this order.
func leaves(names ...string) reply {
	return func(c *call) answer {
		var failures []string
		for _, name := range names {
			i := slices.IndexFunc(c.records, func(r recordJSON) bool { return r.name() == name })
			failures = append(failures, fmt.Sprintf(`{"itemIdentifier":%q}`, c.records[i].DynamoDB.SequenceNumber))
		}
		return answer{payload: `{"batchItemFailures":[` + strings.Join(failures, ",") + `]}`}
	}
}

func (c *call) reply(r reply) { c.answer <- r(c) }

// names are the words that made the records.
func (c *call) names() string {
	var all []string
	for _, r := range c.records {
		all = append(all, r.name())
	}
	return strings.Join(all, " ")
}

// register adds a function of this process whose calls the test answers.
func (s *stand) register(name string) {
	s.Helper()
	_, err := s.stack.Register(region, name, 15*time.Minute, func(ctx context.Context, i local.Invocation) ([]byte, error) {
		var e struct{ Records []recordJSON }
		if err := json.Unmarshal(i.Payload, &e); err != nil {
			return nil, err
		}
		c := &call{id: i.RequestID, event: bytes.Clone(i.Payload), records: e.Records, answer: make(chan answer, 1)}
		select {
		case s.calls <- c:
		case <-s.ended:
			return nil, errors.New("the test has ended")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case a := <-c.answer:
			if a.failed {
				return nil, errors.New("told to fail")
			}
			return []byte(a.payload), nil
		case <-s.ended:
			return nil, errors.New("the test has ended")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	s.must(err)
}

// options are a mapping's as its caller gives them.
type options = lambda.CreateEventSourceMappingInput

var reports = []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures}

// onFailure sends reports of what is given up to an ARN.
func onFailure(arn string) *lambdatypes.DestinationConfig {
	return &lambdatypes.DestinationConfig{OnFailure: &lambdatypes.OnFailure{Destination: &arn}}
}

// filters are a mapping's patterns.
func patterns(texts ...string) *lambdatypes.FilterCriteria {
	c := &lambdatypes.FilterCriteria{}
	for _, text := range texts {
		c.Filters = append(c.Filters, lambdatypes.Filter{Pattern: aws.String(text)})
	}
	return c
}

// try asks for a mapping of the table's stream to the function fn, from its first record, as far as the options say nothing else.
func (s *stand) try(o options) (*lambda.CreateEventSourceMappingOutput, error) {
	if o.EventSourceArn == nil {
		o.EventSourceArn = &s.stream
	}
	if o.FunctionName == nil {
		o.FunctionName = aws.String("fn")
	}
	if o.StartingPosition == "" {
		o.StartingPosition = lambdatypes.EventSourcePositionTrimHorizon
	}
	return s.lambda.CreateEventSourceMapping(s.Context(), &o)
}

func (s *stand) create(o options) *lambda.CreateEventSourceMappingOutput {
	s.Helper()
	out, err := s.try(o)
	s.must(err)
	s.mapping = *out.UUID
	return out
}

// next is the next call. Where a batch pauses, its time passes.
func (s *stand) next() *call {
	s.Helper()
	c, done := s.nextOr(nil)
	if done {
		s.Fatal("not invoked")
	}
	return c
}

// nextOr is the next call, unless done is closed before.
func (s *stand) nextOr(done <-chan struct{}) (c *call, over bool) {
	s.Helper()
	for timeout := time.After(patience); ; {
		select {
		case c := <-s.calls:
			return c, false
		case <-done:
			return nil, true
		case <-s.told:
			for _, e := range s.heard() {
				s.passPause(e)
			}
		case <-timeout:
			s.Fatal("not invoked, and nothing pauses")
		}
	}
}

// passPause lets time pass when an event says that a batch pauses: the batch begins to wait soon after it was told.
func (s *stand) passPause(e local.Event) {
	s.Helper()
	if e.Kind != local.EventRetry && e.Kind != local.EventRefused {
		return
	}
	pause := time.Duration(e.PauseMS * float64(time.Millisecond))
	until := s.await(pause, func(w wait) bool { return !w.since.Before(e.Time) && w.until.Sub(w.since) == pause })
	if left := until.Sub(s.clock.Now()); left > 0 {
		s.clock.Advance(left)
	}
}

// until waits until there were n events of a kind. Where a batch pauses, its time passes.
func (s *stand) until(kind string, n int) {
	s.Helper()
	s.untilOf(n, func(e local.Event) bool { return e.Kind == kind })
}

func (s *stand) untilOf(n int, fits func(local.Event) bool) {
	s.Helper()
	for timeout := time.After(patience); n > 0; {
		select {
		case <-s.told:
		case <-timeout:
			s.Fatalf("there should be %d events more", n)
		}
		for _, e := range s.heard() {
			s.passPause(e)
			if fits(e) {
				n--
			}
		}
	}
}

// pass lets time pass once somebody waits for exactly that.
func (s *stand) pass(d time.Duration) {
	s.Helper()
	now := s.clock.Now()
	s.await(d, func(w wait) bool { return w.until.Equal(now.Add(d)) })
	s.clock.Advance(d)
}

// await returns when a wait that fits ends, once there is one.
func (s *stand) await(d time.Duration, fits func(wait) bool) (until time.Time) {
	s.Helper()
	for timeout := time.After(patience); ; {
		until, none := s.clock.take(fits)
		if none == nil {
			return until
		}
		select {
		case <-none:
		case <-timeout:
			s.Fatalf("nobody waits for %v", d)
		}
	}
}

// expect is the next call, which must bring these records.
func (s *stand) expect(names string) *call {
	s.Helper()
	c := s.next()
	if got := c.names(); got != names {
		s.Fatalf("invoked with %q, want %q", got, names)
	}
	return c
}

// settle waits until the mapping has nothing left; where a batch pauses its time passes. A call meanwhile is one too many.
func (s *stand) settle() {
	s.Helper()
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.Context()), patience)
		defer cancel()
		err = s.stack.AwaitCaughtUp(ctx, region, "orders")
	}()
	if c, over := s.nextOr(done); !over {
		c.reply(ok)
		s.Errorf("invoked once more, with %q", c.names())
		<-done
	}
	s.must(err)
}

// checkpoint is the name of the last record that is done, with all before it.
func (s *stand) checkpoint() string {
	s.Helper()
	var all []string
	for _, number := range s.checkpoints() {
		all = append(all, s.itemOf(number))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// checkpoints are the mapping's, by shard.
func (s *stand) checkpoints() map[string]string {
	s.Helper()
	var dump struct {
		Regions map[string]struct {
			Mappings []struct {
				UUID        string
				Checkpoints map[string]string
			}
		}
	}
	s.admin(http.MethodGet, "dump", "", &dump)
	for _, m := range dump.Regions[region].Mappings {
		if m.UUID == s.mapping {
			return m.Checkpoints
		}
	}
	return nil
}

// shown is the mapping's state and what it did last, as the API says it.
func (s *stand) shown() string {
	s.Helper()
	out, err := s.lambda.GetEventSourceMapping(s.Context(), &lambda.GetEventSourceMappingInput{UUID: &s.mapping})
	s.must(err)
	return *out.State + ", " + *out.LastProcessingResult
}

// queue makes the queue that reports go to.
func (s *stand) queue() {
	s.Helper()
	_, err := s.sqs.CreateQueue(s.Context(), &sqs.CreateQueueInput{QueueName: aws.String("lost")})
	s.must(err)
}

// messages takes what is in the queue.
func (s *stand) messages() (bodies []string) {
	s.Helper()
	for {
		out, err := s.sqs.ReceiveMessage(s.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(s.stack.Endpoint() + "/000000000000/lost"), MaxNumberOfMessages: 10, VisibilityTimeout: 3600,
		})
		s.must(err)
		if len(out.Messages) == 0 {
			return bodies
		}
		for _, m := range out.Messages {
			bodies = append(bodies, *m.Body)
		}
	}
}

// report is what tests look at in the report of records that were given up.
type report struct {
	RequestContext struct {
		RequestID, Condition   string
		ApproximateInvokeCount int
	}
	ResponseContext *struct{ FunctionError *string }
	Batch           struct {
		ShardID, StartSequenceNumber, EndSequenceNumber string
		BatchSize                                       int
	} `json:"DDBStreamBatchInfo"`
}

// reported are the reports in the queue in words, in the order of their records: "RetryAttemptsExhausted b..c (2), count 3, Unhandled".
func (s *stand) reported() []string {
	s.Helper()
	var all []report
	for _, body := range s.messages() {
		var r report
		s.must(json.Unmarshal([]byte(body), &r))
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b report) int {
		return strings.Compare(a.Batch.StartSequenceNumber, b.Batch.StartSequenceNumber)
	})
	var words []string
	for _, r := range all {
		failure := "no responseContext"
		if r.ResponseContext != nil {
			if failure = "null"; r.ResponseContext.FunctionError != nil {
				failure = *r.ResponseContext.FunctionError
			}
		}
		words = append(words, fmt.Sprintf("%s %s..%s (%d), count %d, %s", r.RequestContext.Condition, s.itemOf(r.Batch.StartSequenceNumber),
			s.itemOf(r.Batch.EndSequenceNumber), r.Batch.BatchSize, r.RequestContext.ApproximateInvokeCount, failure))
	}
	return words
}

// delivery is one invocation of a row.
type delivery struct {
	// records are what the function is invoked with, and answer is what it says to that.
	records string
	answer  reply
	// done is the last record at or before the checkpoint while the function runs; "-" is none, and "" is not looked at.
	done string
}

// mappingRow is a row of a table about mappings: a mapping with these options and what was written before it makes these deliveries, in this
// order, and leaves these reports in its on-failure queue.
type mappingRow struct {
	name       string
	given      options
	written    string
	deliveries []delivery
	reported   []string
	// result is what the mapping did last; "" is OK.
	result string
}

func (row mappingRow) run(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.queue()
	s.register("fn")
	s.write(row.written)
	if row.given.DestinationConfig == nil {
		row.given.DestinationConfig = onFailure(queueARN)
	}
	s.create(row.given)
	for _, d := range row.deliveries {
		c := s.expect(d.records)
		if d.done != "" {
			s.equal("the checkpoint before "+d.records, cmp.Or(s.checkpoint(), "-"), d.done)
		}
		c.reply(d.answer)
	}
	s.settle()
	s.equal("reports", s.reported(), row.reported)
	s.equal("the mapping", s.shown(), "Enabled, "+cmp.Or(row.result, "OK"))
}

// runAll runs the rows of a table side by side.
func runAll(t *testing.T, rows []mappingRow) {
	t.Helper()
	t.Parallel()
	for _, row := range rows {
		t.Run(row.name, row.run)
	}
}
