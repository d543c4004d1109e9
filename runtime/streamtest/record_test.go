package streamtest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
	"streamgen/runtime/streamtest/testdata/orders"
)

func TestRecords(t *testing.T) {
	older, newer := &orders.Item{ID: "1", Status: "new"}, &orders.Item{ID: "1", Status: "paid"}
	at := time.Date(2026, 11, 24, 10, 0, 0, 999, time.UTC)
	modified := streamtest.Modify(older, newer)
	modified.CreatedAt = at
	records := []streamtest.Record{
		streamtest.Insert(older), modified, streamtest.Remove(newer), streamtest.Expire(newer),
		modified.View("KEYS_ONLY"), modified.View("NEW_IMAGE"), modified.View("OLD_IMAGE"), modified.View("NEW_AND_OLD_IMAGES"),
	}
	for i := range records {
		records[i].Table = "orders"
	}
	var got []stream.Change[orders.Item]
	h := stream.Handler(func(_ context.Context, c stream.Change[orders.Item]) error {
		if c.Old != nil && c.New != nil && (!c.Changed("Status") || c.Changed("Id")) {
			t.Error("the status has changed, and the id has not")
		}
		got = append(got, c)
		return nil
	})
	if i := streamtest.Invoke(t, h, records...); i.Unfinished != len(records) || i.Err != nil {
		t.Fatalf("%v", i)
	}
	for n, want := range []struct {
		kind     stream.Kind
		old, new *orders.Item
		ttl      bool
	}{
		{stream.Insert, nil, older, false}, {stream.Modify, older, newer, false}, {stream.Remove, newer, nil, false}, {stream.Remove, newer, nil, true},
		{stream.Modify, nil, nil, false}, {stream.Modify, nil, newer, false}, {stream.Modify, older, nil, false}, {stream.Modify, older, newer, false},
	} {
		c := got[n]
		if c.Kind != want.kind || c.ByTTL != want.ttl || c.Keys.ID != "1" || !cmp.Equal(c.Old, want.old) || !cmp.Equal(c.New, want.new) {
			t.Errorf("record %d: %+v, want %+v", n, c, want)
		}
	}
	if !got[1].CreatedAt.Equal(at.Truncate(time.Second)) || !strings.Contains(got[1].StreamARN, ":table/orders/stream/") {
		t.Errorf("%+v", got[1])
	}
}

