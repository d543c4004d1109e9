package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamgen/internal/tree"
)

// BenchmarkGenerate generates a project of n tables with two handlers each: from nothing (cold), when nothing changed (noop), and without
// touching the disk (memory). What the disk takes for the same files, one after the other and not made safe from a power cut, is disk.
func BenchmarkGenerate(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		spec := manyTables(n)
		b.Run(fmt.Sprintf("cold/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				dir := benchProject(b, spec)
				b.StartTimer()
				benchGenerate(b, dir)
			}
		})
		b.Run(fmt.Sprintf("memory/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				benchFiles(b, spec)
			}
		})
		b.Run(fmt.Sprintf("disk/%d", n), func(b *testing.B) {
			files := benchFiles(b, spec)
			for b.Loop() {
				benchDisk(b, files)
			}
		})
		b.Run(fmt.Sprintf("noop/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			dir := benchProject(b, spec)
			benchGenerate(b, dir)
			for b.Loop() {
				benchGenerate(b, dir)
			}
		})
	}
}

func benchFiles(b *testing.B, spec []byte) tree.Tree {
	b.Helper()
	p, err := loadProject(benchProject(b, spec), findingsText, loadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	files, err := p.tree()
	if err != nil {
		b.Fatal(err)
	}
	return files
}

func benchDisk(b *testing.B, files tree.Tree) {
	b.Helper()
	b.StopTimer()
	dir := b.TempDir()
	b.StartTimer()
	for _, f := range files {
		file := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

func manyTables(n int) []byte {
	var b strings.Builder
	b.WriteString("version: 1\nproject: many\nregion: us-east-1\ntables:\n")
	for i := range n {
		fmt.Fprintf(&b, "  table-%d:\n    hash_key: Id\n    attributes: {Id: S, Total: N}\n    stream_view_type: NEW_AND_OLD_IMAGES\n", i)
	}
	b.WriteString("handlers:\n")
	for i := range 2 * n {
		fmt.Fprintf(&b, "  handler-%d: {table: table-%d}\n", i, i/2)
	}
	return []byte(b.String())
}

func benchProject(b *testing.B, spec []byte) string {
	b.Helper()
	dir := b.TempDir()
	for name, data := range map[string][]byte{specFile: spec, "go.mod": []byte("module example.com/many\n\ngo 1.26.0\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

func benchGenerate(b *testing.B, dir string) {
	b.Helper()
	std := streams{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	if done, err := generatedAlready(std, dir, generateOptions{}); done || err != nil {
		if err != nil {
			b.Fatal(err)
		}
		return
	}
	p, err := loadProject(dir, findingsText, loadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	if err := p.generate(b.Context(), std, generateOptions{}); err != nil {
		b.Fatal(err)
	}
}
