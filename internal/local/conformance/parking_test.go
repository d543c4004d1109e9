package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"streamgen/runtime/stream"
	"streamgen/runtime/streamsqs"
	"streamgen/runtime/streamtest"
)

type note struct{ ID, Text string }

func (n *note) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			n.ID = d.String()
		case "Text":
			n.Text = d.String()
		}
	}
}

func (n *note) MarshalImage(e *stream.Encoder) {
	e.Attr("Id")
	e.String(n.ID)
	e.Attr("Text")
	e.String(n.Text)
}

func (*note) KeyNames() []string { return []string{"Id"} }

// useDefaults has the SDK's default configuration be that of the tests' clients, but for the endpoint.
func useDefaults(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "", "AWS_REGION": "us-east-1", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

func newQueue(t *testing.T, c *sqs.Client, name string, attributes map[string]string) string {
	t.Helper()
	made, err := c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	must(t, err)
	t.Cleanup(func() { _, _ = c.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl}) })
	return *made.QueueUrl
}

// receiveAll takes n messages from a queue.
func receiveAll(t *testing.T, c *sqs.Client, url string, n int) []sqstypes.Message {
	t.Helper()
	var all []sqstypes.Message
	eventually(t, fmt.Sprintf("%d messages are there", n), func() bool {
		got, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
			MessageAttributeNames: []string{"All"}})
		must(t, err)
		all = append(all, got.Messages...)
		return len(all) >= n
	})
	return all
}

func textsOf(attributes map[string]sqstypes.MessageAttributeValue) map[string]string {
	texts := map[string]string{}
	for name, a := range attributes {
		texts[name] = aws.ToString(a.StringValue)
	}
	return texts
}

// TestParking has eight lanes park their changes, whose messages make the same changes again.
func TestParking(t *testing.T) {
	url := endpoint(t)
	c, name := sqs.NewFromConfig(config(url)), *unique("parked")
	queue := newQueue(t, c, name, nil)

	var seen []string
	look := stream.Handler(func(_ context.Context, c stream.Change[note]) error {
		seen = append(seen, fmt.Sprint(c.Kind, " ", *c.New))
		return nil
	})
	var records []streamtest.Record
	var want []string
	for i := range 24 {
		n := &note{fmt.Sprint(i % 12), fmt.Sprintf("%d é𝛼 \uFFFE\uFFFF \x00\x1b \"", i)}
		records = append(records, streamtest.Modify(&note{n.ID, ""}, n))
		records[i].Table = "notes"
		want = append(want, fmt.Sprint(stream.Modify, " ", *n))
	}
	h := stream.Handler(func(_ context.Context, c stream.Change[note]) error {
		return stream.Park(errors.New("refused \x00" + c.New.Text))
	}, stream.MaxConcurrency(8), stream.ParkTo(streamsqs.New(c, name)))
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
	payload, err := streamtest.Event(records...)
	must(t, err)
	response, err := h.Invoke(ctx, payload)
	must(t, err)
	if string(response) != `{"batchItemFailures":[]}` {
		t.Errorf("response %s", response)
	}
	for _, m := range receiveAll(t, c, queue, len(records)) {
		got := textsOf(m.MessageAttributes)
		if got["table"] != "notes" || got["eventName"] != "MODIFY" || got["requestId"] != "r-1" || got["eventID"] == "" ||
			!strings.Contains(*m.Body, `"SequenceNumber":"`+got["sequenceNumber"]+`"`) || !strings.HasPrefix(got["error"], "refused \uFFFD") || len(got) != 6 {
			t.Errorf("attributes %q", got)
		}
		_, err := look.Invoke(t.Context(), []byte(*m.Body))
		must(t, err)
	}
	slices.Sort(seen)
	slices.Sort(want)
	if d := cmp.Diff(want, seen); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
}

// TestDefaultParking has no configuration, then no queue, then a queue that is too small, and in the end one that takes the record.
func TestDefaultParking(t *testing.T) {
	url := endpoint(t)
	c, name := sqs.NewFromConfig(config(url)), *unique("parked")
	useDefaults(t)
	t.Setenv("AWS_ENDPOINT_URL", url)
	t.Setenv("AWS_PROFILE", "nobody")
	var failure error
	parking := streamsqs.Default(name)
	h := stream.Handler(func(context.Context, stream.Change[note]) error { return stream.Park(errors.New("refused")) },
		stream.ParkTo(parkingFunc(func(ctx context.Context, r stream.Record, cause error) error {
			failure = parking.Park(ctx, r, cause)
			return failure
		})))
	record := streamtest.Insert(&note{"1", strings.Repeat("x", 4000)})
	try := func() error {
		failure = nil
		streamtest.Invoke(t, h, record)
		return failure
	}
	if err := try(); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("error %v", err)
	}
	t.Setenv("AWS_PROFILE", "")
	wantCode(t, try(), "AWS.SimpleQueueService.NonExistentQueue", "does not exist")
	queue := newQueue(t, c, name, map[string]string{"MaximumMessageSize": "4096"})
	err := try()
	wantCode(t, err, "InvalidParameterValue", "Message must be shorter than 4096 bytes.")
	if !strings.Contains(fmt.Sprint(err), "send 4") {
		t.Errorf("error %v", err)
	}
	_, err = c.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &queue, Attributes: map[string]string{"MaximumMessageSize": "1048576"}})
	must(t, err)
	must(t, try())
	receiveAll(t, c, queue, 1)
}

