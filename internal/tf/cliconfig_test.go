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
	write := func(path string) {
		t.Helper()
		rel, err := filepath.Rel(mirror, path)
		if err != nil {
			t.Fatal(err)
		}
		writeTree(t, mirror, map[string]string{rel: "provider"})
	}
	write(MirrorPath(mirror, ProductTerraform, "6.34.0", "plan9", "mips"))
	if HasMirror(mirror, ProductTerraform) {
		t.Error("a provider for another platform counts")
	}
	const golden = `provider_installation {
  filesystem_mirror {
    path    = "MIRROR"
    include = [ADDRESSES]
  }
  direct {
    exclude = [ADDRESSES]
  }
}
`
	mustBe := func(addresses string) {
		t.Helper()
		if got, want := read(), strings.NewReplacer("MIRROR", filepath.ToSlash(mirror), "ADDRESSES", addresses).Replace(golden); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	built := MirrorPath(mirror, ProductTerraform, "6.34.0", runtime.GOOS, runtime.GOARCH)
	write(built)
	mustBe(`"registry.terraform.io/hashicorp/aws"`)

	// One copy serves both addresses, also when it was built anew.
	for range 2 {
		if err := ShareMirror(mirror, "6.34.0", runtime.GOOS, runtime.GOARCH); err != nil {
			t.Fatal(err)
		}
		mustBe(`"registry.terraform.io/hashicorp/aws", "registry.opentofu.org/hashicorp/aws"`)
		mustBeOneFile(t, built, MirrorPath(mirror, ProductOpenTofu, "6.34.0", runtime.GOOS, runtime.GOARCH))
		if err := os.Remove(built); err != nil {
			t.Fatal(err)
		}
		write(built)
	}
	if err := ShareMirror(mirror, "6.35.0", runtime.GOOS, runtime.GOARCH); err == nil {
		t.Error("a provider that is not there is shared")
	}
}

func mustBeOneFile(t *testing.T, a, b string) {
	t.Helper()
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA != nil || errB != nil || !os.SameFile(infoA, infoB) {
		t.Errorf("%s and %s are not one file (%v, %v)", a, b, errA, errB)
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
	if got, err := InstallDir(); err != nil || got != "/somewhere/streamgen" {
		t.Errorf("got %q, %v", got, err)
	}
	for p, want := range map[Product]string{ProductTerraform: "/i/terraform/1.2.3/terraform", ProductOpenTofu: "/i/opentofu/1.2.3/tofu"} {
		if got := InstallPath("/i", p, "1.2.3"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
