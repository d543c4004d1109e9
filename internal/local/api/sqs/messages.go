package sqs

import (
	"context"
	"slices"
	"strconv"
	"time"

	"streamgen/internal/local/control"
	"streamgen/internal/local/wire"
)

type sendMessageInput struct {
	QueueUrl          string
	MessageBody       string
	DelaySeconds      *int
	MessageAttributes map[string]messageAttribute
}

type sendMessageOutput struct {
	MessageId, MD5OfMessageBody string
	MD5OfMessageAttributes      string `json:",omitempty"`
}

func (s service) sendMessage(_ context.Context, in *sendMessageInput) (*sendMessageOutput, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if in.MessageBody == "" {
		return nil, wire.Errorf("MissingParameter", "The request must contain the parameter MessageBody.")
	}
	if !allowed(in.MessageBody) {
		return nil, wire.Errorf("InvalidMessageContents", "The message contains characters outside the allowed set.")
	}
	attributes, err := decodeMessageAttributes(in.MessageAttributes)
	if err != nil {
		return nil, err
	}
	delay, err := seconds(in.DelaySeconds, "DelaySeconds", 900)
	if err != nil {
		return nil, err
	}
	m, err := s.queues.Send(name, in.MessageBody, attributes, delay)
	if err != nil {
		return nil, err
	}
	return &sendMessageOutput{m.ID, m.MD5, m.Attributes.MD5()}, nil
}

// seconds gives a number of seconds, negative where there is none.
func seconds(n *int, name string, most int) (time.Duration, error) {
	if n == nil {
		return -1, nil
	}
	if *n < 0 || *n > most {
		return 0, wire.Errorf("InvalidParameterValue", "Value %d for parameter %s is invalid. Reason: Must be between 0 and %d, if provided.", *n, name, most)
	}
	return time.Duration(*n) * time.Second, nil
}

type receiveMessageInput struct {
	QueueUrl                    string
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
}

type receivedMessage struct {
	MessageId, ReceiptHandle, MD5OfBody, Body string
	Attributes                                map[string]string           `json:",omitempty"`
	MessageAttributes                         map[string]messageAttribute `json:",omitempty"`
	MD5OfMessageAttributes                    string                      `json:",omitempty"`
}

type receiveMessageOutput struct {
	Messages []receivedMessage `json:",omitempty"`
}

func (s service) receiveMessage(ctx context.Context, in *receiveMessageInput) (*receiveMessageOutput, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	most := 1
	if in.MaxNumberOfMessages != nil {
		if most = *in.MaxNumberOfMessages; most < 1 || most > 10 {
			return nil, wire.Errorf("InvalidParameterValue", "Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", most)
		}
	}
	visibility, err := seconds(in.VisibilityTimeout, "VisibilityTimeout", 43_200)
	if err != nil {
		return nil, err
	}
	wait, err := seconds(in.WaitTimeSeconds, "WaitTimeSeconds", 20)
	if err != nil {
		return nil, err
	}
	if wait < 0 {
		q, err := s.queues.Get(name)
		if err != nil {
			return nil, err
		}
		n, _ := strconv.Atoi(q.Attributes["ReceiveMessageWaitTimeSeconds"]) // checked when it was set
		wait = time.Duration(n) * time.Second
	}
	got, err := s.poll(ctx, name, most, visibility, wait)
	if err != nil {
		return nil, err
	}
	out := &receiveMessageOutput{}
	names := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	for _, m := range got {
		wanted := wantedAttributes(m.Attributes, in.MessageAttributeNames)
		out.Messages = append(out.Messages, receivedMessage{
			m.ID, m.ReceiptHandle, m.MD5, m.Body, attributesOfMessage(m, names), encodeMessageAttributes(wanted), wanted.MD5(),
		})
	}
	return out, nil
}

// poll waits for a message for as long as the caller asked: for one that is sent, and for one that becomes visible again.
func (s service) poll(ctx context.Context, name string, most int, visibility, wait time.Duration) ([]control.Message, error) {
	timer, stop := s.clock.After(wait)
	defer stop()
	for {
		news := s.queues.News()
		got, err := s.queues.Receive(name, most, visibility)
		if err != nil || len(got) > 0 || wait == 0 {
			return got, err
		}
		if over, err := s.await(ctx, name, news, timer); over || err != nil {
			return nil, err
		}
	}
}

// await returns when there may be a message, or with over when the time is.
func (s service) await(ctx context.Context, name string, news <-chan struct{}, timer <-chan time.Time) (over bool, err error) {
	var due <-chan time.Time
	if in, some := s.queues.Due(name); some {
		c, stop := s.clock.After(in)
		defer stop()
		due = c
	}
	select {
	case <-news:
		return false, nil
	case <-due:
		return false, nil
	case <-timer:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func attributesOfMessage(m control.Message, names []string) map[string]string {
	all := map[string]string{
		"ApproximateReceiveCount":          strconv.Itoa(m.Received),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.First.UnixMilli(), 10),
		"SentTimestamp":                    strconv.FormatInt(m.Sent.UnixMilli(), 10),
	}
	if m.Source != "" {
		all["DeadLetterQueueSourceArn"] = m.Source
	}
	if slices.Contains(names, "All") {
		return all
	}
	out := map[string]string{}
	for _, name := range names {
		if value, known := all[name]; known {
			out[name] = value
		}
	}
	return out
}

type receiptInput struct{ QueueUrl, ReceiptHandle string }

func (s service) deleteMessage(_ context.Context, in *receiptInput) (*none, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return nil, s.queues.DeleteMessage(name, in.ReceiptHandle)
}

type changeVisibilityInput struct {
	QueueUrl, ReceiptHandle string
	VisibilityTimeout       int
}

func (s service) changeMessageVisibility(_ context.Context, in *changeVisibilityInput) (*none, error) {
	name, err := s.name(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	visibility, err := seconds(&in.VisibilityTimeout, "VisibilityTimeout", 43_200)
	if err != nil {
		return nil, err
	}
	return nil, s.queues.ChangeVisibility(name, in.ReceiptHandle, visibility)
}
