package tf

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestInitRunsWhenItMust(t *testing.T) {
	rc := filepath.Join(t.TempDir(), "terraform.rc")
	f := newFake(t).on("init", scene{})
	tf := f.open(func(o *Options) { o.StateFile = "terraform.tfstate"; o.Env["TF_CLI_CONFIG_FILE"] = rc })
	link := tf.path(dataDir, "providers", "registry.terraform.io", "hashicorp", "aws", "6.34.0", "linux_amd64")
	writeTree(t, tf.WorkDir, map[string]string{lockFile: "aws 6.34"})
	writeTree(t, link, map[string]string{"provider": ""})
	versions := "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\", version = \"6.34.0\" }\n  }\n}\n"
	const fresh, upgrade, none = "init -json -input=false", "init -json -input=false -upgrade", ""
	steps := []struct {
		name string
		do   func()
		want string
	}{
		// A lock file without a record of what it is for may be of an init that was killed.
		{"the first time", func() {}, upgrade},
		{"the second time", func() {}, none},
		{"a resource of another provider", func() {
			writeTree(t, tf.Source, map[string]string{"a.tf": "resource \"terraform_data\" \"a\" {}\n"})
		}, upgrade},
		{"another such resource", func() {
			writeTree(t, tf.Source, map[string]string{"a.tf": "resource \"terraform_data\" \"a\" {}\n\nresource \"terraform_data\" \"b\" {}\n"})
		}, none},
		{"required_providers", func() { writeTree(t, tf.Source, map[string]string{"main.tf": versions}) }, upgrade},
		{"a comment beside it", func() { writeTree(t, tf.Source, map[string]string{"main.tf": "# why\n" + versions}) }, none},
		{"a module", func() {
			writeTree(t, tf.Source, map[string]string{"m.tf": "module \"m\" {\n  source = \"./sub\"\n}\n"})
		}, fresh},
		{"the state file", func() { tf.StateFile = "other.tfstate" }, fresh},
		{"the CLI configuration", func() {
			if err := os.WriteFile(rc, []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, fresh},
		{"the version", func() { tf.Binary.Version = "1.12.0" }, fresh},
		{"the product", func() { tf.Binary.Product = ProductOpenTofu }, upgrade},
		{"a file of OpenTofu's", func() { writeTree(t, tf.Source, map[string]string{"b.tofu": "resource \"random_id\" \"a\" {}\n"}) }, upgrade},
		{"the lock file", func() { writeTree(t, tf.WorkDir, map[string]string{lockFile: "other"}) }, fresh},
		{"a provider that is gone without its lock", func() {
			writeTree(t, filepath.Dir(link), map[string]string{filepath.Base(link) + ".lock": ""})
			if err := os.RemoveAll(link); err != nil {
				t.Fatal(err)
			}
		}, fresh},
		{"a provider that is gone", func() {
			if err := os.RemoveAll(tf.path(dataDir)); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/nowhere", link); err != nil {
				t.Skip(err)
			}
		}, fresh},
	}
	for _, step := range steps {
		step.do()
		before := len(f.calls())
		if err := tf.Init(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		calls := f.calls()
		got := ""
		if step.name == "the first time" || len(calls) > before {
			got = calls[len(calls)-1]
		}
		if got != step.want {
			t.Errorf("after a change of %s: called %q, want %q", step.name, got, step.want)
		}
	}
}

func TestFailedInitIsTriedAgain(t *testing.T) {
	f := newFake(t).on("init", scene{}, scene{Code: 1, Stdout: `{"type":"diagnostic","diagnostic":{"severity":"error","summary":"no network"}}` + "\n"}, scene{})
	tf := f.open(nil)
	for i, change := range []string{"", "terraform {\n  # more\n}\n", ""} {
		if change != "" {
			writeTree(t, tf.Source, map[string]string{"main.tf": change})
		}
		err := tf.Init(t.Context())
		if failed := err != nil; failed != (i == 1) || failed && !strings.Contains(err.Error(), "no network") {
			t.Errorf("init %d gives %v", i, err)
		}
	}
	if n := len(f.calls()); n != 3 {
		t.Errorf("init ran %d times, want 3", n)
	}
}

func TestRealBackendChange(t *testing.T) { eachBinary(t, testRealBackendChange) }

func testRealBackendChange(t *testing.T, b Binary) {
	t.Parallel()
	o := realOptions(t, b, "resource \"terraform_data\" \"a\" {}\n")
	o.StateFile = "first.tfstate" // one of the usual name in the work folder would count as a state without a backend
	tf := openReal(t, o)
	mustApply(t, tf, PlanOptions{})

	o.StateFile = "other.tfstate"
	tf, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := tf.Init(t.Context()); !BackendChanged(err) {
		t.Fatalf("another backend gives %v", err)
	}
	o.Reconfigure = true
	mustHold(t, openReal(t, o))

	// Back to the first, and on with the state moved as the user would.
	o.StateFile = "first.tfstate"
	mustHold(t, openReal(t, o), "terraform_data.a")
	tf.StateFile = "third.tfstate"
	if err := tf.Stage(); err != nil {
		t.Fatal(err)
	}
	if code, err := tf.Attach(t.Context(), Streams{}, "init", "-input=false", "-migrate-state", "-force-copy"); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	if err := tf.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustHold(t, tf, "terraform_data.a")
}

func TestReconfigureIsForAChangedBackendAlone(t *testing.T) {
	changed := scene{Code: 1, Stdout: `{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Backend configuration changed"}}` + "\n"}
	f := newFake(t).on("init", scene{}, changed, scene{})
	tf := f.open(func(o *Options) { o.Reconfigure = true })
	for _, change := range []string{"", "terraform {\n  # more\n}\n"} {
		if change != "" {
			writeTree(t, tf.Source, map[string]string{"main.tf": change})
		}
		if err := tf.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"init -json -input=false", "init -json -input=false", "init -json -input=false -reconfigure"}
	if got := f.calls(); !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
}
