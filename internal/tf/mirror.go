package tf

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

const (
	// ProviderAddress is the only provider that generated configurations use.
	ProviderAddress = "registry.terraform.io/hashicorp/aws"
	// ProviderVersion is the version of it that streamgen is tested with, and that a mirror is built of.
	ProviderVersion = "6.34.0"
)

// MirrorPath is where a mirror holds the AWS provider of a version for a platform, unpacked.
// https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
func MirrorPath(mirrorDir, version, goos, goarch string) string {
	name := "terraform-provider-aws_v" + version
	if goos == "windows" {
		name += ".exe"
	}
	return filepath.Join(mirrorDir, filepath.FromSlash(ProviderAddress), version, goos+"_"+goarch, name)
}

// ProviderAvailable reports whether terraform can install the AWS provider on this machine: from the mirror, or because the
// registry answers within five seconds.
func ProviderAvailable(ctx context.Context) bool {
	mirror, err := MirrorDir()
	return err == nil && HasMirror(mirror) || RegistryAnswers(ctx)
}

// RegistryAnswers asks the provider's registry for its service description, which terraform asks for first too.
// https://developer.hashicorp.com/terraform/internals/remote-service-discovery
func RegistryAnswers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	host, _, _ := strings.Cut(ProviderAddress, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/.well-known/terraform.json", nil)
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
