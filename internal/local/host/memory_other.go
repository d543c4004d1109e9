//go:build !linux

package host

// peakMemory is the most memory that a process has had resident, in MB; 0 when it cannot be told, as here.
func peakMemory(int) int { return 0 }
