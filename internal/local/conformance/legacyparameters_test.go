package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestLegacyConditions holds each comparison of Expected, and of ScanFilter, against an item with values of all types.
func TestLegacyConditions(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	d.put(sample)
	all := itemOf(t, sampleValues)
	for _, c := range []struct {
		attribute string
		operator  ddb.ComparisonOperator
		values    []string
		holds     bool
	}{
		{"s", "EQ", []string{":h"}, true}, {"s", "EQ", []string{":he"}, false}, {"s", "NE", []string{":he"}, true}, {"n", "EQ", []string{":10"}, true}, {"ss", "EQ", []string{":ss"}, true},
		{"n", "LT", []string{":11"}, true}, {"n", "LT", []string{":9"}, false}, {"n", "LE", []string{":10"}, true}, {"n", "GT", []string{":9"}, true}, {"n", "GE", []string{":11"}, false},
		{"s", "GT", []string{":9"}, false}, {"n", "BETWEEN", []string{":9", ":11"}, true}, {"n", "BETWEEN", []string{":11", ":big"}, false}, {"n", "IN", []string{":9", ":10"}, true}, {"n", "IN", []string{":9"}, false},
		{"s", "BEGINS_WITH", []string{":he"}, true}, {"s", "BEGINS_WITH", []string{":v"}, false}, {"s", "CONTAINS", []string{":he"}, true}, {"ss", "CONTAINS", []string{":a"}, true}, {"l", "CONTAINS", []string{":1"}, true},
		{"s", "NOT_CONTAINS", []string{":he"}, false}, {"ss", "NOT_CONTAINS", []string{":h"}, true}, {"s", "NOT_NULL", nil, true}, {"zz", "NOT_NULL", nil, false}, {"zz", "NULL", nil, true}, {"nul", "NULL", nil, false},
	} {
		var list []ddb.AttributeValue
		for _, v := range c.values {
			list = append(list, all[v])
		}
		_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: itemOf(t, sample),
			Expected: map[string]ddb.ExpectedAttributeValue{c.attribute: {ComparisonOperator: c.operator, AttributeValueList: list}}})
		if c.holds != (err == nil) {
			t.Errorf("%s %s %v: %v", c.attribute, c.operator, c.values, err)
		}
		if !c.holds {
			wantCode(t, err, "ConditionalCheckFailedException", "The conditional request failed")
		}
		out, err := d.Scan(t.Context(), &dynamodb.ScanInput{TableName: d.table, ScanFilter: map[string]ddb.Condition{c.attribute: {ComparisonOperator: c.operator, AttributeValueList: list}}})
		if err != nil || (out.Count == 1) != c.holds {
			t.Errorf("%s %s %v as a filter: %+v, %v", c.attribute, c.operator, c.values, out, err)
		}
	}
}

// TestLegacyUpdates holds each action of AttributeUpdates, and the parameters of reads.
func TestLegacyUpdates(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	d.put(`{"id":{"S":"a"},"sort":{"N":"1"},"n":{"N":"1"},"ss":{"SS":["a","b"]},"l":{"L":[{"N":"1"}]},"s":{"S":"x"},"gone":{"S":"x"}}`)
	update := func(action ddb.AttributeAction, v ddb.AttributeValue) ddb.AttributeValueUpdate {
		return ddb.AttributeValueUpdate{Action: action, Value: v}
	}
	all := itemOf(t, sampleValues)
	out, err := d.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: d.table, Key: itemOf(t, sampleKey), ReturnValues: ddb.ReturnValueAllNew,
		AttributeUpdates: map[string]ddb.AttributeValueUpdate{"n": update("ADD", all[":5"]), "ss": update("DELETE", all[":c"]), "l": update("ADD", all[":l"]), "s": update("PUT", all[":h"]),
			"new": update("ADD", all[":1"]), "gone": update("DELETE", nil)},
		Expected: map[string]ddb.ExpectedAttributeValue{"n": {Value: num("1")}, "zz": {Exists: aws.Bool(false)}}})
	must(t, err)
	const after = `{"id":{"S":"a"},"sort":{"N":"1"},"n":{"N":"6"},"ss":{"SS":["a"]},"l":{"L":[{"N":"1"},{"N":"8"}]},"s":{"S":"hello"},"new":{"N":"1"}}`
	d.want("UpdateItem", jsonOf(t, out.Attributes), after)

	got, err := d.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: d.table, Key: itemOf(t, sampleKey), AttributesToGet: []string{"n", "zz"}})
	must(t, err)
	d.want("GetItem", jsonOf(t, got.Item), `{"n":{"N":"6"}}`)
	found, err := d.Query(t.Context(), &dynamodb.QueryInput{TableName: d.table, KeyConditions: map[string]ddb.Condition{"id": {ComparisonOperator: "EQ", AttributeValueList: []ddb.AttributeValue{str("a")}},
		"sort": {ComparisonOperator: "GE", AttributeValueList: []ddb.AttributeValue{num("1")}}},
		QueryFilter: map[string]ddb.Condition{"n": {ComparisonOperator: "LT", AttributeValueList: []ddb.AttributeValue{num("1")}}, "s": {ComparisonOperator: "NOT_NULL"}}, ConditionalOperator: "OR"})
	must(t, err)
	if found.Count != 1 {
		t.Errorf("Query: %d items", found.Count)
	}

	for message, in := range map[string]dynamodb.UpdateItemInput{
		"Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {ConditionExpression}": {
			AttributeUpdates: map[string]ddb.AttributeValueUpdate{"n": update("ADD", all[":5"])}, ConditionExpression: aws.String("attribute_exists(id)")},
		"One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified": {AttributeUpdates: map[string]ddb.AttributeValueUpdate{"n": update("PUT", nil)}},
		"One or more parameter values were invalid: Cannot update attribute sort. This attribute is part of the key":    {AttributeUpdates: map[string]ddb.AttributeValueUpdate{"sort": update("PUT", num("2"))}},
		"Type mismatch for attribute to update": {AttributeUpdates: map[string]ddb.AttributeValueUpdate{"s": update("ADD", num("2"))}},
		"One or more parameter values were invalid: Invalid number of argument(s) for the EQ ComparisonOperator": {
			Expected: map[string]ddb.ExpectedAttributeValue{"s": {ComparisonOperator: "EQ", AttributeValueList: []ddb.AttributeValue{str("a"), str("b")}}}},
		"One or more parameter values were invalid: Value cannot be used when Exists is false for Attribute: s": {Expected: map[string]ddb.ExpectedAttributeValue{"s": {Exists: aws.Bool(false), Value: str("x")}}},
	} {
		in.TableName, in.Key = d.table, itemOf(t, sampleKey)
		_, err := d.UpdateItem(t.Context(), &in)
		wantCode(t, err, "ValidationException", message)
	}
	d.want("the item", d.get(sampleKey), after)
}
