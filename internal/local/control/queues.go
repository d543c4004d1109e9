package control

import (
	"crypto/md5" //nolint:gosec // SQS tells clients the MD5 of what it got
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/clock"
)

// MessageAttribute is the type and the value of a message attribute, whose value is text unless the type begins with "Binary".
type MessageAttribute struct {
	DataType string
	Value    []byte
}

// Binary says that the value is no text.
func (a MessageAttribute) Binary() bool { return strings.HasPrefix(a.DataType, "Binary") }

// MessageAttributes are a message's attributes by name.
type MessageAttributes map[string]MessageAttribute

// Size is what the attributes count of the message's size.
func (all MessageAttributes) Size() int {
	n := 0
	for name, a := range all {
		n += len(name) + len(a.DataType) + len(a.Value)
	}
	return n
}

// MD5 is the sum that SQS gives for attributes; empty for none.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
func (all MessageAttributes) MD5() string {
	if len(all) == 0 {
		return ""
	}
	var text []byte
	add := func(part string) {
		text = binary.BigEndian.AppendUint32(text, uint32(len(part)))
		text = append(text, part...)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a := all[name]
		add(name)
		add(a.DataType)
		if a.Binary() {
			text = append(text, 2)
		} else {
			text = append(text, 1)
		}
		add(string(a.Value))
	}
	sum := md5.Sum(text) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// Message is one message of a queue as a receiver gets it.
type Message struct {
	ID, Body, MD5 string
	Attributes    MessageAttributes
	// ReceiptHandle is for this receipt alone.
	ReceiptHandle string
	Sent, First   time.Time
	// Received counts how often the message was received.
	Received int
	// Source is the ARN of the queue that the message came from as a dead letter; "" for any other.
	Source string `json:",omitempty"`
}

// Queue is a standard queue's name, ARN, attributes as they were set, and tags.
type Queue struct {
	Name, ARN  string
	Attributes map[string]string
	Tags       map[string]string
	Created    time.Time
	Modified   time.Time
	// Visible, Invisible and Delayed count its messages.
	Visible, Invisible, Delayed int
}

// message is also what a journal keeps.
type message struct {
	Message
	Queue   string
	Visible time.Time // from when on it can be received
	Delayed bool      // until then, for the first time
	Here    int       // how often it was received in this queue
	Number  uint64    // among all messages, in the order in which they were sent
}

// key is the message's in a journal: unlike its ID it is in the order of sending.
func (m *message) key() string { return fmt.Sprintf("%020d", m.Number) }

type queue struct {
	Queue
	messages []*message
}

// Queues is the registry of one region's queues. It is safe for concurrent use.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
type Queues struct {
	account, region string
	clock           clock.Clock

	mu     sync.Mutex
	queues map[string]*queue
	news   chan struct{} // closed, and replaced, when a message may be there
	sent   uint64        // messages so far

	queuesJournal, messagesJournal Journal // nil keep nothing

	observer func(queue, metric string, value float64) // nil is told nothing
}

// NewQueues gives an empty registry.
func NewQueues(account, region string, c clock.Clock) *Queues {
	return &Queues{account: account, region: region, clock: c, queues: map[string]*queue{}, news: make(chan struct{})}
}

// Restore takes in the queues and the messages that the journals have, and tells them of every change from then on. It comes before all
// other calls.
func (q *Queues) Restore(queues, messages Journal) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queuesJournal, q.messagesJournal = queues, messages
	if err := each(queues, func(name string, u Queue) { q.queues[name] = &queue{Queue: u} }); err != nil {
		return err
	}
	return each(messages, func(_ string, m *message) {
		q.sent = max(q.sent, m.Number)
		if u := q.queues[m.Queue]; u != nil {
			u.messages = append(u.messages, m)
		}
	})
}

// keep tells the journal of a queue that changed.
func (q *Queues) keep(u *queue) {
	if q.queuesJournal != nil {
		q.queuesJournal.Put(u.Name, u.Queue)
	}
}

// keepMessage tells the journal of a message that changed.
func (q *Queues) keepMessage(m *message) {
	if q.messagesJournal != nil {
		q.messagesJournal.Put(m.key(), m)
	}
}

