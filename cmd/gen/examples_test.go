package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"streamgen/internal/cli"
	"streamgen/internal/local"
	"streamgen/internal/tf"
)

const examplesFolder = "../../examples"

// TestExamplesAreUpToDate: what is committed of the examples is what gen makes of them.
func TestExamplesAreUpToDate(t *testing.T) {
	specs, err := filepath.Glob(filepath.Join(examplesFolder, "*", "gen.yaml"))
	if err != nil || len(specs) != 10 {
		t.Fatalf("%d examples, %v", len(specs), err)
	}
	for _, spec := range specs {
		var out, story bytes.Buffer
		if code := cli.Run(t.Context(), []string{"-C", filepath.Dir(spec), "generate", "--check"}, nil, &out, &story); code != 0 {
			t.Errorf("%s: exit code %d\n%s%s", spec, code, &out, &story)
		}
	}
}

// TestExamples applies each example to a local stack, watches what its handler does, with the rights that its spec gives it, and destroys it.
func TestExamples(t *testing.T) {
	if os.Getenv("STREAMGEN_LONG") == "" || !tf.ProviderAvailable(t.Context()) {
		t.Skip("takes minutes, and needs the AWS provider: make provider long")
	}
	examples := copyExamples(t)
	for name, check := range map[string]func(t *testing.T, e *example){
		"aggregation":         checkAggregation,
		"audit-log":           checkAuditLog,
		"cdc-to-sqs":          checkCDC,
		"idempotent-payments": checkPayments,
		"materialised-view":   checkView,
		"multi-tenant":        checkTenants,
		"notifications":       checkNotifications,
		"regional-copy":       checkCopy,
		"search-index":        checkSearch,
		"ttl-archiver":        checkArchiver,
	} {
		t.Run(name, func(t *testing.T) {
			e := &example{dir: filepath.Join(examples, name), logged: make(chan struct{}, 1)}
			stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Region: "us-east-1", Logs: e.log})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				if err := stack.Close(ctx); err != nil {
					t.Error(err)
				}
			})
			e.endpoint = stack.Endpoint()
			check(t, e)
			e.mustDestroy(t)
		})
	}
}

// copyExamples copies the module of the examples to where they may be built and applied.
func copyExamples(t *testing.T) string {
	t.Helper()
	to := t.TempDir()
	copyFolder(t, examplesFolder, to)
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(to, "go.mod"), "=> ../", "=> "+filepath.ToSlash(root))
	return to
}

func rewrite(t *testing.T, file, old, with string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(data, []byte(old), []byte(with)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// example is an example in a folder of its own, with a local stack.
type example struct {
	dir, endpoint string
	before        []string // what the stack held before it was applied

	mu     sync.Mutex
	lines  []string
	logged chan struct{} // has something after each line that a function logged
}

func (e *example) log(l local.LogEvent) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines = append(e.lines, l.Message)
	select {
	case e.logged <- struct{}{}:
	default:
	}
}

// hasLogged says whether a function logged a line that begins so.
func (e *example) hasLogged(prefix string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.lines, func(line string) bool { return strings.HasPrefix(line, prefix) })
}

// apply runs gen apply and gives what it printed.
func (e *example) apply(t *testing.T) (code int, printed string) {
	t.Helper()
	var out bytes.Buffer
	code = cli.Run(t.Context(), []string{"-C", e.dir, "apply", "--env", "local", "--endpoint", e.endpoint}, nil, &out, &out)
	return code, out.String()
}

func (e *example) mustApply(t *testing.T) {
	t.Helper()
	e.before = held(t, e.endpoint)
	if code, printed := e.apply(t); code != 0 {
		t.Fatalf("exit code %d\n%s", code, printed)
	}
}

// mustDestroy plans once more, which finds nothing to do, and destroys the example, which leaves what was there before it was applied.
func (e *example) mustDestroy(t *testing.T) {
	t.Helper()
	for _, command := range []string{"plan", "destroy"} {
		var out bytes.Buffer
		if code := cli.Run(t.Context(), []string{"-C", e.dir, command, "--env", "local", "--endpoint", e.endpoint}, nil, &out, &out); code != 0 {
			t.Fatalf("%s: exit code %d\n%s", command, code, &out)
		}
	}
	if d := cmp.Diff(e.before, held(t, e.endpoint), cmpopts.EquateEmpty()); d != "" {
		t.Errorf("destroy leaves (-want +have):\n%s", d)
	}
}

