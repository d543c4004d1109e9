package conformance_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"streamgen/internal/local"
)

// namedQueue makes a queue and gives its URL and ARN.
func namedQueue(t *testing.T, queues *sqs.Client, attributes map[string]string) (url, arn string) {
	t.Helper()
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: unique("queue"), Attributes: attributes})
	must(t, err)
	got, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: made.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	must(t, err)
	return *made.QueueUrl, got.Attributes["QueueArn"]
}

// receive gives the one message that a queue has, which it deletes.
func receive(t *testing.T, queues *sqs.Client, url string) sqstypes.Message {
	t.Helper()
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"All"},
	})
	must(t, err)
	if len(got.Messages) != 1 {
		t.Fatalf("the queue has %d messages, want 1", len(got.Messages))
	}
	_, err = queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: got.Messages[0].ReceiptHandle})
	must(t, err)
	return got.Messages[0]
}

// TestTopic publishes to two queues, one of which gets the message alone.
func TestTopic(t *testing.T) {
	t.Parallel()
	c := config(endpoint(t))
	topics, queues := sns.NewFromConfig(c), sqs.NewFromConfig(c)
	name := unique("topic")
	made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{
		Name: name, Attributes: map[string]string{"DisplayName": "failures", "KmsMasterKeyId": "alias/aws/sns"}, Tags: []snstypes.Tag{{Key: aws.String("team"), Value: aws.String("billing")}},
	})
	must(t, err)
	again, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: name})
	must(t, err)
	if *again.TopicArn != *made.TopicArn || *made.TopicArn != "arn:aws:sns:us-east-1:000000000000:"+*name {
		t.Errorf("the topic is %s, then %s", *made.TopicArn, *again.TopicArn)
	}
	envelopes, envelopesARN := namedQueue(t, queues, nil)
	raw, rawARN := namedQueue(t, queues, nil)
	for queue, attributes := range map[string]map[string]string{envelopesARN: nil, rawARN: {"RawMessageDelivery": "true"}} {
		_, err := topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: &queue, Attributes: attributes})
		must(t, err)
	}
	about, err := topics.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: made.TopicArn})
	must(t, err)
	if a := about.Attributes; a["SubscriptionsConfirmed"] != "2" || a["DisplayName"] != "failures" || a["KmsMasterKeyId"] != "alias/aws/sns" || !strings.Contains(a["Policy"], "SNS:Publish") {
		t.Errorf("attributes %v", a)
	}
	published, err := topics.Publish(t.Context(), &sns.PublishInput{
		TopicArn: made.TopicArn, Message: aws.String(`{"a":"<&>"}`), Subject: aws.String("lost"),
		MessageAttributes: map[string]snstypes.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("test")}},
	})
	must(t, err)
	var envelope struct {
		Type, MessageID, TopicARN, Subject, Message string
		MessageAttributes                           map[string]struct{ Type, Value string }
	}
	must(t, json.Unmarshal([]byte(*receive(t, queues, envelopes).Body), &envelope))
	if envelope.Type != "Notification" || envelope.MessageID != *published.MessageId || envelope.Subject != "lost" || envelope.Message != `{"a":"<&>"}` ||
		envelope.MessageAttributes["kind"].Value != "test" {
		t.Errorf("the envelope is %+v", envelope)
	}
	if m := receive(t, queues, raw); *m.Body != `{"a":"<&>"}` || *m.MessageAttributes["kind"].StringValue != "test" {
		t.Errorf("the raw message is %s with %v", *m.Body, m.MessageAttributes)
	}
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("email"), Endpoint: aws.String("a@b.c")})
	wantCode(t, err, "ValidationException", "does not emulate the protocol email")
	_, err = topics.Publish(t.Context(), &sns.PublishInput{TopicArn: aws.String(*made.TopicArn + "x"), Message: aws.String("a")})
	wantCode(t, err, "NotFound", "Topic does not exist")

	_, err = topics.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: made.TopicArn})
	must(t, err)
	all, err := topics.ListSubscriptions(t.Context(), &sns.ListSubscriptionsInput{})
	must(t, err)
	for _, s := range all.Subscriptions {
		if *s.TopicArn == *made.TopicArn {
			t.Errorf("the subscription %s outlives its topic", *s.SubscriptionArn)
		}
	}
}

// TestTopicAfterARestart: topics and subscriptions are in the data folder.
func TestTopicAfterARestart(t *testing.T) {
	t.Parallel()
	options := local.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir()}
	first, err := local.Start(t.Context(), options)
	must(t, err)
	c := config(first.Endpoint())
	topics, queues := sns.NewFromConfig(c), sqs.NewFromConfig(c)
	made, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: unique("topic")})
	must(t, err)
	_, arn := namedQueue(t, queues, nil)
	_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: map[string]string{"RawMessageDelivery": "true"}})
	must(t, err)
	must(t, first.Close(t.Context()))

	c = config(newStack(t, options).Endpoint())
	topics, queues = sns.NewFromConfig(c), sqs.NewFromConfig(c)
	_, err = topics.Publish(t.Context(), &sns.PublishInput{TopicArn: made.TopicArn, Message: aws.String("kept")})
	must(t, err)
	url, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(arn[strings.LastIndex(arn, ":")+1:])})
	must(t, err)
	if m := receive(t, queues, *url.QueueUrl); *m.Body != "kept" {
		t.Errorf("got %s", *m.Body)
	}
}

