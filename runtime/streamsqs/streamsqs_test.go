package streamsqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamsqs"
	"streamgen/runtime/streamtest"
)

type order struct{ ID, Note string }

func (o *order) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			o.ID = d.String()
		case "Note":
			o.Note = d.String()
		}
	}
}

func (o *order) MarshalImage(e *stream.Encoder) {
	e.Attr("Id")
	e.String(o.ID)
	e.Attr("Note")
	e.String(o.Note)
}

func (*order) KeyNames() []string { return []string{"Id"} }

// Where a change goes whose handling fails for good.
func Example() {
	refused := errors.New("no such address")
	handle := func(context.Context, stream.Change[order]) error { return stream.Park(refused) }
	stream.Serve(stream.On("orders", handle, stream.ParkTo(streamsqs.Default(os.Getenv("PARKING_QUEUE")))))
}

// record gives the first record of an event as package stream sees it.
func record(t testing.TB, event []byte) stream.Record {
	t.Helper()
	var all []stream.Record
	h := stream.Handler(func(context.Context, stream.Change[order]) error { return nil },
		stream.Where(func(r stream.Record) bool { all = append(all, r); return false }))
	if _, err := h.Invoke(t.Context(), event); err != nil || len(all) == 0 {
		t.Fatalf("%d records in %q, %v", len(all), event, err)
	}
	return all[0]
}

func inserted(t testing.TB, o *order) stream.Record {
	t.Helper()
	event, err := streamtest.Event(streamtest.Insert(o))
	if err != nil {
		t.Fatal(err)
	}
	return record(t, event)
}

// client is an SQS of one queue.
type client struct {
	mu           sync.Mutex
	lookups      int
	sent         []*sqs.SendMessageInput
	lookup, send error
	hold         chan struct{} // a look-up waits for it
}

func (c *client) GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lookups++
	if c.lookup != nil {
		return nil, c.lookup
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String("https://sqs.example/1/" + *in.QueueName)}, nil
}

func (c *client) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.send != nil {
		return nil, c.send
	}
	c.sent = append(c.sent, in)
	return &sqs.SendMessageOutput{}, nil
}

// attributes are those of the last message.
func (c *client) attributes(t *testing.T) map[string]string {
	t.Helper()
	if len(c.sent) == 0 {
		t.Fatal("nothing was sent")
	}
	all := map[string]string{}
	for name, a := range c.sent[len(c.sent)-1].MessageAttributes {
		if *a.DataType != "String" {
			t.Errorf("%s is a %s", name, *a.DataType)
		}
		all[name] = *a.StringValue
	}
	return all
}

func TestMessage(t *testing.T) {
	c := &client{}
	q := streamsqs.New(c, "parked")
	defer func(name string) { lambdacontext.FunctionName = name }(lambdacontext.FunctionName)
	lambdacontext.FunctionName = "ship"
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	change := streamtest.Modify(&order{"o-1", "a"}, &order{"o-1", "b"})
	change.Table = "orders"
	event, err := streamtest.Event(change)
	if err != nil {
		t.Fatal(err)
	}
	r := record(t, event)
	if err := q.Park(ctx, r, errors.New("no such address")); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"error": "no such address", "eventID": r.EventID(), "eventName": "MODIFY", "table": "orders", "sequenceNumber": r.SequenceNumber(),
		"function": "ship", "requestId": "request-1",
	}
	if got := c.attributes(t); !maps.Equal(got, want) {
		t.Errorf("attributes %q, want %q", got, want)
	}
	sent := c.sent[0]
	if *sent.QueueUrl != "https://sqs.example/1/parked" || *sent.MessageBody != string(r.Event()) {
		t.Errorf("sent %q to %s", *sent.MessageBody, *sent.QueueUrl)
	}
	// The body makes the same change.
	if again := record(t, []byte(*sent.MessageBody)); again.EventID() != r.EventID()+"-again" || again.DynamoDB() != r.DynamoDB() {
		t.Errorf("the body has record %s %s", again.EventID(), again.DynamoDB())
	}
}

// What a record does not say is not sent: SQS refuses an attribute without a value.
func TestEmptyAttributes(t *testing.T) {
	c := &client{}
	r := record(t, []byte(`{"Records":[{"dynamodb":{"SequenceNumber":"7","Keys":{"Id":{"S":"1"}}}}]}`))
	if err := streamsqs.New(c, "parked").Park(t.Context(), r, errors.New("")); err != nil {
		t.Fatal(err)
	}
	if got := c.attributes(t); !maps.Equal(got, map[string]string{"sequenceNumber": "7"}) {
		t.Errorf("attributes %q", got)
	}
}

func TestErrorText(t *testing.T) {
	c := &client{}
	q, r := streamsqs.New(c, "parked"), inserted(t, &order{ID: "1"})
	for text, want := range map[string]string{
		"two\nlines\tand\r\n":                 "two\nlines\tand\r\n",
		"\x1b[31mred\x00":                     "\uFFFD[31mred\uFFFD",
		"cut off \xe2\x82":                    "cut off \uFFFD\uFFFD",
		"\uFFFE\uFFFF\uFFFD\U0001FFFE é \x7f": "\uFFFD\uFFFD\uFFFD\U0001FFFE é \x7f",
		strings.Repeat("x", 1024):             strings.Repeat("x", 1024),
		strings.Repeat("x", 1025):             strings.Repeat("x", 1024),
		strings.Repeat("x", 1023) + "é":       strings.Repeat("x", 1023),
		strings.Repeat("x", 1021) + "𝛼y":      strings.Repeat("x", 1021),
		strings.Repeat("\x00", 1024):          strings.Repeat("\uFFFD", 341),
	} {
		if err := q.Park(t.Context(), r, errors.New(text)); err != nil {
			t.Fatal(err)
		}
		if got := c.attributes(t)["error"]; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// taken says that SQS takes a text as it is.
func taken(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF
	})
}

