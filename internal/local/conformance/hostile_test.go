package conformance_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"streamgen/internal/local"
)

// TestRequestsThatAreReadInTwoWays sends what one server may take for one request and another for two: each is refused or is one.
func TestRequestsThatAreReadInTwoWays(t *testing.T) {
	address := strings.TrimPrefix(newStack(t, local.Options{}).Endpoint(), "http://")
	const smuggled = "POST /_streamgen/reset HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
	for what, test := range map[string]struct {
		header string
		body   string
		want   int // the status; 0 where the connection ends
	}{
		"two lengths":             {"Content-Length: 2\r\nContent-Length: 80\r\n", "{}" + smuggled, http.StatusBadRequest},
		"a length that is none":   {"Content-Length: +2\r\n", "{}" + smuggled, http.StatusBadRequest},
		"a negative length":       {"Content-Length: -1\r\n", "{}", http.StatusBadRequest},
		"a length and chunks":     {"Content-Length: 80\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", http.StatusOK},
		"chunks in another way":   {"Transfer-Encoding: chunked, identity\r\n", "2\r\n{}\r\n0\r\n\r\n", http.StatusNotImplemented},
		"chunks twice":            {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", http.StatusNotImplemented},
		"a space before a colon":  {"Content-Length : 2\r\n", "{}" + smuggled, http.StatusBadRequest},
		"a folded header":         {"X-A: b\r\n Origin: x\r\nContent-Length: 2\r\n", "{}", http.StatusOK},
		"two hosts":               {"Host: attacker.example\r\nContent-Length: 2\r\n", "{}", http.StatusBadRequest},
		"a header of two million": {"X-A: " + strings.Repeat("a", 2<<20) + "\r\nContent-Length: 2\r\n", "{}", http.StatusRequestHeaderFieldsTooLarge},
	} {
		t.Run(what, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			must(t, err)
			defer conn.Close()
			must(t, conn.SetDeadline(time.Now().Add(time.Minute)))
			go fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n%s\r\n%s", address, test.header, test.body) // it may be cut off
			answers := bufio.NewReader(conn)
			res, err := http.ReadResponse(answers, nil)
			must(t, err)
			_, _ = io.Copy(io.Discard, res.Body)
			must(t, res.Body.Close())
			if res.StatusCode != test.want {
				t.Errorf("status %d, want %d", res.StatusCode, test.want)
			}
			if res.StatusCode == http.StatusOK {
				return // what comes next is the next request, and there is none
			}
			if again, err := http.ReadResponse(answers, nil); err == nil {
				_ = again.Body.Close()
				t.Errorf("there was a second request: %s", again.Status)
			}
		})
	}
}

// TestProxiesForOthersAreRefused asks for another host's page by its whole address, as one asks a proxy.
func TestProxiesForOthersAreRefused(t *testing.T) {
	address := strings.TrimPrefix(newStack(t, local.Options{}).Endpoint(), "http://")
	for _, request := range []string{"GET http://attacker.example/ HTTP/1.1\r\nHost: " + address, "CONNECT attacker.example:443 HTTP/1.1\r\nHost: attacker.example:443"} {
		conn, err := net.Dial("tcp", address)
		must(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "%s\r\nConnection: close\r\n\r\n", request)
		must(t, err)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		must(t, err)
		defer res.Body.Close()
		if res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", request, res.Status)
		}
	}
}

// hostile sends a request of a service and gives the answer. The stack must answer the next one, too.
func hostile(t *testing.T, endpoint, method, path, service string, header map[string]string, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, endpoint+path, body)
	must(t, err)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var cut *net.OpError // the server may end the connection while the body is on its way
		if !errors.As(err, &cut) && !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", service, err)
		}
		return 0, ""
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	health, err := http.Get(endpoint + "/_streamgen/health")
	must(t, err)
	defer health.Body.Close()
	if health.StatusCode != http.StatusOK {
		t.Errorf("the stack is not well: %s", health.Status)
	}
	return res.StatusCode, string(text)
}

func target(name, version string) map[string]string {
	return map[string]string{"X-Amz-Target": name, "Content-Type": "application/x-amz-json-" + version}
}

// form is a body of the Query protocol.
func form(action, version string, pairs ...string) string {
	f := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f.Encode()
}

