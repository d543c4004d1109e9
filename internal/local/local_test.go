package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"streamgen/internal/local/peer"
	"streamgen/internal/local/wire"
)

func start(t testing.TB, opts Options) *Stack {
	t.Helper()
	if opts.Listen == "" {
		opts.Listen = "127.0.0.1:0"
	}
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	s, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return s
}

func signed(region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=test/20260101/" + region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
}

func TestStartRefusesWhatOthersCanReach(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1", "localhost.example.com:0"} {
		if s, err := Start(t.Context(), Options{Listen: address}); err == nil {
			_ = s.Close(t.Context())
			t.Errorf("listens on %s", address)
		} else if !strings.Contains(err.Error(), "address") {
			t.Errorf("%s: %v does not say that the address is the matter", address, err)
		}
	}
	for _, address := range []string{"127.0.0.1:0", "localhost:0", "127.0.0.2:0"} {
		s, err := Start(t.Context(), Options{Listen: address})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, err := Start(t.Context(), Options{Listen: "127.0.0.1:0", Region: "../etc"}); err == nil {
		t.Error("takes a path for a region")
	}
	taken := start(t, Options{})
	if _, err := Start(t.Context(), Options{Listen: taken.listener.Addr().String()}); err == nil {
		t.Error("listens on an address that is taken")
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:4566": true, "localhost:4566": true, "LOCALHOST:4566": true, "[::1]:4566": true, "127.9.9.9:4566": true,
		"127.0.0.1:80": false, "127.0.0.1": false, "localhost": false, "": false, "[::1]": false,
		"bucket.localhost:4566": true, Account + ".127.0.0.1:4566": true, Account + ".example.com:4566": false, Account + ".192.0.2.1:4566": false, "1.127.0.0.1:4566": false,
		"example.com:4566": false, "localhost.example.com:4566": false, "127.0.0.1.example.com:4566": false, "192.0.2.1:4566": false,
		"0.0.0.0:4566": false, "127.0.0.1:4566:4566": false, "2130706433:4566": false, "127.1:4566": false,
	} {
		if got := isLoopback(host, "4566"); got != want {
			t.Errorf("Host %q: %v, want %v", host, got, want)
		}
	}
	if !isLoopback("localhost", "80") || !isLoopback("[::1]", "80") {
		t.Error("on port 80, a Host header without port is right")
	}
}

func TestGuard(t *testing.T) {
	s := start(t, Options{})
	for name, test := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"own":             {func(*http.Request) {}, http.StatusOK},
		"foreign host":    {func(r *http.Request) { r.Host = "example.com" }, http.StatusForbidden},
		"rebound host":    {func(r *http.Request) { r.Host = "example.com" + s.Endpoint()[strings.LastIndex(s.Endpoint(), ":"):] }, http.StatusForbidden},
		"other port":      {func(r *http.Request) { r.Host = "127.0.0.1:1" }, http.StatusForbidden},
		"origin":          {func(r *http.Request) { r.Header.Set("Origin", "https://example.com") }, http.StatusForbidden},
		"own as origin":   {func(r *http.Request) { r.Header.Set("Origin", s.Endpoint()) }, http.StatusForbidden},
		"null origin":     {func(r *http.Request) { r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"empty origin":    {func(r *http.Request) { r.Header.Set("Origin", "") }, http.StatusForbidden},
		"preflight":       {func(r *http.Request) { r.Method = http.MethodOptions; r.Header.Set("Origin", "null") }, http.StatusForbidden},
		"signed, foreign": {func(r *http.Request) { r.Header.Set("Authorization", signed("us-east-1", "sts")); r.Host = "e" }, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint()+"/_streamgen/health", nil)
			if err != nil {
				t.Fatal(err)
			}
			test.change(r)
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if res.StatusCode != test.status {
				t.Errorf("status %d, want %d", res.StatusCode, test.status)
			}
			if allowed := res.Header.Get("Access-Control-Allow-Origin"); allowed != "" {
				t.Errorf("allows %s to read", allowed)
			}
		})
	}
}

