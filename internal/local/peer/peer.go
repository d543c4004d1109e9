// Package peer tells whose process is at the other end of a connection over loopback. A loopback address keeps other machines away, but
// not the other users of this one.
package peer

import (
	"net"
	"net/netip"
)

// Owner gives the id of the user who has the other end of a TCP connection from this machine. It is false where that cannot be told: on
// systems other than Linux, and where the kernel does not answer. A socket that its process has closed meanwhile is Nobody's.
func Owner(c net.Conn) (uid uint32, known bool) {
	local, okLocal := addrPort(c.LocalAddr())
	remote, okRemote := addrPort(c.RemoteAddr())
	if !okLocal || !okRemote {
		return 0, false
	}
	return owner(remote, local)
}

// Nobody is the owner of a socket that no process has any more. No user has this id: it stands for "no change" in system calls.
const Nobody = ^uint32(0)

func addrPort(a net.Addr) (netip.AddrPort, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), at.IsValid()
}
