package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"streamgen/internal/local"
	"streamgen/internal/records"
)

const shipSpec = `version: 1
project: shop
region: eu-west-1
profile: minimal
tables:
  orders:
    hash_key: Id
    attributes: {Id: S, Status: S, Total: N}
    stream_view_type: NEW_AND_OLD_IMAGES
handlers:
  ship:
    table: orders
    batch_size: 2
    maximum_retry_attempts: 0
    bisect_batch_on_function_error: false
    destination_config: {on_failure: {type: sqs}}
`

// shipHandler fails for orders that are lost, and prints the others.
const shipHandler = `package ship

import (
	"context"
	"errors"
	"fmt"

	"MODULE/generated/tables/orders"
	"streamgen/runtime/stream"
)

// Handle prints an order.
func Handle(_ context.Context, c stream.Change[orders.Item]) error {
	item := c.New
	if item == nil {
		item = c.Old
	}
	if item.Status == "lost" {
		return errors.New("the order is lost")
	}
	fmt.Println("WORD", item.ID, item.Status)
	return nil
}
`

// shop is a project with a handler, and a stack.
type shop struct {
	*testing.T
	dir   string
	stack *local.Stack
	// out and err are what the last command printed.
	out, err bytes.Buffer
}

func newShop(t *testing.T) *shop {
	t.Helper()
	stack, err := local.Start(t.Context(), local.Options{Listen: "127.0.0.1:0", Region: "eu-west-1", IgnorePolicies: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stack.Close(t.Context()) })
	s := &shop{T: t, dir: t.TempDir(), stack: stack}
	write(t, filepath.Join(s.dir, "gen.yaml"), shipSpec)
	if code := s.run("init", ".", "--no-terraform"); code != 0 {
		t.Fatalf("init: %d\n%s", code, &s.err)
	}
	s.handler("shipping")
	return s
}

// handler writes the handler; word is in what it prints.
func (s *shop) handler(word string) { s.handlerFrom(shipHandler, word) }

// handlerFrom writes a handler from a source in which the module and a word are to be filled in.
func (s *shop) handlerFrom(source, word string) {
	s.Helper()
	mod, err := os.ReadFile(filepath.Join(s.dir, "go.mod"))
	if err != nil {
		s.Fatal(err)
	}
	module := strings.Fields(strings.SplitN(string(mod), "\n", 2)[0])[1]
	write(s.T, filepath.Join(s.dir, "handlers", "ship", "handler.go"), strings.NewReplacer("MODULE", module, "WORD", word).Replace(source))
}

func (s *shop) run(args ...string) int {
	s.out.Reset()
	s.err.Reset()
	return Run(s.Context(), append([]string{"-C", s.dir}, args...), strings.NewReader(""), &s.out, &s.err)
}

// local runs a command in the local environment, on the stack.
func (s *shop) local(args ...string) int {
	return s.run(append(args, "--env", "local", "--endpoint", s.stack.Endpoint())...)
}

// config is that of AWS's clients for the stack.
func (s *shop) config() aws.Config {
	return aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String(s.stack.Endpoint()), HTTPClient: local.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
}

// deploy makes the table and the function, which nothing invokes. It gives the ARN of the table's stream.
func (s *shop) deploy() string {
	s.Helper()
	db := dynamodb.NewFromConfig(s.config())
	made, err := db.CreateTable(s.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: ddbtypes.BillingModePayPerRequest,
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("Id"), KeyType: ddbtypes.KeyTypeHash}},
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("Id"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		StreamSpecification:  &ddbtypes.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddbtypes.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		s.Fatal(err)
	}
	if code := s.run("build", "--env", "local"); code != 0 {
		s.Fatalf("build: %d\n%s", code, &s.err)
	}
	zips, err := filepath.Glob(filepath.Join(s.dir, ".gen", "packages", "*", "ship.zip"))
	if err != nil || len(zips) != 1 {
		s.Fatalf("packages %v, %v", zips, err)
	}
	code, err := os.ReadFile(zips[0])
	if err != nil {
		s.Fatal(err)
	}
	_, err = lambda.NewFromConfig(s.config()).CreateFunction(s.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("ship"), Role: aws.String("arn:aws:iam::000000000000:role/ship"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &lambdatypes.FunctionCode{ZipFile: code}, Timeout: aws.Int32(10),
	})
	if err != nil {
		s.Fatal(err)
	}
	return *made.TableDescription.LatestStreamArn
}

func (s *shop) put(id, status string) {
	s.Helper()
	_, err := dynamodb.NewFromConfig(s.config()).PutItem(s.Context(), &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]ddbtypes.AttributeValue{
		"Id": &ddbtypes.AttributeValueMemberS{Value: id}, "Status": &ddbtypes.AttributeValueMemberS{Value: status},
	}})
	if err != nil {
		s.Fatal(err)
	}
}

