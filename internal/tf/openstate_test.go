package tf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const lockText = `Error: Error acquiring the state lock

Error message: operation error S3: PutObject, PreconditionFailed
Lock Info:
  ID:        8a3c
  Path:      bucket/key
  Operation: OperationTypeApply
  Who:       ada@host.example
  Version:   1.11.4
  Created:   2026-11-25 19:07:10.129089982 +0000 UTC
  Info:      nightly: all


Terraform acquires a state lock to protect the state from being written
Who:  nobody
`

var lockParsed = Lock{
	ID: "8a3c", Path: "bucket/key", Operation: "OperationTypeApply", Who: "ada@host.example", Version: "1.11.4",
	Created: time.Date(2026, 11, 25, 19, 7, 10, 129089982, time.UTC), Info: "nightly: all",
}

func TestLockOf(t *testing.T) {
	detail := strings.TrimPrefix(lockText, "Error: Error acquiring the state lock\n\n")
	for name, err := range map[string]error{
		"diagnostic": fmt.Errorf("x: %w", &Error{Err: errors.New("exit code 1"), Diagnostics: []Diagnostic{{Summary: "Other"}, {Detail: detail}}}),
		"text":       &Error{Err: errors.New("exit code 1: " + lockText)},
	} {
		got, found := LockOf(err)
		got.Created = got.Created.UTC()
		if !found || got != lockParsed {
			t.Errorf("%s: got %+v, %v", name, got, found)
		}
	}
	for name, err := range map[string]error{
		"no error": nil, "another": io.EOF, "no lock": &Error{Err: errors.New("exit code 1")},
		"no ID": &Error{Err: errors.New("exit code 1: Lock Info:\n  Who: x")},
	} {
		if got, found := LockOf(err); found {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if got, found := parseLock("Error message: HTTP remote state already locked: ID=x\n" + lockText); !found || got != (Lock{ID: "x", Path: "bucket/key"}) {
		t.Errorf("got %+v, %v", got, found)
	}
	if got, found := parseLock("Lock Info:\n  ID: x\n  Created: yesterday\n"); !found || got != (Lock{ID: "x"}) {
		t.Errorf("got %+v, %v", got, found)
	}
}

// The folder is connected once, and again for another backend. The configuration is not looked at.
func TestOpenState(t *testing.T) {
	f := newFake(t).on("init", scene{})
	o := f.open(func(o *Options) {
		o.StateFile, o.VarFile, o.Vars = "state/x.tfstate", "e.tfvars", map[string]string{"a": "1"}
	}).Options
	o.Source = "/there/is/none"
	open := func() *State {
		t.Helper()
		s, err := OpenState(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	if got, err := s.Output(t.Context()); len(got) != 0 || err != nil {
		t.Errorf("before the first apply: %v, %v", got, err)
	}
	state := `{"version":4,"outputs":{"a":{"value":"1","type":"string"},"b":{"value":2,"type":"number","sensitive":true}},"resources":[]}`
	if err := errors.Join(os.MkdirAll(filepath.Dir(s.file), 0o755), os.WriteFile(s.file, []byte(state), 0o600)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Output(t.Context())
	want := map[string]Output{"a": {Value: json.RawMessage(`"1"`)}, "b": {Value: json.RawMessage("2"), Sensitive: true}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	backend, err := os.ReadFile(s.terraform.path(backendFile))
	if err != nil || !strings.Contains(string(backend), `path = "../local/state/x.tfstate"`) {
		t.Errorf("the backend is %s, %v", backend, err)
	}
	open()
	inits := func() (n int) {
		for _, call := range f.calls() {
			if strings.HasPrefix(call, "init ") {
				n++
			}
		}
		return n
	}
	if inits() != 1 {
		t.Errorf("called %q", f.calls())
	}
	o.Backend = Backend{Type: "local", Arguments: []BackendArgument{{"path", "state/x.tfstate"}}}
	open() // it is the same
	if inits() != 1 {
		t.Errorf("called %q", f.calls())
	}
	o.Backend = Backend{Type: "s3", Arguments: []BackendArgument{{"key", "k"}}}
	open()
	if inits() != 2 {
		t.Errorf("called %q", f.calls())
	}
	f.on("init", scene{Code: 1}, scene{})
	o.Backend.Arguments[0].Value = "l"
	if _, err := OpenState(t.Context(), o); err == nil {
		t.Error("a failed init is not told")
	}
	open()
	if inits() != 4 {
		t.Errorf("called %q", f.calls())
	}
	if _, err := OpenState(t.Context(), Options{WorkDir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "Backend") {
		t.Errorf("without a backend: %v", err)
	}
}

func TestStateFileOfTheLocalBackend(t *testing.T) {
	for _, c := range []struct {
		arguments []BackendArgument
		want      string
	}{
		{nil, "terraform.tfstate"},
		{[]BackendArgument{{"workspace_dir", "w"}, {"path", "../../x"}}, "../../x"},
	} {
		if got, is := stateFile(Options{StateFile: "unused", Backend: Backend{Type: "local", Arguments: c.arguments}}); got != c.want || !is {
			t.Errorf("got %q, %v, want %q", got, is, c.want)
		}
	}
}

func TestRemoteLockWithoutALock(t *testing.T) {
	for name, c := range map[string]struct {
		scene scene
		fails string
	}{
		"free":     {scene{Stdout: "Would have removed nothing.\n"}, ""},
		"no state": {scene{Code: 1, Stderr: "No state file was found!\n"}, ""},
		"broken":   {scene{Code: 1, Stderr: "Error: access denied\n"}, "access denied"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t).on("init", scene{}).on("state", c.scene)
			s, err := OpenState(t.Context(), f.open(func(o *Options) { o.Backend = Backend{Type: "http"} }).Options)
			if err != nil {
				t.Fatal(err)
			}
			l, found, err := s.Lock(t.Context())
			if found || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("got %+v, %v, %v", l, found, err)
			}
		})
	}
}

func TestLockOnAFile(t *testing.T) {
	s := &State{file: filepath.Join(t.TempDir(), "x.tfstate")}
	if l, found, err := s.Lock(t.Context()); found || err != nil {
		t.Errorf("without a state: %+v, %v, %v", l, found, err)
	}
	writeTree(t, filepath.Dir(s.file), map[string]string{"x.tfstate": "{}", ".x.tfstate.lock.info": `{"ID":"8a3c","Who":"ada@host","Created":"2026-11-25T19:07:10.1Z"}`})
	l, found, err := s.Lock(t.Context())
	want := HeldLock{Lock: Lock{ID: "8a3c", Who: "ada@host", Created: time.Date(2026, 11, 25, 19, 7, 10, 1e8, time.UTC)}, Holder: HolderEnded}
	if !found || err != nil || l != want {
		t.Errorf("got %+v, %v, %v", l, found, err)
	}
	if err := s.Unlock(t.Context(), l); err != nil {
		t.Error(err)
	}
	if l, found, err := s.Lock(t.Context()); found || err != nil {
		t.Errorf("after Unlock: %+v, %v, %v", l, found, err)
	}
	writeTree(t, filepath.Dir(s.file), map[string]string{".x.tfstate.lock.info": `{`})
	if _, _, err := s.Lock(t.Context()); err == nil {
		t.Error("half a note is not told of")
	}
}

// TestRealLockOnAFile looks at the lock of an apply that runs, and at what is left when it was killed.
func TestRealLockOnAFile(t *testing.T) {
	t.Parallel()
	eachBinary(t, testLockOnAFile)
}

func testLockOnAFile(t *testing.T, b Binary) {
	tf, pidFile := openSlow(t, b)
	p := mustPlan(t, tf, PlanOptions{})
	done := make(chan error, 1)
	go func() { _, err := tf.Apply(t.Context(), p); done <- err }()
	waitForText(t, pidFile)
	s, err := OpenState(t.Context(), tf.Options)
	if err != nil {
		t.Fatal(err)
	}
	l, found, err := s.Lock(t.Context())
	if err != nil || !found || l.Holder != HolderRunning || l.Operation != "OperationTypeApply" || l.Who == "" || time.Since(l.Created) > time.Hour {
		t.Errorf("got %+v, %v, %v", l, found, err)
	}
	if running := processesIn(tf.WorkDir, tf.Binary.Path); len(running) > 0 && !slices.Contains(running, l.Process) {
		t.Errorf("the holder is %d, and these run: %v", l.Process, running)
	}
	if err := s.Unlock(t.Context(), l); err == nil || !strings.Contains(err.Error(), strconv.Itoa(l.Process)) {
		t.Errorf("a lock that is held was released: %v", err)
	}
	tf.Kill()
	<-done
	held := l
	if l, found, err = s.Lock(t.Context()); err != nil || !found || l.Holder != HolderEnded || l.Lock != held.Lock {
		t.Errorf("got %+v, %v, %v; it was %+v", l, found, err, held)
	}
	if err := s.Unlock(t.Context(), l); err != nil {
		t.Error(err)
	}
	if l, found, err = s.Lock(t.Context()); err != nil || found {
		t.Errorf("got %+v, %v, %v", l, found, err)
	}
}

// lockServer is a backend of type http: https://developer.hashicorp.com/terraform/language/backend/http
type lockServer struct {
	mu          sync.Mutex
	state, lock []byte
}

func (s *lockServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Method == "LOCK" && s.lock != nil:
		w.WriteHeader(http.StatusLocked)
		_, _ = w.Write(s.lock)
	case r.Method == "LOCK":
		s.lock = body
	case r.Method == "UNLOCK":
		s.lock = nil
	case r.Method == http.MethodPost:
		s.state = body
	case s.state == nil:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write(s.state)
	}
}

// set gives the server a state, or a lock.
func (s *lockServer) set(to *[]byte, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*to = []byte(text)
}

func (s *lockServer) locked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lock != nil
}

func TestRealLockOfABackend(t *testing.T) {
	t.Parallel()
	eachBinary(t, testLockOfABackend)
}

func testLockOfABackend(t *testing.T, b Binary) {
	o := realOptions(t, b, "not even a configuration")
	backend := &lockServer{}
	server := httptest.NewServer(backend)
	t.Cleanup(server.Close)
	o.Backend = Backend{Type: "http", Arguments: []BackendArgument{
		{"address", server.URL}, {"lock_address", server.URL}, {"unlock_address", server.URL},
	}}
	s, err := OpenState(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	lock := func(held bool) HeldLock {
		t.Helper()
		l, found, err := s.Lock(t.Context())
		if found != held || err != nil {
			t.Fatalf("got %+v, %v, %v", l, found, err)
		}
		return l
	}
	lock(false)
	backend.set(&backend.state, `{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {"a": {"value": "1", "type": "string"}}, "resources": [
		{"mode": "managed", "type": "nowhere_thing", "name": "a", "provider": "provider[\"registry.terraform.io/nobody/nowhere\"]", "instances": [{"attributes": {}}]}]}`)
	// A folder that is connected anew comes along without the provider, too.
	o.Backend.Arguments = append(o.Backend.Arguments, BackendArgument{"retry_max", 1})
	if s, err = OpenState(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	lock(false)
	if backend.locked() {
		t.Fatal("looking for a lock left one")
	}
	outputs, err := s.Output(t.Context())
	if err != nil || string(outputs["a"].Value) != `"1"` {
		t.Errorf("got %v, %v", outputs, err)
	}
	backend.set(&backend.lock, `{"ID":"8a3c","Operation":"OperationTypeApply","Info":"","Who":"ada@host","Version":"1.11.4","Created":"2026-11-25T19:07:10.1Z","Path":""}`)
	l := lock(true)
	// Of such a lock terraform tells the id alone, OpenTofu everything.
	if l.ID != "8a3c" || l.Holder != HolderUnknown {
		t.Errorf("got %+v", l)
	}
	if err := s.Unlock(t.Context(), l); err != nil || backend.locked() {
		t.Errorf("got %v, locked %v", err, backend.locked())
	}
	lock(false)
}
