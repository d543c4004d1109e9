//go:build unix

package host_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestKilledStackLeavesNoProcess kills -9 a process that runs a host, which is this test again.
func TestKilledStackLeavesNoProcess(t *testing.T) {
	const role = "HOST_TEST_STACK"
	if os.Getenv(role) != "" {
		s := start(t, nil)
		s.create(t, config("pid"))
		fmt.Printf("pid %d\n", pid(t, s.invoke(t, `1`)))
		select {}
	}
	stack := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	stack.Env = append(os.Environ(), role+"=1", "TMPDIR="+t.TempDir())
	out, err := stack.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := stack.Start(); err != nil {
		t.Fatal(err)
	}
	function := 0
	for lines := bufio.NewScanner(out); function == 0 && lines.Scan(); {
		if _, s, found := strings.Cut(lines.Text(), "pid "); found {
			function, _ = strconv.Atoi(s)
		}
	}
	if err := stack.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = stack.Wait() // it was killed
	if function == 0 {
		t.Fatal("the stack started no function")
	}
	awaitEnd(t, function)
}
