package dynamodb_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	api "streamgen/internal/local/api/dynamodb"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/streams"
	"streamgen/internal/local/wire"
)

const fuzzedTable = `{"TableName":"orders","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"},` +
	`{"AttributeName":"g","AttributeType":"S"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],` +
	`"BillingMode":"PAY_PER_REQUEST","GlobalSecondaryIndexes":[{"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],` +
	`"Projection":{"ProjectionType":"ALL"}}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`

// fuzzedBodies are requests, valid and nearly so, from which the fuzzer begins.
var fuzzedBodies = map[string][]string{
	"BatchGetItem":   {`{"RequestItems":{"orders":{"Keys":[{"pk":{"S":"a"},"sk":{"N":"1"}}],"ProjectionExpression":"#n,l[0]","ExpressionAttributeNames":{"#n":"n"}}}}`},
	"BatchWriteItem": {`{"RequestItems":{"orders":[{"PutRequest":{"Item":{"pk":{"S":"b"},"sk":{"N":"1"}}}},{"DeleteRequest":{"Key":{"pk":{"S":"a"},"sk":{"N":"1"}}}}]}}`},
	"CreateTable":    {strings.Replace(fuzzedTable, "orders", "more", 1), `{"TableName":"t","KeySchema":[{}],"AttributeDefinitions":[null]}`},
	"DeleteItem": {`{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ConditionExpression":"attribute_exists(n) AND n > :n","ExpressionAttributeValues":{":n":{"N":"1"}},"ReturnValues":"ALL_OLD"}`,
		`{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"Expected":{"n":{"ComparisonOperator":"BETWEEN","AttributeValueList":[{"N":"1"},{"N":"9"}]},"s":{"Exists":false}},"ConditionalOperator":"OR"}`},
	"DeleteTable":        {`{"TableName":"orders"}`},
	"DescribeTable":      {`{"TableName":"orders"}`},
	"DescribeTimeToLive": {`{"TableName":"orders"}`},
	"GetItem":            {`{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1.0"}},"AttributesToGet":["n","zz"],"ConsistentRead":true,"ReturnConsumedCapacity":"TOTAL"}`},
	"ListTables":         {`{"Limit":1,"ExclusiveStartTableName":"a"}`},
	"PutItem":            {`{"TableName":"orders","Item":{"pk":{"S":"a"},"sk":{"N":"-1e3"},"g":{"S":"x"},"l":{"L":[{"M":{"a":{"BS":["YQ=="]}}}]}},"ConditionExpression":"NOT contains(l, :v) OR size(#s) <> :v","ExpressionAttributeNames":{"#s":"s"},"ExpressionAttributeValues":{":v":{"N":"1"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`},
	"Query": {`{"TableName":"orders","IndexName":"by-g","KeyConditionExpression":"g = :g","FilterExpression":"begins_with(s, :g)","ExpressionAttributeValues":{":g":{"S":"x"}},"Limit":1,"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"}}}`,
		`{"TableName":"orders","KeyConditions":{"pk":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]},"sk":{"ComparisonOperator":"GT","AttributeValueList":[{"N":"0"}]}},"QueryFilter":{"n":{"ComparisonOperator":"NOT_NULL"}},"ScanIndexForward":false,"Select":"COUNT"}`},
	"Scan": {`{"TableName":"orders","Segment":1,"TotalSegments":3,"ScanFilter":{"n":{"ComparisonOperator":"IN","AttributeValueList":[{"N":"5"}]}},"AttributesToGet":["pk"]}`,
		`{"TableName":"orders","FilterExpression":"l[0] IN (:a, :b)","ExpressionAttributeValues":{":a":{"N":"1"},":b":{"M":{}}},"ProjectionExpression":"l[0],m.a"}`},
	"TransactGetItems": {`{"TransactItems":[{"Get":{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ProjectionExpression":"n"}}]}`},
	"TransactWriteItems": {`{"TransactItems":[{"Put":{"TableName":"orders","Item":{"pk":{"S":"z"},"sk":{"N":"1"}}}},{"ConditionCheck":{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ConditionExpression":"attribute_exists(n)"}},` +
		`{"Update":{"TableName":"orders","Key":{"pk":{"S":"c"},"sk":{"N":"1"}},"UpdateExpression":"ADD n :n","ExpressionAttributeValues":{":n":{"N":"1"}}}},{"Delete":{"TableName":"orders","Key":{"pk":{"S":"d"},"sk":{"N":"1"}}}}],"ClientRequestToken":"t"}`},
	"UpdateItem": {`{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"SET l[9] = if_not_exists(n, :n) + :n, m.a = list_append(l, l) REMOVE s ADD ss :s","ExpressionAttributeValues":{":n":{"N":"1"},":s":{"SS":["q"]}},"ReturnValues":"UPDATED_NEW"}`,
		`{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"AttributeUpdates":{"n":{"Action":"ADD","Value":{"N":"1"}},"l":{"Action":"ADD","Value":{"L":[]}},"s":{"Action":"DELETE"}},"ReturnValues":"ALL_NEW"}`},
	"UpdateTable":      {`{"TableName":"orders","GlobalSecondaryIndexUpdates":[{"Delete":{"IndexName":"by-g"}}]}`},
	"UpdateTimeToLive": {`{"TableName":"orders","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"n"}}`},
}

