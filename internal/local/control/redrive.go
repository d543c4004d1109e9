package control

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// RedrivePolicy says where a queue's messages go that were received too often.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
type RedrivePolicy struct {
	// Target is the ARN of the dead-letter queue.
	Target string
	// Most is how often a message is received at most, 1 to 1000.
	Most int
}

// ParseRedrivePolicy reads the attribute RedrivePolicy, in which numbers may be strings.
func ParseRedrivePolicy(text string) (RedrivePolicy, error) {
	invalid := func(why string) (RedrivePolicy, error) {
		return RedrivePolicy{}, &Error{"InvalidParameterValue", fmt.Sprintf("Value %s for parameter RedrivePolicy is invalid. Reason: %s", text, why)}
	}
	var in map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return invalid("Redrive policy is not a valid JSON map.")
	}
	var p RedrivePolicy
	for name, raw := range in {
		switch name {
		case "deadLetterTargetArn":
			if json.Unmarshal(raw, &p.Target) != nil {
				return invalid("Invalid value for deadLetterTargetArn.")
			}
		case "maxReceiveCount":
			p.Most, _ = strconv.Atoi(strings.Trim(string(raw), `"`)) // what is no number is 0
		default:
			return invalid("Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].")
		}
	}
	switch {
	case p.Target == "":
		return invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case in["maxReceiveCount"] == nil:
		return invalid("Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	case p.Most < 1 || p.Most > 1000:
		return invalid("Invalid value for maxReceiveCount: must be an integer from 1 to 1000.")
	}
	return p, nil
}

// redriveAllowPolicy says which queues may have a queue as their dead-letter queue.
type redriveAllowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

// CheckRedriveAllowPolicy checks the attribute RedriveAllowPolicy.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func CheckRedriveAllowPolicy(text string) error {
	p, err := parseRedriveAllow(text)
	switch {
	case err != nil,
		!slices.Contains([]string{"allowAll", "denyAll", "byQueue"}, p.Permission),
		p.Permission == "byQueue" && (len(p.Sources) == 0 || len(p.Sources) > 10),
		p.Permission != "byQueue" && p.Sources != nil:
		return &Error{"InvalidParameterValue", fmt.Sprintf("Value %s for parameter RedriveAllowPolicy is invalid.", text)}
	}
	return nil
}

func parseRedriveAllow(text string) (p redriveAllowPolicy, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	return p, dec.Decode(&p)
}

// deadLetters gives the queue that messages of another go to, if that one lets them. The caller holds q.mu.
func (q *Queues) deadLetters(sourceARN string, p RedrivePolicy) (*queue, error) {
	target := q.queues[strings.TrimPrefix(p.Target, q.arn(""))]
	if target == nil {
		return nil, &Error{"InvalidParameterValue", fmt.Sprintf("Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.", p.Target)}
	}
	if text := target.Attributes["RedriveAllowPolicy"]; text != "" {
		allow, _ := parseRedriveAllow(text) // checked when it was set
		if allow.Permission == "denyAll" || allow.Permission == "byQueue" && !slices.Contains(allow.Sources, sourceARN) {
			return nil, &Error{"InvalidParameterValue", fmt.Sprintf("Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not allow this queue as a source.", p.Target)}
		}
	}
	return target, nil
}

// checkRedrive refuses a redrive policy whose target is not there, or does not let this queue. The caller holds q.mu.
func (q *Queues) checkRedrive(sourceARN, text string) error {
	if text == "" {
		return nil
	}
	p, err := ParseRedrivePolicy(text)
	if err == nil {
		_, err = q.deadLetters(sourceARN, p)
	}
	return err
}

// redrive moves a queue's messages that were received as often as its policy says, and can be received again, to its dead-letter queue.
// Their age and the count of their receipts go on. A target that is gone leaves them where they are. The caller holds q.mu.
func (q *Queues) redrive(u *queue) {
	text := u.Attributes["RedrivePolicy"]
	if text == "" {
		return
	}
	p, _ := ParseRedrivePolicy(text) // checked when it was set
	target, err := q.deadLetters(u.ARN, p)
	if err != nil || target == u {
		return
	}
	now := q.clock.Now()
	moves := func(m *message) bool { return m.Here >= p.Most && !m.Visible.After(now) }
	var moved []*message
	for _, m := range u.messages {
		if moves(m) {
			again := *m
			moved = append(moved, &again)
		}
	}
	q.remove(u, moves)
	for _, m := range moved {
		q.sent++
		m.Queue, m.Number, m.Source = target.Name, q.sent, u.ARN
		m.ReceiptHandle, m.Here = "", 0
		target.messages = append(target.messages, m)
		q.keepMessage(m)
	}
	if len(moved) > 0 {
		q.tell()
	}
}

// Sources are the names of the queues whose dead-letter queue this one is, sorted.
func (q *Queues) Sources(name string) ([]string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	u, err := q.find(name)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, source := range q.queues {
		if p, err := ParseRedrivePolicy(source.Attributes["RedrivePolicy"]); err == nil && p.Target == u.ARN {
			names = append(names, source.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Policy gives the policy of the queue of an ARN. ok is false when there is none.
func (q *Queues) Policy(arn string) (text string, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	name, ours := strings.CutPrefix(arn, q.arn(""))
	u := q.queues[name]
	if !ours || u == nil {
		return "", false
	}
	text = u.Attributes["Policy"]
	return text, text != ""
}
