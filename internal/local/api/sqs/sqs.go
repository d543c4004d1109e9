// Package sqs is the front end of Amazon SQS in the local stack: standard queues over AWS JSON.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html
package sqs

import (
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
func New(queues *control.Queues, c clock.Clock, endpoint func() string, account string, policies control.ResourcePolicies) http.Handler {
	s := service{queues, c, endpoint, account, policies}
	return &wire.JSON{Version: "1.0", Target: Target, QueryErrors: QueryErrors, Operations: map[string]wire.Operation{
		"CreateQueue":                wire.Typed("CreateQueue", s.createQueue),
		"GetQueueUrl":                wire.Typed("GetQueueUrl", s.getQueueURL),
		"GetQueueAttributes":         wire.Typed("GetQueueAttributes", s.getQueueAttributes),
		"SetQueueAttributes":         wire.Typed("SetQueueAttributes", s.setQueueAttributes),
		"DeleteQueue":                wire.Typed("DeleteQueue", s.deleteQueue),
		"ListQueues":                 wire.Typed("ListQueues", s.listQueues),
		"ListDeadLetterSourceQueues": wire.Typed("ListDeadLetterSourceQueues", s.listDeadLetterSourceQueues),
		"PurgeQueue":                 wire.Typed("PurgeQueue", s.purgeQueue),

		"TagQueue":      wire.Typed("TagQueue", s.tagQueue),
		"UntagQueue":    wire.Typed("UntagQueue", s.untagQueue),
		"ListQueueTags": wire.Typed("ListQueueTags", s.listQueueTags),

		"SendMessage":             wire.Typed("SendMessage", s.sendMessage),
		"ReceiveMessage":          wire.Typed("ReceiveMessage", s.receiveMessage),
		"DeleteMessage":           wire.Typed("DeleteMessage", s.deleteMessage),
		"ChangeMessageVisibility": wire.Typed("ChangeMessageVisibility", s.changeMessageVisibility),

		"SendMessageBatch":             wire.Typed("SendMessageBatch", s.sendMessageBatch),
		"DeleteMessageBatch":           wire.Typed("DeleteMessageBatch", s.deleteMessageBatch),
		"ChangeMessageVisibilityBatch": wire.Typed("ChangeMessageVisibilityBatch", s.changeMessageVisibilityBatch),
	}}
}

type service struct {
	queues   *control.Queues
	clock    clock.Clock
	endpoint func() string
	account  string
	policies control.ResourcePolicies
}

// QueryErrors are the names that errors had in the Query protocol, which clients still show.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html
var QueryErrors = map[string]string{
	"QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
	"QueueNameExists":   "QueueAlreadyExists",
	"AccessDenied":      "AccessDenied",
	"KmsAccessDenied":   "KMS.AccessDeniedException",

	"BatchEntryIdsNotDistinct":     "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
	"BatchRequestTooLong":          "AWS.SimpleQueueService.BatchRequestTooLong",
	"EmptyBatchRequest":            "AWS.SimpleQueueService.EmptyBatchRequest",
	"InvalidBatchEntryId":          "AWS.SimpleQueueService.InvalidBatchEntryId",
	"TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
}

// none is the output of an operation that has none.
type none struct{}

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