// No request makes the front end panic or hang or answer with anything but a success or an error that is the client's, in JSON.
func FuzzRequests(f *testing.F) {
	operations := newFuzzed(f).Operations
	for operation := range operations {
		f.Add(operation, `{"TableName":"orders"}`)
		f.Add(operation, `null`)
		for _, body := range fuzzedBodies[operation] {
			f.Add(operation, body)
		}
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		if _, known := operations[operation]; !known {
			return
		}
		front := newFuzzed(t)
		status, answer := send(front, operation, body)
		if status != http.StatusOK && status != http.StatusBadRequest {
			t.Fatalf("%s %s: status %d, %s", operation, body, status, answer)
		}
		if !json.Valid([]byte(answer)) {
			t.Fatalf("%s %s: no JSON: %s", operation, body, answer)
		}
		if status == http.StatusBadRequest && (strings.Contains(answer, `"InternalFailure"`) || strings.Contains(answer, "Go struct") || strings.Contains(answer, `"message":""`)) {
			t.Fatalf("%s %s: %s", operation, body, answer)
		}
		// whatever was written can be read
		if status, answer := send(front, "Scan", `{"TableName":"orders"}`); status != http.StatusOK && !strings.Contains(answer, "ResourceNotFoundException") {
			t.Fatalf("%s %s: a scan then gives %d %s", operation, body, status, answer)
		}
	})
}