// TestNestingEndsNoProcess nests values so deep that who reads them by calling himself would overflow the stack, which ends a Go process.
func TestNestingEndsNoProcess(t *testing.T) {
	endpoint := newStack(t, local.Options{}).Endpoint()
	const levels, valuesOfCBOR = 1_000_000, 4_000_000
	nested := func(open, inner, end string) string {
		return strings.Repeat(open, levels) + inner + strings.Repeat(end, levels)
	}
	quoted := func(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }
	lists, objects := nested("[", "", "]"), nested(`{"a":`, "1", "}")
	query := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	cborRequest := map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
	const metrics = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(bytes.Repeat([]byte{0x81}, valuesOfCBOR))
	must(t, errors.Join(err, z.Close()))
	for what, test := range map[string]struct {
		method, path, service string
		header                map[string]string
		body                  string
	}{
		"an item":            {"POST", "/", "dynamodb", target("DynamoDB_20120810.PutItem", "1.0"), `{"TableName":"tab","Item":{"Id":{"S":"1"},"A":` + nested(`{"L":[`, `{"S":"x"}`, "]}") + `}}`},
		"an item's maps":     {"POST", "/", "dynamodb", target("DynamoDB_20120810.PutItem", "1.0"), `{"TableName":"tab","Item":{"Id":{"S":"1"},"A":` + nested(`{"M":{"a":`, `{"S":"x"}`, "}}") + `}}`},
		"an unknown member":  {"POST", "/", "dynamodb", target("DynamoDB_20120810.PutItem", "1.0"), `{"Other":` + lists + `}`},
		"an expression":      {"POST", "/", "dynamodb", target("DynamoDB_20120810.Scan", "1.0"), `{"TableName":"tab","FilterExpression":"` + nested("(", "a = b", ")") + `"}`},
		"negations":          {"POST", "/", "dynamodb", target("DynamoDB_20120810.Scan", "1.0"), `{"TableName":"tab","FilterExpression":"` + nested("NOT ", "a = b", "") + `"}`},
		"a projection":       {"POST", "/", "dynamodb", target("DynamoDB_20120810.Scan", "1.0"), `{"TableName":"tab","ProjectionExpression":"` + nested("a.", "a", "") + `"}`},
		"a table's policy":   {"POST", "/", "dynamodb", target("DynamoDB_20120810.PutResourcePolicy", "1.0"), `{"ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab","Policy":"` + quoted(objects) + `"}`},
		"a filter's pattern": {"POST", "/2015-03-31/event-source-mappings/", "lambda", nil, `{"FunctionName":"f","EventSourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab/stream/x","StartingPosition":"LATEST","FilterCriteria":{"Filters":[{"Pattern":"` + quoted(objects) + `"}]}}`},
		"a function":         {"POST", "/2015-03-31/functions", "lambda", nil, `{"FunctionName":"f","Environment":` + objects + `}`},
		"a role's policy":    {"POST", "/", "iam", query, form("PutRolePolicy", "2010-05-08", "RoleName", "r", "PolicyName", "p", "PolicyDocument", objects)},
		"a trust policy":     {"POST", "/", "iam", query, form("CreateRole", "2010-05-08", "RoleName", "r", "AssumeRolePolicyDocument", `{"Statement":`+lists+`}`)},
		"a topic's policy":   {"POST", "/", "sns", query, form("CreateTopic", "2010-03-31", "Name", "t", "Attributes.entry.1.key", "Policy", "Attributes.entry.1.value", objects)},
		"a queue's policy":   {"POST", "/", "sqs", target("AmazonSQS.CreateQueue", "1.0"), `{"QueueName":"q","Attributes":{"Policy":"` + quoted(objects) + `"}}`},
		"a secret's policy":  {"POST", "/", "secretsmanager", target("secretsmanager.PutResourcePolicy", "1.1"), `{"SecretId":"s","ResourcePolicy":"` + quoted(objects) + `"}`},
		"a key's policy":     {"POST", "/", "kms", target("TrentService.CreateKey", "1.1"), `{"Policy":"` + quoted(objects) + `"}`},
		"a log's pattern":    {"POST", "/", "logs", target("Logs_20140328.FilterLogEvents", "1.1"), `{"logGroupName":"g","filterPattern":"` + nested("(", "a", ")") + `"}`},
		"XML":                {"PUT", "/bucket", "s3", map[string]string{"Content-Type": "application/xml"}, nested("<a>", "", "</a>")},
		"XML, short":         {"PUT", "/bucket", "s3", map[string]string{"Content-Type": "application/xml"}, strings.Repeat("<a>", 600_000)},
		"CBOR lists":         {"POST", metrics, "monitoring", cborRequest, strings.Repeat("\x81", valuesOfCBOR)},
		"CBOR endless lists": {"POST", metrics, "monitoring", cborRequest, strings.Repeat("\x9f", valuesOfCBOR)},
		"CBOR maps":          {"POST", metrics, "monitoring", cborRequest, strings.Repeat("\xa1\x61a", valuesOfCBOR)},
		"CBOR tags":          {"POST", metrics, "monitoring", cborRequest, strings.Repeat("\xc1", valuesOfCBOR)},
		"CBOR that promises": {"POST", metrics, "monitoring", cborRequest, strings.Repeat("\x9b\x7f\xff\xff\xff\xff\xff\xff\xff", valuesOfCBOR)},
		"CBOR, compressed": {"POST", metrics, "monitoring", map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Content-Encoding": "gzip"},
			packed.String()},
		"metrics as JSON": {"POST", "/", "monitoring", target("GraniteServiceVersion20100801.PutMetricData", "1.0"), `{"MetricData":` + lists + `}`},
		"the admin API":   {"POST", "/_streamgen/faults", "", nil, `{"kind":` + lists + `}`},
	} {
		t.Run(what, func(t *testing.T) {
			status, text := hostile(t, endpoint, test.method, test.path, test.service, test.header, strings.NewReader(test.body))
			if status < 400 || status >= 500 {
				t.Errorf("%d %.300s", status, text)
			}
		})
	}
}

