// Package tree brings a rendered tree of files to disk: it compares, shows what would change, and writes it so that a
// run that is killed at any point leaves nothing that the next run cannot put right.
//
// The manifest gen.lock says which files on disk are gen's, and by their hashes, which of them somebody changed since.
// All access goes through an [os.Root]: neither a path nor a symbolic link leads out of the project.
package tree

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// File is one file of a tree.
type File struct {
	// Path is relative to the project and has slashes on every system.
	Path string
	Data []byte
	// Once marks a file that is the user's from the moment it exists.
	Once bool
	// With is, for a Once file, the path of another that it is only made along with; empty for none.
	With string
	// Origin is the entry of the spec that the file comes from, such as "tables.orders"; empty for the spec as a whole.
	Origin string
	// Template tells versions of the template apart that the file was made with; empty when there is none.
	Template string
}

// Tree is a set of files, sorted by path.
type Tree []File

// With gives a tree that also holds the file.
func (t Tree) With(f File) Tree {
	out := append(slices.Clone(t), f)
	slices.SortStableFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// check refuses trees that no disk can hold. Case does not tell paths apart, as on macOS and Windows.
func (t Tree) check() error {
	seen := make(map[string]string, len(t))
	for _, f := range t {
		if err := checkPath(f.Path); err != nil {
			return err
		}
		if other, taken := seen[fold(f.Path)]; taken {
			return fmt.Errorf("%s and %s are the same file", other, f.Path)
		}
		seen[fold(f.Path)] = f.Path
	}
	return nil
}

// checkPath refuses paths that are not local, clean and slashed.
func checkPath(p string) error {
	if p == "." || !fs.ValidPath(p) || !filepath.IsLocal(filepath.FromSlash(p)) || strings.Contains(p, `\`) {
		return fmt.Errorf("%q is no path inside the project", p)
	}
	return nil
}

// fold makes paths equal that a file system may hold equal.
func fold(p string) string { return strings.ToLower(p) }

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