// remove takes messages out of a queue.
func (q *Queues) remove(u *queue, gone func(*message) bool) {
	u.messages = slices.DeleteFunc(u.messages, func(m *message) bool {
		if !gone(m) {
			return false
		}
		if q.messagesJournal != nil {
			q.messagesJournal.Delete(m.key())
		}
		return true
	})
}

const codeNoQueue = "QueueDoesNotExist"

// queueDefaults are the attributes that a queue has when they are not set.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var queueDefaults = map[string]string{
	"DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
	"ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30", "SqsManagedSseEnabled": "true",
}

// Create makes a queue. One of the same name with the same attributes is taken for it.
func (q *Queues) Create(name string, attributes, tags map[string]string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if have := q.queues[name]; have != nil {
		for key, value := range attributes {
			if have.attribute(key) != value {
				return &Error{"QueueNameExists", fmt.Sprintf("A queue already exists with the same name and a different value for attribute %s", key)}
			}
		}
		return nil
	}
	if err := q.checkRedrive(q.arn(name), attributes["RedrivePolicy"]); err != nil {
		return err
	}
	now := q.clock.Now()
	made := &queue{Queue: Queue{
		Name: name, ARN: q.arn(name),
		Attributes: map[string]string{}, Tags: map[string]string{}, Created: now, Modified: now,
	}}
	maps.Copy(made.Attributes, attributes)
	maps.Copy(made.Tags, tags)
	q.queues[name] = made
	q.keep(made)
	return nil
}

// arn is that of the queue of a name.
func (q *Queues) arn(name string) string {
	return fmt.Sprintf("arn:aws:sqs:%s:%s:%s", q.region, q.account, name)
}

func (u *queue) attribute(key string) string {
	if value, set := u.Attributes[key]; set {
		return value
	}
	return queueDefaults[key]
}

func (u *queue) seconds(key string) time.Duration {
	n, _ := strconv.Atoi(u.attribute(key)) // the front end takes numbers alone
	return time.Duration(n) * time.Second
}

// find gives a queue without its expired messages. The caller holds q.mu.
func (q *Queues) find(name string) (*queue, error) {
	u := q.queues[name]
	if u == nil {
		return nil, &Error{codeNoQueue, "The specified queue does not exist."}
	}
	kept := u.seconds("MessageRetentionPeriod")
	now := q.clock.Now()
	q.remove(u, func(m *message) bool { return now.Sub(m.Sent) >= kept })
	return u, nil
}

// Get gives a queue with all attributes, those that were not set too.
func (q *Queues) Get(name string) (Queue, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return Queue{}, err
	}
	out := u.Queue
	out.Attributes, out.Tags = maps.Clone(queueDefaults), maps.Clone(u.Tags)
	maps.Copy(out.Attributes, u.Attributes)
	now := q.clock.Now()
	for _, m := range u.messages {
		switch {
		case !m.Visible.After(now):
			out.Visible++
		case m.Delayed:
			out.Delayed++
		default:
			out.Invisible++
		}
	}
	return out, nil
}

// Set changes attributes; an empty value unsets one.
func (q *Queues) Set(name string, attributes map[string]string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return err
	}
	if err := q.checkRedrive(u.ARN, attributes["RedrivePolicy"]); err != nil {
		return err
	}
	for key, value := range attributes {
		if value == "" {
			delete(u.Attributes, key)
		} else {
			u.Attributes[key] = value
		}
	}
	u.Modified = q.clock.Now()
	q.keep(u)
	return nil
}

// Delete removes a queue and its messages.
func (q *Queues) Delete(name string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return err
	}
	q.remove(u, func(*message) bool { return true })
	delete(q.queues, name)
	if q.queuesJournal != nil {
		q.queuesJournal.Delete(name)
	}
	return nil
}

