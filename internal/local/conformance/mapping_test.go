package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"streamgen/internal/local"
	"streamgen/internal/local/clock"
)

// mapped is a stack on a clock of the test's, with a table that has a stream.
type mapped struct {
	t         *testing.T
	stack     *local.Stack
	clock     *clock.Manual
	db        *dynamodb.Client
	lambda    *lambda.Client
	streamARN string
}

func newMapped(t *testing.T) *mapped {
	m := &mapped{t: t, clock: clock.NewManual(time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC))}
	m.stack = newStack(t, local.Options{Clock: m.clock})
	c := config(m.stack.Endpoint())
	m.db, m.lambda = dynamodb.NewFromConfig(c), lambda.NewFromConfig(c)
	created, err := m.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: dbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dbtypes.KeyTypeHash}},
		StreamSpecification:  &dbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: dbtypes.StreamViewTypeNewImage},
	})
	must(t, err)
	m.streamARN = *created.TableDescription.LatestStreamArn
	return m
}

func (m *mapped) put(ids ...string) {
	m.t.Helper()
	for _, id := range ids {
		_, err := m.db.PutItem(m.t.Context(), &dynamodb.PutItemInput{
			TableName: aws.String("orders"), Item: map[string]dbtypes.AttributeValue{"id": &dbtypes.AttributeValueMemberS{Value: id}},
		})
		must(m.t, err)
	}
}

// invoked is an invocation of a function in the test's hands: it waits for its answer.
type invoked struct {
	ids    []string
	event  string
	answer chan string // "" fails
}

