package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
)

// tailView is that of a project whose names in AWS have a prefix.
func tailView() view {
	return view{
		region: "eu-west-1", functions: map[string]string{"dev-shop-ship": "ship"}, tables: map[string]string{"dev-orders": "orders"},
		onlyFunctions: []string{"dev-shop-ship"}, onlyTables: []string{"dev-orders"},
	}
}

// tailBatch is an event of the mapping of orders to ship.
func tailBatch(kind string, n int, more func(*local.Event)) *local.Event {
	e := &local.Event{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), Kind: kind, Region: "eu-west-1", Function: "dev-shop-ship", Table: "dev-orders", Mapping: "m",
		Shard: "shardId-00000001733418659000-8f2c1d3a", Count: n, Attempt: 1,
	}
	for i := range n {
		sequence := fmt.Sprintf("1000000000000000000%02d", i+2)
		if e.Last = sequence; i == 0 {
			e.First = sequence
		}
		e.Records = append(e.Records, json.RawMessage(fmt.Sprintf(`{"eventName":"MODIFY","dynamodb":{"Keys":{"Id":{"S":"%d"}},"OldImage":{"Id":{"S":"%[1]d"},"n":{"N":"1"}},`+
			`"NewImage":{"Id":{"S":"%[1]d"},"n":{"N":"2"}},"SequenceNumber":"%s"}}`, i, sequence)))
	}
	if more != nil {
		more(e)
	}
	return e
}

