package host

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

// The limits of a package.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	// MaxPackage is the largest zip that a request may carry, in bytes.
	MaxPackage = 50 << 20
	// MaxUnpacked is how large a package may be when unpacked, in bytes.
	MaxUnpacked = 250 << 20
	// MaxFiles is how many files and folders a package may have, those folders among them that are in the names of others alone; AWS
	// publishes no such limit.
	MaxFiles = 10_000
	// MaxName is the longest name of one, in bytes: a name of 64 KB could be of 30,000 folders.
	MaxName = 1024
)

// code is an unpacked package, or a function of this process. Whoever still needs the folder holds it; it goes when nobody does.
type code struct {
	dir   string
	size  int64 // of its files, in bytes
	run   Func  // nil for a package
	holds atomic.Int32

	logger *slog.Logger // of a package
}

func (c *code) hold() { c.holds.Add(1) }

func (c *code) drop() {
	if c.holds.Add(-1) > 0 || c.run != nil {
		return
	}
	if err := os.RemoveAll(c.dir); err != nil {
		c.logger.Warn("removing a function's code", "error", err)
	}
}

// dropAll drops what is not nil.
func dropAll(codes ...*code) {
	for _, c := range codes {
		if c != nil {
			c.drop()
		}
	}
}

// unpack writes a package into a new folder, held once.
func (h *Host) unpack(name string, pkg []byte) (*code, error) {
	if len(pkg) > MaxPackage {
		return nil, errorf(RequestTooLarge, "The package is %d bytes, over the limit of %d bytes", len(pkg), MaxPackage)
	}
	return h.folder(name+"-", func(dir string) (int64, error) { return unzip(pkg, dir, MaxUnpacked) })
}

// folder makes a folder, held once, and has it filled; fill gives how large it is. [Host.Close] waits for it.
func (h *Host) folder(prefix string, fill func(dir string) (int64, error)) (*code, error) {
	h.mu.Lock()
	if h.isClosed() {
		h.mu.Unlock()
		return nil, ErrClosed
	}
	h.wg.Add(1)
	h.mu.Unlock()
	defer h.wg.Done()
	dir, err := os.MkdirTemp(h.dir, prefix)
	if err != nil {
		return nil, fmt.Errorf("making the folder of a function: %w", err)
	}
	c := &code{dir: dir, logger: h.opts.Logger}
	c.hold()
	if c.size, err = fill(dir); err != nil {
		c.drop()
		return nil, err
	}
	return c, nil
}

// unzip writes a package of at most limit bytes into dir, and gives its size.
func unzip(pkg []byte, dir string, limit int64) (int64, error) {
	z, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // entries are checked one by one
		return 0, errorf(InvalidParameterValue, "Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	if err := checkCount(z.File); err != nil {
		return 0, err
	}
	tooLarge := errorf(InvalidParameterValue, "Unzipped size must be smaller than %d bytes", limit)
	if saysMore(z.File, limit) {
		return 0, tooLarge
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("opening the folder of a function: %w", err)
	}
	defer root.Close()
	left := limit
	for _, f := range z.File {
		n, err := extract(root, f, left)
		if err != nil {
			return 0, err
		}
		if left -= n; left < 0 {
			return 0, tooLarge
		}
	}
	return limit - left, nil
}

// saysMore reports whether entries are larger than limit by what they say of themselves, which need not be true: then none is unpacked.
func saysMore(entries []*zip.File, limit int64) bool {
	left := uint64(max(limit, 0))
	for _, f := range entries {
		if f.UncompressedSize64 > left {
			return true
		}
		left -= f.UncompressedSize64
	}
	return false
}

// checkCount refuses names that are too long and more files and folders than there may be, before any of them is made.
func checkCount(entries []*zip.File) error {
	files, folders := 0, map[string]bool{}
	for _, f := range entries {
		if len(f.Name) > MaxName {
			return errorf(InvalidParameterValue, "The package has an entry whose name is of %d bytes, over the limit of %d: %.50q…", len(f.Name), MaxName, f.Name)
		}
		dir := path.Clean(f.Name)
		if !f.Mode().IsDir() {
			files++
			dir = path.Dir(dir)
		}
		for ; dir != "." && dir != "/" && !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	if n := max(files+len(folders), len(entries)); n > MaxFiles {
		return errorf(InvalidParameterValue, "The package has %d files and folders, over the limit of %d", n, MaxFiles)
	}
	return nil
}

// extract writes one entry and gives its size. Of one that is larger than left bytes it writes one byte more and no further.
func extract(root *os.Root, f *zip.File, left int64) (int64, error) {
	name := path.Clean(f.Name)
	if !filepath.IsLocal(name) || strings.ContainsAny(name, "\\\x00") {
		return 0, errorf(InvalidParameterValue, "The package's entry %q would not lie inside the function's folder", f.Name)
	}
	mode := f.Mode()
	if mode.Type() != 0 && !mode.IsDir() || mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
		return 0, errorf(InvalidParameterValue, "The package's entry %q is neither a plain file nor a plain folder (%v): streamgen local unpacks no other", f.Name, mode)
	}
	if mode.IsDir() {
		return 0, mkdir(root, name)
	}
	if err := mkdir(root, path.Dir(name)); err != nil {
		return 0, err
	}
	return write(root, name, f, left)
}

func mkdir(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	if err := root.MkdirAll(name, 0o755); err != nil {
		return errorf(InvalidParameterValue, "The package's folder %q cannot be made: %v", name, err)
	}
	return nil
}

func write(root *os.Root, name string, f *zip.File, left int64) (n int64, err error) {
	src, err := f.Open()
	if err != nil {
		return 0, errorf(InvalidParameterValue, "The package's entry %q cannot be read: %v", f.Name, err)
	}
	defer src.Close()
	mode := fs.FileMode(0o644)
	if f.Mode()&0o111 != 0 {
		mode = 0o755
	}
	if name == entry {
		name = entryFile
	}

	// A process forked while the file is open for writing would hold it open too, and the kernel executes no such file
	// ("text file busy").
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	dst, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return 0, errorf(InvalidParameterValue, "The package's entry %q cannot be written: %v", f.Name, err)
	}
	n, err = io.Copy(dst, io.LimitReader(src, left+1))
	if closeErr := dst.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return n, errorf(InvalidParameterValue, "The package's entry %q cannot be unpacked: %v", f.Name, err)
	}
	return n, nil
}