type parkingFunc func(context.Context, stream.Record, error) error

func (f parkingFunc) Park(ctx context.Context, r stream.Record, cause error) error {
	return f(ctx, r, cause)
}

func TestMessageAttributes(t *testing.T) {
	c, ctx := sqs.NewFromConfig(config(endpoint(t))), t.Context()
	url := newQueue(t, c, *unique("queue"), map[string]string{"VisibilityTimeout": "0", "MaximumMessageSize": "1024"})
	text := func(value string) sqstypes.MessageAttributeValue {
		return sqstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	attributes := map[string]sqstypes.MessageAttributeValue{"Help.Me": text("Me"), "Hello": text("There"), "General": text("Kenobi")}
	sent, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("msg"), MessageAttributes: attributes})
	must(t, err)
	if got := aws.ToString(sent.MD5OfMessageAttributes); got != "4c360f3fdafd970e05fae2f149d997f5" {
		t.Errorf("MD5 %s", got)
	}
	for _, test := range []struct{ names, want []string }{
		{nil, nil},
		{[]string{"All"}, []string{"General", "Hello", "Help.Me"}},
		{[]string{".*"}, []string{"General", "Hello", "Help.Me"}},
		{[]string{"Hel.*", "nothing"}, []string{"Hello", "Help.Me"}},
		{[]string{"Hello", "Help"}, []string{"Hello"}},
	} {
		got, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &url, MessageAttributeNames: test.names})
		must(t, err)
		if len(got.Messages) != 1 {
			t.Fatalf("%d messages", len(got.Messages))
		}
		want := map[string]string{}
		for _, name := range test.want {
			want[name] = *attributes[name].StringValue
		}
		if d := cmp.Diff(want, textsOf(got.Messages[0].MessageAttributes)); d != "" {
			t.Errorf("%v (-want +got):\n%s", test.names, d)
		}
		if sum := got.Messages[0].MD5OfMessageAttributes; (sum == nil) != (len(want) == 0) {
			t.Errorf("%v: MD5 %v", test.names, sum)
		}
	}
	_, err = c.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &url})
	must(t, err)
	binary := sqstypes.MessageAttributeValue{DataType: aws.String("Binary.gz"), BinaryValue: []byte{0, 255}}
	number := sqstypes.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("-1.5e3")}
	_, err = c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("msg"), MessageAttributes: map[string]sqstypes.MessageAttributeValue{"b": binary, "n": number}})
	must(t, err)
	got := receiveAll(t, c, url, 1)[0].MessageAttributes
	if !slices.Equal(got["b"].BinaryValue, binary.BinaryValue) || aws.ToString(got["b"].DataType) != "Binary.gz" || aws.ToString(got["n"].StringValue) != "-1.5e3" || got["b"].StringValue != nil {
		t.Errorf("attributes %+v", got)
	}

	eleven := map[string]sqstypes.MessageAttributeValue{}
	for i := range 11 {
		eleven[fmt.Sprint("a", i)] = text("x")
	}
	one := func(name string, a sqstypes.MessageAttributeValue) map[string]sqstypes.MessageAttributeValue {
		return map[string]sqstypes.MessageAttributeValue{name: a}
	}
	for message, attributes := range map[string]map[string]sqstypes.MessageAttributeValue{
		"Number of message attributes [11] exceeds the allowed maximum [10].":             eleven,
		"Message (user) attribute 'k' must contain a non-empty value of type 'String'.":   one("k", text("")),
		"Message (user) attribute 'k' must contain a non-empty value of type 'Binary'.":   one("k", sqstypes.MessageAttributeValue{DataType: aws.String("Binary"), StringValue: aws.String("x")}),
		"has a value of another type than 'String'":                                       one("k", sqstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x"), BinaryValue: []byte("x")}),
		"Can't cast the value of message (user) attribute 'k' to a number.":               one("k", sqstypes.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("one")}),
		"The type of message (user) attribute 'k' is invalid.":                            one("k", sqstypes.MessageAttributeValue{DataType: aws.String("Strings"), StringValue: aws.String("x")}),
		"types must be shorter than 256 Bytes":                                            one("k", sqstypes.MessageAttributeValue{DataType: aws.String("String." + strings.Repeat("x", 249)), StringValue: aws.String("x")}),
		"names must be shorter than 256 Bytes":                                            one(strings.Repeat("x", 256), text("x")),
		"can only contain":                                                                one("k k", text("x")),
		"These strings are reserved":                                                      one("aws.k", text("x")),
		"they cannot start or end with '.'":                                               one("k.", text("x")),
		"Message (user) attribute 'k' contains characters outside the allowed set.":       one("k", text("\x1b")),
		"One or more parameters are invalid. Reason: Message must be shorter than 1024 b": one("k", text(strings.Repeat("x", 1024-len("msg")-len("k")-len("String")+1))),
	} {
		_, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("msg"), MessageAttributes: attributes})
		wantCode(t, err, "InvalidParameterValue", message)
	}
	_, err = c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("a\uFFFF")})
	wantCode(t, err, "InvalidMessageContents", "outside the allowed set")
	_, err = c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("msg"),
		MessageAttributes: one("k", text(strings.Repeat("x", 1024-len("msg")-len("k")-len("String"))))})
	must(t, err)
}