// await looks again after each line that the functions log, until the condition holds.
func (e *example) await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !holds() {
		select {
		case <-e.logged:
		case <-deadline:
			e.mu.Lock()
			defer e.mu.Unlock()
			t.Fatalf("%s: not after a minute; the functions logged:\n%s", what, strings.Join(e.lines, "\n"))
		}
	}
}

func (e *example) config(region string) aws.Config { return stackConfig(e.endpoint, region) }

const home = "eu-central-1"

func (e *example) db(region string) *dynamodb.Client { return dynamodb.NewFromConfig(e.config(region)) }

// put writes an item: attributes that begin with # are numbers, with ? booleans, all others texts.
func (e *example) put(t *testing.T, table string, attributes map[string]string) {
	t.Helper()
	item := map[string]types.AttributeValue{}
	for name, value := range attributes {
		switch name[0] {
		case '#':
			item[name[1:]] = &types.AttributeValueMemberN{Value: value}
		case '?':
			item[name[1:]] = &types.AttributeValueMemberBOOL{Value: value == "true"}
		default:
			item[name] = &types.AttributeValueMemberS{Value: value}
		}
	}
	if _, err := e.db(home).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

// items are what a table holds, each as its texts and numbers by name.
func (e *example) items(t *testing.T, region, table string) []map[string]string {
	t.Helper()
	out, err := e.db(region).Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, item := range out.Items {
		texts := map[string]string{}
		for name, value := range item {
			switch v := value.(type) {
			case *types.AttributeValueMemberS:
				texts[name] = v.Value
			case *types.AttributeValueMemberN:
				texts[name] = v.Value
			}
		}
		list = append(list, texts)
	}
	return list
}

// awaitItems waits until a table holds exactly the items, in the words of fmt, in any order.
func (e *example) awaitItems(t *testing.T, region, table string, want ...string) {
	t.Helper()
	e.await(t, fmt.Sprintf("%s holds %v", table, want), func() bool {
		left := map[string]int{}
		for _, w := range want {
			left[w]++
		}
		items := e.items(t, region, table)
		for _, item := range items {
			left[fmt.Sprint(item)]--
		}
		for _, n := range left {
			if n != 0 {
				return false
			}
		}
		return true
	})
}

// fake is a service that the stack does not have: it keeps what it is asked.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
}

func newFake(t *testing.T, answer string) *fake {
	t.Helper()
	f := &fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path+" "+string(body))
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(f.Close)
	return f
}

// got reports whether a request held all texts.
func (f *fake) got(texts ...string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.requests {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(r, text)
		}
		if all {
			return true
		}
	}
	return false
}

func checkAggregation(t *testing.T, e *example) {
	e.mustApply(t)
	for id, cents := range map[string]string{"1": "150", "2": "250", "3": "1"} {
		store := "north"
		if id == "3" {
			store = "south"
		}
		e.put(t, "sales", map[string]string{"Id": id, "Store": store, "#Cents": cents})
	}
	e.await(t, "the window's first invocation", func() bool { return e.hasLogged("START RequestId") })
	e.advance(t, 2*time.Minute) // past the window's end
	totals := map[string]string{}
	e.await(t, "the totals of two stores", func() bool {
		clear(totals)
		for _, total := range e.items(t, home, "totals") {
			totals[total["Store"]] += total["Sales"] + " " + total["Cents"] + ";"
		}
		return len(totals) == 2
	})
	if want := map[string]string{"north": "2 400;", "south": "1 1;"}; !maps.Equal(totals, want) {
		t.Errorf("totals %v, want %v", totals, want)
	}
}

// advance sets the stack's clock ahead.
func (e *example) advance(t *testing.T, by time.Duration) {
	t.Helper()
	res, err := http.Post(e.endpoint+"/_streamgen/clock", "application/json", strings.NewReader(fmt.Sprintf(`{"advance":%q}`, by)))
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Fatalf("advancing the clock: %s", res.Status)
	}
}

