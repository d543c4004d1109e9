package streamdynamodb_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamdynamodb"
)

type order struct{ ID string }

func (o *order) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		if d.Name() == "Id" {
			o.ID = d.String()
		}
	}
}

// A record that any process of the function has handled is not handled again.
func Example() {
	handle := func(context.Context, stream.Change[order]) error { return nil }
	stream.Serve(stream.On("orders", handle, stream.Once(streamdynamodb.Default(os.Getenv("IDEMPOTENCY_TABLE")))))
}

type item map[string]types.AttributeValue

func (it item) text(name string) string {
	v, _ := it[name].(*types.AttributeValueMemberS)
	if v == nil {
		return ""
	}
	return v.Value
}

func (it item) number(t *testing.T, name string) int64 {
	t.Helper()
	v, ok := it[name].(*types.AttributeValueMemberN)
	if !ok {
		t.Fatalf("%s is %v", name, it[name])
	}
	n, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// table is a DynamoDB of one table, with the two conditions written down a second time. The local stack's tests hold them to DynamoDB's
// own language.
type table struct {
	t *testing.T

	mu    sync.Mutex
	items map[string]item
	puts  int
	// fails is what comes of a call; lost says that the call was carried out before.
	fails error
	lost  bool
	hold  chan struct{} // a put waits for it
}

func newTable(t *testing.T) *table { return &table{t: t, items: map[string]item{}} }

func (tb *table) call(condition bool, old item, change func()) error {
	if tb.fails != nil && !tb.lost {
		return tb.fails
	}
	if !condition {
		return &types.ConditionalCheckFailedException{Item: maps.Clone(old)}
	}
	change()
	return tb.fails
}

func (tb *table) PutItem(ctx context.Context, in *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if tb.hold != nil {
		select {
		case <-tb.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	tb.puts++
	id := item(in.Item).text("id")
	old, has := tb.items[id]
	holds := true
	if in.ConditionExpression != nil {
		if *in.ConditionExpression != "attribute_not_exists(id) OR #until < :now OR #owner = :owner" || in.ReturnValuesOnConditionCheckFailure != "ALL_OLD" {
			tb.t.Errorf("condition %s", *in.ConditionExpression)
		}
		values := item(in.ExpressionAttributeValues)
		holds = !has || old["until"] != nil && (old.number(tb.t, "until") < values.number(tb.t, ":now") || old.text("owner") == values.text(":owner"))
	}
	return &dynamodb.PutItemOutput{}, tb.call(holds, old, func() { tb.items[id] = in.Item })
}

func (tb *table) DeleteItem(_ context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if *in.ConditionExpression != "#owner = :owner AND #until = :until" {
		tb.t.Errorf("condition %s", *in.ConditionExpression)
	}
	id := item(in.Key).text("id")
	old, has := tb.items[id]
	values := item(in.ExpressionAttributeValues)
	holds := has && reflect.DeepEqual(old["owner"], values[":owner"]) && reflect.DeepEqual(old["until"], values[":until"])
	return &dynamodb.DeleteItemOutput{}, tb.call(holds, old, func() { delete(tb.items, id) })
}

// world is a table, the time, and two processes that claim records for a minute.
type world struct {
	*table
	now  time.Time
	a, b *streamdynamodb.Store
}

func newWorld(t *testing.T) *world {
	w := &world{table: newTable(t), now: time.UnixMilli(1_700_000_000_123)}
	clock := func() time.Time { return w.now }
	w.a, w.b = streamdynamodb.New(w, "records").At(clock), streamdynamodb.New(w, "records").At(clock)
	return w
}

func (w *world) claim(s *streamdynamodb.Store) (done bool, err error) {
	return s.Claim(w.t.Context(), "e", w.now.Add(time.Minute))
}

func (w *world) wantClaimed(s *streamdynamodb.Store) {
	w.t.Helper()
	if done, err := w.claim(s); done || err != nil {
		w.t.Fatalf("done %v, error %v, want a claim", done, err)
	}
}

func (w *world) wantRefused(s *streamdynamodb.Store, why string) {
	w.t.Helper()
	if done, err := w.claim(s); done || err == nil || !strings.Contains(err.Error(), why) {
		w.t.Fatalf("done %v, error %v, want %q", done, err, why)
	}
}

func (w *world) wantDone(s *streamdynamodb.Store) {
	w.t.Helper()
	if done, err := w.claim(s); !done || err != nil {
		w.t.Fatalf("done %v, error %v, want it to be done", done, err)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestItems(t *testing.T) {
	w := newWorld(t)
	w.wantClaimed(w.a)
	it := w.items["e"]
	if len(it) != 5 || it.text("state") != "claimed" || it.text("owner") == "" || it.number(t, "until") != 1_700_000_060_123 || it.number(t, "expires_at") != 1_700_090_000 {
		t.Errorf("a claim is %v", it)
	}
	w.now = w.now.Add(time.Second)
	w.must(w.a.Done(t.Context(), "e"))
	it = w.items["e"]
	if len(it) != 3 || it.text("state") != "done" || it.number(t, "expires_at") != 1_700_090_001 {
		t.Errorf("what is done is %v", it)
	}
	w.wantDone(w.a)
	w.wantDone(w.b)
	// However late DynamoDB removes it.
	w.now = w.now.Add(72 * time.Hour)
	w.wantDone(w.b)
	if w.puts != 5 {
		t.Errorf("%d writes", w.puts)
	}
}

func TestClaimOfAnother(t *testing.T) {
	w := newWorld(t)
	w.wantClaimed(w.a)
	w.wantRefused(w.b, `claim the record in table "records": another invocation is at work on the record until 2023-11-14T22:14:20.123Z`)
	// Not before its end is over.
	w.now = w.now.Add(time.Minute)
	w.wantRefused(w.b, "another invocation")
	w.now = w.now.Add(time.Millisecond)
	w.wantClaimed(w.b)

	// The first one lives after all. It takes nothing away from the second.
	w.must(w.a.Release(t.Context(), "e"))
	w.wantRefused(w.a, "another invocation")
	w.must(w.b.Release(t.Context(), "e"))
	w.wantClaimed(w.a)
}

func TestDoneByWhoeverHadTheClaim(t *testing.T) {
	w := newWorld(t)
	w.wantClaimed(w.a)
	w.now = w.now.Add(2 * time.Minute)
	w.wantClaimed(w.b)
	w.must(w.a.Done(t.Context(), "e"))
	w.must(w.b.Release(t.Context(), "e")) // it failed, but the record is done
	w.wantDone(w.b)
}

func TestOneGoroutineOfAProcess(t *testing.T) {
	w := newWorld(t)
	w.wantClaimed(w.a)
	w.wantRefused(w.a, "claim the record: another invocation is at work on the record, in this process")
	w.now = w.now.Add(time.Minute) // whoever has it is out of time
	w.wantClaimed(w.a)
	w.must(w.a.Release(t.Context(), "e"))
	if err := w.a.Release(t.Context(), "e"); err == nil || !strings.Contains(err.Error(), "it is not claimed") {
		t.Errorf("error %v", err)
	}
	if len(w.items) != 0 {
		t.Errorf("items %v", w.items)
	}
}

var errDown = errors.New("DynamoDB is down")

// What a call that failed has left behind, whether it was carried out or not, is in the way of other processes at most until its end.
func TestFailures(t *testing.T) {
	for _, lost := range []bool{false, true} {
		t.Run("carried out "+strconv.FormatBool(lost), func(t *testing.T) {
			w := newWorld(t)
			fail := func(err error) { w.fails, w.lost = err, lost }
			wantDown := func(err error, what string) {
				t.Helper()
				if !errors.Is(err, errDown) || !strings.Contains(err.Error(), what+` in table "records"`) {
					t.Errorf("error %v", err)
				}
				fail(nil)
			}
			fail(errDown)
			_, err := w.claim(w.a)
			wantDown(err, "claim the record")
			w.wantClaimed(w.a)
			fail(errDown)
			wantDown(w.a.Release(t.Context(), "e"), "release the record")
			w.wantClaimed(w.a)
			fail(errDown)
			wantDown(w.a.Done(t.Context(), "e"), "note the record as done")
			if lost {
				w.wantDone(w.a)
				return
			}
			w.wantRefused(w.b, "another invocation")
			w.wantClaimed(w.a)
		})
	}
}

// A delete that was given up, and comes through when the process has claimed the record anew, leaves the new claim alone.
func TestDeleteThatComesLate(t *testing.T) {
	w := newWorld(t)
	late := &lateDelete{table: w.table}
	w.a = streamdynamodb.New(late, "records").At(func() time.Time { return w.now })
	w.wantClaimed(w.a)
	if err := w.a.Release(t.Context(), "e"); !errors.Is(err, errDown) {
		t.Fatalf("error %v", err)
	}
	w.now = w.now.Add(time.Second)
	w.wantClaimed(w.a)
	if _, err := w.DeleteItem(t.Context(), late.request); err == nil {
		t.Error("it takes the new claim away")
	}
	w.wantRefused(w.b, "another invocation")
}

type lateDelete struct {
	*table
	request *dynamodb.DeleteItemInput
}

func (l *lateDelete) DeleteItem(_ context.Context, in *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	l.request = in
	return nil, errDown
}

func TestNames(t *testing.T) {
	w := newWorld(t)
	if _, err := w.a.Claim(t.Context(), "", w.now); err == nil || !strings.Contains(err.Error(), "it has no eventID") {
		t.Errorf("error %v", err)
	}
	if _, err := w.claim(streamdynamodb.Default("")); err == nil || !strings.Contains(err.Error(), `table "": it has no name`) {
		t.Errorf("error %v", err)
	}
	if w.puts != 0 {
		t.Errorf("%d writes", w.puts)
	}
	// A table that is something else.
	w.items["e"] = item{"id": &types.AttributeValueMemberS{Value: "e"}}
	w.wantRefused(w.a, "another invocation")
}

// A claim ends with its context, and leaves nothing behind in the process.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold = make(chan struct{})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := w.a.Claim(ctx, "e", w.now.Add(time.Minute)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		close(w.hold)
		w.wantClaimed(w.a)
	})
}
