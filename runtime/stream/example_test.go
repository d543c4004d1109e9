package stream_test

import (
	"context"
	"errors"
	"fmt"

	"streamgen/runtime/stream"
)

// Order is an item of the table "orders", in the form in which item types are generated.
type Order struct {
	// ID is the attribute "Id", of type S.
	ID string
	// Total is the attribute "Total", of type N.
	Total stream.Number
	// Paid is the attribute "Paid", of type BOOL.
	Paid bool
	// Receipt is the attribute "Receipt", of type B.
	Receipt []byte
	// Tags is the attribute "Tags", of type SS.
	Tags []string
	// Discounts is the attribute "Discounts", of type NS.
	Discounts []stream.Number
	// Signatures is the attribute "Signatures", of type BS.
	Signatures [][]byte
}

// UnmarshalImage implements [stream.Image].
func (it *Order) UnmarshalImage(d *stream.Decoder) {
	for d.Next() {
		switch d.Name() {
		case "Id":
			it.ID = d.String()
		case "Total":
			it.Total = d.Number()
		case "Paid":
			it.Paid = d.Bool()
		case "Receipt":
			it.Receipt = d.Binary()
		case "Tags":
			it.Tags = d.StringSet()
		case "Discounts":
			it.Discounts = d.NumberSet()
		case "Signatures":
			it.Signatures = d.BinarySet()
		}
	}
}

// MarshalImage implements [stream.Item].
func (it *Order) MarshalImage(e *stream.Encoder) {
	e.Attr("Id")
	e.String(it.ID)
	e.Attr("Total")
	e.Number(it.Total)
	e.Attr("Paid")
	e.Bool(it.Paid)
	e.Attr("Receipt")
	e.Binary(it.Receipt)
	e.Attr("Tags")
	e.StringSet(it.Tags)
	e.Attr("Discounts")
	e.NumberSet(it.Discounts)
	e.Attr("Signatures")
	e.BinarySet(it.Signatures)
}

// KeyNames implements [stream.Item].
func (*Order) KeyNames() []string { return []string{"Id"} }

const sampleEvent = `{"Records":[{
	"eventID":"ab0ed3713569f4655f353e5ef61a88c4",
	"eventName":"MODIFY",
	"eventVersion":"1.1",
	"eventSource":"aws:dynamodb",
	"awsRegion":"us-east-1",
	"dynamodb":{
		"ApproximateCreationDateTime":1733418659.0,
		"Keys":{"Id":{"S":"o-1"}},
		"NewImage":{"Id":{"S":"o-1"},"Total":{"N":"12.50"},"Paid":{"BOOL":true}},
		"OldImage":{"Id":{"S":"o-1"},"Total":{"N":"12.50"}},
		"SequenceNumber":"800000000003126276362",
		"SizeBytes":46,
		"StreamViewType":"NEW_AND_OLD_IMAGES"},
	"eventSourceARN":"arn:aws:dynamodb:us-east-1:111111111111:table/orders/stream/2025-02-22T03:03:25.490"}]}`

func ExampleStart() {
	handle := func(_ context.Context, c stream.Change[Order]) error {
		fmt.Println(c.Kind, c.Keys.ID)
		return nil
	}
	stream.Start(handle)
}

func ExampleHandler() {
	h := stream.Handler(func(_ context.Context, c stream.Change[Order]) error {
		if c.Kind == stream.Modify && c.New.Paid && !c.Old.Paid {
			fmt.Printf("order %s was paid: %s at %s\n", c.Keys.ID, c.New.Total, c.CreatedAt)
		}
		return nil
	})

	response, err := h.Invoke(context.Background(), []byte(sampleEvent))
	fmt.Println(string(response), err)
	// Output:
	// order o-1 was paid: 12.50 at 2024-12-05 17:10:59 +0000 UTC
	// {"batchItemFailures":[]} <nil>
}

// A record that fails is reported to Lambda, which delivers it and all after it again.
func ExampleHandler_failure() {
	h := stream.Handler(func(_ context.Context, _ stream.Change[Order]) error {
		return errors.New("the search index is down")
	})

	response, err := h.Invoke(context.Background(), []byte(sampleEvent))
	fmt.Println(string(response), err)
	// Output: {"batchItemFailures":[{"itemIdentifier":"800000000003126276362"}]} <nil>
}

func ExampleUnmarshal() {
	order, err := stream.Unmarshal[Order]([]byte(`{"Id":{"S":"o-1"},"Total":{"N":"12.50"},"Lines":{"L":[]}}`))
	fmt.Println(order.ID, order.Total, err)
	// Output: o-1 12.50 <nil>
}

func ExampleMarshal() {
	image, err := stream.Marshal(&Order{ID: "o-1", Total: "12.50", Tags: []string{"gift"}})
	fmt.Println(string(image), err)
	// Output: {"Id":{"S":"o-1"},"Total":{"N":"12.50"},"Paid":{"BOOL":false},"Tags":{"SS":["gift"]}} <nil>
}

func ExampleNumber_Int64() {
	fmt.Println(stream.Number("1200").Int64())
	fmt.Println(stream.Number("12.50").Int64())
	fmt.Println(stream.Number("99999999999999999999").Int64())
	// Output:
	// 1200 <nil>
	// 0 the number has a fraction and is no int64
	// 0 the number overflows int64
}

func ExampleNumber_Float64() {
	fmt.Println(stream.Number("12.50").Float64())
	// Output: 12.5 <nil>
}
