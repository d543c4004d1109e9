package host

import (
	"fmt"
	"regexp"
	"strings"
)

// Latest is the version of a function that changes.
const Latest = "$LATEST"

var namePattern = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)

// ValidName says whether a function may be named so.
func ValidName(name string) bool { return namePattern.MatchString(name) }

// Ref names a function.
type Ref struct {
	Name string
	// Qualifier is a version or an alias, "" when none was given.
	Qualifier string
}

// Parse reads the ways in which Lambda lets a caller name a function: name, ACCOUNT:function:name or the whole ARN, each
// with or without :QUALIFIER. A function of another account or region is not found.
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
func (h *Host) Parse(s string) (Ref, error) {
	parts := strings.Split(s, ":")
	if parts[0] == "arn" {
		if len(parts) < 7 || parts[2] != "lambda" {
			return Ref{}, invalidRef(s)
		}
		if parts[3] != h.opts.Region {
			return Ref{}, errorf(ResourceNotFound, "Functions from '%s' are not reachable in this region ('%s')", parts[3], h.opts.Region)
		}
		parts = parts[4:]
	}
	if len(parts) >= 3 && parts[1] == "function" {
		if parts[0] != h.opts.Account {
			return Ref{}, errorf(ResourceNotFound, "Function not found: %s", s)
		}
		parts = parts[2:]
	}
	if len(parts) > 2 || !ValidName(parts[0]) {
		return Ref{}, invalidRef(s)
	}
	ref := Ref{Name: parts[0]}
	if len(parts) == 2 {
		if ref.Qualifier = parts[1]; ref.Qualifier == "" {
			return Ref{}, invalidRef(s)
		}
	}
	return ref, nil
}

func invalidRef(s string) *Error {
	return errorf(InvalidParameterValue, "%q is neither a function's name nor its ARN", s)
}

// ARN is the function's ARN, with its qualifier if it has one.
func (h *Host) ARN(r Ref) string {
	arn := fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", h.opts.Region, h.opts.Account, r.Name)
	if r.Qualifier != "" {
		arn += ":" + r.Qualifier
	}
	return arn
}
