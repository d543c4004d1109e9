package streams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/expr"
)

var start = time.Date(2025, 2, 22, 3, 3, 25, 490_000_000, time.UTC)

func open(t *testing.T, view string) (*Registry, *Stream, *clock.Manual) {
	t.Helper()
	return openWith(t, view, Options{})
}

func openWith(t *testing.T, view string, o Options) (*Registry, *Stream, *clock.Manual) {
	t.Helper()
	c := clock.NewManual(start)
	o.Account, o.Region, o.Clock = "111111111111", "us-east-1", c
	r := New(o)
	table := engine.StreamTable{Name: "T", Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: view}
	return r, r.Open(table).(*Stream), c
}

func item(t *testing.T, text string) attr.Item {
	t.Helper()
	if text == "" {
		return nil
	}
	var it attr.Item
	if err := json.Unmarshal([]byte(text), &it); err != nil {
		t.Fatal(err)
	}
	return it
}

// roll rolls the shard that was opened last. Others may do so, too.
func roll(t *testing.T, s *Stream) {
	t.Helper()
	for range 100 {
		shards := s.Shards()
		if _, err := s.Roll(shards[len(shards)-1].ID); err == nil {
			return
		}
	}
	t.Error("no shard can be rolled")
}

// change makes a change of the item with id "id_value".
func change(t *testing.T, kind engine.Kind, at time.Time, old, next string) engine.Change {
	t.Helper()
	return engine.Change{Kind: kind, Keys: item(t, `{"id":{"S":"id_value"}}`), Old: item(t, old), New: item(t, next), At: at}
}

// The record is one of the service, as Lambda delivered it; only event ID, sequence number and time are our own.
func TestRecordAsLambdaDeliversIt(t *testing.T) {
	_, s, _ := open(t, "NEW_AND_OLD_IMAGES")
	at := start.Add(409 * time.Millisecond)
	s.Append(change(t, engine.Modify, at, `{"id":{"S":"id_value"}}`, `{"id2":{"S":"id2_new_value"},"id":{"S":"id_value"}}`))
	records, closed, err := s.Read(s.Shards()[0].ID, "", 10)
	if err != nil || closed || len(records) != 1 {
		t.Fatalf("%v, closed %v, %v", records, closed, err)
	}
	var id struct{ EventID string }
	if err := json.Unmarshal(records[0].JSON, &id); err != nil {
		t.Fatal(err)
	}
	if len(id.EventID) != 32 || strings.Trim(id.EventID, "0123456789abcdef") != "" {
		t.Errorf("eventID %q", id.EventID)
	}
	want := `{"eventID":"` + id.EventID + `","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",` +
		`"dynamodb":{"ApproximateCreationDateTime":1740193405.0,"Keys":{"id":{"S":"id_value"}},` +
		`"NewImage":{"id":{"S":"id_value"},"id2":{"S":"id2_new_value"}},"OldImage":{"id":{"S":"id_value"}},` +
		`"SequenceNumber":"100000000000000000002","SizeBytes":46,"StreamViewType":"NEW_AND_OLD_IMAGES"},` +
		`"eventSourceARN":"arn:aws:dynamodb:us-east-1:111111111111:table/T/stream/2025-02-22T03:03:25.490"}`
	if got := string(records[0].JSON); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if r := records[0]; r.SequenceNumber != "100000000000000000002" || !r.ApproximateCreationDateTime.Equal(at.Truncate(time.Second)) {
		t.Errorf("%s at %s", r.SequenceNumber, r.ApproximateCreationDateTime)
	}
}

