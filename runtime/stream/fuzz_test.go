package stream_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
)

// FuzzDecoder holds the decoding against aws-lambda-go's: an image that it accepts gives equal values.
func FuzzDecoder(f *testing.F) {
	for _, seed := range []string{
		`{"A":{"S":"x"},"B":{"N":"1.50"},"C":{"BOOL":true},"D":{"B":"AAEqQQ=="},"E":{"NULL":true}}`,
		`{"A":{"SS":["a","b"]},"B":{"NS":["1","2"]},"C":{"BS":["AAEqQQ=="]},"D":{"SS":[]}}`,
		`{"A":{"L":[{"S":"Cookies"},{"N":"3.14159"}]},"B":{"M":{"Name":{"S":"Joe"}}}}`,
		`{"A":{"S":"1"},"A":{"N":"2"}}`, `{"\u0041":{"S":"\ud83d\ude00\ud83d"}}`, "{\"A\":{\"S\":\"\xff\"}}",
		`{"A":{"NULL":false}}`, `{"A":{"S":"1","S":"2"}}`, `{"A":{"B":"AAEqQR=="}}`, `{"A":{"BS":[1]}}`, `{"A":null}`, `null`, `{}`, `[`, `{ "A" : { "S" : "x" } }`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		want, accepted := unmarshalAWS[map[string]events.DynamoDBAttributeValue](image)
		got, err := stream.Unmarshal[readings](image)
		// Of members with the same name aws-lambda-go takes the last, in a value too: no value has two types for us.
		if !accepted || hasDuplicateNames(json.NewDecoder(bytes.NewReader(image))) {
			return
		}
		if err != nil || len(got.of) != len(want) {
			t.Fatalf("%d of %d attributes, error %v", len(got.of), len(want), err)
		}
		for name, r := range got.of {
			if len(r) == 0 && sloppyBase64(t, image, name) {
				continue
			}
			if diff := cmp.Diff(expected(want[name]), r); diff != "" {
				t.Errorf("attribute %q of %q:\n%s", name, image, diff)
			}
		}
	})
}

