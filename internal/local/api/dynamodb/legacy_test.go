package dynamodb_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func condition(operator types.ComparisonOperator, values ...types.AttributeValue) types.Condition {
	return types.Condition{ComparisonOperator: operator, AttributeValueList: values}
}

func expects(operator types.ComparisonOperator, values ...types.AttributeValue) types.ExpectedAttributeValue {
	return types.ExpectedAttributeValue{ComparisonOperator: operator, AttributeValueList: values}
}

func TestLegacyWrites(t *testing.T) {
	s := newTable(t)
	const failed, message = "ConditionalCheckFailedException", "The conditional request failed"
	absent := map[string]types.ExpectedAttributeValue{"pk": {Exists: aws.Bool(false)}}
	it := key("a", "1")
	it["n"], it["s"], it["l"] = num("5"), str("x"), &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1")}}
	put := &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: it, Expected: absent}
	if _, err := s.PutItem(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	_, err := s.PutItem(t.Context(), put)
	expectError(t, err, failed, message)

	out, err := s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: key("a", "1"), ReturnValues: types.ReturnValueUpdatedNew,
		AttributeUpdates: map[string]types.AttributeValueUpdate{
			"n": {Action: types.AttributeActionAdd, Value: num("2")},
			"l": {Action: types.AttributeActionAdd, Value: &types.AttributeValueMemberL{Value: []types.AttributeValue{str("b")}}},
			"p": {Value: str("put")},
			"s": {Action: types.AttributeActionDelete},
		},
		Expected:            map[string]types.ExpectedAttributeValue{"n": {Value: num("5")}, "zz": expects(types.ComparisonOperatorNotNull)},
		ConditionalOperator: types.ConditionalOperatorOr,
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the updated attributes", out.Attributes, item{
		"n": num("7"), "p": str("put"), "l": &types.AttributeValueMemberL{Value: []types.AttributeValue{num("1"), str("b")}},
	})
	_, err = s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: key("a", "1"),
		AttributeUpdates: map[string]types.AttributeValueUpdate{"p": {Action: types.AttributeActionAdd, Value: num("2")}},
	})
	expectError(t, err, "ValidationException", "Type mismatch for attribute to update")

	_, err = s.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("orders"), Key: key("none", "1"), AttributeUpdates: map[string]types.AttributeValueUpdate{"p": {Action: types.AttributeActionDelete}},
	})
	if got := s.get(t, key("none", "1")); err != nil || got != nil {
		t.Errorf("a deletion of an attribute made %v, %v", got, err)
	}

	remove := &dynamodb.DeleteItemInput{
		TableName: aws.String("orders"), Key: key("a", "1"),
		Expected:            map[string]types.ExpectedAttributeValue{"n": expects("BETWEEN", num("6"), num("8")), "p": expects("BEGINS_WITH", str("x"))},
		ConditionalOperator: types.ConditionalOperatorAnd,
	}
	_, err = s.DeleteItem(t.Context(), remove)
	expectError(t, err, failed, message)
	remove.Expected["p"] = expects("BEGINS_WITH", str("pu"))
	if _, err := s.DeleteItem(t.Context(), remove); err != nil {
		t.Error(err)
	}
	if got := s.get(t, key("a", "1")); got != nil {
		t.Errorf("the item is still there: %v", got)
	}
}

