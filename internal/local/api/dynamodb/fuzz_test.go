package dynamodb_test

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	api "streamgen/internal/local/api/dynamodb"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/engine"
	"streamgen/internal/local/streams"
)

// fuzzedRequests are bodies by operation, valid and nearly so, from which the fuzzer begins. The first of CreateTable makes "orders".
//
//go:embed testdata/requests.json
var fuzzedRequests []byte

func readRequests(t testing.TB) map[string][]string {
	t.Helper()
	var raw map[string][]json.RawMessage
	if err := json.Unmarshal(fuzzedRequests, &raw); err != nil {
		t.Fatal(err)
	}
	bodies := make(map[string][]string, len(raw))
	for operation, list := range raw {
		for _, body := range list {
			bodies[operation] = append(bodies[operation], string(body))
		}
	}
	return bodies
}

// No request makes the front end panic or hang or answer with anything but a success or an error that is the client's, in JSON.
func FuzzRequests(f *testing.F) {
	front, bodies := newFuzzed(f), readRequests(f)
	client := reflect.TypeFor[*dynamodb.Client]()
	known := map[string]bool{}
	for i := range client.NumMethod() {
		operation := client.Method(i).Name
		if _, answer := send(front, operation, `{"TableName":"orders"}`); strings.Contains(answer, "UnknownOperationException") {
			continue
		}
		known[operation] = true
		f.Add(operation, `{"TableName":"orders"}`)
		f.Add(operation, `null`)
	}
	for operation, list := range bodies {
		if !known[operation] {
			f.Errorf("%s is no operation", operation)
		}
		for _, body := range list {
			f.Add(operation, body)
		}
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		if !known[operation] {
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
		for _, ours := range []string{`"InternalFailure"`, "Go struct", `"message":""`} {
			if status == http.StatusBadRequest && strings.Contains(answer, ours) {
				t.Fatalf("%s %s: %s", operation, body, answer)
			}
		}
		// whatever was written can be read
		if status, answer := send(front, "Scan", `{"TableName":"orders"}`); status != http.StatusOK && !strings.Contains(answer, "ResourceNotFoundException") {
			t.Fatalf("%s %s: a scan then gives %d %s", operation, body, status, answer)
		}
	})
}

// newFuzzed gives a front end over a table of two items. The clock stands still.
func newFuzzed(t testing.TB) http.Handler {
	t.Helper()
	c := clock.NewManual(start)
	registry := streams.New(streams.Options{Account: account, Region: region, Clock: c})
	e := engine.New(engine.Options{Account: account, Region: region, Clock: c, Streams: registry})
	t.Cleanup(e.Close)
	front := api.New(e, control.ResourcePolicies{Enforced: true})
	for _, request := range [][2]string{
		{"CreateTable", readRequests(t)["CreateTable"][0]},
		{"PutItem", `{"TableName":"orders","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"g":{"S":"x"},"n":{"N":"5"},"s":{"S":"s"},"ss":{"SS":["a"]},` +
			`"l":{"L":[{"N":"1"}]},"m":{"M":{"a":{"S":"x"}}}}}`},
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
	// list is the part, with %d for its number, many times.
	list := func(n int, part string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = strings.ReplaceAll(part, "%d", strconv.Itoa(i))
		}
		return strings.Join(parts, ",")
	}
	const (
		many   = 50_000
		key    = `"Key":{"pk":{"S":"a"},"sk":{"N":"1"}}`
		put    = `{"TableName":"orders","Item":{"pk":{"S":"c"},"sk":{"N":"1"}`
		update = `{"TableName":"orders",` + key
		scan   = `{"TableName":"orders"`
		create = `{"TableName":"more","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"a0","KeyType":"HASH"}]`
	)
	for what, request := range map[string][2]string{
		"members of a set":    {"PutItem", put + `,"ss":{"SS":[` + list(2*many, `"a%d"`) + `]}}}`},
		"equal numbers":       {"PutItem", put + `,"ns":{"NS":[` + list(2*many, `"1"`) + `]}}}`},
		"digits":              {"PutItem", put + `,"n":{"N":"` + strings.Repeat("9", 4<<20) + `"}}}`},
		"zeros":               {"PutItem", put + `,"n":{"N":"` + strings.Repeat("0", 4<<20) + `"}}}`},
		"open lists":          {"PutItem", put + `,"l":` + strings.Repeat("[", 1<<20)},
		"nested values":       {"PutItem", put + `,"l":` + strings.Repeat(`{"L":[`, 9000) + strings.Repeat(`]}`, 9000) + `}}`},
		"expectations":        {"PutItem", put + `},"Expected":{` + list(many, `"a%d":{"Exists":false}`) + `}}`},
		"updates":             {"UpdateItem", update + `,"AttributeUpdates":{` + list(many, `"a%d":{"Value":{"S":""}}`) + `}}`},
		"assigned paths":      {"UpdateItem", update + `,"UpdateExpression":"REMOVE ` + list(400, "l[1%d]") + `"}`},
		"substitutions":       {"UpdateItem", update + `,"UpdateExpression":"SET a = :a0","ExpressionAttributeValues":{` + list(many, `":a%d":{"S":""}`) + `}}`},
		"filters":             {"Scan", scan + `,"ConditionalOperator":"OR","ScanFilter":{` + list(many, `"a%d":{"ComparisonOperator":"NULL"}`) + `}}`},
		"operands of IN":      {"Scan", scan + `,"FilterExpression":"a IN (` + list(1300, ":a") + `)","ExpressionAttributeValues":{":a":{"S":""}}}`},
		"negations":           {"Scan", scan + `,"FilterExpression":"` + strings.Repeat("NOT ", 1000) + `a = b"}`},
		"projected paths":     {"Scan", scan + `,"ProjectionExpression":"` + list(600, "l[%d]") + `"}`},
		"keys":                {"BatchGetItem", `{"RequestItems":{"orders":{"Keys":[` + list(many, `{"pk":{"S":"a"},"sk":{"N":"%d"}}`) + `]}}}`},
		"writes":              {"BatchWriteItem", `{"RequestItems":{"orders":[` + list(many, `{"DeleteRequest":{`+key+`}}`) + `]}}`},
		"tables":              {"BatchWriteItem", `{"RequestItems":{` + list(many, `"a%d":[]`) + `}}`},
		"transactional items": {"TransactWriteItems", `{"TransactItems":[` + list(many, `{"Delete":{"TableName":"orders",`+key+`}}`) + `]}`},
		"attributes":          {"CreateTable", create + `,"AttributeDefinitions":[` + list(many, `{"AttributeName":"a%d","AttributeType":"S"}`) + `]}`},
		"tags": {"CreateTable", create + `,"AttributeDefinitions":[{"AttributeName":"a0","AttributeType":"S"}],"Tags":[` +
			list(many, `{"Key":"a%d","Value":""}`) + `]}`},
	} {
		t.Run(what, func(t *testing.T) {
			began := time.Now()
			status, answer := send(front, request[0], request[1])
			took := time.Since(began)
			if took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if status != http.StatusOK && status != http.StatusBadRequest {
				t.Errorf("%d %.200s", status, answer)
			}
			t.Logf("%d bytes: %v, %d %.120s", len(request[1]), took.Round(time.Millisecond), status, answer)
		})
	}
}
