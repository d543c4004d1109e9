package control

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"

	"streamgen/internal/local/clock"
)

// Topic is a standard topic's name, ARN, attributes as they were set, and tags.
type Topic struct {
	Name, ARN  string
	Attributes map[string]string
	Tags       map[string]string
}

// Subscription is a queue that gets what is published to a topic.
type Subscription struct {
	ARN, TopicARN, Protocol, Endpoint string
	// Attributes as they were set.
	Attributes map[string]string
}

// raw says that the queue gets the message alone, without the envelope.
func (s Subscription) raw() bool { return s.Attributes["RawMessageDelivery"] == "true" }

// Publication is what is published to a topic.
type Publication struct {
	// Message is what subscribers of every protocol get but those that Messages names.
	Message string
	// Messages by protocol; may be nil.
	Messages   map[string]string
	Subject    string // "" for none
	Attributes MessageAttributes
}

// TopicOptions configure Topics.
type TopicOptions struct {
	// Account and Region are those of the topics' ARNs.
	Account, Region string
	Clock           clock.Clock
	// Endpoint is the stack's URL, which links in notifications begin with.
	Endpoint func() string
	// Send sends a message to a subscribed queue. As in SNS, nobody who publishes hears of one that does not arrive.
	Send func(s Subscription, body string, attributes MessageAttributes)
}

// Topics is the registry of one region's topics and their subscriptions. It is safe for concurrent use.
// https://docs.aws.amazon.com/sns/latest/api/welcome.html
type Topics struct {
	opts TopicOptions

	mu            sync.Mutex
	topics        map[string]*Topic        // by ARN
	subscriptions map[string]*Subscription // by ARN

	topicsJournal, subscriptionsJournal Journal // nil keep nothing
}

// NewTopics gives an empty registry.
func NewTopics(opts TopicOptions) *Topics {
	return &Topics{opts: opts, topics: map[string]*Topic{}, subscriptions: map[string]*Subscription{}}
}

// Restore takes in the topics and the subscriptions that the journals have, and tells them of every change from then on. It comes before
// all other calls.
func (t *Topics) Restore(topics, subscriptions Journal) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.topicsJournal, t.subscriptionsJournal = topics, subscriptions
	if err := each(topics, func(arn string, topic *Topic) { t.topics[arn] = topic }); err != nil {
		return err
	}
	return each(subscriptions, func(arn string, s *Subscription) { t.subscriptions[arn] = s })
}

func (t *Topics) keep(topic *Topic) {
	if t.topicsJournal != nil {
		t.topicsJournal.Put(topic.ARN, topic)
	}
}

func (t *Topics) keepSubscription(s *Subscription) {
	if t.subscriptionsJournal != nil {
		t.subscriptionsJournal.Put(s.ARN, s)
	}
}

// forget removes a subscription.
func (t *Topics) forget(arn string) {
	delete(t.subscriptions, arn)
	if t.subscriptionsJournal != nil {
		t.subscriptionsJournal.Delete(arn)
	}
}

const codeNoTopic = "NotFound"

func (t *Topics) find(arn string) (*Topic, error) {
	if topic := t.topics[arn]; topic != nil {
		return topic, nil
	}
	return nil, &Error{codeNoTopic, "Topic does not exist"}
}

// Create makes a topic and gives its ARN. One of the same name with the same attributes and tags is taken for it.
func (t *Topics) Create(name string, attributes, tags map[string]string) (arn string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	arn = fmt.Sprintf("arn:aws:sns:%s:%s:%s", t.opts.Region, t.opts.Account, name)
	if have := t.topics[arn]; have != nil {
		for key, value := range attributes {
			if have.Attributes[key] != value {
				return "", errorf("InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes")
			}
		}
		if len(tags) > 0 && !maps.Equal(tags, have.Tags) {
			return "", errorf("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")
		}
		return arn, nil
	}
	topic := &Topic{Name: name, ARN: arn, Attributes: map[string]string{}, Tags: map[string]string{}}
	maps.Copy(topic.Attributes, attributes)
	maps.Copy(topic.Tags, tags)
	t.topics[arn] = topic
	t.keep(topic)
	return arn, nil
}

