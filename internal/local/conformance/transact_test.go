package conformance_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

func (d *database) transact(items ...ddb.TransactWriteItem) error {
	_, err := d.TransactWriteItems(d.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: items})
	return err
}

func (d *database) putOf(id, condition string) ddb.TransactWriteItem {
	put := &ddb.Put{TableName: d.table, Item: item{"id": str(id)}}
	if condition != "" {
		put.ConditionExpression = &condition
		put.ReturnValuesOnConditionCheckFailure = ddb.ReturnValuesOnConditionCheckFailureAllOld
	}
	return ddb.TransactWriteItem{Put: put}
}

func (d *database) updateOf(id, expression string, values item) ddb.TransactWriteItem {
	return ddb.TransactWriteItem{Update: &ddb.Update{TableName: d.table, Key: item{"id": str(id)}, UpdateExpression: &expression, ExpressionAttributeValues: values}}
}

func (d *database) deleteOf(id string) ddb.TransactWriteItem {
	return ddb.TransactWriteItem{Delete: &ddb.Delete{TableName: d.table, Key: item{"id": str(id)}}}
}

func (d *database) checkOf(id, condition string) ddb.TransactWriteItem {
	return ddb.TransactWriteItem{ConditionCheck: &ddb.ConditionCheck{TableName: d.table, Key: item{"id": str(id)}, ConditionExpression: &condition}}
}

// TestTransactions writes by all four kinds of actions at once, and reads what they left.
func TestTransactions(t *testing.T) {
	d := newDatabase(t, "id:S")
	d.put(`{"id":{"S":"old"},"n":{"N":"1"}}`, `{"id":{"S":"gone"}}`, `{"id":{"S":"checked"}}`)
	must(t, d.transact(d.putOf("new", "attribute_not_exists(id)"), d.updateOf("old", "ADD n :n", item{":n": num("4")}), d.deleteOf("gone"), d.checkOf("checked", "attribute_exists(id)")))
	out, err := d.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []ddb.TransactGetItem{
		{Get: &ddb.Get{TableName: d.table, Key: item{"id": str("old")}, ProjectionExpression: aws.String("n")}},
		{Get: &ddb.Get{TableName: d.table, Key: item{"id": str("gone")}}},
		{Get: &ddb.Get{TableName: d.table, Key: item{"id": str("new")}}},
	}})
	must(t, err)
	for i, want := range []string{`{"n":{"N":"5"}}`, ``, `{"id":{"S":"new"}}`} {
		d.want(fmt.Sprintf("item %d", i), jsonOf(t, out.Responses[i].Item), want)
	}
}

