package local

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// listen opens a loopback address. The stack asks nobody for credentials and runs what it is given: no other machine
// may reach it.
func listen(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the address to listen on: %w", err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%q is no loopback address: the stack is for this machine alone; listen on 127.0.0.1:%s", address, port)
	}
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", net.JoinHostPort(host, port))
}
