package tf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

// InstallVersion is the version of terraform that Find installs.
const InstallVersion = "1.11.4"

// oldest and below bound the versions that are known to work: the output that this package reads
// and the files that it writes are promised to stay within a major version.
const (
	oldest = "1.11.0"
	below  = "2.0.0"
)

// Binary is a terraform that can be run.
type Binary struct {
	Path    string
	Version string
	// Installed reports that the binary is Find's own, not the user's.
	Installed bool
	// Note, if not empty, tells the user why the terraform on the PATH is not used.
	Note string
}

// FindOptions say where to look.
type FindOptions struct {
	// Path is the binary that the user named. Nothing else is tried then.
	Path string
	// InstallDir is where Find keeps its own terraform, see [InstallDir].
	InstallDir string
	// Env is the environment of "terraform version"; nil means that of this process.
	Env []string
	// Progress, if set, is told before and after a download.
	Progress func(text string)

	source release
}

// release is another place to download from, with the key that signs what is there.
type release struct{ url, key string }

// InstallDir is where Find keeps a terraform of its own unless it is told otherwise.
func InstallDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder for terraform: %w", err)
	}
	return filepath.Join(cache, "streamgen", "terraform"), nil
}

// VersionError says that a terraform cannot be used.
type VersionError struct {
	Path, Have, Need string
}

// Error says the way out.
func (e *VersionError) Error() string {
	return fmt.Sprintf("%s is terraform %s, and streamgen needs %s; install one of these versions, or let streamgen install its own by naming none", e.Path, e.Have, e.Need)
}

// Find gives a terraform of a suitable version. A binary that the user named must be suitable. Else
// the one on the PATH is taken if it is suitable, and otherwise [InstallVersion], which is downloaded
// on first use from HashiCorp's releases with its signature and digest checked.
func Find(ctx context.Context, o FindOptions) (Binary, error) {
	if o.Path != "" {
		return inspect(ctx, o, o.Path)
	}
	var note string
	var unsuitable *VersionError
	if path, err := exec.LookPath("terraform"); err == nil {
		b, err := inspect(ctx, o, path)
		if err == nil {
			return b, nil
		}
		if !errors.As(err, &unsuitable) {
			return Binary{}, err
		}
		note = fmt.Sprintf("%s is terraform %s, not %s: using %s of streamgen's own", path, unsuitable.Have, unsuitable.Need, InstallVersion)
	}
	b, err := installed(ctx, o)
	if err != nil {
		return Binary{}, fmt.Errorf("no suitable terraform on the PATH and installing %s failed; install terraform %s by hand: %w", InstallVersion, need(), err)
	}
	b.Note = note
	return b, nil
}

// inspect asks a binary for its version and checks it.
func inspect(ctx context.Context, o FindOptions, path string) (Binary, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Binary{}, fmt.Errorf("finding terraform: %w", err)
	}
	base := o.Env
	if base == nil {
		base = os.Environ()
	}
	env, _ := CloudEnvironment(base)
	maps.DeleteFunc(env, func(name, _ string) bool { return hasPrefix(name, "TF_") })
	// In its own folder terraform finds no configuration whose providers it would look up.
	reader, err := newReader(filepath.Dir(path), path, env)
	if err != nil {
		return Binary{}, fmt.Errorf("asking %s for its version: %w", path, err)
	}
	v, _, err := reader.Version(ctx, true)
	if err != nil {
		return Binary{}, fmt.Errorf("asking %s for its version: %w", path, err)
	}
	if !suitable(v) {
		return Binary{}, &VersionError{Path: path, Have: v.String(), Need: need()}
	}
	return Binary{Path: path, Version: v.String()}, nil
}

// suitable takes a pre-release for the version that it precedes.
func suitable(v *version.Version) bool {
	core := v.Core()
	return core.GreaterThanOrEqual(version.Must(version.NewVersion(oldest))) && core.LessThan(version.Must(version.NewVersion(below)))
}

func need() string { return ">= " + oldest + ", < " + below }

// installed gives terraform from the install folder and puts it there first if need be.
func installed(ctx context.Context, o FindOptions) (Binary, error) {
	if o.InstallDir == "" {
		return Binary{}, errors.New("no folder to install into is given")
	}
	dir := filepath.Join(o.InstallDir, InstallVersion)
	name := product.Terraform.BinaryName()
	if _, err := os.Stat(filepath.Join(dir, name)); errors.Is(err, fs.ErrNotExist) {
		if err := install(ctx, o, dir); err != nil {
			return Binary{}, err
		}
	}
	b, err := inspect(ctx, o, filepath.Join(dir, name))
	b.Installed = true
	return b, err
}

// install downloads into a folder of its own and moves it to dir when it is complete.
func install(ctx context.Context, o FindOptions, dir string) error {
	if err := os.MkdirAll(o.InstallDir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(o.InstallDir, "download-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	o.tell(fmt.Sprintf("downloading terraform %s for %s/%s", InstallVersion, runtime.GOOS, runtime.GOARCH))
	source := &releases.ExactVersion{
		Product:          product.Terraform,
		Version:          version.Must(version.NewVersion(InstallVersion)),
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
	o.tell("installed terraform " + InstallVersion + " in " + dir)
	return nil
}

func (o FindOptions) tell(text string) {
	if o.Progress != nil {
		o.Progress(text)
	}
}
