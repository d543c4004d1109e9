package conformance_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
)

func TestQueueLife(t *testing.T) {
	c, ctx := sqs.NewFromConfig(config(endpoint(t))), t.Context()
	name := unique("queue")
	made, err := c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name, Attributes: map[string]string{"VisibilityTimeout": "60"}, Tags: map[string]string{"a": "b"}})
	must(t, err)
	url := made.QueueUrl
	t.Cleanup(func() { _, _ = c.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: url}) })
	if parts := strings.Split(strings.TrimPrefix(*url, "http://"), "/"); len(parts) != 3 || parts[2] != *name {
		t.Errorf("the URL is %s", *url)
	}
	found, err := c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: name})
	must(t, err)
	if *found.QueueUrl != *url {
		t.Errorf("found %s, made %s", *found.QueueUrl, *url)
	}
	// The same again is the same queue; with another attribute it is not.
	_, err = c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name, Attributes: map[string]string{"VisibilityTimeout": "60"}})
	must(t, err)
	_, err = c.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: name, Attributes: map[string]string{"VisibilityTimeout": "61"}})
	wantCode(t, err, "QueueAlreadyExists", "different value for attribute VisibilityTimeout")

	sent, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("hello")})
	must(t, err)
	if *sent.MD5OfMessageBody != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("MD5 %s", *sent.MD5OfMessageBody)
	}
	receive := func(wait int32) []sqstypes.Message {
		got, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{"ApproximateReceiveCount"}})
		must(t, err)
		return got.Messages
	}
	got := receive(10)
	if len(got) != 1 || *got[0].Body != "hello" || *got[0].MessageId != *sent.MessageId || got[0].Attributes["ApproximateReceiveCount"] != "1" {
		t.Fatalf("received %+v", got)
	}
	if again := receive(0); len(again) != 0 {
		t.Errorf("a message that is invisible was received: %+v", again)
	}
	attributes, err := c.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url, AttributeNames: []sqstypes.QueueAttributeName{"All"}})
	must(t, err)
	for key, want := range map[string]string{"VisibilityTimeout": "60", "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "1", "MessageRetentionPeriod": "345600"} {
		if have := attributes.Attributes[key]; have != want {
			t.Errorf("%s is %q, want %q", key, have, want)
		}
	}
	_, err = c.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle})
	must(t, err)
	if got = receive(10); len(got) != 1 || got[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Fatalf("received %+v", got)
	}
	_, err = c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle})
	must(t, err)

	_, err = c.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{"VisibilityTimeout": "43201"}})
	wantCode(t, err, "InvalidAttributeValue", "VisibilityTimeout")
	_, err = c.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: url, Tags: map[string]string{"c": "d"}})
	must(t, err)
	_, err = c.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: url, TagKeys: []string{"a"}})
	must(t, err)
	tags, err := c.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: url})
	must(t, err)
	if d := cmp.Diff(map[string]string{"c": "d"}, tags.Tags); d != "" {
		t.Errorf("tags (-want +got):\n%s", d)
	}
	_, err = c.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: url})
	must(t, err)
	_, err = c.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: name})
	wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue", "does not exist")
}

func TestAlarmLife(t *testing.T) {
	c, ctx := cloudwatch.NewFromConfig(config(endpoint(t))), t.Context()
	name := unique("alarm")
	in := &cloudwatch.PutMetricAlarmInput{
		AlarmName: name, Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("Errors"), Statistic: cwtypes.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(3), Threshold: aws.Float64(0), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		Dimensions:       []cwtypes.Dimension{{Name: aws.String("FunctionName"), Value: aws.String("fn")}},
		TreatMissingData: aws.String("notBreaching"), Tags: []cwtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}
	_, err := c.PutMetricAlarm(ctx, in)
	must(t, err)
	t.Cleanup(func() {
		_, _ = c.DeleteAlarms(context.Background(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{*name}})
	})
	get := func() []cwtypes.MetricAlarm {
		out, err := c.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{*name}, AlarmTypes: []cwtypes.AlarmType{cwtypes.AlarmTypeMetricAlarm}})
		must(t, err)
		return out.MetricAlarms
	}
	got := get()
	if len(got) != 1 || aws.ToString(got[0].MetricName) != "Errors" || aws.ToInt32(got[0].EvaluationPeriods) != 3 || aws.ToFloat64(got[0].Threshold) != 0 ||
		!aws.ToBool(got[0].ActionsEnabled) || got[0].StateValue != cwtypes.StateValueInsufficientData || len(got[0].Dimensions) != 1 || got[0].StateUpdatedTimestamp == nil {
		t.Fatalf("got %+v", got)
	}
	arn := got[0].AlarmArn
	_, err = c.TagResource(ctx, &cloudwatch.TagResourceInput{ResourceARN: arn, Tags: []cwtypes.Tag{{Key: aws.String("c"), Value: aws.String("d")}}})
	must(t, err)
	_, err = c.UntagResource(ctx, &cloudwatch.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"a"}})
	must(t, err)
	tags, err := c.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: arn})
	must(t, err)
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "c" {
		t.Errorf("tags %+v", tags.Tags)
	}
	_, err = c.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{AlarmName: name, ComparisonOperator: in.ComparisonOperator, EvaluationPeriods: aws.Int32(1), MetricName: in.MetricName, Namespace: in.Namespace,
		Period: in.Period, Threshold: in.Threshold, ExtendedStatistic: aws.String("tm99")})
	wantCode(t, err, "ValidationException", "does not emulate the statistic tm99 of PutMetricAlarm")
	_, err = c.DeleteAlarms(ctx, &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{*name}})
	must(t, err)
	if left := get(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}
