package streamtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
)

// order is an item in the form in which item types are generated.
type order struct{ ID, Status string }

func (o *order) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			o.ID = d.String()
		case "Status":
			o.Status = d.String()
		}
	}
}

func (o *order) MarshalImage(e *stream.Encoder) {
	if o.ID != "" {
		e.Attr("Id")
		e.String(o.ID)
	}
	e.Attr("Status")
	e.String(o.Status)
}

func (*order) KeyNames() []string { return []string{"Id"} }

func TestRecords(t *testing.T) {
	older, newer := &order{"1", "new"}, &order{"1", "paid"}
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	modified := streamtest.Modify(older, newer)
	modified.Table, modified.CreatedAt = "orders", at
	var got []stream.Change[order]
	h := stream.Handler(func(_ context.Context, c stream.Change[order]) error {
		if c.Old != nil && c.New != nil && (!c.Changed("Status") || c.Changed("Id")) {
			t.Error("the status has changed, and the id has not")
		}
		got = append(got, c)
		return nil
	})
	i := streamtest.Invoke(t, h, streamtest.Insert(older), modified, streamtest.Remove(newer), streamtest.Expire(newer), modified.View("KEYS_ONLY"), modified.View("NEW_IMAGE"), modified.View("OLD_IMAGE"))
	if i.Unfinished != 7 || i.Err != nil {
		t.Fatalf("%+v", i)
	}
	for n, want := range []struct {
		kind     stream.Kind
		old, new *order
		ttl      bool
	}{
		{stream.Insert, nil, older, false}, {stream.Modify, older, newer, false}, {stream.Remove, newer, nil, false}, {stream.Remove, newer, nil, true},
		{stream.Modify, nil, nil, false}, {stream.Modify, nil, newer, false}, {stream.Modify, older, nil, false},
	} {
		c := got[n]
		if c.Kind != want.kind || c.ByTTL != want.ttl || c.Keys.ID != "1" || !cmp.Equal(c.Old, want.old) || !cmp.Equal(c.New, want.new) {
			t.Errorf("record %d: %+v, want %+v", n, c, want)
		}
	}
	if got[1].CreatedAt != at || !strings.Contains(got[1].StreamARN, ":table/orders/stream/") || got[0].EventID == got[1].EventID || len(got[0].EventID) != 32 {
		t.Errorf("%+v", got[1])
	}
}

// The event is what aws-lambda-go takes too.
func TestEvent(t *testing.T) {
	payload, err := streamtest.Event(streamtest.Insert(&order{"1", "new"}))
	if err != nil {
		t.Fatal(err)
	}
	var e events.DynamoDBEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		t.Fatal(err)
	}
	if r := e.Records[0]; r.EventName != "INSERT" || r.Change.NewImage["Status"].String() != "new" || r.Change.StreamViewType != "NEW_IMAGE" || r.Change.SizeBytes == 0 {
		t.Errorf("%+v", r)
	}
	for want, r := range map[string]streamtest.Record{
		`the item has no "Id", which is of its key`: streamtest.Insert(&order{Status: "new"}),
		"these are two items":                       streamtest.Modify(&order{ID: "1"}, &order{ID: "2"}),
	} {
		if _, err := streamtest.Event(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestDeliver(t *testing.T) {
	var handled []string
	fails := 2
	h := stream.Handler(func(_ context.Context, c stream.Change[order]) error {
		handled = append(handled, c.Keys.ID)
		if c.Keys.ID == "2" && fails > 0 {
			fails--
			return errors.New("not yet")
		}
		return nil
	})
	all := streamtest.Deliver(t, h, 5, streamtest.Insert(&order{ID: "1"}), streamtest.Insert(&order{ID: "2"}), streamtest.Insert(&order{ID: "3"}))
	var got []string
	for _, i := range all {
		got = append(got, fmt.Sprint(i.First, " ", i.Unfinished, " ", i.Err))
	}
	if want := []string{"0 1 <nil>", "1 1 <nil>", "1 3 <nil>"}; !cmp.Equal(got, want) {
		t.Errorf("invocations %q, want %q", got, want)
	}
	if want := "1 2 3 2 2"; strings.Join(handled, " ") != want {
		t.Errorf("handled %q, want %s", handled, want)
	}
}

type answer string

func (a answer) Invoke(context.Context, []byte) ([]byte, error) { return []byte(a), nil }

func TestResponsesThatLambdaRefuses(t *testing.T) {
	for response, want := range map[string]string{
		`{"batchItemFailures":[{"itemIdentifier":""}]}`:  "no sequence number of the batch",
		`{"batchItemFailures":[{"itemIdentifier":"7"}]}`: "no sequence number of the batch",
		`x`: "not what Lambda takes",
	} {
		i := streamtest.Invoke(t, lambda.Handler(answer(response)), streamtest.Insert(&order{ID: "1"}))
		if i.Unfinished != 0 || i.Err == nil || !strings.Contains(i.Err.Error(), want) {
			t.Errorf("%s: %+v, want an error with %q", response, i, want)
		}
	}
	if all := streamtest.Deliver(t, answer(`x`), 3, streamtest.Insert(&order{ID: "1"})); len(all) != 3 {
		t.Errorf("%d invocations, want as many as allowed", len(all))
	}
}
