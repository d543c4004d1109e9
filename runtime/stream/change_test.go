package stream_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/runtime/stream"
)

// change gives the one change that an event of this record becomes.
func change(t *testing.T, record string) stream.Change[Order] {
	t.Helper()
	var changes []stream.Change[Order]
	h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		changes = append(changes, c)
		return nil
	})
	log := captureLog(t)
	if got, err := h.Invoke(t.Context(), event(record)); err != nil || string(got) != allDone {
		t.Fatalf("response %s, error %v, log %s", got, err, log)
	}
	if len(changes) != 1 {
		t.Fatalf("%d changes, want 1", len(changes))
	}
	return changes[0]
}

func TestViewTypes(t *testing.T) {
	const keys = `"Keys":{"Id":{"S":"o-1"}}`
	const oldImage = `"OldImage":{"Id":{"S":"o-1"},"Total":{"N":"1"}}`
	const newImage = `"NewImage":{"Id":{"S":"o-1"},"Total":{"N":"2"}}`
	older, newer := &Order{ID: "o-1", Total: "1"}, &Order{ID: "o-1", Total: "2"}
	tests := map[string]struct {
		eventName, members string
		kind               stream.Kind
		old, new           *Order
	}{
		"insert, keys only":          {eventName: "INSERT", members: keys, kind: stream.Insert},
		"modify, keys only":          {eventName: "MODIFY", members: keys, kind: stream.Modify},
		"remove, keys only":          {eventName: "REMOVE", members: keys, kind: stream.Remove},
		"insert, new image":          {eventName: "INSERT", members: keys + "," + newImage, kind: stream.Insert, new: newer},
		"modify, new image":          {eventName: "MODIFY", members: keys + "," + newImage, kind: stream.Modify, new: newer},
		"remove, new image":          {eventName: "REMOVE", members: keys, kind: stream.Remove},
		"insert, old image":          {eventName: "INSERT", members: keys, kind: stream.Insert},
		"modify, old image":          {eventName: "MODIFY", members: keys + "," + oldImage, kind: stream.Modify, old: older},
		"remove, old image":          {eventName: "REMOVE", members: keys + "," + oldImage, kind: stream.Remove, old: older},
		"insert, new and old images": {eventName: "INSERT", members: keys + "," + newImage, kind: stream.Insert, new: newer},
		"modify, new and old images": {eventName: "MODIFY", members: keys + "," + newImage + "," + oldImage, kind: stream.Modify, old: older, new: newer},
		"remove, new and old images": {eventName: "REMOVE", members: keys + "," + oldImage, kind: stream.Remove, old: older},
		"images null":                {eventName: "REMOVE", members: keys + `,"NewImage":null,"OldImage":null`, kind: stream.Remove},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := stream.Change[Order]{
				EventID:        "event-101",
				Kind:           test.kind,
				Keys:           Order{ID: "o-1"},
				Old:            test.old,
				New:            test.new,
				SequenceNumber: "101",
				CreatedAt:      time.Date(2024, 12, 5, 17, 10, 59, 0, time.UTC),
				StreamARN:      "arn:aws:dynamodb:us-east-1:111111111111:table/orders/stream/2025-02-22T03:03:25.490",
				DynamoDB: stream.JSON(`{"ApproximateCreationDateTime":1733418659.0,` + test.members +
					`,"SequenceNumber":"101","SizeBytes":46,"StreamViewType":"NEW_AND_OLD_IMAGES"}`),
			}
			if diff := cmp.Diff(want, change(t, record("101", test.eventName, test.members)), cmpopts.IgnoreUnexported(stream.Change[Order]{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDynamoDBAsItCame(t *testing.T) {
	const part = "{ \"Keys\" : {\"Id\":{\"S\":\"\\u00e9<&>\"}},\n\t\"Future\":[1.50,null ], \"SequenceNumber\":\"101\" }"
	c := change(t, `{"eventName":"INSERT", "dynamodb": `+part+` }`)
	if string(c.DynamoDB) != part {
		t.Errorf("got  %s\nwant %s", c.DynamoDB, part)
	}
	if c.Keys.ID != "é<&>" {
		t.Errorf("key is %q", c.Keys.ID)
	}
}

func TestCreatedAt(t *testing.T) {
	tests := map[string]struct {
		json string
		want time.Time
	}{
		"integer":  {json: `1733418659`, want: time.Unix(1733418659, 0)},
		"float":    {json: `1733418659.0`, want: time.Unix(1733418659, 0)},
		"exponent": {json: `1.733418659E9`, want: time.Unix(1733418659, 0)},
		"fraction": {json: `1733418659.123`, want: time.Unix(1733418659, 123e6)},
		"zero":     {json: `0`, want: time.Unix(0, 0)},
		"last":     {json: `253402300799`, want: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		"null":     {json: `null`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := change(t, strings.Replace(insertRecord("101", "a"), "1733418659.0", test.json, 1))
			if !c.CreatedAt.Equal(test.want) || c.CreatedAt.Location() != time.UTC {
				t.Errorf("got %v, want %v", c.CreatedAt, test.want.UTC())
			}
		})
	}
	t.Run("absent", func(t *testing.T) {
		c := change(t, strings.Replace(insertRecord("101", "a"), `"ApproximateCreationDateTime":1733418659.0,`, "", 1))
		if !c.CreatedAt.IsZero() {
			t.Errorf("got %v, want the zero time", c.CreatedAt)
		}
	})
	for _, bad := range []string{`"1733418659"`, `true`, `-1`, `1e300`, `1e999`, `{}`, `253402300800`} {
		t.Run("bad "+bad, func(t *testing.T) {
			log := captureLog(t)
			record := strings.Replace(insertRecord("101", "a"), "1733418659.0", bad, 1)
			got, err := stream.Handler(behave).Invoke(t.Context(), event(record))
			if err != nil || string(got) != unfinishedFrom("101") {
				t.Errorf("response %s, error %v, want the record unfinished", got, err)
			}
			if !strings.Contains(log.String(), "decode ApproximateCreationDateTime: not a number of seconds since 1970") {
				t.Errorf("log %s", log)
			}
		})
	}
}

func TestByTTL(t *testing.T) {
	const service = `"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},`
	tests := map[string]struct {
		eventName, identity string
		want                bool
	}{
		"time to live":       {eventName: "REMOVE", identity: service, want: true},
		"someone's delete":   {eventName: "REMOVE"},
		"null":               {eventName: "REMOVE", identity: `"userIdentity":null,`},
		"another service":    {eventName: "REMOVE", identity: `"userIdentity":{"type":"Service","principalId":"replication.dynamodb.amazonaws.com"},`},
		"another identity":   {eventName: "REMOVE", identity: `"userIdentity":{"type":"User","principalId":"dynamodb.amazonaws.com"},`},
		"nothing is removed": {eventName: "MODIFY", identity: service},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := strings.Replace(record("101", test.eventName, `"Keys":{"Id":{"S":"a"}}`), `{"eventID"`, `{`+test.identity+`"eventID"`, 1)
			if got := change(t, r).ByTTL; got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