// TestOtherUsersAreRefused takes the test's own user for another one.
func TestOtherUsersAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		any    bool
		user   uint32
		status int
	}{
		"own":             {false, 1000, http.StatusOK},
		"root":            {false, 0, http.StatusOK},
		"another":         {false, 1001, http.StatusForbidden},
		"nobody any more": {false, peer.Nobody, http.StatusForbidden},
		"any":             {true, 1001, http.StatusOK},
	} {
		s := start(t, Options{AnyUser: test.any})
		s.user = 1000
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, s.Endpoint()+"/_streamgen/health", nil)
		s.guard(http.HandlerFunc(s.serve)).ServeHTTP(w, r.WithContext(peer.WithOwner(t.Context(), test.user)))
		if w.Code != test.status {
			t.Errorf("%s: status %d %s, want %d", name, w.Code, w.Body, test.status)
		}
	}
}

func TestRouting(t *testing.T) {
	s := start(t, Options{Region: "eu-west-1"})
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	for name, test := range map[string]struct {
		method, path, authorization string
		header                      map[string]string
		body                        string
		status                      int
		answer                      []string
	}{
		"sts":            {"POST", "/", signed("us-east-1", "sts"), map[string]string{"Content-Type": form}, "Action=GetCallerIdentity&Version=2011-06-15", 200, []string{"<Account>000000000000</Account>"}},
		"sts, unsigned":  {"POST", "/", "", map[string]string{"Content-Type": form}, "Action=GetCallerIdentity&Version=2011-06-15", 200, []string{"<Account>"}},
		"iam, unsigned":  {"POST", "/", "", map[string]string{"Content-Type": form}, "Action=GetRole&Version=2010-05-08&RoleName=r", 404, []string{"<Code>NoSuchEntity</Code>"}},
		"form, unsigned": {"POST", "/", "", map[string]string{"Content-Type": form}, "Action=Publish&Version=2010-12-01", 400, []string{"<Code>UnknownOperationException</Code>", "cannot tell which service"}},
		"sns":            {"POST", "/", signed("us-east-1", "sns"), map[string]string{"Content-Type": form}, "Action=CreatePlatformEndpoint&Version=2010-03-31", 400, []string{"<ErrorResponse", "does not emulate", "CreatePlatformEndpoint"}},
		"sns, unsigned":  {"POST", "/", "", map[string]string{"Content-Type": form}, "Action=ListTopics&Version=2010-03-31", 200, []string{"<ListTopicsResult>"}},
		"no form":        {"POST", "/", signed("us-east-1", "iam"), map[string]string{"Content-Type": form}, "%zz", 400, []string{"<Code>MalformedQueryString</Code>"}},
		"logs":           {"POST", "/", signed("us-east-1", "logs"), map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, "{}", 200, []string{`{"logGroups":[]}`}},
		"logs, unsigned": {"POST", "/", "", map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, "{}", 200, []string{`{"logGroups":[]}`}},
		"bad region":     {"POST", "/", signed("..", "logs"), map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, "{}", 400, []string{`"__type":"InvalidSignatureException"`}},
		"no scope":       {"POST", "/", "AWS4-HMAC-SHA256 Credential=test", map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, "{}", 400, []string{`"__type":"IncompleteSignatureException"`}},
		"no AWS4":        {"POST", "/", "Bearer test", map[string]string{"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, "{}", 200, []string{`{"logGroups":[]}`}},
		"sqs":            {"POST", "/", signed("us-east-1", "sqs"), map[string]string{"X-Amz-Target": "AmazonSQS.ListQueues"}, "{}", 200, []string{`{}`}},
		"sqs, fifo":      {"POST", "/", signed("us-east-1", "sqs"), map[string]string{"X-Amz-Target": "AmazonSQS.CreateQueue"}, `{"QueueName":"a.fifo"}`, 400, []string{"does not emulate FIFO queues"}},
		"kms, unsigned":  {"POST", "/", "", map[string]string{"X-Amz-Target": "TrentService.ListKeys"}, "{}", 200, []string{`{"Keys":[],"Truncated":false}`}},
		"ecr, unsigned":  {"POST", "/", "", map[string]string{"X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories"}, "{}", 400, []string{`"__type"`, "does not emulate the service AmazonEC2ContainerRegistry_V20150921"}},
		"cloudwatch":     {"POST", "/service/GraniteServiceVersion20100801/operation/GetDashboard", signed("us-east-1", "monitoring"), map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}, "", 400, []string{"UnknownOperationException", "does not emulate GetDashboard"}},
		"other cbor":     {"POST", "/service/X/operation/Y", signed("us-east-1", "x"), map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}, "", 400, []string{"does not emulate the service x"}},
		"s3":             {"PUT", "/bucket?acl", signed("us-east-1", "s3"), nil, "", 400, []string{"<Error><Code>ValidationException</Code>", "does not emulate PutBucketAcl of S3"}},
		"efs":            {"GET", "/2015-02-01/file-systems", signed("us-east-1", "elasticfilesystem"), nil, "", 400, []string{`"Message":"streamgen local does not emulate the service elasticfilesystem`}},
		"lambda's path":  {"GET", "/functions", signed("us-east-1", "lambda"), nil, "", 400, []string{"does not emulate GET /functions of lambda"}},
		"nothing":        {"GET", "/", "", nil, "", 400, []string{"cannot tell which service GET / is for"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), test.method, s.Endpoint()+test.path, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range test.header {
				r.Header.Set(k, v)
			}
			if test.authorization != "" {
				r.Header.Set("Authorization", test.authorization)
			}
			res, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != test.status {
				t.Errorf("status %d, want %d: %s", res.StatusCode, test.status, body)
			}
			for _, want := range test.answer {
				if !strings.Contains(string(body), want) {
					t.Errorf("got %s, want it to hold %s", body, want)
				}
			}
			if res.Header.Get("X-Amzn-Requestid") == "" {
				t.Error("no request id")
			}
		})
	}
}

