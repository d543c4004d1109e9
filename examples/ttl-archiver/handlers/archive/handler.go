// Package archive handles the changes of table "sessions".
package archive

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"streamgen/examples/ttl-archiver/generated/tables/sessions"
	"streamgen/runtime/stream"
)

// connect makes the client once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*s3.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	return s3.NewFromConfig(settings, func(o *s3.Options) { o.UsePathStyle = true }), err
})

// Handle keeps the item that expired, with all its attributes. The object's name is that of the event, so that a change that comes
// twice is kept once.
func Handle(ctx context.Context, c stream.Change[sessions.Item]) error {
	store, err := connect()
	if err != nil {
		return err
	}
	_, err = store.PutObject(ctx, &s3.PutObjectInput{
		Bucket:      aws.String(os.Getenv("BUCKET")),
		Key:         aws.String(fmt.Sprintf("sessions/%s/%s/%s.json", c.CreatedAt.Format("2006/01/02"), url.PathEscape(c.Keys.ID), c.EventID)),
		Body:        strings.NewReader(string(c.DynamoDB)),
		ContentType: aws.String("application/json"),
	})
	return err
}
