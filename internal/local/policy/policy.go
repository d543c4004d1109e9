// Package policy decides what the policies of AWS IAM allow. It is pure: a parsed policy never changes, and a decision follows from
// policies and a request alone.
//
// What of the language it does not know is an error where a policy is parsed: nothing is ignored when a decision is made.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Kind is what a policy is for. The grammar differs a little.
type Kind int

// The kinds.
const (
	// Identity says what those who have the policy may do.
	Identity Kind = iota
	// Trust says who may assume a role.
	Trust
	// Resource says who may do what with the resource that it belongs to.
	Resource
)

// Error says what is wrong with a policy's text, in IAM's words where IAM would refuse it too.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func errorf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

func notEmulated(format string, args ...any) error {
	return errorf("streamgen local does not emulate "+format+" in a policy; --iam off accepts it and enforces none", args...)
}

// Policy is a parsed policy.
type Policy struct {
	// Name tells the policy from others of a principal.
	Name       string
	statements []statement
}

type statement struct {
	sid          string
	deny         bool
	principals   *principals // nil in a policy of an identity
	actions      []glob      // in lower case
	notActions   bool
	resources    []resource // nil: any
	notResources bool
	conditions   []condition
}

// The grammar of policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type document struct {
	Version   *string
	ID        *string                       `json:"Id"`
	Statement oneOrMore[*statementDocument] `json:"Statement"`
}

type statementDocument struct {
	Sid, Effect                        string
	Principal, NotPrincipal, Condition json.RawMessage
	Action, NotAction                  oneOrMore[string]
	Resource, NotResource              oneOrMore[string]
}

// oneOrMore is a list that may be written as its only member.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("[")) {
		return unmarshalExact(text, (*[]T)(l))
	}
	*l = make([]T, 1)
	return unmarshalExact(text, &(*l)[0])
}

func unmarshalExact(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

var (
	actionName  = regexp.MustCompile(`^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?-]+)$`)
	resourceARN = regexp.MustCompile(`^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:.+)$`)
	statementID = regexp.MustCompile(`^[A-Za-z0-9]*$`)
)

// Check checks the form of a policy as IAM does. Its error is an [*Error].
func Check(text string, kind Kind) error {
	_, err := read(text, kind)
	return err
}

// Parse checks a policy's form and makes it ready for decisions. Its error is an [*Error].
func Parse(name, text string, kind Kind) (*Policy, error) {
	d, err := read(text, kind)
	if err != nil {
		return nil, err
	}
	p := &Policy{Name: name}
	variables := d.Version != nil && *d.Version == "2012-10-17" // before, "${" was text
	for _, s := range d.Statement {
		compiled, err := s.compile(variables)
		if err != nil {
			return nil, err
		}
		p.statements = append(p.statements, compiled)
	}
	return p, nil
}

func read(text string, kind Kind) (*document, error) {
	if !json.Valid([]byte(text)) {
		return nil, errorf("This policy contains invalid Json")
	}
	var d *document
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil || d == nil || len(d.Statement) == 0 {
		return nil, errorf("Syntax errors in policy.")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errorf("This policy contains invalid Json")
	}
	if d.Version != nil && *d.Version != "2012-10-17" && *d.Version != "2008-10-17" {
		return nil, errorf("Syntax errors in policy.")
	}
	ids := map[string]bool{}
	for _, s := range d.Statement {
		if err := s.check(kind); err != nil {
			return nil, err
		}
		if s.Sid != "" && ids[s.Sid] {
			return nil, errorf("Statement IDs (SID) in a single policy must be unique.")
		}
		ids[s.Sid] = true
	}
	return d, nil
}

func (s *statementDocument) check(kind Kind) error {
	switch {
	case s == nil || !isPrincipal(s.Principal) || !isPrincipal(s.NotPrincipal), s.Effect != "Allow" && s.Effect != "Deny",
		s.Action != nil && s.NotAction != nil, s.Resource != nil && s.NotResource != nil,
		s.Principal != nil && s.NotPrincipal != nil, kind != Resource && !statementID.MatchString(s.Sid),
		s.Condition != nil && !bytes.HasPrefix(s.Condition, []byte("{")):
		return errorf("Syntax errors in policy.")
	case len(s.Action)+len(s.NotAction) == 0:
		return errorf("Policy statement must contain actions.")
	}
	for _, action := range slices.Concat(s.Action, s.NotAction) {
		if !actionName.MatchString(action) {
			return errorf("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		}
	}
	hasPrincipal := s.Principal != nil || s.NotPrincipal != nil
	switch kind {
	case Identity:
		if hasPrincipal {
			return errorf("Policy document should not specify a principal.")
		}
		if len(s.Resource)+len(s.NotResource) == 0 {
			return errorf("Policy statement must contain resources.")
		}
		for _, resource := range slices.Concat(s.Resource, s.NotResource) {
			if !resourceARN.MatchString(resource) {
				return errorf("Resource %s must be in ARN format or \"*\".", resource)
			}
		}
	case Trust:
		if s.Resource != nil || s.NotResource != nil {
			return errorf("Has prohibited field Resource")
		}
		if !hasPrincipal {
			return errorf("Missing required field Principal cannot be empty!")
		}
		for _, action := range slices.Concat(s.Action, s.NotAction) {
			if !strings.HasPrefix(strings.ToLower(action), "sts:") {
				return errorf("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
	case Resource:
		if !hasPrincipal {
			return errorf("Missing required field Principal")
		}
	}
	return nil
}

func isPrincipal(text json.RawMessage) bool {
	return text == nil || string(text) == `"*"` || bytes.HasPrefix(text, []byte("{"))
}

func (s *statementDocument) compile(variables bool) (statement, error) {
	c := statement{sid: s.Sid, deny: s.Effect == "Deny", notActions: s.NotAction != nil, notResources: s.NotResource != nil}
	for _, action := range slices.Concat(s.Action, s.NotAction) {
		g, err := newGlob(strings.ToLower(action), true, false)
		if err != nil {
			return c, err
		}
		c.actions = append(c.actions, g)
	}
	for _, text := range slices.Concat(s.Resource, s.NotResource) {
		r, err := newResource(text, variables)
		if err != nil {
			return c, err
		}
		c.resources = append(c.resources, r)
	}
	var err error
	if c.principals, err = newPrincipals(s.Principal, s.NotPrincipal); err != nil {
		return c, err
	}
	c.conditions, err = newConditions(s.Condition, variables)
	return c, err
}

// principals are those that a statement of a resource's policy is about.
type principals struct {
	not           bool
	anyone        bool
	aws, services []string
}

func newPrincipals(text, not json.RawMessage) (*principals, error) {
	p := &principals{not: not != nil}
	if p.not {
		text = not
	}
	if text == nil {
		return nil, nil
	}
	if string(text) == `"*"` {
		p.anyone = true
		return p, nil
	}
	var named map[string]oneOrMore[string]
	if err := json.Unmarshal(text, &named); err != nil {
		return nil, errorf("Syntax errors in policy.")
	}
	for _, kind := range slices.Sorted(maps.Keys(named)) {
		switch kind {
		case "AWS":
			p.aws = named[kind]
			p.anyone = slices.Contains(p.aws, "*")
		case "Service":
			p.services = named[kind]
		case "Federated", "CanonicalUser": // the stack has no such principals: they are nobody who asks
		default:
			return nil, notEmulated("principals of the kind %s", kind)
		}
	}
	return p, nil
}
