package shiporders

import (
	"testing"

	"example.com/shop/generated/tables/orders"
	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
)

// TestHandle delivers an item that is new and then deleted.
func TestHandle(t *testing.T) {
	item := &orders.Item{ID: "1"}
	function := stream.Router(stream.On(orders.Name(), Handle))
	got := streamtest.Invoke(t, function, streamtest.Insert(item), streamtest.Remove(item))
	if got.Unfinished != 2 {
		t.Errorf("record %d is not done: response %s, error %v", got.Unfinished, got.Response, got.Err)
	}
}
