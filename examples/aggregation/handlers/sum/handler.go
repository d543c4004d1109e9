// Package sum handles the changes of table "sales".
package sum

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/examples/aggregation/generated/tables/sales"
	"streamgen/examples/aggregation/generated/tables/totals"
	"streamgen/runtime/stream"
)

// connect makes the client once: Lambda keeps the process for many invocations.
var connect = sync.OnceValues(func() (*dynamodb.Client, error) {
	settings, err := config.LoadDefaultConfig(context.Background())
	return dynamodb.NewFromConfig(settings), err
})

// Totals is what a window's invocations hand on: the sums of each store so far.
type Totals map[string]Total

// Total is the sum of one store.
type Total struct {
	Sales int   `json:"sales"`
	Cents int64 `json:"cents"`
}

// Handle adds the changes to the window's totals, and writes them when the window is over. Each shard has windows of its own, so that
// its name belongs to the key; to write the same totals twice does no harm.
func Handle(ctx context.Context, w stream.Window, state Totals, changes []stream.Change[sales.Item]) (Totals, error) {
	if state == nil {
		state = Totals{}
	}
	for _, c := range changes {
		cents, err := c.New.Cents.Int64()
		if err != nil {
			return state, fmt.Errorf("sale %s: %w", c.EventID, err)
		}
		total := state[c.New.Store]
		total.Sales++
		total.Cents += cents
		state[c.New.Store] = total
	}
	if !w.Final && !w.TerminatedEarly {
		return state, nil
	}
	for store, total := range state {
		if err := write(ctx, store, w, total); err != nil {
			return state, err
		}
	}
	return Totals{}, nil
}

func write(ctx context.Context, store string, w stream.Window, total Total) error {
	db, err := connect()
	if err != nil {
		return err
	}
	_, err = db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(totals.Name()),
		Item: map[string]types.AttributeValue{
			"Store":  &types.AttributeValueMemberS{Value: store},
			"Window": &types.AttributeValueMemberS{Value: w.Start.UTC().Format(time.RFC3339) + "#" + w.ShardID},
			"Sales":  &types.AttributeValueMemberN{Value: strconv.Itoa(total.Sales)},
			"Cents":  &types.AttributeValueMemberN{Value: strconv.FormatInt(total.Cents, 10)},
		},
	})
	return err
}