func checkAuditLog(t *testing.T, e *example) {
	e.mustApply(t)
	e.put(t, "accounts", map[string]string{"Id": "a", "#Balance": "1"})
	e.put(t, "accounts", map[string]string{"Id": "a", "#Balance": "2"})
	e.await(t, "two entries", func() bool { return len(e.items(t, home, "audit")) == 2 })
	kinds := map[string]bool{}
	for _, entry := range e.items(t, home, "audit") {
		kinds[entry["Kind"]] = entry["Account"] == "a" && strings.Contains(entry["Record"], `"Balance"`)
	}
	if !kinds["INSERT"] || !kinds["MODIFY"] {
		t.Errorf("entries of %v", kinds)
	}
}

func checkCDC(t *testing.T, e *example) {
	queues := sqs.NewFromConfig(e.config(home))
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("customer-changes")})
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(e.dir, "gen.yaml"), "123456789012", local.Account)
	e.mustApply(t)
	e.put(t, "customers", map[string]string{"Id": "1", "Name": "Ada", "Other": "x"})
	e.wantMessage(t, *queue.QueueUrl, `"kind":"INSERT"`, `"Name":{"S":"Ada"}`, `"Other":{"S":"x"}`)
}

// wantMessage waits for a queue's first message and wants the texts in it.
func (e *example) wantMessage(t *testing.T, queueURL string, texts ...string) {
	t.Helper()
	got, err := sqs.NewFromConfig(e.config(home)).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &queueURL, WaitTimeSeconds: 20})
	if err != nil || len(got.Messages) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	for _, want := range texts {
		if body := *got.Messages[0].Body; !strings.Contains(body, want) {
			t.Errorf("%s has no %s", body, want)
		}
	}
}

func checkPayments(t *testing.T, e *example) {
	e.mustApply(t)
	for _, status := range []string{"NEW", "AUTHORIZED", "REVIEW", "AUTHORIZED"} {
		e.put(t, "payments", map[string]string{"Id": "p1", "Account": "a", "#Cents": "250", "Status": status})
	}
	e.put(t, "payments", map[string]string{"Id": "p2", "Account": "b", "#Cents": "1", "Status": "AUTHORIZED"})
	e.put(t, "payments", map[string]string{"Id": "p3", "Account": "c", "#Cents": "1", "Status": "NEW"})
	e.awaitItems(t, home, "ledger", "map[Account:a Cents:250 Payment:p1]", "map[Account:b Cents:1 Payment:p2]")
	e.put(t, "payments", map[string]string{"Id": "p2", "Account": "b", "#Cents": "1", "Status": "REVIEW"})
	e.put(t, "payments", map[string]string{"Id": "p2", "Account": "b", "#Cents": "2", "Status": "AUTHORIZED"})
	parked, err := sqs.NewFromConfig(e.config(home)).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("capture-parked")})
	if err != nil {
		t.Fatal(err)
	}
	e.wantMessage(t, *parked.QueueUrl, `"NewImage":{`, `"Cents":{"N":"2"}`)
	e.awaitItems(t, home, "ledger", "map[Account:a Cents:250 Payment:p1]", "map[Account:b Cents:1 Payment:p2]")
}

func checkView(t *testing.T, e *example) {
	const view = "orders-by-customer"
	e.mustApply(t)
	e.put(t, "orders", map[string]string{"Id": "1", "Customer": "ada", "Status": "OPEN", "#Total": "5"})
	e.put(t, "orders", map[string]string{"Id": "2", "Customer": "ada", "Status": "OPEN"})
	e.awaitItems(t, home, view, "map[Customer:ada Id:1 Status:OPEN Total:5]", "map[Customer:ada Id:2 Status:OPEN]")
	e.put(t, "orders", map[string]string{"Id": "1", "Customer": "bob", "Status": "OPEN", "#Total": "6"})
	e.put(t, "orders", map[string]string{"Id": "2", "Customer": "ada", "Status": "CLOSED"})
	e.awaitItems(t, home, view, "map[Customer:bob Id:1 Status:OPEN Total:6]")
}

