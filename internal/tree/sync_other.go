//go:build !linux

package tree

import (
	"errors"
	"os"
)

// canSyncTogether is false where a file system cannot be told to write all that it holds back.
const canSyncTogether = false

func syncTogether(*os.Root) error { return errors.ErrUnsupported }
