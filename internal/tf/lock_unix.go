//go:build unix

package tf

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// lockHolder asks whether another process has a state file locked, as terraform locks it. The process is 0 where it cannot be seen
// from here.
func lockHolder(state string) (pid int, locked bool, err error) {
	f, err := os.Open(state)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil {
		return 0, false, &fs.PathError{Op: "looking for a lock on", Path: state, Err: err}
	}
	return int(lock.Pid), lock.Type != unix.F_UNLCK, nil
}
