package dynamodb_test

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func (s *stack) put(t *testing.T, it item) {
	t.Helper()
	if _, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: it}); err != nil {
		t.Fatal(err)
	}
}

func (s *stack) get(t *testing.T, k item) item {
	t.Helper()
	out, err := s.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: k, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	return out.Item
}

// same compares items of the SDK's types.
func same(t *testing.T, what string, got, want item) {
	t.Helper()
	exported := cmp.Exporter(func(t reflect.Type) bool { return strings.HasPrefix(t.Name(), "AttributeValueMember") })
	if diff := cmp.Diff(want, got, exported, cmpopts.IgnoreTypes(struct{}{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// everything is an item with all types of values.
func everything() item {
	it := key("a", "1.50")
	it["s"], it["empty"], it["n"] = str("é😀<&>\"\\\n"), str(""), num("-12345678901234567890123456789012345678")
	it["b"] = &types.AttributeValueMemberB{Value: []byte{0, 1, 0xFF}}
	it["t"] = &types.AttributeValueMemberBOOL{Value: true}
	it["nul"] = &types.AttributeValueMemberNULL{Value: true}
	it["l"] = &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1"), &types.AttributeValueMemberM{Value: item{"k": str("v")}}}}
	it["m"] = &types.AttributeValueMemberM{Value: item{}}
	it["ss"] = &types.AttributeValueMemberSS{Value: []string{"a", "b"}}
	it["ns"] = &types.AttributeValueMemberNS{Value: []string{"-1", "2", "10"}}
	it["bs"] = &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}}
	return it
}

func TestPutGetDelete(t *testing.T) {
	s := newTable(t)
	s.put(t, everything())
	want := everything()
	want["sk"] = num("1.5")
	same(t, "GetItem", s.get(t, key("a", "01.5")), want)
	if got := s.get(t, key("a", "2")); got != nil {
		t.Errorf("an item that does not exist: %v", got)
	}

	put, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: key("a", "1.5"), ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "PutItem's old item", put.Attributes, want)
	for _, wanted := range []item{key("a", "1.5"), nil} {
		out, err := s.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: key("a", "1.5"), ReturnValues: types.ReturnValueAllOld})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "DeleteItem's old item", out.Attributes, wanted)
	}
}

func TestReturnValues(t *testing.T) {
	before := key("a", "1")
	before["n"], before["s"] = num("5"), str("x")
	before["m"] = &types.AttributeValueMemberM{Value: item{"a": num("1"), "b": num("2")}}
	after := key("a", "1")
	after["n"], after["new"] = num("6"), num("1")
	after["m"] = &types.AttributeValueMemberM{Value: item{"a": num("1"), "b": num("1")}}
	for returns, want := range map[types.ReturnValue]item{
		"":                          nil,
		types.ReturnValueNone:       nil,
		types.ReturnValueAllOld:     before,
		types.ReturnValueAllNew:     after,
		types.ReturnValueUpdatedOld: {"n": num("5"), "s": str("x"), "m": &types.AttributeValueMemberM{Value: item{"b": num("2")}}},
		types.ReturnValueUpdatedNew: {"n": num("6"), "new": num("1"), "m": &types.AttributeValueMemberM{Value: item{"b": num("1")}}},
	} {
		s := newTable(t)
		s.put(t, before)
		out, err := s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String("orders"), Key: key("a", "1"), ReturnValues: returns,
			UpdateExpression:          aws.String("SET #new = :one, m.b = :one REMOVE s ADD #n :one"),
			ExpressionAttributeNames:  map[string]string{"#n": "n", "#new": "new"},
			ExpressionAttributeValues: item{":one": num("1")},
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "ReturnValues "+string(returns), out.Attributes, want)
		same(t, "the item", s.get(t, key("a", "1")), after)
	}
}

// An update of a missing item makes one, unless all it does is take something away.
func TestUpdateOfNothing(t *testing.T) {
	s := newTable(t)
	set := item{":s": &types.AttributeValueMemberSS{Value: []string{"a"}}}
	for i, c := range []struct {
		expression *string
		values     item
		made       bool
	}{
		{nil, nil, true},
		{aws.String("REMOVE a"), nil, false},
		{aws.String("DELETE s :s REMOVE a"), set, false},
		{aws.String("ADD s :s REMOVE a"), set, true},
		{aws.String("SET s = :s REMOVE a"), set, true},
	} {
		k := key("a", strconv.Itoa(i))
		out, err := s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String("orders"), Key: k, UpdateExpression: c.expression, ExpressionAttributeValues: c.values, ReturnValues: types.ReturnValueAllNew,
		})
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if made := s.get(t, k) != nil; made != c.made || (out.Attributes != nil) != c.made {
			t.Errorf("%d: made an item: %t, gave %v", i, made, out.Attributes)
		}
	}
}

