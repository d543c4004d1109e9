package stream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"streamgen/runtime/stream"
	"streamgen/runtime/stream/testdata/purchase"
)

// BenchmarkInvoke compares an invocation of 100 records with a handler written by hand on aws-lambda-go, which reads
// the same attributes.
func BenchmarkInvoke(b *testing.B) {
	var records []string
	for i := range 100 {
		const attributes = `"Total":{"N":"12.50"},"Paid":{"BOOL":true},"Receipt":{"B":"AAEqQQ=="},"Tags":{"SS":["a","b"]},` +
			`"Discounts":{"NS":["1","2"]},"Signatures":{"BS":["AAEqQQ=="]}`
		id := fmt.Sprintf(`"Id":{"S":"order-%d"}`, i)
		records = append(records, record(fmt.Sprint(1000+i), "MODIFY",
			fmt.Sprintf(`"Keys":{%s},"NewImage":{%[1]s,%s},"OldImage":{%[1]s,%[2]s}`, id, attributes)))
	}
	payload := event(records...)

	run := func(b *testing.B, h lambda.Handler) {
		b.ReportAllocs()
		b.SetBytes(int64(len(payload)))
		for b.Loop() {
			got, err := h.Invoke(context.Background(), payload)
			if err != nil || string(got) != allDone && string(got) != allDone+"\n" {
				b.Fatalf("response %s, error %v", got, err)
			}
		}
	}
	b.Run("stream", func(b *testing.B) {
		run(b, stream.Handler(func(context.Context, stream.Change[Order]) error { return nil }))
	})
	b.Run("aws-lambda-go", func(b *testing.B) {
		run(b, lambda.NewHandler(func(_ context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			for _, r := range e.Records {
				for _, image := range []map[string]events.DynamoDBAttributeValue{r.Change.Keys, r.Change.OldImage, r.Change.NewImage} {
					_ = orderOf(image)
				}
			}
			return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}, nil
		}))
	})
}

// orderOf reads an image as a hand-written handler does.
func orderOf(image map[string]events.DynamoDBAttributeValue) Order {
	o := Order{ID: image["Id"].String()}
	if total, ok := image["Total"]; ok {
		o.Total = stream.Number(total.Number())
		o.Paid = image["Paid"].Boolean()
		o.Receipt = image["Receipt"].Binary()
		o.Tags = image["Tags"].StringSet()
		o.Signatures = image["Signatures"].BinarySet()
		for _, n := range image["Discounts"].NumberSet() {
			o.Discounts = append(o.Discounts, stream.Number(n))
		}
	}
	return o
}

// BenchmarkDecode compares the decoding of 100 records, of which every attribute is read, with aws-lambda-go, which makes a tree of them, and
// with json.Valid, which only looks at each byte.
func BenchmarkDecode(b *testing.B) {
	payload := purchase.Event(100)
	run := func(name string, decode func() bool) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if !decode() {
					b.Fatal("not decoded")
				}
			}
			b.ReportMetric(float64(testing.AllocsPerRun(1, func() { decode() }))/100, "allocs/record")
		})
	}
	run("stream", func() bool {
		sum := 0
		err := stream.DecodeEvent(payload, func(c stream.Change[purchase.Item]) { sum += len(c.Old.Lines) + len(c.New.Lines) })
		return err == nil && sum == 1000
	})
	run("aws-lambda-go", func() bool {
		var e events.DynamoDBEvent
		return json.Unmarshal(payload, &e) == nil && len(e.Records) == 100
	})
	run("json.Valid", func() bool { return json.Valid(payload) })
}
