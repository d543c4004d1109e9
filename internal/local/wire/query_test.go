package wire

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func queryService() *Query {
	return &Query{Namespace: "https://greeter.example/doc/", Version: "2010-05-08", Operations: map[string]QueryOperation{
		"Greet": {Parameters: []string{"Name", "Tags"}, Do: func(_ context.Context, form url.Values) (any, error) {
			return struct {
				Names []string `xml:"Names>member"`
			}{[]string{form.Get("Name"), "<b>"}}, nil
		}},
		"Hush": {Do: func(context.Context, url.Values) (any, error) { return nil, nil }},
		"Refuse": {Do: func(context.Context, url.Values) (any, error) {
			return nil, StatusErrorf(404, "NoSuchEntity", "no <name>")
		}},
		"Break":    {Do: func(context.Context, url.Values) (any, error) { return nil, errors.New("boom") }},
		"Unencode": {Do: func(context.Context, url.Values) (any, error) { return make(chan int), nil }},
	}}
}

func TestQuery(t *testing.T) {
	failure := func(code, message string) string {
		return `<ErrorResponse xmlns="https://greeter.example/doc/"><Error><Type>Sender</Type><Code>` + code + `</Code><Message>` + message +
			`</Message></Error><RequestId>ID</RequestId></ErrorResponse>`
	}
	for name, test := range map[string]struct {
		form   string
		status int
		answer string
	}{
		"success": {"Action=Greet&Version=2010-05-08&Name=a%26b&Tags.member.1.Key=k", 200, `<GreetResponse xmlns="https://greeter.example/doc/"><GreetResult>` +
			`<Names><member>a&amp;b</member><member>&lt;b&gt;</member></Names></GreetResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></GreetResponse>`},
		"no result":         {"Action=Hush&Version=2010-05-08", 200, `<HushResponse xmlns="https://greeter.example/doc/"><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></HushResponse>`},
		"foreseen error":    {"Action=Refuse&Version=2010-05-08", 404, failure("NoSuchEntity", "no &lt;name&gt;")},
		"unforeseen error":  {"Action=Break&Version=2010-05-08", 400, failure("InternalFailure", "boom")},
		"cannot encode":     {"Action=Unencode&Version=2010-05-08", 400, failure("InternalFailure", "xml: unsupported type: chan int")},
		"unknown action":    {"Action=Wave&Version=2010-05-08", 400, failure("InvalidAction", "streamgen local does not emulate Wave of https://greeter.example/doc/")},
		"other version":     {"Action=Hush&Version=2011-06-15", 400, failure("InvalidAction", "Could not find operation Hush for version 2011-06-15")},
		"unknown parameter": {"Action=Greet&Version=2010-05-08&Nickname=x", 400, failure("ValidationException", "streamgen local does not emulate Nickname of Greet")},
		"parameter twice":   {"Action=Greet&Version=2010-05-08&Name=x&Name=y", 400, failure("MalformedQueryString", "Name of Greet is given 2 times")},
		"no form":           {"%zz", 400, failure("MalformedQueryString", "invalid URL escape &#34;%zz&#34;")},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			queryService().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(test.form)))
			id := w.Header().Get("X-Amzn-Requestid")
			if got := strings.ReplaceAll(w.Body.String(), id, "ID"); w.Code != test.status || got != test.answer {
				t.Errorf("got %d %s\nwant %d %s", w.Code, got, test.status, test.answer)
			}
			if id == "" || w.Header().Get("Content-Type") != "text/xml" {
				t.Errorf("headers %v", w.Header())
			}
			for dec := xml.NewDecoder(w.Body); ; {
				if _, err := dec.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("the body is no XML: %v", err)
				}
			}
		})
	}
}

func TestQueryList(t *testing.T) {
	for name, test := range map[string]struct {
		form   string
		fields []string
		want   []url.Values
		fails  bool
	}{
		"fields": {"Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.2.Key=c&Other=x", []string{"Key", "Value"},
			[]url.Values{{"Key": {"a"}, "Value": {"b"}}, {"Key": {"c"}}}, false},
		"strings":           {"Tags.member.1=a&Tags.member.2=", nil, []url.Values{{"": {"a"}}, {"": {""}}}, false},
		"absent":            {"Other=x", nil, nil, false},
		"empty":             {"Tags=", nil, nil, false},
		"gap":               {"Tags.member.1=a&Tags.member.3=b", nil, nil, true},
		"from zero":         {"Tags.member.0=a", nil, nil, true},
		"other field":       {"Tags.member.1.Key=a&Tags.member.1.Colour=b", []string{"Key"}, nil, true},
		"scalar":            {"Tags=a", nil, nil, true},
		"wrong list's name": {"Tags.entry.1=a", nil, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := url.ParseQuery(test.form)
			if err != nil {
				t.Fatal(err)
			}
			got, err := QueryList(form, "Tags", test.fields...)
			if (err != nil) != test.fails {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" && !test.fails {
				t.Error(diff)
			}
		})
	}
}
