package host

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"streamgen/internal/local/conformance/bootstrap"
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
			packed, err := bootstrap.Bomb(test.files, test.size, test.says)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if _, err := unzip(packed, dir, limit); (err != nil) != (test.want != "") || err != nil && !strings.Contains(err.Error(), test.want) {
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
