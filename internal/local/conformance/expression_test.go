package conformance_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sample has a value of each type.
const sample = `{"id":{"S":"a"},"sort":{"N":"1"},"s":{"S":"hello"},"n":{"N":"10"},"b":{"B":"AQI="},"t":{"BOOL":true},"nul":{"NULL":true},"e":{"S":""},
	"l":{"L":[{"N":"1"},{"S":"two"},{"M":{"x":{"N":"3"}}}]},"m":{"M":{"k":{"S":"v"},"l":{"L":[{"N":"7"}]},"a.b":{"N":"1"}}},
	"ss":{"SS":["a","b"]},"ns":{"NS":["1","2","10"]},"bs":{"BS":["AQ==","Ag=="]}}`

const sampleKey = `{"id":{"S":"a"},"sort":{"N":"1"}}`

// sampleValues are those that the expressions of the tables below use; each request sends those that its expression names.
const sampleValues = `{":h":{"S":"hello"},":he":{"S":"he"},":9":{"N":"9"},":10":{"N":"10.0"},":11":{"N":"11"},":b":{"B":"AQI="},":b1":{"B":"AQ=="},":t":{"BOOL":true},
	":f":{"BOOL":false},":nul":{"NULL":true},":a":{"S":"a"},":1":{"N":"1"},":2":{"N":"2"},":5":{"N":"5"},":ss":{"SS":["b","a"]},":c":{"SS":["b","c"]},":ns":{"NS":["2","3"]},
	":l":{"L":[{"N":"8"}]},":m":{"M":{"x":{"N":"3"}}},":S":{"S":"S"},":N":{"S":"N"},":L":{"S":"L"},":M":{"S":"M"},":B":{"S":"B"},":BOOL":{"S":"BOOL"},":NULL":{"S":"NULL"},
	":SS":{"S":"SS"},":NS":{"S":"NS"},":BS":{"S":"BS"},":bad":{"S":"X"},":e":{"S":""},":v":{"S":"v"},":big":{"N":"9.9999999999999999999999999999999999999E+125"}}`

var placeholder = regexp.MustCompile(`[:#]\w+`)

var sampleNames = map[string]string{"#n": "n", "#d": "a.b", "#name": "name", "#id": "id"}

// used gives those names and values that the expressions name, nil where they name none.
func used(t *testing.T, expressions ...*string) (names map[string]string, values item) {
	t.Helper()
	all := itemOf(t, sampleValues)
	for _, e := range expressions {
		for _, token := range placeholder.FindAllString(aws.ToString(e), -1) {
			if v, ok := all[token]; ok {
				if values == nil {
					values = item{}
				}
				values[token] = v
			}
			if n, ok := sampleNames[token]; ok {
				if names == nil {
					names = map[string]string{}
				}
				names[token] = n
			}
		}
	}
	return names, values
}