// TestDeadLetters: a message that was received twice and not deleted goes to the dead-letter queue.
func TestDeadLetters(t *testing.T) {
	t.Parallel()
	queues := sqs.NewFromConfig(config(endpoint(t)))
	dead, deadARN := namedQueue(t, queues, map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"allowAll"}`})
	policy := `{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":"2"}`
	source, sourceARN := namedQueue(t, queues, map[string]string{"RedrivePolicy": policy, "VisibilityTimeout": "0"})
	sent, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &source, MessageBody: aws.String("lost")})
	must(t, err)
	for _, want := range []int{1, 1, 0} {
		got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &source})
		must(t, err)
		if len(got.Messages) != want {
			t.Fatalf("received %d, want %d", len(got.Messages), want)
		}
	}
	if m := receive(t, queues, dead); *m.MessageId != *sent.MessageId || *m.Body != "lost" || m.Attributes["DeadLetterQueueSourceArn"] != sourceARN {
		t.Errorf("the dead letter is %s %s %v", *m.MessageId, *m.Body, m.Attributes)
	}
	sources, err := queues.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dead})
	must(t, err)
	if len(sources.QueueUrls) != 1 || sources.QueueUrls[0] != source {
		t.Errorf("its sources are %v", sources.QueueUrls)
	}
	_, err = queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &dead, Attributes: map[string]string{"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`}})
	must(t, err)
	for name, c := range map[string]struct{ policy, want string }{
		"not allowed":  {policy, "does not allow this queue as a source"},
		"no queue":     {`{"deadLetterTargetArn":"` + deadARN + `x","maxReceiveCount":2}`, "Dead letter target does not exist"},
		"no count":     {`{"deadLetterTargetArn":"` + deadARN + `"}`, "mandatory attribute: maxReceiveCount"},
		"count":        {`{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":1001}`, "maxReceiveCount"},
		"no JSON":      {`x`, "not a valid JSON map"},
		"unknown name": {`{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":2,"x":1}`, "Only following attributes are supported"},
	} {
		_, err := queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &source, Attributes: map[string]string{"RedrivePolicy": c.policy}})
		t.Run(name, func(t *testing.T) { wantCode(t, err, "InvalidParameterValue", c.want) })
	}
}

// TestQueueBatches: what is wrong with one entry leaves the others.
func TestQueueBatches(t *testing.T) {
	t.Parallel()
	queues := sqs.NewFromConfig(config(endpoint(t)))
	url, _ := namedQueue(t, queues, map[string]string{"KmsMasterKeyId": "alias/aws/sqs"})
	about, err := queues.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	must(t, err)
	if a := about.Attributes; a["KmsMasterKeyId"] != "alias/aws/sqs" || a["SqsManagedSseEnabled"] != "false" || a["KmsDataKeyReusePeriodSeconds"] != "300" {
		t.Errorf("attributes %v", a)
	}
	entry := func(id, body string) sqstypes.SendMessageBatchRequestEntry {
		return sqstypes.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
	}
	sent, err := queues.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.SendMessageBatchRequestEntry{entry("a", "1"), entry("b", "\x01"), entry("c", "3")}})
	must(t, err)
	if len(sent.Successful) != 2 || len(sent.Failed) != 1 || *sent.Failed[0].Id != "b" || *sent.Failed[0].Code != "InvalidMessageContents" || !sent.Failed[0].SenderFault {
		t.Errorf("sent %+v, failed %+v", sent.Successful, sent.Failed)
	}
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
	must(t, err)
	var back []sqstypes.ChangeMessageVisibilityBatchRequestEntry
	var gone []sqstypes.DeleteMessageBatchRequestEntry
	for i, m := range got.Messages {
		id := string(rune('a' + i))
		back = append(back, sqstypes.ChangeMessageVisibilityBatchRequestEntry{Id: &id, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 60})
		gone = append(gone, sqstypes.DeleteMessageBatchRequestEntry{Id: &id, ReceiptHandle: m.ReceiptHandle})
	}
	changed, err := queues.ChangeMessageVisibilityBatch(t.Context(), &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: back})
	must(t, err)
	deleted, err := queues.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: gone})
	must(t, err)
	if len(got.Messages) != 2 || len(changed.Successful) != 2 || len(deleted.Successful) != 2 {
		t.Errorf("received %d, changed %d, deleted %d", len(got.Messages), len(changed.Successful), len(deleted.Successful))
	}
	for code, entries := range map[string][]sqstypes.SendMessageBatchRequestEntry{
		"EmptyBatchRequest":            {},
		"BatchEntryIdsNotDistinct":     {entry("a", "1"), entry("a", "2")},
		"InvalidBatchEntryId":          {entry("a b", "1")},
		"TooManyEntriesInBatchRequest": {entry("a", "1"), entry("b", "1"), entry("c", "1"), entry("d", "1"), entry("e", "1"), entry("f", "1"), entry("g", "1"), entry("h", "1"), entry("i", "1"), entry("j", "1"), entry("k", "1")},
	} {
		_, err := queues.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
		wantCode(t, err, "AWS.SimpleQueueService."+code, "")
	}
}
