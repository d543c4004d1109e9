package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"streamgen/internal/diag"
	"streamgen/internal/fileplan"
	"streamgen/internal/tf"
	"streamgen/internal/tree"
)

func (d *doctor) gen(context.Context) verdict {
	v := buildVersion()
	return ok("gen", "%s (%s, %s)", v.Version, v.Go, v.Platform)
}

// golang looks at the go command, which compiles the handlers.
func (d *doctor) golang(ctx context.Context) verdict {
	need, from := fileplan.GoVersion, "the runtime"
	if d.project != nil {
		if root, text, err := findModule(d.project.dir); err == nil {
			if f, err := modfile.ParseLax("go.mod", text, nil); err == nil && f.Go != nil {
				need, from = f.Go.Version, filepath.Join(root, "go.mod")
			}
		}
	}
	path, err := exec.LookPath("go")
	if err != nil {
		return verdict{problem, "go", "it is not on the PATH", "install Go " + need + " or later (https://go.dev/doc/install): gen compiles the handlers with it"}
	}
	out, err := command(ctx, os.TempDir(), path, "env", "-json", "GOVERSION", "GOTOOLCHAIN")
	if err != nil {
		return unmade("go", fmt.Sprintf("%s does not work: %v", path, err), "install Go "+need+" or later anew")
	}
	var have struct{ GOVERSION, GOTOOLCHAIN string }
	if err := json.Unmarshal(out, &have); err != nil {
		return unmade("go", fmt.Sprintf("%s does not say its version: %v", path, err), "")
	}
	found := fmt.Sprintf("%s, %s", strings.TrimPrefix(have.GOVERSION, "go"), path)
	switch {
	case version.Compare(have.GOVERSION, "go"+need) >= 0:
		return ok("go", "%s", found)
	case strings.HasPrefix(have.GOTOOLCHAIN, "auto") || strings.HasSuffix(have.GOTOOLCHAIN, "+auto"):
		return ok("go", "%s; it gets the %s that %s asks for by itself", found, need, from)
	}
	return verdict{
		problem, "go", fmt.Sprintf("%s, and %s asks for %s", found, from, need),
		"install that version, or let Go get it with GOTOOLCHAIN=auto, which is " + have.GOTOOLCHAIN,
	}
}

func (d *doctor) git(ctx context.Context) verdict {
	path, err := exec.LookPath("git")
	if err != nil {
		return verdict{warning, "git", "it is not on the PATH", "install git: what gen generates is meant to be committed"}
	}
	out, err := command(ctx, os.TempDir(), path, "--version")
	if err != nil {
		return unmade("git", fmt.Sprintf("%s does not work: %v", path, err), "")
	}
	return ok("git", "%s, %s", strings.TrimPrefix(strings.TrimSpace(string(out)), "git version "), path)
}

// command runs a program that is to say something of itself.
func command(ctx context.Context, dir, path string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	switch failed := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &failed) && len(failed.Stderr) > 0:
		return nil, fmt.Errorf("%w: %s", err, firstLine(string(failed.Stderr)))
	}
	return out, err
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// product is what the spec says that gen drives.
func (d *doctor) product() tf.Product {
	return cmp.Or(tf.Product(d.env.program.Binary), tf.ProductTerraform)
}

// terraform looks for the program that gen would run, and downloads nothing.
func (d *doctor) terraform(ctx context.Context) verdict {
	product := d.product()
	what := product.String()
	dir, err := tf.InstallDir()
	if err != nil {
		return unmade(what, err.Error(), "")
	}
	options := tf.FindOptions{Product: product, Version: d.env.program.Version, Path: d.env.terraform, Env: d.environ, InstallDir: dir, Offline: true}
	b, err := tf.Find(ctx, options)
	if err != nil {
		return d.noTerraform(ctx, options, err)
	}
	switch {
	case d.env.terraform != "":
		return ok(what, "%s %s, %s, as --terraform says", b.Product, b.Version, b.Path)
	case b.Note != "":
		return ok(what, "%s; %s", b.Note, b.Path)
	case b.Installed:
		return ok(what, "there is none on the PATH; gen's own %s, %s", b.Version, b.Path)
	}
	return ok(what, "%s, %s", b.Version, b.Path)
}

