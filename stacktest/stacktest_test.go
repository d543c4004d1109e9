package stacktest_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	lambdaclient "github.com/aws/aws-sdk-go-v2/service/lambda"

	"streamgen/stacktest"
)

func order(id string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"Id": &types.AttributeValueMemberS{Value: id}, "Line": &types.AttributeValueMemberN{Value: "1"},
	}
}

func put(t *testing.T, stack *stacktest.Stack, items ...map[string]types.AttributeValue) {
	t.Helper()
	db := dynamodb.NewFromConfig(stack.Config())
	for _, item := range items {
		if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String(stack.TableName("orders")), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTablesOfASpec(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []stacktest.Option
		keys    []string
		want    []string
	}{
		"the spec":       {nil, nil, []string{"shop-notizen", "shop-orders"}},
		"an environment": {[]stacktest.Option{stacktest.Environment("test")}, nil, []string{"test-notizen", "test-orders"}},
		"one of them":    {nil, []string{"orders"}, []string{"shop-orders"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stack := stacktest.Start(t, test.options...)
			stack.CreateTables(t, "testdata/gen.yaml", test.keys...)
			list, err := dynamodb.NewFromConfig(stack.Config()).ListTables(t.Context(), &dynamodb.ListTablesInput{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(list.TableNames, test.want) {
				t.Errorf("there are %v, want %v", list.TableNames, test.want)
			}
		})
	}
}

func TestATableHasWhatItsSpecSays(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	db := dynamodb.NewFromConfig(stack.Config())
	name := aws.String(stack.TableName("orders"))
	out, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	table := out.Table
	if got := keys(table.KeySchema); got != "Id HASH, Line RANGE" {
		t.Errorf("its key is %s", got)
	}
	if n := len(table.AttributeDefinitions); n != 4 {
		t.Errorf("it defines %d attributes, want the four that are keys", n)
	}
	global := table.GlobalSecondaryIndexes
	if len(global) != 1 || *global[0].IndexName != "by-customer" || keys(global[0].KeySchema) != "Customer HASH, Placed RANGE" || global[0].Projection.ProjectionType != types.ProjectionTypeKeysOnly {
		t.Errorf("its global indexes are %+v", global)
	}
	local := table.LocalSecondaryIndexes
	if len(local) != 1 || *local[0].IndexName != "by-time" || keys(local[0].KeySchema) != "Id HASH, Placed RANGE" {
		t.Errorf("its local indexes are %+v", local)
	}
	if s := table.StreamSpecification; s == nil || s.StreamViewType != types.StreamViewTypeNewAndOldImages {
		t.Errorf("its stream is %+v", s)
	}
	ttl, err := db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || *d.AttributeName != "Until" {
		t.Errorf("its time to live is %+v", d)
	}
	tags, err := db.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: table.TableArn})
	if err != nil {
		t.Fatal(err)
	}
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "Team" || *tags.Tags[0].Value != "sales" {
		t.Errorf("its tags are %+v", tags.Tags)
	}
}

func keys(schema []types.KeySchemaElement) string {
	var all []string
	for _, k := range schema {
		all = append(all, *k.AttributeName+" "+string(k.KeyType))
	}
	return strings.Join(all, ", ")
}

// received is what a handler got, batch by batch.
type received struct {
	mu      sync.Mutex
	batches [][]string
}

func (r *received) note(e events.DynamoDBEvent) []string {
	var ids []string
	for _, record := range e.Records {
		ids = append(ids, record.EventName+" "+record.Change.Keys["Id"].String())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batches = append(r.batches, ids)
	return ids
}

func (r *received) all() [][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.batches)
}

func TestABatchIsHalvedUntilTheRecordThatFailsIsAlone(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	put(t, stack, order("a"), order("b"), order("c"), order("d"))
	var got received
	stack.Attach(t, "orders", lambda.NewHandler(func(_ context.Context, e events.DynamoDBEvent) error {
		if ids := got.note(e); slices.Contains(ids, "INSERT c") {
			return errors.New("c is not to be had")
		}
		return nil
	}), stacktest.Mapping{BatchSize: 4, BisectBatchOnFunctionError: true})
	stack.AwaitCaughtUp(t, "orders")
	want := "[[INSERT a INSERT b INSERT c INSERT d] [INSERT a INSERT b] [INSERT c INSERT d] [INSERT c] [INSERT d]]"
	if text := fmt.Sprint(got.all()); text != want {
		t.Errorf("the handler got %s, want %s", text, want)
	}
}

func TestAPartialFailureIsDeliveredAgainAndThenGivenUp(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	put(t, stack, order("a"), order("b"), order("c"))
	var got received
	stack.Attach(t, "orders", lambda.NewHandler(func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		if c, ok := lambdacontext.FromContext(ctx); !ok || c.AwsRequestID == "" || !strings.Contains(c.InvokedFunctionArn, ":function:handler-1") {
			t.Errorf("the handler's context is %+v", c)
		}
		got.note(e)
		for _, r := range e.Records {
			if r.Change.Keys["Id"].String() == "b" {
				return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{{ItemIdentifier: r.Change.SequenceNumber}}}, nil
			}
		}
		return events.DynamoDBEventResponse{}, nil
	}), stacktest.Mapping{BatchSize: 3, MaximumRetryAttempts: 1})
	stack.AwaitCaughtUp(t, "orders")
	want := "[[INSERT a INSERT b INSERT c] [INSERT b INSERT c] [INSERT b INSERT c]]"
	if text := fmt.Sprint(got.all()); text != want {
		t.Errorf("the handler got %s, want %s", text, want)
	}
}

