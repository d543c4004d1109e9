package conformance_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/internal/local"
)

// BenchmarkThroughSDK compares the stack with a server that reads each request and answers it with the same bytes: what is left is the
// stack's. The items are of 1 KB.
func BenchmarkThroughSDK(b *testing.B) {
	text := strings.Repeat("x", 1000)
	answer := map[string]string{"PutItem": "{}", "GetItem": fmt.Sprintf(`{"Item":{"id":{"S":"1"},"text":{"S":"%s"}}}`, text)}
	constant := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, answer[operation])
	}))
	b.Cleanup(constant.Close)
	stack := newStack(b, local.Options{}).Endpoint()
	_, err := dynamodb.NewFromConfig(config(stack)).CreateTable(b.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	must(b, err)
	for _, connections := range []int{1, 8, 64} {
		for _, operation := range []string{"PutItem", "GetItem"} {
			for _, server := range []struct{ name, endpoint string }{{"constant", constant.URL}, {"stack", stack}} {
				b.Run(fmt.Sprintf("%s/%d/%s", operation, connections, server.name), func(b *testing.B) {
					cfg := config(server.endpoint)
					cfg.HTTPClient = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = connections })
					db := dynamodb.NewFromConfig(cfg)
					var next atomic.Int64
					work := func() error {
						key := &types.AttributeValueMemberS{Value: fmt.Sprint(next.Add(1) % 1000)}
						if operation == "GetItem" {
							_, err := db.GetItem(b.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: map[string]types.AttributeValue{"id": key}})
							return err
						}
						_, err := db.PutItem(b.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
							"id": key, "text": &types.AttributeValueMemberS{Value: text},
						}})
						return err
					}
					b.ResetTimer()
					var left atomic.Int64
					left.Store(int64(b.N))
					var clients sync.WaitGroup
					for range connections {
						clients.Go(func() {
							for left.Add(-1) >= 0 {
								if err := work(); err != nil {
									b.Error(err)
									return
								}
							}
						})
					}
					clients.Wait()
				})
			}
		}
	}
}
