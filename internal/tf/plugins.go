package tf

import (
	"fmt"
	"os"
	"path/filepath"
)

// SharePlugins makes the work folders of an environment, as [CloudEnvironment] gives it, share what terraform downloads: each then has a
// link instead of a provider of hundreds of megabytes. A plug-in cache of the user's stays. The cache is not made for two terraform init
// at once.
// https://developer.hashicorp.com/terraform/cli/config/config-file#provider-plugin-cache
func SharePlugins(env map[string]string) error {
	if env["TF_PLUGIN_CACHE_DIR"] != "" {
		return nil
	}
	mirror, err := MirrorDir()
	if err != nil {
		return err
	}
	cache := filepath.Join(filepath.Dir(mirror), "terraform-plugins")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return fmt.Errorf("making terraform's plug-in cache: %w", err)
	}
	env["TF_PLUGIN_CACHE_DIR"] = cache
	// A work folder without a lock file may use the cache; its lock file then lacks the digests of other platforms, which nobody shares.
	env["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
	return nil
}
