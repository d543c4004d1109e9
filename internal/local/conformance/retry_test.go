package conformance_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/internal/local"
)

func TestTheSDKRetriesThrottlesToSuccess(t *testing.T) {
	t.Parallel()
	stack := newStack(t, local.Options{})
	cfg := config(stack.Endpoint())
	cfg.RetryMaxAttempts = 0
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = 20 // at a rate of one half, one write in a million fails for good
			o.RateLimiter = ratelimit.None
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		})
	}
	db := dynamodb.NewFromConfig(cfg)
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	must(t, err)
	res, err := http.Post(stack.Endpoint()+"/_streamgen/faults", "application/json",
		strings.NewReader(`{"kind":"throttle","service":"dynamodb","operation":"PutItem","table":"orders","rate":0.5,"seed":7}`))
	must(t, err)
	_ = res.Body.Close()
	const writes = 50
	for i := range writes {
		_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: fmt.Sprint(i)},
		}})
		must(t, err)
	}
	count, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders"), Select: types.SelectCount})
	must(t, err)
	if count.Count != writes {
		t.Errorf("there are %d items, want %d", count.Count, writes)
	}
	res, err = http.Get(stack.Endpoint() + "/_streamgen/faults")
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	var set struct{ Faults []local.Fault }
	must(t, json.NewDecoder(res.Body).Decode(&set))
	if struck := set.Faults[0].Struck; struck < writes/4 {
		t.Errorf("%d attempts were throttled, want about as many as %d writes", struck, writes)
	}
}