func TestAPanicIsAFailedInvocation(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	put(t, stack, order("a"))
	var got received
	stack.Attach(t, "orders", lambda.NewHandler(func(_ context.Context, e events.DynamoDBEvent) error {
		if got.note(e); len(got.all()) == 1 {
			panic("once")
		}
		return nil
	}), stacktest.Mapping{MaximumRetryAttempts: -1})
	stack.AwaitCaughtUp(t, "orders")
	if n := len(got.all()); n != 2 {
		t.Errorf("the handler ran %d times, want a second time after its panic", n)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	var got received
	stack.Attach(t, "orders", lambda.NewHandler(func(_ context.Context, e events.DynamoDBEvent) error {
		got.note(e)
		return nil
	}), stacktest.Mapping{Filters: []string{`{"dynamodb":{"Keys":{"Id":{"S":["b"]}}}}`}})
	put(t, stack, order("a"), order("b"), order("c"))
	stack.AwaitCaughtUp(t, "orders")
	if text := fmt.Sprint(got.all()); text != "[[INSERT b]]" {
		t.Errorf("the handler got %s", text)
	}
}

func TestItemsExpireOnTheManualClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	stack := stacktest.Start(t, stacktest.ManualClock(now))
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	item := order("a")
	item["Until"] = &types.AttributeValueMemberN{Value: fmt.Sprint(now.Add(time.Hour).Unix())}
	put(t, stack, item)
	stack.AwaitRecords(t, "orders", 1)
	stack.Advance(t, 2*time.Hour)
	stack.AwaitRecords(t, "orders", 2)
	var got received
	stack.Attach(t, "orders", lambda.NewHandler(func(_ context.Context, e events.DynamoDBEvent) error {
		got.note(e)
		return nil
	}), stacktest.Mapping{})
	stack.AwaitCaughtUp(t, "orders")
	if text := fmt.Sprint(got.all()); text != "[[INSERT a REMOVE a]]" {
		t.Errorf("the handler got %s", text)
	}
}

// failing is a test that a test may let fail.
type failing struct {
	*testing.T
	deadline time.Time
	text     string
}

func (f *failing) Deadline() (time.Time, bool) { return f.deadline, true }

func (f *failing) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	panic(f)
}

