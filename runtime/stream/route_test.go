package stream_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
)

func streamEvent(table string, records ...string) []byte {
	var list []string
	for i, images := range records {
		list = append(list, fmt.Sprintf(`{"eventID":"e%d","eventName":"MODIFY","eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/%s/stream/2026-01-01T00:00:00.000",
			"dynamodb":{"Keys":{"Id":{"S":"%d"}},"SequenceNumber":"%d",%s}}`, i, table, i, 100+i, images))
	}
	return []byte(`{"Records":[` + strings.Join(list, ",") + `]}`)
}

func images(was, is string) string {
	return fmt.Sprintf(`"OldImage":{"Id":{"S":"x"},"Status":%s},"NewImage":{"Id":{"S":"x"},"Status":%s}`, was, is)
}

// recorder notes which changes a route handles.
func recorder(into *[]string, name string) func(context.Context, stream.Change[Order]) error {
	return func(_ context.Context, c stream.Change[Order]) error {
		*into = append(*into, name+" "+c.EventID)
		return nil
	}
}

func TestRouter(t *testing.T) {
	var handled []string
	two := stream.Router(stream.On("orders", recorder(&handled, "orders")), stream.On("customers", recorder(&handled, "customers")))
	one := images(`{"S":"a"}`, `{"S":"b"}`)
	for name, c := range map[string]struct {
		payload []byte
		want    []string
		err     string
	}{
		"first":        {streamEvent("orders", one, one), []string{"orders e0", "orders e1"}, ""},
		"second":       {streamEvent("customers", one), []string{"customers e0"}, ""},
		"neither":      {streamEvent("order", one), nil, `come from table "order", and this function has no route for it: its tables are orders, customers`},
		"no table":     {[]byte(`{"Records":[{"eventSourceARN":"arn:aws:kinesis:x"}]}`), nil, "do not say which table"},
		"no records":   {[]byte(`{"Records":[]}`), nil, "do not say which table"},
		"no event":     {[]byte(`{}`), nil, "no Records"},
		"broken event": {[]byte(`[`), nil, "decode the event"},
	} {
		t.Run(name, func(t *testing.T) {
			handled = nil
			answer, err := two.Invoke(t.Context(), c.payload)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
			} else if err != nil || string(answer) != allDone {
				t.Errorf("answer %s, %v", answer, err)
			}
			if d := cmp.Diff(c.want, handled); d != "" {
				t.Errorf("handled (-want +got):\n%s", d)
			}
		})
	}
}

func TestWhere(t *testing.T) {
	var handled []string
	changed := stream.Where(func(r stream.Record) bool { return r.Kind() != stream.Modify || r.Changed("Status", "Gone") })
	router := stream.Router(stream.On("orders", recorder(&handled, "orders"), changed))
	answer, err := router.Invoke(t.Context(), streamEvent("orders",
		images(`{"S":"a"}`, `{"S":"a"}`),                  // as it was
		images(`{"S":"a"}`, `{"S":"b"}`),                  // differs
		images(`{"L":[{"S":"a"}]}`, `{"L":[{"S":"a"} ]}`), // written otherwise
		`"OldImage":{"Id":{"S":"x"}},"NewImage":{"Id":{"S":"x"},"Gone":{"NULL":true}}`,
		`"OldImage":{"Status":7},"NewImage":7`, // not to be read: not to be lost
	))
	if err != nil {
		t.Fatal(err)
	}
	// The last one is wanted, cannot be decoded, and comes again.
	if got, want := string(answer), unfinishedFrom("104"); got != want {
		t.Errorf("answer %s, want %s", got, want)
	}
	if d := cmp.Diff([]string{"orders e1", "orders e3"}, handled); d != "" {
		t.Errorf("handled (-want +got):\n%s", d)
	}
}

type totals struct {
	Changes int `json:"changes"`
	Text    string
}

