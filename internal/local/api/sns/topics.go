package sns

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

type topicARN struct{ TopicArn string }

func (s service) createTopic(form url.Values) (any, error) {
	name := form.Get("Name")
	if strings.HasSuffix(name, ".fifo") {
		return nil, wire.NotEmulated("FIFO topics")
	}
	if !topicName.MatchString(name) {
		return nil, invalid("Topic Name")
	}
	given, err := attributesOf(form)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if err := s.checkTopicAttribute("CreateTopic", key, given[key]); err != nil {
			return nil, err
		}
		if given[key] == "" || key == "FifoTopic" {
			delete(given, key)
		}
	}
	tags, err := tagsOf(form)
	if err != nil {
		return nil, err
	}
	if err := checkTagCount(tags); err != nil {
		return nil, err
	}
	arn, err := s.topics.Create(name, given, tags)
	return topicARN{arn}, err
}

// checkTopicAttribute refuses an attribute's value that AWS does not take, and what needs something that the stack has not.
// https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
func (s service) checkTopicAttribute(operation, name, value string) error {
	switch name {
	case "KmsMasterKeyId": // kept and described
	case "DisplayName":
		if len(value) > 100 {
			return invalid("DisplayName Reason: Invalid Display Name")
		}
	case "Policy":
		if value == "" {
			return nil
		}
		if err := s.policies.Check(value); err != nil {
			return invalid("Policy Error: %v", err)
		}
	case "FifoTopic":
		if value != "false" {
			return wire.NotEmulated("FIFO topics")
		}
	case "TracingConfig":
		if value != "PassThrough" && value != "" {
			return wire.NotEmulated("TracingConfig " + value + " of " + operation)
		}
	default:
		if !knownTopicAttribute(name) {
			return invalid("AttributeName")
		}
		if value != "" && (value != "0" || !strings.HasSuffix(name, "SampleRate")) { // of nothing that is reported, a share of 0
			return wire.NotEmulated("the attribute " + name + " of " + operation)
		}
	}
	return nil
}

// knownTopicAttribute says that AWS has an attribute.
func knownTopicAttribute(name string) bool {
	for _, suffix := range []string{"SuccessFeedbackRoleArn", "FailureFeedbackRoleArn", "SuccessFeedbackSampleRate"} {
		if protocol, found := strings.CutSuffix(name, suffix); found && slices.Contains([]string{"Application", "HTTP", "Firehose", "Lambda", "SQS"}, protocol) {
			return true
		}
	}
	return slices.Contains([]string{"DeliveryPolicy", "SignatureVersion", "ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope"}, name)
}

func (s service) deleteTopic(form url.Values) (any, error) {
	if !strings.HasPrefix(form.Get("TopicArn"), "arn:aws:sns:") {
		return nil, invalid("TopicArn")
	}
	s.topics.Delete(form.Get("TopicArn"))
	return nil, nil
}

// deliveryPolicy is the one that AWS gives for a topic that has none: it is about HTTP endpoints, which no topic here has.
const deliveryPolicy = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,` +
	`"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,` +
	`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`

func (s service) getTopicAttributes(form url.Values) (any, error) {
	arn := form.Get("TopicArn")
	topic, subscriptions, err := s.topics.Get(arn)
	if err != nil {
		return nil, err
	}
	policy, _ := s.topics.Policy(arn)
	all := attributes{
		"TopicArn": arn, "Owner": s.account, "Policy": policy, "DisplayName": "", "EffectiveDeliveryPolicy": deliveryPolicy,
		"SubscriptionsConfirmed": strconv.Itoa(subscriptions), "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
	}
	maps.Copy(all, topic.Attributes)
	return struct{ Attributes attributes }{all}, nil
}

func (s service) setTopicAttributes(form url.Values) (any, error) {
	name, value := form.Get("AttributeName"), form.Get("AttributeValue")
	if err := s.checkTopicAttribute("SetTopicAttributes", name, value); err != nil {
		return nil, err
	}
	if name == "FifoTopic" {
		return nil, invalid("AttributeName")
	}
	return nil, s.topics.Set(form.Get("TopicArn"), name, value)
}

func (s service) listTopics(form url.Values) (any, error) {
	arns, next := page(s.topics.ARNs(), form.Get("NextToken"), func(arn string) string { return arn })
	out := struct {
		Topics    []topicARN `xml:"Topics>member"`
		NextToken string     `xml:",omitempty"`
	}{NextToken: next}
	for _, arn := range arns {
		out.Topics = append(out.Topics, topicARN{arn})
	}
	return out, nil
}

func checkTagCount(tags map[string]string) error {
	if len(tags) > control.MaxTags {
		return wire.Errorf("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
	}
	return nil
}

func (s service) tagResource(form url.Values) (any, error) {
	given, err := tagsOf(form)
	if err != nil {
		return nil, err
	}
	var tooMany error
	err = s.topics.UpdateTags(form.Get("ResourceArn"), func(tags map[string]string) {
		all := maps.Clone(tags)
		maps.Copy(all, given)
		if tooMany = checkTagCount(all); tooMany == nil {
			maps.Copy(tags, given)
		}
	})
	if err == nil {
		err = tooMany
	}
	return struct{}{}, err
}

func (s service) untagResource(form url.Values) (any, error) {
	keys, err := wire.QueryList(form, "TagKeys")
	if err != nil {
		return nil, err
	}
	return struct{}{}, s.topics.UpdateTags(form.Get("ResourceArn"), func(tags map[string]string) {
		for _, key := range keys {
			delete(tags, key.Get(""))
		}
	})
}

type tag struct{ Key, Value string }

func (s service) listTagsForResource(form url.Values) (any, error) {
	out := struct {
		Tags []tag `xml:"Tags>member"`
	}{}
	err := s.topics.UpdateTags(form.Get("ResourceArn"), func(tags map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			out.Tags = append(out.Tags, tag{key, tags[key]})
		}
	})
	return out, err
}
