package host_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/host"
)

// ledger is a journal in memory, and files of packages beside it.
type ledger struct{ functions, files map[string][]byte }

func newLedger() ledger { return ledger{map[string][]byte{}, map[string][]byte{}} }

func (l ledger) Put(name string, function any) {
	text, err := json.Marshal(function)
	if err != nil {
		panic(err)
	}
	l.functions[name] = text
}

func (l ledger) Delete(name string) { delete(l.functions, name) }

func (l ledger) Each(f func(string, []byte) error) error {
	for _, name := range slices.Sorted(maps.Keys(l.functions)) {
		if err := f(name, l.functions[name]); err != nil {
			return err
		}
	}
	return nil
}

// packages are the ledger's files.
type packages struct{ ledger }

func (p packages) Write(name string, data []byte) error { p.files[name] = data; return nil }

func (p packages) Read(name string) ([]byte, error) {
	data, found := p.files[name]
	if !found {
		return nil, fmt.Errorf("reading %s: %w", name, fs.ErrNotExist)
	}
	return data, nil
}

func (p packages) Names() ([]string, error) { return slices.Sorted(maps.Keys(p.files)), nil }

func (p packages) Remove(name string) error { delete(p.files, name); return nil }

func restored(t *testing.T, l ledger) *stack {
	t.Helper()
	s := start(t, nil)
	if err := s.Restore(l, packages{l}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRestoredFunctions(t *testing.T) {
	l := newLedger()
	s := restored(t, l)
	s.create(t, config("echo"))
	other := config("echo")
	other.Name = "other"
	s.create(t, other)
	gone := config("echo")
	gone.Name = "gone"
	s.create(t, gone)
	if len(l.files) != 1 {
		t.Errorf("three functions of one package have %d files", len(l.files))
	}
	fn := host.Ref{Name: "fn"}
	if _, err := s.UpdateConfiguration(fn, "", func(c *host.Config) error { c.MemorySize = 256; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.UpdateTags(fn, func(tags map[string]string) { tags["k"] = "v" }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.UpdateCode(host.Ref{Name: "gone"}, "", "", pack(t, file{"bootstrap", 0o755, []byte("#!/bin/false")})); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(host.Ref{Name: "gone"}); err != nil {
		t.Fatal(err)
	}
	if len(l.files) != 2 {
		t.Errorf("there are %d files of packages", len(l.files))
	}

	again := restored(t, l)
	if diff := cmp.Diff(s.List(), again.List()); diff != "" {
		t.Error(diff)
	}
	if got := again.invoke(t, `{"a":1}`); got.FunctionError != "" {
		t.Errorf("the restored function fails: %s", got.Payload)
	}
	if len(l.files) != 1 {
		t.Errorf("%d files of packages are left for two functions of one", len(l.files))
	}
	// Changes of a restored function are kept as well.
	if _, err := again.UpdateConfiguration(fn, "", func(c *host.Config) error { c.Description = "new"; return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(again.List(), restored(t, l).List()); diff != "" {
		t.Error(diff)
	}
}

func TestRestoreWithoutThePackage(t *testing.T) {
	l := newLedger()
	restored(t, l).create(t, config("echo"))
	clear(l.files)
	err := start(t, nil).Restore(l, packages{l})
	if err == nil || !strings.HasPrefix(err.Error(), "restoring function fn: reading ") {
		t.Errorf("error %v", err)
	}
}
