package tree

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// killTrees are what the tests below write over each other: no two have the same files, content and handlers.
func killTrees() map[string]Tree {
	return map[string]Tree{
		"none": nil,
		"one": treeOf(owned("generated/terraform/a.tf", "a1"), owned("generated/tables/t/item.go", "t1"),
			once("handlers/h/handler.go", "h1")),
		"two": treeOf(owned("generated/terraform/a.tf", "a2"), owned("generated/terraform/b.tf", "b2"),
			owned("generated/functions/g/main.go", "g2"), once("handlers/g/handler.go", "g2")),
		"three": treeOf(owned("generated/terraform/b.tf", "b3"), once("handlers/h/handler.go", "h3"), once("handlers/g/handler.go", "g3")),
	}
}

// procfs stands for the file systems that refuse to sync a folder.
func TestFolderThatCannotBeSynced(t *testing.T) {
	dir, err := os.OpenRoot("/proc")
	if err != nil {
		t.Skip(err)
	}
	defer dir.Close()
	if err := (&writer{dir: dir, touched: map[string]bool{".": true}}).flush(); err != nil {
		t.Error(err)
	}
}

// TestKilledChild is no test of its own: it is the process that the others kill.
func TestKilledChild(t *testing.T) {
	root := os.Getenv("TREE_TEST_ROOT")
	if root == "" {
		t.Skip("runs as a child of the other tests")
	}
	left, err := strconv.Atoi(os.Getenv("TREE_TEST_STEPS"))
	if err != nil {
		t.Fatal(err)
	}
	c := mustCompare(t, root, killTrees()[os.Getenv("TREE_TEST_TREE")])
	err = Write(root, c, WriteOptions{step: func() {
		if left == 0 {
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				t.Fatal(err)
			}
			_ = self.Kill()
			select {} // the signal is on its way
		}
		left--
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// writeAndDie writes a tree in a process that is killed after so many steps, and reports whether it lived to the end.
func writeAndDie(t *testing.T, root, tree string, steps int) (survived bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "TREE_TEST_ROOT="+root, "TREE_TEST_TREE="+tree, "TREE_TEST_STEPS="+strconv.Itoa(steps))
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == -1 {
		return false
	}
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	return true
}

// cleanDisk is what the two trees give without a killed run between them.
func cleanDisk(t *testing.T, start, tree string) map[string]string {
	t.Helper()
	root := t.TempDir()
	mustWrite(t, root, killTrees()[start])
	mustWrite(t, root, killTrees()[tree])
	return disk(t, root)
}

// finish writes a tree to its end and compares the disk with the clean one. Killed runs may have left handlers, which
// are the user's by then, and nothing else.
func finish(t *testing.T, root string, clean map[string]string, tree string, killed ...string) {
	t.Helper()
	trees := killTrees()
	c := mustCompare(t, root, trees[tree])
	if edited := c.Of(Edited); len(edited) > 0 {
		t.Fatalf("%s is edited, though nobody edited it", edited[0].Path)
	}
	if err := Write(root, c, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if again := mustCompare(t, root, trees[tree]); again.Pending() {
		t.Errorf("still pending: %v", kinds(again))
	}

	got, want := disk(t, root), maps.Clone(clean)
	for _, k := range killed {
		for _, f := range trees[k] {
			if _, there := got[f.Path]; there && f.Once && want[f.Path] != got[f.Path] {
				want[f.Path] = string(f.Data)
				want[filepath.ToSlash(filepath.Dir(f.Path))] = "dir"
				want["handlers"] = "dir"
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("disk (-want +got):\n%s", diff)
	}
}

func TestKillAtEveryStep(t *testing.T) {
	for _, run := range []struct{ start, killed, other string }{{"none", "one", "two"}, {"one", "two", "three"}, {"two", "none", "one"}} {
		t.Run(run.start+" to "+run.killed, func(t *testing.T) {
			t.Parallel()
			clean := map[string]map[string]string{}
			for _, tree := range []string{run.start, run.killed, run.other} {
				clean[tree] = cleanDisk(t, run.start, tree)
			}
			for steps := 0; ; steps++ {
				root := t.TempDir()
				mustWrite(t, root, killTrees()[run.start])
				survived := writeAndDie(t, root, run.killed, steps)
				for _, tree := range []string{run.start, run.killed, run.other} {
					t.Run(fmt.Sprintf("step %d then %s", steps, tree), func(t *testing.T) {
						again := t.TempDir()
						if err := os.CopyFS(again, os.DirFS(root)); err != nil {
							t.Fatal(err)
						}
						finish(t, again, clean[tree], tree, run.killed)
					})
				}
				if survived {
					if steps < 20 {
						t.Errorf("only %d steps: does the writer still report them?", steps)
					}
					return
				}
			}
		})
	}
}

// TestKillAgainAndAgain kills several runs of different trees in a row before one may finish.
func TestKillAgainAndAgain(t *testing.T) {
	names := []string{"none", "one", "two", "three"}
	for seed := range uint64(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 0))
			root := t.TempDir()
			start := names[r.IntN(len(names))]
			mustWrite(t, root, killTrees()[start])
			var killed []string
			for range 4 {
				tree := names[r.IntN(len(names))]
				killed = append(killed, tree)
				writeAndDie(t, root, tree, r.IntN(45))
			}
			last := names[r.IntN(len(names))]
			finish(t, root, cleanDisk(t, start, last), last, killed...)
		})
	}
}

func TestOrphanOfAKilledRunIsNamed(t *testing.T) {
	var root string
	for steps := 0; ; steps++ {
		root = t.TempDir() // what a killed run has done would leave the next too few steps to die at
		if writeAndDie(t, root, "one", steps) {
			t.Fatal("no run was killed after it created the handler and before it wrote the manifest")
		}
		_, handler := disk(t, root)["handlers/h/handler.go"]
		_, manifest := disk(t, root)[LockFile]
		if handler && !manifest {
			break
		}
	}
	if got := kinds(mustCompare(t, root, nil))["handlers/h/handler.go"]; got != Orphan {
		t.Errorf("the handler is %q, want orphan", got)
	}
}