// function registers one whose invocations the test answers.
func (m *mapped) function(name string) <-chan invoked {
	m.t.Helper()
	calls := make(chan invoked)
	_, err := m.stack.Register("us-east-1", name, 15*time.Minute, func(ctx context.Context, i local.Invocation) ([]byte, error) {
		var e struct {
			Records []struct {
				DynamoDB struct {
					Keys struct{ ID struct{ S string } }
				}
			}
		}
		if err := json.Unmarshal(i.Payload, &e); err != nil {
			return nil, err
		}
		c := invoked{event: string(i.Payload), answer: make(chan string, 1)}
		for _, r := range e.Records {
			c.ids = append(c.ids, r.DynamoDB.Keys.ID.S)
		}
		select {
		case calls <- c:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case a := <-c.answer:
			if a == "" {
				return nil, errors.New("no")
			}
			return []byte(a), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	must(m.t, err)
	return calls
}

func (m *mapped) create(function string, change func(*lambda.CreateEventSourceMappingInput)) *lambda.CreateEventSourceMappingOutput {
	m.t.Helper()
	in := &lambda.CreateEventSourceMappingInput{EventSourceArn: &m.streamARN, FunctionName: &function, StartingPosition: types.EventSourcePositionTrimHorizon}
	if change != nil {
		change(in)
	}
	out, err := m.lambda.CreateEventSourceMapping(m.t.Context(), in)
	must(m.t, err)
	return out
}

// next is the next invocation.
func (m *mapped) next(calls <-chan invoked) invoked {
	m.t.Helper()
	select {
	case c := <-calls:
		return c
	case <-time.After(20 * time.Second):
		m.t.Fatal("not invoked")
	}
	return invoked{}
}

// expect is the next invocation, which must bring the changes of these items.
func (m *mapped) expect(calls <-chan invoked, ids ...string) invoked {
	m.t.Helper()
	c := m.next(calls)
	if !slices.Equal(c.ids, ids) {
		m.t.Fatalf("invoked with %v, want %v", c.ids, ids)
	}
	return c
}

// shown is what the API says of a mapping.
func (m *mapped) shown(id *string) string {
	m.t.Helper()
	out, err := m.lambda.GetEventSourceMapping(m.t.Context(), &lambda.GetEventSourceMappingInput{UUID: id})
	must(m.t, err)
	return fmt.Sprintf("%s, %s, %s", *out.State, *out.StateTransitionReason, *out.LastProcessingResult)
}

func (m *mapped) wantShown(id *string, want string) {
	m.t.Helper()
	eventually(m.t, "the mapping is "+want, func() bool { return m.shown(id) == want })
}

// TestMappingStates: the answer to a call has the state on the way, the next one that in which it settles. A mapping that is enabled again
// goes on where it was.
func TestMappingStates(t *testing.T) {
	m := newMapped(t)
	calls := m.function("fn")
	created := m.create("fn", nil)
	if got := *created.State + ", " + *created.StateTransitionReason + ", " + *created.LastProcessingResult; got != "Creating, User action, No records processed" {
		t.Errorf("created: %s", got)
	}
	m.wantShown(created.UUID, "Enabled, User action, No records processed")
	update := func(in lambda.UpdateEventSourceMappingInput) string {
		in.UUID = created.UUID
		out, err := m.lambda.UpdateEventSourceMapping(t.Context(), &in)
		must(t, err)
		return *out.State
	}
	m.put("a")
	m.expect(calls, "a").answer <- "{}"
	m.wantShown(created.UUID, "Enabled, User action, OK")
	if got := update(lambda.UpdateEventSourceMappingInput{BatchSize: aws.Int32(1)}); got != "Updating" {
		t.Errorf("updated: %s", got)
	}
	if got := update(lambda.UpdateEventSourceMappingInput{Enabled: aws.Bool(false)}); got != "Disabling" {
		t.Errorf("disabled: %s", got)
	}
	m.wantShown(created.UUID, "Disabled, User action, OK")
	m.put("b", "c")
	if got := update(lambda.UpdateEventSourceMappingInput{Enabled: aws.Bool(true)}); got != "Enabling" {
		t.Errorf("enabled: %s", got)
	}
	m.expect(calls, "b").answer <- "{}"
	m.expect(calls, "c").answer <- ""
	m.wantShown(created.UUID, "Enabled, User action, PROBLEM: Function call failed")
	deleted, err := m.lambda.DeleteEventSourceMapping(t.Context(), &lambda.DeleteEventSourceMappingInput{UUID: created.UUID})
	must(t, err)
	if *deleted.State != "Deleting" {
		t.Errorf("deleted: %s", *deleted.State)
	}
	_, err = m.lambda.GetEventSourceMapping(t.Context(), &lambda.GetEventSourceMappingInput{UUID: created.UUID})
	wantCode(t, err, "ResourceNotFoundException", "The resource you requested does not exist.")
}

// TestMappingOutlivesItsFunction: its state stays, what was not invoked is no attempt, and a function of the same name gets the record.
func TestMappingOutlivesItsFunction(t *testing.T) {
	m := newMapped(t)
	m.function("fn")
	created := m.create("fn", func(in *lambda.CreateEventSourceMappingInput) { in.MaximumRetryAttempts = aws.Int32(0) })
	_, err := m.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: aws.String("fn")})
	must(t, err)
	m.put("a")
	m.wantShown(created.UUID, "Enabled, User action, PROBLEM: Function call failed")
	calls := m.function("fn")
	eventually(t, "the new function is invoked", func() bool {
		m.clock.Advance(time.Minute)
		select {
		case c := <-calls:
			c.answer <- "{}"
			return true
		case <-time.After(10 * time.Millisecond):
			return false
		}
	})
	m.wantShown(created.UUID, "Enabled, User action, OK")
}

// TestMappingOutlivesItsStream: what is in a stream is delivered also when the stream is disabled, or its table gone, and the state stays.
func TestMappingOutlivesItsStream(t *testing.T) {
	for _, ending := range []string{"stream disabled", "table deleted"} {
		t.Run(ending, func(t *testing.T) {
			m := newMapped(t)
			calls := m.function("fn")
			created := m.create("fn", func(in *lambda.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(1) })
			m.put("a", "b")
			first := m.expect(calls, "a")
			var err error
			if ending == "table deleted" {
				_, err = m.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("orders")})
			} else {
				_, err = m.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
					TableName: aws.String("orders"), StreamSpecification: &dbtypes.StreamSpecification{StreamEnabled: aws.Bool(false)},
				})
			}
			must(t, err)
			first.answer <- "{}"
			m.expect(calls, "b").answer <- "{}"
			m.wantShown(created.UUID, "Enabled, User action, OK")
		})
	}
}

