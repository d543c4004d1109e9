package host

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// peakMemory is the most memory that a process has had resident, in MB; 0 when it cannot be told.
func peakMemory(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "kB")
	kb, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0
	}
	return (kb + 1023) / 1024
}
