package host_test

import (
	"os"
	"testing"
	"time"
)

// awaitEnd fails the test if the process does not end.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for range 2000 {
		p, err := os.FindProcess(pid)
		if err != nil {
			return
		}
		_ = p.Release()
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}