// FuzzBody sends any string of an image, also as Lambda would not write it: SQS takes the body, and it means the same.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{"plain", "\uFFFE\uFFFF", "\xff", "\xed\xa0\x80", `\ud800 \uffff \u0000`, "é𝛼\x7f", `a\"b`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		event := `{"Records":[{"eventID":"e","eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":{"Id":{"S":"` + text + `"}}}}]}`
		if !json.Valid([]byte(event)) {
			t.Skip()
		}
		r := record(t, []byte(event))
		c := &client{}
		if err := streamsqs.New(c, "parked").Park(t.Context(), r, errors.New(text)); err != nil {
			t.Fatal(err)
		}
		body := *c.sent[0].MessageBody
		if !taken(body) {
			t.Errorf("SQS does not take %q", body)
		}
		for name, value := range c.attributes(t) {
			if !taken(value) || value == "" || len(value) > 1024 {
				t.Errorf("SQS does not take %s %q", name, value)
			}
		}
		if !utf8.ValidString(text) {
			return
		}
		var want, got any
		if err := json.Unmarshal([]byte(r.Event()), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%q became %q: %v", r.Event(), body, err)
		}
	})
}

func TestURLIsAskedForOnce(t *testing.T) {
	c := &client{}
	q, r := streamsqs.New(c, "parked"), inserted(t, &order{ID: "1"})
	var parks sync.WaitGroup
	for range 8 {
		parks.Go(func() {
			if err := q.Park(t.Context(), r, errors.New("x")); err != nil {
				t.Error(err)
			}
		})
	}
	parks.Wait()
	if c.lookups != 1 || len(c.sent) != 8 {
		t.Errorf("%d look-ups, %d messages", c.lookups, len(c.sent))
	}
}

func TestFailures(t *testing.T) {
	down := errors.New("SQS is down")
	c := &client{lookup: down}
	q, r := streamsqs.New(c, "parked"), inserted(t, &order{ID: "1"})
	park := func() error { return q.Park(t.Context(), r, errors.New("x")) }
	if err := park(); !errors.Is(err, down) || !strings.Contains(err.Error(), `find parking queue "parked"`) {
		t.Errorf("error %v", err)
	}
	// The queue is looked for again.
	c.lookup, c.send = nil, down
	if err := park(); !errors.Is(err, down) || !strings.Contains(err.Error(), `bytes to parking queue "parked"`) {
		t.Errorf("error %v", err)
	}
	c.send = nil
	if err := park(); err != nil {
		t.Error(err)
	}
	if c.lookups != 2 || len(c.sent) != 1 {
		t.Errorf("%d look-ups, %d messages", c.lookups, len(c.sent))
	}
	if err := streamsqs.Default("").Park(t.Context(), r, errors.New("x")); err == nil || !strings.Contains(err.Error(), "it has no name") {
		t.Errorf("error %v", err)
	}
}

func TestTooLarge(t *testing.T) {
	c := &client{}
	q := streamsqs.New(c, "parked")
	size := func(note int) int {
		r := inserted(t, &order{"1", strings.Repeat("x", note)})
		if err := q.Park(t.Context(), r, errors.New("x")); err != nil {
			if !strings.Contains(err.Error(), "too large for a queue: its message has 1048577 bytes, and SQS takes 1048576") {
				t.Errorf("error %v", err)
			}
			return 0
		}
		last := c.sent[len(c.sent)-1]
		n := len(*last.MessageBody)
		for name, a := range last.MessageAttributes {
			n += len(name) + len("String") + len(*a.StringValue)
		}
		return n
	}
	// The event says the size of its images: as many digits must be there before.
	const before = 1_000_000
	most := before + 1<<20 - size(before)
	if got := size(most); got != 1<<20 {
		t.Errorf("the largest message has %d bytes", got)
	}
	if got := size(most + 1); got != 0 {
		t.Errorf("a message of %d bytes was sent", got)
	}
}

// Who waits for another's look-up waits no longer than its own time.
func TestContext(t *testing.T) {
	r := inserted(t, &order{ID: "1"})
	synctest.Test(t, func(t *testing.T) {
		c := &client{hold: make(chan struct{})}
		q := streamsqs.New(c, "parked")
		first := make(chan error, 1)
		go func() { first <- q.Park(context.Background(), r, errors.New("x")) }()
		synctest.Wait() // it looks
		ctx, cancel := context.WithCancel(context.Background())
		second := make(chan error, 1)
		go func() { second <- q.Park(ctx, r, errors.New("x")) }()
		synctest.Wait() // it waits for the first
		cancel()
		if err := <-second; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		close(c.hold)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if len(c.sent) != 1 {
			t.Errorf("%d messages", len(c.sent))
		}
	})
}
