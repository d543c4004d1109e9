package conformance_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestReturnValues asks each write for each of the values that it can return.
func TestReturnValues(t *testing.T) {
	d := newDatabase(t, "id:S")
	const key, before, after = `{"id":{"S":"a"}}`, `{"id":{"S":"a"},"n":{"N":"1"},"s":{"S":"x"}}`, `{"id":{"S":"a"},"n":{"N":"2"},"s":{"S":"x"}}`
	for returns, want := range map[ddb.ReturnValue]string{
		ddb.ReturnValueNone: "", ddb.ReturnValueAllOld: before, ddb.ReturnValueAllNew: after,
		ddb.ReturnValueUpdatedOld: `{"n":{"N":"1"}}`, ddb.ReturnValueUpdatedNew: `{"n":{"N":"2"}}`,
	} {
		d.put(before)
		updated, err := d.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: d.table, Key: itemOf(t, key), UpdateExpression: aws.String("ADD n :one"),
			ExpressionAttributeValues: item{":one": num("1")}, ReturnValues: returns})
		must(t, err)
		d.want("UpdateItem, "+string(returns), jsonOf(t, updated.Attributes), want)

		d.put(before)
		put, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: itemOf(t, after), ReturnValues: returns})
		deleted, errOfDelete := d.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: d.table, Key: itemOf(t, key), ReturnValues: returns})
		if returns == ddb.ReturnValueNone || returns == ddb.ReturnValueAllOld {
			must(t, errors.Join(err, errOfDelete))
			d.want("PutItem, "+string(returns), jsonOf(t, put.Attributes), want)
			if want != "" {
				want = after
			}
			d.want("DeleteItem, "+string(returns), jsonOf(t, deleted.Attributes), want)
			continue
		}
		wantCode(t, err, "ValidationException", "Return values set to invalid value")
		wantCode(t, errOfDelete, "ValidationException", "Return values set to invalid value")
	}
}

// TestNumbers stores numbers at the edges of what the service keeps, and has those beyond refused.
func TestNumbers(t *testing.T) {
	d := newDatabase(t, "id:S")
	const overflow = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	const underflow = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	const long = "Attempting to store more than 38 significant digits in a Number"
	for number, want := range map[string]string{
		"0": "0", "-0": "0", "007": "7", "1.50": "1.5", "1e3": "1000", "12E-1": "1.2", "100000": "100000", "-1.0": "-1", ".5": "0.5",
		"12345678901234567890123456789012345678":   "12345678901234567890123456789012345678",
		"0.00000000000000000000000000000000000001": "0.00000000000000000000000000000000000001",
		"123456789012345678901234567890123456780":  "123456789012345678901234567890123456780",
		"123456789012345678901234567890123456789":  long,
		"1.23456789012345678901234567890123456789": long,
		"1E126":  overflow,
		"-1E126": overflow,
		"1E-131": underflow,
		"x":      "The parameter cannot be converted to a numeric value: x",
		"1_000":  "The parameter cannot be converted to a numeric value: 1_000",
		"NaN":    "The parameter cannot be converted to a numeric value: NaN",
		"":       "The parameter cannot be converted to a numeric value",
		"9.9999999999999999999999999999999999999E+125":  "9" + strings.Repeat("9", 37) + strings.Repeat("0", 88),
		"-9.9999999999999999999999999999999999999E+125": "-9" + strings.Repeat("9", 37) + strings.Repeat("0", 88),
		"1E-130": "0." + strings.Repeat("0", 129) + "1",
		"1234567890123456789012345678901234567.8e-1":     "123456789012345678901234567890123456.78",
		"00000000000000000000000000000000000000000000.1": "0.1",
	} {
		_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: item{"id": str("a"), "n": num(number), "ns": &ddb.AttributeValueMemberNS{Value: []string{number}}}})
		if strings.Contains(want, " ") {
			wantCode(t, err, "ValidationException", want)
			continue
		}
		must(t, err)
		d.want(number, d.get(`{"id":{"S":"a"}}`), fmt.Sprintf(`{"id":{"S":"a"},"n":{"N":%q},"ns":{"NS":[%q]}}`, want, want))
	}
	_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: item{"id": str("a"), "ns": &ddb.AttributeValueMemberNS{Value: []string{"1", "1.0"}}}})
	wantCode(t, err, "ValidationException", "Input collection contains duplicates")
}

