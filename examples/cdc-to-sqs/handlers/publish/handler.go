// Package publish handles the changes of table "customers".
package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"streamgen/examples/cdc-to-sqs/generated/tables/customers"
	"streamgen/runtime/stream"
)

// queue is the client and the queue's address, looked up once.
type queue struct {
	client *sqs.Client
	url    *string
}

var connect = sync.OnceValues(func() (queue, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return queue{}, err
	}
	q := queue{client: sqs.NewFromConfig(settings)}
	found, err := q.client.GetQueueUrl(context.Background(), &sqs.GetQueueUrlInput{QueueName: aws.String(os.Getenv("QUEUE"))})
	if err != nil {
		return queue{}, fmt.Errorf("find the queue: %w", err)
	}
	q.url = found.QueueUrl
	return q, nil
})

// Event is what readers of the queue get. They may get it twice, and know it by its ID then.
type Event struct {
	ID   string      `json:"id"`
	Kind stream.Kind `json:"kind"`
	At   time.Time   `json:"at"`
	// Change is the stream's record: keys and images with all their attributes.
	Change json.RawMessage `json:"change"`
}

// Handle sends a change to the queue.
func Handle(ctx context.Context, c stream.Change[customers.Item]) error {
	q, err := connect()
	if err != nil {
		return err
	}
	body, err := json.Marshal(Event{ID: c.EventID, Kind: c.Kind, At: c.CreatedAt, Change: json.RawMessage(c.DynamoDB)})
	if err != nil {
		return err
	}
	_, err = q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: q.url, MessageBody: aws.String(string(body))})
	return err
}