func TestWindow(t *testing.T) {
	var seen []stream.Window
	handle := func(_ context.Context, w stream.Window, state totals, changes []stream.Change[Order]) (totals, error) {
		seen = append(seen, w)
		for _, c := range changes {
			if c.New.ID == "fail" {
				return state, errors.New("no")
			}
			if c.New.ID == "big" {
				state.Text = strings.Repeat("x", 1<<20)
			}
		}
		state.Changes += len(changes)
		return state, nil
	}
	router := stream.Router(stream.OnWindow("orders", handle))
	event := func(state, final, records string) []byte {
		return []byte(`{"Records":[` + records + `],"window":{"start":"2026-01-01T00:00:00Z","end":"2026-01-01T00:05:00Z"},"state":` + state +
			`,"shardId":"s-1","eventSourceARN":"arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/x","isFinalInvokeForWindow":` + final + `,"isWindowTerminatedEarly":false}`)
	}
	record := func(id string) string {
		return `{"eventName":"INSERT","dynamodb":{"Keys":{"Id":{"S":"1"}},"NewImage":{"Id":{"S":"` + id + `"}},"SequenceNumber":"1"}}`
	}
	for name, c := range map[string]struct {
		payload   []byte
		want, err string
	}{
		"first":       {event(`{}`, "false", record("a")+","+record("b")), `{"state":{"changes":2,"Text":""},"batchItemFailures":[]}`, ""},
		"next":        {event(`{"changes":40}`, "false", record("a")), `{"state":{"changes":41,"Text":""},"batchItemFailures":[]}`, ""},
		"final":       {event(`{"changes":40}`, "true", ""), `{"state":{"changes":40,"Text":""},"batchItemFailures":[]}`, ""},
		"failed":      {event(`{}`, "false", record("a")+","+record("fail")), "", "no"},
		"too big":     {event(`{}`, "false", record("big")), "", "more than the 1048576 that Lambda keeps"},
		"bad state":   {event(`[]`, "false", record("a")), "", "decode the state"},
		"bad record":  {event(`{}`, "false", `{"eventName":"INSERT"}`), "", `no "dynamodb" member`},
		"not windows": {streamEvent("orders", images(`{"S":"a"}`, `{"S":"b"}`)), "", "the event has no window"},
	} {
		t.Run(name, func(t *testing.T) {
			seen = nil
			answer, err := router.Invoke(t.Context(), c.payload)
			if string(answer) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("answer %.200s, %v; want %s, %q", answer, err, c.want, c.err)
			}
			if c.err == "" && (len(seen) != 1 || seen[0].ShardID != "s-1" || seen[0].End.Sub(seen[0].Start).Minutes() != 5 || seen[0].Final != (name == "final")) {
				t.Errorf("window %+v", seen)
			}
		})
	}
	// A function without state says so, whichever way it is started.
	_, err := stream.Router(stream.On("orders", recorder(new([]string), ""))).Invoke(t.Context(), event(`{}`, "false", record("a")))
	if err == nil || !strings.Contains(err.Error(), "keeps no state") {
		t.Errorf("got %v", err)
	}
}

// nested is what generated code does with maps and lists.
type nested struct {
	Note    *string
	Gone    bool
	Address struct{ Zip *string }
	Labels  map[string]string
	Sizes   [][]stream.Number
}

func (n *nested) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Note":
			n.Note = stream.Optional(d, (*stream.Decoder).String)
		case "Gone":
			n.Gone = d.OnlyNull()
		case "Address":
			for in := d.Map(); in && d.Next(); {
				if d.Name() == "Zip" {
					n.Address.Zip = stream.Optional(d, (*stream.Decoder).String)
				}
			}
		case "Labels":
			n.Labels = stream.MapOf(d, (*stream.Decoder).String)
		case "Sizes":
			n.Sizes = stream.ListOf(d, func(d *stream.Decoder) []stream.Number { return stream.ListOf(d, (*stream.Decoder).Number) })
		}
	}
}

func TestNestedValues(t *testing.T) {
	text := func(s string) *string { return &s }
	zip := nested{}
	zip.Address.Zip = text("1")
	for name, c := range map[string]struct {
		image string
		want  nested
		err   string
	}{
		"absent":        {`{}`, nested{}, ""},
		"null":          {`{"Note":{"NULL":true},"Gone":{"NULL":true},"Address":{"NULL":true},"Labels":{"NULL":true},"Sizes":{"NULL":true}}`, nested{Gone: true}, ""},
		"optional":      {`{"Note":{"S":""}}`, nested{Note: text("")}, ""},
		"structure":     {`{"Address":{"M":{"Zip":{"S":"1"},"Other":{"BOOL":true}}}}`, zip, ""},
		"empty":         {`{"Labels":{"M":{}},"Sizes":{"L":[]}}`, nested{Labels: map[string]string{}, Sizes: [][]stream.Number{}}, ""},
		"deep":          {`{"Labels":{"M":{"a":{"S":"b"}}},"Sizes":{"L":[{"L":[{"N":"1"},{"N":"2"}]},{"L":[]}]}}`, nested{Labels: map[string]string{"a": "b"}, Sizes: [][]stream.Number{{"1", "2"}, {}}}, ""},
		"wrong map":     {`{"Address":{"S":"x"}}`, nested{}, `attribute "Address": want type M, have S`},
		"wrong inside":  {`{"Address":{"M":{"Zip":{"N":"1"}}}}`, nested{}, `attribute "Address": attribute "Zip": want type S, have N`},
		"wrong element": {`{"Sizes":{"L":[{"L":[{"N":"1"},{"S":"2"}]}]}}`, nested{}, `attribute "Sizes": element 0: element 1: want type N, have S`},
		"no null":       {`{"Gone":{"S":"x"}}`, nested{}, `want type NULL, have S`},
		"no object":     {`{"Address":{"M":[]}}`, nested{}, "not a JSON object"},
		"no array":      {`{"Sizes":{"L":{}}}`, nested{}, "not a JSON array"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := stream.Unmarshal[nested]([]byte(c.image))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
