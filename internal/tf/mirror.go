package tf

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// ProviderVersion is the version of the AWS provider that streamgen is tested with, and that a mirror is built of.
const ProviderVersion = "6.34.0"

// MirrorDir is where a provider that was built on this machine lies, in the layout of a filesystem
// mirror: https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
func MirrorDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder of the provider mirror: %w", err)
	}
	return filepath.Join(cache, "streamgen", "terraform-mirror"), nil
}

// MirrorPath is where a product looks in a mirror for the AWS provider of a version for a platform, unpacked.
func MirrorPath(mirrorDir string, p Product, version, goos, goarch string) string {
	name := "terraform-provider-aws_v" + version
	if goos == "windows" {
		name += ".exe"
	}
	return filepath.Join(mirrorDir, filepath.FromSlash(p.ProviderAddress()), version, goos+"_"+goarch, name)
}

// ShareMirror gives OpenTofu the provider that the mirror holds for terraform, as a second name of the same file. (Windows lets
// few users make symbolic links.)
func ShareMirror(mirrorDir, version, goos, goarch string) error {
	from, to := MirrorPath(mirrorDir, ProductTerraform, version, goos, goarch), MirrorPath(mirrorDir, ProductOpenTofu, version, goos, goarch)
	if err := share(from, to); err != nil {
		return fmt.Errorf("sharing the provider with OpenTofu: %w", err)
	}
	return nil
}

func share(from, to string) error {
	built, err := os.Stat(from)
	if err != nil {
		return err
	}
	if shared, err := os.Stat(to); err == nil && os.SameFile(built, shared) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := remove(to); err != nil { // that of an earlier build
		return err
	}
	return os.Link(from, to)
}

// HasMirror reports whether the mirror holds the AWS provider for this platform, where the product looks for it.
func HasMirror(mirrorDir string, p Product) bool {
	dir := filepath.Join(mirrorDir, filepath.FromSlash(p.ProviderAddress()))
	platform := runtime.GOOS + "_" + runtime.GOARCH
	for _, pattern := range []string{
		filepath.Join("*", platform, "terraform-provider-aws*"),
		"terraform-provider-aws_*_" + platform + ".zip",
	} {
		if found, err := filepath.Glob(filepath.Join(dir, pattern)); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// ProviderAvailable is [ProviderAvailableTo] of terraform.
func ProviderAvailable(ctx context.Context) bool { return ProviderAvailableTo(ctx, ProductTerraform) }

// ProviderAvailableTo reports whether a product can install the AWS provider on this machine: from the mirror, or because the
// registry answers within five seconds.
func ProviderAvailableTo(ctx context.Context, p Product) bool {
	mirror, err := MirrorDir()
	return err == nil && HasMirror(mirror, p) || RegistryAnswers(ctx, p)
}

// RegistryAnswers asks the product's registry for its service description, which the product asks for first too.
// https://developer.hashicorp.com/terraform/internals/remote-service-discovery
func RegistryAnswers(ctx context.Context, p Product) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+p.traits().registry+"/.well-known/terraform.json", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}