// Get gives a topic and how many subscriptions it has.
func (t *Topics) Get(arn string) (Topic, int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	topic, err := t.find(arn)
	if err != nil {
		return Topic{}, 0, err
	}
	out := *topic
	out.Attributes, out.Tags = maps.Clone(topic.Attributes), maps.Clone(topic.Tags)
	return out, len(t.of(arn)), nil
}

// Policy gives the policy of the topic of an ARN: its own, or the one that AWS gives every topic. ok is false when there is none.
func (t *Topics) Policy(arn string) (text string, ok bool) {
	topic, _, err := t.Get(arn)
	if err != nil {
		return "", false
	}
	if own := topic.Attributes["Policy"]; own != "" {
		return own, true
	}
	return t.defaultPolicy(arn), true
}

// defaultPolicy lets the topic's own account use it.
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
func (t *Topics) defaultPolicy(arn string) string {
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow",`+
		`"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission",`+
		`"SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":%q,`+
		`"Condition":{"StringEquals":{"AWS:SourceOwner":%q}}}]}`, arn, t.opts.Account)
}

// Set changes an attribute of a topic; an empty value unsets it.
func (t *Topics) Set(arn, name, value string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	topic, err := t.find(arn)
	if err != nil {
		return err
	}
	if value == "" {
		delete(topic.Attributes, name)
	} else {
		topic.Attributes[name] = value
	}
	t.keep(topic)
	return nil
}

// Delete removes a topic and its subscriptions. One that is gone is no error.
func (t *Topics) Delete(arn string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.of(arn) {
		t.forget(s.ARN)
	}
	delete(t.topics, arn)
	if t.topicsJournal != nil {
		t.topicsJournal.Delete(arn)
	}
}

// ARNs are those of all topics, sorted.
func (t *Topics) ARNs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.topics))
}

// UpdateTags applies change to a topic's tags.
func (t *Topics) UpdateTags(arn string, change func(tags map[string]string)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	topic, err := t.find(arn)
	if err != nil {
		return &Error{"ResourceNotFound", "Resource does not exist"}
	}
	change(topic.Tags)
	t.keep(topic)
	return nil
}

// of gives a topic's subscriptions in the order of their ARNs. The caller holds t.mu.
func (t *Topics) of(topicARN string) []*Subscription {
	var all []*Subscription
	for _, arn := range slices.Sorted(maps.Keys(t.subscriptions)) {
		if s := t.subscriptions[arn]; topicARN == "" || s.TopicARN == topicARN {
			all = append(all, s)
		}
	}
	return all
}

// Subscribe subscribes an endpoint and gives the subscription's ARN. The same again is the same subscription.
func (t *Topics) Subscribe(topicARN, protocol, endpoint string, attributes map[string]string) (arn string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.find(topicARN); err != nil {
		return "", err
	}
	for _, s := range t.of(topicARN) {
		if s.Protocol != protocol || s.Endpoint != endpoint {
			continue
		}
		if len(attributes) > 0 && !maps.Equal(attributes, s.Attributes) {
			return "", errorf("InvalidParameter", "Invalid parameter: Attributes Reason: Subscription already exists with different attributes")
		}
		return s.ARN, nil
	}
	s := &Subscription{ARN: topicARN + ":" + uuid.NewString(), TopicARN: topicARN, Protocol: protocol, Endpoint: endpoint, Attributes: map[string]string{}}
	maps.Copy(s.Attributes, attributes)
	t.subscriptions[s.ARN] = s
	t.keepSubscription(s)
	return s.ARN, nil
}

