package control

import "streamgen/internal/local/policy"

// ResourcePolicies checks the policies that say who may use a resource.
type ResourcePolicies struct {
	// Enforced says that decisions are made by them.
	Enforced bool
}

// Check checks a policy's form and, where policies are enforced, refuses by its name what a decision would have to ignore. What is wrong
// is the error's message.
func (p ResourcePolicies) Check(text string) error {
	return checkPolicy(text, policy.Resource, p.Enforced)
}

func checkPolicy(text string, kind policy.Kind, enforced bool) error {
	if !enforced {
		return policy.Check(text, kind)
	}
	_, err := policy.Parse("", text, kind)
	return err
}
