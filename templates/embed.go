// Package templates holds the templates of everything that gen writes: a root template for each kind of output file
// in terraform/ and go/, what several of them share in partial/, and the first files of a new project in project/.
//
// A template chooses nothing: what to write is a method of its view in internal/fileplan. It writes a value from the
// spec only through one of the functions of internal/render, which quote it.
package templates

import "embed"

// FS holds every template under its path, such as "terraform/table.tf.tmpl".
//
//go:embed terraform/*.tmpl go/*.tmpl partial/*.tmpl project/*.tmpl
var FS embed.FS