func TestLegacyReads(t *testing.T) {
	s := newTable(t)
	for i, color := range []string{"red", "green", "blue", "green"} {
		it := key("a", string(rune('1'+i)))
		it["color"], it["n"] = str(color), num(string(rune('5'+i)))
		s.put(t, it)
	}
	of := func(items []item) string {
		var keys []string
		for _, it := range items {
			text := ""
			for _, name := range []string{"sk", "color"} {
				switch v := it[name].(type) {
				case *types.AttributeValueMemberN:
					text += v.Value
				case *types.AttributeValueMemberS:
					text += v.Value
				}
			}
			keys = append(keys, text)
		}
		return strings.Join(keys, " ")
	}
	hash := condition("EQ", str("a"))
	for _, c := range []struct {
		in   dynamodb.QueryInput
		want string
	}{
		{dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"pk": hash}}, "1red 2green 3blue 4green"},
		{dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"pk": hash, "sk": condition("BETWEEN", num("2"), num("3"))}}, "2green 3blue"},
		{dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"pk": hash, "sk": condition("GT", num("2"))}, ScanIndexForward: aws.Bool(false)}, "4green 3blue"},
		{dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"pk": hash}, QueryFilter: map[string]types.Condition{"color": condition("NE", str("green"))}}, "1red 3blue"},
		{dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"pk": hash}, AttributesToGet: []string{"color", "zz"}}, "red green blue green"},
		{dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"pk": hash}, ConditionalOperator: "OR", QueryFilter: map[string]types.Condition{
			"color": condition("EQ", str("red")), "n": condition("IN", num("7"), num("9"))}}, "1red 3blue"},
		// KeyConditions alone may stand beside expressions.
		{dynamodb.QueryInput{KeyConditions: map[string]types.Condition{"pk": hash}, FilterExpression: aws.String("color = :c"), ProjectionExpression: aws.String("sk"),
			ExpressionAttributeValues: item{":c": str("green")}}, "2 4"},
	} {
		c.in.TableName = aws.String("orders")
		out, err := s.Query(t.Context(), &c.in)
		if err != nil {
			t.Errorf("want %s: %v", c.want, err)
			continue
		}
		if got := of(out.Items); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	scan, err := s.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("orders"), AttributesToGet: []string{"sk"},
		ScanFilter: map[string]types.Condition{"color": condition("CONTAINS", str("re")), "sk": condition("LT", num("4"))}})
	if err != nil || of(scan.Items) != "1 2" || scan.ScannedCount != 4 {
		t.Errorf("scan: %+v, %v", scan, err)
	}
	get, err := s.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: key("a", "1"), AttributesToGet: []string{"color"}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "GetItem", get.Item, item{"color": str("red")})
	get, err = s.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: key("a", "1"), AttributesToGet: []string{"zz"}})
	if err != nil || get.Item == nil || len(get.Item) > 0 {
		t.Errorf("an item without the attribute: %v, %v", get, err)
	}
}

