// Package runtime carries the sources of the handler library, so that a project that cannot download the library
// gets a copy of it.
package runtime

import "embed"

// Source holds the Go files of package stream, its tests among them, under "stream/".
//
//go:embed stream/*.go
var Source embed.FS