// TestConditions holds each comparison, operator and function of condition expressions against an item with values of all types. The same
// expression filters the item out of a query, but for what names a key.
func TestConditions(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	d.put(sample)
	for expression, holds := range map[string]bool{
		"s = :h": true, "s <> :h": false, "s = :he": false, "s < :he": false, "s > :he": true, "s >= :h": true, "s <= :h": true,
		"n = :10": true, "n <> :10": false, "n < :11": true, "n > :9": true, "n <= :10": true, "n >= :11": false, "n = :h": false, "n <> :h": true, "n < :h": false, "n > :h": false,
		"b = :b": true, "b > :b1": true, "b < :b1": false, "t = :t": true, "t = :f": false, "t <> :f": true, "nul = :nul": true, "e = :e": true,
		"ss = :ss": true, "ss <> :ss": false, "ss = :c": false, "l[2] = :m": true, "m = :m": false,
		"absent = :h": false, "absent <> :h": true, "absent < :h": false, "s = absent": false, "absent = zz": false,
		"n BETWEEN :9 AND :11": true, "n BETWEEN :11 AND :big": false, "s BETWEEN :he AND :h": true, "s BETWEEN :h AND :v": true, "absent BETWEEN :9 AND :11": false,
		":10 BETWEEN n AND n": true, "n IN (:9, :10)": true, "n IN (:9, :11, :h)": false, "absent IN (:9)": false, ":a IN (id, s)": true,
		"attribute_exists(s)": true, "attribute_exists(m.k)": true, "attribute_exists(m.z)": false, "attribute_exists(l[2].x)": true, "attribute_exists(l[3])": false,
		"attribute_not_exists(s)": false, "attribute_not_exists(m.z)": true, "attribute_not_exists(s.x)": true, "attribute_exists(nul)": true,
		"attribute_type(s, :S)": true, "attribute_type(s, :N)": false, "attribute_type(n, :N)": true, "attribute_type(b, :B)": true, "attribute_type(t, :BOOL)": true,
		"attribute_type(nul, :NULL)": true, "attribute_type(l, :L)": true, "attribute_type(m, :M)": true, "attribute_type(ss, :SS)": true, "attribute_type(ns, :NS)": true,
		"attribute_type(bs, :BS)": true, "attribute_type(absent, :S)": false,
		"begins_with(s, :he)": true, "begins_with(s, :h)": true, "begins_with(s, :v)": false, "begins_with(b, :b1)": true, "begins_with(s, :e)": true, "begins_with(n, :h)": false,
		"contains(s, :he)": true, "contains(s, :v)": false, "contains(ss, :a)": true, "contains(ss, :h)": false, "contains(ns, :10)": true, "contains(bs, :b1)": true,
		"contains(l, :1)": true, "contains(l, :m)": true, "contains(l, :h)": false, "contains(s, :1)": false, "contains(m, :v)": false, "contains(b, :b1)": true,
		"size(s) = :5": true, "size(n) = :2": false, "size(ss) = :2": true, "size(l) > :2": true, "size(m) >= :2": true, "size(b) = :2": true, "size(absent) = :2": false, "size(e) < :1": true,
		"s = :h AND n = :10": true, "s = :he AND n = :10": false, "s = :he OR n = :10": true, "NOT s = :he": true, "NOT (s = :h OR n = :9)": false,
		"s = :he OR n = :10 AND t = :f": false, "(s = :h OR n = :9) AND t = :t": true, "NOT s = :h AND t = :t": false, "not attribute_exists(zz) and n between :9 and :11": true,
		"m.k = :v": true, "m.l[0] > :5": true, "m.#d = :1": true, "l[1] = :h": false, "#n = :10": true, "l[2].x > :2": true, "#name = :a": false,
	} {
		names, values := used(t, &expression)
		out, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: itemOf(t, sample), ConditionExpression: &expression,
			ExpressionAttributeNames: names, ExpressionAttributeValues: values, ReturnValuesOnConditionCheckFailure: ddb.ReturnValuesOnConditionCheckFailureAllOld})
		if holds && err != nil {
			t.Errorf("%s: %v", expression, err)
		}
		if !holds {
			wantCode(t, err, "ConditionalCheckFailedException", "The conditional request failed")
			if err == nil {
				t.Errorf("%s holds: %v", expression, out)
			}
		}
		if expression == ":a IN (id, s)" {
			continue
		}
		found, err := d.Scan(t.Context(), &dynamodb.ScanInput{TableName: d.table, FilterExpression: &expression, ExpressionAttributeNames: names, ExpressionAttributeValues: values})
		if err != nil || found.ScannedCount != 1 || (found.Count == 1) != holds || len(found.Items) != int(found.Count) {
			t.Errorf("%s as a filter: %+v, %v", expression, found, err)
		}
	}
}