// TestKeyOrder has items in the order of their sort keys: numbers by value, texts and binaries by their bytes.
func TestKeyOrder(t *testing.T) {
	for kind, ordered := range map[ddb.ScalarAttributeType][]string{
		"N": {"-1E125", "-10", "-2", "-1.5", "-1E-130", "0", "1E-130", "0.5", "2", "10", "12345678901234567890123456789012345677", "12345678901234567890123456789012345678", "1E125"},
		"S": {"\x00", " ", "A", "B", "a", "aa", "b", "é", "\uffff", "😀"}, // the last two are the other way round in UTF-16
		"B": {"\x00", "\x00\x00", "\x00\x01", "\x7f", "\x80", "\xff", "\xff\x00"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			d := newDatabase(t, "id:S sort:"+string(kind))
			valueOf := func(text string) ddb.AttributeValue {
				switch kind {
				case "N":
					return num(text)
				case "S":
					return str(text)
				default:
					return &ddb.AttributeValueMemberB{Value: []byte(text)}
				}
			}
			for i := range ordered { // from the middle to both ends
				at := (i*3 + 2) % len(ordered)
				_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: item{"id": str("a"), "sort": valueOf(ordered[at]), "at": num(fmt.Sprint(at))}})
				must(t, err)
			}
			out, err := d.Query(t.Context(), &dynamodb.QueryInput{TableName: d.table, KeyConditionExpression: aws.String("id = :a"), ExpressionAttributeValues: item{":a": str("a")}})
			must(t, err)
			var want []string
			for i := range ordered {
				want = append(want, fmt.Sprint(i))
			}
			if got := values(out.Items, "at"); got != strings.Join(want, " ") {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestSizes writes items, keys and requests as large as they may be, and larger by one.
func TestSizes(t *testing.T) {
	d := newDatabase(t, "id:S sort:B")
	nested := func(levels int) ddb.AttributeValue {
		v := str("x")
		for range levels {
			v = &ddb.AttributeValueMemberL{Value: []ddb.AttributeValue{v}}
		}
		return v
	}
	with := func(id string, sort int, attribute ddb.AttributeValue) item {
		it := item{"id": str(id), "sort": &ddb.AttributeValueMemberB{Value: bytes.Repeat([]byte{1}, sort)}}
		if attribute != nil {
			it["v"] = attribute
		}
		return it
	}
	const whole = 400<<10 - len("id"+"a"+"sort"+"x"+"v")
	for _, c := range []struct {
		what    string
		it      item
		message string
	}{
		{"the largest item", with("a", 1, str(strings.Repeat("v", whole))), ""},
		{"an item that is too large", with("a", 1, str(strings.Repeat("v", whole+1))), "Item size has exceeded the maximum allowed size"},
		{"the largest hash key", with(strings.Repeat("k", 2048), 1, nil), ""},
		{"a hash key that is too large", with(strings.Repeat("k", 2049), 1, nil), "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		{"the largest sort key", with("a", 1024, nil), ""},
		{"a sort key that is too large", with("a", 1025, nil), "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
		{"an empty hash key", with("", 1, nil), "The AttributeValue for a key attribute cannot contain an empty string value. Key: id"},
		{"an empty sort key", with("a", 0, nil), "The AttributeValue for a key attribute cannot contain an empty binary value. Key: sort"},
		{"a missing key", item{"id": str("a")}, "One or more parameter values were invalid: Missing the key sort in the item"},
		{"a key of another type", item{"id": num("1"), "sort": str("x")}, "One or more parameter values were invalid: Type mismatch for key id expected: S actual: N"},
		{"32 levels", with("a", 1, nested(31)), ""},
		{"33 levels", with("a", 1, nested(33)), "Nesting Levels have exceeded supported limits"},
		{"an empty set", with("a", 1, &ddb.AttributeValueMemberSS{Value: []string{}}), "One or more parameter values were invalid: An string set  may not be empty"},
		{"a set with a member twice", with("a", 1, &ddb.AttributeValueMemberSS{Value: []string{"x", "x"}}), "One or more parameter values were invalid: Input collection [x, x] contains duplicates."},
		{"a null that is not true", with("a", 1, &ddb.AttributeValueMemberNULL{}), "One or more parameter values were invalid: Null attribute value types must have the value of true"},
		{"empty values", with("a", 1, &ddb.AttributeValueMemberM{Value: item{"s": str(""), "b": &ddb.AttributeValueMemberB{Value: []byte{}}, "l": nested(0)}}), ""},
	} {
		_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: c.it})
		switch {
		case c.message != "":
			wantCode(t, err, "ValidationException", c.message)
		case err != nil:
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestKeysOfRequests has a key that is not the table's refused by each operation that takes one.
func TestKeysOfRequests(t *testing.T) {
	d := newDatabase(t, "id:S sort:N")
	const wrong = "The provided key element does not match the schema"
	for text, message := range map[string]string{
		`{"id":{"S":"a"}}`: wrong, `{"id":{"S":"a"},"other":{"N":"1"}}`: wrong, `{"id":{"S":"a"},"sort":{"N":"1"},"x":{"N":"1"}}`: wrong, `{"id":{"S":"a"},"sort":{"S":"1"}}`: wrong,
		`{"id":{"S":""},"sort":{"N":"1"}}`: "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id",
	} {
		key := itemOf(t, text)
		_, err := d.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: d.table, Key: key})
		wantCode(t, err, "ValidationException", message)
		_, err = d.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: d.table, Key: key})
		wantCode(t, err, "ValidationException", message)
		_, err = d.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: d.table, Key: key})
		wantCode(t, err, "ValidationException", message)
		_, err = d.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{*d.table: {Keys: []item{key}}}})
		wantCode(t, err, "ValidationException", message)
		_, err = d.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{*d.table: {{DeleteRequest: &ddb.DeleteRequest{Key: key}}}}})
		wantCode(t, err, "ValidationException", message)
	}
	absent := unique("absent")
	_, err := d.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: absent, Key: itemOf(t, sampleKey)})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found")
	_, err = d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: absent, Item: itemOf(t, sampleKey)})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found")
}

