package lambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"streamgen/internal/local/api/lambda"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/esm"
	"streamgen/internal/local/host"
)

const (
	account   = "000000000000"
	region    = "us-east-1"
	roleARN   = "arn:aws:iam::000000000000:role/fn-role"
	fnARN     = "arn:aws:lambda:us-east-1:000000000000:function:fn"
	streamARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-23T04:05:06.789"
)

// stack is the front end over a real host and real mappings, whose clock stands still.
type stack struct {
	t      *testing.T
	client *sdk.Client
	url    string
	source *source
}

// source is a stream with the records that the test puts in.
type source struct{ records chan esm.Record }

func (*source) Shards() []esm.Shard            { return []esm.Shard{{ID: "shard"}} }
func (*source) Latest(string) string           { return "" }
func (*source) Wait(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
func (s *source) Read(string, string, int) ([]esm.Record, bool, error) {
	select {
	case r := <-s.records:
		return []esm.Record{r}, false, nil
	default:
		return nil, false, nil
	}
}

type invoker struct{ host *host.Host }

func (i invoker) Invoke(ctx context.Context, function string, payload []byte) (esm.Result, error) {
	r, err := i.host.Invoke(ctx, function, payload)
	return esm.Result{Payload: r.Payload, FunctionError: r.FunctionError}, err
}

func start(t *testing.T) *stack {
	t.Helper()
	c := clock.NewManual(time.Date(2026, 11, 23, 4, 5, 6, 789e6, time.UTC))
	h, err := host.New(host.Options{Account: account, Region: region, Clock: c, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, source: &source{records: make(chan esm.Record, 10)}}
	mappings := esm.New(esm.Options{
		Account: account, Region: region, Clock: c, Invoker: invoker{h},
		Source: func(arn string) (esm.Source, bool) { return s.source, arn == streamARN },
	})
	server := httptest.NewServer(lambda.New(h, mappings))
	t.Cleanup(func() {
		server.Close()
		if err := errors.Join(mappings.Close(context.Background()), h.Close()); err != nil {
			t.Error(err)
		}
	})
	s.url = server.URL
	s.client = sdk.New(sdk.Options{
		BaseEndpoint: &s.url, Region: region, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	return s
}

func pack(t *testing.T, bootstrap string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	head := &zip.FileHeader{Name: "bootstrap"}
	head.SetMode(0o755)
	w, err := z.CreateHeader(head)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, bootstrap); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// compiled is the host's test function.
func compiled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "../../host/testdata/bootstrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the test function: %v\n%s", err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func functionInput(t *testing.T) *sdk.CreateFunctionInput {
	return &sdk.CreateFunctionInput{
		FunctionName: aws.String("fn"), Role: aws.String(roleARN), Handler: aws.String("bootstrap"), Runtime: types.RuntimeProvidedal2023,
		Code: &types.FunctionCode{ZipFile: pack(t, "#!/bin/sh\n")},
	}
}

func (s *stack) createFunction() {
	s.t.Helper()
	if _, err := s.client.CreateFunction(s.t.Context(), functionInput(s.t)); err != nil {
		s.t.Fatal(err)
	}
}

func mappingInput() *sdk.CreateEventSourceMappingInput {
	return &sdk.CreateEventSourceMappingInput{
		EventSourceArn: aws.String(streamARN), FunctionName: aws.String(fnARN), StartingPosition: types.EventSourcePositionLatest,
	}
}

// send makes a request without an SDK.
func (s *stack) send(method, path, body string) (int, http.Header, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(b)
}

// refused checks an SDK call's error.
func refused(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("got %v, want %s: %s", err, code, message)
		return
	}
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) || response.HTTPStatusCode() != status || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %d %s: %s", err, status, code, message)
	}
}

func TestInvoke(t *testing.T) {
	s := start(t)
	in := functionInput(t)
	in.Code.ZipFile = pack(t, compiled(t))
	if _, err := s.client.CreateFunction(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	payload := []byte(`{"html":"<&>"}`)
	for _, name := range []string{"fn", "fn:$LATEST", fnARN, fnARN + ":$LATEST", "000000000000:function:fn"} {
		out, err := s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: &name, Payload: payload, LogType: types.LogTypeTail})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
		if string(out.Payload) != string(payload) || out.StatusCode != 200 || out.FunctionError != nil || aws.ToString(out.ExecutedVersion) != "$LATEST" ||
			err != nil || !strings.Contains(string(log), "handling "+string(payload)+"\nEND RequestId: ") {
			t.Errorf("%s: %d %v %s\n%s", name, out.StatusCode, out.FunctionError, out.Payload, log)
		}
	}
	out, err := s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || out.StatusCode != 204 {
		t.Errorf("dry run: %v %v", out, err)
	}
	if _, err := s.client.UpdateFunctionConfiguration(t.Context(), &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("fn"), Environment: &types.Environment{Variables: map[string]string{"MODE": "error"}},
	}); err != nil {
		t.Fatal(err)
	}
	out, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn")})
	if err != nil || aws.ToString(out.FunctionError) != "Unhandled" || out.StatusCode != 200 || out.LogResult != nil ||
		string(out.Payload) != `{"errorMessage":"no luck","errorType":"errorString"}` {
		t.Errorf("failing function: %+v %v", out, err)
	}

	_, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("gone")})
	refused(t, err, 404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:gone")
	_, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn"), Qualifier: aws.String("7")})
	refused(t, err, 404, "ResourceNotFoundException", "Function not found: "+fnARN+":7")
	_, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn"), Payload: []byte("{")})
	refused(t, err, 400, "InvalidRequestContentException", "Could not parse request body into json")
	_, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn"), Payload: []byte(`"` + strings.Repeat("x", 6<<20) + `"`)})
	refused(t, err, 413, "RequestTooLargeException", "smaller than 6291456 bytes")
	_, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)})
	refused(t, err, 413, "RequestTooLargeException", "smaller than 1048576 bytes")
	for _, context := range []string{"e30", "MQ==", "bnVsbA==", "x"} { // {} without its end, 1, null, nothing
		_, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn"), ClientContext: &context})
		refused(t, err, 400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
	}
	_, err = s.client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("fn"), ClientContext: aws.String(strings.Repeat("x", 3584))})
	refused(t, err, 400, "ValidationException", "Member must have length less than or equal to 3583")
}

