package tf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

const (
	// InstallVersion is the version of terraform that Find installs unless it is told another.
	InstallVersion = "1.11.4"
	// OpenTofuVersion is the version of OpenTofu that this repository is tested with and builds.
	OpenTofuVersion = "1.12.6"
)

// Binary is a terraform or OpenTofu that can be run.
type Binary struct {
	Path    string
	Product Product
	Version string
	// Installed reports that the binary is one of streamgen's own, not the user's.
	Installed bool
	// Note, if not empty, tells the user why the binary on the PATH is not used.
	Note string
}

// FindOptions say where to look, and for what.
type FindOptions struct {
	// Product is what the project is made for. Empty means whatever Path is, and terraform without a Path.
	Product Product
	// Version is the only version to take, such as "1.13.3"; empty means every one that is supported.
	Version string
	// Path is the binary that the user named. Nothing else is tried then.
	Path string
	// InstallDir holds streamgen's own binaries, see [InstallDir].
	InstallDir string
	// Env is the environment of the question for the version; nil means that of this process.
	Env []string
	// Progress, if set, is told before and after a download.
	Progress func(text string)
	// Offline forbids the download: where it would be made, the error is a *[MissingError].
	Offline bool

	source release
}

// release is another place to download from, with the key that signs what is there.
type release struct{ url, key string }

// InstallDir is where streamgen keeps binaries of its own unless it is told otherwise.
func InstallDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder for terraform: %w", err)
	}
	return filepath.Join(cache, "streamgen"), nil
}

// InstallPath is where installDir holds a version of a product.
func InstallPath(installDir string, p Product, version string) string {
	name := string(p)
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(installDir, strings.ToLower(p.String()), version, name)
}

// VersionError says that a binary is of a version that cannot be used.
type VersionError struct {
	Path       string
	Product    Product
	Have, Need string
}

// Error says the way out.
func (e *VersionError) Error() string {
	out := "install one of these versions"
	if e.Product == ProductTerraform {
		out += ", or let streamgen install its own by naming none"
	}
	return fmt.Sprintf("%s is %s %s, and streamgen needs %s; %s", e.Path, e.Product, e.Have, e.Need, out)
}

// ProductError says that a binary is the other product. Once the one has written a project's state, the other is not sure to
// read it, so none stands in for the other.
type ProductError struct {
	Path       string
	Have, Want Product
}

// Error says the way out.
func (e *ProductError) Error() string {
	return fmt.Sprintf("%s is %s, and the project is made for %s; write \"terraform: {binary: %s}\" in gen.yaml, or use a binary of %s",
		e.Path, e.Have, e.Want, string(e.Have), e.Want)
}

// MissingError says that there is no suitable binary, and that none is to be downloaded: OpenTofu never is.
type MissingError struct {
	Product Product
	Need    string
}

// Error says the way out.
func (e *MissingError) Error() string {
	from := "https://developer.hashicorp.com/terraform/install"
	if e.Product == ProductOpenTofu {
		from = "https://opentofu.org/docs/intro/install/"
	}
	return fmt.Sprintf("there is no %s %s on the PATH; install it (%s), or name one with --terraform", e.Product, e.Need, from)
}

// BrokenError says that a binary does not tell what it is.
type BrokenError struct {
	Path string
	Err  error
}

// Error says what went wrong.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("asking %s for its version: %v", e.Path, e.Err)
}

// Unwrap gives what went wrong.
func (e *BrokenError) Unwrap() error { return e.Err }

// Find gives a suitable binary. One that the user named must be suitable. Else the one on the PATH is taken if it is, and otherwise
// streamgen's own: terraform is downloaded on first use from HashiCorp's releases with its signature and digest checked;
// OpenTofu is there when "make opentofu" has built it. Errors are a *[VersionError], a *[ProductError], a *[BrokenError] and a
// *[MissingError] where a binary or its absence is to blame.
func Find(ctx context.Context, o FindOptions) (Binary, error) {
	if _, err := version.NewVersion(cmp.Or(o.Version, InstallVersion)); err != nil {
		return Binary{}, fmt.Errorf("finding %s %s: %w", o.Product, o.Version, err)
	}
	if o.Path != "" {
		return inspect(ctx, o, o.Path)
	}
	o.Product = cmp.Or(o.Product, ProductTerraform)
	if o.Version != "" && !o.Product.supports(version.Must(version.NewVersion(o.Version))) {
		return Binary{}, fmt.Errorf("the project asks for %s %s, and streamgen needs %s", o.Product, o.Version, o.Product.Supported())
	}
	var unsuitable *VersionError
	path, err := exec.LookPath(string(o.Product))
	if err == nil {
		b, err := inspect(ctx, o, path)
		if err == nil || !errors.As(err, &unsuitable) {
			return b, err
		}
	}
	b, err := installed(ctx, o)
	if missing := (*MissingError)(nil); errors.As(err, &missing) && unsuitable != nil {
		return Binary{}, unsuitable
	}
	if err != nil {
		return Binary{}, err
	}
	if unsuitable != nil {
		b.Note = fmt.Sprintf("%s is %s %s, not %s: using %s of streamgen's own", path, o.Product, unsuitable.Have, unsuitable.Need, b.Version)
	}
	return b, nil
}

