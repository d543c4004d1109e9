package local

import (
	"context"
	"fmt"
	"strings"

	"streamgen/internal/local/control"
	"streamgen/internal/local/host"
)

// deliver sends what a function's asynchronous invocation ended with to a queue or to another function.
func (r *regional) deliver(_ context.Context, d host.Delivery) error {
	switch parts := strings.Split(d.Destination, ":"); {
	case len(parts) == 6 && parts[2] == "sqs":
		return r.deliverToQueue(parts[5], d)
	case len(parts) > 6 && parts[2] == "lambda":
		_, err := r.functions.InvokeAsync(d.Destination, []byte(d.Document))
		return err
	}
	return fmt.Errorf("streamgen local does not emulate the destination %s", d.Destination)
}

func (r *regional) deliverToQueue(name string, d host.Delivery) error {
	queue, err := r.queues.Get(name)
	if err != nil {
		return err
	}
	if queue.ARN != d.Destination {
		return fmt.Errorf("the queue %s is of another account or region", d.Destination)
	}
	attributes := control.MessageAttributes{}
	for attribute, value := range d.Attributes {
		kind := "String"
		switch {
		case value == "": // SQS takes none that is empty
			continue
		case attribute == "ErrorCode":
			kind = "Number"
		}
		attributes[attribute] = control.MessageAttribute{DataType: kind, Value: []byte(value)}
	}
	_, err = r.queues.Send(name, d.Document, attributes, -1)
	return err
}