// wants checks the last command's exit code and what it printed.
func (s *shop) wants(name string, code, want int, texts ...string) {
	s.Helper()
	if code != want {
		s.Errorf("%s: exit code %d, want %d", name, code, want)
	}
	all := s.out.String() + s.err.String()
	for _, text := range texts {
		if !strings.Contains(all, text) {
			s.Errorf("%s: nothing of %q", name, text)
		}
	}
	if s.Failed() {
		s.Fatalf("%s", all)
	}
}

// TestRecordCommands goes through the commands about single records as somebody would who looks for what went wrong with an order.
func TestRecordCommands(t *testing.T) {
	t.Parallel()
	s := newShop(t)

	s.wants("invoke here", s.run("invoke", "ship", "--local", "--item", `{"Id":"1","Status":"paid","Total":5}`), 0, "shipping 1 paid", "1 record done", `"batchItemFailures"`)
	s.wants("a failure", s.run("invoke", "ship", "--local", "--item", `{"Id":"1","Status":"paid"}`, "--item", `{"Id":"2","Status":"lost"}`), 1,
		"reports failed records", "takes the first 1 of 2 for done", "the order is lost", `INSERT Id="2"`)
	s.wants("JSON", s.run("invoke", "ship", "--local", "--kind", "remove", "--old", `{"Id":"1","Status":"paid"}`, "--json"), 0)
	var result invoked
	if err := json.Unmarshal(s.out.Bytes(), &result); err != nil || result.Records != 1 || result.Done != 1 || result.RequestID == "" || result.Handler != "ship" {
		t.Errorf("%v: %s", err, &s.out)
	}
	for want, args := range map[string][]string{
		"there is no handler":      {"bill", "--item", "{}"},
		"want an event":            {"ship"},
		"--item":                   {"ship", "--item", `{"Id":1}`},
		"--kind insert":            {"ship", "--item", `{"Id":"1"}`, "--old", `{"Id":"1"}`, "--kind", "insert"},
		"no such file":             {"ship", "--event", "gone.json"},
		"want insert, modify":      {"ship", "--item", `{"Id":"1"}`, "--kind", "put"},
		"--old goes with one":      {"ship", "--item", `{"Id":"1"}`, "--item", `{"Id":"2"}`, "--old", `{"Id":"1"}`},
		"goes with none of":        {"ship", "--event", "-", "--item", `{}`},
		"does not read the table":  {"ship", "--item", `{"Id":"1"}`, "--table", "bills"},
		"the stream has the item ": {"ship", "--item", `{"Id":"1"}`, "--kind", "modify"},
	} {
		s.wants(want, s.run(append([]string{"invoke", "--local"}, args...)...), ExitInput, want)
	}

	s.deploy()
	s.wants("invoke there", s.local("invoke", "ship", "--item", `{"Id":"1","Status":"paid"}`), 0, "shipping 1 paid", "1 record done")
	s.wants("async", s.local("invoke", "ship", "--item", `{"Id":"1","Status":"lost"}`, "--async"), s.async())

	for _, id := range []string{"1", "2", "3"} {
		s.put(id, "paid")
	}
	file := filepath.Join(s.dir, "orders.jsonl")
	s.wants("record", s.local("record", "orders", "--out", "orders.jsonl", "--from", "trim_horizon", "--count", "2", "--json"), 0)
	var made recorded
	if err := json.Unmarshal(s.out.Bytes(), &made); err != nil || made.Records != 2 || made.Total != 2 || made.Table != "orders" {
		t.Errorf("%v: %s", err, &s.out)
	}
	s.put("4", "lost")
	s.wants("record on", s.local("record", "orders", "--out", "orders.jsonl", "--count", "2"), 0, "going on behind them")
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []string
	h, _, err := records.Read(f, func(r records.Record) error {
		got = append(got, r.String(20))
		return nil
	})
	want := `INSERT Id="1" {Status: "paid"}|INSERT Id="2" {Status: "paid"}|INSERT Id="3" {Status: "paid"}|INSERT Id="4" {Status: "lost"}`
	if err != nil || strings.Join(got, "|") != want || h.Table != "orders" || strings.Join(h.Keys, "") != "Id" {
		t.Errorf("the recording is %+v %v, %v", h, got, err)
	}
	for want, args := range map[string][]string{
		"want --out":              {"orders"},
		"there is no table":       {"bills", "--out", "x"},
		"want latest":             {"orders", "--out", "x", "--from", "now"},
		"the stream has no shard": {"orders", "--out", "y", "--shard", "shardId-1"},
	} {
		s.wants(want, s.local(append([]string{"record"}, args...)...), ExitInput, want)
	}
}

// async is the exit code of an asynchronous invocation: 1 as long as the stack refuses it by name.
func (s *shop) async() int {
	if strings.Contains(s.err.String(), "does not emulate") {
		return 1
	}
	return 0
}
