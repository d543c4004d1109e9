package main

import (
	"os"
	"os/exec"
	"syscall"
)

// apart puts a child into a process group of its own, so that a Ctrl-C on the terminal reaches it once, through us; and lets it
// end with us, even when we are killed.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

func interrupt(p *os.Process) error { return p.Signal(os.Interrupt) }