// TestMappingInvokesTheFunction is the whole line: a record of the stream reaches the real process.
func TestMappingInvokesTheFunction(t *testing.T) {
	s := start(t)
	in := functionInput(t)
	in.Code.ZipFile = pack(t, compiled(t))
	if _, err := s.client.CreateFunction(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	s.source.records <- esm.Record{
		SequenceNumber: "1", ApproximateCreationDateTime: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC), JSON: json.RawMessage(`{"eventID":"1"}`),
	}
	m, err := s.client.CreateEventSourceMapping(t.Context(), mappingInput())
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		got, err := s.client.GetEventSourceMapping(t.Context(), &sdk.GetEventSourceMappingInput{UUID: m.UUID})
		if err != nil {
			t.Fatal(err)
		}
		if r := aws.ToString(got.LastProcessingResult); r == "OK" {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("LastProcessingResult is still %q", r)
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	s := start(t)
	for _, test := range []struct{ method, path, want string }{
		{"POST", "/2015-03-31/functions/fn/policy", "AddPermission of Lambda"},
		{"PUT", "/2020-06-30/functions/fn/code-signing-config", "PutFunctionCodeSigningConfig of Lambda"},
		{"POST", "/2018-10-31/layers/l/versions/1/policy", "AddLayerVersionPermission of Lambda"},
		{"PATCH", "/2015-03-31/functions/fn", "PATCH /2015-03-31/functions/fn of Lambda"},
		{"GET", "/nowhere", "GET /nowhere of Lambda"},
		{"GET", "/", "GET / of Lambda"},
	} {
		status, header, body := s.send(test.method, test.path, "")
		want := fmt.Sprintf(`{"Message":"streamgen local does not emulate %s","Type":"User"}`, test.want)
		if status != 400 || header.Get("X-Amzn-Errortype") != "UnknownOperationException" || body != want {
			t.Errorf("%s %s: %d %s %s", test.method, test.path, status, header.Get("X-Amzn-Errortype"), body)
		}
	}
	status, _, body := s.send("GET", "/2015-03-31/functions?MasterRegion=ALL", "")
	if status != 400 || !strings.Contains(body, "the query parameter MasterRegion") {
		t.Errorf("unknown query parameter: %d %s", status, body)
	}
	for _, path := range []string{"/2015-03-31/functions/", "/2015-03-31/event-source-mappings/"} {
		if status, _, body := s.send("GET", path, ""); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
