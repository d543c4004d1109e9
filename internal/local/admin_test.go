package local

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"streamgen/internal/local/clock"
)

// ask sends a request to the admin API and gives its status and body.
func ask(t *testing.T, s *Stack, method, path, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Endpoint()+"/_streamgen/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return send(t, r)
}

func send(t *testing.T, r *http.Request) (status int, text string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// call sends a request of AWS JSON in a region.
func call(t *testing.T, s *Stack, region, target, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Authorization", signed(region, "dynamodb"))
	return send(t, r)
}

func createTable(t *testing.T, s *Stack, region, name string) {
	t.Helper()
	status, text := call(t, s, region, "DynamoDB_20120810.CreateTable", fmt.Sprintf(`{"TableName":%q,"BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
		"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}`, name))
	if status != http.StatusOK {
		t.Fatal(text)
	}
}

func putItem(t *testing.T, s *Stack, table, id string) (status int, text string) {
	t.Helper()
	return call(t, s, "us-east-1", "DynamoDB_20120810.PutItem", fmt.Sprintf(`{"TableName":%q,"Item":{"id":{"S":%q}}}`, table, id))
}

func TestAdminRefuses(t *testing.T) {
	s := start(t, Options{})
	createTable(t, s, "us-east-1", "orders")
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "nothing", "", 404, "want health, clock, faults"},
		{"GET", "faults/", "", 404, "there is no"},
		{"PUT", "clock", "{}", 405, "takes GET, POST, not PUT"},
		{"GET", "reset", "", 405, "takes POST"},
		{"POST", "dump", "", 405, "takes GET"},
		{"DELETE", "faults/9", "", 404, "there is no fault 9"},
		{"POST", "clock", "{}", 400, "want either"},
		{"POST", "clock", `{"advance":"1 day"}`, 400, "want a duration"},
		{"POST", "clock", `{"advance":"-1s"}`, 400, "goes forward alone"},
		{"POST", "clock", `{"set":"2001-02-03T04:05:06Z"}`, 400, "goes forward alone"},
		{"POST", "clock", `{"to":"1h"}`, 400, `unknown field \"to\"`},
		{"POST", "clock", `{"advance":"1s"} {}`, 400, "more than one JSON value"},
		{"POST", "clock", `advance`, 400, "the body"},
		{"POST", "streams/split", `{"table":"nope"}`, 404, "has no enabled stream"},
		{"POST", "streams/split", `{}`, 400, `want \"table\"`},
		{"POST", "streams/roll", `{"table":"orders","shard":"none"}`, 400, "not found"},
		{"POST", "streams/roll", `{"table":"orders","region":"eu-west-1"}`, 404, `nothing was made in region`},
		{"GET", "dump?region=eu-west-1", "", 404, "nothing was made in region"},
		{"POST", "faults", `{}`, 400, "want throttle, error, latency or disconnect"},
		{"POST", "faults", `{"kind":"throttle","rate":1.5}`, 400, "rate 1.5"},
		{"POST", "faults", `{"kind":"throttle","when":"never"}`, 400, "before or after"},
		{"POST", "faults", `{"kind":"error"}`, 400, "needs a code"},
		{"POST", "faults", `{"kind":"error","code":"X","status":200}`, 400, "400 to 599"},
		{"POST", "faults", `{"kind":"throttle","status":500}`, 400, "belong to kind error"},
		{"POST", "faults", `{"kind":"latency"}`, 400, "latency_ms"},
		{"POST", "faults", `{"kind":"disconnect","latency_ms":5}`, 400, "belongs to kind latency"},
		{"POST", "faults", `{"kind":"throttle","times":-1}`, 400, "times -1"},
		{"POST", "faults", `{"kind":"throttle","service":"sqs","table":"orders"}`, 400, "name no table"},
	} {
		status, text := ask(t, s, test.method, test.path, test.body)
		if status != test.status || !strings.Contains(text, test.want) || !strings.Contains(text, `"error"`) {
			t.Errorf("%s %s %s: %d %s, want %d with %q", test.method, test.path, test.body, status, text, test.status, test.want)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint()+"/_streamgen/reset", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://example.com")
	if status, text := send(t, r); status != http.StatusForbidden {
		t.Errorf("a web page resets the stack: %d %s", status, text)
	}
}

func TestAdminMovesTheClock(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := start(t, Options{Clock: clock.NewManual(now)})
	for _, step := range []struct{ method, body, want string }{
		{"GET", "", "2026-01-02T03:04:05Z"},
		{"POST", `{"advance":"1h30m"}`, "2026-01-02T04:34:05Z"},
		{"POST", `{"set":"2026-02-01T00:00:00Z"}`, "2026-02-01T00:00:00Z"},
		{"GET", "", "2026-02-01T00:00:00Z"},
	} {
		if status, text := ask(t, s, step.method, "clock", step.body); status != 200 || !strings.Contains(text, step.want) {
			t.Errorf("%s %s: %d %s, want %s", step.method, step.body, status, text, step.want)
		}
	}
	running := start(t, Options{})
	if status, text := ask(t, running, "POST", "clock", `{"advance":"48h"}`); status != 200 {
		t.Fatalf("the clock of gen local does not go ahead: %s", text)
	}
	if ahead := time.Until(running.opts.Clock.Now()); ahead < 47*time.Hour {
		t.Errorf("the clock is %v ahead, want two days", ahead)
	}
	fixed := start(t, Options{Clock: clock.System()})
	if status, text := ask(t, fixed, "POST", "clock", `{"advance":"1h"}`); status != 400 || !strings.Contains(text, "cannot be set") {
		t.Errorf("a clock that cannot be set: %d %s", status, text)
	}
}

func TestAdminChangesShards(t *testing.T) {
	s := start(t, Options{})
	createTable(t, s, "us-east-1", "orders")
	var rolled, split struct {
		Parent   string
		Children []string
	}
	_, text := ask(t, s, "POST", "streams/roll", `{"table":"orders"}`)
	if err := json.Unmarshal([]byte(text), &rolled); err != nil || len(rolled.Children) != 1 {
		t.Fatalf("roll: %s", text)
	}
	_, text = ask(t, s, "POST", "streams/split", `{"table":"orders"}`)
	if err := json.Unmarshal([]byte(text), &split); err != nil || len(split.Children) != 2 || split.Parent != rolled.Children[0] {
		t.Fatalf("split: %s", text)
	}
	if status, text := ask(t, s, "POST", "streams/roll", `{"table":"orders"}`); status != 400 || !strings.Contains(text, split.Children[0]) {
		t.Errorf("with two open shards: %d %s, want to be asked which", status, text)
	}
}

func TestAdminDumpsAndResets(t *testing.T) {
	s := start(t, Options{})
	createTable(t, s, "us-east-1", "orders")
	createTable(t, s, "eu-west-1", "orders")
	if status, text := putItem(t, s, "orders", "a"); status != 200 {
		t.Fatal(text)
	}
	arn, err := s.Register("us-east-1", "ship", time.Minute, func(context.Context, Invocation) ([]byte, error) { return []byte("{}"), nil })
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint()+"/2015-03-31/event-source-mappings",
		strings.NewReader(fmt.Sprintf(`{"EventSourceArn":%q,"FunctionName":%q,"StartingPosition":"TRIM_HORIZON"}`, dumpOf(t, s)["us-east-1"].Streams[0].ARN, arn)))
	if err != nil {
		t.Fatal(err)
	}
	if status, text := send(t, r); status >= 300 {
		t.Fatal(text)
	}
	if err := s.AwaitCaughtUp(t.Context(), "us-east-1", "orders"); err != nil {
		t.Fatal(err)
	}
	region, err := s.region("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := region.queues.Create("failed", nil, nil); err != nil {
		t.Fatal(err)
	}
	d := dumpOf(t, s)["us-east-1"]
	if !slices.Contains(d.Resources, "arn:aws:sqs:us-east-1:"+Account+":failed") {
		t.Errorf("the resources are %v", d.Resources)
	}
	if len(d.Tables) != 1 || d.Tables[0].Items != 1 || d.Tables[0].StreamARN == "" {
		t.Errorf("the tables are %+v", d.Tables)
	}
	if len(d.Streams) != 1 || d.Streams[0].Records != 1 || len(d.Streams[0].Shards) != 1 || d.Streams[0].Status != "ENABLED" {
		t.Errorf("the streams are %+v", d.Streams)
	}
	if len(d.Functions) != 1 || d.Functions[0].ARN != arn {
		t.Errorf("the functions are %+v", d.Functions)
	}
	if len(d.Mappings) != 1 || d.Mappings[0].Checkpoints[d.Streams[0].Shards[0].ID] == "" || d.Mappings[0].LastProcessingResult != "OK" {
		t.Errorf("the mappings are %+v", d.Mappings)
	}

	if status, text := ask(t, s, "POST", "reset", `{"region":"us-east-1"}`); status != 200 || !strings.Contains(text, `["us-east-1"]`) {
		t.Errorf("reset of a region: %d %s", status, text)
	}
	if d := dumpOf(t, s); len(d) != 1 || len(d["eu-west-1"].Tables) != 1 {
		t.Errorf("after the reset of a region there is %+v", d)
	}
	createTable(t, s, "us-east-1", "orders")
	if _, text := ask(t, s, "POST", "faults", `{"kind":"throttle","operation":"Scan"}`); !strings.Contains(text, `"id":"1"`) {
		t.Error(text)
	}
	if status, text := ask(t, s, "POST", "reset", ""); status != 200 {
		t.Errorf("reset: %d %s", status, text)
	}
	if d := dumpOf(t, s); len(d) != 0 {
		t.Errorf("after the reset there is %+v", d)
	}
	if _, text := ask(t, s, "GET", "faults", ""); strings.TrimSpace(text) != `{"faults":[]}` {
		t.Errorf("after the reset the faults are %s", text)
	}
}