func checkTenants(t *testing.T, e *example) {
	e.mustApply(t)
	for _, tenant := range []string{"acme", "small", "globex"} {
		e.put(t, "documents", map[string]string{"Tenant": tenant, "Id": "d", "Title": "x"})
	}
	e.awaitItems(t, home, "jobs", "map[Document:d Queue:premium Tenant:acme Title:x]",
		"map[Document:d Queue:premium Tenant:globex Title:x]", "map[Document:d Queue:standard Tenant:small Title:x]")
}

func checkNotifications(t *testing.T, e *example) {
	topic := newFake(t, `<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>`)
	rewrite(t, filepath.Join(e.dir, "gen.yaml"), "http://127.0.0.1:4100", topic.URL)
	e.mustApply(t)
	for id, order := range map[string]map[string]string{
		"small":  {"Status": "SHIPPED", "Email": "a@example.com", "#Total": "99"},
		"open":   {"Status": "OPEN", "Email": "a@example.com", "#Total": "100"},
		"silent": {"Status": "SHIPPED", "#Total": "100"},
	} {
		order["Id"] = id
		e.put(t, "orders", order)
	}
	e.put(t, "orders", map[string]string{"Id": "large", "Status": "SHIPPED", "Email": "b@example.com", "#Total": "100"})
	e.await(t, "the notification", func() bool { return topic.got("Order+large+has+been+shipped", "b%40example.com") })
	for _, other := range []string{"small", "open", "silent"} {
		if topic.got("Order+" + other) {
			t.Errorf("the order %s was notified", other)
		}
	}
}

func checkCopy(t *testing.T, e *example) {
	const region, table = "us-west-2", "products-public"
	if _, err := e.db(region).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: types.ScalarAttributeTypeS}},
	}); err != nil {
		t.Fatal(err)
	}
	e.mustApply(t)
	e.put(t, "products", map[string]string{"Id": "1", "Name": "secret", "?Public": "false"})
	e.put(t, "products", map[string]string{"Id": "2", "Name": "lamp", "#Price": "9.5", "#Cost": "4", "?Public": "true"})
	e.awaitItems(t, region, table, "map[Id:2 Name:lamp Price:9.5]")
	e.put(t, "products", map[string]string{"Id": "2", "Name": "lamp", "#Price": "9.5", "?Public": "false"})
	e.awaitItems(t, region, table)
}

func checkSearch(t *testing.T, e *example) {
	index := newFake(t, `{}`)
	rewrite(t, filepath.Join(e.dir, "gen.yaml"), "http://127.0.0.1:9200", index.URL)
	e.mustApply(t)
	e.put(t, "products", map[string]string{"Id": "a b", "Name": "lamp", "Description": "bright", "#Price": "9.50"})
	e.await(t, "the document", func() bool {
		return index.got("PUT /products/_doc/a b", `{"name":"lamp","description":"bright","price":9.5}`)
	})
	if _, err := e.db(home).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String("products"), Key: map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: "a b"}},
	}); err != nil {
		t.Fatal(err)
	}
	e.await(t, "its removal", func() bool { return index.got("DELETE /products/_doc/a b") })
}

func checkArchiver(t *testing.T, e *example) {
	bucket := newFake(t, "")
	rewrite(t, filepath.Join(e.dir, "gen.yaml"), "http://127.0.0.1:9000", bucket.URL)
	e.mustApply(t)
	e.put(t, "sessions", map[string]string{"Id": "deleted", "User": "ada"})
	if _, err := e.db(home).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String("sessions"), Key: map[string]types.AttributeValue{"Id": &types.AttributeValueMemberS{Value: "deleted"}},
	}); err != nil {
		t.Fatal(err)
	}
	e.put(t, "sessions", map[string]string{"Id": "expired", "User": "bob", "#ExpiresAt": fmt.Sprint(time.Now().Add(-time.Minute).Unix())})
	e.await(t, "the object", func() bool { return bucket.got("PUT /session-archive/sessions/", "/expired/", `"User":{"S":"bob"}`) })
	if bucket.got("/deleted/") {
		t.Error("an item that did not expire was archived")
	}
}