// FuzzHandler holds whole events against aws-lambda-go's decoding. Any bytes give an error or a response that Lambda
// accepts, and changes that agree with what aws-lambda-go reads.
func FuzzHandler(f *testing.F) {
	f.Add([]byte(sampleEvent))
	f.Add(event(insertRecord("101", "a"), insertRecord("102", "fail"), insertRecord("103", "c")))
	f.Add(event(insertRecord("101", "a"), `{}`))
	f.Add([]byte(`{"records":[{"DYNAMODB":{"sequencenumber":"1","keys":{}},"eventname":"REMOVE"}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		want, accepted := unmarshalAWS[events.DynamoDBEvent](payload)
		var changes []stream.Change[Order]
		h := stream.Handler(func(ctx context.Context, c stream.Change[Order]) error {
			changes = append(changes, c)
			return behave(ctx, c)
		})
		got, err := h.Invoke(context.Background(), payload)
		if err == nil {
			var response events.DynamoDBEventResponse
			if err := json.Unmarshal(got, &response); err != nil || len(response.BatchItemFailures) > 1 {
				t.Fatalf("response %s: %v", got, err)
			}
			if len(response.BatchItemFailures) == 1 && response.BatchItemFailures[0].ItemIdentifier == "" {
				t.Fatalf("response %s would fail the whole batch", got)
			}
		}
		// Of members with the same name, aws-lambda-go merges the values.
		if !accepted || hasDuplicateNames(json.NewDecoder(bytes.NewReader(payload))) || len(changes) != len(want.Records) {
			return // a record that cannot be decoded is left out, and nobody knows which
		}
		for i, c := range changes {
			if diff := cmp.Diff(envelopeOf(want.Records[i]), envelope{
				c.EventID, string(c.Kind), c.SequenceNumber, c.StreamARN, c.ByTTL, c.Old != nil, c.New != nil,
			}); diff != "" {
				t.Errorf("record %d:\n%s", i, diff)
			}
			at := want.Records[i].Change.ApproximateCreationDateTime.Time
			if c.CreatedAt.IsZero() && at.Equal(time.Unix(0, 0)) {
				continue // null, which aws-lambda-go takes for 0
			}
			if d := c.CreatedAt.Sub(at); d > time.Microsecond || d < -time.Microsecond {
				t.Errorf("record %d: created at %v, want %v", i, c.CreatedAt, at)
			}
		}
	})
}

type envelope struct {
	eventID, eventName, sequenceNumber, streamARN string
	byTTL, hasOld, hasNew                         bool
}

func (e envelope) Equal(o envelope) bool { return e == o }

func envelopeOf(r events.DynamoDBEventRecord) envelope {
	return envelope{
		eventID:        r.EventID,
		eventName:      r.EventName,
		sequenceNumber: r.Change.SequenceNumber,
		streamARN:      r.EventSourceArn,
		byTTL: r.EventName == "REMOVE" && r.UserIdentity != nil &&
			r.UserIdentity.Type == "Service" && r.UserIdentity.PrincipalID == "dynamodb.amazonaws.com",
		hasOld: r.Change.OldImage != nil,
		hasNew: r.Change.NewImage != nil,
	}
}

// unmarshalAWS decodes with aws-lambda-go, which panics over some malformed values.
func unmarshalAWS[T any](data []byte) (v T, accepted bool) {
	defer func() {
		if recover() != nil {
			accepted = false
		}
	}()
	err := json.Unmarshal(data, &v)
	return v, err == nil
}

// reading is what a decoder gives for a value: its value under the name of the type, and no error under the others.
type reading map[string]any

// readings are those of all attributes of an image.
type readings struct{ of map[string]reading }

func (r *readings) UnmarshalImage(d *stream.Decoder) {
	r.of = map[string]reading{}
	for d.Next() {
		r.of[d.Name()] = readAll(d.Raw())
	}
}

func readAll(value stream.JSON) reading {
	r := reading{}
	try(r, "S", value, (*stream.Decoder).String)
	try(r, "N", value, (*stream.Decoder).Number)
	try(r, "B", value, (*stream.Decoder).Binary)
	try(r, "BOOL", value, (*stream.Decoder).Bool)
	try(r, "SS", value, (*stream.Decoder).StringSet)
	try(r, "NS", value, (*stream.Decoder).NumberSet)
	try(r, "BS", value, (*stream.Decoder).BinarySet)
	try(r, "NULL", value, (*stream.Decoder).OnlyNull)
	return r
}

func try[T any](r reading, typ string, value stream.JSON, read func(*stream.Decoder) T) {
	var got T
	err := stream.DecodeImage(`{"A":`+string(value)+`}`, func(d *stream.Decoder) {
		for d.Next() {
			got = read(d)
		}
	})
	if err == nil {
		r[typ] = got
	}
}

// expected is the reading of a value that aws-lambda-go decoded; a list or map reads as nothing.
func expected(v events.DynamoDBAttributeValue) reading {
	switch v.DataType() {
	case events.DataTypeNull:
		return reading{
			"S": "", "N": stream.Number(""), "B": []byte(nil), "BOOL": false,
			"SS": []string(nil), "NS": []stream.Number(nil), "BS": [][]byte(nil), "NULL": true,
		}
	case events.DataTypeString:
		return reading{"S": v.String()}
	case events.DataTypeNumber:
		return reading{"N": stream.Number(v.Number())}
	case events.DataTypeBinary:
		return reading{"B": v.Binary()}
	case events.DataTypeBoolean:
		return reading{"BOOL": v.Boolean()}
	case events.DataTypeStringSet:
		return reading{"SS": v.StringSet()}
	case events.DataTypeNumberSet:
		set := []stream.Number{}
		for _, n := range v.NumberSet() {
			set = append(set, stream.Number(n))
		}
		return reading{"NS": set}
	case events.DataTypeBinarySet:
		return reading{"BS": v.BinarySet()}
	}
	return reading{}
}

// sloppyBase64 says whether an attribute holds base64 that decodes and yet is none that an encoder writes: with line
// breaks or stray bits. aws-lambda-go takes it, stream refuses it.
func sloppyBase64(t *testing.T, image []byte, name string) bool {
	t.Helper()
	var attributes map[string]struct {
		B  string
		BS []string
	}
	if err := json.Unmarshal(image, &attributes); err != nil {
		return false // of another type
	}
	for _, s := range append(attributes[name].BS, attributes[name].B) {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatalf("aws-lambda-go accepts %q: %v", s, err)
		}
		if base64.StdEncoding.EncodeToString(b) != s {
			return true
		}
	}
	return false
}

// hasDuplicateNames says whether an object of the next JSON value has two members whose names encoding/json holds equal.
func hasDuplicateNames(d *json.Decoder) bool {
	token, err := d.Token()
	delim, nested := token.(json.Delim)
	if err != nil || !nested {
		return false
	}
	duplicate := false
	var names []string
	for d.More() {
		if delim == '{' {
			token, _ := d.Token()
			name, _ := token.(string)
			for _, other := range names {
				duplicate = duplicate || strings.EqualFold(name, other)
			}
			names = append(names, name)
		}
		duplicate = hasDuplicateNames(d) || duplicate
	}
	_, _ = d.Token() // the closing delimiter
	return duplicate
}