// TestBatches writes and reads as many items as a batch may have, over two tables.
func TestBatches(t *testing.T) {
	d := newDatabase(t, "id:S")
	second := &database{Client: d.Client, T: t, table: unique("data")}
	in := tableOf("id:S sort:N")
	in.TableName = second.table
	second.make(in)

	writes := map[string][]ddb.WriteRequest{}
	reads := map[string]ddb.KeysAndAttributes{*d.table: {ProjectionExpression: aws.String("id"), ConsistentRead: aws.Bool(true)}, *second.table: {}}
	for i := range 25 {
		name, it := *d.table, item{"id": str(fmt.Sprint(i)), "v": str("x")}
		if i >= 20 {
			name, it = *second.table, item{"id": str("a"), "sort": num(fmt.Sprint(i))}
		}
		writes[name] = append(writes[name], ddb.WriteRequest{PutRequest: &ddb.PutRequest{Item: it}})
	}
	out, err := d.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: writes, ReturnConsumedCapacity: ddb.ReturnConsumedCapacityTotal})
	must(t, err)
	if len(out.UnprocessedItems) != 0 || len(out.ConsumedCapacity) != 2 || *out.ConsumedCapacity[0].CapacityUnits+*out.ConsumedCapacity[1].CapacityUnits != 25 {
		t.Errorf("%d unprocessed, capacity %+v", len(out.UnprocessedItems), out.ConsumedCapacity)
	}
	for i := range 100 {
		name, key := *d.table, item{"id": str(fmt.Sprint(i))}
		if i >= 90 {
			name, key = *second.table, item{"id": str("a"), "sort": num(fmt.Sprint(i - 70))}
		}
		read := reads[name]
		read.Keys = append(read.Keys, key)
		reads[name] = read
	}
	got, err := d.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: reads})
	must(t, err)
	if len(got.Responses[*d.table]) != 20 || len(got.Responses[*second.table]) != 5 || len(got.UnprocessedKeys) != 0 || len(got.Responses[*d.table][0]) != 1 {
		t.Errorf("%d and %d items, %d unprocessed", len(got.Responses[*d.table]), len(got.Responses[*second.table]), len(got.UnprocessedKeys))
	}

	one := item{"id": str("0")}
	read := reads[*d.table]
	read.Keys = append(read.Keys, item{"id": str("more")})
	reads[*d.table] = read
	_, err = d.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: reads})
	wantCode(t, err, "ValidationException", "Too many items requested for the BatchGetItem call")
	_, err = d.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]ddb.KeysAndAttributes{*d.table: {Keys: []item{one, one}}}})
	wantCode(t, err, "ValidationException", "Provided list of item keys contains duplicates")
	writes[*d.table] = append(writes[*d.table], ddb.WriteRequest{DeleteRequest: &ddb.DeleteRequest{Key: item{"id": str("more")}}})
	_, err = d.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: writes})
	wantCode(t, err, "ValidationException", "Too many items requested for the BatchWriteItem call")
	for _, n := range []int{0, 26} {
		_, err = d.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{*d.table: slices.Repeat(writes[*d.table][:1], n)}})
		wantCode(t, err, "ValidationException", "at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: "+
			"[Member must have length less than or equal to 25, Member must have length greater than or equal to 1]")
	}
	_, err = d.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{*d.table: {
		{DeleteRequest: &ddb.DeleteRequest{Key: one}}, {PutRequest: &ddb.PutRequest{Item: one}}}}})
	wantCode(t, err, "ValidationException", "Provided list of item keys contains duplicates")
	_, err = d.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{*unique("absent"): {{DeleteRequest: &ddb.DeleteRequest{Key: one}}}}})
	wantCode(t, err, "ResourceNotFoundException", "Requested resource not found")
}

