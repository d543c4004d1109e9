package pack

import (
	"os"
	"os/exec"
	"strconv"
)

// inOwnGroup does nothing: taskkill finds the children of a process by itself.
func inOwnGroup(*exec.Cmd) {}

func killGroup(p *os.Process) error {
	if err := exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(p.Pid)).Run(); err != nil {
		return p.Kill()
	}
	return nil
}
