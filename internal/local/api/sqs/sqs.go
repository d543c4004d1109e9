// Package sqs is the front end of Amazon SQS in the local stack: standard queues over AWS JSON.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
package sqs

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// Target is what stands before the operation in X-Amz-Target.
const Target = "AmazonSQS"

// New gives the front end of one region's queues. endpoint is the stack's URL, which queues' URLs begin with; account is the
// one whose number follows it.
func New(queues *control.Queues, c clock.Clock, endpoint func() string, account string) http.Handler {
	s := service{queues, c, endpoint, account}
	return &wire.JSON{Version: "1.0", Target: Target, QueryErrors: queryErrors, Operations: map[string]wire.Operation{
		"CreateQueue":                operation("CreateQueue", s.createQueue),
		"GetQueueUrl":                operation("GetQueueUrl", s.getQueueURL),
		"GetQueueAttributes":         operation("GetQueueAttributes", s.getQueueAttributes),
		"SetQueueAttributes":         operation("SetQueueAttributes", s.setQueueAttributes),
		"DeleteQueue":                operation("DeleteQueue", s.deleteQueue),
		"ListQueues":                 operation("ListQueues", s.listQueues),
		"ListDeadLetterSourceQueues": operation("ListDeadLetterSourceQueues", s.listDeadLetterSourceQueues),
		"PurgeQueue":                 operation("PurgeQueue", s.purgeQueue),

		"TagQueue":      operation("TagQueue", s.tagQueue),
		"UntagQueue":    operation("UntagQueue", s.untagQueue),
		"ListQueueTags": operation("ListQueueTags", s.listQueueTags),

		"SendMessage":             operation("SendMessage", s.sendMessage),
		"ReceiveMessage":          operation("ReceiveMessage", s.receiveMessage),
		"DeleteMessage":           operation("DeleteMessage", s.deleteMessage),
		"ChangeMessageVisibility": operation("ChangeMessageVisibility", s.changeMessageVisibility),

		"SendMessageBatch":             operation("SendMessageBatch", s.sendMessageBatch),
		"DeleteMessageBatch":           operation("DeleteMessageBatch", s.deleteMessageBatch),
		"ChangeMessageVisibilityBatch": operation("ChangeMessageVisibilityBatch", s.changeMessageVisibilityBatch),
	}}
}

type service struct {
	queues   *control.Queues
	clock    clock.Clock
	endpoint func() string
	account  string
}

// queryErrors are the names that errors had in the Query protocol, which clients still show.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html
var queryErrors = map[string]string{
	"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":   "QueueAlreadyExists",

	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
}

// none is the output of an operation that has none.
type none struct{}

func operation[In, Out any](name string, do func(context.Context, *In) (*Out, error)) wire.Operation {
	return wire.Typed(name, func(ctx context.Context, in *In) (*Out, error) {
		out, err := do(ctx, in)
		var e *control.Error
		if errors.As(err, &e) {
			return nil, wire.Errorf(e.Code, "%s", e.Message)
		}
		return out, err
	})
}

// url gives a queue's URL. Its path is the account and the name, and nothing else.
func (s service) url(name string) string { return s.endpoint() + "/" + s.account + "/" + name }

// name reads a queue's name from its URL, whatever host it names.
func (s service) name(queueURL string) (string, error) {
	u, err := url.Parse(queueURL)
	if err != nil {
		return "", wire.Errorf("InvalidAddress", "The address %s is not valid for this endpoint.", queueURL)
	}
	account, name, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if account != s.account || name == "" {
		return "", wire.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
	}
	return name, nil
}
