package tf

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestAttachPassesEverythingOn(t *testing.T) {
	f := newFake(t).on("state", scene{Hang: "telling", Code: 3, Stdout: "out\n", Stderr: "err\n"})
	var stdout, stderr bytes.Buffer
	tf := f.open(nil)
	code, err := tf.Attach(t.Context(), Streams{In: strings.NewReader("in\n"), Out: &stdout, Err: &stderr}, "state", "mv", "a b", "c")
	if code != 3 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
	if stdout.String() != "out\nin\n" || stderr.String() != "err\n" {
		t.Errorf("got %q and %q", stdout.String(), stderr.String())
	}
	if got := f.calls(); !slices.Equal(got, []string{"state mv a b c"}) {
		t.Errorf("called %q", got)
	}
	if tf.Elapsed() <= 0 {
		t.Error("no time was counted")
	}
}

func TestAttachSetsVariables(t *testing.T) {
	tf := newFake(t).open(func(o *Options) { o.VarFile, o.Vars = "e.tfvars", map[string]string{"a": "1 2"} })
	writeTree(t, tf.WorkDir, map[string]string{"kept.plan": ""})
	const file, a = "-var-file=e.tfvars", "-var=a=1 2"
	for _, c := range []struct{ args, want []string }{
		{[]string{"plan"}, []string{"plan", file, a}},
		{[]string{"plan", "-var", "a=3"}, []string{"plan", file, a, "-var", "a=3"}},
		{[]string{"-no-color", "import", "x.y", "plan"}, []string{"-no-color", "import", file, a, "x.y", "plan"}},
		{[]string{"apply", "-auto-approve"}, []string{"apply", file, a, "-auto-approve"}},
		{[]string{"apply", "-target", "x.y"}, []string{"apply", file, a, "-target", "x.y"}},
		{[]string{"apply", "kept.plan"}, []string{"apply", "kept.plan"}},
		{[]string{"apply", filepath.Join(tf.WorkDir, "kept.plan")}, []string{"apply", filepath.Join(tf.WorkDir, "kept.plan")}},
		{[]string{"state", "list"}, []string{"state", "list"}},
		{[]string{"output", "plan"}, []string{"output", "plan"}},
		{[]string{"-version"}, []string{"-version"}},
		{nil, nil},
	} {
		if got := tf.withVars(c.args); !slices.Equal(got, c.want) {
			t.Errorf("%q becomes %q, want %q", c.args, got, c.want)
		}
	}
}

// An interrupt reaches terraform once, in a group of its own and in this one.
func TestAttachInterruptsOnce(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		if terminal && runtime.GOOS == "windows" {
			continue // nothing but the console interrupts a process there that leads no group
		}
		f := newFake(t).on("console", scene{Hang: "telling", Code: 1, Stdout: "ready\n"})
		in, typed, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		shown, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		code := make(chan int, 1)
		go func() {
			n, err := f.open(nil).Attach(ctx, Streams{In: in, Out: out, Err: os.Stderr, Terminal: terminal}, "console")
			if err != nil {
				t.Error(err)
			}
			out.Close()
			code <- n
		}()
		lines := bufio.NewReader(shown)
		for i, want := range []string{"ready\n", "interrupted\n"} {
			if got, err := lines.ReadString('\n'); got != want {
				t.Fatalf("terminal %v: read %q, %v; want %q", terminal, got, err, want)
			}
			if i == 0 {
				cancel()
			}
		}
		typed.Close()
		if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
			t.Errorf("terminal %v: %q follows, %v", terminal, rest, err)
		}
		if n := <-code; n != 1 {
			t.Errorf("terminal %v: exit code %d", terminal, n)
		}
		cancel()
	}
}

func TestAttachKilled(t *testing.T) {
	f := newFake(t).on("plan", scene{Hang: "stubborn"})
	tf := f.open(nil)
	done := make(chan error, 1)
	go func() {
		_, err := tf.Attach(t.Context(), Streams{Out: io.Discard, Err: io.Discard}, "plan")
		done <- err
	}()
	f.child()
	tf.Kill()
	if err := <-done; !errors.Is(err, errKilled) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
	waitForEnd(t, f.child())
	if _, err := tf.Attach(t.Context(), Streams{}, "plan"); !errors.Is(err, errKilled) {
		t.Errorf("a command after Kill gives %v", err)
	}
}

// On a terminal terraform has heard the second Ctrl-C as well, and ends by itself.
func TestAttachWaitsForTheEndOnATerminal(t *testing.T) {
	f := newFake(t).on("console", scene{Hang: "telling", Code: 1, Stdout: "ready\n"})
	in, typed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	shown, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	tf := f.open(nil)
	code := make(chan int, 1)
	go func() {
		n, err := tf.Attach(t.Context(), Streams{In: in, Out: out, Err: os.Stderr, Terminal: true}, "console")
		if err != nil {
			t.Error(err)
		}
		code <- n
	}()
	lines := bufio.NewReader(shown)
	if got, err := lines.ReadString('\n'); got != "ready\n" {
		t.Fatalf("read %q, %v", got, err)
	}
	tf.Kill()
	if _, err := typed.WriteString("still here\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := lines.ReadString('\n'); got != "still here\n" {
		t.Fatalf("read %q, %v", got, err)
	}
	typed.Close()
	if n := <-code; n != 1 {
		t.Errorf("exit code %d", n)
	}
}

func TestAttachWithoutTerraform(t *testing.T) {
	tf := newFake(t).open(func(o *Options) { o.Binary.Path = filepath.Join(t.TempDir(), "none") })
	if _, err := tf.Attach(t.Context(), Streams{}, "plan"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
