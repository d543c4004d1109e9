//go:build unix

package streamtest_test

import (
	"fmt"

	"streamgen/runtime/streamtest"
)

// What the function does at its end.
func ExampleFunction_Stop() {
	cmd := streamtest.Build(t, "./testdata/ship")
	cmd.Env = append(cmd.Environ(), "CARRIER=post")
	f := streamtest.Start(t, cmd)
	f.Stop() // sends SIGTERM, for the handler has a method Close
	for _, line := range f.Log() {
		fmt.Println(line["level"], line["msg"])
	}
	// Output: INFO closed
}
