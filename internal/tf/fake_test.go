package tf

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The test binary itself plays terraform when this variable names a folder with its lines to say.
const fakeVar = "STREAMGEN_FAKE"

// driverVar makes the test binary a parent of terraform that a test can kill.
const driverVar = "STREAMGEN_DRIVER"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(fakeVar) != "":
		os.Exit(playTerraform(os.Getenv(fakeVar), os.Args[1:]))
	case os.Getenv(driverVar) != "":
		os.Exit(drive(os.Getenv(driverVar)))
	case os.Getenv(parentVar) != "":
		os.Exit(playParent(os.Getenv(parentVar)))
	case os.Getenv(counterVar) != "":
		os.Exit(playCounter(os.Getenv(counterVar)))
	}
	os.Exit(m.Run())
}

// scene is what the fake does at one call of a command.
type scene struct {
	Stdout, Stderr string
	Code           int
	// Hang makes it wait after its output: until an interrupt ("polite") or for ever ("stubborn").
	// It starts a child then, as terraform starts a plug-in. Or it repeats what it reads and tells of
	// each interrupt, until there is no more to read ("telling").
	Hang string
	// Repeat writes Stdout's first line so often.
	Repeat int
}

// fake is a terraform that a test has written.
type fake struct {
	t   *testing.T
	dir string
}

func newFake(t *testing.T) fake { return fake{t, t.TempDir()} }

// on tells the fake what to do at the calls of a command, one scene each; the last stays.
func (f fake) on(op string, scenes ...scene) fake {
	f.t.Helper()
	data, err := json.Marshal(scenes)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, op+".json"), data, 0o644); err != nil {
		f.t.Fatal(err)
	}
	return f
}

// open gives a driver of the fake with a one-file configuration.
func (f fake) open(change func(*Options)) *Terraform {
	f.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	root := f.t.TempDir()
	o := Options{
		Binary: Binary{Path: exe, Version: "1.11.4"},
		Source: filepath.Join(root, "generated", "terraform"), WorkDir: filepath.Join(root, ".gen", "local"),
		// Under the race detector a program waits a second before it exits, unless told not to.
		Env: map[string]string{fakeVar: f.dir, "PATH": os.Getenv("PATH"), "GORACE": "atexit_sleep_ms=0"},
	}
	writeTree(f.t, o.Source, map[string]string{"main.tf": "terraform {}\n"})
	if change != nil {
		change(&o)
	}
	tf, err := Open(o)
	if err != nil {
		f.t.Fatal(err)
	}
	return tf
}

// calls are the command lines so far, without the options that every call has.
func (f fake) calls() []string {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, "calls"))
	if err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// child is the process that the hanging fake started.
func (f fake) child() string { return waitForText(f.t, filepath.Join(f.dir, "child")) }

func playTerraform(dir string, args []string) int {
	if len(args) == 1 && args[0] == "sleep" {
		time.Sleep(10 * time.Minute)
		return 0
	}
	calls, err := os.OpenFile(filepath.Join(dir, "calls"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 99
	}
	fmt.Fprintln(calls, strings.Join(args, " "))
	calls.Close()
	for _, arg := range args {
		if out, ok := strings.CutPrefix(arg, "-out="); ok {
			if os.WriteFile(out, []byte("plan"), 0o644) != nil {
				return 99
			}
		}
	}
	op := args[0]
	var scenes []scene
	data, err := os.ReadFile(filepath.Join(dir, op+".json"))
	if err != nil || json.Unmarshal(data, &scenes) != nil {
		fmt.Fprintf(os.Stderr, "the fake knows no %s\n", op)
		return 98
	}
	s := scenes[0]
	if len(scenes) > 1 {
		data, _ := json.Marshal(scenes[1:])
		if os.WriteFile(filepath.Join(dir, op+".json"), data, 0o644) != nil {
			return 99
		}
	}
	return s.play(dir)
}

func (s scene) play(dir string) int {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	os.Stderr.WriteString(s.Stderr)
	for range s.Repeat {
		os.Stdout.WriteString(s.Stdout)
	}
	if s.Repeat == 0 {
		os.Stdout.WriteString(s.Stdout)
	}
	switch s.Hang {
	case "":
		return s.Code
	case "telling":
		ended := make(chan error, 1)
		go func() { _, err := io.Copy(os.Stdout, os.Stdin); ended <- err }()
		for {
			select {
			case <-interrupted:
				fmt.Println("interrupted")
			case <-ended:
				return s.Code
			}
		}
	}
	exe, err := os.Executable()
	if err != nil {
		return 99
	}
	child := exec.Command(exe, "sleep")
	child.Env = os.Environ()
	if child.Start() != nil || os.WriteFile(filepath.Join(dir, "child"), fmt.Appendln(nil, child.Process.Pid), 0o644) != nil {
		return 99
	}
	<-interrupted
	if s.Hang == "stubborn" {
		time.Sleep(10 * time.Minute)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	os.Stdout.WriteString(`{"@message":"stopping","type":"log"}` + "\n")
	return 1
}

func writeTree(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// waitForText polls until the file has a whole line.
func waitForText(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(data), "\n") {
			return strings.TrimSpace(string(data))
		}
	}
	t.Fatalf("%s was not written", path)
	return ""
}
