//go:build unix

package streamtest

import (
	"os"
	"syscall"
)

// ownGroup puts a process into a group of its own, which can be killed with all that it starts.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends a process and all that it started; one that has ended already is no error.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