// TestUpdates holds each clause and function of update expressions: what is left of the item, in attributes that differ.
func TestUpdates(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	const key = `"id":{"S":"a"},"sort":{"N":"1"}`
	for _, c := range []struct{ before, expression, after string }{
		{``, `SET s = :h`, `"s":{"S":"hello"}`},
		{`"n":{"N":"10"}`, `SET n = n + :1, #name = n`, `"n":{"N":"11"},"name":{"N":"10"}`},
		{`"n":{"N":"10"}`, `SET n = :1 - n`, `"n":{"N":"-9"}`},
		{`"n":{"N":"10"}`, `SET n = if_not_exists(n, :1) + :1`, `"n":{"N":"11"}`},
		{``, `SET n = if_not_exists(n, :1) + :1`, `"n":{"N":"2"}`},
		{`"a":{"N":"1"},"b":{"N":"2"}`, `SET a = b, b = a`, `"a":{"N":"2"},"b":{"N":"1"}`},
		{`"l":{"L":[{"N":"1"}]}`, `SET l = list_append(l, :l)`, `"l":{"L":[{"N":"1"},{"N":"8"}]}`},
		{`"l":{"L":[{"N":"1"}]}`, `SET l = list_append(:l, l)`, `"l":{"L":[{"N":"8"},{"N":"1"}]}`},
		{``, `SET l = list_append(if_not_exists(l, :l), :l)`, `"l":{"L":[{"N":"8"},{"N":"8"}]}`},
		{`"l":{"L":[{"N":"1"},{"N":"2"}]}`, `SET l[0] = :h, l[9] = :a`, `"l":{"L":[{"S":"hello"},{"N":"2"},{"S":"a"}]}`},
		{`"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]}`, `REMOVE l[0], l[2]`, `"l":{"L":[{"N":"2"}]}`},
		{`"m":{"M":{"k":{"S":"v"}}}`, `SET m.x = :1, m.#d = :2`, `"m":{"M":{"k":{"S":"v"},"x":{"N":"1"},"a.b":{"N":"2"}}}`},
		{`"m":{"M":{"k":{"S":"v"},"x":{"N":"1"}}}`, `REMOVE m.k, zz`, `"m":{"M":{"x":{"N":"1"}}}`},
		{`"n":{"N":"10"}`, `ADD n :5`, `"n":{"N":"15"}`},
		{``, `ADD n :5`, `"n":{"N":"5"}`},
		{`"ss":{"SS":["a","b"]}`, `ADD ss :c`, `"ss":{"SS":["a","b","c"]}`},
		{``, `ADD ss :c`, `"ss":{"SS":["b","c"]}`},
		{`"ns":{"NS":["1"]}`, `ADD ns :ns`, `"ns":{"NS":["1","2","3"]}`},
		{`"ss":{"SS":["a","b"]}`, `DELETE ss :c`, `"ss":{"SS":["a"]}`},
		{`"ss":{"SS":["b","c"]}`, `DELETE ss :c`, ``}, // an empty set is none
		{`"n":{"N":"1"},"s":{"S":"x"},"ss":{"SS":["a","b"]}`, `SET t = :t REMOVE s ADD n :1 DELETE ss :c`, `"t":{"BOOL":true},"n":{"N":"2"},"ss":{"SS":["a"]}`},
		{`"n":{"N":"12345678901234567890123456789012345677"}`, `ADD n :1`, `"n":{"N":"12345678901234567890123456789012345678"}`},
		{`"n":{"N":"0.1"}`, `SET n = n + :2, #name = n - :1`, `"n":{"N":"2.1"},"name":{"N":"-0.9"}`},
		{`"n":{"N":"1"}`, `set n = :1 remove zz`, `"n":{"N":"1"}`},
	} {
		whole := func(attributes string) string {
			if attributes == "" {
				return "{" + key + "}"
			}
			return "{" + key + "," + attributes + "}"
		}
		d.put(whole(c.before))
		names, values := used(t, &c.expression)
		out, err := d.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: d.table, Key: itemOf(t, sampleKey), UpdateExpression: &c.expression,
			ExpressionAttributeNames: names, ExpressionAttributeValues: values, ReturnValues: ddb.ReturnValueAllNew})
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		d.want(c.expression, jsonOf(t, out.Attributes), whole(c.after))
		d.want(c.expression+", read", d.get(sampleKey), whole(c.after))
	}
}

