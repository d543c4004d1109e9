package local

import (
	"net/url"
	"strings"
)

// sqsRows are what the operations of SQS need. A batch needs what one of its messages does.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
var sqsRows = map[string]row{
	"CreateQueue":                  onQueue("CreateQueue"),
	"GetQueueUrl":                  onQueue("GetQueueUrl"),
	"GetQueueAttributes":           onQueue("GetQueueAttributes"),
	"SetQueueAttributes":           onQueue("SetQueueAttributes"),
	"DeleteQueue":                  onQueue("DeleteQueue"),
	"PurgeQueue":                   onQueue("PurgeQueue"),
	"ListQueues":                   onQueue("ListQueues"),
	"ListDeadLetterSourceQueues":   onQueue("ListDeadLetterSourceQueues"),
	"TagQueue":                     onQueue("TagQueue"),
	"UntagQueue":                   onQueue("UntagQueue"),
	"ListQueueTags":                onQueue("ListQueueTags"),
	"AddPermission":                onQueue("AddPermission"),
	"RemovePermission":             onQueue("RemovePermission"),
	"SendMessage":                  withKeys(onQueue("SendMessage"), queueKeys(sending...)),
	"SendMessageBatch":             withKeys(onQueue("SendMessage"), queueKeys(sending...)),
	"ReceiveMessage":               withKeys(onQueue("ReceiveMessage"), queueKeys("Decrypt")),
	"DeleteMessage":                onQueue("DeleteMessage"),
	"DeleteMessageBatch":           onQueue("DeleteMessage"),
	"ChangeMessageVisibility":      onQueue("ChangeMessageVisibility"),
	"ChangeMessageVisibilityBatch": onQueue("ChangeMessageVisibility"),
	"StartMessageMoveTask":         onQueue("StartMessageMoveTask"),
	"CancelMessageMoveTask":        onQueue("CancelMessageMoveTask"),
	"ListMessageMoveTasks":         onQueue("ListMessageMoveTasks"),
}

func onQueue(action string) row {
	return func(c *roleCall) ([]need, error) {
		var in struct {
			QueueUrl, QueueName, SourceArn string
			Tags                           map[string]string `json:"tags"`
		}
		if err := c.decode(&in); err != nil {
			return nil, err
		}
		arn := in.SourceArn
		if arn == "" {
			name := in.QueueName
			if u, err := url.Parse(in.QueueUrl); in.QueueUrl != "" && err == nil {
				name = u.Path[strings.LastIndex(u.Path, "/")+1:]
			}
			arn = c.arn("sqs", name)
		}
		needs := []need{{action: "sqs:" + action, resource: arn}}
		if action == "CreateQueue" && len(in.Tags) > 0 {
			needs = append(needs, need{action: "sqs:TagQueue", resource: arn})
		}
		return needs, nil
	}
}

// snsRows are what the operations of SNS need.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
var snsRows = map[string]row{
	"CreateTopic":               onTopic("CreateTopic"),
	"DeleteTopic":               onTopic("DeleteTopic"),
	"GetTopicAttributes":        onTopic("GetTopicAttributes"),
	"SetTopicAttributes":        onTopic("SetTopicAttributes"),
	"ListTopics":                onTopic("ListTopics"),
	"AddPermission":             onTopic("AddPermission"),
	"RemovePermission":          onTopic("RemovePermission"),
	"Publish":                   withKeys(onTopic("Publish"), topicKeys),
	"PublishBatch":              withKeys(onTopic("Publish"), topicKeys),
	"Subscribe":                 onTopic("Subscribe"),
	"ConfirmSubscription":       onTopic("ConfirmSubscription"),
	"Unsubscribe":               onTopic("Unsubscribe"),
	"ListSubscriptions":         onTopic("ListSubscriptions"),
	"ListSubscriptionsByTopic":  onTopic("ListSubscriptionsByTopic"),
	"GetSubscriptionAttributes": onTopic("GetSubscriptionAttributes"),
	"SetSubscriptionAttributes": onTopic("SetSubscriptionAttributes"),
	"GetDataProtectionPolicy":   onTopic("GetDataProtectionPolicy"),
	"TagResource":               onTopic("TagResource"),
	"UntagResource":             onTopic("UntagResource"),
	"ListTagsForResource":       onTopic("ListTagsForResource"),
}

func onTopic(action string) row {
	return func(c *roleCall) ([]need, error) {
		form, err := c.form()
		if err != nil {
			return nil, err
		}
		arn := form.Get("TopicArn") + form.Get("ResourceArn")
		switch {
		case form.Get("Name") != "":
			arn = c.arn("sns", form.Get("Name"))
		case arn == "" && form.Get("TargetArn") != "":
			arn = form.Get("TargetArn")
		case form.Get("SubscriptionArn") != "":
			arn = form.Get("SubscriptionArn")
			if i := strings.LastIndex(arn, ":"); action != "Unsubscribe" && i > 0 {
				arn = arn[:i] // a subscription is its topic's
			}
		case arn == "":
			arn = "*"
		}
		return []need{{action: "sns:" + action, resource: arn}}, nil
	}
}
