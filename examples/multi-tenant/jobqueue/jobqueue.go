// Package jobqueue is what both handlers share: the jobs that documents become.
package jobqueue

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/examples/multi-tenant/generated/tables/documents"
	"streamgen/examples/multi-tenant/generated/tables/jobs"
)

// connect makes the client once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*dynamodb.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	return dynamodb.NewFromConfig(settings), err
})

// Put makes or renews the job of a document in a queue.
func Put(ctx context.Context, queue string, d *documents.Item) error {
	db, err := connect()
	if err != nil {
		return err
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(jobs.Name()),
		Item: map[string]types.AttributeValue{
			"Tenant":   &types.AttributeValueMemberS{Value: d.Tenant},
			"Document": &types.AttributeValueMemberS{Value: d.ID},
			"Queue":    &types.AttributeValueMemberS{Value: queue},
			"Title":    &types.AttributeValueMemberS{Value: d.Title},
		},
	})
	return err
}