// TestProjections reads parts of an item.
func TestProjections(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	d.put(sample)
	for expression, want := range map[string]string{
		"s, #n":                 `{"s":{"S":"hello"},"n":{"N":"10"}}`,
		"absent":                ``,
		"m.k":                   `{"m":{"M":{"k":{"S":"v"}}}}`,
		"m.l[0], m.#d":          `{"m":{"M":{"l":{"L":[{"N":"7"}]},"a.b":{"N":"1"}}}}`,
		"l[2].x, l[0]":          `{"l":{"L":[{"N":"1"},{"M":{"x":{"N":"3"}}}]}}`,
		"l[7], #id, s.x, m.l.x": `{"id":{"S":"a"}}`,
	} {
		names, _ := used(t, &expression)
		got, err := d.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: d.table, Key: itemOf(t, sampleKey), ProjectionExpression: &expression, ExpressionAttributeNames: names})
		must(t, err)
		d.want("GetItem of "+expression, jsonOf(t, got.Item), want)
		scanned, err := d.Scan(t.Context(), &dynamodb.ScanInput{TableName: d.table, ProjectionExpression: &expression, ExpressionAttributeNames: names})
		must(t, err)
		if len(scanned.Items) != 1 {
			t.Fatalf("Scan of %s: %d items", expression, len(scanned.Items))
		}
		d.want("Scan of "+expression, jsonOf(t, scanned.Items[0]), want)
	}
}

// TestKeyConditions queries by each operator of a sort key.
func TestKeyConditions(t *testing.T) {
	d := newDatabase(t, "id:S sort:S")
	for _, sort := range []string{"a", "ab", "abc", "b", "c"} {
		d.put(`{"id":{"S":"a"},"sort":{"S":"` + sort + `"}}`)
	}
	d.put(`{"id":{"S":"other"},"sort":{"S":"a"}}`)
	given := item{":a": str("a"), ":x": str("ab"), ":y": str("b")}
	for condition, want := range map[string]string{
		"id = :a": "a ab abc b c", "id = :a AND sort = :x": "ab", "id = :a AND sort < :x": "a", "id = :a AND sort <= :x": "a ab", "id = :a AND sort > :x": "abc b c",
		"id = :a AND sort >= :x": "ab abc b c", "id = :a AND sort BETWEEN :x AND :y": "ab abc b", "id = :a AND begins_with(sort, :x)": "ab abc",
		"sort = :x AND id = :a": "ab", "(id = :a) AND (sort > :y)": "c", ":a = id": "a ab abc b c", "id = :y": "",
	} {
		named := item{}
		for _, token := range placeholder.FindAllString(condition, -1) {
			named[token] = given[token]
		}
		for _, forward := range []bool{true, false} {
			out, err := d.Query(t.Context(), &dynamodb.QueryInput{TableName: d.table, KeyConditionExpression: &condition, ExpressionAttributeValues: named, ScanIndexForward: &forward})
			if err != nil {
				t.Errorf("%s: %v", condition, err)
				continue
			}
			wanted := strings.Fields(want)
			if !forward {
				slices.Reverse(wanted)
			}
			if got := values(out.Items, "sort"); got != strings.Join(wanted, " ") || int(out.Count) != len(out.Items) {
				t.Errorf("%s, forward %t: got %q, want %q", condition, forward, got, wanted)
			}
		}
	}
}

