// Package sonicbench compares the decoding of package stream with that of github.com/bytedance/sonic. It is a module of its own, so that
// nobody who uses streamgen depends on sonic.
package sonicbench

import (
	"context"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/bytedance/sonic"

	"streamgen/runtime/stream"
	"streamgen/runtime/stream/testdata/purchase"
)

// BenchmarkDecode decodes 100 records: stream into typed items, within an invocation of a handler that does nothing; sonic into
// aws-lambda-go's event, and into structs without methods, which is the form that suits it best.
func BenchmarkDecode(b *testing.B) {
	if sonic.APIKind != sonic.UseSonicJSON {
		b.Fatal("this version of sonic leaves decoding to encoding/json on this platform or with this version of Go")
	}
	payload := purchase.Event(100)
	run := func(name string, decode func() (decoded bool)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if !decode() {
					b.Fatal("not decoded")
				}
			}
		})
	}
	lines := 0
	h := stream.Handler(func(_ context.Context, c stream.Change[purchase.Item]) error {
		lines += len(c.Old.Lines) + len(c.New.Lines)
		return nil
	})
	run("stream", func() bool {
		lines = 0
		_, err := h.Invoke(b.Context(), payload)
		return err == nil && lines == 1000
	})
	run("sonic", func() bool {
		var e events.DynamoDBEvent
		return sonic.Unmarshal(payload, &e) == nil && len(e.Records) == 100 && len(e.Records[99].Change.NewImage["Lines"].List()) == 5
	})
	run("sonic-plain", func() bool {
		var e event
		return sonic.Unmarshal(payload, &e) == nil && len(e.Records) == 100 && len(e.Records[99].Change.NewImage["Lines"].L) == 5
	})
}

type event struct{ Records []record }

type record struct {
	EventID        string `json:"eventID"`
	EventName      string `json:"eventName"`
	EventSourceARN string `json:"eventSourceARN"`
	Change         change `json:"dynamodb"`
}

type change struct {
	ApproximateCreationDateTime float64
	Keys, NewImage, OldImage    map[string]value
	SequenceNumber              string
}

type value struct {
	S, N       *string
	B          []byte
	BOOL, NULL bool
	SS, NS     []string
	BS         [][]byte
	L          []value
	M          map[string]value
}