// noTerraform says what to do when there is nothing to run, which may be that gen will download it.
func (d *doctor) noTerraform(ctx context.Context, o tf.FindOptions, err error) verdict {
	what := o.Product.String()
	var (
		missing    *tf.MissingError
		unsuitable *tf.VersionError
		broken     *tf.BrokenError
	)
	switch own := tf.InstallPath(o.InstallDir, o.Product, o.OwnVersion()); {
	case o.Path != "":
		return verdict{problem, what, err.Error(), "name another with --terraform"}
	case errors.As(err, &broken) && broken.Path == own && o.Product == tf.ProductTerraform:
		return verdict{problem, what, fmt.Sprintf("gen's own cannot be used: %v", err), "delete the folder " + filepath.Dir(own) + ": gen downloads it anew"}
	case errors.As(err, &missing) && o.Product == tf.ProductTerraform:
		return d.download(ctx, o, "there is none on the PATH")
	case errors.As(err, &unsuitable) && o.Product == tf.ProductTerraform:
		return d.download(ctx, o, fmt.Sprintf("%s is %s, not %s", unsuitable.Path, unsuitable.Have, unsuitable.Need))
	case errors.As(err, &missing):
		return verdict{problem, what, err.Error(), "gen downloads terraform alone"}
	}
	return verdict{problem, what, fmt.Sprintf("it cannot be used: %v", err), "repair it, or name another with --terraform"}
}

// download says whether gen can get its own terraform when it needs it.
func (d *doctor) download(ctx context.Context, o tf.FindOptions, instead string) verdict {
	what, version := o.Product.String(), o.OwnVersion()
	downloads := "https://releases.hashicorp.com/terraform/" + version + "/"
	if err := d.reach(ctx, downloads); err != nil {
		return verdict{
			problem, what, fmt.Sprintf("%s, and %s does not answer: %s", instead, downloads, reason(err)),
			"install terraform " + cmp.Or(o.Version, o.Product.Supported()) + " by hand, or let this machine reach that address",
		}
	}
	return ok(what, "%s; gen downloads %s when it needs it, from %s, which answers", instead, version, downloads)
}

// provider looks where terraform would get the AWS provider from.
func (d *doctor) provider(ctx context.Context) verdict {
	const what = "AWS provider"
	product := d.product()
	mirror, err := tf.MirrorDir()
	if err != nil {
		return unmade(what, err.Error(), "")
	}
	if d.env.local() && tf.HasMirror(mirror, product) {
		return ok(what, "%s in the mirror %s", mirrored(mirror, product), mirror)
	}
	caches := []string{d.getenv("TF_PLUGIN_CACHE_DIR"), filepath.Join(filepath.Dir(mirror), "terraform-plugins")}
	cache := ""
	for _, c := range caches {
		if c != "" && cache == "" && tf.HasMirror(c, product) {
			cache = c
		}
	}
	if !d.env.local() {
		if file := d.installation(product); file != "" {
			return ok(what, "%s takes it from where %s says, which is left to it", product, file)
		}
	}
	registry := "https://" + strings.TrimSuffix(product.ProviderAddress(), "/hashicorp/aws") + "/.well-known/terraform.json"
	unreachable := d.reach(ctx, registry)
	switch installed := d.installedIn(product); {
	case unreachable == nil && cache != "":
		return ok(what, "%s in the plug-in cache %s; the registry answers", mirrored(cache, product), cache)
	case unreachable == nil:
		return ok(what, "%s downloads it from the registry, which answers", product)
	case installed != "":
		return verdict{
			warning, what, fmt.Sprintf("it is installed in %s; the registry does not answer: %s", installed, reason(unreachable)),
			"as long as " + string(product) + " init need not run again, it goes on",
		}
	}
	do := "let this machine reach the registry, or configure a mirror (https://developer.hashicorp.com/terraform/cli/config/config-file#provider-installation)"
	if d.env.local() {
		do = "let this machine reach the registry, or put the provider into the mirror " + mirror
	}
	return verdict{problem, what, fmt.Sprintf("there is none here, and the registry does not answer: %s", reason(unreachable)), do}
}

// mirrored names the version that streamgen is tested with, where a folder has it.
func mirrored(dir string, p tf.Product) string {
	if _, err := os.Stat(tf.MirrorPath(dir, p, tf.ProviderVersion, runtime.GOOS, runtime.GOARCH)); err == nil {
		return tf.ProviderVersion
	}
	return "another version than " + tf.ProviderVersion
}

// installation is the user's own CLI configuration, if it says where providers come from.
// https://developer.hashicorp.com/terraform/cli/config/config-file#locations, https://opentofu.org/docs/cli/config/config-file/#locations
func (d *doctor) installation(p tf.Product) string {
	folder, names := d.getenv("HOME"), []string{".terraformrc"}
	if runtime.GOOS == "windows" {
		folder, names = d.getenv("APPDATA"), []string{"terraform.rc"}
	}
	if p == tf.ProductOpenTofu { // it looks for its own first
		names = append([]string{strings.ReplaceAll(names[0], "terraform", "tofu")}, names...)
	}
	files := []string{d.getenv("TF_CLI_CONFIG_FILE")}
	if files[0] == "" {
		files = files[:0]
		for _, name := range names {
			files = append(files, filepath.Join(folder, name))
		}
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil {
			if strings.Contains(string(text), "provider_installation") {
				return file
			}
			break
		}
	}
	return ""
}

