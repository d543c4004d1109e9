package tf

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// lockHolder asks whether another process has a state file locked, as terraform locks it. Windows does not say which.
func lockHolder(state string) (pid int, locked bool, err error) {
	f, err := os.OpenFile(state, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close() // which ends a lock, too
	const all = ^uint32(0)
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, all, all, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return 0, true, nil
	}
	return 0, false, err
}
