package control

import "streamgen/internal/local/policy"

// CheckResourcePolicy checks a policy that says who may use a resource, and refuses by its name what a decision would have to ignore. What
// is wrong with it is the error's message.
func CheckResourcePolicy(text string) error {
	_, err := policy.Parse("", text, policy.Resource)
	return err
}
