//go:build !linux

package tf

// processesIn would be the processes of a program whose current folder is dir, which only Linux tells.
func processesIn(_, _ string) []int { return nil }
