//go:build unix

package pack

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// inOwnGroup puts the command and what it starts into a process group of their own.
func inOwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

func killGroup(p *os.Process) error {
	if err := syscall.Kill(-p.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