// TestMappingsOfOneStream: each gets every record, and one that fails does not keep another.
func TestMappingsOfOneStream(t *testing.T) {
	m := newMapped(t)
	one, two := m.function("one"), m.function("two")
	m.create("one", nil)
	m.create("two", nil)
	m.put("a")
	m.expect(one, "a").answer <- ""
	m.expect(two, "a").answer <- "{}"
	m.put("b")
	m.expect(two, "b").answer <- "{}"
	m.clock.AwaitSleepers(1)
	eventually(t, "the first is invoked again", func() bool {
		m.clock.Advance(time.Second)
		select {
		case c := <-one:
			c.answer <- "{}"
			return c.ids[0] == "a"
		case <-time.After(10 * time.Millisecond):
			return false
		}
	})
}

// TestMappingDeliversSideBySide: with ParallelizationFactor items are in flight together, and one item never twice.
func TestMappingDeliversSideBySide(t *testing.T) {
	m := newMapped(t)
	calls := m.function("fn")
	m.create("fn", func(in *lambda.CreateEventSourceMappingInput) {
		in.ParallelizationFactor, in.BatchSize = aws.Int32(10), aws.Int32(1)
	})
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprint("item-", i))
	}
	m.put(ids...)
	flying := map[string]invoked{}
	for range 5 {
		c := m.next(calls)
		if _, twice := flying[c.ids[0]]; twice {
			t.Fatalf("%s is in flight twice", c.ids[0])
		}
		flying[c.ids[0]] = c
	}
	for _, c := range flying {
		c.answer <- "{}"
	}
	for range len(ids) - len(flying) {
		m.next(calls).answer <- "{}"
	}
	must(t, m.stack.AwaitCaughtUp(t.Context(), "us-east-1", "orders"))
}

// TestMappingHasWindows: the state of an invocation comes with the next one, and the last one of the window has no records.
func TestMappingHasWindows(t *testing.T) {
	m := newMapped(t)
	calls := m.function("fn")
	m.create("fn", func(in *lambda.CreateEventSourceMappingInput) { in.TumblingWindowInSeconds = aws.Int32(30) })
	m.put("a")
	m.expect(calls, "a").answer <- `{"state":{"seen":1}}`
	m.put("b")
	c := m.expect(calls, "b")
	if !strings.Contains(c.event, `"state":{"seen":1}`) || !strings.Contains(c.event, `"window":{"start":"2026-11-23T04:05:00Z","end":"2026-11-23T04:05:30Z"}`) {
		t.Errorf("the event is %s", c.event)
	}
	c.answer <- `{"state":{"seen":2}}`
	var last invoked
	eventually(t, "the window ends", func() bool {
		m.clock.Advance(time.Second)
		select {
		case last = <-calls:
			return true
		case <-time.After(time.Millisecond):
			return false
		}
	})
	if len(last.ids) > 0 || !strings.Contains(last.event, `"isFinalInvokeForWindow":true`) || !strings.Contains(last.event, `"state":{"seen":2}`) {
		t.Errorf("the last event of the window is %s", last.event)
	}
	last.answer <- `{"state":{}}`
}

// TestDocumentedTestsExist: docs/local.md names the tests that prove what it says of a mapping's options.
func TestDocumentedTestsExist(t *testing.T) {
	text, err := os.ReadFile("../../../docs/local.md")
	must(t, err)
	var sources strings.Builder
	must(t, filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		sources.Write(source)
		return err
	}))
	names := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	if len(names) < 10 {
		t.Errorf("it names %d tests", len(names))
	}
	for _, name := range names {
		if !strings.Contains(sources.String(), "\nfunc "+name[1]+"(") {
			t.Errorf("there is no %s", name[1])
		}
	}
}
