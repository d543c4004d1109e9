// Package streamsqs parks records in an Amazon SQS queue.
//
//	stream.On(orders.Name(), Handle, stream.ParkTo(streamsqs.Default(os.Getenv("PARKING_QUEUE"))))
//
// A message's body is the record as Lambda delivered it, in an event of its own and under another eventID, see [stream.Record.Event]: a
// function that is invoked with the body handles the record again. Its message attributes are, as far as they are known, error, eventID,
// eventName, table, sequenceNumber, function and requestId. Who parks twice because Lambda delivers twice sends two messages of the same eventID.
//
// The queue is a standard one. A message has at most 1 MiB, and less where the queue's MaximumMessageSize says so, as it does by default
// in Terraform: 256 KiB. A record with two images can have 800 KB and more. One that is too large fails, so give the queue the 1 MiB.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
//
// The function needs sqs:GetQueueUrl and sqs:SendMessage for the queue and, if a KMS key of your own encrypts it, kms:GenerateDataKey and
// kms:Decrypt for the key.
package streamsqs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"streamgen/runtime/stream"
)

const (
	largestMessage = 1 << 20 // of any queue, body and attributes together
	longestError   = 1 << 10
)

// Client is what a Queue needs of an [sqs.Client].
type Client interface {
	GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error)
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Queue parks records. It is safe for concurrent use.
type Queue struct {
	name    string
	connect func(context.Context) (Client, error)

	turn   chan struct{} // whoever has sent into it has what follows to itself
	client Client        // nil until a record is parked
	url    string
}

var _ stream.Parking = (*Queue)(nil)

// New parks in the queue of this name, in the client's account and region. Its URL is asked for when the first record is parked.
func New(client Client, queue string) *Queue {
	return newQueue(queue, func(context.Context) (Client, error) { return client, nil })
}

// Default parks in the queue of this name, in the account and region of the function. The client is made when the first record is parked,
// so that a function that parks nothing pays nothing for it.
func Default(queue string) *Queue {
	return newQueue(queue, func(ctx context.Context) (Client, error) {
		settings, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, err
		}
		return sqs.NewFromConfig(settings), nil
	})
}

func newQueue(name string, connect func(context.Context) (Client, error)) *Queue {
	return &Queue{name: name, connect: connect, turn: make(chan struct{}, 1)}
}

// Park sends the record to the queue.
func (q *Queue) Park(ctx context.Context, r stream.Record, cause error) error {
	body, attributes := bodyOf(r), attributesOf(ctx, r, cause)
	size := sizeOf(body, attributes)
	if size > largestMessage {
		return fmt.Errorf("the record is too large for a queue: its message has %d bytes, and SQS takes %d", size, largestMessage)
	}
	client, url, err := q.open(ctx)
	if err != nil {
		return fmt.Errorf("find parking queue %q: %w", q.name, err)
	}
	_, err = client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageAttributes: attributes})
	if err != nil {
		// A queue that takes less than others says how much.
		return fmt.Errorf("send %d bytes to parking queue %q: %w", size, q.name, err)
	}
	return nil
}

// open gives the client and the queue's URL. What fails is tried anew for the next record.
func (q *Queue) open(ctx context.Context) (Client, string, error) {
	if q.name == "" {
		return nil, "", errors.New("it has no name")
	}
	select {
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return nil, "", context.Cause(ctx)
	}
	if q.client == nil {
		client, err := q.connect(ctx)
		if err != nil {
			return nil, "", err
		}
		q.client = client
	}
	if q.url == "" {
		found, err := q.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &q.name})
		if err != nil {
			return nil, "", err
		}
		q.url = aws.ToString(found.QueueUrl)
	}
	return q.client, q.url, nil
}

// escapes are for the two characters that JSON may have as they are and SQS may not.
var escapes = strings.NewReplacer("\uFFFE", `\ufffe`, "\uFFFF", `\uffff`)

// bodyOf gives the record's event in characters that SQS takes, with the same meaning.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func bodyOf(r stream.Record) string {
	return escapes.Replace(strings.ToValidUTF8(string(r.Event()), "\uFFFD"))
}

func attributesOf(ctx context.Context, r stream.Record, cause error) map[string]types.MessageAttributeValue {
	attributes := map[string]types.MessageAttributeValue{}
	add := func(name, value string) {
		if value != "" { // which SQS refuses
			attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
		}
	}
	add("error", cut(allowed(cause.Error()), longestError))
	add("eventID", allowed(r.EventID()))
	add("eventName", allowed(string(r.Kind())))
	add("table", allowed(r.Table()))
	add("sequenceNumber", allowed(r.SequenceNumber()))
	add("function", lambdacontext.FunctionName)
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		add("requestId", invocation.AwsRequestID)
	}
	return attributes
}

// allowed puts U+FFFD in the place of what SQS does not take in a text.
func allowed(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r
	}, text)
}

// cut leaves at most n bytes of a text, and no part of a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// sizeOf is what SQS counts of a message.
func sizeOf(body string, attributes map[string]types.MessageAttributeValue) int {
	n := len(body)
	for name, a := range attributes {
		n += len(name) + len(*a.DataType) + len(*a.StringValue)
	}
	return n
}
