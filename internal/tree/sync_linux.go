package tree

import (
	"os"

	"golang.org/x/sys/unix"
)

const canSyncTogether = true

// syncTogether makes all that was written to the project's file system safe from a power cut.
func syncTogether(dir *os.Root) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd())) //nolint:gosec // a descriptor is small
}
