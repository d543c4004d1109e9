// Package stacktest gives a Go test a local stack of its own: DynamoDB, DynamoDB Streams, Lambda and the event source mapping between
// them, in the test's process and reached by the unmodified AWS SDK. A stack starts in milliseconds on a free loopback port, shares
// nothing with another, and ends with its test, so that parallel tests need no care.
//
//	func TestShipping(t *testing.T) {
//		t.Parallel()
//		stack := stacktest.Start(t)
//		stack.CreateTables(t, "../gen.yaml", "orders")
//		shipped := make(chan string, 1)
//		stack.Attach(t, "orders", lambda.NewHandler(func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
//			shipped <- e.Records[0].Change.Keys["id"].String()
//			return events.DynamoDBEventResponse{}, nil
//		}), stacktest.Mapping{})
//
//		db := dynamodb.NewFromConfig(stack.Config())
//		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: …})
//		…
//		stack.AwaitCaughtUp(t, "orders")
//	}
//
// What the stack does not emulate it refuses by its name. To test a handler with records that were written by hand, without tables
// and without time, there is package streamgen/runtime/streamtest.
package stacktest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"streamgen/internal/local"
	"streamgen/internal/local/clock"
)

// region is where everything is made: an endpoint of one's own leaves no reason to choose another.
const region = "us-east-1"

// Stack is a running local stack.
type Stack struct {
	stack       *local.Stack
	clock       *clock.Manual // nil for the machine's time
	environment string
	config      aws.Config
	names       names
	functions   atomic.Int64 // that were attached
}

// Option is a choice about a stack.
type Option func(*options)

type options struct {
	clock       *clock.Manual
	environment string
}

// ManualClock makes the stack's time stand at a time until [Stack.Advance] moves it.
func ManualClock(at time.Time) Option {
	return func(o *options) { o.clock = clock.NewManual(at) }
}

// Environment takes a spec's tables as they are in one of its environments; without it they are those of the spec itself.
func Environment(name string) Option {
	return func(o *options) { o.environment = name }
}

// retryPause is short, since a test of a retry has no use for Lambda's half a second.
const retryPause = time.Millisecond

// Start starts a stack that runs until the test ends. What goes wrong ends the test.
func Start(t testing.TB, opts ...Option) *Stack {
	t.Helper()
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	s := &Stack{clock: o.clock, environment: o.environment}
	settings := local.Options{Listen: "127.0.0.1:0", Region: region, Dir: t.TempDir(), RetryPause: retryPause}
	if o.clock != nil {
		settings.Clock = o.clock
	}
	stack, err := local.Start(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience) // the test's own is done when it ends
		defer cancel()
		if err := stack.Close(ctx); err != nil {
			t.Errorf("end the local stack: %v", err)
		}
	})
	s.stack = stack
	s.config = aws.Config{
		Region: region, BaseEndpoint: aws.String(stack.Endpoint()), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test", Source: "stacktest"}, nil
		}),
	}
	return s
}

// Endpoint is the stack's URL, such as "http://127.0.0.1:40123": what AWS_ENDPOINT_URL takes.
func (s *Stack) Endpoint() string { return s.stack.Endpoint() }

// Config makes a client of any AWS service one of the stack. Its credentials are none, it reads neither the environment nor a file, and
// an error is an error at once: set RetryMaxAttempts and Retryer to test a client's retries.
func (s *Stack) Config() aws.Config { return s.config.Copy() }

// Advance moves the clock of a stack with a [ManualClock]: items expire, batching windows end, records age. What comes of it comes
// soon and not at once: wait for it with [Stack.AwaitRecords] or [Stack.AwaitCaughtUp].
func (s *Stack) Advance(t testing.TB, d time.Duration) {
	t.Helper()
	if s.clock == nil {
		t.Fatal("advance the clock: start the stack with stacktest.ManualClock")
	}
	if d < 0 {
		t.Fatalf("advance the clock by %v: it goes forward alone", d)
	}
	s.clock.Advance(d)
}

// AwaitRecords waits until at least n records can be read from a table's stream. Otherwise the test ends with how many there are.
func (s *Stack) AwaitRecords(t testing.TB, table string, n int) {
	t.Helper()
	ctx, cancel := within(t)
	defer cancel()
	if err := s.stack.AwaitRecords(ctx, region, s.TableName(table), n); err != nil {
		t.Fatal(err)
	}
}

// AwaitCaughtUp waits until the handlers of a table have nothing left of what is in its stream: each record was delivered with success,
// filtered out, or given up. Otherwise the test ends with the record that is in the way.
func (s *Stack) AwaitCaughtUp(t testing.TB, table string) {
	t.Helper()
	ctx, cancel := within(t)
	defer cancel()
	if err := s.stack.AwaitCaughtUp(ctx, region, s.TableName(table)); err != nil {
		t.Fatal(err)
	}
}

// patience bounds how long a broken test waits.
const patience = 30 * time.Second

// grace is what is left of a test's time to tell why it failed.
const grace = time.Second

// within is the time that a wait may take.
func within(t testing.TB) (context.Context, context.CancelFunc) {
	until := time.Now().Add(patience)
	if test, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, limited := test.Deadline(); limited && deadline.Add(-grace).Before(until) {
			until = deadline.Add(-grace)
		}
	}
	return context.WithDeadline(t.Context(), until)
}