// The whole of two events, as Lambda writes them.
func TestEvent(t *testing.T) {
	modified := streamtest.Modify(&orders.Item{ID: "<1>", Total: 5}, &orders.Item{ID: "<1>", Status: "paid", Total: 101})
	modified.EventID, modified.Table = "ab0ed3713569f4655f353e5ef61a88c4", "orders"
	modified.CreatedAt = time.Date(2025, 2, 22, 3, 3, 25, 0, time.UTC)
	expired := streamtest.Expire(&orders.Item{ID: "2"}).View("KEYS_ONLY")
	expired.EventID, expired.SequenceNumber, expired.Table = "5fd4e1ab4d9e4d11a21a35c2ef6ae3c7", "800000000003126276362", "orders"
	records := `{"Records":[` +
		`{"eventID":"ab0ed3713569f4655f353e5ef61a88c4","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",` +
		`"dynamodb":{"ApproximateCreationDateTime":1740193405.0,"Keys":{"Id":{"S":"<1>"}},` +
		`"NewImage":{"Id":{"S":"<1>"},"Status":{"S":"paid"},"Total":{"N":"101"}},"OldImage":{"Id":{"S":"<1>"},"Total":{"N":"5"}},` +
		`"SequenceNumber":"100000000000000000000","SizeBytes":40,"StreamViewType":"NEW_AND_OLD_IMAGES"},` +
		`"eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"},` +
		`{"eventID":"5fd4e1ab4d9e4d11a21a35c2ef6ae3c7","eventName":"REMOVE","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-east-1",` +
		`"dynamodb":{"ApproximateCreationDateTime":1767225600.0,"Keys":{"Id":{"S":"2"}},` +
		`"SequenceNumber":"800000000003126276362","SizeBytes":3,"StreamViewType":"KEYS_ONLY"},` +
		`"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},` +
		`"eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"}]`
	payload, err := streamtest.Event(modified, expired)
	if diff := cmp.Diff(records+"}", string(payload)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	window := streamtest.Window{
		Start: time.Date(2020, 7, 30, 17, 0, 0, 0, time.UTC), End: time.Date(2020, 7, 30, 17, 5, 0, 0, time.UTC), State: `{"<1>":"state1"}`, TerminatedEarly: true,
	}
	payload, err = streamtest.WindowEvent(window, modified, expired)
	want := records + `,"window":{"start":"2020-07-30T17:00:00Z","end":"2020-07-30T17:05:00Z"},"state":{"<1>":"state1"},` +
		`"shardId":"shardId-00000001767225600000-5e1f7a1b","eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",` +
		`"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":true}`
	if diff := cmp.Diff(want, string(payload)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	payload, err = streamtest.WindowEvent(streamtest.Window{Table: "orders", Final: true})
	want = `{"Records":[],"window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:01:00Z"},"state":{},` +
		`"shardId":"shardId-00000001767225600000-5e1f7a1b","eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",` +
		`"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}`
	if diff := cmp.Diff(want, string(payload)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// Events are what aws-lambda-go takes too.
func TestEventsOfAWSLambdaGo(t *testing.T) {
	record := streamtest.Insert(&orders.Item{ID: "1", Status: "new"})
	payload, err := streamtest.WindowEvent(streamtest.Window{State: `{"n":"1"}`}, record)
	if err != nil {
		t.Fatal(err)
	}
	e := decode[events.DynamoDBTimeWindowEvent](t, payload)
	r := e.Records[0]
	if r.EventName != "INSERT" || r.Change.NewImage["Status"].String() != "new" || r.Change.StreamViewType != "NEW_AND_OLD_IMAGES" || len(r.EventID) != 32 {
		t.Errorf("%+v", r)
	}
	if e.State["n"] != "1" || e.Window.End.Sub(e.Window.Start.Time) != time.Minute || e.EventSourceARN != r.EventSourceArn || len(e.ShardID) != 37 {
		t.Errorf("%+v", e)
	}
}

func TestEventErrors(t *testing.T) {
	insert := streamtest.Insert(&orders.Item{ID: "1"})
	other, torn := insert, insert
	other.Table, torn.New = "others", `{"Id"`
	for want, records := range map[string][]streamtest.Record{
		`the item has no "Id", which is of its key`:                         {streamtest.Insert(&orders.Item{Status: "new"})},
		"record 1: the item before has the key":                             {insert, streamtest.Modify(&orders.Item{ID: "1"}, &orders.Item{ID: "2"})},
		`no stream has the view type "BOTH"`:                                {insert.View("BOTH")},
		`record 1 is of table "others" and the first of "table"`:            {insert, other},
		`record 0: {"Id" is no JSON`:                                        {torn},
		"record 0: the item has no \"Id\", which is of its key\nrecord 1: ": {streamtest.Remove(&orders.Item{}), torn},
	} {
		if _, err := streamtest.Event(records...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if _, err := streamtest.WindowEvent(streamtest.Window{}, records...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("window: error %v, want %q", err, want)
		}
	}
	for want, window := range map[string]streamtest.Window{
		"state {1 is no JSON": {State: "{1"},
		`the window is of table "orders", and its records are of "table"`: {Table: "orders"},
	} {
		if _, err := streamtest.WindowEvent(window, insert); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Sizes that AWS gave, and sizes by the rule of items.
func TestSizeBytes(t *testing.T) {
	for image, want := range map[stream.JSON]int{
		`{"id":{"S":"id_value"}}`:                              10,
		`{"id2":{"S":"id2_new_value"},"id":{"S":"id_value"}}`:  26,
		`{"n":{"N":"101"}}`:                                    4,
		`{"n":{"N":"0"}}`:                                      1 + 1,
		`{"n":{"N":"-0.00"}}`:                                  1 + 1,
		`{"n":{"N":"1234"}}`:                                   1 + 3,
		`{"n":{"N":"12345678901234567890123456789012345678"}}`: 1 + 20,
		`{"n":{"N":"1010"}}`:                                   1 + 3,
		`{"n":{"N":"10000000000"}}`:                            1 + 2,
		`{"n":{"N":"1E+10"}}`:                                  1 + 2,
		`{"n":{"N":"0.0001"}}`:                                 1 + 2,
		`{"n":{"N":"1e-4"}}`:                                   1 + 2,
		`{"n":{"N":"0.15"}}`:                                   1 + 2,
		`{"n":{"N":"1.5"}}`:                                    1 + 3,
		`{"n":{"N":"1.50"}}`:                                   1 + 3,
		`{"n":{"N":"15e-1"}}`:                                  1 + 3,
		`{"n":{"N":"3.14159"}}`:                                1 + 5,
		`{"n":{"N":"100.5"}}`:                                  1 + 4,
		`{"n":{"N":"00100.5"}}`:                                1 + 4,
		`{"n":{"N":"-42"}}`:                                    1 + 3,
		`{"é":{"S":"é"}}`:                                      4,
		`{"b":{"B":"AAEC"}}`:                                   4,
		`{"b":{"B":""}}`:                                       1,
		`{"b":{"BOOL":true}}`:                                  2,
		`{"b":{"NULL":true}}`:                                  2,
		`{"s":{"SS":["a","bc"]}}`:                              4,
		`{"s":{"NS":["1","22","333"]}}`:                        8,
		`{"s":{"BS":["AAEC","AA=="]}}`:                         5,
		`{"l":{"L":[]}}`:                                       4,
		`{"l":{"L":[{"S":"ab"},{"BOOL":true}]}}`:               1 + 3 + (1 + 2) + (1 + 1),
		`{"m":{"M":{}}}`:                                       4,
		`{"m":{"M":{"k":{"S":"ab"}}}}`:                         1 + 3 + (1 + 1 + 2),
		`{"m":7,"n":{"S":"ab"}}`:                               1 + 1 + 2, // what is no attribute value counts nothing
		`[]`:                                                   0,
	} {
		payload, err := streamtest.Event(streamtest.Record{Kind: stream.Insert, Keys: `{"k":{"S":"1"}}`, New: image})
		if err != nil {
			t.Fatal(err)
		}
		e := decode[struct {
			Records []struct{ DynamoDB struct{ SizeBytes int } }
		}](t, payload)
		if got := e.Records[0].DynamoDB.SizeBytes - 2; got != want {
			t.Errorf("%s has %d bytes, want %d", image, got, want)
		}
	}
}

func TestRecordString(t *testing.T) {
	for want, r := range map[string]streamtest.Record{
		"MODIFY Id=1":        streamtest.Modify(&orders.Item{ID: "1"}, &orders.Item{ID: "1", Total: 2}),
		"INSERT At=7 Id=a b": {Kind: stream.Insert, Keys: `{"Id":{"S":"a b"},"At":{"N":"7"}}`},
		`REMOVE {"Id":7}`:    {Kind: stream.Remove, Keys: `{"Id":7}`},
		`REMOVE Id={"x":1}`:  {Kind: stream.Remove, Keys: `{"Id":{"M":{"x":1}}}`},
		"INSERT":             {Kind: stream.Insert},
		"":                   {},
	} {
		if got := r.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