// printed gives what a printer makes of events.
func printed(t *testing.T, o tailOptions, color bool, events ...*local.Event) string {
	t.Helper()
	var b strings.Builder
	p := newTailPrinter(streams{out: &b}, tailView(), o)
	p.zone, p.color = time.UTC, color
	for _, e := range events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.take(e, line); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestTailLines(t *testing.T) {
	none := func(e *local.Event) { e.Records = nil }
	log := func(message string) *local.Event {
		return tailBatch(local.EventLog, 0, func(e *local.Event) {
			e.Table, e.Shard, e.Mapping, e.Group, e.LogStream, e.Message = "", "", "", "/aws/lambda/dev-shop-ship", "s", message
		})
	}
	direct := func(e *local.Event) { e.Table, e.Shard, e.TookMS = "", "", 3 }
	const at, indent = "03:04:05.006  ship  ", "                    "
	const place = "orders  8f2c1d3a  "
	for name, c := range map[string]struct {
		o      tailOptions
		events []*local.Event
		want   string
	}{
		"a batch's records are shown once": {
			events: []*local.Event{
				tailBatch(local.EventInvoke, 1, nil), tailBatch(local.EventFailure, 1, func(e *local.Event) { e.Error, e.TookMS = "Unhandled", 12.5 }),
				tailBatch(local.EventRetry, 1, func(e *local.Event) { e.PauseMS = 500 }), tailBatch(local.EventInvoke, 1, func(e *local.Event) { e.Attempt = 2 }),
				tailBatch(local.EventSuccess, 1, func(e *local.Event) { e.Attempt, e.TookMS = 2, 1234.5678 }),
				tailBatch(local.EventSuccess, 1, func(e *local.Event) { e.TookMS = 1 }),
			},
			want: at + `invoke           1 record  ` + place + `100000000000000000002       attempt 1
` + indent + `  MODIFY Id="0" {n: 1 → 2}
` + at + `failure          1 record  ` + place + `100000000000000000002       attempt 1, 12.5ms: Unhandled
` + at + `retry            1 record  ` + place + `100000000000000000002       again in 500ms after attempt 1
` + at + `invoke           1 record  ` + place + `100000000000000000002       attempt 2
` + at + `success          1 record  ` + place + `100000000000000000002       in 1.23457s, attempt 2
` + at + `success          1 record  ` + place + `100000000000000000002       in 1ms
` + indent + `  MODIFY Id="0" {n: 1 → 2}
`,
		},
		"the first records of many": {
			events: []*local.Event{tailBatch(local.EventInvoke, 5, nil)},
			want: at + `invoke          5 records  ` + place + `100000000000000000002–…6    attempt 1
` + indent + `  MODIFY Id="0" {n: 1 → 2}
` + indent + `  MODIFY Id="1" {n: 1 → 2}
` + indent + `  MODIFY Id="2" {n: 1 → 2}
` + indent + `  … and 2 more
`,
		},
		"all records": {
			o: tailOptions{records: true}, events: []*local.Event{tailBatch(local.EventFiltered, 5, nil)},
			want: at + `filtered        5 records  ` + place + `100000000000000000002–…6    no filter matches
` + indent + `  MODIFY Id="0" {n: 1 → 2}
` + indent + `  MODIFY Id="1" {n: 1 → 2}
` + indent + `  MODIFY Id="2" {n: 1 → 2}
` + indent + `  MODIFY Id="3" {n: 1 → 2}
` + indent + `  MODIFY Id="4" {n: 1 → 2}
`,
		},
		"what becomes of a batch": {
			events: []*local.Event{
				tailBatch(local.EventPartial, 2, func(e *local.Event) { e.Records, e.TookMS = nil, 2 }),
				tailBatch(local.EventRefused, 2, func(e *local.Event) { e.Records, e.Attempt, e.PauseMS, e.Error = nil, 0, 1000, "Rate exceeded" }),
				tailBatch(local.EventBisect, 3, none), tailBatch(local.EventFiltered, 2, nil),
				tailBatch(local.EventFailure, 2, func(e *local.Event) {
					e.Records, e.Error, e.ErrorType, e.ErrorMessage, e.TookMS = nil, "Unhandled", "errorString", "no luck", 1
				}),
				tailBatch(local.EventDrop, 1, func(e *local.Event) {
					e.Attempt, e.Condition, e.Destination = 3, "RetryAttemptsExhausted", "arn:aws:sqs:eu-west-1:000000000000:ship-failures"
				}),
				tailBatch(local.EventDrop, 1, func(e *local.Event) {
					e.Records, e.Attempt, e.Condition = nil, 0, "MaximumRecordAgeExceeded"
				}),
			},
			want: at + `partial         2 records  ` + place + `100000000000000000002–…3    left undone after 2ms
` + at + `refused         2 records  ` + place + `100000000000000000002–…3    not run, again in 1s: Rate exceeded
` + at + `bisect          3 records  ` + place + `100000000000000000002–…4    now 1 and 2
` + at + `filtered        2 records  ` + place + `100000000000000000002–…3    no filter matches
` + at + `failure         2 records  ` + place + `100000000000000000002–…3    attempt 1, 1ms: no luck (errorString)
` + at + `drop             1 record  ` + place + `100000000000000000002       given up after attempt 3: RetryAttemptsExhausted; sqs ship-failures is told
` + indent + `  MODIFY Id="0" {n: 1 → 2}
` + at + `drop             1 record  ` + place + `100000000000000000002       given up: MaximumRecordAgeExceeded; nobody is told
`,
		},
		"the end of a window": {
			events: []*local.Event{
				tailBatch(local.EventInvoke, 0, nil), tailBatch(local.EventRetry, 0, func(e *local.Event) { e.Error, e.PauseMS = "the answer has no state", 500 }),
			},
			want: at + `invoke      end of window  ` + place + `                            attempt 1
` + at + `retry       end of window  ` + place + `                            again in 500ms after attempt 1: the answer has no state
`,
		},
		"invocations, events that are lost, another day": {
			events: []*local.Event{
				tailBatch(local.EventInvocation, 0, direct),
				tailBatch(local.EventInvocation, 0, func(e *local.Event) { direct(e); e.Error = "Unhandled" }),
				{Kind: local.EventLost, Lost: 7, Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)},
				{Kind: local.EventLost, Lost: 1, Time: time.Date(2026, 1, 3, 3, 4, 5, 6e6, time.UTC)},
			},
			want: at + `invocation  in 3ms
` + at + `invocation  in 3ms: Unhandled
03:04:05.006  7 events are missing from here on: more happened than could be told
2026-01-03
03:04:05.006  1 event is missing from here on: more happened than could be told
`,
		},
		"the lines that handlers log": {
			events: []*local.Event{
				log("START RequestId: 9d5d0b80-04aa-4bf9-904b-2ef201b59969 Version: $LATEST"), log("a line\tof text\nand another"),
				log(`{"time":"t","level":"ERROR","msg":"no luck","error":"it is bad","n":[1, 2],"requestId":"r","function":"f","xrayTraceId":"x","table":"t","eventID":"e","keys":{"Id":"3"}}`),
				log(`{"level":"INFO","msg":"stack","stack":"one\n\ttwo\n","status":"paid"}`), log(`{"level":"INFO"}`), log(`{"level":"INFO","msg":"x"`),
				log(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[]},"Records":1}`),
				log(`{"time":"2026-01-02T03:04:05.006Z","type":"platform.report","record":{"metrics":{},"requestId":"9d5d0b80-04aa-4bf9-904b-2ef201b59969"}}`),
				log("END RequestId: 9d5d0b80-04aa-4bf9-904b-2ef201b59969"),
			},
			want: at + `  | a line    of text
` + indent + `  | and another
` + at + `  | ERROR no luck error="it is bad" n=[1,2] keys={"Id":"3"}
` + at + `  | INFO stack status=paid
` + indent + `  |   stack:
` + indent + `  |     one
` + indent + `  |         two
` + at + `  | {"level":"INFO"}
` + at + `  | {"level":"INFO","msg":"x"
`,
		},
		"all that is logged, as it is": {
			o: tailOptions{logs: true}, events: []*local.Event{
				log("START RequestId: 9d5d0b80-04aa-4bf9-904b-2ef201b59969 Version: $LATEST"), log(`{"level":"INFO","msg":"x"}`),
				log(`{"_aws":{"CloudWatchMetrics":[]}}`),
			},
			want: at + `  | START RequestId: 9d5d0b80-04aa-4bf9-904b-2ef201b59969 Version: $LATEST
` + at + `  | {"level":"INFO","msg":"x"}
` + at + `  | {"_aws":{"CloudWatchMetrics":[]}}
`,
		},
		"failures, with what was logged": {
			o: tailOptions{failures: true}, events: []*local.Event{
				log("START RequestId: aa Version: $LATEST"), log("of one that is well"), tailBatch(local.EventSuccess, 1, func(e *local.Event) { e.RequestID = "aa" }),
				log("between two"), log("START RequestId: bb Version: $LATEST"), log("it is bad"), log("END RequestId: bb"), log("REPORT RequestId: bb\tDuration: 1 ms"),
				log("after it"),
				tailBatch(local.EventFailure, 1, func(e *local.Event) { e.RequestID, e.Error, e.TookMS = "bb", "Unhandled", 1 }),
				tailBatch(local.EventInvocation, 0, func(e *local.Event) { direct(e); e.RequestID = "cc" }),
				tailBatch(local.EventInvocation, 0, func(e *local.Event) { direct(e); e.RequestID, e.Error = "dd", "Unhandled" }),
			},
			want: at + `failure          1 record  ` + place + `100000000000000000002       attempt 1, 1ms: Unhandled
` + indent + `  MODIFY Id="0" {n: 1 → 2}
` + at + `  | it is bad
` + at + `invocation  in 3ms: Unhandled
`,
		},
		"of others": {
			events: []*local.Event{
				tailBatch(local.EventInvoke, 1, func(e *local.Event) { e.Records, e.Function = nil, "audit" }),
				tailBatch(local.EventInvoke, 1, func(e *local.Event) { e.Function, e.Table = "audit", "bills" }),
			},
			want: "03:04:05.006  audit  " + `invoke           1 record  ` + place + `100000000000000000002       attempt 1
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, printed(t, c.o, false, c.events...)); d != "" {
				t.Errorf("lines (-want +got):\n%s", d)
			}
		})
	}
}

