// Package streamdynamodb notes in a DynamoDB table which records are done, so that no process of a function handles one of them again.
//
//	stream.On(orders.Name(), Handle, stream.Once(streamdynamodb.Default(os.Getenv("IDEMPOTENCY_TABLE"))))
//
// The table has the hash key id of type S and nothing besides; its time to live is the attribute expires_at. Every function needs a
// table of its own, since all functions that read a stream get the same records. The attributes:
//
//	id          the record's eventID
//	state       "claimed" or "done"
//	owner       of a claim, the process that has it
//	until       of a claim, its end, in milliseconds since 1970
//	expires_at  when DynamoDB may remove the item, in seconds since 1970: 25 hours later, as no record is in a stream for more than 24
//
// A record costs two writes of an item below 1 KB, one before it is handled and one after, and the time of both. One that comes again
// although it is done costs one write, which fails.
//
// A claim lasts until the deadline of its invocation. When the process dies before, the record fails until then wherever it comes again,
// which counts against the mapping's maximum_retry_attempts: such a function should not have a longer timeout than it needs.
//
// The function needs dynamodb:PutItem and dynamodb:DeleteItem for the table.
package streamdynamodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"streamgen/runtime/stream"
)

// kept is how long an item is of use. A stream keeps a record for 24 hours.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
const kept = 25 * time.Hour

const (
	claimed = "claimed"
	done    = "done"
)

// Client is what a Store needs of a [dynamodb.Client].
type Client interface {
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// Store notes records in a table. It is safe for concurrent use.
//
// The table keeps the processes apart, and the Store the goroutines of its process: it may take over a claim of its own that the table
// still has, as after a [Store.Release] that failed or a request that had to be repeated because its answer was lost, and does so only
// if none of its goroutines is at work on the record.
type Store struct {
	table   string
	owner   string
	now     func() time.Time
	connect func(context.Context) (Client, error)

	turn   chan struct{} // whoever has sent into it has client to itself
	client Client        // nil until a record is claimed

	mu       sync.Mutex
	underWay map[string]time.Time // the ends of this process's claims by eventID
}

var _ stream.Store = (*Store)(nil)

// New notes in the table of this name, in the client's account and region.
func New(client Client, table string) *Store {
	return newStore(table, func(context.Context) (Client, error) { return client, nil })
}

// Default notes in the table of this name, in the account and region of the function. The client is made when the first record is
// claimed.
func Default(table string) *Store {
	return newStore(table, func(ctx context.Context) (Client, error) {
		settings, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, err
		}
		return dynamodb.NewFromConfig(settings), nil
	})
}

func newStore(table string, connect func(context.Context) (Client, error)) *Store {
	return &Store{
		table: table, owner: rand.Text(), now: time.Now, connect: connect,
		turn: make(chan struct{}, 1), underWay: map[string]time.Time{},
	}
}

// Claim takes a record on until the given time. A record that somebody else has claimed until a later time than now is an error, and so is
// one without an eventID.
func (s *Store) Claim(ctx context.Context, eventID string, until time.Time) (isDone bool, err error) {
	if eventID == "" {
		return false, errors.New("claim the record: it has no eventID")
	}
	if err := s.begin(eventID, until); err != nil {
		return false, fmt.Errorf("claim the record: %w", err)
	}
	isDone, err = s.claim(ctx, eventID, until)
	if isDone || err != nil {
		s.end(eventID)
	}
	if err != nil {
		return false, fmt.Errorf("claim the record in table %q: %w", s.table, err)
	}
	return isDone, nil
}

func (s *Store) begin(eventID string, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if end, has := s.underWay[eventID]; has && s.now().Before(end) {
		return fmt.Errorf("%w, in this process", stream.ErrClaimed)
	}
	s.underWay[eventID] = until
	return nil
}

func (s *Store) end(eventID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.underWay, eventID)
}

func (s *Store) claim(ctx context.Context, eventID string, until time.Time) (isDone bool, err error) {
	client, err := s.open(ctx)
	if err != nil {
		return false, err
	}
	now := s.now()
	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table,
		Item: map[string]types.AttributeValue{
			"id": text(eventID), "state": text(claimed), "owner": text(s.owner), "until": milliseconds(until), "expires_at": expiry(now),
		},
		// A record that is done has neither until nor owner, so that only a claim can be taken over.
		ConditionExpression:                 aws.String("attribute_not_exists(id) OR #until < :now OR #owner = :owner"),
		ExpressionAttributeNames:            map[string]string{"#until": "until", "#owner": "owner"},
		ExpressionAttributeValues:           map[string]types.AttributeValue{":now": milliseconds(now), ":owner": text(s.owner)},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	taken, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		return false, err
	}
	// DynamoDB may remove an item days after its time. Until then it is true all the same: a record is done for good.
	if state, ok := taken.Item["state"].(*types.AttributeValueMemberS); ok && state.Value == done {
		return true, nil
	}
	return false, fmt.Errorf("%w%s", stream.ErrClaimed, endOf(taken.Item))
}

// endOf says until when a claim holds.
func endOf(item map[string]types.AttributeValue) string {
	until, ok := item["until"].(*types.AttributeValueMemberN)
	if !ok {
		return ""
	}
	ms, err := strconv.ParseInt(until.Value, 10, 64)
	if err != nil {
		return ""
	}
	return " until " + time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// Done notes that a record is done. It does so whoever has claimed the record in the meantime, because done it is.
func (s *Store) Done(ctx context.Context, eventID string) error {
	defer s.end(eventID)
	client, err := s.open(ctx)
	if err == nil {
		_, err = client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: &s.table,
			Item:      map[string]types.AttributeValue{"id": text(eventID), "state": text(done), "expires_at": expiry(s.now())},
		})
	}
	if err != nil {
		return fmt.Errorf("note the record as done in table %q: %w", s.table, err)
	}
	return nil
}

// Release gives a claim up. It leaves alone what is no longer this claim: the record may be done, or claimed anew after the claim's end.
func (s *Store) Release(ctx context.Context, eventID string) error {
	s.mu.Lock()
	until, has := s.underWay[eventID]
	s.mu.Unlock()
	if !has {
		return errors.New("release the record: it is not claimed")
	}
	defer s.end(eventID)
	client, err := s.open(ctx)
	if err == nil {
		_, err = client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &s.table,
			Key:       map[string]types.AttributeValue{"id": text(eventID)},
			// The claim's end tells it from a later one of this process, which a request that was long on its way might meet.
			ConditionExpression:       aws.String("#owner = :owner AND #until = :until"),
			ExpressionAttributeNames:  map[string]string{"#owner": "owner", "#until": "until"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":owner": text(s.owner), ":until": milliseconds(until)},
		})
	}
	if _, gone := errors.AsType[*types.ConditionalCheckFailedException](err); err != nil && !gone {
		return fmt.Errorf("release the record in table %q: %w", s.table, err)
	}
	return nil
}

// open gives the client. What fails is tried anew for the next record.
func (s *Store) open(ctx context.Context) (Client, error) {
	if s.table == "" {
		return nil, errors.New("it has no name")
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if s.client == nil {
		client, err := s.connect(ctx)
		if err != nil {
			return nil, err
		}
		s.client = client
	}
	return s.client, nil
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func milliseconds(t time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(t.UnixMilli(), 10)}
}

func expiry(now time.Time) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Add(kept).Unix(), 10)}
}
