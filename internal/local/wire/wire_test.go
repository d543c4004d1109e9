package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
)

type greeting struct {
	Name  string `json:"name"`
	Count *int   `json:"count"`
}

func jsonService() *JSON {
	return &JSON{Version: "1.0", Target: "Greeter_1", Checksum: true, Operations: map[string]Operation{
		"Greet": Typed("Greet", func(_ context.Context, in *greeting) (*greeting, error) { return in, nil }),
		"Hush":  Typed("Hush", func(context.Context, *greeting) (*greeting, error) { return nil, nil }),
		"Refuse": Typed("Refuse", func(context.Context, *greeting) (*greeting, error) {
			return nil, fmt.Errorf("refusing: %w", &Error{Code: "TooLoudException", Status: http.StatusConflict, Message: "<loud> & \"proud\"",
				Fields: map[string]any{"Reason": "volume"}})
		}),
		"Break":    Typed("Break", func(context.Context, *greeting) (*greeting, error) { return nil, errors.New("a \x00 byte") }),
		"Unencode": func(context.Context, []byte) (any, error) { return func() {}, nil },
		"UnencodeError": func(context.Context, []byte) (any, error) {
			return nil, &Error{Code: "C", Message: "m", Fields: map[string]any{"f": func() {}}}
		},
	}}
}

func TestJSON(t *testing.T) {
	for name, test := range map[string]struct {
		target, body string
		status       int
		answer       string
	}{
		"success":               {"Greeter_1.Greet", `{"name":"<a&b>","count":2}`, 200, `{"name":"<a&b>","count":2}`},
		"empty body":            {"Greeter_1.Greet", "", 200, `{"name":"","count":null}`},
		"no output":             {"Greeter_1.Hush", "{}", 200, `{}`},
		"foreseen error":        {"Greeter_1.Refuse", "{}", 409, `{"Reason":"volume","__type":"TooLoudException","message":"<loud> & \"proud\""}`},
		"unforeseen error":      {"Greeter_1.Break", "{}", 400, `{"__type":"InternalFailure","message":"a \u0000 byte"}`},
		"answer cannot encode":  {"Greeter_1.Unencode", "{}", 400, `{"__type":"InternalFailure","message":"json: unsupported type: func()"}`},
		"fields cannot encode":  {"Greeter_1.UnencodeError", "{}", 400, `{"__type":"C","message":"m"}`},
		"unknown member":        {"Greeter_1.Greet", `{"name":"x","shout":true}`, 400, `{"__type":"ValidationException","message":"streamgen local does not emulate \"shout\" of Greet"}`},
		"wrong type":            {"Greeter_1.Greet", `{"name":1}`, 400, `{"__type":"SerializationException","message":"NUMBER_VALUE cannot be converted to String"}`},
		"two values":            {"Greeter_1.Greet", `{}{}`, 400, `{"__type":"SerializationException","message":"Greet: the body holds more than one JSON value"}`},
		"no JSON":               {"Greeter_1.Greet", `Action=Greet`, 400, `{"__type":"SerializationException","message":"Greet: invalid character 'A' looking for beginning of value"}`},
		"unknown operation":     {"Greeter_1.Wave", "{}", 400, `{"__type":"UnknownOperationException","message":"streamgen local does not emulate Greeter_1.Wave"}`},
		"other service":         {"Waver_1.Greet", "{}", 400, `{"__type":"UnknownOperationException","message":"streamgen local: X-Amz-Target \"Waver_1.Greet\" is none of Greeter_1"}`},
		"prefix of the service": {"Greeter_12.Greet", "{}", 400, `{"__type":"UnknownOperationException","message":"streamgen local: X-Amz-Target \"Greeter_12.Greet\" is none of Greeter_1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(test.body))
			r.Header.Set("X-Amz-Target", test.target)
			w := httptest.NewRecorder()
			jsonService().ServeHTTP(w, r)
			if w.Code != test.status {
				t.Errorf("status %d, want %d", w.Code, test.status)
			}
			if got := w.Body.String(); got != test.answer {
				t.Errorf("body %s, want %s", got, test.answer)
			}
			if !json.Valid(w.Body.Bytes()) {
				t.Error("the body is no JSON")
			}
			if got := w.Header().Get("Content-Type"); got != "application/x-amz-json-1.0" {
				t.Errorf("Content-Type %q", got)
			}
			sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(w.Body.Bytes())), 10)
			if got := w.Header().Get("X-Amz-Crc32"); got != sum {
				t.Errorf("X-Amz-Crc32 %q, want %q", got, sum)
			}
			if w.Header().Get("X-Amzn-Requestid") == "" {
				t.Error("no request id")
			}
		})
	}
}

func TestREST(t *testing.T) {
	for name, test := range map[string]struct {
		response Response
		err      error
		status   int
		header   map[string]string
		body     string
	}{
		"value": {Response{Body: greeting{Name: "a"}}, nil, 200, map[string]string{"Content-Type": "application/json"}, `{"name":"a","count":null}`},
		"bytes": {Response{Status: 202, Body: []byte("raw"), Header: http.Header{"Content-Type": {"application/octet-stream"}, "X-Amz-Executed-Version": {"$LATEST"}}}, nil,
			202, map[string]string{"Content-Type": "application/octet-stream", "X-Amz-Executed-Version": "$LATEST"}, "raw"},
		"no content": {Response{Status: 204}, nil, 204, nil, ""},
		"nothing":    {Response{}, nil, 200, map[string]string{"Content-Length": "0"}, ""},
		"error": {Response{}, &Error{Code: "TooManyRequestsException", Status: 429, Message: "Rate Exceeded.", Fields: map[string]any{"Reason": "x"}},
			429, map[string]string{"X-Amzn-Errortype": "TooManyRequestsException"}, `{"Message":"Rate Exceeded.","Reason":"x","Type":"User"}`},
		"not emulated": {Response{}, NotEmulated("Layers of CreateFunction"), 400, map[string]string{"X-Amzn-Errortype": "ValidationException"},
			`{"Message":"streamgen local does not emulate Layers of CreateFunction","Type":"User"}`},
		"cannot encode": {Response{Body: func() {}}, nil, 400, map[string]string{"X-Amzn-Errortype": "InternalFailure"}, `{"Message":"json: unsupported type: func()","Type":"User"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			REST(func(*http.Request) (Response, error) { return test.response, test.err }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %q, want %d %q", w.Code, w.Body, test.status, test.body)
			}
			for k, v := range test.header {
				if got := w.Header().Get(k); got != v {
					t.Errorf("%s: %q, want %q", k, got, v)
				}
			}
			if w.Header().Get("X-Amzn-Requestid") == "" {
				t.Error("no request id")
			}
		})
	}
}

