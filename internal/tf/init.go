package tf

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// initialised remembers for what terraform init ran last.
type initialised struct {
	// Inputs is a digest of all that init depends on, Providers of what chooses the providers, Lock
	// of the lock file that init left. Files is a digest of all that Inputs is found in: while it stands, hundreds of files are not parsed.
	Inputs    string `json:"inputs"`
	Providers string `json:"providers"`
	Lock      string `json:"lock"`
	Files     string `json:"files"`
}

// Init stages the configuration and prepares the work folder: terraform installs providers and
// modules and connects the backend. It does nothing when none of that changed since the last time.
// Providers are chosen anew, not held at the version of the last time, when what the configuration
// says of them changed, or the product: the work folder's lock file is nobody's decision.
func (t *Terraform) Init(ctx context.Context) error {
	if err := t.Stage(); err != nil {
		return err
	}
	var last initialised
	if readJSON(t.path(initFile), &last) != nil {
		last = initialised{} // a stamp that cannot be read is as good as none
	}
	now, err := t.initInputs(last)
	if err != nil {
		return fmt.Errorf("preparing terraform: %w", err)
	}
	lock := digestFile(t.path(lockFile))
	if now.Inputs == last.Inputs && lock == last.Lock && t.providersInstalled() {
		return nil
	}
	// Without the stamp an interrupted init is not taken for a finished one.
	if err := remove(t.path(initFile)); err != nil {
		return fmt.Errorf("preparing terraform: %w", err)
	}
	args := []string{"-json", "-input=false"}
	if lock != "" && now.Providers != last.Providers {
		args = append(args, "-upgrade")
	}
	_, err = t.stream(ctx, "init", args)
	if t.Reconfigure && BackendChanged(err) {
		_, err = t.stream(ctx, "init", append(args, "-reconfigure"))
	}
	if err != nil {
		return err
	}
	now.Lock = digestFile(t.path(lockFile))
	if err := writeJSON(t.path(initFile), now); err != nil {
		return fmt.Errorf("preparing terraform: %w", err)
	}
	return nil
}

// BackendChanged reports that a command failed because the work folder was prepared for another backend, or other arguments of it: terraform does
// not guess whether the state is to be moved.
// https://developer.hashicorp.com/terraform/cli/commands/init#backend-initialization
func BackendChanged(err error) bool {
	failed := (*Error)(nil)
	return errors.As(err, &failed) && slices.ContainsFunc(failed.Diagnostics, func(d Diagnostic) bool {
		return d.Severity == SeverityError && strings.HasPrefix(d.Summary, "Backend configuration changed")
	})
}

// initInputs digests what terraform init depends on. last is what it was the last time.
func (t *Terraform) initInputs(last initialised) (initialised, error) {
	var copies staged
	if err := readJSON(t.path(stagedFile), &copies); err != nil {
		return initialised{}, err
	}
	around := []string{
		string(t.Binary.Product), // each product has a registry of its own
		t.Binary.Path, t.Binary.Version, digestFile(t.path(backendFile)), digestFile(t.Env["TF_CLI_CONFIG_FILE"]), t.Env["TF_PLUGIN_CACHE_DIR"],
	}
	files := map[string][]byte{}
	all := slices.Clone(around)
	for _, name := range copies.Files {
		data, err := os.ReadFile(t.path(filepath.FromSlash(name)))
		if err != nil {
			return initialised{}, err
		}
		files[name] = data
		all = append(all, name, string(data))
	}
	if sum := digest(all); sum != last.Files {
		providers, modules := initParts(files)
		providers = append(providers, around[0])
		last = initialised{Inputs: digest(slices.Concat(providers, modules, around)), Providers: digest(providers), Files: sum}
	}
	last.Lock = ""
	return last, nil
}

// initParts picks from files by their names what init looks at, sorted: of the providers and of the modules.
func initParts(files map[string][]byte) (providers, modules []string) {
	for name, data := range files {
		switch {
		case strings.HasSuffix(name, ".tf.json"), strings.HasSuffix(name, ".tofu.json"):
			providers = append(providers, name+"\n"+string(data))
		case strings.HasSuffix(name, ".tf"), strings.HasSuffix(name, ".tofu"):
			p, m := initBlocks(name, data)
			providers, modules = append(providers, p...), append(modules, m...)
		}
	}
	slices.Sort(providers)
	slices.Sort(modules)
	return slices.Compact(providers), modules
}

// initBlocks picks from a file what init looks at: terraform and module blocks, and the providers
// that other blocks imply. A file that does not parse counts as a whole.
func initBlocks(name string, data []byte) (providers, modules []string) {
	file, diags := hclsyntax.ParseConfig(data, name, hcl.InitialPos)
	body, ok := file.Body.(*hclsyntax.Body)
	if diags.HasErrors() || !ok {
		return []string{string(data)}, nil
	}
	folder := path.Dir(name)
	for _, block := range body.Blocks {
		r := block.Range()
		text := folder + "\n" + string(data[r.Start.Byte:r.End.Byte])
		switch block.Type {
		case "terraform":
			providers = append(providers, text)
		case "module":
			modules = append(modules, text)
		case "provider", "resource", "data", "ephemeral":
			if len(block.Labels) > 0 {
				implied, _, _ := strings.Cut(block.Labels[0], "_")
				providers = append(providers, folder+"\nprovider "+implied)
			}
		}
	}
	return providers, modules
}

// providersInstalled reports whether what init linked into the work folder can still be reached. A
// configuration that needs no provider has no lock file and no folder of providers.
func (t *Terraform) providersInstalled() bool {
	// Host, namespace, name, version and platform are the levels of the folder.
	links, err := filepath.Glob(t.path(dataDir, "providers", "*", "*", "*", "*", "*"))
	links = slices.DeleteFunc(links, func(link string) bool { return strings.HasSuffix(link, ".lock") }) // OpenTofu's, beside the provider
	if err != nil || (len(links) == 0) != (digestFile(t.path(lockFile)) == "") {
		return false
	}
	return !slices.ContainsFunc(links, func(link string) bool {
		_, err := os.Stat(link)
		return err != nil
	})
}

func digest(parts []string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digestFile gives the digest of a file's content, and nothing for a file that cannot be read.
func digestFile(path string) string {
	if path == "" {
		return ""
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return digest([]string{string(data)})
}
