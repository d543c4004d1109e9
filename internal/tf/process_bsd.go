//go:build unix && !linux

package tf

import (
	"os/exec"
	"syscall"
)

// start starts terraform in a process group of its own, so that a Ctrl-C in the terminal reaches
// it once, from here. When this process dies, terraform finishes its command. release is for after its end.
func start(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return func() {}, cmd.Start()
}
