package bill

import (
	"testing"

	"example.com/shop/generated/tables/customers"
	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
)

// TestHandleOrders delivers an item that is new and then deleted.
func TestHandleOrders(t *testing.T) {
	h, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	item := &orders.Item{ID: "1"}
	function := stream.Router(stream.OnBatch(orders.Name(), h.HandleOrders))
	got := streamtest.Invoke(t, function, streamtest.Insert(item), streamtest.Remove(item))
	if got.Unfinished != 2 {
		t.Errorf("record %d is not done: response %s, error %v", got.Unfinished, got.Response, got.Err)
	}
}

// TestHandleCustomers delivers an item that is new and then deleted.
func TestHandleCustomers(t *testing.T) {
	h, err := New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	item := &customers.Item{ID: "1"}
	function := stream.Router(stream.On(customers.Name(), h.HandleCustomers))
	got := streamtest.Invoke(t, function, streamtest.Insert(item), streamtest.Remove(item))
	if got.Unfinished != 2 {
		t.Errorf("record %d is not done: response %s, error %v", got.Unfinished, got.Response, got.Err)
	}
}
