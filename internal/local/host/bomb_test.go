package host

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

func TestBombStopsAtTheLimit(t *testing.T) {
	const limit = 64 << 10
	for _, test := range []struct {
		name  string
		files int
		size  int    // of each
		says  uint64 // of each
		want  string // of the error; "" for none
	}{
		{"at the limit", 4, limit / 4, limit / 4, ""},
		{"one file", 1, 64 * limit, 64 * limit, "Unzipped size must be smaller than 65536 bytes"},
		{"many files", 64, limit / 4, limit / 4, "Unzipped size must be smaller than 65536 bytes"},
		{"one file that says less", 1, 64 * limit, 10, "cannot be unpacked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b, deflated bytes.Buffer
			d, err := flate.NewWriter(&deflated, flate.BestSpeed)
			if err != nil {
				t.Fatal(err)
			}
			content := make([]byte, test.size)
			if _, err := d.Write(content); err != nil || d.Close() != nil {
				t.Fatal(err)
			}
			z := zip.NewWriter(&b)
			for i := range test.files {
				w, err := z.CreateRaw(&zip.FileHeader{Name: strings.Repeat("x", i+1), Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content),
					CompressedSize64: uint64(deflated.Len()), UncompressedSize64: test.says})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(deflated.Bytes()); err != nil {
					t.Fatal(err)
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if _, err := unzip(b.Bytes(), dir, limit); (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			var written int64
			if err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				info, err := d.Info()
				written += info.Size()
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if written > limit+1 {
				t.Errorf("wrote %d bytes", written)
			}
		})
	}
}
