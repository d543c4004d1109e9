package ship

import (
	"testing"

	"example.com/shop/generated/tables/invoices"
	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
)

// TestHandleOrders delivers an item that is new and then deleted.
func TestHandleOrders(t *testing.T) {
	item := &orders.Item{ID: "1"}
	function := stream.Router(stream.On(orders.Name(), HandleOrders))
	got := streamtest.Invoke(t, function, streamtest.Insert(item), streamtest.Remove(item))
	if got.Unfinished != 2 {
		t.Errorf("record %d is not done: response %s, error %v", got.Unfinished, got.Response, got.Err)
	}
}

// TestHandleInvoices delivers an item that is new and then deleted.
func TestHandleInvoices(t *testing.T) {
	item := &invoices.Item{ID: "1"}
	function := stream.Router(stream.On(invoices.Name(), HandleInvoices))
	got := streamtest.Invoke(t, function, streamtest.Insert(item), streamtest.Remove(item))
	if got.Unfinished != 2 {
		t.Errorf("record %d is not done: response %s, error %v", got.Unfinished, got.Response, got.Err)
	}
}
