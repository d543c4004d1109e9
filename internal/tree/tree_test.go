package tree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func owned(path, data string) File { return File{Path: path, Data: []byte(data), Origin: "tables.t"} }

func once(path, data string) File {
	return File{Path: path, Data: []byte(data), Once: true, Origin: "handlers.h"}
}

func treeOf(files ...File) Tree {
	var t Tree
	for _, f := range files {
		t = t.With(f)
	}
	return t
}

func mustCompare(t *testing.T, root string, want Tree) Changes {
	t.Helper()
	c, err := Compare(root, want, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustWrite(t *testing.T, root string, want Tree) Changes {
	t.Helper()
	c := mustCompare(t, root, want)
	if err := Write(root, c, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t *testing.T, root, path, data string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// disk is all that lies under root: content by path, and "dir" for each folder. The folder .gen counts only for what is in it.
func disk(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." || path == ".gen" {
			return err
		}
		if d.IsDir() {
			all[path] = "dir"
			return nil
		}
		data, err := os.ReadFile(filepath.Join(root, path))
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func kinds(c Changes) map[string]Kind {
	m := map[string]Kind{}
	for _, f := range c.Files {
		m[f.Path] = f.Kind
	}
	return m
}

// A test of a handler's first version is made with it, and not beside a handler that was there before.
func TestCompareMakesFilesTogether(t *testing.T) {
	both := func(name string) []File {
		test := once("handlers/"+name+"/handler_test.go", "1")
		test.With = "handlers/" + name + "/handler.go"
		return []File{once(test.With, "1"), test}
	}
	root := t.TempDir()
	mustWrite(t, root, treeOf(once("handlers/older/handler.go", "1")))
	put(t, root, "handlers/foreign/handler.go", "by hand")
	want := treeOf(slices.Concat(both("older"), both("foreign"), both("new"))...)
	c := mustCompare(t, root, want)
	for path, made := range map[string]bool{"handlers/older/handler_test.go": false, "handlers/foreign/handler_test.go": false, "handlers/new/handler_test.go": true} {
		if got := kinds(c)[path] == Create; got != made {
			t.Errorf("%s is made: %t, want %t", path, got, made)
		}
	}

	// A run that came no further than the handler itself is taken up.
	meant, err := encodeJSON(intent{}.with(c.lock))
	if err != nil {
		t.Fatal(err)
	}
	put(t, root, intentFile, string(meant))
	put(t, root, "handlers/new/handler.go", "1")
	if got := kinds(mustCompare(t, root, want)); got["handlers/new/handler_test.go"] != Create || got["handlers/older/handler_test.go"] != Unchanged {
		t.Errorf("after an unfinished run: %v", got)
	}
}

func TestCompareClassifies(t *testing.T) {
	before := treeOf(
		owned("generated/same", "1"), owned("generated/update", "1"), owned("generated/remove", "1"), owned("generated/edited", "1"),
		owned("generated/edited-gone", "1"), owned("generated/missing", "1"), owned("generated/missing-gone", "1"),
		owned("generated/edited-as-wanted", "1"),
		once("handlers/a/handler.go", "1"), once("handlers/orphan/handler.go", "1"), once("handlers/gone/handler.go", "1"),
		once("handlers/split/handler.go", "1"), once("handlers/deleted/handler.go", "1"),
	)
	want := treeOf(
		owned("generated/same", "1"), owned("generated/update", "2"), owned("generated/edited", "2"), owned("generated/missing", "1"),
		owned("generated/edited-as-wanted", "2"), owned("generated/create", "2"), owned("generated/foreign", "2"), owned("generated/foreign-as-wanted", "2"),
		once("handlers/a/handler.go", "2"), once("handlers/new/handler.go", "2"), once("handlers/foreign/handler.go", "2"),
		once("handlers/split/handler.go", "2"), once("handlers/deleted/handler.go", "2"),
	)
	root := t.TempDir()
	mustWrite(t, root, before)
	put(t, root, "generated/edited", "by hand")
	put(t, root, "generated/edited-gone", "by hand")
	put(t, root, "generated/edited-as-wanted", "2")
	put(t, root, "generated/foreign", "by hand")
	put(t, root, "generated/foreign-as-wanted", "2")
	put(t, root, "handlers/a/handler.go", "by hand")
	put(t, root, "handlers/foreign/handler.go", "by hand")
	put(t, root, "handlers/split/one.go", "by hand")
	for _, path := range []string{"generated/missing", "generated/missing-gone", "handlers/gone", "handlers/split/handler.go", "handlers/deleted"} {
		if err := os.RemoveAll(filepath.Join(root, path)); err != nil {
			t.Fatal(err)
		}
	}

	was := disk(t, root)
	c := mustCompare(t, root, want)
	if diff := cmp.Diff(was, disk(t, root)); diff != "" {
		t.Errorf("Compare wrote:\n%s", diff)
	}
	wantKinds := map[string]Kind{
		"generated/same": Unchanged, "generated/update": Update, "generated/remove": Remove,
		"generated/edited": Edited, "generated/edited-gone": Edited, "generated/edited-as-wanted": Unchanged,
		"generated/missing": Create, "generated/create": Create,
		"generated/foreign": Edited, "generated/foreign-as-wanted": Unchanged,
		"handlers/a/handler.go": Unchanged, "handlers/orphan/handler.go": Orphan, "handlers/new/handler.go": Create,
		"handlers/foreign/handler.go": Unchanged, "handlers/split/handler.go": Unchanged, "handlers/deleted/handler.go": Create,
	}
	if diff := cmp.Diff(wantKinds, kinds(c)); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	if got := c.Of(Orphan)[0].Origin; got != "handlers.h" {
		t.Errorf("orphan's origin %q, want handlers.h", got)
	}

	err := Write(root, c, WriteOptions{})
	edited := (*EditedError)(nil)
	if !errors.As(err, &edited) {
		t.Fatalf("Write gave %v, want an EditedError", err)
	}
	if diff := cmp.Diff([]string{"generated/edited", "generated/edited-gone", "generated/foreign"}, edited.Paths); diff != "" {
		t.Errorf("edited paths (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(was, disk(t, root)); diff != "" {
		t.Errorf("a refused Write wrote:\n%s", diff)
	}

	if err := Write(root, c, WriteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	got := disk(t, root)
	if got[LockFile] == "" {
		t.Error("no gen.lock")
	}
	delete(got, LockFile)
	wantDisk := map[string]string{
		"generated": "dir", "generated/same": "1", "generated/update": "2", "generated/edited": "2", "generated/edited-as-wanted": "2",
		"generated/missing": "1", "generated/create": "2", "generated/foreign": "2", "generated/foreign-as-wanted": "2",
		"handlers":   "dir",
		"handlers/a": "dir", "handlers/a/handler.go": "by hand",
		"handlers/orphan": "dir", "handlers/orphan/handler.go": "1",
		"handlers/new": "dir", "handlers/new/handler.go": "2",
		"handlers/foreign": "dir", "handlers/foreign/handler.go": "by hand",
		"handlers/split": "dir", "handlers/split/one.go": "by hand",
		"handlers/deleted": "dir", "handlers/deleted/handler.go": "2",
	}
	if diff := cmp.Diff(wantDisk, got); diff != "" {
		t.Errorf("disk (-want +got):\n%s", diff)
	}
	if again := mustCompare(t, root, want); again.Pending() || len(again.Of(Orphan)) > 0 {
		t.Errorf("a second run still has changes: %v", kinds(again))
	}
}

func TestWriteLeavesEqualBytesAlone(t *testing.T) {
	root := t.TempDir()
	want := treeOf(owned("generated/a", "1"), owned("generated/b", "1"), once("handlers/h/handler.go", "1"))
	mustWrite(t, root, want)
	old := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	paths := []string{"generated/a", "generated/b", "handlers/h/handler.go", LockFile}
	for _, path := range paths {
		if err := os.Chtimes(filepath.Join(root, path), old, old); err != nil {
			t.Fatal(err)
		}
	}
	touched := func() (names []string) {
		for _, path := range paths {
			info, err := os.Stat(filepath.Join(root, path))
			if err != nil {
				t.Fatal(err)
			}
			if !info.ModTime().Equal(old) {
				names = append(names, path)
			}
		}
		return names
	}
	mustWrite(t, root, want)
	if got := touched(); len(got) > 0 {
		t.Errorf("the same tree again touched %v", got)
	}
	mustWrite(t, root, treeOf(owned("generated/a", "1"), owned("generated/b", "2"), once("handlers/h/handler.go", "2")))
	if diff := cmp.Diff([]string{"generated/b", LockFile}, touched()); diff != "" {
		t.Errorf("touched (-want +got):\n%s", diff)
	}
}

func TestLostLockIsWrittenAgain(t *testing.T) {
	root := t.TempDir()
	want := treeOf(owned("generated/a", "1"))
	mustWrite(t, root, want)
	was := disk(t, root)
	if err := os.Remove(filepath.Join(root, LockFile)); err != nil {
		t.Fatal(err)
	}
	if c := mustCompare(t, root, want); !c.Pending() {
		t.Error("a missing gen.lock is no pending change")
	}
	mustWrite(t, root, want)
	if diff := cmp.Diff(was, disk(t, root)); diff != "" {
		t.Errorf("disk (-want +got):\n%s", diff)
	}
}

func TestFoldersGoWithTheirLastFile(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, root, treeOf(owned("generated/a/b/c", "1"), owned("generated/a/d", "1"), owned("generated/e/f", "1")))
	put(t, root, "generated/e/notes.txt", "mine")
	mustWrite(t, root, treeOf(owned("generated/a/d", "1")))
	got := disk(t, root)
	delete(got, LockFile)
	want := map[string]string{
		"generated": "dir", "generated/a": "dir", "generated/a/d": "1", "generated/e": "dir", "generated/e/notes.txt": "mine",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("disk (-want +got):\n%s", diff)
	}
}

func TestRenameThatChangesOnlyCase(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, root, treeOf(owned("generated/Orders/item.go", "1")))
	c := mustWrite(t, root, treeOf(owned("generated/orders/item.go", "2")))
	if len(c.Of(Edited)) > 0 {
		t.Errorf("edited: %v", c.Of(Edited))
	}
	got := disk(t, root)
	if got["generated/orders/item.go"] != "2" {
		t.Errorf("disk %v", got)
	}
}

func TestNothingOutsideTheProject(t *testing.T) {
	for _, path := range []string{"../x", "/x", "a/../../x", "a//b", ".", "", `a\b`, `..\x`, "./a", "a/"} {
		if _, err := Compare(t.TempDir(), Tree{owned(path, "1")}, nil); err == nil {
			t.Errorf("Compare took the path %q", path)
		}
	}
	if _, err := Compare(t.TempDir(), treeOf(owned("a/B", "1"), owned("A/b", "1")), nil); err == nil {
		t.Error("Compare took two paths that some disks hold equal")
	}

	t.Run("lock", func(t *testing.T) {
		root := filepath.Join(t.TempDir(), "project")
		put(t, root, "../precious", "1")
		put(t, root, LockFile, `{"version":1,"files":{"../precious":{"sha256":"`+hash([]byte("1"))+`"}},"created":{}}`)
		if _, err := Compare(root, nil, nil); err == nil || !strings.Contains(err.Error(), "../precious") {
			t.Errorf("Compare gave %v, want an error that names the path", err)
		}
	})
	t.Run("folder link", func(t *testing.T) {
		root, outside := t.TempDir(), t.TempDir()
		link(t, outside, filepath.Join(root, "generated"))
		if _, err := Compare(root, treeOf(owned("generated/a", "1")), nil); err == nil || !strings.Contains(err.Error(), "escapes") {
			t.Errorf("Compare gave %v, want an error about the link", err)
		}
	})
	t.Run("file link", func(t *testing.T) {
		root, outside := t.TempDir(), t.TempDir()
		put(t, outside, "precious", "1")
		put(t, root, "generated/b", "1")
		link(t, filepath.Join(outside, "precious"), filepath.Join(root, "generated", "a"))
		link(t, filepath.Join(outside, "precious"), filepath.Join(root, "generated", ".gen-c.tmp"))
		want := treeOf(owned("generated/a", "2"), owned("generated/c", "2"))
		c := mustCompare(t, root, want)
		if got := kinds(c)["generated/a"]; got != Edited {
			t.Errorf("the link is %s, want edited", got)
		}
		if err := Write(root, c, WriteOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
		if got := disk(t, outside)["precious"]; got != "1" {
			t.Errorf("the file outside is now %q", got)
		}
		if got := disk(t, root); got["generated/a"] != "2" || got["generated/c"] != "2" {
			t.Errorf("disk %v", got)
		}
	})
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestUnreadableManifests(t *testing.T) {
	for name, c := range map[string]struct{ file, data, want string }{
		"merge conflict": {LockFile, "<<<<<<< HEAD\n{}\n", "restore the file, or delete it together with all generated files"},
		"newer":          {LockFile, `{"version":2}`, "this gen knows version 1"},
		"unknown key":    {LockFile, `{"version":1,"extra":1}`, `"extra"`},
		"intent":         {intentFile, `{`, ".gen/tree.json"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			put(t, root, c.file, c.data)
			if _, err := Compare(root, nil, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Compare gave %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestLockFormat(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, root, treeOf(owned("generated/b", "1"), File{Path: "generated/a", Data: []byte("<&>")}, once("handlers/h/handler.go", "1")))
	want := `{
  "version": 1,
  "files": {
    "generated/a": {
      "sha256": "7cbd20bb07f2ddd7d7f5d0d6f1f6b6f1c1b8e0ae8ec4bb9ea0f3d8b5a5ed5c55"
    },
    "generated/b": {
      "origin": "tables.t",
      "sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"
    }
  },
  "created": {
    "handlers/h/handler.go": {
      "origin": "handlers.h"
    }
  }
}
`
	want = strings.ReplaceAll(want, "7cbd20bb07f2ddd7d7f5d0d6f1f6b6f1c1b8e0ae8ec4bb9ea0f3d8b5a5ed5c55", hash([]byte("<&>")))
	if diff := cmp.Diff(want, disk(t, root)[LockFile]); diff != "" {
		t.Errorf("gen.lock (-want +got):\n%s", diff)
	}
}

func TestDiff(t *testing.T) {
	root := t.TempDir()
	mustWrite(t, root, treeOf(owned("generated/gone", "x\n"), owned("generated/same", "x\n"), owned("generated/update", "1\n2\n3\n4\n5\n6\n7\n8\n9\n")))
	c := mustCompare(t, root, treeOf(
		owned("generated/same", "x\n"), owned("generated/update", "1\n2\n3\n4\n5\nsix\n7\n8\n9\n"),
		owned("generated/new", "no end"), once("handlers/h/handler.go", "start\n")))
	var got bytes.Buffer
	if err := c.Diff(&got); err != nil {
		t.Fatal(err)
	}
	want := `--- a/generated/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
--- /dev/null
+++ b/generated/new
@@ -0,0 +1 @@
+no end
\ No newline at end of file
--- a/generated/update
+++ b/generated/update
@@ -3,7 +3,7 @@
 3
 4
 5
-6
+six
 7
 8
 9
--- /dev/null
+++ b/handlers/h/handler.go
@@ -0,0 +1 @@
+start
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	got.Reset()
	mustWrite(t, root, treeOf())
	if err := mustCompare(t, root, treeOf()).Diff(&got); err != nil || got.Len() > 0 {
		t.Errorf("no changes gave %q, %v", got.String(), err)
	}
}

// A power cut can leave a file that has its name and not its content: an unfinished run's is gen's own.
func TestPowerCut(t *testing.T) {
	for content, want := range map[string]Kind{"": Update, "\x00\x00\x00": Update, "x": Edited} {
		root := t.TempDir()
		tree := treeOf(owned("generated/a", "1"), owned("generated/b", "2"))
		put(t, root, intentFile, `{"version":1,"files":{"generated/a":["`+hash([]byte("1"))+`"]},"created":{}}`)
		put(t, root, "generated/a", content)
		put(t, root, "generated/b", content)
		got := kinds(mustCompare(t, root, tree))
		if got["generated/a"] != want || got["generated/b"] != Edited {
			t.Errorf("%q: %v", content, got)
		}
	}
}

// Many files are written at the same time.
func TestManyFiles(t *testing.T) {
	root := t.TempDir()
	var tree Tree
	for i := range 500 {
		tree = append(tree, owned(fmt.Sprintf("generated/%03d/%d", i/3, i%3), fmt.Sprint(i)))
	}
	mustWrite(t, root, tree)
	if again := mustCompare(t, root, tree); again.Pending() {
		t.Error("still pending")
	}
	mustWrite(t, root, tree[250:])
	if again := mustCompare(t, root, tree[250:]); again.Pending() || len(kinds(again)) != 250 {
		t.Errorf("%d on disk", len(disk(t, root)))
	}
}
