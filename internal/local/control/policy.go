package control

import (
	"errors"
	"unicode"

	"streamgen/internal/local/policy"
)

// check checks a policy as IAM does and, where policies are enforced, refuses by its name what a decision would have to ignore.
func (r *Roles) check(text string, kind policy.Kind) error {
	err := checkPolicy(text, kind, r.enforced)
	var wrong *policy.Error
	if errors.As(err, &wrong) {
		return &Error{Code: "MalformedPolicyDocument", Message: wrong.Message}
	}
	if err == nil && kind == policy.Trust && policySize(text) > maxTrustPolicy {
		return errorf("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", maxTrustPolicy)
	}
	return err
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
