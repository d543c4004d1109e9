// Package expr reads and applies DynamoDB's expressions: conditions, filters, key conditions, projections and updates. Errors are
// worded as the service words them, since clients parse them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
package expr

import "fmt"

// Error says that an expression or its substitutions are not valid: DynamoDB calls it a ValidationException.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// in names the parameter that holds the expression in front of an error.
func in(parameter string, err error) error {
	if err == nil {
		return nil
	}
	return errorf("Invalid %s: %v", parameter, err)
}