// TestBatchGetStopsAt16MB leaves what does not fit into an answer to the next request.
func TestBatchGetStopsAt16MB(t *testing.T) {
	d := newDatabase(t, "id:S")
	var keys []item
	for i := range 50 {
		it := item{"id": str(fmt.Sprint(i))}
		keys = append(keys, item{"id": it["id"]})
		it["v"] = str(strings.Repeat("v", 390<<10))
		_, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: it})
		must(t, err)
	}
	requests := map[string]ddb.KeysAndAttributes{*d.table: {Keys: keys, ProjectionExpression: aws.String("id")}}
	seen, rounds := map[string]bool{}, 0
	for ; len(requests) > 0; rounds++ {
		out, err := d.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: requests})
		must(t, err)
		for _, it := range out.Responses[*d.table] {
			seen[values([]item{it}, "id")] = true
		}
		requests = out.UnprocessedKeys
	}
	if len(seen) != 50 || rounds != 2 {
		t.Errorf("%d items in %d rounds", len(seen), rounds)
	}
}

// TestCapacity has each operation tell what it takes of a table and its indexes.
func TestCapacity(t *testing.T) {
	d := newDatabase(t, "id:S sort:N; local byscore score:N; global byteam team:S")
	large := item{"id": str("a"), "sort": num("1"), "score": num("1"), "team": str("t"), "v": str(strings.Repeat("v", 4<<10))}
	key := itemOf(t, sampleKey)
	put, err := d.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: d.table, Item: large, ReturnConsumedCapacity: ddb.ReturnConsumedCapacityIndexes,
		ReturnItemCollectionMetrics: ddb.ReturnItemCollectionMetricsSize})
	must(t, err)
	if c := put.ConsumedCapacity; *c.TableName != *d.table || *c.CapacityUnits != 15 || *c.Table.CapacityUnits != 5 ||
		*c.LocalSecondaryIndexes["byscore"].CapacityUnits != 5 || *c.GlobalSecondaryIndexes["byteam"].CapacityUnits != 5 {
		t.Errorf("PutItem: %s", capacityText(c))
	}
	if m := put.ItemCollectionMetrics; m == nil || values([]item{m.ItemCollectionKey}, "id") != "a" || len(m.SizeEstimateRangeGB) != 2 {
		t.Errorf("PutItem: %+v", m)
	}
	get := func(consistent bool) float64 {
		out, err := d.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: d.table, Key: key, ConsistentRead: &consistent, ReturnConsumedCapacity: ddb.ReturnConsumedCapacityTotal})
		must(t, err)
		return *out.ConsumedCapacity.CapacityUnits
	}
	if strong, eventual := get(true), get(false); strong != 2 || eventual != 1 {
		t.Errorf("GetItem: %v and %v", strong, eventual)
	}
	query, err := d.Query(t.Context(), &dynamodb.QueryInput{TableName: d.table, IndexName: aws.String("byteam"), KeyConditionExpression: aws.String("team = :t"),
		ExpressionAttributeValues: item{":t": str("t")}, ReturnConsumedCapacity: ddb.ReturnConsumedCapacityIndexes})
	must(t, err)
	if c := query.ConsumedCapacity; *c.CapacityUnits != 1 || *c.Table.CapacityUnits != 0 || *c.GlobalSecondaryIndexes["byteam"].CapacityUnits != 1 {
		t.Errorf("Query: %s", capacityText(c))
	}
	got, err := d.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{ReturnConsumedCapacity: ddb.ReturnConsumedCapacityTotal,
		TransactItems: []ddb.TransactGetItem{{Get: &ddb.Get{TableName: d.table, Key: key}}}})
	must(t, err)
	if c := got.ConsumedCapacity; len(c) != 1 || *c[0].CapacityUnits != 4 {
		t.Errorf("TransactGetItems: %d tables", len(c))
	}
	deleted, err := d.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: d.table, Key: key, ReturnConsumedCapacity: ddb.ReturnConsumedCapacityTotal})
	must(t, err)
	if c := deleted.ConsumedCapacity; *c.CapacityUnits != 15 || c.Table != nil {
		t.Errorf("DeleteItem: %s", capacityText(c))
	}
	nothing, err := d.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: d.table, Key: key, ReturnConsumedCapacity: ddb.ReturnConsumedCapacityTotal})
	must(t, err)
	if c := nothing.ConsumedCapacity; *c.CapacityUnits != 1 {
		t.Errorf("DeleteItem of nothing: %s", capacityText(c))
	}
}

func capacityText(c *ddb.ConsumedCapacity) string {
	text := fmt.Sprintf("%v in all", aws.ToFloat64(c.CapacityUnits))
	if c.Table != nil {
		text += fmt.Sprintf(", table %v", aws.ToFloat64(c.Table.CapacityUnits))
	}
	for name, ix := range c.LocalSecondaryIndexes {
		text += fmt.Sprintf(", %s %v", name, aws.ToFloat64(ix.CapacityUnits))
	}
	for name, ix := range c.GlobalSecondaryIndexes {
		text += fmt.Sprintf(", %s %v", name, aws.ToFloat64(ix.CapacityUnits))
	}
	return text
}
