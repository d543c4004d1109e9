package local

import (
	"context"
	"net/http"

	"streamgen/internal/local/peer"
	"streamgen/internal/local/wire"
)

// checkUser refuses other users of this machine: functions run with the rights of whoever started the stack, so that whoever reaches it could do
// what that user can. Root could anyway.
func checkUser(ctx context.Context, own int) error {
	uid, stranger := peer.Stranger(ctx, own)
	if !stranger {
		return nil
	}
	return wire.StatusErrorf(http.StatusForbidden, "AccessDeniedException",
		"streamgen local serves the user %d, who started it, and root: this connection is of user %d; start it with --any-user for all of this machine", own, int32(uid)) //nolint:gosec // nobody is -1
}
