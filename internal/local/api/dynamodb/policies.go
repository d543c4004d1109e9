package dynamodb

import (
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
	if err := s.checkPolicy(*in.Policy); err != nil {
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

// checkPolicy checks a policy that says who may use its table or stream.
func (s service) checkPolicy(text string) error {
	if len(text) > maxPolicy {
		return wire.Errorf("ValidationException", "Resource-based policy size exceeds the limit of %d bytes", maxPolicy)
	}
	if err := s.policies.Check(text); err != nil {
		return wire.Errorf("ValidationException", "Invalid policy document: %v", err)
	}
	return nil
}
