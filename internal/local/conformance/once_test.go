package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamdynamodb"
	"streamgen/runtime/streamtest"
)

// recordsTable makes a table as package streamdynamodb wants it.
func recordsTable(t *testing.T, c *dynamodb.Client) string {
	t.Helper()
	name := unique("records")
	_, err := c.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: name, BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: ddb.KeyTypeHash}}})
	must(t, err)
	t.Cleanup(func() {
		_, _ = c.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: name})
	})
	must(t, dynamodb.NewTableExistsWaiter(c).Wait(t.Context(), &dynamodb.DescribeTableInput{TableName: name}, time.Minute))
	_, err = c.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: name,
		TimeToLiveSpecification: &ddb.TimeToLiveSpecification{AttributeName: aws.String("expires_at"), Enabled: aws.Bool(true)}})
	must(t, err)
	return *name
}

// TestOneOfManyClaims has eight processes claim the same records at the same time, and give every third up once.
func TestOneOfManyClaims(t *testing.T) {
	c := dynamodb.NewFromConfig(config(endpoint(t)))
	name := recordsTable(t, c)
	const ids, processes = 30, 8
	var underWay, released, done [ids]atomic.Int32
	var all sync.WaitGroup
	for range processes {
		s := streamdynamodb.New(c, name)
		all.Go(func() {
			for settled := 0; settled < ids; {
				settled = 0
				for i := range ids {
					id := fmt.Sprint("event-", i)
					known, err := s.Claim(t.Context(), id, time.Now().Add(time.Hour))
					switch {
					case known:
						settled++
						continue
					case errors.Is(err, stream.ErrClaimed):
						continue
					case err != nil:
						t.Error(err)
						return
					}
					if n := underWay[i].Add(1); n != 1 {
						t.Errorf("%s is claimed %d times", id, n)
					}
					if i%3 == 0 && released[i].CompareAndSwap(0, 1) {
						underWay[i].Add(-1)
						err = s.Release(t.Context(), id)
					} else {
						done[i].Add(1)
						underWay[i].Add(-1)
						err = s.Done(t.Context(), id)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	for i := range ids {
		if n := done[i].Load(); n != 1 {
			t.Errorf("event-%d was done %d times", i, n)
		}
	}
}

// TestClaimsOfTheDead has a process die: its claims end by their time alone.
func TestClaimsOfTheDead(t *testing.T) {
	c, ctx := dynamodb.NewFromConfig(config(endpoint(t))), t.Context()
	name := recordsTable(t, c)
	dead, heir := streamdynamodb.New(c, name), streamdynamodb.New(c, name)
	claim := func(s *streamdynamodb.Store, id string, until time.Time) error {
		known, err := s.Claim(ctx, id, until)
		if known {
			t.Errorf("%s is done", id)
		}
		return err
	}
	must(t, claim(dead, "long", time.Now().Add(time.Hour)))
	must(t, claim(dead, "short", time.Now().Add(time.Second)))
	must(t, claim(dead, "over", time.Now().Add(-time.Second)))
	must(t, claim(heir, "over", time.Now().Add(time.Hour)))
	eventually(t, "the claim ends", func() bool { return claim(heir, "short", time.Now().Add(time.Hour)) == nil })
	if err := claim(heir, "long", time.Now().Add(time.Hour)); !errors.Is(err, stream.ErrClaimed) {
		t.Errorf("error %v", err)
	}
	// It was only thought to be dead, and has nothing to give up any more.
	must(t, dead.Release(ctx, "over"))
	if err := claim(streamdynamodb.New(c, name), "over", time.Now().Add(time.Hour)); err == nil {
		t.Error("a claim was lost")
	}
	// And what it did is done.
	must(t, dead.Done(ctx, "short"))
	must(t, heir.Release(ctx, "short"))
	if known, err := heir.Claim(ctx, "short", time.Now().Add(time.Hour)); !known || err != nil {
		t.Errorf("done %v, error %v", known, err)
	}

	got := map[string]string{}
	out, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: &name})
	must(t, err)
	for _, item := range out.Items {
		got[item["id"].(*ddb.AttributeValueMemberS).Value] = item["state"].(*ddb.AttributeValueMemberS).Value
	}
	if d := cmp.Diff(map[string]string{"long": "claimed", "over": "claimed", "short": "done"}, got); d != "" {
		t.Errorf("the table (-want +got):\n%s", d)
	}
}

// TestClaimSentTwice loses the answer to a claim, as a network may: the client's second try finds the claim that the first one has made.
func TestClaimSentTwice(t *testing.T) {
	c := dynamodb.NewFromConfig(config(endpoint(t)))
	s := streamdynamodb.New(&twice{c}, recordsTable(t, c))
	if known, err := s.Claim(t.Context(), "e", time.Now().Add(time.Hour)); known || err != nil {
		t.Errorf("done %v, error %v", known, err)
	}
	must(t, s.Done(t.Context(), "e"))
	must(t, s.Done(t.Context(), "e"))
}

type twice struct{ *dynamodb.Client }

func (c *twice) PutItem(ctx context.Context, in *dynamodb.PutItemInput, options ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if _, err := c.Client.PutItem(ctx, in, options...); err != nil {
		return nil, err
	}
	return c.Client.PutItem(ctx, in, options...)
}

// TestOnce delivers records to several processes of a function, the default client included.
func TestOnce(t *testing.T) {
	url := endpoint(t)
	c := dynamodb.NewFromConfig(config(url))
	name := recordsTable(t, c)
	t.Setenv("AWS_ENDPOINT_URL", url)
	useDefaults(t)

	var handled []string
	var fail bool
	process := func() func(...streamtest.Record) streamtest.Invocation {
		h := stream.Handler(func(_ context.Context, c stream.Change[note]) error {
			if fail && c.Keys.ID == "2" {
				return errors.New("not now")
			}
			handled = append(handled, c.Keys.ID)
			return nil
		}, stream.Once(streamdynamodb.Default(name)))
		return func(records ...streamtest.Record) streamtest.Invocation { return streamtest.Invoke(t, h, records...) }
	}
	records := []streamtest.Record{streamtest.Insert(&note{"1", "a"}), streamtest.Insert(&note{"2", "b"}), streamtest.Insert(&note{"3", "c"})}
	fail = true
	process()(records...)
	fail = false
	process()(records...)
	process()(records...)
	if d := cmp.Diff([]string{"1", "3", "2"}, handled); d != "" {
		t.Errorf("handled (-want +got):\n%s", d)
	}
}
