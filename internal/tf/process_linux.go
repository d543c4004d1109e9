package tf

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// start starts terraform in a process group of its own, so that a Ctrl-C in the terminal reaches it once, from here. When this process
// dies terraform is interrupted once: it stops in good order. release is for after its end.
//
// Terraform holds the reading end of a pipe whose writing end this process alone has, and the kernel signals the end of the pipe. The signal of
// a parent's death (PR_SET_PDEATHSIG) would not do: it comes again with each thread of the dying parent that the child falls to, and
// after the second one terraform quits without saving the state.
func start(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd.ExtraFiles = append(cmd.ExtraFiles, read)
	if err := cmd.Start(); err != nil {
		write.Close()
		return nil, err
	}
	signalEnd(read.Fd(), cmd.Process.Pid)
	return func() { write.Close() }, nil
}

// signalEnd has the kernel interrupt a process when the pipe ends. Where the kernel cannot, the process finishes its command.
func signalEnd(pipe uintptr, pid int) {
	flags, err := unix.FcntlInt(pipe, unix.F_GETFL, 0)
	for _, set := range []struct{ command, value int }{
		{unix.F_SETSIG, int(unix.SIGINT)}, {unix.F_SETOWN, pid}, {unix.F_SETFL, flags | unix.O_ASYNC},
	} {
		if err == nil {
			_, err = unix.FcntlInt(pipe, set.command, set.value)
		}
	}
}
