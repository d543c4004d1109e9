// Package sns is the front end of Amazon SNS in the local stack: standard topics and their subscriptions, over the Query protocol.
//
// https://docs.aws.amazon.com/sns/latest/api/API_Operations.html
package sns

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

// The names of SNS on the wire.
const (
	Namespace = "http://sns.amazonaws.com/doc/2010-03-31/"
	Version   = "2010-03-31"
)

const codeInvalidValue = "ParameterValueInvalid"

var (
	topicName     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]([A-Za-z0-9_.-]{0,254}[A-Za-z0-9_-])?$`)
	queueARN      = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?$`)
)

// New gives the front end of one region's topics of an account.
func New(topics *control.Topics, account string, policies control.ResourcePolicies) http.Handler {
	s := service{topics, account, policies}
	return &wire.Query{Namespace: Namespace, Version: Version, Operations: map[string]wire.QueryOperation{
		"CreateTopic":        operation(s.createTopic, "Name", "Attributes", "Tags"),
		"DeleteTopic":        operation(s.deleteTopic, "TopicArn"),
		"GetTopicAttributes": operation(s.getTopicAttributes, "TopicArn"),
		"SetTopicAttributes": operation(s.setTopicAttributes, "TopicArn", "AttributeName", "AttributeValue"),
		"ListTopics":         operation(s.listTopics, "NextToken"),

		"TagResource":         operation(s.tagResource, "ResourceArn", "Tags"),
		"UntagResource":       operation(s.untagResource, "ResourceArn", "TagKeys"),
		"ListTagsForResource": operation(s.listTagsForResource, "ResourceArn"),

		"Subscribe":                 operation(s.subscribe, "TopicArn", "Protocol", "Endpoint", "Attributes", "ReturnSubscriptionArn"),
		"Unsubscribe":               operation(s.unsubscribe, "SubscriptionArn"),
		"GetSubscriptionAttributes": operation(s.getSubscriptionAttributes, "SubscriptionArn"),
		"SetSubscriptionAttributes": operation(s.setSubscriptionAttributes, "SubscriptionArn", "AttributeName", "AttributeValue"),
		"ListSubscriptions":         operation(s.listSubscriptions, "NextToken"),
		"ListSubscriptionsByTopic":  operation(s.listSubscriptions, "TopicArn", "NextToken"),

		"Publish":      operation(s.publish, "TopicArn", "TargetArn", "Message", "Subject", "MessageStructure", "MessageAttributes"),
		"PublishBatch": operation(s.publishBatch, "TopicArn", "PublishBatchRequestEntries"),
	}}
}

type service struct {
	topics   *control.Topics
	account  string
	policies control.ResourcePolicies
}

// operation gives the registry's errors their status.
func operation(do func(url.Values) (any, error), parameters ...string) wire.QueryOperation {
	return wire.QueryOperation{Parameters: parameters, Do: func(_ context.Context, form url.Values) (any, error) {
		out, err := do(form)
		var e *control.Error
		if !errors.As(err, &e) {
			return out, err
		}
		status := http.StatusBadRequest
		if e.Code == "NotFound" || e.Code == "ResourceNotFound" {
			status = http.StatusNotFound
		}
		return nil, wire.StatusErrorf(status, e.Code, "%s", e.Message)
	}}
}