func TestCBORError(t *testing.T) {
	w := httptest.NewRecorder()
	WriteCBORError(w, Errorf("UnknownOperationException", "no %s", "alarms"))
	v, err := cbor.Decode(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := cbor.Map{"__type": cbor.String("UnknownOperationException"), "message": cbor.String("no alarms")}
	if diff := cmp.Diff(cbor.Value(want), v); diff != "" {
		t.Error(diff)
	}
	if w.Code != 400 || w.Header().Get("Smithy-Protocol") != "rpc-v2-cbor" || w.Header().Get("Content-Type") != "application/cbor" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

func TestRESTXMLError(t *testing.T) {
	w := httptest.NewRecorder()
	WriteRESTXMLError(w, Errorf("NotImplemented", "no <buckets>"))
	want := xml.Header + "<Error><Code>NotImplemented</Code><Message>no &lt;buckets&gt;</Message><RequestId>" + w.Header().Get("X-Amzn-Requestid") + "</RequestId></Error>"
	if w.Code != 400 || w.Body.String() != want {
		t.Errorf("got %d %s, want %s", w.Code, w.Body, want)
	}
}

func TestParseCaller(t *testing.T) {
	for name, test := range map[string]struct {
		authorization string
		caller        Caller
		ok            bool
	}{
		"SDK": {"AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/logs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
			Caller{AccessKeyID: "test", Region: "eu-west-1", Service: "logs"}, true},
		"no spaces": {"AWS4-HMAC-SHA256 SignedHeaders=host,Credential=k/20260101/us-east-1/iam/aws4_request,Signature=00",
			Caller{AccessKeyID: "k", Region: "us-east-1", Service: "iam"}, true},
		"none":          {"", Caller{}, false},
		"basic":         {"Basic dGVzdDp0ZXN0", Caller{}, false},
		"no credential": {"AWS4-HMAC-SHA256 SignedHeaders=host", Caller{}, false},
		"short scope":   {"AWS4-HMAC-SHA256 Credential=test/us-east-1/logs/aws4_request", Caller{}, false},
		"other scope":   {"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/other", Caller{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Authorization", test.authorization)
			caller, ok := ParseCaller(r)
			if ok != test.ok || caller != test.caller {
				t.Errorf("got %+v %v, want %+v %v", caller, ok, test.caller, test.ok)
			}
		})
	}
}

func TestCallerContext(t *testing.T) {
	c := Caller{Account: "000000000000", Region: "us-east-1"}
	if got := CallerFrom(WithCaller(t.Context(), c)); got != c {
		t.Errorf("got %+v, want %+v", got, c)
	}
	if got := CallerFrom(t.Context()); got != (Caller{}) {
		t.Errorf("a context without caller gives %+v", got)
	}
}

func TestCheckAuthorization(t *testing.T) {
	const scope = "Credential=test/20260101/us-east-1/dynamodb/aws4_request"
	for authorization, want := range map[string]string{
		"":                   "",
		"Basic dGVzdDp0ZXN0": "",
		"AWS4-HMAC-SHA256 " + scope + ", SignedHeaders=host, Signature=0": "",
		"AWS4-HMAC-SHA256 SignedHeaders=host," + scope + ",Signature=0":   "",
		"AWS4-HMAC-SHA256": "IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization=AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256 Signature=0": "IncompleteSignatureException: Authorization header requires 'Credential' parameter. " +
			"Authorization=AWS4-HMAC-SHA256 Signature=0",
		"AWS4-HMAC-SHA256 Credential=test/us-east-1": "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, " +
			"e.g. keyid/date/region/service/term, got 'test/us-east-1'",
		"AWS4-HMAC-SHA256 Credential=a/b/c/d/e": "InvalidSignatureException: Credential should be scoped with a valid terminator: 'aws4_request', not 'e'.",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", authorization)
		got := ""
		if err := CheckAuthorization(r); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", authorization, got, want)
		}
	}
}

func TestJSONForm(t *testing.T) {
	for _, test := range []struct {
		method, content string
		status          int
	}{
		{"POST", "", 200},
		{"POST", "application/json", 200},
		{"POST", "application/x-amz-json-1.0", 200},
		{"POST", "application/x-amz-json-1.1; charset=utf-8", 200},
		{"POST", "application/x-www-form-urlencoded", 404},
		{"POST", "text/plain", 404},
		{"POST", ";", 404},
		{"GET", "", 404},
		{"PUT", "application/x-amz-json-1.0", 404},
	} {
		r := httptest.NewRequest(test.method, "/", strings.NewReader(`{}`))
		r.Header.Set("X-Amz-Target", "Greeter_1.Greet")
		r.Header.Set("Content-Type", test.content)
		w := httptest.NewRecorder()
		jsonService().ServeHTTP(w, r)
		if unknown := strings.Contains(w.Body.String(), "UnknownOperationException"); w.Code != test.status || unknown != (test.status == 404) {
			t.Errorf("%s of %q: %d %s", test.method, test.content, w.Code, w.Body)
		}
	}
}

func TestJSONBodyLimit(t *testing.T) {
	service := jsonService()
	service.MaxBody = 20
	for body, status := range map[string]int{`{"name":"12345678"}`: 200, `{"name":"123456789"}`: 200, `{"name":"1234567890"}`: 413} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "Greeter_1.Greet")
		w := httptest.NewRecorder()
		service.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestWrongTypes(t *testing.T) {
	for body, want := range map[string]string{
		`{"S":1}`:                    "NUMBER_VALUE cannot be converted to String",
		`{"S":true,"I":"x"}`:         "TRUE_VALUE cannot be converted to String",
		`{"S":false}`:                "FALSE_VALUE cannot be converted to String",
		`{"S":{"a":1}}`:              "Start of structure or map found where not expected",
		`{"S":[1]}`:                  "Unrecognized collection type class java.lang.String",
		`{"B":"x"}`:                  "Unexpected token received from parser",
		`{"B":1}`:                    "NUMBER_VALUE cannot be converted to Boolean",
		`{"I":"1"}`:                  "STRING_VALUE cannot be converted to Integer",
		`{"I":1.5}`:                  "DECIMAL_VALUE cannot be converted to Integer",
		`{"I":99999999999999999999}`: "NUMBER_VALUE cannot be converted to Integer",
		`{"L":"x"}`:                  "Unexpected field type",
		`{"L":{}}`:                   "Start of structure or map found where not expected",
		`{"L":[1]}`:                  "NUMBER_VALUE cannot be converted to String",
		`{"M":1}`:                    "Unexpected field type",
		`{"M":{"a":true}}`:           "TRUE_VALUE cannot be converted to String",
		`{"T":true}`:                 "Unexpected field type",
		`[]`:                         "Start of list found where not expected",
		`"x"`:                        "Unexpected field type",
	} {
		var into struct {
			S string
			B bool
			I *int
			L []string
			M map[string]string
			T *struct{ A string }
		}
		if err := DecodeStrict([]byte(body), "Op", &into); err == nil || err.Error() != "SerializationException: "+want {
			t.Errorf("%s:\n got %v\nwant %s", body, err, want)
		}
	}
}

type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }

