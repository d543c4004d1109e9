package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// interruptedTerraform wants a terminal, counts the interrupts that it gets, and ends with 7 when it reads "end".
const interruptedTerraform = `#!/bin/sh
case "$1" in
version) echo 'Terraform v1.11.4' ;;
init) ;;
*)
	n=0
	trap 'n=$((n+1)); echo "interrupt $n"' INT
	test -t 1 && echo "arguments $*"
	while :; do
		read -r line && test "$line" = end && echo "after $n" && exit 7
	done ;;
esac
`

// TestTerraformOnATerminal: a Ctrl-C on the terminal reaches terraform once, although gen hears it, too, and terraform reads the terminal.
func TestTerraformOnATerminal(t *testing.T) {
	dir := t.TempDir()
	fake := filepath.Join(dir, "terraform")
	for name, text := range map[string]string{
		"gen.yaml": "version: 1\nproject: p\nregion: us-east-1\ntables: {orders: {hash_key: Id, attributes: {Id: S}}}\n",
		"go.mod":   "module example.com/p\n", "terraform": interruptedTerraform,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	gen := buildGen(t)
	generate := exec.Command(gen, "generate")
	generate.Dir = dir
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	master, terminal := openTerminal(t)
	cmd := exec.Command(gen, "terraform", "--terraform", fake, "--", "state", "list")
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	stuck := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stuck.Stop()
	var shown strings.Builder
	lines := bufio.NewReader(master)
	await := func(wanted ...string) {
		t.Helper()
		missing := func(text string) bool { return !strings.Contains(shown.String(), text) }
		for slices.ContainsFunc(wanted, missing) {
			line, err := lines.ReadString('\n')
			shown.WriteString(line)
			if err != nil {
				t.Fatalf("not all of %q came (%v):\n%s", wanted, err, shown.String())
			}
		}
	}
	await("arguments state list")
	fmt.Fprint(master, "\x03")
	await("interrupt 1", "gen: stopping cleanly") // gen would have passed it on before it says so
	fmt.Fprint(master, "end\n")
	await("after 1")
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 7 {
		t.Errorf("gen ends with %v, want exit code 7\n%s", err, shown.String())
	}
}

// openTerminal makes a pseudo terminal.
func openTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	return master, terminal
}
