package engine

import (
	"errors"
	"fmt"

	"streamgen/internal/local/attr"
	"streamgen/internal/local/expr"
)

// Error is an answer of the service that is no success.
type Error struct {
	// Code is the error's name on the wire, such as "ResourceNotFoundException".
	Code    string
	Message string
	// Item is the item that a condition failed on, where the request asked for it.
	Item attr.Item
	// Reasons say what each action of a canceled transaction has to do with that.
	Reasons []Reason
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// conditionFailed is the code of a condition that does not hold.
const conditionFailed = "ConditionalCheckFailedException"

func fail(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func validation(format string, args ...any) error {
	return fail("ValidationException", format, args...)
}

func noTable(name string) error {
	return fail("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

// noItems is how reads and writes of items say it when the table does not exist.
func noItems(string) error { return fail("ResourceNotFoundException", "Requested resource not found") }

// noIndex is how an update of a table says that the index does not exist.
func noIndex() error { return fail("ResourceNotFoundException", "Requested resource not found") }

// reason is an error's message without its code.
func reason(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// invalid gives errors of expressions and values the service's code.
func invalid(err error) error {
	var badExpression *expr.Error
	var badValue *attr.ValueError
	if errors.As(err, &badExpression) || errors.As(err, &badValue) {
		return validation("%v", err)
	}
	return err
}