// TestRefusedExpressions has what is wrong in an expression named as the service does.
func TestRefusedExpressions(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	d.put(sample)
	update := func(e string) dynamodb.UpdateItemInput { return dynamodb.UpdateItemInput{UpdateExpression: &e} }
	condition := func(e string) dynamodb.UpdateItemInput { return dynamodb.UpdateItemInput{ConditionExpression: &e} }
	for _, c := range []struct {
		in      dynamodb.UpdateItemInput
		message string
	}{
		{update("SET s :h"), "Invalid UpdateExpression: Syntax error; token: "},
		{update(""), "Invalid UpdateExpression: The expression can not be empty;"},
		{update("SET s = :h SET b = :h"), `Invalid UpdateExpression: The "SET" section can only be used once in an update expression;`},
		{update("SET s = :undefined"), "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :undefined"},
		{update("SET #undefined = :h"), "Invalid UpdateExpression: An expression attribute name used in the document path is not defined; attribute name: #undefined"},
		{update("SET name = :h"), "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name"},
		{update("SET m = :h, m.k = :h"), "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, k]"},
		{update("SET s.x = :h, m.k = :v"), "The document path provided in the update expression is invalid for update"},
		{update("SET zz.x = :h"), "The document path provided in the update expression is invalid for update"},
		{update("SET a = zz"), "The provided expression refers to an attribute that does not exist in the item"},
		{update("SET a = s + :1"), "An operand in the update expression has an incorrect data type"},
		{update("SET a = list_append(s, :l)"), "An operand in the update expression has an incorrect data type"},
		{update("SET a = :h + :1"), "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S"},
		{update("ADD s :1"), "An operand in the update expression has an incorrect data type"},
		{update("ADD n :h"), "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING"},
		{update("DELETE ss :h"), "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: STRING"},
		{update("DELETE ss :ns"), "An operand in the update expression has an incorrect data type"},
		{update("SET sort = :1"), "One or more parameter values were invalid: Cannot update attribute sort. This attribute is part of the key"},
		{update("REMOVE id"), "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key"},
		{update("SET a = nope(s)"), "Invalid UpdateExpression: Invalid function name; function: nope"},
		{update("SET a = if_not_exists(s)"), "Invalid UpdateExpression: Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1"},
		{update("SET a = size(s)"), "Invalid UpdateExpression: The function is not allowed in an update expression; function: size"},
		{update("SET a = :big + :big"), "Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{condition("s = "), "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"= \""},
		{condition("s"), "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"s\""},
		{condition("s = :h OR"), "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"OR\""},
		{condition("s == :h"), "Invalid ConditionExpression: Syntax error; token: \"=\", near: \"== :h\""},
		{condition("attribute_type(s, :bad)"), "Invalid ConditionExpression: Invalid attribute type name found; type: X, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"},
		{condition("begins_with(s, :1)"), "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{condition("n BETWEEN :11 AND :9"), "Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:11}, upper bound operand: AttributeValue: {N:9}"},
		{condition("n BETWEEN :9 AND :h"), "Invalid ConditionExpression: The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:9}, upper bound operand: AttributeValue: {S:hello}"},
		{condition("contains(s, s)"), "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [s]"},
		{condition("size(s)"), "Invalid ConditionExpression: The function is not allowed to be used this way in an expression; function: size"},
		{condition("s < :t"), "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
		{condition("((s = :h))"), "Invalid ConditionExpression: The expression has redundant parentheses;"},
	} {
		c.in.TableName, c.in.Key = d.table, itemOf(t, sampleKey)
		c.in.ExpressionAttributeNames, c.in.ExpressionAttributeValues = used(t, c.in.UpdateExpression, c.in.ConditionExpression)
		_, err := d.UpdateItem(t.Context(), &c.in)
		wantCode(t, err, "ValidationException", c.message)
	}
	d.want("the item", d.get(sampleKey), sample)

	for _, c := range []struct {
		in      dynamodb.UpdateItemInput
		message string
	}{
		{dynamodb.UpdateItemInput{UpdateExpression: aws.String("SET s = :h"), ExpressionAttributeValues: item{":h": str("x"), ":u": str("x")}},
			"Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}"},
		{dynamodb.UpdateItemInput{UpdateExpression: aws.String("REMOVE s"), ExpressionAttributeNames: map[string]string{"#u": "u"}},
			"Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}"},
		{dynamodb.UpdateItemInput{UpdateExpression: aws.String("SET s = :h"), ExpressionAttributeValues: item{"h": str("x")}},
			`ExpressionAttributeValues contains invalid key: Syntax error; key: "h"`},
		{dynamodb.UpdateItemInput{UpdateExpression: aws.String("REMOVE #s"), ExpressionAttributeNames: map[string]string{"s": "u"}},
			`ExpressionAttributeNames contains invalid key: Syntax error; key: "s"`},
		{dynamodb.UpdateItemInput{ExpressionAttributeNames: map[string]string{"#s": "u"}}, "ExpressionAttributeNames can only be specified when using expressions"},
	} {
		c.in.TableName, c.in.Key = d.table, itemOf(t, sampleKey)
		_, err := d.UpdateItem(t.Context(), &c.in)
		wantCode(t, err, "ValidationException", c.message)
	}
}
