package dynamodb_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func transactPut(it item) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{TableName: aws.String("orders"), Item: it}}
}

func TestTransactWriteItems(t *testing.T) {
	s := newTable(t)
	orders := aws.String("orders")
	s.put(t, item{"pk": str("a"), "sk": num("2"), "n": num("1")})
	s.put(t, item{"pk": str("a"), "sk": num("3")})
	s.put(t, item{"pk": str("a"), "sk": num("4"), "state": str("open")})
	write := func(state string) error {
		_, err := s.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			transactPut(item{"pk": str("a"), "sk": num("1"), "made": str(state)}),
			{Update: &types.Update{TableName: orders, Key: key("a", "2"), UpdateExpression: aws.String("SET n = n + :one"),
				ExpressionAttributeValues: item{":one": num("1")}}},
			{Delete: &types.Delete{TableName: orders, Key: key("a", "3")}},
			{ConditionCheck: &types.ConditionCheck{TableName: orders, Key: key("a", "4"), ConditionExpression: aws.String("#s = :s"),
				ExpressionAttributeNames: map[string]string{"#s": "state"}, ExpressionAttributeValues: item{":s": str(state)},
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
		}})
		return err
	}
	err := write("closed")
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || len(canceled.CancellationReasons) != 4 {
		t.Fatalf("%v", err)
	}
	expectError(t, err, "TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [None, None, None, ConditionalCheckFailed]")
	for i, reason := range canceled.CancellationReasons {
		want := "None"
		if i == 3 {
			want = "ConditionalCheckFailed"
			same(t, "item of the failed check", reason.Item, item{"pk": str("a"), "sk": num("4"), "state": str("open")})
			if aws.ToString(reason.Message) != "The conditional request failed" {
				t.Errorf("message %q", aws.ToString(reason.Message))
			}
		} else if reason.Message != nil || reason.Item != nil {
			t.Errorf("reason %d: %+v", i, reason)
		}
		if aws.ToString(reason.Code) != want {
			t.Errorf("reason %d is %q, want %q", i, aws.ToString(reason.Code), want)
		}
	}
	if got := s.get(t, key("a", "1")); len(got) != 0 {
		t.Errorf("a canceled transaction put %v", got)
	}
	if err := write("open"); err != nil {
		t.Fatal(err)
	}
	same(t, "put", s.get(t, key("a", "1")), item{"pk": str("a"), "sk": num("1"), "made": str("open")})
	same(t, "updated", s.get(t, key("a", "2")), item{"pk": str("a"), "sk": num("2"), "n": num("2")})
	if got := s.get(t, key("a", "3")); len(got) != 0 {
		t.Errorf("not deleted: %v", got)
	}
}

// A token makes a transaction once, for ten minutes, and is for one request alone.
func TestTransactionTokens(t *testing.T) {
	s := newTable(t)
	add := func(amount, token string) (*dynamodb.TransactWriteItemsOutput, error) {
		return s.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: &token, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: aws.String("orders"), Key: key("a", "1"), UpdateExpression: aws.String("ADD n :n"), ExpressionAttributeValues: item{":n": num(amount)},
			}}},
		})
	}
	for _, step := range []struct {
		amount, token string
		wait          time.Duration
		n             string
		wrote         bool
	}{
		{"1", "first", 0, "1", true},
		{"1", "first", 0, "1", false},
		{"1", "second", 0, "2", true},
		{"1", "first", 10*time.Minute - time.Second, "2", false},
		{"1", "first", time.Second, "3", true},
	} {
		s.clock.Advance(step.wait)
		out, err := add(step.amount, step.token)
		if err != nil {
			t.Fatal(err)
		}
		if c := out.ConsumedCapacity[0]; (aws.ToFloat64(c.WriteCapacityUnits) == 2) != step.wrote || (aws.ToFloat64(c.ReadCapacityUnits) == 2) == step.wrote {
			t.Errorf("%+v: took %v for writing, %v for reading", step, aws.ToFloat64(c.WriteCapacityUnits), aws.ToFloat64(c.ReadCapacityUnits))
		}
		same(t, fmt.Sprint(step), s.get(t, key("a", "1")), item{"pk": str("a"), "sk": num("1"), "n": num(step.n)})
	}
	_, err := add("2", "first")
	var mismatch *types.IdempotentParameterMismatchException
	if !errors.As(err, &mismatch) {
		t.Errorf("another request with the token: %v", err)
	}
}

