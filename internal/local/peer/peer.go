// Package peer tells whose process is at the other end of a connection over loopback. A loopback address keeps other machines away, but
// not the other users of this one.
package peer

import (
	"context"
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

// ownerKey is where a connection's context has the user at its other end.
type ownerKey struct{}

// WithOwner gives a context of a connection whose other end is a user's.
func WithOwner(ctx context.Context, uid uint32) context.Context {
	return context.WithValue(ctx, ownerKey{}, uid)
}

// Note is [WithOwner] with the [Owner] of a connection, where that can be told. A server has it as its ConnContext.
func Note(ctx context.Context, c net.Conn) context.Context {
	if uid, known := Owner(c); known {
		return WithOwner(ctx, uid)
	}
	return ctx
}

// Stranger says whether the other end of a context's connection is known to be of another user than own and root, who could do anyway
// what own can.
func Stranger(ctx context.Context, own int) (uid uint32, stranger bool) {
	uid, known := ctx.Value(ownerKey{}).(uint32)
	return uid, known && uid != 0 && int64(uid) != int64(own)
}

func addrPort(a net.Addr) (netip.AddrPort, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	at := tcp.AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), at.IsValid()
}