// Subscriptions gives a topic's subscriptions, or with "" all, in the order of their ARNs.
func (t *Topics) Subscriptions(topicARN string) ([]Subscription, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if topicARN != "" {
		if _, err := t.find(topicARN); err != nil {
			return nil, err
		}
	}
	var all []Subscription
	for _, s := range t.of(topicARN) {
		all = append(all, s.clone())
	}
	return all, nil
}

func (s *Subscription) clone() Subscription {
	out := *s
	out.Attributes = maps.Clone(s.Attributes)
	return out
}

// Subscription gives a subscription.
func (t *Topics) Subscription(arn string) (Subscription, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.subscriptions[arn]
	if s == nil {
		return Subscription{}, &Error{codeNoTopic, "Subscription does not exist"}
	}
	return s.clone(), nil
}

// SetSubscription changes an attribute of a subscription.
func (t *Topics) SetSubscription(arn, name, value string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.subscriptions[arn]
	if s == nil {
		return &Error{codeNoTopic, "Subscription does not exist"}
	}
	s.Attributes[name] = value
	t.keepSubscription(s)
	return nil
}

// Unsubscribe removes a subscription. One that is gone is no error.
func (t *Topics) Unsubscribe(arn string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(arn)
}

// MostPublished is how large a message with its attributes may be, in bytes.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
const MostPublished = 256 << 10

func (p Publication) size() int {
	n := len(p.Message)
	for _, text := range p.Messages {
		n = max(n, len(text))
	}
	return n + p.Attributes.Size()
}

// Publish sends a message to every subscription of a topic, and gives the message's id.
func (t *Topics) Publish(topicARN string, p Publication) (id string, err error) {
	if p.size() > MostPublished {
		return "", errorf("InvalidParameter", "Invalid parameter: Message too long")
	}
	subscriptions, err := t.Subscriptions(topicARN)
	if err != nil {
		return "", err
	}
	if topicARN == "" {
		return "", &Error{codeNoTopic, "Topic does not exist"}
	}
	id = uuid.NewString()
	for _, s := range subscriptions {
		message, own := p.Messages[s.Protocol]
		if !own {
			message = p.Message
		}
		if s.raw() {
			t.opts.Send(s, message, p.Attributes)
		} else {
			t.opts.Send(s, t.envelope(s, id, message, p), nil)
		}
	}
	return id, nil
}

// notification is what a subscriber gets without raw delivery.
// https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
type notification struct {
	Type              string
	MessageID         string `json:"MessageId"`
	TopicARN          string `json:"TopicArn"`
	Subject           string `json:",omitempty"`
	Message           string
	Timestamp         string
	SignatureVersion  string
	Signature         string
	SigningCertURL    string
	UnsubscribeURL    string
	MessageAttributes map[string]notificationAttribute `json:",omitempty"`
}

type notificationAttribute struct{ Type, Value string }

// unsigned stands where AWS has a signature: the stack has no certificate that anybody trusts.
const unsigned = "c3RyZWFtZ2VuIGxvY2FsIHNpZ25zIG5vdGhpbmc="

func (t *Topics) envelope(s Subscription, id, message string, p Publication) string {
	n := notification{
		Type: "Notification", MessageID: id, TopicARN: s.TopicARN, Subject: p.Subject, Message: message,
		Timestamp: t.opts.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), SignatureVersion: "1", Signature: unsigned,
		SigningCertURL: t.opts.Endpoint() + "/SimpleNotificationService.pem",
		UnsubscribeURL: t.opts.Endpoint() + "/?Action=Unsubscribe&SubscriptionArn=" + url.QueryEscape(s.ARN),
	}
	for name, a := range p.Attributes {
		if n.MessageAttributes == nil {
			n.MessageAttributes = map[string]notificationAttribute{}
		}
		value := string(a.Value)
		if a.Binary() {
			value = base64.StdEncoding.EncodeToString(a.Value)
		}
		n.MessageAttributes[name] = notificationAttribute{a.DataType, value}
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(n) // strings alone cannot fail
	return strings.TrimSuffix(text.String(), "\n")
}
