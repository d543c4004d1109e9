package tf

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
)

// These make the test binary a parent with many threads, and its child, which counts interrupts. Their value is the child's file.
const (
	parentVar  = "STREAMGEN_PARENT"
	counterVar = "STREAMGEN_COUNTER"
)

// TestDeathInterruptsOnce: terraform that is interrupted twice quits without saving the state.
func TestDeathInterruptsOnce(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere terraform hears nothing of its parent's death")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "count")
	parent := exec.Command(exe)
	parent.Env = append(os.Environ(), parentVar+"="+file)
	parent.Stderr = os.Stderr
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(waitForText(t, file+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	counter, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = counter.Kill() }) // it has ended, unless the test failed
	waitForText(t, file+".started")
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed, with all its threads: what its death sends is sent
	if err := counter.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := waitForText(t, file); got != "1" {
		t.Errorf("interrupted %s times", got)
	}
}

// playParent starts the counter as terraform is started, and waits for its own death.
func playParent(file string) int {
	runtime.LockOSThread()
	for range 40 {
		go func() { runtime.LockOSThread(); select {} }()
	}
	exe, err := os.Executable()
	if err != nil {
		return 99
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), parentVar+"=", counterVar+"="+file)
	if _, err = start(cmd); err == nil {
		err = os.WriteFile(file+".started", []byte("\n"), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 99
	}
	_ = cmd.Wait()
	return 0
}

// playCounter counts interrupts until it is terminated. The one may overtake the other.
func playCounter(file string) int {
	signals := make(chan os.Signal, 100)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if os.WriteFile(file+".pid", fmt.Appendln(nil, os.Getpid()), 0o600) != nil {
		return 99
	}
	interrupts := 0
	for terminated := false; !terminated || interrupts == 0; {
		if <-signals == os.Interrupt {
			interrupts++
		} else {
			terminated = true
		}
	}
	if os.WriteFile(file, fmt.Appendln(nil, interrupts), 0o600) != nil {
		return 99
	}
	return 0
}
