// Package runtime carries the sources of the handler library, so that a project that cannot download the library
// gets a copy of it.
package runtime

import "embed"

// Source holds the Go files of the packages that generated code imports, their tests among them, as "stream/change.go".
//
//go:embed stream/*.go streamtest/*.go streamsqs/*.go streamdynamodb/*.go
var Source embed.FS