func (f *failing) Fatal(args ...any) {
	f.text = fmt.Sprint(args...)
	panic(f)
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml")
	handler := lambda.NewHandler(func(context.Context, events.DynamoDBEvent) error { return errors.New("never") })
	for name, test := range map[string]struct {
		do   func(*failing)
		want string
	}{
		"no spec":       {func(f *failing) { stack.CreateTables(f, "testdata/none.yaml") }, "none.yaml"},
		"no such table": {func(f *failing) { stack.CreateTables(f, "testdata/gen.yaml", "ordres") }, `has no table "ordres"`},
		"twice":         {func(f *failing) { stack.CreateTables(f, "testdata/gen.yaml", "orders") }, "ResourceInUseException"},
		"no clock":      {func(f *failing) { stack.Advance(f, 1) }, "stacktest.ManualClock"},
		"no stream":     {func(f *failing) { stack.Attach(f, "notes", handler, stacktest.Mapping{}) }, "has no stream"},
		"out of range":  {func(f *failing) { stack.Attach(f, "orders", handler, stacktest.Mapping{BatchSize: 10001}) }, "less than or equal to 10000"},
		"no mapping":    {func(f *failing) { stack.AwaitCaughtUp(f, "orders") }, "no mapping reads the stream of table shop-orders"},
		"not that many": {func(f *failing) { stack.AwaitRecords(f, "orders", 3) }, "has 0 records, want 3"},
		"no environment": {func(f *failing) {
			stacktest.Start(t, stacktest.Environment("prod")).CreateTables(f, "testdata/gen.yaml")
		}, `no environment "prod"`},
	} {
		f := &failing{T: t, deadline: time.Now().Add(time.Second)} // of which nothing is left to wait
		func() {
			defer func() {
				if cause := recover(); cause != nil && cause != any(f) {
					panic(cause)
				}
			}()
			test.do(f)
		}()
		if !strings.Contains(f.text, test.want) {
			t.Errorf("%s: %q does not say %q", name, f.text, test.want)
		}
	}
}

func TestAWaitSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	put(t, stack, order("a"))
	ran := make(chan struct{}, 1)
	stack.Attach(t, "orders", lambda.NewHandler(func(context.Context, events.DynamoDBEvent) error {
		select {
		case ran <- struct{}{}:
		default:
		}
		return errors.New("never")
	}), stacktest.Mapping{MaximumRetryAttempts: -1})
	<-ran
	f := &failing{T: t, deadline: time.Now()}
	func() {
		defer func() { _ = recover() }()
		stack.AwaitCaughtUp(f, "orders")
	}()
	if !strings.Contains(f.text, "is not done") || !strings.Contains(f.text, "handler-1") {
		t.Errorf("%q does not say which record and which handler", f.text)
	}
}

// A handler is told what an invoker says of himself, as in a process of its own.
func TestAttachedHandlerHasTheClientContext(t *testing.T) {
	t.Parallel()
	stack := stacktest.Start(t)
	stack.CreateTables(t, "testdata/gen.yaml", "orders")
	function := stack.Attach(t, "orders", lambda.NewHandler(func(ctx context.Context) (string, error) {
		about, _ := lambdacontext.FromContext(ctx)
		return about.ClientContext.Client.AppTitle + about.ClientContext.Custom["by"], nil
	}), stacktest.Mapping{})
	client := base64.StdEncoding.EncodeToString([]byte(`{"client":{"app_title":"shop"}, "custom":{"by":"hand"}}`))
	out, err := lambdaclient.NewFromConfig(stack.Config()).Invoke(t.Context(), &lambdaclient.InvokeInput{FunctionName: &function, ClientContext: &client})
	if err != nil || string(out.Payload) != `"shophand"` {
		t.Errorf("got %s, %v", out.Payload, err)
	}
	client = base64.StdEncoding.EncodeToString([]byte(`{"custom":1}`))
	out, err = lambdaclient.NewFromConfig(stack.Config()).Invoke(t.Context(), &lambdaclient.InvokeInput{FunctionName: &function, ClientContext: &client})
	if err != nil || !strings.Contains(string(out.Payload), "read the client context") {
		t.Errorf("got %s, %v", out.Payload, err)
	}
}
