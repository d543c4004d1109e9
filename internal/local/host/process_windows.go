package host

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// entryFile is the name under which a package's entry lies on disk: Windows starts a file by its extension.
const entryFile = entry + ".exe"

// withhold has nothing to do: a process on Windows is given the handles of its streams alone.
func withhold() {}

// executable is not a matter of mode bits on Windows.
func executable(fs.FileInfo) bool { return true }

func attributes() *syscall.SysProcAttr { return nil }

// group is a process with all that it starts, in a job object. It ends when its last handle closes, so with the stack.
type group struct{ job windows.Handle }

func newGroup(p *os.Process) (group, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return group{}, fmt.Errorf("making a job object: %w", err)
	}
	g := group{job}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE},
	}
	if _, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits))); err != nil {
		g.close()
		return group{}, fmt.Errorf("limiting a job object: %w", err)
	}
	handle, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	if err != nil {
		g.close()
		return group{}, fmt.Errorf("opening process %d: %w", p.Pid, err)
	}
	defer windows.CloseHandle(handle)
	if err := windows.AssignProcessToJobObject(job, handle); err != nil {
		g.close()
		return group{}, fmt.Errorf("putting process %d into its job: %w", p.Pid, err)
	}
	return g, nil
}

// kill ends the whole group; one that has ended already is no error.
func (g group) kill() { _ = windows.TerminateJobObject(g.job, 1) }

// terminate ends the process: Windows has no signal that asks for it.
func (g group) terminate() { g.kill() }

func (g group) close() { _ = windows.CloseHandle(g.job) }

// endedMemory is the most memory that a process which ended has had resident, in MB; 0 when it cannot be told, as here.
func endedMemory(*os.ProcessState) int { return 0 }
