//go:build unix

package pack

import (
	"errors"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// waitForEnd fails the test when the process outlives the build by more than seconds. A killed
// orphan stays a zombie until init reaps it, which is as good as gone.
func waitForEnd(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if errors.Is(syscall.Kill(n, 0), syscall.ESRCH) || zombie(n) {
			return
		}
	}
	t.Errorf("process %d, started by the go command, still runs", n)
}