// Names gives the names that begin with a prefix, sorted.
func (q *Queues) Names(prefix string) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var names []string
	for name := range q.queues {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// UpdateTags applies change to a queue's tags.
func (q *Queues) UpdateTags(name string, change func(tags map[string]string)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err == nil {
		change(u.Tags)
		q.keep(u)
	}
	return err
}

// Send adds a message. delay is from when on it can be received; negative for what the queue says.
func (q *Queues) Send(name, body string, attributes MessageAttributes, delay time.Duration) (Message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return Message{}, err
	}
	if most, _ := strconv.Atoi(u.attribute("MaximumMessageSize")); len(body)+attributes.Size() > most {
		return Message{}, &Error{"InvalidParameterValue", fmt.Sprintf("One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", most)}
	}
	if delay < 0 {
		delay = u.seconds("DelaySeconds")
	}
	now := q.clock.Now()
	sum := md5.Sum([]byte(body)) //nolint:gosec // see the import
	q.sent++
	m := &message{
		Queue: name, Number: q.sent,
		Message: Message{ID: uuid.NewString(), Body: body, MD5: hex.EncodeToString(sum[:]), Attributes: attributes, Sent: now},
		Visible: now.Add(delay), Delayed: delay > 0,
	}
	u.messages = append(u.messages, m)
	q.keepMessage(m)
	q.tell()
	q.observe(name, "NumberOfMessagesSent", 1)
	q.observe(name, "SentMessageSize", float64(len(body)+attributes.Size()))
	return m.Message, nil
}

// tell wakes those that wait for a message. The caller holds q.mu.
func (q *Queues) tell() {
	close(q.news)
	q.news = make(chan struct{})
}

// SendToARN adds a message to the queue of an ARN of this region.
func (q *Queues) SendToARN(arn, body string, attributes MessageAttributes) error {
	name, ours := strings.CutPrefix(arn, q.arn(""))
	if !ours {
		return &Error{codeNoQueue, "The specified queue does not exist."}
	}
	_, err := q.Send(name, body, attributes, -1)
	return err
}

// Receive gives up to limit messages, which nobody else gets for the visibility timeout; negative for what the queue says.
func (q *Queues) Receive(name string, limit int, visibility time.Duration) ([]Message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return nil, err
	}
	if visibility < 0 {
		visibility = u.seconds("VisibilityTimeout")
	}
	q.redrive(u)
	now := q.clock.Now()
	var got []Message
	for _, m := range u.messages {
		if len(got) == limit {
			break
		}
		if m.Visible.After(now) {
			continue
		}
		m.Visible, m.Delayed, m.ReceiptHandle = now.Add(visibility), false, uuid.NewString()
		m.Received++
		m.Here++
		if m.First.IsZero() {
			m.First = now
		}
		q.keepMessage(m)
		got = append(got, m.Message)
	}
	if len(got) == 0 {
		q.observe(name, "NumberOfEmptyReceives", 1)
	} else {
		q.observe(name, "NumberOfMessagesReceived", float64(len(got)))
	}
	return got, nil
}

// Due gives in how long the next message of a queue can be received that nobody can receive now. ok is false when there is none.
func (q *Queues) Due(name string) (in time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u := q.queues[name]
	if u == nil {
		return 0, false
	}
	now := q.clock.Now()
	for _, m := range u.messages {
		if wait := m.Visible.Sub(now); wait > 0 && (!ok || wait < in) {
			in, ok = wait, true
		}
	}
	return in, ok
}

// News gives a channel that is closed when a message is sent next. Taken before receiving, it misses none.
func (q *Queues) News() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.news
}

// DeleteMessage removes a message by the handle of its last receipt. One that is gone is no error.
func (q *Queues) DeleteMessage(name, handle string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return err
	}
	q.remove(u, func(m *message) bool { return m.ReceiptHandle == handle && handle != "" })
	q.observe(name, "NumberOfMessagesDeleted", 1)
	return nil
}

// ChangeVisibility says anew when a received message comes back.
func (q *Queues) ChangeVisibility(name, handle string, visibility time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return err
	}
	for _, m := range u.messages {
		if m.ReceiptHandle == handle && handle != "" {
			m.Visible = q.clock.Now().Add(visibility)
			q.keepMessage(m)
			q.tell()
			return nil
		}
	}
	return &Error{"ReceiptHandleIsInvalid", "The input receipt handle is invalid."}
}

// Purge removes every message.
func (q *Queues) Purge(name string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err == nil {
		q.remove(u, func(*message) bool { return true })
	}
	return err
}