// OwnVersion is the version that streamgen would use of its own.
func (o FindOptions) OwnVersion() string {
	if o.Product == ProductOpenTofu {
		return cmp.Or(o.Version, OpenTofuVersion)
	}
	return cmp.Or(o.Version, InstallVersion)
}

// need says which versions of a product are taken.
func (o FindOptions) need(p Product) string { return cmp.Or(o.Version, p.Supported()) }

// inspect asks a binary what it is and checks that.
func inspect(ctx context.Context, o FindOptions, path string) (Binary, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Binary{}, fmt.Errorf("finding %s: %w", o.Product, err)
	}
	p, v, err := ask(ctx, o, path)
	if err != nil {
		return Binary{}, &BrokenError{Path: path, Err: err}
	}
	if o.Product != "" && p != o.Product {
		return Binary{}, &ProductError{Path: path, Have: p, Want: o.Product}
	}
	if !p.supports(v) {
		return Binary{}, &VersionError{Path: path, Product: p, Have: v.String(), Need: p.Supported()}
	}
	if o.Version != "" && !v.Equal(version.Must(version.NewVersion(o.Version))) {
		return Binary{}, &VersionError{Path: path, Product: p, Have: v.String(), Need: o.Version}
	}
	return Binary{Path: path, Product: p, Version: v.String()}, nil
}

// announced is the line with which either product begins. The answer in JSON does not say which product gives it.
var announced = regexp.MustCompile(`(?m)^(Terraform|OpenTofu) v(\S+)\s*$`)

// ask runs the command "version" of a binary.
func ask(ctx context.Context, o FindOptions, path string) (Product, *version.Version, error) {
	base := o.Env
	if base == nil {
		base = os.Environ()
	}
	env, _ := CloudEnvironment(base)
	maps.DeleteFunc(env, func(name, _ string) bool { return hasPrefix(name, "TF_") })
	cmd := exec.CommandContext(ctx, path, "version")
	// In its own folder it finds no configuration whose providers it would look up.
	cmd.Dir, cmd.Env = filepath.Dir(path), environ(env)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) && len(failed.Stderr) > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(failed.Stderr)))
	}
	if ctx.Err() != nil {
		return "", nil, context.Cause(ctx)
	}
	if err != nil {
		return "", nil, err
	}
	said := announced.FindStringSubmatch(string(out))
	if said == nil {
		return "", nil, errors.New("it is neither terraform nor OpenTofu")
	}
	v, err := version.NewVersion(said[2])
	if err != nil {
		return "", nil, err
	}
	if said[1] == "OpenTofu" {
		return ProductOpenTofu, v, nil
	}
	return ProductTerraform, v, nil
}

// installed gives streamgen's own binary. It installs terraform first if need be.
func installed(ctx context.Context, o FindOptions) (Binary, error) {
	own := InstallPath(o.InstallDir, o.Product, o.OwnVersion())
	_, err := os.Stat(own)
	missing := o.InstallDir == "" || errors.Is(err, fs.ErrNotExist)
	if missing && (o.Offline || o.Product == ProductOpenTofu) {
		return Binary{}, &MissingError{Product: o.Product, Need: o.need(o.Product)}
	}
	if missing {
		if err := install(ctx, o, filepath.Dir(own)); err != nil {
			return Binary{}, fmt.Errorf("no suitable terraform on the PATH and installing %s failed; install terraform %s by hand: %w", o.OwnVersion(), o.need(o.Product), err)
		}
	}
	b, err := inspect(ctx, o, own)
	b.Installed = true
	return b, err
}

// install downloads terraform into a folder of its own and moves it to dir when it is complete.
func install(ctx context.Context, o FindOptions, dir string) error {
	if o.InstallDir == "" {
		return errors.New("no folder to install into is given")
	}
	v, err := version.NewVersion(o.OwnVersion())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "download-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	o.tell(fmt.Sprintf("downloading terraform %s for %s/%s", v, runtime.GOOS, runtime.GOARCH))
	source := &releases.ExactVersion{
		Product:          product.Terraform,
		Version:          v,
		InstallDir:       work,
		Timeout:          10 * time.Minute,
		ApiBaseURL:       o.source.url,
		ArmoredPublicKey: o.source.key,
	}
	if _, err := source.Install(ctx); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := os.Rename(work, dir); err != nil {
		// Another streamgen may have been faster; what it installed is as good.
		if _, statErr := os.Stat(filepath.Join(dir, product.Terraform.BinaryName())); statErr == nil {
			return nil
		}
		return err
	}
	o.tell(fmt.Sprintf("installed terraform %s in %s", v, dir))
	return nil
}

func (o FindOptions) tell(text string) {
	if o.Progress != nil {
		o.Progress(text)
	}
}
