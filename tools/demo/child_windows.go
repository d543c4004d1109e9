package main

import (
	"os"
	"os/exec"
)

// apart has nothing to do: a console sends Ctrl-C to every process that shares it.
func apart(*exec.Cmd) {}

// interrupt ends the process: Windows has no signal that another process could send.
func interrupt(p *os.Process) error { return p.Kill() }