// TestCanceledTransactions changes nothing, and gives a reason for each of its actions.
func TestCanceledTransactions(t *testing.T) {
	d := newDatabase(t, "id:S")
	d.put(`{"id":{"S":"a"},"s":{"S":"text"}}`)
	tooLarge := d.putOf("large", "")
	tooLarge.Put.Item["v"] = str(strings.Repeat("v", 400<<10))
	for name, c := range map[string]struct {
		actions []ddb.TransactWriteItem
		reasons []string
	}{
		"a condition": {[]ddb.TransactWriteItem{d.putOf("b", ""), d.putOf("a", "attribute_not_exists(id)")},
			[]string{"None", `ConditionalCheckFailed: The conditional request failed {"id":{"S":"a"},"s":{"S":"text"}}`}},
		"all that failed": {[]ddb.TransactWriteItem{d.checkOf("z", "attribute_exists(id)"), d.deleteOf("b"), d.checkOf("a", "attribute_not_exists(s)")},
			[]string{"ConditionalCheckFailed: The conditional request failed", "None", "ConditionalCheckFailed: The conditional request failed"}},
		"an operand": {[]ddb.TransactWriteItem{d.updateOf("a", "ADD s :n", item{":n": num("1")}), d.putOf("b", "")},
			[]string{"ValidationError: An operand in the update expression has an incorrect data type", "None"}},
	} {
		err := d.transact(c.actions...)
		var canceled *ddb.TransactionCanceledException
		if !errors.As(err, &canceled) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		var reasons, codes []string
		for _, r := range canceled.CancellationReasons {
			codes = append(codes, aws.ToString(r.Code))
			text := aws.ToString(r.Code)
			if r.Message != nil {
				text += ": " + *r.Message
			}
			if r.Item != nil {
				text += " " + jsonOf(t, r.Item)
			}
			reasons = append(reasons, text)
		}
		if diff := cmp.Diff(c.reasons, reasons); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if want := "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]"; canceled.ErrorMessage() != want {
			t.Errorf("%s: got %s", name, canceled.ErrorMessage())
		}
	}
	if got := d.get(`{"id":{"S":"b"}}`); got != "" {
		t.Errorf("a canceled transaction wrote %s", got)
	}

	hundred := make([]ddb.TransactWriteItem, 101)
	for i := range hundred {
		hundred[i] = d.putOf(fmt.Sprint(i), "")
	}
	must(t, d.transact(hundred[:100]...))
	for name, c := range map[string]struct {
		actions []ddb.TransactWriteItem
		message string
	}{
		"none":           {[]ddb.TransactWriteItem{}, "Member must have length greater than or equal to 1"},
		"too many":       {hundred, "Member must have length less than or equal to 100"},
		"an item twice":  {[]ddb.TransactWriteItem{d.putOf("a", ""), d.checkOf("a", "attribute_exists(id)")}, "Transaction request cannot include multiple operations on one item"},
		"two actions":    {[]ddb.TransactWriteItem{{Put: d.putOf("a", "").Put, Delete: d.deleteOf("a").Delete}}, "TransactItems can only contain one of Check, Put, Update or Delete"},
		"an expression":  {[]ddb.TransactWriteItem{d.checkOf("a", "s =")}, "Invalid ConditionExpression: Syntax error"},
		"a large item":   {[]ddb.TransactWriteItem{tooLarge}, "Item size has exceeded the maximum allowed size"},
		"no actual item": {[]ddb.TransactWriteItem{{Put: &ddb.Put{TableName: d.table, Item: item{"x": str("a")}}}}, "Missing the key id in the item"},
	} {
		err := d.transact(c.actions...)
		var canceled *ddb.TransactionCanceledException
		if errors.As(err, &canceled) {
			if r := canceled.CancellationReasons[0]; aws.ToString(r.Code) != "ValidationError" || !strings.Contains(aws.ToString(r.Message), c.message) {
				t.Errorf("%s: %s %s", name, aws.ToString(r.Code), aws.ToString(r.Message))
			}
			continue
		}
		wantCode(t, err, "ValidationException", c.message)
	}
}

// TestTransactionTokens has a transaction that is sent several times done once. The SDK writes maps in another order each time.
func TestTransactionTokens(t *testing.T) {
	d := newDatabase(t, "id:S")
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: unique("token"), TransactItems: []ddb.TransactWriteItem{d.updateOf("a", "ADD n :n SET b = :b, c = :c, d = :d",
		item{":n": num("1"), ":b": str("b"), ":c": str("c"), ":d": &ddb.AttributeValueMemberM{Value: item{"x": str("x"), "y": str("y"), "z": str("z")}}})},
		ReturnConsumedCapacity: ddb.ReturnConsumedCapacityTotal}
	for i := range 5 {
		out, err := d.TransactWriteItems(t.Context(), in)
		must(t, err)
		if c := out.ConsumedCapacity; len(c) != 1 || *c[0].CapacityUnits != 2 {
			t.Errorf("time %d: %s", i, capacityText(&c[0]))
		}
	}
	d.want("the item", d.get(`{"id":{"S":"a"}}`), `{"id":{"S":"a"},"n":{"N":"1"},"b":{"S":"b"},"c":{"S":"c"},"d":{"M":{"x":{"S":"x"},"y":{"S":"y"},"z":{"S":"z"}}}}`)
	in.TransactItems = []ddb.TransactWriteItem{d.deleteOf("a")}
	_, err := d.TransactWriteItems(t.Context(), in)
	wantCode(t, err, "IdempotentParameterMismatchException", "")
}

// TestTransactionsAreLimited writes and reads 4 MB at once, and no more.
func TestTransactionsAreLimited(t *testing.T) {
	d := newDatabase(t, "id:S")
	var puts []ddb.TransactWriteItem
	var gets []ddb.TransactGetItem
	for i := range 11 { // of 390 KB each: ten are below 4 MB
		put := d.putOf(fmt.Sprint(i), "")
		put.Put.Item["v"] = str(strings.Repeat("v", 390<<10))
		puts = append(puts, put)
		gets = append(gets, ddb.TransactGetItem{Get: &ddb.Get{TableName: d.table, Key: item{"id": str(fmt.Sprint(i))}}})
	}
	must(t, d.transact(puts[:10]...))
	must(t, d.transact(puts[10]))
	out, err := d.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: gets[:10]})
	must(t, err)
	if len(out.Responses) != 10 {
		t.Errorf("%d responses", len(out.Responses))
	}
	err = d.transact(puts...)
	wantCode(t, err, "ValidationException", "")
	_, err = d.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: gets})
	wantCode(t, err, "ValidationException", "")
}
