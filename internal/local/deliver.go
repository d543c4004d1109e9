package local

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/control"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
	"streamgen/internal/local/objects"
)

// report sends a mapping's report about records that it gives up to where the mapping says.
func (s *Stack) report(d esm.Delivery) error {
	if bucket, isBucket := strings.CutPrefix(d.Destination, bucketARN); isBucket {
		return s.storeReport(bucket, d)
	}
	return s.send(d.Destination, d.Document, nil)
}

// outcome sends what a function's asynchronous invocation ended with to where its configuration says.
func (s *Stack) outcome(functions *host.Host, d host.Delivery) error {
	if bucket, isBucket := strings.CutPrefix(d.Destination, bucketARN); isBucket {
		return s.store(bucket, "async/"+functionOfARN(d.FunctionARN), d.At, []byte(d.Document))
	}
	if strings.HasPrefix(d.Destination, "arn:aws:lambda:") {
		_, err := functions.InvokeAsync(d.Destination, []byte(d.Document))
		return err
	}
	return s.send(d.Destination, d.Document, messageAttributes(d.Attributes))
}

// bucketARN begins the ARN of a bucket.
const bucketARN = "arn:aws:s3:::"

// messageAttributes gives a dead letter's attributes the types that queues and topics know.
func messageAttributes(of map[string]string) control.MessageAttributes {
	attributes := control.MessageAttributes{}
	for attribute, value := range of {
		kind := "String"
		switch {
		case value == "": // none that is empty is taken
			continue
		case attribute == "ErrorCode":
			kind = "Number"
		}
		attributes[attribute] = control.MessageAttribute{DataType: kind, Value: []byte(value)}
	}
	return attributes
}

// send sends a message to the queue or the topic of an ARN.
func (s *Stack) send(arn, message string, attributes control.MessageAttributes) error {
	service, r, err := s.home(arn)
	if err != nil {
		return err
	}
	switch service {
	case "sqs":
		return r.queues.SendToARN(arn, message, attributes)
	case "sns":
		return r.publish(arn, control.Publication{Message: message, Attributes: attributes})
	}
	return fmt.Errorf("streamgen local does not emulate the destination %s: it knows queues, topics and buckets", arn)
}

// home gives the service and the region of an ARN of this account, also while the stack is closing: what mappings have in flight then still
// has somewhere to go.
func (s *Stack) home(arn string) (service string, r *regional, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[4] != Account {
		return "", nil, fmt.Errorf("%s is no destination of this account", arn)
	}
	s.mu.Lock()
	r = s.regions[parts[3]]
	s.mu.Unlock()
	if r == nil {
		r, err = s.region(parts[3])
	}
	return parts[2], r, err
}

func (r *regional) publish(topicARN string, p control.Publication) error {
	_, err := r.topics.Publish(topicARN, p)
	return err
}

// publishAlarm publishes what an alarm says to a topic of its account.
func (s *Stack) publishAlarm(topicARN, subject, message string) error {
	service, r, err := s.home(topicARN)
	switch {
	case err != nil:
		return err
	case service != "sns":
		return fmt.Errorf("%s is no topic", topicARN)
	}
	return r.publish(topicARN, control.Publication{Subject: subject, Message: message})
}

// storeReport puts a mapping's report with the event into a bucket.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
func (s *Stack) storeReport(bucket string, d esm.Delivery) error {
	var document map[string]json.RawMessage
	if err := json.Unmarshal([]byte(d.Document), &document); err != nil {
		return err
	}
	payload, err := json.Marshal(d.Event)
	if err != nil {
		return err
	}
	document["payload"] = payload
	body, err := json.Marshal(document)
	if err != nil {
		return err
	}
	return s.store(bucket, d.Mapping+"/"+d.ShardID, d.At, body)
}

// store puts what Lambda gave up into a bucket, under a name that tells whose it was and when.
// https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
func (s *Stack) store(bucket, whose string, at time.Time, body []byte) error {
	at = at.UTC()
	key := fmt.Sprintf("aws/lambda/%s/%s/%s-%s", whose, at.Format("2006/01/02"), at.Format("2006-01-02T15.04.05"), uuid.NewString())
	_, err := s.objects.Put(bucket, objects.Object{Key: key, Body: body, Header: map[string]string{"Content-Type": "application/json"}}, nil)
	return err
}

// sendToSubscriber sends what was published to a subscribed queue, and tells the log of one that does not arrive.
func (s *Stack) sendToSubscriber(to control.Subscription, body string, attributes control.MessageAttributes) {
	_, r, err := s.home(to.Endpoint) // Subscribe takes ARNs of queues alone
	if err == nil {
		err = r.queues.SendToARN(to.Endpoint, body, attributes)
	}
	if err != nil {
		s.opts.Logger.Warn("a message did not arrive", "topic", to.TopicARN, "queue", to.Endpoint, "error", err)
	}
}
