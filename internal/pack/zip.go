package pack

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"streamgen/internal/wholefile"
)

// zipFormat stands for the way in which zips are written; it changes when their bytes do.
const zipFormat = "zip 1"

// The sizes that Lambda takes from a zip that is sent with the request, in bytes:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	zippedLimit   = 50 << 20
	unzippedLimit = 250 << 20
)

// errEqual ends the replacement of a zip by one with the same bytes.
var errEqual = errors.New("same bytes")

// zip writes the handler's zip unless the one that is there has the same bytes.
func (b *builder) zip(h Handler, binary string) (Package, error) {
	path := b.zipPath(h)
	old, oldErr := describe(h, path)
	var made Package
	err := wholefile.Stream(path, func(f *os.File) (err error) {
		if err := writeZip(f, binary); err != nil {
			return err
		}
		if made, err = describe(h, f.Name()); err != nil {
			return err
		}
		if err := checkSize("zipped", made.Size, zippedLimit); err != nil {
			return err
		}
		if oldErr == nil && old.SHA256 == made.SHA256 {
			return errEqual
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEqual) {
		return Package{}, fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	made.Path = path
	return made, nil
}

// writeZip writes a zip with the one file bootstrap. Time and mode are fixed: 1980 is where the
// zip format's clock begins.
func writeZip(w io.Writer, binary string) error {
	f, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := checkSize("unzipped", info.Size(), unzippedLimit); err != nil {
		return err
	}
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	archive := zip.NewWriter(w)
	entry, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(entry, f); err != nil {
		return err
	}
	return archive.Close()
}

func checkSize(what string, size, limit int64) error {
	if size > limit {
		return &SizeError{What: what, Size: size, Limit: limit}
	}
	return nil
}
