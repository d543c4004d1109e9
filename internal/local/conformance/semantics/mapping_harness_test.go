// Package semantics proves row by row what docs/semantics says of the local stack: each test is a table, each of its subtests a row of it.
// The tests are users of a stack of their own, through AWS's own clients, with time in their hands.
package semantics

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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
