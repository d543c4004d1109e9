package tf

import (
	"errors"
	"fmt"
	"strings"
)

var errKilled = errors.New("stopped at once")

// Error says that a command of terraform or OpenTofu failed.
type Error struct {
	Product Product
	// Op is the command, such as "plan".
	Op string
	// Diagnostics is what terraform had to say, warnings too; it is empty when terraform did not get
	// that far.
	Diagnostics []Diagnostic
	// Err is how the command ended. It answers errors.Is for the context's error.
	Err error
	// Stopped reports that the command was stopped by the caller: its context ended, or Kill was called.
	Stopped bool
}

// Error gives the errors that terraform reported, or else how it ended; both when it was stopped.
func (e *Error) Error() string {
	var parts []string
	for _, d := range e.Diagnostics {
		if d.Severity == SeverityError {
			parts = append(parts, d.String())
		}
	}
	if e.Stopped || len(parts) == 0 {
		parts = append([]string{e.Err.Error()}, parts...)
	}
	return fmt.Sprintf("%s %s: %s", e.Product.command(), e.Op, strings.Join(parts, "; "))
}

// Unwrap gives how the command ended.
func (e *Error) Unwrap() error { return e.Err }
