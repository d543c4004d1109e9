package pack

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"streamgen/internal/wholefile"
)

// record remembers from which inputs a zip was made. It lies in
// <CacheDir>/<GOOS>-<GOARCH>/<handler>.json, a file per handler, so that handlers do not wait for each other.
type record struct {
	Key    string `json:"key"`
	SHA256 string `json:"sha256"`
	// Size of the zip, in bytes, and the time of its last change, in nanoseconds since 1970: while both stand, so does SHA256.
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"`
}

func (b *builder) recordPath(h Handler) string {
	return filepath.Join(b.CacheDir, b.GOOS+"-"+b.GOARCH, h.Name+".json")
}

func (b *builder) zipPath(h Handler) string { return filepath.Join(b.OutDir, h.Name+".zip") }

// current gives the handler's zip when it was made from just these inputs and is still that zip.
// A record or zip that cannot be read is as good as none.
func (b *builder) current(h Handler, in input) (Package, bool) {
	data, err := os.ReadFile(b.recordPath(h))
	if err != nil {
		return Package{}, false
	}
	var r record
	if json.Unmarshal(data, &r) != nil || in.key == "" || r.Key != in.key {
		return Package{}, false
	}
	path := b.zipPath(h)
	info, err := os.Stat(path)
	if err != nil {
		return Package{}, false
	}
	if info.Size() == r.Size && info.ModTime().UnixNano() == r.Modified { // untouched: hundreds of them are not read every time
		return Package{Name: h.Name, Path: path, SHA256: r.SHA256, Size: r.Size, modified: info.ModTime()}, true
	}
	p, err := describe(h, path)
	return p, err == nil && p.SHA256 == r.SHA256
}

// remember records the inputs of a zip just made, unless they changed while it was made: then
// nobody knows which of them the compiler saw.
func (b *builder) remember(h Handler, in input, p Package) error {
	if in.key == "" {
		return nil
	}
	if now, err := b.digest(in, map[string][]byte{}); err != nil || now != in.key {
		return nil //nolint:nilerr // an input that cannot be read any more has changed too
	}
	info, err := os.Stat(p.Path)
	if err != nil {
		return fmt.Errorf("recording the build: %w", err)
	}
	data, err := json.Marshal(record{Key: in.key, SHA256: p.SHA256, Size: info.Size(), Modified: info.ModTime().UnixNano()})
	if err != nil {
		return fmt.Errorf("recording the build: %w", err)
	}
	path := b.recordPath(h)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("recording the build: %w", err)
	}
	if err := wholefile.Write(path, data); err != nil {
		return fmt.Errorf("recording the build: %w", err)
	}
	return nil
}

func describe(h Handler, path string) (Package, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Package{}, err
	}
	sum, err := fileSum(path)
	if err != nil {
		return Package{}, err
	}
	return Package{Name: h.Name, Path: path, SHA256: hex.EncodeToString(sum), Size: info.Size(), modified: info.ModTime()}, nil
}

// sweep removes what builds left that were killed. An hour keeps it away from builds that run.
func (b *builder) sweep() {
	for _, pattern := range []string{filepath.Join(b.CacheDir, "build-*"), filepath.Join(b.OutDir, ".*.zip-*")} {
		left, _ := filepath.Glob(pattern) // fails for a malformed pattern only
		for _, path := range left {
			if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
				_ = os.RemoveAll(path) // tried again by the next run
			}
		}
	}
}
