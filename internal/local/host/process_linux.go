package host

import "syscall"

// attributes put a process into a group of its own, which can be killed with all that it started, and have the kernel
// kill it when the thread that started it ends, which is when the stack does: see [process.run].
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