func TestRegionsAreApart(t *testing.T) {
	s := start(t, Options{Region: "eu-west-1"})
	call := func(region, operation, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint(), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "Logs_20140328."+operation)
		if region != "" {
			r.Header.Set("Authorization", signed(region, "logs"))
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	call("", "CreateLogGroup", `{"logGroupName":"g"}`)
	if got := call("us-east-1", "DescribeLogGroups", `{}`); got != `{"logGroups":[]}` {
		t.Errorf("us-east-1 has %s", got)
	}
	if got := call("eu-west-1", "DescribeLogGroups", `{}`); !strings.Contains(got, "arn:aws:logs:eu-west-1:000000000000:log-group:g") {
		t.Errorf("eu-west-1 has %s", got)
	}

	res, err := http.Get(s.Endpoint() + "/_streamgen/health")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var health struct {
		Status, ID, Version, Account string
		Regions                      []string
	}
	if err := json.NewDecoder(res.Body).Decode(&health); err != nil {
		t.Fatal(err)
	}
	if health.Status != "ok" || health.ID == "" || health.Version == "" || health.Account != Account || strings.Join(health.Regions, " ") != "eu-west-1 us-east-1" {
		t.Errorf("health says %+v", health)
	}
	if other := start(t, Options{}); other.id == health.ID {
		t.Error("two stacks have one id")
	}
}

func TestPanicIsAnErrorOfTheProtocol(t *testing.T) {
	var log bytes.Buffer
	s := start(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	s.sts = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("at the disco") })
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.serve(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "<Code>InternalFailure</Code>") || !strings.Contains(w.Body.String(), "at the disco") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "at the disco") || !strings.Contains(log.String(), "local_test.go") || !strings.Contains(log.String(), "status=400") {
		t.Errorf("the log says neither what nor where: %s", &log)
	}

	s.sts = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic("too late")
	})
	defer func() {
		if cause, _ := recover().(error); !errors.Is(cause, http.ErrAbortHandler) {
			t.Errorf("half an answer ends as a whole one: %v", cause)
		}
	}()
	r.Body = io.NopCloser(strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
	s.serve(httptest.NewRecorder(), r)
}

func TestCallerReachesTheFrontEnd(t *testing.T) {
	s := start(t, Options{Region: "eu-west-1"})
	var got wire.Caller
	s.sts = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = wire.CallerFrom(r.Context()) })
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action=X&Version=2011-06-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.serve(httptest.NewRecorder(), r)
	if want := (wire.Caller{Account: Account, Region: "eu-west-1", Service: "sts"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCloseTwiceAndRefuseAfter(t *testing.T) {
	s, err := Start(t.Context(), Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	endpoint := s.Endpoint()
	for range 2 {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if res, err := http.Get(endpoint + "/_streamgen/health"); err == nil {
		res.Body.Close()
		t.Error("serves after Close")
	}
	if _, err := s.region("us-east-1"); err == nil {
		t.Error("opens a region after Close")
	}
}
