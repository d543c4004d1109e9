package tf

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestCLIConfig(t *testing.T) {
	mirror := filepath.Join(t.TempDir(), "terraform-mirror")
	rc := filepath.Join(t.TempDir(), "local", "terraform.rc")
	read := func() string {
		t.Helper()
		if err := WriteCLIConfig(rc, mirror); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(rc)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	cache := filepath.Join(filepath.Dir(mirror), "terraform-plugins")
	if got := read(); !strings.Contains(got, `plugin_cache_dir = "`+filepath.ToSlash(cache)+`"`) || strings.Contains(got, "filesystem_mirror") {
		t.Errorf("without a mirror:\n%s", got)
	}
	if info, err := os.Stat(cache); err != nil || !info.IsDir() {
		t.Errorf("the cache folder is not there: %v", err)
	}
	dir := filepath.Join("registry.terraform.io", "hashicorp", "aws", "6.34.0")
	writeTree(t, mirror, map[string]string{filepath.Join(dir, "plan9_mips", "terraform-provider-aws_v6.34.0"): ""})
	if HasMirror(mirror) {
		t.Error("a provider for another platform counts")
	}
	writeTree(t, mirror, map[string]string{filepath.Join(dir, runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-aws_v6.34.0"): ""})
	want := `provider_installation {
  filesystem_mirror {
    path    = "` + filepath.ToSlash(mirror) + `"
    include = ["registry.terraform.io/hashicorp/aws"]
  }
  direct {
    exclude = ["registry.terraform.io/hashicorp/aws"]
  }
}
`
	if got := read(); got != want {
		t.Errorf("with a mirror:\n%s", got)
	}
}

func TestMirrorFollowsTheCacheFolder(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the variable is Linux's")
	}
	t.Setenv("XDG_CACHE_HOME", "/somewhere")
	if got, err := MirrorDir(); err != nil || got != "/somewhere/streamgen/terraform-mirror" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := InstallDir(); err != nil || got != "/somewhere/streamgen/terraform" {
		t.Errorf("got %q, %v", got, err)
	}
}
