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
		return r.queues.SendToARN(d.Destination, d.Document, messageAttributes(d.Attributes))
	case len(parts) > 6 && parts[2] == "lambda":
		_, err := r.functions.InvokeAsync(d.Destination, []byte(d.Document))
		return err
	}
	return fmt.Errorf("streamgen local does not emulate the destination %s", d.Destination)
}

// messageAttributes gives a dead letter's attributes the types that SQS knows.
func messageAttributes(of map[string]string) control.MessageAttributes {
	attributes := control.MessageAttributes{}
	for attribute, value := range of {
		kind := "String"
		switch {
		case value == "": // SQS takes none that is empty
			continue
		case attribute == "ErrorCode":
			kind = "Number"
		}
		attributes[attribute] = control.MessageAttribute{DataType: kind, Value: []byte(value)}
	}
	return attributes
}
