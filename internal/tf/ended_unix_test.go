//go:build unix

package tf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// waitForEnd fails the test when the process still runs after seconds. A dead process that nobody
// has reaped yet is gone for our purposes.
func waitForEnd(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n)) // elsewhere than on Linux there is none
		if _, state, _ := bytes.Cut(stat, []byte(") ")); errors.Is(syscall.Kill(n, 0), syscall.ESRCH) || bytes.HasPrefix(state, []byte("Z")) {
			return
		}
	}
	t.Errorf("process %d still runs", n)
}
