package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"streamgen/internal/tf"
)

// lockServer keeps a state and its lock for terraform's backend of type http.
type lockServer struct {
	mu   sync.Mutex
	lock string
}

func (s *lockServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Method == "LOCK" && s.lock != "":
		http.Error(w, s.lock, http.StatusLocked)
	case r.Method == "LOCK":
		s.lock = string(body)
	case r.Method == "UNLOCK":
		s.lock = ""
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// swap gives the server another lock, or none, and returns the one before.
func (s *lockServer) swap(lock string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lock, s.lock = s.lock, lock
	return lock
}

// A lock that a backend keeps is released when nobody here can hold it.
func TestUnlockABackend(t *testing.T) {
	path, err := exec.LookPath("terraform")
	if err == nil {
		_, err = tf.Find(t.Context(), tf.FindOptions{Path: path})
	}
	if err != nil {
		t.Skip(err)
	}
	backend := &lockServer{}
	server := httptest.NewServer(backend)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.com/p\n")
	write(t, filepath.Join(dir, specFile), fmt.Sprintf(`version: 1
project: p
region: us-east-1
tables: {orders: {hash_key: Id, attributes: {Id: S}}}
backend: {http: {address: %[1]s, lock_address: %[1]s, unlock_address: %[1]s}}
`, server.URL))
	const locked = `{"ID":"8a3c","Operation":"OperationTypeApply","Who":"ada@elsewhere","Version":"1.11.4","Created":"2024-11-25T19:07:10.1Z"}`
	gen := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, story bytes.Buffer
		if got := Run(t.Context(), append([]string{"unlock", "-C", dir, "--terraform", path}, args...), strings.NewReader(""), &out, &story); got != want {
			t.Fatalf("gen unlock %v: exit code %d, want %d\n%s%s", args, got, want, out.String(), story.String())
		}
		return out.String(), story.String()
	}
	if out, _ := gen(ExitOK); out != "no lock: the state of default is free\n" {
		t.Errorf("got %s", out)
	}
	backend.swap(locked)
	if _, story := gen(ExitInput); !strings.Contains(story, "8a3c") || !strings.Contains(story, "is not seen here") {
		t.Errorf("got %s", story)
	}
	other := flock.New(filepath.Join(dir, workFolder, "default.lock"))
	if ok, err := other.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, story := gen(ExitFailed, "--yes"); !strings.Contains(story, "another gen works in default") {
		t.Errorf("got %s", story)
	}
	if got := backend.swap(locked); got != locked {
		t.Errorf("the lock is %s", got)
	}
	if out, _ := gen(ExitOK, "--yes", "--force"); out != "released the lock 8a3c\n" || backend.swap(locked) != "" {
		t.Errorf("got %s", out)
	}
	if err := other.Unlock(); err != nil {
		t.Fatal(err)
	}
	out, _ := gen(ExitOK, "--yes", "--json", "8a3c")
	var got unlockReport
	if err := json.Unmarshal([]byte(out), &got); err != nil || len(got.Locks) != 1 || got.Locks[0].ID != "8a3c" || !got.Locks[0].Released || backend.swap("") != "" {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestLockText(t *testing.T) {
	at := time.Date(2026, 11, 25, 19, 7, 10, 0, time.UTC)
	for name, c := range map[string]struct {
		lock foundLock
		want []string
	}{
		"runs":      {foundLock{ID: "i", Holder: tf.HolderRunning, Process: 12, Created: at.Add(-time.Minute)}, []string{"of prod is", "ID         i\n", "1m0s ago", "runs, process 12\n"}},
		"elsewhere": {foundLock{Stack: "billing", Who: "ada@there", Holder: tf.HolderUnknown}, []string{"of prod, stack billing is", "it was taken on there\n"}},
		"tricky":    {foundLock{Who: "\x1b[31m", Holder: tf.HolderEnded}, []string{"\ufffd[31m", "has ended"}},
	} {
		got := string(c.lock.text("prod", at))
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q:\n%s", name, want, got)
			}
		}
	}
}
