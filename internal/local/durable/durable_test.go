package durable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// state is what a folder holds: values by space and key.
type state map[string]map[string]string

func (s state) clone() state {
	c := state{}
	for name, space := range s {
		c[name] = maps.Clone(space)
	}
	return c
}

func (s state) equal(other state) bool {
	return maps.EqualFunc(s, other, maps.Equal[map[string]string])
}

func mustOpen(t testing.TB, dir string) *Folder {
	t.Helper()
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func contents(t testing.TB, f *Folder) state {
	t.Helper()
	all := state{}
	for _, name := range f.Spaces("") {
		all[name] = map[string]string{}
		last := ""
		err := f.Space(name).Each(func(key string, value []byte) error {
			if key <= last && len(all[name]) > 0 {
				return fmt.Errorf("%q comes after %q", key, last)
			}
			last = key
			all[name][key] = string(value)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func wait(t testing.TB, f *Folder) {
	t.Helper()
	if err := f.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// mutate makes a transaction of random changes, of the folder and of its model.
func mutate(r *rand.Rand, f *Folder, model state) {
	defer f.Begin()()
	for range 1 + r.IntN(5) {
		name, key := fmt.Sprintf("space%d", r.IntN(3)), fmt.Sprintf("key%02d", r.IntN(40))
		space := f.Space(name)
		switch n := r.IntN(20); {
		case n == 0:
			space.Clear()
			delete(model, name)
		case n < 6:
			space.Delete(key)
			if delete(model[name], key); len(model[name]) == 0 {
				delete(model, name)
			}
		default:
			value := bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(100))
			space.PutBytes(key, value)
			if model[name] == nil {
				model[name] = map[string]string{}
			}
			model[name][key] = string(value)
		}
	}
}

// A log that a crash cut off at any byte of what was not durable yet, or left rubbish at its end, is the state after some transaction,
// and no earlier one than the last that was waited for.
func TestCrashLeavesAPrefix(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		dir := t.TempDir()
		f := mustOpen(t, dir)
		f.log.above = int64(r.IntN(20_000)) // some of them are written anew
		model := state{}
		history := []state{model.clone()}
		path := filepath.Join(dir, "log")
		stat := func() os.FileInfo {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		acknowledged, safe, file := 0, f.log.end, stat()
		for range 1 + r.IntN(120) {
			mutate(r, f, model)
			history = append(history, model.clone())
			if r.IntN(8) == 0 {
				wait(t, f)
				acknowledged, safe, file = len(history)-1, f.log.end, stat()
			}
		}
		wait(t, f) // so that all is in the file; what came after the last wait above was not acknowledged
		if got := contents(t, f); !got.equal(model) {
			t.Fatalf("seed %d: the folder holds %v, want %v", seed, got, model)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !os.SameFile(file, stat()) { // it was written anew, and synced before it got its name
			acknowledged, safe = len(history)-1, int64(len(data))
		}
		data = data[:safe+r.Int64N(int64(len(data))-safe+1)]
		switch r.IntN(3) {
		case 0:
			data = append(data, make([]byte, r.IntN(5000))...) // a file that grew before its content was on the disk
		case 1:
			for range r.IntN(50) {
				data = append(data, byte(r.IntN(256)))
			}
		}
		got := contents(t, reopen(t, data))
		i := slices.IndexFunc(history[acknowledged:], got.equal)
		if i < 0 {
			t.Fatalf("seed %d: after the crash the folder holds %v, which it never did since it was waited for", seed, got)
		}
	}
}

// reopen opens a folder with this log, changes it and opens it again.
func reopen(t *testing.T, data []byte) *Folder {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "log"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	f := mustOpen(t, dir)
	before := contents(t, f)
	f.Space("more").PutBytes("k", []byte("v"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = mustOpen(t, dir)
	got := contents(t, f)
	if got["more"]["k"] != "v" {
		t.Error("what was written after the crash is lost")
	}
	delete(got, "more")
	if !got.equal(before) {
		t.Errorf("the folder holds %v, before it was opened again %v", got, before)
	}
	f.Space("more").Clear()
	wait(t, f)
	return f
}

// A folder that is copied while it is written to, as a killed process leaves it, has each transaction whole and all that was
// acknowledged before.
func TestKilledWhileWriting(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	var mu sync.Mutex
	var n int
	var acknowledged atomic.Int64
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				end := f.Begin()
				mu.Lock()
				n++
				mine := n
				f.Space("a").Put("n", mine)
				f.Space("b").Put("n", mine)
				mu.Unlock()
				end()
				if err := f.Wait(t.Context()); err != nil {
					t.Error(err)
					return
				}
				for old := acknowledged.Load(); old < int64(mine) && !acknowledged.CompareAndSwap(old, int64(mine)); old = acknowledged.Load() {
				}
			}
		})
	}
	for range 20 {
		for before := acknowledged.Load(); acknowledged.Load() < before+20 && !t.Failed(); {
			wait(t, f)
		}
		least := acknowledged.Load()
		data, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		got := contents(t, reopen(t, data))
		var a int64
		if err := json.Unmarshal([]byte(got["a"]["n"]), &a); err != nil {
			t.Fatal(err)
		}
		if got["a"]["n"] != got["b"]["n"] || a < least {
			t.Fatalf("a is %s and b %s; %d was acknowledged", got["a"]["n"], got["b"]["n"], least)
		}
	}
	close(stop)
	writers.Wait()
}

func TestLogStaysSmall(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	f.log.above = 10_000
	r := rand.New(rand.NewPCG(1, 1))
	model := state{}
	largest := int64(0)
	for range 2000 {
		mutate(r, f, model)
		wait(t, f)
		f.log.above = min(f.log.above, 10_000)
		largest = max(largest, f.log.end)
	}
	if largest > 25_000 {
		t.Errorf("the log grew to %d bytes", largest)
	}
	if err := os.WriteFile(filepath.Join(dir, "log.new"), []byte("a log that was being written"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, mustOpen(t, dir)); !got.equal(model) {
		t.Errorf("got %v, want %v", got, model)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	for range 3 {
		f.Space("s").Put("k", strings.Repeat("x", 100))
		wait(t, f)
	}
	_, err := Open(dir)
	expect(t, err, fmt.Sprintf("process %d has it open", os.Getpid()))

	data, err := os.ReadFile(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := slices.Clone(data)
	damaged[len(data)/2] ^= 1
	for want, log := range map[string][]byte{
		"the log is damaged between bytes":                              damaged,
		"a newer version wrote it, in format 2; this one knows up to 1": bytes.Replace(data, []byte("format 1\n"), []byte("format 2\n"), 1),
		"its log is none of the local stack's":                          []byte("SQLite format 3\x00"),
	} {
		other := t.TempDir()
		if err := os.WriteFile(filepath.Join(other, "log"), log, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(other)
		expect(t, err, want)
		_, err = Open(other) // the lock is free again
		expect(t, err, want)
		if after, err := os.ReadFile(filepath.Join(other, "log")); err != nil || !bytes.Equal(after, log) {
			t.Errorf("%s: the log was changed (%v)", want, err)
		}
	}
	project := t.TempDir()
	if err := os.WriteFile(filepath.Join(project, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(project)
	expect(t, err, "it holds go.mod and is no data folder")
	if left, err := os.ReadDir(project); len(left) != 1 || err != nil {
		t.Errorf("the refused folder has %v, %v", left, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(file)
	expect(t, err, file)
	if runtime.GOOS == "windows" {
		return
	}
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o777); err != nil { //nolint:gosec // which is what is refused
		t.Fatal(err)
	}
	_, err = Open(shared)
	expect(t, err, "every user of this machine may write to it")
}

func expect(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

// What cannot be written is never acknowledged, nor is anything after it.
func TestDiskFails(t *testing.T) {
	f, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f.Space("s").Put("before", 1)
	wait(t, f)
	full := errors.New("no space left on device")
	f.logMu.Lock()
	f.sync = func(*os.File) error { return full }
	f.logMu.Unlock()
	f.Space("s").Put("k", 1)
	if err := f.Wait(t.Context()); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	f.logMu.Lock()
	f.sync = (*os.File).Sync
	f.logMu.Unlock()
	f.Space("s").Put("k", 2)
	if err := f.Wait(t.Context()); !errors.Is(err, full) {
		t.Errorf("error %v of a later change", err)
	}
	if err := f.Close(); !errors.Is(err, full) {
		t.Errorf("error %v of Close", err)
	}
}

func TestClose(t *testing.T) {
	dir := t.TempDir()
	f := mustOpen(t, dir)
	f.Space("s").Put("k", 1)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(t.Context()); err != nil {
		t.Errorf("what was pending is not durable: %v", err)
	}
	f.Space("s").Put("k", 2)
	if err := f.Wait(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v of a change after Close", err)
	}
	if got := contents(t, mustOpen(t, dir)); got["s"]["k"] != "1" {
		t.Errorf("got %v", got)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	f := mustOpen(t, t.TempDir())
	end := f.Begin()
	f.Space("s").Put("k", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("in the middle of a transaction: %v", err)
	}
	end()
	wait(t, f)
}

func TestFiles(t *testing.T) {
	files := mustOpen(t, t.TempDir()).Files("functions/eu-west-1")
	if names, err := files.Names(); len(names) > 0 || err != nil {
		t.Errorf("%v, %v", names, err)
	}
	for _, content := range []string{"old", "new"} {
		if err := files.Write("x.zip", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := files.Read("x.zip"); err != nil || string(got) != content {
			t.Errorf("%s, %v", got, err)
		}
	}
	if err := os.WriteFile(filepath.Join(files.dir, "y.zip.new"), []byte("cut o"), 0o600); err != nil {
		t.Fatal(err)
	}
	if names, err := files.Names(); !slices.Equal(names, []string{"x.zip"}) || err != nil {
		t.Errorf("%v, %v", names, err)
	}
	if err := files.Remove("x.zip"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(files.dir); len(left) > 0 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
}

// Writers side by side, each of which waits for its own write of 1 KB with 2 KB beside it, with and without the sync.
func BenchmarkWait(b *testing.B) {
	value := bytes.Repeat([]byte("v"), 1024)
	for _, synced := range []bool{true, false} {
		for _, writers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("sync=%t/writers=%d", synced, writers), func(b *testing.B) {
				f := mustOpen(b, b.TempDir())
				if !synced {
					f.sync = func(*os.File) error { return nil }
				}
				var next atomic.Int64
				var all sync.WaitGroup
				b.ResetTimer()
				for range writers {
					all.Go(func() {
						for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
							end := f.Begin()
							f.Space("items").PutBytes(fmt.Sprint(i%10_000), value)
							f.Space("records").PutBytes(fmt.Sprint(i), slices.Concat(value, value))
							end()
							wait(b, f)
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			})
		}
	}
}
