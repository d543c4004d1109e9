package tree

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSeen(t *testing.T) {
	const key = "k"
	want := treeOf(owned("generated/a", "1"), owned("generated/b", "2"), once("handlers/h", "3"))
	for name, c := range map[string]struct {
		change func(t *testing.T, root string)
		key    string
		want   bool
	}{
		"nothing":      {func(*testing.T, string) {}, key, true},
		"other inputs": {func(*testing.T, string) {}, "l", false},
		"edited":       {func(t *testing.T, root string) { t.Helper(); put(t, root, "generated/a", "x") }, key, false},
		"the user's":   {func(t *testing.T, root string) { t.Helper(); put(t, root, "handlers/h", "mine") }, key, true},
		"removed":      {func(t *testing.T, root string) { t.Helper(); remove(t, root, "generated/b") }, key, false},
		"user removed": {func(t *testing.T, root string) { t.Helper(); remove(t, root, "handlers/h") }, key, false},
		"a link": {func(t *testing.T, root string) {
			t.Helper()
			remove(t, root, "generated/b")
			if err := os.Symlink("a", filepath.Join(root, "generated", "b")); err != nil {
				t.Skip(err)
			}
		}, key, false},
		"unfinished": {func(t *testing.T, root string) { t.Helper(); put(t, root, intentFile, "{}") }, key, false},
		"broken":     {func(t *testing.T, root string) { t.Helper(); put(t, root, seenFile, "{") }, key, false},
		"no note":    {func(t *testing.T, root string) { t.Helper(); remove(t, root, seenFile) }, key, false},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			changes := mustWrite(t, root, want)
			settle(t, root, changes)
			if err := Remember(root, changes, key); err != nil {
				t.Fatal(err)
			}
			c.change(t, root)
			if n, got := Seen(root, c.key); got != c.want || got && n != 3 {
				t.Errorf("unchanged is %v, of %d files", got, n)
			}
		})
	}
}

// A file that was written just before it was looked at may be written again within the same tick of the clock.
func TestRacyFilesAreNotTrusted(t *testing.T) {
	root := t.TempDir()
	changes := mustWrite(t, root, treeOf(owned("generated/a", "1")))
	later := time.Now().Add(time.Hour) // whatever the clock's tick is
	if err := os.Chtimes(filepath.Join(root, "generated", "a"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := Remember(root, changes, "k"); err != nil {
		t.Fatal(err)
	}
	if _, yes := Seen(root, "k"); yes {
		t.Error("trusted")
	}
}

// settle makes files old enough to be trusted: only waiting gives them an older change time.
func settle(t *testing.T, root string, c Changes) {
	t.Helper()
	deadline := time.Now().Add(10 * tick)
	for time.Now().Before(deadline) {
		if err := Remember(root, c, "settled"); err != nil {
			t.Fatal(err)
		}
		if _, yes := Seen(root, "settled"); yes {
			return
		}
	}
	t.Fatal("never trusted")
}

func remove(t *testing.T, root, path string) {
	t.Helper()
	if err := os.Remove(filepath.Join(root, filepath.FromSlash(path))); err != nil {
		t.Fatal(err)
	}
}