// The messages are those that were recorded from the service.
func TestLegacyRefused(t *testing.T) {
	s := newTable(t)
	const (
		values  = "One or more parameter values were invalid: "
		mixed   = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {"
		without = "ConditionalOperator cannot be used without Filter or Expected"
		single  = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
		ops     = "Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"
		k       = `"Key":{"pk":{"S":"a"},"sk":{"N":"1"}}`
		eq      = `{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}`
	)
	for _, c := range []struct{ operation, members, message string }{
		{"PutItem", `"Item":{},"Expected":{"b":{"ComparisonOperator":"XX"}},"ConditionalOperator":"XOR"`, "2 validation errors detected: " +
			"Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]; " +
			"Value 'XX' at 'expected.b.member.comparisonOperator' failed to satisfy constraint: " + ops},
		{"PutItem", `"Item":{},"Expected":{"b":{"Exists":false}},"ConditionalOperator":"AND","ConditionExpression":"a = b"`,
			mixed + "Expected, ConditionalOperator} Expression parameters: {ConditionExpression}"},
		{"PutItem", `"Item":{},"ConditionalOperator":"AND"`, without},
		{"PutItem", `"Item":{},"Expected":{},"ConditionalOperator":"AND"`, without},
		{"DeleteItem", k + `,"Expected":{"b":{"Exists":false}},"ConditionalOperator":"OR"`, single},
		{"PutItem", `"Item":{},"Expected":{"b":{"Value":{"N":"x"}}}`, "The parameter cannot be converted to a numeric value: x"},
		{"PutItem", `"Item":{},"Expected":{"b":{"Exists":true}}`, values + "Value must be provided when Exists is true for Attribute: b"},
		{"PutItem", `"Item":{},"Expected":{"":{"Exists":false}}`, "Empty attribute name"},
		{"PutItem", `"Item":{},"ExpressionAttributeNames":{"#a":"b"},"Expected":{"b":{}}`, "ExpressionAttributeNames can only be specified when using expressions"},
		{"DeleteItem", k + `,"Expected":{"b":{"ComparisonOperator":"LT","AttributeValueList":[{"BOOL":true}]}}`,
			values + "ComparisonOperator LT is not valid for BOOL AttributeValue type"},
		{"UpdateItem", k + `,"AttributeUpdates":{},"Expected":{},"UpdateExpression":"REMOVE a","ConditionExpression":"a = b"`,
			mixed + "AttributeUpdates, Expected} Expression parameters: {UpdateExpression, ConditionExpression}"},
		{"UpdateItem", k + `,"AttributeUpdates":{"b":{"Action":"SET","Value":{"S":"a"}}}`, "1 validation error detected: " +
			"Value 'SET' at 'attributeUpdates.b.member.action' failed to satisfy constraint: Member must satisfy enum value set: [ADD, PUT, DELETE]"},
		{"UpdateItem", k + `,"AttributeUpdates":{"b":{"Action":"ADD","Value":{"S":"a"}}}`, values + "ADD action is not supported for the type S"},
		{"UpdateItem", k + `,"AttributeUpdates":{"pk":{"Value":{"S":"a"}}}`, values + "Cannot update attribute pk. This attribute is part of the key"},
		{"UpdateItem", k + `,"AttributeUpdates":{"b":{"Value":{}}}`, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"},
		{"GetItem", k + `,"AttributesToGet":[]`, "1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy constraint: " +
			"Member must have length greater than or equal to 1"},
		{"GetItem", k + `,"AttributesToGet":["a","b","a"]`, values + "Duplicate value in attribute name: a"},
		{"Query", `"ConditionalOperator":"AND"`, without},
		{"Query", `"KeyConditions":{"pk":` + eq + `},"QueryFilter":{"b":` + eq + `},"ConditionalOperator":"AND"`, single},
		{"Query", `"KeyConditions":{"pk":{}}`, "1 validation error detected: " +
			"Value null at 'keyConditions.pk.member.comparisonOperator' failed to satisfy constraint: Member must not be null"},
		{"Query", `"KeyConditions":{}`, "Conditions can be of length 1 or 2 only"},
		{"Query", `"KeyConditions":{"pk":` + eq + `},"QueryFilter":{"b":` + eq + `},"ConditionalOperator":"AND","KeyConditionExpression":"pk = :p",
			"FilterExpression":"a = :p","ProjectionExpression":"b","ExpressionAttributeValues":{":p":{"S":"a"}}`,
			mixed + "QueryFilter, ConditionalOperator, KeyConditions} Expression parameters: {ProjectionExpression, FilterExpression, KeyConditionExpression}"},
		{"Query", `"AttributesToGet":["a"],"KeyConditionExpression":"pk = :p"`, mixed + "AttributesToGet} Expression parameters: {KeyConditionExpression}"},
		{"Query", `"KeyConditions":{"b":` + eq + `}`, "Query condition missed key schema element: pk"},
		{"Query", `"KeyConditions":{"pk":{"ComparisonOperator":"NE","AttributeValueList":[{"S":"a"}]}}`, "Attempted conditional constraint is not an indexable operation"},
		{"Query", `"KeyConditions":{"pk":{"ComparisonOperator":"LT","AttributeValueList":[{"S":"a"}]}}`, "Query key condition not supported"},
		{"Query", `"KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"N":"1"}]}}`, values + "Condition parameter type does not match schema type"},
		{"Query", `"KeyConditions":{"pk":` + eq + `},"QueryFilter":{"sk":{"ComparisonOperator":"NULL"}}`,
			"QueryFilter can only contain non-primary key attributes: Primary key attribute: sk"},
		{"Query", `"KeyConditions":{"pk":` + eq + `},"AttributesToGet":["a"],"Select":"COUNT"`, "Cannot specify the AttributesToGet when choosing to get only the Count"},
		{"Scan", `"ScanFilter":{},"ConditionalOperator":"AND"`, without},
		{"Scan", `"ScanFilter":{"a":{"ComparisonOperator":"IN"}}`, values + "Invalid number of argument(s) for the IN ComparisonOperator"},
		{"Scan", `"ScanFilter":{"a":{"ComparisonOperator":"IN"}},"AttributesToGet":["a","a"]`, values + "Duplicate value in attribute name: a"},
		{"Scan", `"AttributesToGet":["a"],"ScanFilter":{},"ConditionalOperator":"AND","FilterExpression":"a = b","ProjectionExpression":"c"`,
			mixed + "AttributesToGet, ScanFilter, ConditionalOperator} Expression parameters: {ProjectionExpression, FilterExpression}"},
	} {
		status, answer := s.post(t, c.operation, `{"TableName":"orders",`+c.members+`}`)
		if want := `{"__type":"ValidationException","message":"` + c.message + `"}`; status != 400 || answer != want {
			t.Errorf("%s %s:\n got %d %s\nwant %s", c.operation, c.members, status, answer, want)
		}
	}
}
