package sns

import (
	"maps"
	"net/url"
	"slices"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

type subscriptionARN struct{ SubscriptionArn string }

func (s service) subscribe(form url.Values) (any, error) {
	protocol, endpoint := form.Get("Protocol"), form.Get("Endpoint")
	switch protocol {
	case "sqs":
	case "lambda", "http", "https", "email", "email-json", "sms", "application", "firehose":
		return nil, wire.NotEmulated("the protocol " + protocol + " of Subscribe")
	default:
		return nil, invalid("Amazon SNS does not support this protocol string: %s", protocol)
	}
	if !queueARN.MatchString(endpoint) {
		return nil, invalid("SQS endpoint ARN")
	}
	given, err := attributesOf(form)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if err := checkSubscriptionAttribute("Subscribe", name, given[name]); err != nil {
			return nil, err
		}
	}
	arn, err := s.topics.Subscribe(form.Get("TopicArn"), protocol, endpoint, given)
	return subscriptionARN{arn}, err
}

// checkSubscriptionAttribute refuses what AWS does not take, and what the stack does not do.
// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
func checkSubscriptionAttribute(operation, name, value string) error {
	switch name {
	case "RawMessageDelivery":
		if value != "true" && value != "false" {
			return invalid("Attributes Reason: RawMessageDelivery: Invalid value [%s]. Must be true or false.", value)
		}
	case "FilterPolicy", "FilterPolicyScope", "DeliveryPolicy", "RedrivePolicy", "SubscriptionRoleArn", "ReplayPolicy":
		return wire.NotEmulated("the attribute " + name + " of " + operation)
	default:
		return invalid("AttributeName")
	}
	return nil
}

func (s service) unsubscribe(form url.Values) (any, error) {
	if form.Get("SubscriptionArn") == "" {
		return nil, invalid("SubscriptionArn")
	}
	s.topics.Unsubscribe(form.Get("SubscriptionArn"))
	return nil, nil
}

func (s service) getSubscriptionAttributes(form url.Values) (any, error) {
	one, err := s.topics.Subscription(form.Get("SubscriptionArn"))
	if err != nil {
		return nil, err
	}
	all := attributes{
		"SubscriptionArn": one.ARN, "TopicArn": one.TopicARN, "Protocol": one.Protocol, "Endpoint": one.Endpoint, "Owner": s.account,
		"RawMessageDelivery": "false", "PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true",
		"SubscriptionPrincipal": "arn:aws:iam::" + s.account + ":root",
	}
	maps.Copy(all, one.Attributes)
	return struct{ Attributes attributes }{all}, nil
}

func (s service) setSubscriptionAttributes(form url.Values) (any, error) {
	name, value := form.Get("AttributeName"), form.Get("AttributeValue")
	if err := checkSubscriptionAttribute("SetSubscriptionAttributes", name, value); err != nil {
		return nil, err
	}
	return nil, s.topics.SetSubscription(form.Get("SubscriptionArn"), name, value)
}

type subscription struct{ SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string }

func (s service) listSubscriptions(form url.Values) (any, error) {
	if form.Get("Action") == "ListSubscriptionsByTopic" && form.Get("TopicArn") == "" {
		return nil, invalid("TopicArn")
	}
	all, err := s.topics.Subscriptions(form.Get("TopicArn"))
	if err != nil {
		return nil, err
	}
	part, next := page(all, form.Get("NextToken"), func(s control.Subscription) string { return s.ARN })
	out := struct {
		Subscriptions []subscription `xml:"Subscriptions>member"`
		NextToken     string         `xml:",omitempty"`
	}{NextToken: next}
	for _, one := range part {
		out.Subscriptions = append(out.Subscriptions, subscription{one.ARN, s.account, one.Protocol, one.Endpoint, one.TopicARN})
	}
	return out, nil
}
