package stream_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamgen/runtime/stream"
)

var errDown = errors.New("index is down")

type typedNil struct{ name string }

func (e *typedNil) Error() string { return e.name }

// behave does what an order's id says.
func behave(_ context.Context, c stream.Change[Order]) error {
	switch {
	case strings.HasPrefix(c.Keys.ID, "fail"):
		return errDown
	case strings.HasPrefix(c.Keys.ID, "panic"):
		panic("out of cheese")
	case strings.HasPrefix(c.Keys.ID, "crash"):
		var none *Order
		return errors.New(none.ID)
	case strings.HasPrefix(c.Keys.ID, "typed nil"):
		var err *typedNil
		return err
	}
	return nil
}

func TestResponse(t *testing.T) {
	tests := map[string]struct {
		records     []string
		want        string
		wantHandled []string
	}{
		"no record":     {want: allDone},
		"all succeed":   {records: []string{insertRecord("101", "a"), insertRecord("102", "b")}, want: allDone, wantHandled: []string{"a", "b"}},
		"first fails":   {records: []string{insertRecord("101", "fail"), insertRecord("102", "b")}, want: unfinishedFrom("101"), wantHandled: []string{"fail", "b"}},
		"middle fails":  {records: []string{insertRecord("101", "a"), insertRecord("102", "fail"), insertRecord("103", "c")}, want: unfinishedFrom("102"), wantHandled: []string{"a", "fail", "c"}},
		"last fails":    {records: []string{insertRecord("101", "a"), insertRecord("102", "fail")}, want: unfinishedFrom("102"), wantHandled: []string{"a", "fail"}},
		"two fail":      {records: []string{insertRecord("101", "fail 1"), insertRecord("102", "fail 2")}, want: unfinishedFrom("101"), wantHandled: []string{"fail 1", "fail 2"}},
		"panic":         {records: []string{insertRecord("101", "a"), insertRecord("102", "panic"), insertRecord("103", "c")}, want: unfinishedFrom("102"), wantHandled: []string{"a", "panic", "c"}},
		"runtime error": {records: []string{insertRecord("101", "crash")}, want: unfinishedFrom("101"), wantHandled: []string{"crash"}},
		"typed nil":     {records: []string{insertRecord("101", "typed nil")}, want: unfinishedFrom("101"), wantHandled: []string{"typed nil"}},
		"sequence number as it came": {
			records: []string{insertRecord("0000800000000003126276362000000000000001", "fail")},
			want:    unfinishedFrom("0000800000000003126276362000000000000001"), wantHandled: []string{"fail"},
		},
		"malformed image": {
			records: []string{insertRecord("101", "a"), record("102", "INSERT", `"Keys":{"Id":{"N":"1"}}`), insertRecord("103", "c")},
			want:    unfinishedFrom("102"), wantHandled: []string{"a", "c"},
		},
		"malformed envelope": {
			records: []string{strings.Replace(insertRecord("101", "a"), `"eventName":"INSERT"`, `"eventName":5`, 1)},
			want:    unfinishedFrom("101"),
		},
		"malformed before its sequence number": {
			records: []string{`{"eventName":"INSERT","dynamodb":{"Keys":7,"NewImage":[],"ApproximateCreationDateTime":"x","SequenceNumber":"101"}}`},
			want:    unfinishedFrom("101"),
		},
		"unknown event name": {records: []string{record("101", "TRUNCATE", `"Keys":{"Id":{"S":"a"}}`)}, want: unfinishedFrom("101")},
		"no keys":            {records: []string{record("101", "INSERT", `"NewImage":{"Id":{"S":"a"}}`)}, want: unfinishedFrom("101")},
		"failing record after a nameless one is never reached": {
			records: []string{insertRecord("101", "fail"), `{}`}, want: unfinishedFrom("101"), wantHandled: []string{"fail"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var handled []string
			h := stream.Handler(func(ctx context.Context, c stream.Change[Order]) error {
				handled = append(handled, c.Keys.ID)
				return behave(ctx, c)
			})
			got, err := h.Invoke(t.Context(), event(test.records...))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("response %s, want %s", got, test.want)
			}
			if !slices.Equal(handled, test.wantHandled) {
				t.Errorf("handled %q, want %q", handled, test.wantHandled)
			}
		})
	}
}