func TestReadBodyLimit(t *testing.T) {
	var body endless
	r := httptest.NewRequest(http.MethodPost, "/", &body)
	_, err := ReadBody(r)
	var e *Error
	if !errors.As(err, &e) || e.Status != http.StatusRequestEntityTooLarge {
		t.Fatalf("got %v, want a refusal with status 413", err)
	}
	if body.read > 4*MaxBody {
		t.Errorf("read %d bytes of an endless body", body.read)
	}

	r = httptest.NewRequest(http.MethodPost, "/", io.MultiReader(bytes.NewReader(make([]byte, MaxBody))))
	if got, err := ReadBody(r); err != nil || len(got) != MaxBody {
		t.Errorf("a body of the limit gives %d bytes, %v", len(got), err)
	}
}

type strictTarget struct{ Inner custom }
type custom struct{}

func (*custom) UnmarshalJSON([]byte) error { return Errorf("ValidationException", "own message") }

func TestDecodeStrictKeepsAPIErrors(t *testing.T) {
	err := DecodeStrict([]byte(`{"Inner":{}}`), "Op", new(strictTarget))
	var e *Error
	if !errors.As(err, &e) || e.Message != "own message" {
		t.Errorf("got %v", err)
	}
}

func TestEpochSeconds(t *testing.T) {
	for want, at := range map[string]time.Time{
		"1733418659.123": time.UnixMilli(1733418659123),
		"1733418659.000": time.Unix(1733418659, 0),
		"1733418659.007": time.UnixMilli(1733418659007),
		"0.000":          time.Unix(0, 0),
		"-1.500":         time.UnixMilli(-1500),
	} {
		if got, err := json.Marshal(EpochSeconds(at)); err != nil || string(got) != want {
			t.Errorf("%v gives %s, %v; want %s", at, got, err, want)
		}
	}
}

