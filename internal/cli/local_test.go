package cli

import (
	"encoding/json"
	"testing"
	"time"

	"streamgen/internal/local"
)

func TestEventsOfGenLocal(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		event localEvent
		want  string
	}{
		{localEvent{Event: "ready", Endpoint: "http://127.0.0.1:4566"}, `{"event":"ready","endpoint":"http://127.0.0.1:4566"}`},
		{
			requestEvent(local.Request{Time: at, Service: "dynamodb", Operation: "PutItem", Region: "us-east-1", Tables: []string{"orders"}, Status: 200, Took: 1500 * time.Microsecond}),
			`{"event":"request","time":"2026-01-02T03:04:05Z","region":"us-east-1","service":"dynamodb","operation":"PutItem","tables":["orders"],"status":200,"took_ms":1.5}`,
		},
		{
			requestEvent(local.Request{Time: at, Service: "sts", Operation: "X", Region: "us-east-1", Code: "UnknownOperationException", Status: 400}),
			`{"event":"request","time":"2026-01-02T03:04:05Z","region":"us-east-1","service":"sts","operation":"X","status":400,"error":"UnknownOperationException","took_ms":0}`,
		},
	} {
		got, err := json.Marshal(test.event)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
