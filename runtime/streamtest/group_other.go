//go:build !unix

package streamtest

import (
	"os"
	"syscall"
)

func ownGroup() *syscall.SysProcAttr { return nil }

// killGroup ends a process. What it started in its turn ends by itself if it is a runtime, since its Runtime API is gone.
func killGroup(p *os.Process) { _ = p.Kill() } // one that has ended already is no error