func dumpOf(t *testing.T, s *Stack) map[string]regionDump {
	t.Helper()
	status, text := ask(t, s, "GET", "dump", "")
	var d struct{ Regions map[string]regionDump }
	if err := json.Unmarshal([]byte(text), &d); err != nil || status != 200 {
		t.Fatalf("dump: %d %s", status, text)
	}
	return d.Regions
}

func TestResetLeavesADataFolderAlone(t *testing.T) {
	s := start(t, Options{DataDir: t.TempDir()})
	if status, text := ask(t, s, "POST", "reset", ""); status != http.StatusConflict || !strings.Contains(text, "remove the folder") {
		t.Errorf("%d %s, want to be told what to do", status, text)
	}
}

func TestFaultsChooseAndStrike(t *testing.T) {
	s := start(t, Options{})
	createTable(t, s, "us-east-1", "orders")
	createTable(t, s, "us-east-1", "notes")
	for _, test := range []struct {
		name, fault  string
		table        string
		status       int
		code         string
		itIsWritten  bool
		strikesAgain bool
	}{
		{"throttled", `{"kind":"throttle","service":"dynamodb","operation":"PutItem","table":"orders"}`, "orders", 400, "ProvisionedThroughputExceededException", false, true},
		{"another table", `{"kind":"throttle","table":"orders"}`, "notes", 200, "", true, false},
		{"another operation", `{"kind":"throttle","operation":"GetItem"}`, "orders", 200, "", true, false},
		{"another region", `{"kind":"throttle","region":"eu-west-1"}`, "orders", 200, "", true, false},
		{"an error, once", `{"kind":"error","code":"InternalServerError","status":503,"operation":"PutItem","times":1}`, "orders", 503, "InternalServerError", false, false},
		{"the answer is lost", `{"kind":"error","code":"InternalServerError","when":"after","operation":"PutItem"}`, "orders", 500, "InternalServerError", true, true},
		{"a pause", `{"kind":"latency","latency_ms":1}`, "orders", 200, "", true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if status, text := ask(t, s, "POST", "faults", test.fault); status != 200 {
				t.Fatal(text)
			}
			status, text := putItem(t, s, test.table, test.name)
			if status != test.status || !strings.Contains(text, test.code) {
				t.Errorf("%d %s, want %d %s", status, text, test.status, test.code)
			}
			if status, _ := putItem(t, s, test.table, test.name+" again"); (status != 200) != test.strikesAgain {
				t.Errorf("the second time: %d", status)
			}
			if _, text := ask(t, s, "DELETE", "faults", ""); strings.TrimSpace(text) != `{"faults":[]}` {
				t.Errorf("after all are cleared: %s", text)
			}
			_, text = call(t, s, "us-east-1", "DynamoDB_20120810.GetItem", fmt.Sprintf(`{"TableName":%q,"Key":{"id":{"S":%q}}}`, test.table, test.name))
			if strings.Contains(text, "Item") != test.itIsWritten {
				t.Errorf("GetItem says %s; written must be %v", text, test.itIsWritten)
			}
		})
	}
}

