//go:build unix && !linux

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// apart puts a child into a process group of its own, so that a Ctrl-C on the terminal reaches it once, through us.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func interrupt(p *os.Process) error { return p.Signal(os.Interrupt) }
