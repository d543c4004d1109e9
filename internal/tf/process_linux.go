package tf

import (
	"os/exec"
	"syscall"
)

// detach puts terraform into a process group of its own, so that a Ctrl-C in the terminal reaches
// it once, from here. When this process dies, terraform is interrupted: it stops in good order.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
}
