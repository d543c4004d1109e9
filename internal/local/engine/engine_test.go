package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/expr"
)

var start = time.Date(2026, 11, 23, 4, 8, 31, 911_000_000, time.UTC)

// recorder is a stream that keeps what it gets, in order.
type recorder struct {
	mu      sync.Mutex
	changes []Change
	got     chan struct{} // one token an Append
	closed  bool
}

func (*recorder) ARN() string {
	return "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/label"
}
func (*recorder) Label() string { return "label" }

func (r *recorder) Append(c Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
	select {
	case r.got <- struct{}{}:
	default:
	}
}

func (r *recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

func (r *recorder) take() []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.changes = nil }()
	return r.changes
}

// recorders opens recorders; the latest is at hand.
type recorders struct{ latest *recorder }

func (rs *recorders) Open(StreamTable) Stream {
	rs.latest = &recorder{got: make(chan struct{}, 1)}
	return rs.latest
}

// newTable gives an engine with a table "orders" (pk S, sk N) that has a stream.
func newTable(t *testing.T, change ...func(*CreateTable)) (*Engine, *recorders, *clock.Manual) {
	t.Helper()
	rs, c := &recorders{}, clock.NewManual(start)
	e := New(Options{Account: "000000000000", Region: "us-east-1", Clock: c, Streams: rs})
	t.Cleanup(e.Close)
	create := CreateTable{
		Name:       "orders",
		Attributes: []AttributeDefinition{{"pk", attr.S}, {"sk", attr.N}},
		Keys:       []KeyElement{{"pk", Hash}, {"sk", Range}},
		View:       "NEW_AND_OLD_IMAGES",
	}
	for _, f := range change {
		f(&create)
	}
	if _, err := e.CreateTable(create); err != nil {
		t.Fatal(err)
	}
	return e, rs, c
}

func item(t testing.TB, text string) attr.Item {
	t.Helper()
	var it attr.Item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		t.Fatal(err)
	}
	return it
}

func put(t testing.TB, e *Engine, text string) {
	t.Helper()
	if _, err := e.Put(Put{Write: Write{Table: "orders"}, Item: item(t, text)}); err != nil {
		t.Fatal(err)
	}
}

