// Package control holds the registries of the local stack for resources that have no behaviour there: IAM roles with
// their policies, log groups with their events, and scalable targets. Permissions are kept and given back, never enforced.
package control

import (
	"encoding/json"
	"fmt"
)

// Error is a rule of AWS's that a call broke.
type Error struct {
	// Code is AWS's name for the rule, such as "NoSuchEntity".
	Code string
	// Message is AWS's text for it.
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// APIError gives what the error is called on the wire, and what clients show.
func (e *Error) APIError() (code, message string) { return e.Code, e.Message }

func errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// MaxTags is how many tags a resource may have.
const MaxTags = 50

// Journal keeps the entries of a registry by a key, so that they outlive the process. It is called under the registry's lock.
type Journal interface {
	// Put keeps an entry as JSON, as it is now.
	Put(key string, entry any)
	Delete(key string)
	// Each gives what is kept, in the order of the keys.
	Each(f func(key string, entry []byte) error) error
}

// each gives what a journal keeps as what it was.
func each[E any](j Journal, f func(key string, entry E)) error {
	return j.Each(func(key string, text []byte) error {
		var entry E
		if err := json.Unmarshal(text, &entry); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
		f(key, entry)
		return nil
	})
}

// Each gives what a journal keeps, for a registry of another package.
func Each[E any](j Journal, f func(key string, entry E)) error { return each(j, f) }
