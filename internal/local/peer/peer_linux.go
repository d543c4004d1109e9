package peer

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"
)

// The sizes and places of the messages of sock_diag(7).
const (
	sockDiagByFamily = 20
	header           = unix.SizeofNlMsghdr
	requestSize      = 56 // struct inet_diag_req_v2
	answerUID        = 64 // in struct inet_diag_msg
	answerInode      = 68
	answerSize       = 72
)

func owner(from, to netip.AddrPort) (uint32, bool) {
	uid, known := lookUp(from, to)
	if known && uid == Nobody {
		// A kernel without the module for it says the same of a socket that is certainly there: this end.
		if this, _ := lookUp(to, from); this == Nobody {
			return 0, false
		}
	}
	return uid, known
}

// lookUp asks the kernel for the one socket that has these addresses; whether it is open still is in its inode. Reading /proc/net/tcp could
// miss it while others come and go.
func lookUp(from, to netip.AddrPort) (uint32, bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, false
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, request(from, to), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, false
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil || n < header {
		return 0, false
	}
	return read(answer[:n])
}

// request asks for the socket of a connection from one address to another.
func request(from, to netip.AddrPort) []byte {
	b := make([]byte, header+requestSize)
	native, network := binary.NativeEndian, binary.BigEndian
	native.PutUint32(b[0:], uint32(len(b)))
	native.PutUint16(b[4:], sockDiagByFamily)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST)
	in := b[header:]
	in[0] = unix.AF_INET
	if from.Addr().Is6() {
		in[0] = unix.AF_INET6
	}
	in[1] = unix.IPPROTO_TCP
	native.PutUint32(in[4:], ^uint32(0)) // in whatever state
	network.PutUint16(in[8:], from.Port())
	network.PutUint16(in[10:], to.Port())
	copy(in[12:28], from.Addr().AsSlice())
	copy(in[28:44], to.Addr().AsSlice())
	native.PutUint64(in[48:], ^uint64(0)) // no cookie
	return b
}

// read reads the answer: one socket, or why there is none.
func read(b []byte) (uint32, bool) {
	native := binary.NativeEndian
	kind, in := native.Uint16(b[4:]), b[header:]
	switch {
	case kind == unix.NLMSG_ERROR && len(in) >= 4:
		gone := errors.Is(unix.Errno(-int32(native.Uint32(in))), unix.ENOENT) //nolint:gosec // the kernel's number is negative
		return Nobody, gone
	case kind != sockDiagByFamily || len(in) < answerSize:
		return 0, false
	case native.Uint32(in[answerInode:]) == 0:
		return Nobody, true
	}
	return native.Uint32(in[answerUID:]), true
}
