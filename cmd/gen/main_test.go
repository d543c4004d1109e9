package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/rogpeppe/go-internal/testscript"

	"streamgen/internal/local"
	"streamgen/internal/tf"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gen": main})
}

// TestScript holds conversations with gen, one per file. Beside testscript's own commands they have:
//
//	stack             starts a local stack for the script; $ENDPOINT is where it listens
//	createtable FILE  makes a table through the AWS SDK: CreateTable's input as Table, TTL the attribute, RecoveryDays of backups
//	put TABLE JSON    writes an item whose attributes are all strings, through the AWS SDK
//	edit FILE RE TEXT replaces the only match of the regular expression in a file; \n in TEXT is a new line
//	tables NAME…      fails unless the stack holds these tables
//	count TABLE N     fails unless the table holds N items
//	messages QUEUE N TEXT  waits until the queue holds N messages with the text, which stay in it
//	drop TABLE        deletes a table through the AWS SDK
//	batchsize FUNCTION N  changes the batch size of a function's mapping through the AWS SDK
//	handlerlog N TEXT waits until N log lines of handlers hold the text
//	changed SUBSTR…   fails unless the paths on the last stdout are these, in order
func TestScript(t *testing.T) {
	params := scriptParams(t, tf.ProviderAvailable(t.Context()))
	params.Dir = "testdata/script"
	testscript.Run(t, params)
}

// scriptParams are what all scripts need. The condition provider tells a script whether terraform can install the AWS provider.
func scriptParams(t *testing.T, provider bool) testscript.Params {
	t.Helper()
	goEnv := goEnvironment(t)
	return testscript.Params{
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for k, v := range goEnv {
				e.Setenv(k, v)
			}
			e.Values[stackKey{}] = &scriptStack{}
			e.Defer(func() { e.Values[stackKey{}].(*scriptStack).close() })
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "provider":
				return provider, nil
			case "long":
				return os.Getenv("STREAMGEN_LONG") != "", nil
			case "waits":
				return os.Getenv("STREAMGEN_WITH_WAITS") != "", nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"stack":       cmdStack,
			"createtable": cmdCreateTable,
			"put":         cmdPut,
			"tables":      cmdTables,
			"count":       cmdCount,
			"drop":        cmdDrop,
			"batchsize":   cmdBatchSize,
			"edit":        cmdEdit,
			"messages":    cmdMessages,
			"handlerlog":  cmdHandlerLog,
		},
	}
}

// goEnvironment is what the go command and terraform need where HOME is none.
func goEnvironment(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOSUMDB", "GOFLAGS").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	if err := json.Unmarshal(out, &env); err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	switch runtime.GOOS {
	case "windows":
		env["LocalAppData"] = cache
	case "darwin":
		env["HOME"] = strings.TrimSuffix(cache, "/Library/Caches")
	default:
		env["XDG_CACHE_HOME"] = cache
	}
	return env
}

type stackKey struct{}

// scriptStack is a script's local stack and what handlers logged on it.
type scriptStack struct {
	stack *local.Stack
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func (s *scriptStack) close() {
	if s.stack == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_ = s.stack.Close(ctx)
	s.stack = nil
}

func (s *scriptStack) log(e local.LogEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, e.Message)
	close(s.more)
	s.more = make(chan struct{})
}

func cmdStack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: stack")
	}
	s := ts.Value(stackKey{}).(*scriptStack)
	s.close()
	s.lines, s.more = nil, make(chan struct{})
	stack, err := local.Start(context.Background(), local.Options{Listen: "127.0.0.1:0", Region: "us-east-1", Logs: s.log})
	ts.Check(err)
	s.stack = stack
	ts.Setenv("ENDPOINT", stack.Endpoint())
}

func client(ts *testscript.TestScript) *dynamodb.Client {
	return dynamodb.NewFromConfig(stackConfig(ts.Getenv("ENDPOINT"), "us-east-1"))
}

// stackConfig leads the AWS SDK to a local stack.
func stackConfig(endpoint, region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(endpoint), Credentials: credentials.NewStaticCredentialsProvider("streamgen", "streamgen", ""),
	}
}

func cmdPut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: put TABLE JSON")
	}
	var attributes map[string]string
	ts.Check(json.Unmarshal([]byte(args[1]), &attributes))
	item := map[string]types.AttributeValue{}
	for k, v := range attributes {
		item[k] = &types.AttributeValueMemberS{Value: v}
	}
	_, err := client(ts).PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String(args[0]), Item: item})
	ts.Check(err)
}

func cmdTables(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: tables NAME…")
	}
	out, err := client(ts).ListTables(context.Background(), &dynamodb.ListTablesInput{})
	ts.Check(err)
	if got, want := strings.Join(out.TableNames, " "), strings.Join(args, " "); got != want {
		ts.Fatalf("the stack holds the tables [%s], want [%s]", got, want)
	}
}

func cmdCount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: count TABLE N")
	}
	out, err := client(ts).Scan(context.Background(), &dynamodb.ScanInput{TableName: aws.String(args[0])})
	ts.Check(err)
	if got := strconv.Itoa(int(out.Count)); got != args[1] {
		ts.Fatalf("%s holds %s items, want %s", args[0], got, args[1])
	}
}

func cmdEdit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE RE TEXT")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	text := ts.ReadFile(args[0])
	if n := len(re.FindAllString(text, -1)); n != 1 {
		ts.Fatalf("%d matches of %s in %s:\n%s", n, args[1], args[0], text)
	}
	text = re.ReplaceAllLiteralString(text, strings.ReplaceAll(args[2], `\n`, "\n"))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func cmdMessages(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: messages QUEUE N TEXT")
	}
	queues := sqs.NewFromConfig(stackConfig(ts.Getenv("ENDPOINT"), "us-east-1"))
	queue, err := queues.GetQueueUrl(context.Background(), &sqs.GetQueueUrlInput{QueueName: aws.String(args[0])})
	ts.Check(err)
	deadline := time.Now().Add(30 * time.Second)
	for {
		out, err := queues.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
		ts.Check(err)
		n := 0
		for _, m := range out.Messages {
			if strings.Contains(*m.Body, args[2]) {
				n++
			}
			_, err := queues.ChangeMessageVisibility(context.Background(), &sqs.ChangeMessageVisibilityInput{QueueUrl: queue.QueueUrl, ReceiptHandle: m.ReceiptHandle})
			ts.Check(err)
		}
		if strconv.Itoa(n) == args[1] {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s holds %d messages with %q after 30 s, want %s: %v", args[0], n, args[2], args[1], out.Messages)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func cmdHandlerLog(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: handlerlog N TEXT")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := ts.Value(stackKey{}).(*scriptStack)
	deadline := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		more, n := s.more, 0
		for _, line := range s.lines {
			if strings.Contains(line, args[1]) {
				n++
			}
		}
		all := strings.Join(s.lines, "\n")
		s.mu.Unlock()
		if n >= want {
			return
		}
		select {
		case <-more:
		case <-deadline:
			ts.Fatalf("%d of %d lines with %q after 30 s; the handlers logged:\n%s", n, want, args[1], all)
		}
	}
}
