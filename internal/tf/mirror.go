package tf

import "path/filepath"

const (
	// ProviderAddress is the only provider that generated configurations use.
	ProviderAddress = provider
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
