package sqs

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

var queueName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,80}$`)

// ranges are the attributes that are numbers, with what they may be.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
var ranges = map[string][2]int{
	"DelaySeconds": {0, 900}, "MaximumMessageSize": {1024, 1_048_576}, "MessageRetentionPeriod": {60, 1_209_600},
	"ReceiveMessageWaitTimeSeconds": {0, 20}, "VisibilityTimeout": {0, 43_200}, "KmsDataKeyReusePeriodSeconds": {60, 86_400},
}

// optional are the attributes that "" takes away.
var optional = []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"}

func (s service) checkAttributes(operation string, attributes map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[key]
		if limits, number := ranges[key]; number {
			n, err := strconv.Atoi(value)
			if err != nil || n < limits[0] || n > limits[1] {
				return wire.Errorf("InvalidAttributeValue", "Invalid value for the parameter %s.", key)
			}
			continue
		}
		switch {
		case key == "SqsManagedSseEnabled" && (value == "true" || value == "false"):
		case slices.Contains(optional, key):
			if err := s.checkOptional(key, value); err != nil {
				return err
			}
		case slices.Contains([]string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}, key):
			return wire.NotEmulated(fmt.Sprintf("the attribute %s of %s", key, operation))
		default:
			return wire.Errorf("InvalidAttributeName", "Unknown Attribute %s.", key)
		}
	}
	return nil
}

// checkOptional checks an attribute that may be taken away. Which queue a redrive policy names is the registry's to say.
func (s service) checkOptional(key, value string) error {
	switch {
	case value == "":
		return nil
	case key == "Policy":
		if err := s.policies.Check(value); err != nil {
			return wire.Errorf("InvalidAttributeValue", "Invalid value for the parameter Policy. (%v)", err)
		}
	case key == "RedrivePolicy":
		_, err := control.ParseRedrivePolicy(value)
		return err
	case key == "RedriveAllowPolicy":
		return control.CheckRedriveAllowPolicy(value)
	}
	return nil
}

type createQueueInput struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}

type queueURLOutput struct{ QueueUrl string }

func (s service) createQueue(_ context.Context, in *createQueueInput) (*queueURLOutput, error) {
	if strings.HasSuffix(in.QueueName, ".fifo") {
		return nil, wire.NotEmulated("FIFO queues")
	}
	if !queueName.MatchString(in.QueueName) {
		return nil, wire.Errorf("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	if err := s.checkAttributes("CreateQueue", in.Attributes); err != nil {
		return nil, err
	}
	if err := s.queues.Create(in.QueueName, in.Attributes, in.Tags); err != nil {
		return nil, err
	}
	return &queueURLOutput{s.url(in.QueueName)}, nil
}

type getQueueURLInput struct{ QueueName, QueueOwnerAWSAccountId string }

func (s service) getQueueURL(_ context.Context, in *getQueueURLInput) (*queueURLOutput, error) {
	if _, err := s.queues.Get(in.QueueName); err != nil {
		return nil, err
	}
	return &queueURLOutput{s.url(in.QueueName)}, nil
}

// queueInput names a queue.
type queueInput struct{ QueueUrl string }

type getQueueAttributesInput struct {
	QueueUrl       string
	AttributeNames []string
}

type attributesOutput struct {
	Attributes map[string]string `json:",omitempty"`
}

func (s service) getQueueAttributes(_ context.Context, in *getQueueAttributesInput) (*attributesOutput, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	q, err := s.queues.Get(name)
	if err != nil {
		return nil, err
	}
	all := attributesOf(q)
	if slices.Contains(in.AttributeNames, "All") {
		return &attributesOutput{all}, nil
	}
	out := map[string]string{}
	for _, key := range in.AttributeNames {
		if value, there := all[key]; there {
			out[key] = value
		}
	}
	return &attributesOutput{out}, nil
}

func attributesOf(q control.Queue) map[string]string {
	all := maps.Clone(q.Attributes)
	if all["KmsMasterKeyId"] != "" { // one encryption stands in the place of the other
		all["SqsManagedSseEnabled"] = "false"
		if all["KmsDataKeyReusePeriodSeconds"] == "" {
			all["KmsDataKeyReusePeriodSeconds"] = "300"
		}
	}
	all["QueueArn"] = q.ARN
	all["ApproximateNumberOfMessages"] = strconv.Itoa(q.Visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(q.Invisible)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(q.Delayed)
	all["CreatedTimestamp"] = strconv.FormatInt(q.Created.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.Modified.Unix(), 10)
	return all
}

type setQueueAttributesInput struct {
	QueueUrl   string
	Attributes map[string]string
}

func (s service) setQueueAttributes(_ context.Context, in *setQueueAttributesInput) (*none, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.checkAttributes("SetQueueAttributes", in.Attributes); err != nil {
		return nil, err
	}
	return nil, s.queues.Set(name, in.Attributes)
}

func (s service) deleteQueue(_ context.Context, in *queueInput) (*none, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, s.queues.Delete(name)
}

func (s service) purgeQueue(_ context.Context, in *queueInput) (*none, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, s.queues.Purge(name)
}

type listQueuesInput struct {
	QueueNamePrefix string
	MaxResults      *int
	NextToken       *string
}

type listQueuesOutput struct {
	QueueUrls []string `json:",omitempty"`
}

func (s service) listQueues(_ context.Context, in *listQueuesInput) (*listQueuesOutput, error) {
	if in.NextToken != nil {
		return nil, wire.NotEmulated("NextToken of ListQueues")
	}
	out := &listQueuesOutput{}
	for _, name := range s.queues.Names(in.QueueNamePrefix) {
		out.QueueUrls = append(out.QueueUrls, s.url(name))
	}
	if n := in.MaxResults; n != nil && len(out.QueueUrls) > *n {
		return nil, wire.NotEmulated("pages of ListQueues")
	}
	return out, nil
}

type listSourcesInput struct {
	QueueUrl   string
	MaxResults *int
	NextToken  *string
}

type listSourcesOutput struct {
	QueueUrls []string `json:"queueUrls"`
}

func (s service) listDeadLetterSourceQueues(_ context.Context, in *listSourcesInput) (*listSourcesOutput, error) {
	if in.NextToken != nil {
		return nil, wire.NotEmulated("NextToken of ListDeadLetterSourceQueues")
	}
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	names, err := s.queues.Sources(name)
	if err != nil {
		return nil, err
	}
	out := &listSourcesOutput{QueueUrls: []string{}}
	for _, source := range names {
		out.QueueUrls = append(out.QueueUrls, s.url(source))
	}
	if n := in.MaxResults; n != nil && len(out.QueueUrls) > *n {
		return nil, wire.NotEmulated("pages of ListDeadLetterSourceQueues")
	}
	return out, nil
}

type tagQueueInput struct {
	QueueUrl string
	Tags     map[string]string
}

func (s service) tagQueue(_ context.Context, in *tagQueueInput) (*none, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, s.queues.UpdateTags(name, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

type untagQueueInput struct {
	QueueUrl string
	TagKeys  []string
}

func (s service) untagQueue(_ context.Context, in *untagQueueInput) (*none, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, s.queues.UpdateTags(name, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

type tagsOutput struct {
	Tags map[string]string `json:",omitempty"`
}

func (s service) listQueueTags(_ context.Context, in *queueInput) (*tagsOutput, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	q, err := s.queues.Get(name)
	if err != nil {
		return nil, err
	}
	return &tagsOutput{q.Tags}, nil
}
