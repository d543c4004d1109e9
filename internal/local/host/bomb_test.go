package host

import (
	"archive/zip"
	"bytes"
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
		size  int // of each
		bad   bool
	}{
		{"at the limit", 4, limit / 4, false},
		{"one file", 1, 64 * limit, true},
		{"many files", 64, limit / 4, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			for i := range test.files {
				w, err := z.Create(strings.Repeat("x", i+1))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(make([]byte, test.size)); err != nil {
					t.Fatal(err)
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			_, err := unzip(b.Bytes(), dir, limit)
			if (err != nil) != test.bad || err != nil && !strings.Contains(err.Error(), "Unzipped size must be smaller than 65536 bytes") {
				t.Errorf("got %v", err)
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
