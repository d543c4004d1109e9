package tf

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// treeOf reads all files below a folder.
func treeOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestStageMirrorsTheSource(t *testing.T) {
	tf := newFake(t).open(func(o *Options) { o.StateFile = "../state/local.tfstate" })
	writeTree(t, tf.Source, map[string]string{
		"table.tf": "# one\n", "vars.tf.json": "{}", "sub/policy.json": "{}", "sub/deep/x.txt": "x",
		// What a terraform that someone ran by hand leaves.
		".terraform/providers/p": "huge", ".terraform.lock.hcl": "theirs", "terraform.tfstate": "theirs", "terraform.tfstate.backup": "theirs",
	})
	kept := map[string]string{".terraform/providers/p": "ours", ".terraform.lock.hcl": "ours", "terraform.tfstate": "ours", "notes.tf": "the user's"}
	writeTree(t, tf.WorkDir, kept)
	if err := tf.Stage(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"main.tf": "terraform {}\n", "table.tf": "# one\n", "vars.tf.json": "{}", "sub/policy.json": "{}", "sub/deep/x.txt": "x",
		backendFile: "terraform {\n  backend \"local\" {\n    path = \"../state/local.tfstate\"\n  }\n}\n",
	}
	for name, text := range kept {
		want[name] = text
	}
	check := func() {
		t.Helper()
		got := treeOf(t, tf.WorkDir)
		delete(got, stagedFile)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	check()
	if info, err := os.Stat(filepath.Join(tf.WorkDir, "../state")); err != nil || !info.IsDir() {
		t.Errorf("the folder of the state is not there: %v", err)
	}

	// A second time: what is equal is not touched, what is gone goes, what changed is changed.
	old := time.Now().Add(-time.Hour).Truncate(time.Second)
	if err := os.Chtimes(tf.path("main.tf"), old, old); err != nil {
		t.Fatal(err)
	}
	writeTree(t, tf.Source, map[string]string{"table.tf": "# two\n"})
	if err := os.RemoveAll(filepath.Join(tf.Source, "sub")); err != nil {
		t.Fatal(err)
	}
	if err := tf.Stage(); err != nil {
		t.Fatal(err)
	}
	want["table.tf"] = "# two\n"
	delete(want, "sub/policy.json")
	delete(want, "sub/deep/x.txt")
	check()
	if info, err := os.Stat(tf.path("main.tf")); err != nil || !info.ModTime().Equal(old) {
		t.Error("an equal file was written again")
	}
	if _, err := os.Stat(tf.path("sub")); !os.IsNotExist(err) {
		t.Errorf("the emptied folder stays: %v", err)
	}

	// Without a state file the configuration's own backend stands.
	tf.StateFile = ""
	if err := tf.Stage(); err != nil {
		t.Fatal(err)
	}
	delete(want, backendFile)
	check()
}

// Where case does not tell names apart, a copy that goes after its successor came would take the successor with it.
func TestStageRemovesBeforeItWrites(t *testing.T) {
	tf := newFake(t).open(nil)
	for _, sources := range []map[string]string{{"policy": "a file"}, {"policy/a": "in a folder"}, {"policy": "a file again"}} {
		if err := os.RemoveAll(tf.Source); err != nil {
			t.Fatal(err)
		}
		writeTree(t, tf.Source, sources)
		if err := tf.Stage(); err != nil {
			t.Fatal(err)
		}
		got := treeOf(t, tf.WorkDir)
		delete(got, stagedFile)
		if !reflect.DeepEqual(got, sources) {
			t.Errorf("got %q, want %q", got, sources)
		}
	}
}

func TestStageEscapesTheStatePath(t *testing.T) {
	tf := newFake(t).open(func(o *Options) { o.StateFile = `a"${b}.tfstate` })
	if err := tf.Stage(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(tf.path(backendFile))
	if err != nil || !strings.Contains(string(data), `path = "a\"$${b}.tfstate"`) {
		t.Errorf("got %s (%v)", data, err)
	}
}

func TestStageRefuses(t *testing.T) {
	tests := map[string]func(t *testing.T, source string){
		"a name of ours": func(t *testing.T, source string) { writeTree(t, source, map[string]string{backendFile: ""}) },
		"a name that OpenTofu reads in place of ours": func(t *testing.T, source string) {
			writeTree(t, source, map[string]string{"backend_override.tofu": ""})
		},
		"a folder of ours": func(t *testing.T, source string) {
			writeTree(t, source, map[string]string{"log/x": ""})
		},
		"a symbolic link": func(t *testing.T, source string) {
			if err := os.Symlink("/etc", filepath.Join(source, "link")); err != nil {
				t.Skip(err)
			}
		},
		"an empty folder": func(t *testing.T, source string) {
			if err := os.Remove(filepath.Join(source, "main.tf")); err != nil {
				t.Fatal(err)
			}
		},
		"no folder": func(t *testing.T, source string) {
			if err := os.RemoveAll(source); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			tf := newFake(t).open(nil)
			spoil(t, tf.Source)
			if err := tf.Stage(); err == nil {
				t.Error("accepted")
			}
		})
	}
}
