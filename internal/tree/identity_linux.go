package tree

import (
	"io/fs"
	"syscall"
)

// identity gives when a file's content, name or mode changed, which no program can set, and its inode.
func identity(info fs.FileInfo) (changed, inode int64) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return s.Ctim.Nano(), int64(s.Ino) //nolint:gosec // compared, not computed with
}