func TestTransactGetItems(t *testing.T) {
	s := newTable(t)
	s.put(t, item{"pk": str("a"), "sk": num("1"), "n": num("1"), "m": &types.AttributeValueMemberM{Value: item{"x": str("y"), "z": str("z")}}})
	get := func(k item, projection string) types.TransactGetItem {
		g := &types.Get{TableName: aws.String("orders"), Key: k}
		if projection != "" {
			g.ProjectionExpression = &projection
		}
		return types.TransactGetItem{Get: g}
	}
	out, err := s.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		TransactItems:          []types.TransactGetItem{get(key("a", "2"), ""), get(key("a", "1"), "n, m.x"), get(key("a", "1"), "absent")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Responses[0].Item != nil {
		t.Errorf("an item that is not there: %v", out.Responses[0].Item)
	}
	same(t, "projection", out.Responses[1].Item, item{"n": num("1"), "m": &types.AttributeValueMemberM{Value: item{"x": str("y")}}})
	if len(out.Responses[2].Item) != 0 {
		t.Errorf("nothing of the item: %v", out.Responses[2].Item)
	}
	if got := aws.ToFloat64(out.ConsumedCapacity[0].ReadCapacityUnits); got != 6 {
		t.Errorf("took %v units, want 6", got)
	}
}

func TestRefusedTransactions(t *testing.T) {
	s := newTable(t)
	put := `{"Put":{"TableName":"orders","Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}}`
	for _, c := range []struct{ name, operation, body, code, message string }{
		{"one item twice", "TransactWriteItems", `{"TransactItems":[` + put + `,` + put + `]}`,
			"ValidationException", "Transaction request cannot include multiple operations on one item"},
		{"two actions in one", "TransactWriteItems", `{"TransactItems":[` + strings.Replace(put, "{", `{"Delete":{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"2"}}},`, 1) + `]}`,
			"ValidationException", "TransactItems can only contain one of Check, Put, Update or Delete"},
		{"no action", "TransactWriteItems", `{"TransactItems":[{}]}`,
			"ValidationException", "TransactItems can only contain one of Check, Put, Update or Delete"},
		{"an unknown table", "TransactWriteItems", `{"TransactItems":[` + strings.Replace(put, "orders", "nothing", 1) + `]}`,
			"ResourceNotFoundException", "Requested resource not found"},
		{"an unknown table to read", "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"nothing","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}}]}`,
			"ResourceNotFoundException", "Requested resource not found"},
		{"a key of another shape", "TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"orders","Key":{"pk":{"S":"a"}}}}]}`,
			"TransactionCanceledException", "[ValidationError]"},
		{"too many", "TransactWriteItems", `{"TransactItems":[` + strings.TrimSuffix(strings.Repeat(put+",", 101), ",") + `]}`,
			"ValidationException", "Member must have length less than or equal to 100"},
		{"none", "TransactWriteItems", `{"TransactItems":[]}`, "ValidationException", "Member must have length greater than or equal to 1"},
		{"a check without condition", "TransactWriteItems", `{"TransactItems":[{"ConditionCheck":{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}}]}`,
			"ValidationException", "'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: Member must not be null"},
		{"a token too long", "TransactWriteItems", `{"ClientRequestToken":"` + strings.Repeat("x", 37) + `","TransactItems":[` + put + `]}`,
			"ValidationException", "Member must have length less than or equal to 36"},
	} {
		status, answer := s.post(t, c.operation, c.body)
		if status != 400 || !strings.Contains(answer, c.code) || !strings.Contains(answer, c.message) {
			t.Errorf("%s: %d %s\nwant %s: %s", c.name, status, answer, c.code, c.message)
		}
	}
	if got := s.get(t, key("a", "1")); len(got) != 0 {
		t.Errorf("a refused transaction put %v", got)
	}
}
