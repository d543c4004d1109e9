//go:build unix

package host

import (
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

// entryFile is the name under which a package's entry lies on disk.
const entryFile = entry

// withhold keeps the descriptors that the stack was started with from its functions, all but the standard ones: a shell may have left files
// and sockets open in it. Go's own are kept from them anyway.
func withhold() {
	open, _ := os.ReadDir("/dev/fd") // where there is none, descriptors cannot be told
	for _, d := range open {
		if fd, err := strconv.Atoi(d.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

func executable(info fs.FileInfo) bool { return info.Mode()&0o100 != 0 }

// group is a process with all that it starts.
type group struct{ pid int }

func newGroup(p *os.Process) (group, error) { return group{p.Pid}, nil }

// kill ends the whole group; one that has ended already is no error.
func (g group) kill() { _ = syscall.Kill(-g.pid, syscall.SIGKILL) }

// terminate asks the process to end.
func (g group) terminate() { _ = syscall.Kill(g.pid, syscall.SIGTERM) }

func (g group) close() {}

// endedMemory is the most memory that a process which ended has had resident, in MB; 0 when it cannot be told.
func endedMemory(state *os.ProcessState) int {
	usage, is := state.SysUsage().(*syscall.Rusage)
	if !is {
		return 0
	}
	bytes := int64(usage.Maxrss) //nolint:unconvert // it is of 32 bits on some machines
	if runtime.GOOS != "darwin" {
		bytes <<= 10
	}
	return int((bytes + 1<<20 - 1) >> 20)
}
