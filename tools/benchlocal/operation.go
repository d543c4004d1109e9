package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// operation is what a client does over and over: i grows, and no two clients of a turn have one i.
type operation struct {
	name string
	do   func(ctx context.Context, c *dynamodb.Client, i int) error
	// stackAlone leaves the other implementation out, which does not have the operation.
	stackAlone bool
}

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n int) types.AttributeValue    { return &types.AttributeValueMemberN{Value: fmt.Sprint(n)} }

var (
	table = aws.String("benchlocal")
	kilo  = strings.Repeat("x", 1000)
)

// many is how many items with keys of their own the table has; one more hash key has a hundred.
const many = 10_000

func key(i int) item { return item{"id": str(fmt.Sprintf("item-%05d", i%many)), "sort": num(0)} }

func whole(i int) item {
	it := key(i)
	it["note"], it["n"] = str(kilo), num(i)
	return it
}

var operations = []operation{
	{name: "PutItem", do: func(ctx context.Context, c *dynamodb.Client, i int) error {
		_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: whole(i)})
		return err
	}},
	{name: "GetItem", do: func(ctx context.Context, c *dynamodb.Client, i int) error {
		out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: key(i)})
		if err == nil && len(out.Item) == 0 {
			err = errors.New("no item")
		}
		return err
	}},
	{name: "UpdateItem", do: func(ctx context.Context, c *dynamodb.Client, i int) error {
		_, err := c.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: key(i), UpdateExpression: aws.String("SET n = n + :one"),
			ConditionExpression: aws.String("attribute_exists(id) AND n >= :zero"), ExpressionAttributeValues: item{":one": num(1), ":zero": num(0)}})
		return err
	}},
	{name: "Query", do: func(ctx context.Context, c *dynamodb.Client, _ int) error {
		out, err := c.Query(ctx, &dynamodb.QueryInput{TableName: table, KeyConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: item{":id": str("hundred")}})
		if err == nil && len(out.Items) != 100 {
			err = fmt.Errorf("%d items", len(out.Items))
		}
		return err
	}},
	{name: "TransactWriteItems", stackAlone: true, do: func(ctx context.Context, c *dynamodb.Client, i int) error {
		in := &dynamodb.TransactWriteItemsInput{}
		for n := range 10 {
			in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{TableName: table, Item: whole(i*10 + n)}})
		}
		_, err := c.TransactWriteItems(ctx, in)
		return err
	}},
}

func client(endpoint string, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{BaseEndpoint: &endpoint, Region: "us-east-1", Retryer: atOnce(), HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

// atOnce retries without a pause: a large answer that comes at once races with the SDK's closing of its own request, which makes it give up
// the connection and try again.
func atOnce() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
		o.MaxAttempts, o.RateLimiter = 20, ratelimit.None
	})
}

// prepare makes the table with its items, and gives what an endpoint answers to each operation.
func prepare(ctx context.Context, endpoint string) (*answers, error) {
	seen := &answers{ByTarget: map[string]answer{}}
	c := client(endpoint, seen)
	var absent *types.ResourceNotFoundException
	if _, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table}); err != nil && !errors.As(err, &absent) {
		return nil, err
	} else if err == nil {
		if err := dynamodb.NewTableNotExistsWaiter(c).Wait(ctx, &dynamodb.DescribeTableInput{TableName: table}, time.Minute); err != nil {
			return nil, err
		}
	}
	if _, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{TableName: table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}, {AttributeName: aws.String("sort"), AttributeType: "N"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}, {AttributeName: aws.String("sort"), KeyType: "RANGE"}}}); err != nil {
		return nil, err
	}
	if err := dynamodb.NewTableExistsWaiter(c).Wait(ctx, &dynamodb.DescribeTableInput{TableName: table}, time.Minute); err != nil {
		return nil, err
	}
	for from := 0; from < many+100; from += 25 {
		var writes []types.WriteRequest
		for i := from; i < from+25; i++ {
			it := whole(i)
			if i >= many {
				it = item{"id": str("hundred"), "sort": num(i - many), "note": str(kilo[:200])}
			}
			writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}})
		}
		if _, err := c.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{*table: writes}}); err != nil {
			return nil, err
		}
	}
	for _, op := range operations {
		if err := op.do(ctx, c, 0); err != nil && !op.stackAlone {
			return nil, fmt.Errorf("%s: %w", op.name, err)
		}
	}
	return seen, nil
}

// rate is how often a second so many clients do the operation, each one after the other.
func (op operation) rate(ctx context.Context, endpoint string, clients int, turn time.Duration) (float64, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = clients
	defer transport.CloseIdleConnections()
	c := client(endpoint, transport)
	for i := range clients { // connections
		if err := op.do(ctx, c, i); err != nil {
			return 0, err
		}
	}
	var wg sync.WaitGroup
	done, failed := make([]int, clients), make([]error, clients)
	begun := time.Now()
	for n := range clients {
		wg.Go(func() {
			for i := n; failed[n] == nil && time.Since(begun) < turn; i += clients {
				failed[n] = op.do(ctx, c, i)
				done[n]++
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	all := 0
	for _, n := range done {
		all += n
	}
	return float64(all) / took.Seconds(), errors.Join(failed...)
}