type written string

func (w written) AppendJSON(b []byte) []byte { return append(b, w...) }

// An output that writes itself is sent as it writes itself, and is not read again.
func TestEncodeAppender(t *testing.T) {
	if got, err := Encode(written(`{"a": [1 ]}`)); err != nil || string(got) != `{"a": [1 ]}` {
		t.Errorf("%s, %v", got, err)
	}
}

// refusal is an error of a core.
type refusal struct{}

func (refusal) Error() string                    { return "for people" }
func (refusal) APIError() (code, message string) { return "NoSuchThing", "there is no 100% of it" }

// TestNamedErrors: a core's error is written by its own name, wherever it is in a chain, unless its front end made it another.
func TestNamedErrors(t *testing.T) {
	for want, err := range map[string]error{
		`"__type":"NoSuchThing","message":"there is no 100% of it"`: fmt.Errorf("looking: %w", refusal{}),
		`"__type":"Other","message":"theirs"`:                       fmt.Errorf("%w: %w", Errorf("Other", "theirs"), refusal{}),
		`"__type":"InternalFailure","message":"for nobody"`:         errors.New("for nobody"),
	} {
		w := httptest.NewRecorder()
		(&JSON{Version: "1.0"}).WriteError(w, err)
		if w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %d %s, want %s", w.Code, w.Body, want)
		}
	}
}
