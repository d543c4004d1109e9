package tf

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const twoValues = `
resource "terraform_data" "a" { input = "a" }
resource "terraform_data" "b" { input = "b" }
`

// TestRealPushState: a state that was moved between two configurations is taken by the real binary, which then plans nothing; one that is
// not the successor of the state that is there is refused.
func TestRealPushState(t *testing.T) { eachBinary(t, testRealPushState) }

func testRealPushState(t *testing.T, b Binary) {
	ctx := t.Context()
	whole := openReal(t, realOptions(t, b, twoValues))
	p, err := whole.Plan(ctx, PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := whole.Apply(ctx, p); err != nil {
		t.Fatal(err)
	}
	from, err := whole.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	part := openReal(t, realOptions(t, b, `resource "terraform_data" "b" { input = "b" }`))
	if to, err := part.State(ctx); err != nil || len(to) > 0 {
		t.Fatalf("the state of what was never applied is %s, %v", to, err)
	}
	newFrom, newTo, moved, err := MoveResources(from, nil, []string{"terraform_data.b"})
	if err != nil || len(moved) != 1 {
		t.Fatalf("moved %v, %v", moved, err)
	}
	for _, push := range []struct {
		t     *Terraform
		state []byte
	}{{part, newTo}, {whole, newFrom}} {
		if err := push.t.PushState(ctx, push.state); err != nil {
			t.Fatal(err)
		}
	}
	writeTree(t, whole.Source, map[string]string{"main.tf": `resource "terraform_data" "a" { input = "a" }`})
	for _, one := range []*Terraform{whole, part} {
		if err := one.Init(ctx); err != nil {
			t.Fatal(err)
		}
		if p, err := one.Plan(ctx, PlanOptions{}); err != nil || p.Changed {
			t.Errorf("a plan after the move has changes: %+v, %v", p.Changes, err)
		}
	}
	before, err := whole.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, stale := range map[string][]byte{"of an earlier serial": from, "of another lineage": newTo} {
		if err := whole.PushState(ctx, stale); err == nil {
			t.Errorf("a state %s was taken", name)
		}
	}
	if after, err := whole.State(ctx); err != nil || !bytes.Equal(before, after) {
		t.Errorf("a refused push changed the state: %v", err)
	}
}

func TestSharePlugins(t *testing.T) {
	own := map[string]string{"TF_PLUGIN_CACHE_DIR": "/mine"}
	if err := SharePlugins(own); err != nil || len(own) != 1 || own["TF_PLUGIN_CACHE_DIR"] != "/mine" {
		t.Errorf("the user's cache is now %v, %v", own, err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("LocalAppData", t.TempDir())
	env := map[string]string{}
	if err := SharePlugins(env); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(env["TF_PLUGIN_CACHE_DIR"]); err != nil || !info.IsDir() || !filepath.IsAbs(env["TF_PLUGIN_CACHE_DIR"]) {
		t.Errorf("the cache is %v, %v", env, err)
	}
}

// An encrypted state is read by OpenTofu alone, and so are its outputs and resources.
func TestEncryptedState(t *testing.T) { eachBinary(t, testEncryptedState) }

func testEncryptedState(t *testing.T, b Binary) {
	if b.Product != ProductOpenTofu {
		t.Skip("terraform does not encrypt states")
	}
	o := realOptions(t, b, `resource "terraform_data" "a" { input = "a" }
output "a" { value = terraform_data.a.output }`)
	o.Env["TF_ENCRYPTION"] = `key_provider "pbkdf2" "p" { passphrase = "correct horse battery staple" }
method "aes_gcm" "m" { keys = key_provider.pbkdf2.p }
state { method = method.aes_gcm.m }`
	tf := openReal(t, o)
	p, err := tf.Plan(t.Context(), PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tf.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(tf.statePath()); err != nil || !encrypted(kept) {
		t.Fatalf("the state is kept as %.80s, %v", kept, err)
	}
	if list, err := tf.Resources(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("resources %v, %v", list, err)
	}
	if out, err := tf.Output(t.Context()); err != nil || string(out["a"].Value) != `"a"` {
		t.Errorf("outputs %v, %v", out, err)
	}
}
