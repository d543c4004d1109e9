package dynamodb

import (
	"bytes"
	"encoding/json"
	"fmt"

	"streamgen/internal/local/wire"
)

// maxPolicy is the greatest length of a resource policy in bytes, white space included.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
const maxPolicy = 20 << 10

type resourcePolicyInput struct {
	ResourceArn        string
	ExpectedRevisionID string `json:"ExpectedRevisionId"`
}

func (in *resourcePolicyInput) constraints() []constraint {
	return []constraint{
		required("resourceArn", in.ResourceArn != ""),
		length("resourceArn", in.ResourceArn, len(in.ResourceArn), 0, 1283),
		length("expectedRevisionId", in.ExpectedRevisionID, len(in.ExpectedRevisionID), 0, 255),
	}
}

type revisionOutput struct {
	RevisionID string `json:"RevisionId,omitempty"`
}

type putResourcePolicyInput struct {
	resourcePolicyInput
	Policy *string
}

func (s service) putResourcePolicy(in *putResourcePolicyInput) (*revisionOutput, error) {
	if err := check(append(in.constraints(), required("policy", in.Policy != nil))...); err != nil {
		return nil, err
	}
	if err := checkPolicy(*in.Policy); err != nil {
		return nil, err
	}
	revision, err := s.engine.PutResourcePolicy(in.ResourceArn, *in.Policy, in.ExpectedRevisionID)
	return &revisionOutput{RevisionID: revision}, err
}

func (s service) deleteResourcePolicy(in *resourcePolicyInput) (*revisionOutput, error) {
	if err := check(in.constraints()...); err != nil {
		return nil, err
	}
	revision, err := s.engine.DeleteResourcePolicy(in.ResourceArn, in.ExpectedRevisionID)
	return &revisionOutput{RevisionID: revision}, err
}

type getResourcePolicyOutput struct {
	Policy     string
	RevisionID string `json:"RevisionId"`
}

func (s service) getResourcePolicy(in *struct{ ResourceArn string }) (*getResourcePolicyOutput, error) {
	if err := check(required("resourceArn", in.ResourceArn != "")); err != nil {
		return nil, err
	}
	p, err := s.engine.ResourcePolicy(in.ResourceArn)
	return &getResourcePolicyOutput{Policy: p.Text, RevisionID: p.Revision}, err
}

// checkPolicy checks the form of a policy that says who may use its resource: statements with an effect, a principal and actions.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func checkPolicy(text string) error {
	if len(text) > maxPolicy {
		return wire.Errorf("ValidationException", "Resource-based policy size exceeds the limit of %d bytes", maxPolicy)
	}
	invalid := func(why string) error { return wire.Errorf("ValidationException", "Invalid policy document: %s", why) }
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return invalid("it is no JSON object")
	}
	statements := bytes.TrimSpace(policy.Statement)
	if !bytes.HasPrefix(statements, []byte("[")) {
		statements = fmt.Appendf(nil, "[%s]", statements)
	}
	var list []struct {
		Effect                                     string
		Principal, NotPrincipal, Action, NotAction json.RawMessage
	}
	if err := json.Unmarshal(statements, &list); err != nil || len(list) == 0 {
		return invalid("it has no statements")
	}
	for i, s := range list {
		switch {
		case s.Effect != "Allow" && s.Effect != "Deny":
			return invalid(fmt.Sprintf("the Effect of statement %d is neither Allow nor Deny", i+1))
		case (s.Principal == nil) == (s.NotPrincipal == nil):
			return invalid(fmt.Sprintf("statement %d needs either Principal or NotPrincipal", i+1))
		case (s.Action == nil) == (s.NotAction == nil):
			return invalid(fmt.Sprintf("statement %d needs either Action or NotAction", i+1))
		}
	}
	return nil
}
