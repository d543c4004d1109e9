package local

import (
	"context"
	"net"
	"net/http"

	"streamgen/internal/local/peer"
	"streamgen/internal/local/wire"
)

// userKey is where a connection's context has the user at its other end.
type userKey struct{}

// withUser notes whose process is at the other end of a connection, where that can be told.
func withUser(ctx context.Context, c net.Conn) context.Context {
	if uid, known := peer.Owner(c); known {
		return context.WithValue(ctx, userKey{}, uid)
	}
	return ctx
}

// checkUser refuses other users of this machine: functions run with the rights of whoever started the stack, so that whoever reaches it could do
// what that user can. Root could anyway.
func checkUser(ctx context.Context, own int) error {
	uid, known := ctx.Value(userKey{}).(uint32)
	if !known || int64(uid) == int64(own) || uid == 0 {
		return nil
	}
	return wire.StatusErrorf(http.StatusForbidden, "AccessDeniedException",
		"streamgen local serves the user %d, who started it, and root: this connection is of user %d; start it with --any-user for all of this machine", own, int32(uid)) //nolint:gosec // nobody is -1
}
