//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// holdVar names a state file that the test binary locks, as terraform does, until it has nothing more to read.
const holdVar = "STREAMGEN_TEST_HOLD"

func TestHoldLock(t *testing.T) {
	path := os.Getenv(holdVar)
	if path == "" {
		t.Skip("a part of TestUnlockLeavesALiveLock")
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("held\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	f.Close()
}

// The lock of a terraform that runs is left alone, and its process named; even --force cannot take a lock on a file.
func TestUnlockLeavesALiveLock(t *testing.T) {
	path, err := exec.LookPath("terraform")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state", "default.tfstate")
	note := filepath.Join(dir, "state", ".default.tfstate.lock.info")
	write(t, filepath.Join(dir, "go.mod"), "module example.com/p\n")
	write(t, filepath.Join(dir, specFile), "version: 1\nproject: p\nregion: us-east-1\ntables: {orders: {hash_key: Id, attributes: {Id: S}}}\n")
	write(t, state, `{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {}, "resources": []}`)
	write(t, note, `{"ID":"8a3c","Operation":"OperationTypeApply","Who":"ada@here","Version":"1.11.4","Created":"2024-11-25T19:07:10.1Z"}`)
	holder := exec.Command(os.Args[0], "-test.run=^TestHoldLock$")
	holder.Env = append(os.Environ(), holdVar+"="+state)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	gen := func(want int, args ...string) string {
		t.Helper()
		var said bytes.Buffer
		if got := Run(t.Context(), append([]string{"unlock", "-C", dir, "--terraform", path, "--yes"}, args...), strings.NewReader(""), &said, &said); got != want {
			t.Fatalf("gen unlock %v: exit code %d, want %d\n%s", args, got, want, said.String())
		}
		return said.String()
	}
	pid := strconv.Itoa(holder.Process.Pid)
	if said := gen(ExitFailed); !strings.Contains(said, "runs, process "+pid) || !strings.Contains(said, "kill -INT "+pid) {
		t.Errorf("got %s", said)
	}
	if said := gen(ExitFailed, "--force"); !strings.Contains(said, "lasts as long as its holder runs, process "+pid) {
		t.Errorf("got %s", said)
	}
	if _, err := os.Stat(note); err != nil {
		t.Error(err)
	}
	in.Close()
	_, _ = io.Copy(io.Discard, lines)
	if err := holder.Wait(); err != nil {
		t.Fatal(err)
	}
	if said := gen(ExitOK); !strings.Contains(said, "has ended") || !strings.Contains(said, "released the lock 8a3c") {
		t.Errorf("got %s", said)
	}
}
