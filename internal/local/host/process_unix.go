//go:build unix

package host

import (
	"io/fs"
	"os"
	"syscall"
)

// entryFile is the name under which a package's entry lies on disk.
const entryFile = entry

func executable(info fs.FileInfo) bool { return info.Mode()&0o100 != 0 }

// group is a process with all that it starts.
type group struct{ pid int }

func newGroup(p *os.Process) (group, error) { return group{p.Pid}, nil }

// kill ends the whole group; one that has ended already is no error.
func (g group) kill() { _ = syscall.Kill(-g.pid, syscall.SIGKILL) }

// terminate asks the process to end.
func (g group) terminate() { _ = syscall.Kill(g.pid, syscall.SIGTERM) }

func (g group) close() {}
