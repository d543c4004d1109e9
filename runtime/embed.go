// Package runtime carries the sources of the handler library, so that a project that cannot download the library
// gets a copy of it.
package runtime

import "embed"

// Source holds the Go files of packages stream and streamtest, their tests among them, under "stream/" and "streamtest/".
//
//go:embed stream/*.go streamtest/*.go
var Source embed.FS
