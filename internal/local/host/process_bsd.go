//go:build unix && !linux

package host

import "syscall"

// attributes put a process into a group of its own, which can be killed with all that it started. When the stack itself is
// killed, a Lambda runtime ends by itself: its call for the next invocation breaks.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
