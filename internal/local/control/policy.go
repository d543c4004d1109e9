package control

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The grammar of policies: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html

type policyDocument struct {
	Version   *string
	ID        *string               `json:"Id"`
	Statement oneOrMore[*statement] `json:"Statement"`
}

type statement struct {
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

func malformed(message string) error {
	return &Error{Code: "MalformedPolicyDocument", Message: message}
}

func parsePolicy(text string) (*policyDocument, error) {
	if !json.Valid([]byte(text)) {
		return nil, malformed("This policy contains invalid Json")
	}
	var p *policyDocument
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || p == nil || len(p.Statement) == 0 {
		return nil, malformed("Syntax errors in policy.")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, malformed("This policy contains invalid Json")
	}
	if p.Version != nil && *p.Version != "2012-10-17" && *p.Version != "2008-10-17" {
		return nil, malformed("Syntax errors in policy.")
	}
	ids := map[string]bool{}
	for _, s := range p.Statement {
		switch {
		case s == nil || !isPrincipal(s.Principal) || !isPrincipal(s.NotPrincipal), s.Effect != "Allow" && s.Effect != "Deny",
			s.Action != nil && s.NotAction != nil, s.Resource != nil && s.NotResource != nil,
			s.Principal != nil && s.NotPrincipal != nil, !statementID.MatchString(s.Sid),
			s.Condition != nil && !bytes.HasPrefix(s.Condition, []byte("{")):
			return nil, malformed("Syntax errors in policy.")
		case len(s.Action)+len(s.NotAction) == 0:
			return nil, malformed("Policy statement must contain actions.")
		case s.Sid != "" && ids[s.Sid]:
			return nil, malformed("Statement IDs (SID) in a single policy must be unique.")
		}
		ids[s.Sid] = true
		for _, action := range slices.Concat(s.Action, s.NotAction) {
			if !actionName.MatchString(action) {
				return nil, malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			}
		}
	}
	return p, nil
}

func isPrincipal(text json.RawMessage) bool {
	return text == nil || string(text) == `"*"` || bytes.HasPrefix(text, []byte("{"))
}

// checkIdentityPolicy checks a policy that says what its holder may do.
func checkIdentityPolicy(text string) error {
	p, err := parsePolicy(text)
	if err != nil {
		return err
	}
	for _, s := range p.Statement {
		if s.Principal != nil || s.NotPrincipal != nil {
			return malformed("Policy document should not specify a principal.")
		}
		if len(s.Resource)+len(s.NotResource) == 0 {
			return malformed("Policy statement must contain resources.")
		}
		for _, resource := range slices.Concat(s.Resource, s.NotResource) {
			if !resourceARN.MatchString(resource) {
				return malformed("Resource " + resource + ` must be in ARN format or "*".`)
			}
		}
	}
	return nil
}

// checkTrustPolicy checks a policy that says who may assume a role.
func checkTrustPolicy(text string) error {
	p, err := parsePolicy(text)
	if err != nil {
		return err
	}
	for _, s := range p.Statement {
		switch {
		case s.Resource != nil || s.NotResource != nil:
			return malformed("Has prohibited field Resource")
		case s.Principal == nil && s.NotPrincipal == nil:
			return malformed("Missing required field Principal cannot be empty!")
		}
		for _, action := range slices.Concat(s.Action, s.NotAction) {
			if !strings.HasPrefix(strings.ToLower(action), "sts:") {
				return malformed("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
	}
	if policySize(text) > maxTrustPolicy {
		return errorf("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", maxTrustPolicy)
	}
	return nil
}

// policySize counts a policy's characters as IAM's quotas do, without white space.
func policySize(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
