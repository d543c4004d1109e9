package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local"
)

// The variables that tell where clients in other languages are; make clients sets them.
const (
	nodeModulesVariable = "STREAMGEN_NODE_MODULES" // the folder with the packages of testdata/clients/package.json
	pythonVariable      = "STREAMGEN_PYTHON"       // an interpreter that can import boto3
)

func variable(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Skip(name + " is not set: make clients installs the clients and sets it")
	}
	return value
}

// rounds is what a client sees of the round that testdata/clients has in several languages.
const rounds = `{
	"item": {"id":{"S":"a"},"team":{"S":"red"},"n":{"N":"1.5"},"b":{"B":"AP8="},"t":{"BOOL":true},"nul":{"NULL":true},"ss":{"SS":["x","y"]},"ns":{"NS":["1","2"]},
		"l":{"L":[{"S":"é😀"},{"M":{"k":{"N":"-7"}}}]}},
	"condition": ["ConditionalCheckFailedException","The conditional request failed",{"N":"1.5"}],
	"invalid": ["ValidationException","The provided key element does not match the schema"],
	"updated": {"n":{"N":"2.5"}},
	"pages": [["a","b","c"],["d"]],
	"batch": ["b","c"],
	"canceled": ["TransactionCanceledException",["None","ConditionalCheckFailed"]],
	"scanned": ["a","c","d","e"],
	"records": ["INSERT a","MODIFY a","INSERT b","INSERT c","INSERT d","REMOVE b","INSERT e"]}`

// TestForeignClients goes a round through the API with AWS's SDKs for other languages, whose parsers of answers are not those of the SDK for Go.
func TestForeignClients(t *testing.T) {
	for _, script := range []string{"round.cjs", "round.py"} {
		t.Run(script, func(t *testing.T) {
			script := filepath.Join("testdata", "clients", script)
			var cmd *exec.Cmd
			if strings.HasSuffix(script, ".py") {
				cmd = exec.CommandContext(t.Context(), variable(t, pythonVariable), script)
			} else {
				cmd = node(t, script)
			}
			var stderr bytes.Buffer
			cmd.Args, cmd.Stderr = append(cmd.Args, endpoint(t), *unique("round")), &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			var got, want any
			must(t, json.Unmarshal(out, &got))
			must(t, json.Unmarshal([]byte(rounds), &want))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func node(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	modules := variable(t, nodeModulesVariable)
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	return cmd
}

var listening = regexp.MustCompile(`listening on (http://\S+:\d+)`)

// TestDynamoDBAdmin opens the pages of dynamodb-admin on a table.
func TestDynamoDBAdmin(t *testing.T) {
	program := filepath.Join(variable(t, nodeModulesVariable), "dynamodb-admin", "dist", "dynamodb-admin.js")
	stack := newStack(t, local.Options{})
	d := newDatabaseOf(t, stack.Endpoint(), tableOf("id:S sort:N; global byteam team:S"))
	d.put(`{"id":{"S":"first"},"sort":{"N":"1"},"team":{"S":"red"}}`, `{"id":{"S":"second"},"sort":{"N":"2"},"team":{"S":"blue"}}`)

	cmd := node(t, program, "--host", "127.0.0.1", "--port", "0", "--dynamo-endpoint", stack.Endpoint())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	})
	base := ""
	for lines := bufio.NewScanner(stdout); base == "" && lines.Scan(); {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			base = found[1]
		}
	}
	if base == "" {
		t.Fatalf("dynamodb-admin does not listen: %s", &stderr)
	}
	filter := url.QueryEscape(`{"team":{"type":"S","operator":"=","value":"red"}}`)
	for path, c := range map[string]struct{ has, not []string }{
		"/":                              {has: []string{*d.table}},
		"/api/tables":                    {has: []string{*d.table}},
		"/tables/" + *d.table:            {has: []string{*d.table, "byteam"}},
		"/tables/" + *d.table + "/items": {has: []string{"first", "second", "red", "blue"}},
		"/tables/" + *d.table + "/items?filters=" + filter:                                               {has: []string{"first"}, not: []string{"second"}},
		"/tables/" + *d.table + "/items?operationType=query&queryableSelection=byteam&filters=" + filter: {has: []string{"first"}, not: []string{"second"}},
		"/tables/" + *d.table + "/meta":                                                                  {has: []string{"byteam", "ACTIVE"}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		must(t, err)
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		must(t, err)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
		for _, text := range c.has {
			if !bytes.Contains(body, []byte(text)) {
				t.Errorf("%s does not have %s: %s", path, text, body)
			}
		}
		for _, text := range c.not {
			if bytes.Contains(body, []byte(text)) {
				t.Errorf("%s has %s: %s", path, text, body)
			}
		}
	}
}
