// Package bootstrap builds the functions of tests: packages as Lambda takes them, for this machine.
package bootstrap

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
)

// Zip builds a command, such as "./testdata/handler", and gives the package of a function that runs it.
func Zip(command string) (packed []byte, err error) {
	dir, err := os.MkdirTemp("", "bootstrap-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags=lambda.norpc", "-o", file, command)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s: %w\n%s", command, err, out)
	}
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Pack(File{Name: "bootstrap", Mode: 0o755, Data: program})
}

// File is a file of a package.
type File struct {
	Name string
	Mode os.FileMode
	Data []byte
}

// Pack gives a package with files.
func Pack(files ...File) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		head := &zip.FileHeader{Name: f.Name, Method: zip.Deflate}
		head.SetMode(f.Mode)
		w, err := z.CreateHeader(head)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Bomb gives a package of files of zeros, which is small until it is unpacked. Each has size bytes, and says, truly or not, how many.
func Bomb(files, size int, says uint64) ([]byte, error) {
	content := make([]byte, size)
	var b, deflated bytes.Buffer
	d, err := flate.NewWriter(&deflated, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := d.Write(content); err != nil {
		return nil, err
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	z := zip.NewWriter(&b)
	for i := range files {
		w, err := z.CreateRaw(&zip.FileHeader{Name: fmt.Sprint("zeros", i), Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content),
			CompressedSize64: uint64(deflated.Len()), UncompressedSize64: says})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(deflated.Bytes()); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
