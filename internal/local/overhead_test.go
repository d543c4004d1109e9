package local

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// itemOf1KB is a PutItem of an item of about 1 KB.
func itemOf1KB(id int) []byte {
	return fmt.Appendf(nil, `{"TableName":"orders","Item":{"id":{"S":"%d"},"text":{"S":"%s"}}}`, id, strings.Repeat("x", 1000))
}

// BenchmarkServe is the stack's own part of a request: route, codec and engine, without a network.
func BenchmarkServe(b *testing.B) {
	s := start(b, Options{})
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	send := func(b *testing.B, h http.Handler, target string, body []byte) {
		b.Helper()
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Host = "127.0.0.1:" + port
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+target)
		r.Header.Set("Authorization", signed("us-east-1", "dynamodb"))
		w := discardAnswer{h: http.Header{}}
		h.ServeHTTP(&w, r)
		if w.status != http.StatusOK {
			b.Fatal(target, w.status)
		}
	}
	send(b, s.server.Handler, "CreateTable", []byte(`{"TableName":"orders","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`))
	get := []byte(`{"TableName":"orders","Key":{"id":{"S":"1"}}}`)
	constant := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
	})
	for _, bench := range []struct {
		name, target string
		body         []byte
		handler      http.Handler
	}{
		{"constant", "PutItem", itemOf1KB(1), constant},
		{"put", "PutItem", itemOf1KB(1), s.server.Handler},
		{"get", "GetItem", get, s.server.Handler},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				send(b, bench.handler, bench.target, bench.body)
			}
		})
	}
}

type discardAnswer struct {
	h      http.Header
	status int
}

func (d *discardAnswer) Header() http.Header         { return d.h }
func (d *discardAnswer) WriteHeader(status int)      { d.status = status }
func (d *discardAnswer) Write(p []byte) (int, error) { return len(p), nil }
