package streamtest_test

import (
	"fmt"

	"streamgen/runtime/streamtest"
	"streamgen/runtime/streamtest/testdata/orders"
)

// A whole program: its main, its settings, its log.
func ExampleStart() {
	cmd := streamtest.Build(t, "./testdata/ship")
	cmd.Env = append(cmd.Environ(), "CARRIER=post")
	f := streamtest.Start(t, cmd)
	got := streamtest.Invoke(t, f, streamtest.Insert(&orders.Item{ID: "1", Status: "paid"}), streamtest.Insert(&orders.Item{ID: "2", Status: "new"}))
	fmt.Println(got)
	for _, line := range f.Log() {
		if line["msg"] != nil {
			fmt.Println(line["level"], line["msg"], line["keys"], line["error"])
		}
	}
	// Output:
	// INSERT Id=1, INSERT Id=2: unfinished from INSERT Id=2
	// INFO shipped map[Id:1] <nil>
	// ERROR stream record failed map[Id:2] not paid
}

// A function whose start fails: Lambda reports that as the event's error.
func ExampleFunction_Invoke() {
	f := streamtest.Start(t, streamtest.Build(t, "./testdata/ship")) // without its CARRIER
	_, err := f.Invoke(t.Context(), []byte(`{"Records":[]}`))
	fmt.Println(err)
	// Output: Runtime.InitError: CARRIER is not set
}