// endless is a body without an end; it counts what was read of it, on the goroutine of a client that may go on past the answer.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, spaces)
	e.read.Add(int64(n))
	return n, nil
}

var spaces = bytes.Repeat([]byte(" "), 64<<10)

// TestBodiesAreBounded sends bodies that never end, and ones that are small until they are unpacked, to one service of each kind of body.
func TestBodiesAreBounded(t *testing.T) {
	endpoint := newStack(t, local.Options{}).Endpoint()
	const most = 160 << 20 // with what is on its way
	for what, test := range map[string]struct {
		method, path, service string
		header                map[string]string
	}{
		"dynamodb":      {"POST", "/", "dynamodb", target("DynamoDB_20120810.PutItem", "1.0")},
		"lambda":        {"POST", "/2015-03-31/functions", "lambda", nil},
		"invocations":   {"POST", "/2015-03-31/functions/f/invocations", "lambda", nil},
		"iam":           {"POST", "/", "iam", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		"logs":          {"POST", "/", "logs", target("Logs_20140328.PutLogEvents", "1.1")},
		"s3":            {"PUT", "/bucket/key", "s3", nil},
		"s3, chunked":   {"PUT", "/bucket/key", "s3", map[string]string{"X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "X-Amz-Decoded-Content-Length": "5"}},
		"cloudwatch":    {"POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "monitoring", map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}},
		"the admin API": {"POST", "/_streamgen/clock", "", nil},
		"nothing":       {"POST", "/", "", nil},
	} {
		t.Run(what, func(t *testing.T) {
			body := &endless{}
			status, text := hostile(t, endpoint, test.method, test.path, test.service, test.header, body)
			if status != 0 && (status < 400 || status >= 500) {
				t.Errorf("%d %.300s", status, text)
			}
			if read := body.read.Load(); read > most {
				t.Errorf("%d bytes were read", read)
			}
		})
	}
	t.Run("unpacked", func(t *testing.T) {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, err := io.CopyN(z, &endless{}, 80<<20)
		must(t, errors.Join(err, z.Close()))
		status, text := hostile(t, endpoint, "POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "monitoring",
			map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Encoding": "gzip"}, &packed)
		if status != http.StatusRequestEntityTooLarge {
			t.Errorf("%d %.300s", status, text)
		}
	})
}