func TestViewTypesAndSizes(t *testing.T) {
	const (
		old  = `{"id":{"S":"id_value"},"n":{"N":"101"}}`
		next = `{"id":{"S":"id_value"},"b":{"BOOL":true}}`
		key  = 10
	)
	for _, c := range []struct {
		view, kind string
		old, new   bool // the images that the record shows
		size       int
	}{
		{"KEYS_ONLY", "MODIFY", false, false, key},
		{"NEW_IMAGE", "MODIFY", false, true, key + 12},
		{"OLD_IMAGE", "MODIFY", true, false, key + 14},
		{"NEW_AND_OLD_IMAGES", "MODIFY", true, true, key + 12 + 14},
		{"NEW_AND_OLD_IMAGES", "INSERT", false, true, key + 12},
		{"NEW_AND_OLD_IMAGES", "REMOVE", true, false, key + 14},
		{"NEW_IMAGE", "REMOVE", false, false, key},
		{"OLD_IMAGE", "INSERT", false, false, key},
	} {
		_, s, _ := open(t, c.view)
		made := change(t, engine.Kind(c.kind), start, old, next)
		switch c.kind {
		case "INSERT":
			made.Old = nil
		case "REMOVE":
			made.New = nil
		}
		s.Append(made)
		got := decode(t, s)[0]
		_, hasOld := got.Change["OldImage"]
		_, hasNew := got.Change["NewImage"]
		if hasOld != c.old || hasNew != c.new || string(got.Change["SizeBytes"]) != fmt.Sprint(c.size) || string(got.Change["StreamViewType"]) != `"`+c.view+`"` {
			t.Errorf("%s %s: %s", c.view, c.kind, got.Change)
		}
	}
}

func TestExpiredItemNamesTheService(t *testing.T) {
	r, s, _ := open(t, "KEYS_ONLY")
	c := change(t, engine.Remove, start, "", "")
	c.ByTTL = true
	s.Append(c)
	shard := s.Shards()[0].ID
	lambda, _, err := s.Read(shard, "", 1)
	if err != nil || !strings.Contains(string(lambda[0].JSON), `,"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"eventSourceARN":`) {
		t.Errorf("%s, %v", lambda[0].JSON, err)
	}
	token, err := s.Iterator(shard, TrimHorizon, "")
	if err != nil {
		t.Fatal(err)
	}
	records, _, err := r.Records(token, 1)
	if err != nil || !strings.HasSuffix(string(records[0]), `"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}}`) {
		t.Errorf("%s, %v", records, err)
	}
}

type decoded struct {
	EventID   string                     `json:"eventID"`
	EventName string                     `json:"eventName"`
	Change    map[string]json.RawMessage `json:"dynamodb"`
}

