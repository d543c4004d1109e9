package stream_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"streamgen/runtime/stream"
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