func TestFaultsFollowTheirSeed(t *testing.T) {
	strikes := func(seed int) string {
		var fs faults
		if _, err := fs.add(Fault{Kind: Throttle, Rate: 0.5, Seed: uint64(seed)}); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for range 64 {
			_, struck := fs.strike(destination{}, nil)
			fmt.Fprint(&b, map[bool]int{true: 1}[struck != nil])
		}
		return b.String()
	}
	if first, second := strikes(1), strikes(1); first != second {
		t.Error("the same seed strikes others")
	}
	if strikes(1) == strikes(2) {
		t.Error("another seed strikes the same")
	}
	if n := strings.Count(strikes(1), "1"); n < 16 || n > 48 {
		t.Errorf("a rate of one half struck %d of 64", n)
	}
}

func TestADisconnectEndsTheConnection(t *testing.T) {
	s := start(t, Options{})
	createTable(t, s, "us-east-1", "orders")
	if status, text := ask(t, s, "POST", "faults", `{"kind":"disconnect","when":"after","operation":"PutItem"}`); status != 200 {
		t.Fatal(text)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint(), strings.NewReader(`{"TableName":"orders","Item":{"id":{"S":"a"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close()
		t.Errorf("answers %s", res.Status)
	}
	if d := dumpOf(t, s); d["us-east-1"].Tables[0].Items != 1 {
		t.Error("it was not written before the answer was lost")
	}
}

func TestRequestsAreTold(t *testing.T) {
	told := make(chan Request, 10)
	s := start(t, Options{Requests: func(r Request) { told <- r }})
	createTable(t, s, "us-east-1", "orders")
	if r := <-told; r.Service != "dynamodb" || r.Operation != "CreateTable" || r.Region != "us-east-1" || r.Status != 200 || r.Code != "" || len(r.Tables) != 1 || r.Tables[0] != "orders" || r.Took <= 0 || r.Time.IsZero() {
		t.Errorf("told %+v", r)
	}
	for _, test := range []struct{ operation, body, tables, code string }{
		{"DynamoDB_20120810.GetItem", `{"TableName":"nope","Key":{"id":{"S":"a"}}}`, "nope", "ResourceNotFoundException"},
		{"DynamoDB_20120810.BatchWriteItem", `{"RequestItems":{"orders":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]}}`, "orders", ""},
		{"DynamoDBStreams_20120810.DescribeStream", `{"StreamArn":"arn:aws:dynamodb:us-east-1:000000000000:table/x/stream/2026-01-01T00:00:00.000"}`, "x", "ResourceNotFoundException"},
		{"DynamoDB_20120810.ListTables", `{`, "", "SerializationException"},
		{"DynamoDB_20120810.Nothing", `{}`, "", "UnknownOperationException"},
	} {
		call(t, s, "us-east-1", test.operation, test.body)
		if r := <-told; r.Code != test.code || strings.Join(r.Tables, ",") != test.tables {
			t.Errorf("%s %s: told %+v, want table %q and code %q", test.operation, test.body, r, test.tables, test.code)
		}
	}
}