// decode reads the whole stream, shard by shard in lineage order, a few records at a time.
func decode(t *testing.T, s *Stream) []decoded {
	t.Helper()
	var all []decoded
	for _, shard := range s.Shards() {
		after := ""
		for {
			page, closed, err := s.Read(shard.ID, after, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page {
				var d decoded
				if err := json.Unmarshal(r.JSON, &d); err != nil {
					t.Fatal(err)
				}
				all = append(all, d)
				after = r.SequenceNumber
			}
			if closed || len(page) == 0 {
				break
			}
		}
	}
	return all
}

// Writers at random in parallel, while shards roll and split: the stream, replayed, gives exactly the table, and every record follows from
// the one before it of its item.
func TestReplayGivesTheTable(t *testing.T) {
	c := clock.NewManual(start)
	registry := New(Options{Account: "000000000000", Region: "us-east-1", Clock: c, SplitAbove: 200})
	e := engine.New(engine.Options{Account: "000000000000", Region: "us-east-1", Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	d, err := e.CreateTable(engine.CreateTable{
		Name: "T", Attributes: []engine.AttributeDefinition{{Name: "id", Type: attr.N}},
		Keys: []engine.KeyElement{{Name: "id", Role: engine.Hash}}, View: "NEW_AND_OLD_IMAGES",
	})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := registry.Lookup(d.StreamARN)

	var writers sync.WaitGroup
	for seed := range uint64(8) {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(seed, 11))
			for i := range 400 {
				if err := writeAtRandom(e, r); err != nil {
					t.Errorf("writer %d: %v", seed, err)
					return
				}
				if seed == 0 && i%100 == 99 {
					roll(t, s)
				}
				if seed == 1 && i%100 == 99 {
					splitAny(t, s)
				}
			}
		})
	}
	writers.Wait()

	replayed := map[string]attr.Item{}
	seen := map[string]bool{}
	last := map[string]string{} // of each item
	for _, rec := range decode(t, s) {
		keys, old, next := image(t, rec, "Keys"), image(t, rec, "OldImage"), image(t, rec, "NewImage")
		id := keys["id"].Text()
		before, existed := replayed[id]
		if (rec.EventName == "INSERT") == existed || !before.Equal(old) || old.Equal(next) {
			t.Fatalf("%s of %s: old image %v, but the item was %v", rec.EventName, id, old, before)
		}
		if rec.EventName == "REMOVE" {
			delete(replayed, id)
		} else {
			replayed[id] = next
		}
		number := string(rec.Change["SequenceNumber"])
		if seen[rec.EventID] || number <= last[id] {
			t.Fatalf("event %s, sequence number %s after %s", rec.EventID, number, last[id])
		}
		seen[rec.EventID], last[id] = true, number
	}
	page, err := e.Scan(engine.Scan{Read: engine.Read{Table: "T"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != len(replayed) {
		t.Errorf("the stream gives %d items, the table has %d", len(replayed), len(page.Items))
	}
	for _, it := range page.Items {
		if id := it["id"].Text(); !it.Equal(replayed[id]) {
			t.Errorf("item %s is %s, the stream gives %s", id, it.AppendJSON(nil), replayed[id].AppendJSON(nil))
		}
	}
	if shards := s.Shards(); len(shards) < 1+4+2*4+2 {
		t.Errorf("%d shards", len(shards))
	}
}

// splitAny splits an open shard, which others may do, too.
func splitAny(t *testing.T, s *Stream) {
	for range 100 {
		for _, sh := range s.Shards() {
			if !sh.Closed {
				if _, err := s.Split(sh.ID); err == nil {
					return
				}
			}
		}
	}
	t.Error("no shard can be split")
}

func writeAtRandom(e *engine.Engine, r *rand.Rand) error {
	number := func(n int) attr.Value {
		v, _ := attr.Number(fmt.Sprint(n)) // of an int: cannot fail
		return v
	}
	key := attr.Item{"id": number(r.IntN(20))}
	set, err := expr.NewSubstitutions(nil, attr.Item{":v": number(r.IntN(3))})
	if err != nil {
		return err
	}
	u := engine.Update{Write: engine.Write{Table: "T"}, Key: key}
	switch r.IntN(4) {
	case 0:
		_, err = e.Delete(engine.Delete{Write: u.Write, Key: key})
	case 1:
		_, err = e.Put(engine.Put{Write: u.Write, Item: attr.Item{"id": key["id"], "v": number(r.IntN(3))}})
	case 2:
		u.Condition, err = expr.ParseCondition("attribute_not_exists(v) OR v < :v", set)
		if err != nil {
			return err
		}
		if u.Update, err = expr.ParseUpdate("SET v = :v", set); err == nil {
			_, err = e.Update(u)
		}
	default:
		if u.Update, err = expr.ParseUpdate("ADD v :v", set); err == nil {
			_, err = e.Update(u)
		}
	}
	var failed *engine.Error
	if errors.As(err, &failed) && failed.Code == "ConditionalCheckFailedException" {
		return nil
	}
	return err
}

func image(t *testing.T, rec decoded, name string) attr.Item {
	t.Helper()
	return item(t, string(rec.Change[name]))
}

func TestLineage(t *testing.T) {
	_, s, c := open(t, "KEYS_ONLY")
	s.Append(change(t, engine.Insert, start, "", ""))
	roll(t, s)
	s.Append(change(t, engine.Insert, start, "", ""))
	shards := s.Shards()
	if len(shards) != 2 || shards[0].ParentID != "" || shards[1].ParentID != shards[0].ID || !shards[0].Closed || shards[1].Closed {
		t.Fatalf("%+v", shards)
	}
	for i, sh := range shards {
		if len(sh.ID) != 37 || !strings.HasPrefix(sh.ID, fmt.Sprintf("shardId-%020d-", 1740193405490+i)) {
			t.Errorf("shard ID %s", sh.ID)
		}
	}
	if shards[0].Last == "" || shards[0].Last <= shards[0].First || shards[1].First <= shards[0].Last || shards[1].Last != "" {
		t.Errorf("sequence numbers %+v", shards)
	}
	records, closed, err := s.Read(shards[0].ID, "", 5)
	if err != nil || len(records) != 1 || !closed {
		t.Errorf("%d records, closed %v, %v", len(records), closed, err)
	}
	records, closed, err = s.Read(shards[0].ID, records[0].SequenceNumber, 5)
	if err != nil || len(records) != 0 || !closed {
		t.Errorf("%d records, closed %v, %v", len(records), closed, err)
	}

	s.Close()
	s.Close()
	s.Append(change(t, engine.Insert, start, "", ""))
	if d := s.Describe(); d.Status != Disabled || len(d.Shards) != 2 || !d.Shards[1].Closed {
		t.Errorf("after disabling: %+v", d)
	}
	if got := decode(t, s); len(got) != 2 {
		t.Errorf("a disabled stream has %d records", len(got))
	}
	c.Advance(Retention)
	if got := s.Shards(); len(got) != 0 {
		t.Errorf("a day later: %+v", got)
	}
}

func TestLatest(t *testing.T) {
	_, s, _ := open(t, "KEYS_ONLY")
	shard := s.Shards()[0].ID
	s.Append(change(t, engine.Insert, start, "", ""))
	after := s.Latest(shard)
	if records, _, err := s.Read(shard, after, 5); err != nil || len(records) != 0 {
		t.Errorf("%v, %v", records, err)
	}
	s.Append(change(t, engine.Remove, start, "", ""))
	records, _, err := s.Read(shard, after, 5)
	if err != nil || len(records) != 1 || !strings.Contains(string(records[0].JSON), "REMOVE") {
		t.Errorf("%v, %v", records, err)
	}
	if got := s.Latest("nope"); got != "" {
		t.Errorf("of an unknown shard: %s", got)
	}
	if records, closed, err := s.Read("nope", "", 1); err != nil || len(records) != 0 || !closed {
		t.Errorf("of an unknown shard: %v, closed %t, %v", records, closed, err)
	}
	_, _, err = s.Read(shard, "12", 1)
	expectCode(t, err, "ValidationException")
}

func expectCode(t *testing.T, err error, code string) {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) || failed.Code != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

func TestIterators(t *testing.T) {
	r, s, c := open(t, "KEYS_ONLY")
	shard := s.Shards()[0].ID
	for range 5 {
		s.Append(change(t, engine.Insert, c.Now(), "", ""))
	}
	read := func(kind IteratorType, number string, limit int) (sequences []string, next string) {
		t.Helper()
		token, err := s.Iterator(shard, kind, number)
		if err != nil {
			t.Fatal(err)
		}
		return records(t, r, token, limit)
	}
	all, next := read(TrimHorizon, "", 100)
	if len(all) != 5 || next == "" {
		t.Fatalf("%v, %q", all, next)
	}
	for _, c := range []struct {
		kind   IteratorType
		number string
		want   []string
	}{
		{LatestRecord, "", nil},
		{AtSequenceNumber, all[2], all[2:]},
		{AfterSequenceNumber, all[2], all[3:]},
		{AfterSequenceNumber, all[4], nil},
		{AtSequenceNumber, s.Shards()[0].First, all},
		{AfterSequenceNumber, "0000" + all[0], all[1:]},
	} {
		if got, _ := read(c.kind, c.number, 100); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s %s: %v, want %v", c.kind, c.number, got, c.want)
		}
	}
	page, next := read(TrimHorizon, "", 2)
	rest, next := records(t, r, next, 3)
	if fmt.Sprint(append(page, rest...)) != fmt.Sprint(all) {
		t.Errorf("page by page: %v %v", page, rest)
	}
	s.Append(change(t, engine.Remove, c.Now(), "", ""))
	if got, _ := records(t, r, next, 3); len(got) != 1 {
		t.Errorf("a record that came later: %v", got)
	}
	s.Close()
	if got, next := records(t, r, next, 3); len(got) != 1 || next != "" {
		t.Errorf("at the end of a closed shard: %v, %q", got, next)
	}

	for number, code := range map[string]string{"300000000000000000000": "ValidationException", "100000000000000000099": "ValidationException", "100000000000000000000": "TrimmedDataAccessException"} {
		_, err := s.Iterator(shard, AfterSequenceNumber, number)
		expectCode(t, err, code)
	}
	_, err := s.Iterator("nope", TrimHorizon, "")
	expectCode(t, err, "ResourceNotFoundException")
	for _, token := range []string{"", "x", s.ARN() + "|1|???", s.ARN() + "|2|" + strings.Split(next, "|")[2], s.ARN() + "|1|YQ=="} {
		_, _, err := r.Records(token, 1)
		expectCode(t, err, "ValidationException")
	}
	_, _, err = r.Records("arn:x|1|"+strings.Split(next, "|")[2], 1)
	expectCode(t, err, "ResourceNotFoundException")

	c.Advance(IteratorLife - time.Millisecond)
	records(t, r, next, 1)
	c.Advance(time.Millisecond)
	_, _, err = r.Records(next, 1)
	expectCode(t, err, "ExpiredIteratorException")
}

func records(t *testing.T, r *Registry, token string, limit int) (sequences []string, next string) {
	t.Helper()
	raw, next, err := r.Records(token, limit)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range raw {
		var d struct {
			Change struct{ SequenceNumber string } `json:"dynamodb"`
		}
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		sequences = append(sequences, d.Change.SequenceNumber)
	}
	return sequences, next
}

func TestPageOfOneMegabyte(t *testing.T) {
	r, s, _ := open(t, "NEW_IMAGE")
	for range 4 {
		c := change(t, engine.Insert, start, "", "")
		c.New = attr.Item{"v": attr.String(strings.Repeat("x", 400_000))}
		s.Append(c)
	}
	token, err := s.Iterator(s.Shards()[0].ID, TrimHorizon, "")
	if err != nil {
		t.Fatal(err)
	}
	got, next := records(t, r, token, 100)
	rest, _ := records(t, r, next, 100)
	if len(got) != 2 || len(rest) != 2 {
		t.Errorf("%d records, then %d", len(got), len(rest))
	}
}

// A mapping with a large batch size asks again and again for thousands of records: it gets no more than one invocation takes.
func TestReadOfOneInvocation(t *testing.T) {
	_, s, _ := open(t, "NEW_IMAGE")
	for range 40 {
		c := change(t, engine.Insert, start, "", "")
		c.New = attr.Item{"v": attr.String(strings.Repeat("x", 400_000))}
		s.Append(c)
	}
	s.Close()
	after, got := "", 0
	for range 10 {
		records, closed, err := s.Read(s.Shards()[0].ID, after, 10_000)
		if err != nil || len(records) == 0 || len(records) > 8<<20/400_000 {
			t.Fatalf("%d records, %v", len(records), err)
		}
		got += len(records)
		after = records[len(records)-1].SequenceNumber
		if closed != (got == 40) {
			t.Fatalf("closed %t after %d records", closed, got)
		}
		if closed {
			return
		}
	}
	t.Errorf("no end after %d records", got)
}

func TestTrim(t *testing.T) {
	r, s, c := open(t, "KEYS_ONLY")
	shard := s.Shards()[0].ID
	s.Append(change(t, engine.Insert, c.Now(), "", ""))
	first := s.Latest(shard)
	c.Advance(Retention - 10*time.Minute)
	s.Append(change(t, engine.Modify, c.Now(), "", ""))
	second := s.Latest(shard)
	s.Append(change(t, engine.Remove, c.Now(), "", ""))
	stale, err := s.Iterator(shard, AtSequenceNumber, first)
	if err != nil {
		t.Fatal(err)
	}
	c.Advance(10 * time.Minute)
	_, _, err = r.Records(stale, 10)
	expectCode(t, err, "TrimmedDataAccessException")
	for _, number := range []string{first, s.Shards()[0].First} {
		_, err = s.Iterator(shard, AtSequenceNumber, number)
		expectCode(t, err, "TrimmedDataAccessException")
	}
	if _, err := s.Iterator(shard, AfterSequenceNumber, first); err != nil {
		t.Errorf("after the last one that is gone nothing is missing: %v", err)
	}
	token, err := s.Iterator(shard, TrimHorizon, "")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := records(t, r, token, 10); len(got) != 2 || got[0] != second {
		t.Errorf("left are %v", got)
	}
	if got, _, err := s.Read(shard, "", 10); err != nil || len(got) != 2 {
		t.Errorf("Read: %v, %v", got, err)
	}

	// A shard that goes between an iterator and its use is past reading.
	roll(t, s)
	c.Advance(Retention - time.Minute)
	if token, err = s.Iterator(shard, LatestRecord, ""); err != nil {
		t.Fatal(err)
	}
	c.Advance(time.Minute)
	_, _, err = r.Records(token, 10)
	expectCode(t, err, "TrimmedDataAccessException")
}

func TestRegistry(t *testing.T) {
	r, first, c := open(t, "KEYS_ONLY")
	first.Close()
	second := r.Open(first.table).(*Stream)
	if first.ARN() == second.ARN() || second.Label() != "2025-02-22T03:03:25.491" {
		t.Errorf("two streams of one millisecond: %s and %s", first.ARN(), second.ARN())
	}
	c.Advance(Retention - time.Second)
	if got := r.List("T"); len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("%v", got)
	}
	if got := r.List("other"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	c.Advance(time.Second)
	if _, found := r.Lookup(first.ARN()); found {
		t.Error("a stream lives for more than a day after it was disabled")
	}
	if got := r.List(""); len(got) != 1 {
		t.Errorf("%v", got)
	}
	// Nobody has to ask for a stream before it is forgotten.
	second.Close()
	c.Advance(Retention)
	r.Open(second.table)
	if len(r.streams) != 1 {
		t.Errorf("%d streams are kept", len(r.streams))
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, s, _ := open(t, "KEYS_ONLY")
		// What a reader has not seen is there at once.
		s.Append(change(t, engine.Insert, start, "", ""))
		seen, err := s.Wait(t.Context(), 0)
		if err != nil || seen == 0 {
			t.Fatalf("version %d, %v", seen, err)
		}
		// What comes meanwhile ends the wait of every reader, be it a record, a new shard or the end.
		for _, event := range []func(){func() { s.Append(change(t, engine.Insert, start, "", "")) }, func() { roll(t, s) }, s.Close} {
			versions := make(chan uint64, 2)
			for range cap(versions) {
				go func() {
					version, _ := s.Wait(t.Context(), seen)
					versions <- version
				}()
			}
			synctest.Wait()
			if len(versions) > 0 {
				t.Fatal("a reader did not wait")
			}
			event()
			first, second := <-versions, <-versions
			if first != second || first == seen {
				t.Errorf("readers that had seen %d saw %d and %d", seen, first, second)
			}
			seen = first
		}
		// Nothing comes: until ctx ends.
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := s.Wait(ctx, seen)
			ended <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