// TestTailSteersNoTerminal: whatever the others write, it is bounded, and nothing but the colours of the command itself is a control character.
func TestTailSteersNoTerminal(t *testing.T) {
	evil := "\x1b[2J\x07\u009b31m\u202e\r" + strings.Repeat("x", 20_000)
	text, err := json.Marshal(evil)
	if err != nil {
		t.Fatal(err)
	}
	record := func(value json.RawMessage) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"eventName":"INSERT","dynamodb":{"Keys":{%s:{"S":%[1]s}},"NewImage":{%[1]s:{"S":%[1]s},"n":{"N":%[1]s}},"SequenceNumber":"1"}}`, value))
	}
	var events []*local.Event
	for _, kind := range append(local.EventKinds(), "unheard-of", local.EventLost) {
		events = append(events, tailBatch(kind, 1, func(e *local.Event) {
			e.Error, e.ErrorType, e.ErrorMessage, e.Condition, e.Destination, e.Message, e.Group, e.Shard = evil, evil, evil, evil, evil, evil, evil, evil
			e.Records = []json.RawMessage{record(text), text}
		}))
	}
	events = append(events, tailBatch(local.EventLog, 0, func(e *local.Event) {
		e.Message = fmt.Sprintf(`{"level":%s,"msg":%[1]s,%[1]s:%[1]s,"lines":"a\n\u001b[2J"}`, text)
	}))
	plain := printed(t, tailOptions{}, false, events...)
	if i := strings.IndexFunc(plain, func(r rune) bool { return r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u202e') }); i >= 0 {
		t.Errorf("a control character at %d: %q", i, plain[max(0, i-40):i+10])
	}
	for _, line := range strings.Split(plain, "\n") {
		if len(line) > 4*mostOfMessage {
			t.Errorf("a line of %d bytes: %.80s…", len(line), line)
		}
	}
	colors := strings.NewReplacer(red, "", yellow, "", green, "", "\x1b[0m", "")
	if got := printed(t, tailOptions{}, true, events...); colors.Replace(got) != plain || got == plain {
		t.Error("colours are not all that a terminal gets more")
	}

	// JSON says the same all the same.
	whole := printed(t, tailOptions{json: true}, false, events[0])
	if strings.ContainsAny(whole, "\u009b\u202e\x1b\x07") {
		t.Errorf("a control character in %.200s", whole)
	}
	var got local.Event
	if err := json.Unmarshal([]byte(whole), &got); err != nil {
		t.Fatal(err)
	}
	var again string
	if err := json.Unmarshal(got.Records[1], &again); err != nil || again != evil || got.Error != evil {
		t.Errorf("%v: the event is another one", err)
	}
}

// TestHeldLogs stay bounded, whatever becomes of their invocations.
func TestHeldLogs(t *testing.T) {
	var h heldLogs
	for i := range 2 * mostHeldInvocations {
		for n := range mostHeldLines + 10 {
			message := fmt.Sprint("line ", n)
			if n == 0 {
				message = fmt.Sprintf("START RequestId: %x Version: 1", i)
			}
			h.add(&local.Event{Kind: local.EventLog, LogStream: fmt.Sprint(i % 3), Message: message}, nil)
		}
	}
	if len(h.lines) != mostHeldInvocations || len(h.order) != mostHeldInvocations || len(h.running) != 3 {
		t.Errorf("%d invocations, %d in order, %d log streams", len(h.lines), len(h.order), len(h.running))
	}
	got := h.take(fmt.Sprintf("%x", 2*mostHeldInvocations-1))
	if len(got) != mostHeldLines || got[mostHeldLines-1].event.Message != fmt.Sprint("line ", mostHeldLines+9) {
		t.Errorf("%d lines", len(got))
	}
}
