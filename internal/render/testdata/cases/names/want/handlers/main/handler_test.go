package mainhandler

import (
	"testing"

	"example.com/shop/generated/tables/table2024archiveoforders"
	"streamgen/runtime/stream"
	"streamgen/runtime/streamtest"
)

// TestHandle delivers an item that is new and then deleted.
func TestHandle(t *testing.T) {
	item := &table2024archiveoforders.Item{OrderID: "1"}
	function := stream.Router(stream.On(table2024archiveoforders.Name(), Handle))
	got := streamtest.Invoke(t, function, streamtest.Insert(item), streamtest.Remove(item))
	if got.Unfinished != 2 {
		t.Errorf("record %d is not done: response %s, error %v", got.Unfinished, got.Response, got.Err)
	}
}