// installedIn is the work folder of the environment, or of one of its stacks, that has the provider.
func (d *doctor) installedIn(p tf.Product) string {
	if d.project == nil {
		return ""
	}
	for _, pattern := range []string{d.env.name, filepath.Join("stacks", d.env.name+".*")} {
		folders, _ := filepath.Glob(d.project.work(pattern)) // its only error is a malformed pattern
		for _, f := range folders {
			if tf.HasMirror(filepath.Join(f, ".terraform", "providers"), p) {
				return f
			}
		}
	}
	return ""
}

// gotSpec says whether there is a valid spec.
func (d *doctor) gotSpec(context.Context) verdict {
	const what = specFile
	if d.missing == nil {
		s := d.project.spec
		v := ok(what, "%s, %s, in %s", count(len(s.Tables), "table"), count(len(s.Handlers), "handler"), d.project.dir)
		if n := len(d.project.warnings); n > 0 {
			v.Status, v.Do = warning, "see 'gen validate'"
			v.Found += "; " + count(n, "warning") + ", the first: " + d.project.warnings[0].Error()
		}
		return v
	}
	var wrong findingsError
	var usage usageError
	switch {
	case errors.As(d.missing, &wrong):
		i := slices.IndexFunc(wrong.findings, func(f diag.Finding) bool { return f.Severity == diag.Error })
		return verdict{problem, what, count(len(wrong.findings), "finding") + ", the first: " + wrong.findings[max(i, 0)].Error(), "see 'gen validate'"}
	case errors.As(d.missing, &usage):
		return verdict{problem, what, d.missing.Error(), "change to a project's folder, or name it with -C"}
	}
	return unmade(what, d.missing.Error(), "")
}

// generated says whether the files are as the spec wants them, gen.lock among them.
func (d *doctor) generated(context.Context) verdict {
	const what = "generated files"
	changes, err := d.project.compare()
	if err != nil {
		return verdict{problem, what, err.Error(), "see 'gen generate'"}
	}
	if edited := changes.Of(tree.Edited); len(edited) > 0 {
		return verdict{
			problem, what, fmt.Sprintf("%s edited by hand, the first: %s", count(len(edited), "file"), edited[0].Path),
			"'gen generate --diff' shows the edits, 'gen generate --force' overwrites them",
		}
	}
	switch pending := changes.Of(tree.Create, tree.Update, tree.Remove); {
	case len(pending) > 0:
		return verdict{warning, what, fmt.Sprintf("%s not up to date, the first: %s", count(len(pending), "file"), pending[0].Path), "'gen generate' writes them; plan and apply do so by themselves"}
	case changes.LockStale():
		return verdict{warning, what, tree.LockFile + " is not up to date", "'gen generate' writes it; it is to be committed"}
	case len(d.project.modules) > 0:
		return verdict{warning, what, d.project.modules[0].name + " lacks what the copied runtime needs", "'gen generate' adds it"}
	}
	return ok(what, "%s and %s are up to date", count(len(changes.Of(tree.Unchanged)), "file"), tree.LockFile)
}

// ignored says whether git leaves alone what must not be committed: the work folder, and states, which may hold secrets.
func (d *doctor) ignored(ctx context.Context) verdict {
	const what = ".gitignore"
	folders := []string{"/" + workFolder + "/", "/" + stateFolder + "/"}
	files := []string{workFolder + "/x", stateFolder + "/x.tfstate"}
	git, err := exec.LookPath("git")
	if err != nil {
		return unmade(what, "there is no git", "")
	}
	if inside, err := command(ctx, d.project.dir, git, "rev-parse", "--is-inside-work-tree"); err != nil || strings.TrimSpace(string(inside)) != "true" {
		return ok(what, "the project is not under git")
	}
	tracked, err := command(ctx, d.project.dir, git, "ls-files", "--", workFolder, stateFolder)
	if err != nil {
		return unmade(what, err.Error(), "")
	}
	if len(tracked) > 0 {
		return verdict{
			warning, what, "git has " + firstLine(string(tracked)) + ": what gen makes again, or a state with all values that terraform knows",
			"take it out with 'git rm --cached'",
		}
	}
	var open []string
	for i, file := range files {
		if _, err := command(ctx, d.project.dir, git, "check-ignore", "--quiet", "--no-index", "--", file); err != nil {
			open = append(open, folders[i])
		}
	}
	if len(open) > 0 {
		return verdict{warning, what, "it lacks " + strings.Join(open, " and "), "add it; 'gen init --no-terraform' does"}
	}
	return ok(what, "%s are left out", strings.Join(folders, " and "))
}
