package tf

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"streamgen/internal/wholefile"
)

// WriteCLIConfig writes the CLI configuration of the local environment to path, for either product. When the
// mirror holds the AWS provider it comes from there and is never looked for elsewhere. Otherwise
// it is downloaded once into a cache beside the mirror, from which every project's work
// folder gets it.
func WriteCLIConfig(path, mirrorDir string) error {
	var mirrored []string
	for _, p := range []Product{ProductTerraform, ProductOpenTofu} {
		if HasMirror(mirrorDir, p) {
			mirrored = append(mirrored, strconv.Quote(p.ProviderAddress()))
		}
	}
	var text string
	if len(mirrored) > 0 {
		text = fmt.Sprintf(`provider_installation {
  filesystem_mirror {
    path    = %s
    include = [%s]
  }
  direct {
    exclude = [%[2]s]
  }
}
`, quoted(mirrorDir), strings.Join(mirrored, ", "))
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
