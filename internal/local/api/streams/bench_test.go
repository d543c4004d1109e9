package streams_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"streamgen/internal/local/attr"
)

// BenchmarkGetRecords answers a request for 1,000 records of about 1 KB.
func BenchmarkGetRecords(b *testing.B) {
	s := newStack(b)
	for i := range 1000 {
		s.put(b, attr.Item{"pk": attr.String(fmt.Sprint(i)), "note": attr.String(strings.Repeat("x", 900))})
	}
	iterator := s.iterator(b, s.describe(b).Shards[0].ShardId, types.ShardIteratorTypeTrimHorizon, nil)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"ShardIterator":"`+*iterator+`"}`))
		r.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810.GetRecords")
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.Len() < 1000*1000 {
			b.Fatal(w.Code, w.Body.Len())
		}
	}
}