func TestInvocationError(t *testing.T) {
	tests := map[string]struct {
		payload string
		want    string
	}{
		"empty":              {payload: ``, want: "decode the event"},
		"not JSON":           {payload: `Records`, want: "decode the event"},
		"cut off":            {payload: `{"Records":[`, want: "decode the event"},
		"not an object":      {payload: `[]`, want: "decode the event"},
		"null":               {payload: `null`, want: "has no Records"},
		"other event":        {payload: `{"detail-type":"Scheduled Event"}`, want: "has no Records"},
		"records null":       {payload: `{"Records":null}`, want: "has no Records"},
		"records no list":    {payload: `{"Records":{}}`, want: "decode the event"},
		"tumbling window":    {payload: `{"Records":[],"window":{"start":"2020-07-30T17:00:00Z","end":"2020-07-30T17:05:00Z"},"state":{}}`, want: "tumbling window"},
		"queue message":      {payload: `{"Records":[{"messageId":"1","body":"x","eventSource":"aws:sqs"}]}`, want: `record 1 of 1 failed and has no SequenceNumber to report it by: the record has no "dynamodb" member`},
		"record null":        {payload: `{"Records":[null]}`, want: `no "dynamodb" member`},
		"record no object":   {payload: `{"Records":["x"]}`, want: "decode record"},
		"no sequence number": {payload: `{"Records":[` + insertRecord("101", "a") + `,{"eventName":"INSERT","dynamodb":{"Keys":{}}}]}`, want: "record 2 of 2 failed"},
		"sequence number a JSON number": {
			payload: `{"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":101}}]}`, want: "record 1 of 1 failed",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			response, err := stream.Handler(behave).Invoke(t.Context(), []byte(test.payload))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("response %s, error %v; want an error with %q", response, err, test.want)
			}
		})
	}
}

func TestFailureIsLogged(t *testing.T) {
	tests := map[string]struct {
		record    string
		wantError string
		wantStack string
	}{
		"error":     {record: insertRecord("101", "fail"), wantError: "index is down"},
		"panic":     {record: insertRecord("101", "panic"), wantError: "panic: out of cheese", wantStack: "stream_test.behave"},
		"malformed": {record: record("101", "INSERT", `"Keys":{"Id":{"S":"a"}},"NewImage":{"Id":{"N":"53cr3t"}}`), wantError: `decode NewImage: attribute "Id": want type S, have N`},
		"number":    {record: record("101", "INSERT", `"Keys":{"Id":{"S":"a"}},"NewImage":{"Total":{"N":53537}}`), wantError: `decode NewImage: attribute "Total": decode type N: not a JSON string`},
		"no keys":   {record: record("101", "INSERT", `"NewImage":{"Id":{"S":"a"}}`), wantError: "the record has no Keys"},
		"binary":    {record: record("101", "INSERT", `"Keys":{"Id":{"S":"a"}},"NewImage":{"Receipt":{"B":"53cr3t"}}`), wantError: `decode NewImage: attribute "Receipt": decode type B: illegal base64 data at input byte 4`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			log := captureLog(t)
			if _, err := stream.Handler(behave).Invoke(t.Context(), event(test.record)); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(log.String(), "53cr3t") || strings.Contains(log.String(), "53537") {
				t.Errorf("an attribute's value is in the log: %s", log)
			}
			lines := logLines(t, log.Bytes())
			if len(lines) != 1 {
				t.Fatalf("%d log lines, want 1: %s", len(lines), log)
			}
			for key, want := range map[string]string{
				"level": "ERROR", "msg": "stream record failed", "eventID": "event-101", "eventName": "INSERT", "sequenceNumber": "101", "error": test.wantError,
			} {
				if lines[0][key] != want {
					t.Errorf("%s is %q, want %q", key, lines[0][key], want)
				}
			}
			stack, _ := lines[0]["stack"].(string)
			if !strings.Contains(stack, test.wantStack) || (stack == "") != (test.wantStack == "") {
				t.Errorf("stack is %q, want one with %q", stack, test.wantStack)
			}
		})
	}
}