// newFuzzed gives a front end over a table of two items. The clock stands still.
func newFuzzed(t testing.TB) *wire.JSON {
	t.Helper()
	c := clock.NewManual(start)
	registry := streams.New(streams.Options{Account: account, Region: region, Clock: c})
	e := engine.New(engine.Options{Account: account, Region: region, Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	front, ok := api.New(e).(*wire.JSON)
	if !ok {
		t.Fatal("the front end is of another protocol")
	}
	for _, request := range [][2]string{
		{"CreateTable", fuzzedTable},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"},"n":{"N":"5"},"s":{"S":"s"},"ss":{"SS":["a"]},"l":{"L":[{"N":"1"}]},"m":{"M":{"a":{"S":"x"}}}}}`},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"a"},"sk":{"N":"2"},"g":{"S":"x"}}}`},
	} {
		if status, answer := send(front, request[0], request[1]); status != http.StatusOK {
			t.Fatalf("%s: %d %s", request[0], status, answer)
		}
	}
	return front
}

func send(front http.Handler, operation, body string) (status int, answer string) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	w := httptest.NewRecorder()
	front.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// Requests of the largest size are answered in a time that grows with the size, not with its square.
func TestLargeRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	front := newFuzzed(t)
	repeat := func(n int, part func(i int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = part(i)
		}
		return strings.Join(parts, ",")
	}
	name := func(i int) string { return "a" + strconv.Itoa(i) }
	const k = `"Key":{"pk":{"S":"a"},"sk":{"N":"1"}}`
	for what, request := range map[string][2]string{
		"members of a set":    {"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"c"},"sk":{"N":"1"},"ss":{"SS":[` + repeat(100_000, func(i int) string { return `"` + name(i) + `"` }) + `]}}}`},
		"equal numbers":       {"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"c"},"sk":{"N":"1"},"ns":{"NS":[` + repeat(100_000, func(int) string { return `"1"` }) + `]}}}`},
		"digits":              {"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"c"},"sk":{"N":"` + strings.Repeat("9", 4<<20) + `"}}}`},
		"zeros":               {"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"c"},"sk":{"N":"` + strings.Repeat("0", 4<<20) + `"}}}`},
		"open lists":          {"PutItem", `{"TableName":"orders","Item":{"pk":` + strings.Repeat("[", 1<<20)},
		"nested values":       {"PutItem", `{"TableName":"orders","Item":{"pk":` + strings.Repeat(`{"L":[`, 9000) + strings.Repeat(`]}`, 9000) + `}}`},
		"expectations":        {"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"c"},"sk":{"N":"1"}},"Expected":{` + repeat(50_000, func(i int) string { return `"` + name(i) + `":{"Exists":false}` }) + `}}`},
		"filters":             {"Scan", `{"TableName":"orders","ConditionalOperator":"OR","ScanFilter":{` + repeat(50_000, func(i int) string { return `"` + name(i) + `":{"ComparisonOperator":"NULL"}` }) + `}}`},
		"updates":             {"UpdateItem", `{"TableName":"orders",` + k + `,"AttributeUpdates":{` + repeat(50_000, func(i int) string { return `"` + name(i) + `":{"Value":{"S":""}}` }) + `}}`},
		"substitutions":       {"UpdateItem", `{"TableName":"orders",` + k + `,"UpdateExpression":"SET a = :a","ExpressionAttributeValues":{` + repeat(100_000, func(i int) string { return `":` + name(i) + `":{"S":""}` }) + `}}`},
		"operands of IN":      {"Scan", `{"TableName":"orders","FilterExpression":"a IN (` + strings.Repeat(":a,", 1300) + `:a)","ExpressionAttributeValues":{":a":{"S":""}}}`},
		"negations":           {"Scan", `{"TableName":"orders","FilterExpression":"` + strings.Repeat("NOT ", 1000) + `a = b"}`},
		"projected paths":     {"Scan", `{"TableName":"orders","ProjectionExpression":"` + strings.TrimPrefix(strings.Repeat(",l[0]", 800), ",") + `"}`},
		"assigned paths":      {"UpdateItem", `{"TableName":"orders",` + k + `,"UpdateExpression":"REMOVE ` + repeat(700, func(i int) string { return "l[" + string(rune('1'+i%9)) + "0" + string(rune('0'+i/9%10)) + "]" }) + `"}`},
		"keys":                {"BatchGetItem", `{"RequestItems":{"orders":{"Keys":[` + repeat(50_000, func(int) string { return `{"pk":{"S":"a"},"sk":{"N":"1"}}` }) + `]}}}`},
		"writes":              {"BatchWriteItem", `{"RequestItems":{"orders":[` + repeat(50_000, func(int) string { return `{"DeleteRequest":{` + k + `}}` }) + `]}}`},
		"tables":              {"BatchWriteItem", `{"RequestItems":{` + repeat(50_000, func(i int) string { return `"` + name(i) + `":[]` }) + `}}`},
		"transactional items": {"TransactWriteItems", `{"TransactItems":[` + repeat(100_000, func(int) string { return `{"Delete":{"TableName":"orders",` + k + `}}` }) + `]}`},
		"attributes":          {"CreateTable", `{"TableName":"more","AttributeDefinitions":[` + repeat(100_000, func(i int) string { return `{"AttributeName":"` + name(i) + `","AttributeType":"S"}` }) + `],"KeySchema":[{"AttributeName":"a","KeyType":"HASH"}]}`},
		"tags":                {"CreateTable", strings.TrimSuffix(strings.Replace(fuzzedTable, "orders", "more", 1), "}") + `,"Tags":[` + repeat(100_000, func(i int) string { return `{"Key":"` + name(i) + `","Value":""}` }) + `]}`},
	} {
		t.Run(what, func(t *testing.T) {
			began := time.Now()
			status, answer := send(front, request[0], request[1])
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if !slices.Contains([]int{http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge}, status) {
				t.Errorf("%d %.200s", status, answer)
			}
			t.Logf("%d bytes: %v, %d %.120s", len(request[1]), time.Since(began).Round(time.Millisecond), status, answer)
		})
	}
}
