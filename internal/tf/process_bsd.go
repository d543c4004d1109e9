//go:build unix && !linux

package tf

import (
	"os/exec"
	"syscall"
)

// detach puts terraform into a process group of its own, so that a Ctrl-C in the terminal reaches
// it once, from here. When this process dies, terraform finishes its command.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