func TestSuccessLogsNothing(t *testing.T) {
	log := captureLog(t)
	if _, err := stream.Handler(behave).Invoke(t.Context(), event(insertRecord("101", "a"))); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("logged %s", log)
	}
}

func TestContextDoneBetweenRecords(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var handled []string
	h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		handled = append(handled, c.Keys.ID)
		if c.Keys.ID == "b" {
			cancel()
		}
		return nil
	})
	got, err := h.Invoke(ctx, event(insertRecord("101", "a"), insertRecord("102", "b"), insertRecord("103", "c"), insertRecord("104", "d")))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != unfinishedFrom("103") {
		t.Errorf("response %s, want 103 and all after it unfinished", got)
	}
	if !slices.Equal(handled, []string{"a", "b"}) {
		t.Errorf("handled %q, want a and b", handled)
	}
}

func TestDeadline(t *testing.T) {
	records := []string{insertRecord("101", "a"), insertRecord("102", "b"), insertRecord("103", "c"), insertRecord("104", "d"), insertRecord("105", "e")}
	tests := map[string]struct {
		timeout time.Duration
		handle  func(context.Context, stream.Change[Order]) error
		want    string
	}{
		"time enough": {
			timeout: 10 * time.Second,
			handle:  func(context.Context, stream.Change[Order]) error { time.Sleep(time.Second); return nil },
			want:    allDone,
		},
		"no record starts within the reserve": {
			// Records start at 0, 1 and 2 s.
			timeout: 3*time.Second + stream.DefaultReserve/2,
			handle:  func(context.Context, stream.Change[Order]) error { time.Sleep(time.Second); return nil },
			want:    unfinishedFrom("104"),
		},
		"a handler that waits is told in time to report": {
			timeout: time.Second,
			handle:  func(ctx context.Context, _ stream.Change[Order]) error { <-ctx.Done(); return ctx.Err() },
			want:    unfinishedFrom("101"),
		},
		"a record that was finished late is finished": {
			timeout: time.Second,
			handle:  func(ctx context.Context, _ stream.Change[Order]) error { <-ctx.Done(); return nil },
			want:    unfinishedFrom("102"),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
				defer cancel()
				got, err := stream.Handler(test.handle).Invoke(ctx, event(records...))
				if err != nil {
					t.Fatal(err)
				}
				if ctx.Err() != nil {
					t.Error("the invocation outlasted its deadline")
				}
				if string(got) != test.want {
					t.Errorf("response %s, want %s", got, test.want)
				}
			})
		})
	}
}

func TestNoDeadlineIsNone(t *testing.T) {
	h := stream.Handler(func(ctx context.Context, _ stream.Change[Order]) error {
		if _, ok := ctx.Deadline(); ok {
			return errors.New("deadline from nowhere")
		}
		return nil
	})
	got, err := h.Invoke(context.Background(), event(insertRecord("101", "a")))
	if err != nil || string(got) != allDone {
		t.Errorf("response %s, error %v", got, err)
	}
}

func TestContextReachesHandler(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "value")
	h := stream.Handler(func(ctx context.Context, _ stream.Change[Order]) error {
		if ctx.Value(key{}) != "value" {
			return errors.New("lost the context")
		}
		return nil
	})
	if got, err := h.Invoke(ctx, event(insertRecord("101", "a"))); err != nil || string(got) != allDone {
		t.Errorf("response %s, error %v", got, err)
	}
}
