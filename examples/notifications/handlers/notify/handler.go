// Package notify handles the changes of table "orders".
package notify

import (
	"context"
	"fmt"
	"os"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"streamgen/examples/notifications/generated/tables/orders"
	"streamgen/runtime/stream"
)

// connect makes the client once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*sns.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	return sns.NewFromConfig(settings), err
})

// Handle publishes that an order was shipped. Which changes come here is said in gen.yaml. Subscribers filter by the attribute email.
func Handle(ctx context.Context, c stream.Change[orders.Item]) error {
	topic, err := connect()
	if err != nil {
		return err
	}
	_, err = topic.Publish(ctx, &sns.PublishInput{
		TopicArn: aws.String(os.Getenv("TOPIC")),
		Subject:  aws.String("Your order is on its way"),
		Message:  aws.String(fmt.Sprintf("Order %s has been shipped.", c.New.ID)),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"email": {DataType: aws.String("String"), StringValue: aws.String(c.New.Email)},
			"event": {DataType: aws.String("String"), StringValue: aws.String(c.EventID)},
		},
	})
	return err
}
