package peer_test

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"streamgen/internal/local/peer"
)

// accept gives both ends of a connection.
func accept(t *testing.T, address string, dial func(address string)) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("this machine has no %s: %v", address, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go dial(l.Addr().String())
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestOwner(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		open := make(chan net.Conn, 1)
		c := accept(t, address, func(to string) {
			other, err := net.Dial("tcp", to)
			if err != nil {
				t.Error(err)
			}
			open <- other
		})
		other := <-open
		uid, known := peer.Owner(c)
		if !known {
			t.Skip("the kernel does not say who has a socket")
		}
		if int(uid) != os.Getuid() {
			t.Errorf("%s: the owner is %d, want %d", address, uid, os.Getuid())
		}
		if err := other.Close(); err != nil {
			t.Fatal(err)
		}
		if uid, known := peer.Owner(c); !known || uid != peer.Nobody {
			t.Errorf("%s: the owner of a closed socket is %d, %t", address, uid, known)
		}
	}
}

// TestOwnerOfAnotherUser has another user connect, which only root can arrange.
func TestOwnerOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	const nobody = 65534
	c := accept(t, "127.0.0.1:0", func(to string) {
		_, port, _ := net.SplitHostPort(to)
		cmd := exec.CommandContext(t.Context(), "/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/"+port+"; read -r <&3")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := cmd.Start(); err != nil {
			t.Error(err)
			_, _ = net.Dial("tcp", to)
			return
		}
		_ = cmd.Wait() // it ends with the connection
	})
	switch uid, known := peer.Owner(c); {
	case !known:
		t.Skip("the kernel does not say who has a socket")
	case uid != nobody:
		t.Errorf("the owner is %d, want %d", uid, nobody)
	}
}

func BenchmarkOwner(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	other, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer other.Close()
	c, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	for b.Loop() {
		peer.Owner(c)
	}
}