func substitutions(t testing.TB, values string) *expr.Substitutions {
	t.Helper()
	var all attr.Item
	if values != "" {
		if err := json.Unmarshal([]byte(values), &all); err != nil {
			t.Fatal(err)
		}
	}
	s, err := expr.NewSubstitutions(nil, all)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// condition and update read expressions with the values in JSON, "" for none.
func condition(t testing.TB, src, values string) *expr.Condition {
	t.Helper()
	c, err := expr.ParseCondition(src, substitutions(t, values))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func update(t testing.TB, src, values string) *expr.Update {
	t.Helper()
	u, err := expr.ParseUpdate(src, substitutions(t, values))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func expectError(t *testing.T, err error, code, message string) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Code != code || !strings.HasPrefix(failed.Message, message) {
		t.Errorf("error %v, want %s: %s", err, code, message)
	}
}

func TestChanges(t *testing.T) {
	e, rs, _ := newTable(t)
	change := func(expression string) {
		t.Helper()
		if _, err := e.Update(Update{Write: Write{Table: "orders"}, Key: item(t, `{"pk":{"S":"a"},"sk":{"N":"1.0"}}`), Update: update(t, expression, `{":v":{"SS":["b","a"]}}`)}); err != nil {
			t.Fatal(err)
		}
	}
	remove := func() {
		t.Helper()
		if _, err := e.Delete(Delete{Write: Write{Table: "orders"}, Key: item(t, `{"pk":{"S":"a"},"sk":{"N":"1"}}`)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"put of a new item", func() { put(t, e, `{"pk":{"S":"a"},"sk":{"N":"1"},"n":{"N":"1"}}`) }, `INSERT  {"n":{"N":"1"},"pk":{"S":"a"},"sk":{"N":"1"}}`},
		{"put of an equal item", func() { put(t, e, `{"pk":{"S":"a"},"sk":{"N":"1.0"},"n":{"N":"1.00"}}`) }, ``},
		{"update", func() { change("SET s = :v") }, `MODIFY {"n":{"N":"1"},"pk":{"S":"a"},"sk":{"N":"1"}} {"n":{"N":"1"},"pk":{"S":"a"},"s":{"SS":["a","b"]},"sk":{"N":"1"}}`},
		{"update that changes nothing", func() { change("SET s = :v") }, ``},
		{"put that replaces", func() { put(t, e, `{"pk":{"S":"a"},"sk":{"N":"1"}}`) }, `MODIFY {"n":{"N":"1"},"pk":{"S":"a"},"s":{"SS":["a","b"]},"sk":{"N":"1"}} {"pk":{"S":"a"},"sk":{"N":"1"}}`},
		{"delete", remove, `REMOVE {"pk":{"S":"a"},"sk":{"N":"1"}} `},
		{"delete of nothing", remove, ``},
		{"update that takes from nothing", func() { change("DELETE s :v") }, ``},
		{"update of nothing", func() { change("ADD s :v") }, `INSERT  {"pk":{"S":"a"},"s":{"SS":["a","b"]},"sk":{"N":"1"}}`},
	} {
		step.do()
		var got []string
		for _, c := range rs.latest.take() {
			if !c.At.Equal(start) || c.ByTTL || !c.Keys.Equal(item(t, `{"pk":{"S":"a"},"sk":{"N":"1"}}`)) {
				t.Errorf("%s: %+v", step.name, c)
			}
			var old, next []byte
			if c.Old != nil {
				old = c.Old.AppendJSON(nil)
			}
			if c.New != nil {
				next = c.New.AppendJSON(nil)
			}
			got = append(got, fmt.Sprintf("%s %s %s", c.Kind, old, next))
		}
		if strings.Join(got, "; ") != step.want {
			t.Errorf("%s:\n got %s\nwant %s", step.name, got, step.want)
		}
	}
}

func TestFailedConditionChangesNothing(t *testing.T) {
	e, rs, _ := newTable(t)
	put(t, e, `{"pk":{"S":"a"},"sk":{"N":"1"}}`)
	rs.latest.take()
	_, err := e.Put(Put{Write: Write{Table: "orders", Condition: condition(t, "attribute_exists(nope)", ""), ReturnOnFailure: true}, Item: item(t, `{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"N":"1"}}`)})
	expectError(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	var failed *Error
	if errors.As(err, &failed) && !failed.Item.Equal(item(t, `{"pk":{"S":"a"},"sk":{"N":"1"}}`)) {
		t.Errorf("the error shows %v", failed.Item)
	}
	if got := rs.latest.take(); len(got) != 0 {
		t.Errorf("a failed condition made %v", got)
	}
}

func TestExpiry(t *testing.T) {
	e, rs, c := newTable(t)
	expires := func(name string, at time.Time) string {
		return fmt.Sprintf(`{"pk":{"S":%q},"sk":{"N":"1"},"ttl":{"N":"%d"}}`, name, at.Unix())
	}
	put(t, e, expires("before", start.Add(10*time.Second)))
	put(t, e, expires("ancient", start.Add(-6*365*24*time.Hour)))
	put(t, e, `{"pk":{"S":"text"},"sk":{"N":"1"},"ttl":{"S":"1"}}`)
	if err := e.SetTimeToLive("orders", "ttl", true); err != nil {
		t.Fatal(err)
	}
	put(t, e, expires("after", start.Add(20*time.Second)))
	put(t, e, expires("moved", start.Add(10*time.Second)))
	put(t, e, expires("moved", start.Add(time.Hour)))
	put(t, e, expires("gone", start.Add(10*time.Second)))
	if _, err := e.Delete(Delete{Write: Write{Table: "orders"}, Key: item(t, `{"pk":{"S":"gone"},"sk":{"N":"1"}}`)}); err != nil {
		t.Fatal(err)
	}
	rs.latest.take()
	select {
	case <-rs.latest.got:
	default:
	}
	var deleted []string
	for _, advance := range []time.Duration{9 * time.Second, 2 * time.Second, 10 * time.Second} {
		c.AwaitSleepers(1)
		c.Advance(advance)
		if advance == 9*time.Second {
			continue // nothing is due
		}
		<-rs.latest.got
		for _, change := range rs.latest.take() {
			if change.Kind != Remove || !change.ByTTL || change.New != nil {
				t.Errorf("%+v", change)
			}
			deleted = append(deleted, change.Keys["pk"].Text())
		}
	}
	if want := []string{"before", "after"}; !slices.Equal(deleted, want) {
		t.Errorf("expired %v, want %v", deleted, want)
	}
	if d, err := e.DescribeTable("orders"); err != nil || d.Items != 3 {
		t.Errorf("%d items left, %v", d.Items, err)
	}
	expectError(t, e.SetTimeToLive("orders", "ttl", true), "ValidationException", "TimeToLive is already enabled")
	for _, enabled := range []bool{true, false} {
		expectError(t, e.SetTimeToLive("orders", "other", enabled), "ValidationException", "TimeToLive is active on a different AttributeName: current AttributeName is ttl")
	}
	if err := e.SetTimeToLive("orders", "ttl", false); err != nil {
		t.Fatal(err)
	}
	expectError(t, e.SetTimeToLive("orders", "ttl", false), "ValidationException", "TimeToLive is already disabled")
}

func TestClosedEngineStartsNothing(t *testing.T) {
	e, _, _ := newTable(t)
	e.Close()
	e.Close()
	if err := e.SetTimeToLive("orders", "ttl", true); err != nil {
		t.Fatal(err)
	}
	if e.closing != nil {
		t.Error("a closed engine sweeps")
	}
}

func TestIndexesCount(t *testing.T) {
	e, _, _ := newTable(t)
	put(t, e, `{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"},"big":{"S":"0123456789"}}`)
	put(t, e, `{"pk":{"S":"a"},"sk":{"N":"2"},"g":{"N":"1"}}`) // of another type than the index's key: not in the index
	put(t, e, `{"pk":{"S":"a"},"sk":{"N":"3"}}`)
	d, err := e.UpdateTable(UpdateTable{
		Name: "orders", Attributes: []AttributeDefinition{{"pk", attr.S}, {"sk", attr.N}, {"g", attr.S}},
		CreateIndex: &Index{Name: "by-g", Keys: []KeyElement{{"g", Hash}}, Projection: Projection{Type: "KEYS_ONLY"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	// g, x, pk, a, sk and the two bytes of a number
	if got := d.Indexes[0]; got.Items != 1 || got.Bytes != 1+1+2+1+2+2 {
		t.Errorf("the new index holds %d items of %d bytes", got.Items, got.Bytes)
	}
	put(t, e, `{"pk":{"S":"a"},"sk":{"N":"3"},"g":{"S":"y"}}`)
	put(t, e, `{"pk":{"S":"a"},"sk":{"N":"1"}}`)
	d, err = e.DescribeTable("orders")
	if err != nil || d.Indexes[0].Items != 1 || d.Items != 3 {
		t.Errorf("%+v, %v", d, err)
	}
	_, err = e.Put(Put{Write: Write{Table: "orders"}, Item: item(t, `{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"N":"1"}}`)})
	expectError(t, err, "ValidationException", "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g")
	// An item of before the index, with the wrong type, takes updates of other attributes.
	if _, err := e.Update(Update{Write: Write{Table: "orders"}, Key: item(t, `{"pk":{"S":"a"},"sk":{"N":"2"}}`), Update: update(t, "SET h = :v", `{":v":{"S":"z"}}`)}); err != nil {
		t.Error(err)
	}
	_, err = e.Update(Update{Write: Write{Table: "orders"}, Key: item(t, `{"pk":{"S":"a"},"sk":{"N":"2"}}`), Update: update(t, "SET g = :v", `{":v":{"N":"1"}}`)})
	expectError(t, err, "ValidationException", "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g")
	_, err = e.Update(Update{Write: Write{Table: "orders"}, Key: item(t, `{"pk":{"S":"a"},"sk":{"N":"2"}}`), Update: update(t, "SET g = sk", "")})
	expectError(t, err, "ValidationException", "The update expression attempted to update the secondary index key to unsupported type")

	if d, err = e.UpdateTable(UpdateTable{Name: "orders", DeleteIndex: "by-g"}); err != nil || len(d.Indexes) != 0 || len(d.Attributes) != 2 {
		t.Errorf("after deleting the index: %+v, %v", d, err)
	}
}

// A query gives what filtering and sorting all items would give, whatever the page size, in both directions.
func TestQueryAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	e, _, _ := newTable(t)
	for range 300 {
		put(t, e, fmt.Sprintf(`{"pk":{"S":"%c"},"sk":{"N":"%d"}}`, 'a'+rune(r.IntN(4)), r.IntN(200)-100))
	}
	all := readAll(t, func(start attr.Item) (Page, error) {
		return e.Scan(Scan{Read: Read{Table: "orders", Limit: 7, Start: start}})
	})
	if d, err := e.DescribeTable("orders"); err != nil || len(all) != d.Items {
		t.Fatalf("a scan gives %d items of %d, %v", len(all), d.Items, err)
	}
	operators := map[string]func(sk, a, b int) bool{
		"":                         func(int, int, int) bool { return true },
		"AND sk = :a":              func(sk, a, _ int) bool { return sk == a },
		"AND sk < :a":              func(sk, a, _ int) bool { return sk < a },
		"AND sk <= :a":             func(sk, a, _ int) bool { return sk <= a },
		"AND sk > :a":              func(sk, a, _ int) bool { return sk > a },
		"AND sk >= :a":             func(sk, a, _ int) bool { return sk >= a },
		"AND sk BETWEEN :a AND :b": func(sk, a, b int) bool { return a <= sk && sk <= b },
	}
	for operator, want := range operators {
		for range 20 {
			a := r.IntN(240) - 120
			b := a + r.IntN(50)
			hash, backward, limit := string(rune('a'+r.IntN(5))), r.IntN(2) == 0, 1+r.IntN(20)
			values := attr.Item{":h": attr.String(hash), ":a": number(t, a), ":b": number(t, b)}
			got := readAll(t, func(start attr.Item) (Page, error) {
				return e.Query(Query{Read: Read{Table: "orders", Limit: limit, Start: start}, Key: keyTests(t, "pk = :h "+operator, values), Backward: backward})
			})
			var expected []int
			for _, it := range all {
				sk, err := strconv.Atoi(it["sk"].Text())
				if err != nil {
					t.Fatal(err)
				}
				if it["pk"].Text() == hash && want(sk, a, b) {
					expected = append(expected, sk)
				}
			}
			slices.Sort(expected)
			if backward {
				slices.Reverse(expected)
			}
			var sorted []int
			for _, it := range got {
				sk, err := strconv.Atoi(it["sk"].Text())
				if err != nil {
					t.Fatal(err)
				}
				sorted = append(sorted, sk)
			}
			if !slices.Equal(sorted, expected) {
				t.Fatalf("pk = %s %s (a %d, b %d, backward %v):\n got %v\nwant %v", hash, operator, a, b, backward, sorted, expected)
			}
		}
	}
}

func number(t *testing.T, n int) attr.Value {
	t.Helper()
	v, err := attr.Number(strconv.Itoa(n))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// keyTests parses a key condition.
func keyTests(t *testing.T, src string, values attr.Item) []expr.KeyTest {
	t.Helper()
	s, err := expr.NewSubstitutions(nil, values)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := expr.ParseKeyCondition(src, s)
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

func readAll(t *testing.T, page func(start attr.Item) (Page, error)) []attr.Item {
	t.Helper()
	var all []attr.Item
	var start attr.Item
	for {
		p, err := page(start)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Items...)
		if start = p.Last; start == nil {
			return all
		}
	}
}

func TestQueryByPrefix(t *testing.T) {
	e, _, _ := newTable(t, func(c *CreateTable) { c.Attributes[1].Type = attr.S })
	for _, sk := range []string{"a", "ab", "ab\x00", "ab\x00c", "ab\xff", "abc", "b"} {
		if _, err := e.Put(Put{Write: Write{Table: "orders"}, Item: attr.Item{"pk": attr.String("p"), "sk": attr.String(sk)}}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := e.Query(Query{Read: Read{Table: "orders"}, Key: keyTests(t, "pk = :p AND begins_with(sk, :b)", attr.Item{":p": attr.String("p"), ":b": attr.String("ab")})})
	var got []string
	for _, it := range page.Items {
		got = append(got, it["sk"].Text())
	}
	if want := []string{"ab", "ab\x00", "ab\x00c", "abc", "ab\xff"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

// The item with which a page reaches a megabyte is its last one.
func TestPageOfOneMegabyte(t *testing.T) {
	e, _, _ := newTable(t)
	for i := range 5 {
		if _, err := e.Put(Put{Write: Write{Table: "orders"}, Item: attr.Item{"pk": attr.String("p"), "sk": number(t, i), "v": attr.String(strings.Repeat("x", 300_000))}}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := e.Scan(Scan{Read: Read{Table: "orders"}})
	if err != nil || len(page.Items) != 4 || page.Last["sk"].Text() != "3" {
		t.Errorf("%d items, last %v, %v", len(page.Items), page.Last, err)
	}
	page, err = e.Scan(Scan{Read: Read{Table: "orders", Start: page.Last}})
	if err != nil || len(page.Items) != 1 || page.Last != nil {
		t.Errorf("%d items, last %v, %v", len(page.Items), page.Last, err)
	}
}

func TestDeletedTableTakesNoWrites(t *testing.T) {
	e, rs, _ := newTable(t)
	stream := rs.latest
	if _, err := e.DeleteTable("orders"); err != nil {
		t.Fatal(err)
	}
	if !stream.closed {
		t.Error("the stream is open")
	}
	_, err := e.Put(Put{Write: Write{Table: "orders"}, Item: item(t, `{"pk":{"S":"a"},"sk":{"N":"1"}}`)})
	expectError(t, err, "ResourceNotFoundException", "Requested resource not found")
	_, err = e.DescribeTable("orders")
	expectError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: orders not found")
}
