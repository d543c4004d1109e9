package tf

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"streamgen/internal/wholefile"
)

// MirrorDir is where a provider that was built on this machine lies, in the layout of a filesystem
// mirror: https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
func MirrorDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder of the provider mirror: %w", err)
	}
	return filepath.Join(cache, "streamgen", "terraform-mirror"), nil
}

// HasMirror reports whether the mirror holds the AWS provider for this platform.
func HasMirror(mirrorDir string) bool {
	dir := filepath.Join(mirrorDir, filepath.FromSlash(ProviderAddress))
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

// WriteCLIConfig writes the terraform CLI configuration of the local environment to path. When the
// mirror holds the AWS provider it comes from there and is never looked for elsewhere. Otherwise
// terraform downloads it once into a cache beside the mirror, from which every project's work
// folder gets it.
func WriteCLIConfig(path, mirrorDir string) error {
	var text string
	if HasMirror(mirrorDir) {
		text = fmt.Sprintf(`provider_installation {
  filesystem_mirror {
    path    = %s
    include = [%q]
  }
  direct {
    exclude = [%[2]q]
  }
}
`, quoted(mirrorDir), ProviderAddress)
	} else {
		cache := filepath.Join(filepath.Dir(mirrorDir), "terraform-plugins")
		if err := os.MkdirAll(cache, 0o755); err != nil {
			return fmt.Errorf("making terraform's plug-in cache: %w", err)
		}
		// The second setting lets a work folder without a lock file use the cache; what init then
		// records lacks the digests of other platforms, which nobody shares here.
		text = fmt.Sprintf("plugin_cache_dir = %s\nplugin_cache_may_break_dependency_lock_file = true\n\nprovider_installation {\n  direct {}\n}\n", quoted(cache))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("writing terraform's CLI configuration: %w", err)
	}
	if err := wholefile.Write(path, []byte(text)); err != nil {
		return fmt.Errorf("writing terraform's CLI configuration: %w", err)
	}
	return nil
}

// quoted writes a path as a string of the CLI configuration, in which a slash works everywhere.
func quoted(path string) string { return strconv.Quote(filepath.ToSlash(path)) }