func TestConditions(t *testing.T) {
	s := newTable(t)
	const failed = "The conditional request failed"
	none, some := aws.String("attribute_not_exists(pk)"), aws.String("attribute_exists(pk) AND v = :v")
	values := item{":v": num("1")}
	it := key("a", "1")
	it["v"] = num("1.0")

	if _, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: it, ConditionExpression: none}); err != nil {
		t.Fatal(err)
	}
	_, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("orders"), Item: key("a", "1"), ConditionExpression: none,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	expectError(t, err, "ConditionalCheckFailedException", failed)
	var typed *types.ConditionalCheckFailedException
	if errors.As(err, &typed) {
		it["v"] = num("1")
		same(t, "the error's item", typed.Item, it)
	}
	_, err = s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("orders"), Key: key("a", "2"), ConditionExpression: some, ExpressionAttributeValues: values})
	expectError(t, err, "ConditionalCheckFailedException", failed)
	if errors.As(err, &typed) && typed.Item != nil {
		t.Errorf("nobody asked for %v", typed.Item)
	}
	_, err = s.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: key("a", "1"), ConditionExpression: none})
	expectError(t, err, "ConditionalCheckFailedException", failed)
	if _, err = s.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: key("a", "1"), ConditionExpression: some, ExpressionAttributeValues: values}); err != nil {
		t.Error(err)
	}
	if got := s.get(t, key("a", "2")); got != nil {
		t.Errorf("a failed update made %v", got)
	}
}

func TestItemSize(t *testing.T) {
	s := newTable(t)
	it := key("a", "1")
	it["v"] = str(strings.Repeat("x", 400<<10-(2+1)-(2+2)-1))
	s.put(t, it)
	it["v"] = str(it["v"].(*types.AttributeValueMemberS).Value + "x")
	_, err := s.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: it})
	expectError(t, err, "ValidationException", "Item size has exceeded the maximum allowed size")
	_, err = s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("orders"), Key: key("a", "1"), UpdateExpression: aws.String("SET w = v")})
	expectError(t, err, "ValidationException", "Item size to update has exceeded the maximum allowed size")
	_, err = s.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"orders": {{PutRequest: &types.PutRequest{Item: it}}}}})
	expectError(t, err, "ValidationException", "Item size has exceeded the maximum allowed size")
}

func TestUpdateNestsTooDeep(t *testing.T) {
	s := newTable(t)
	_, err := s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: key("a", "1"), UpdateExpression: aws.String("SET d = :d"),
		ExpressionAttributeValues: item{":d": nested(31)},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: key("a", "1"), UpdateExpression: aws.String("SET e = list_append(:l, d), d[0] = d"),
		ExpressionAttributeValues: item{":l": nested(1)},
	})
	expectError(t, err, "ValidationException", "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
}

func nested(levels int) types.AttributeValue {
	v := str("x")
	for range levels {
		v = &types.AttributeValueMemberL{Value: []types.AttributeValue{v}}
	}
	return v
}

func TestBatchWriteItem(t *testing.T) {
	s := newTable(t)
	s.put(t, key("a", "0"))
	requests := []types.WriteRequest{{DeleteRequest: &types.DeleteRequest{Key: key("a", "0")}}, {DeleteRequest: &types.DeleteRequest{Key: key("a", "99")}}}
	for i := range 23 {
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: key("a", strconv.Itoa(i+1))}})
	}
	out, err := s.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{"orders": requests}, ReturnItemCollectionMetrics: types.ReturnItemCollectionMetricsSize,
	})
	if err != nil || out.UnprocessedItems == nil || len(out.UnprocessedItems) != 0 || out.ItemCollectionMetrics != nil {
		t.Errorf("%+v, %v", out, err)
	}
	page, err := s.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders"), Select: types.SelectCount})
	if err != nil || page.Count != 23 || page.ScannedCount != 23 || page.Items != nil {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestQueryAndScanPages(t *testing.T) {
	s := newTable(t)
	for i := range 10 {
		s.put(t, key("a", strconv.Itoa(i-5)))
		s.put(t, key("b", strconv.Itoa(i)))
	}
	query := dynamodb.NewQueryPaginator(s, &dynamodb.QueryInput{
		TableName: aws.String("orders"), KeyConditionExpression: aws.String("pk = :p AND sk BETWEEN :l AND :h"), Limit: aws.Int32(2),
		ScanIndexForward: aws.Bool(false), ExpressionAttributeValues: item{":p": str("a"), ":l": num("-3"), ":h": num("1.5")},
	})
	var got []string
	for query.HasMorePages() {
		page, err := query.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			got = append(got, it["sk"].(*types.AttributeValueMemberN).Value)
		}
	}
	if fmt.Sprint(got) != "[1 0 -1 -2 -3]" {
		t.Errorf("query: %v", got)
	}

	count := 0
	scan := dynamodb.NewScanPaginator(s, &dynamodb.ScanInput{TableName: aws.String("orders"), Limit: aws.Int32(3)})
	for scan.HasMorePages() {
		page, err := scan.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		count += len(page.Items)
	}
	if count != 20 {
		t.Errorf("a scan gives %d items", count)
	}

	empty, err := s.Query(t.Context(), &dynamodb.QueryInput{TableName: aws.String("orders"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("c")}})
	if err != nil || empty.Items == nil || empty.Count != 0 || empty.LastEvaluatedKey != nil {
		t.Errorf("%+v, %v", empty, err)
	}
}
