package policy

import (
	"slices"
	"strings"
)

// Principal is who asks.
type Principal struct {
	// ARN is a role's session, a service has none. Role is the ARN of the session's role.
	ARN, Role string
	// Account is the twelve digits of the principal's account.
	Account string
	// Root says that it is the account itself, which may do everything in it.
	Root bool
	// Service is a service of AWS, such as "lambda.amazonaws.com".
	Service string
}

// Request is what somebody wants to do.
type Request struct {
	Principal Principal
	// Action is such as "dynamodb:PutItem".
	Action string
	// Resource is the ARN that the action is about, or "*" for an action that is about none.
	Resource string
	Keys     Keys
}

// Policies are those that a decision is made by.
type Policies struct {
	// Identity are the principal's own.
	Identity []*Policy
	// Resource is that of the resource; nil when it has none.
	Resource *Policy
	// Owned says that the resource's policy must take part: it allows the principal, or it leaves the matter to the policies of the
	// principal's account. So it is with roles and with keys of KMS. Elsewhere either allows within an account.
	Owned bool
}

// Decision is what the policies say.
type Decision struct {
	Allowed bool
	// Statement denies; nil when nothing allows.
	Statement *Denial
	// ByResource says that what denies, or what fails to allow, is the resource's policy.
	ByResource bool
}

// Denial is a statement that denies.
type Denial struct{ Policy, Sid string }

// Decide makes the decision on a request: a statement that denies wins, else one must allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
func Decide(p Policies, r Request) Decision {
	r.Action = strings.ToLower(r.Action)
	allowed := r.Principal.Root
	for _, policy := range p.Identity {
		for i := range policy.statements {
			s := &policy.statements[i]
			if allowed && !s.deny || !s.applies(r) {
				continue
			}
			if s.deny {
				return Decision{Statement: &Denial{policy.Name, s.sid}}
			}
			allowed = true
		}
	}
	direct, delegated := false, false
	if p.Resource != nil {
		for i := range p.Resource.statements {
			s := &p.Resource.statements[i]
			named, account := s.principals.match(r.Principal)
			if !named && !account || !s.applies(r) {
				continue
			}
			if s.deny {
				return Decision{Statement: &Denial{p.Resource.Name, s.sid}, ByResource: true}
			}
			direct, delegated = direct || named, delegated || account
		}
	}
	if p.Owned {
		return Decision{Allowed: direct || delegated && allowed, ByResource: !direct && !delegated}
	}
	return Decision{Allowed: allowed || direct}
}

// applies says whether the statement is about the request, whoever makes it.
func (s *statement) applies(r Request) bool {
	if slices.ContainsFunc(s.actions, func(g glob) bool { return fits(g.elements, r.Action) }) == s.notActions {
		return false
	}
	if s.resources != nil && slices.ContainsFunc(s.resources, func(p resource) bool { return p.match(r.Resource, r.Keys) }) == s.notResources {
		return false
	}
	return !slices.ContainsFunc(s.conditions, func(c condition) bool { return !c.holds(r.Keys) })
}

// match says whether the principal is meant: by its name, or as one of its account. A statement for an account leaves to the account's
// policies what its principals may do.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (p *principals) match(who Principal) (named, account bool) {
	if p == nil {
		return false, false
	}
	named = p.anyone || who.Service != "" && slices.Contains(p.services, who.Service)
	for _, arn := range p.aws {
		switch {
		case who.Account == "":
		case arn == who.Account, arn == "arn:aws:iam::"+who.Account+":root":
			named, account = named || who.Root, true
		case arn == who.ARN, arn == who.Role && arn != "":
			named = true
		}
	}
	if p.not {
		return !named && !account, false
	}
	return named, account
}

// Because is how AWS's messages end that refuse an action, in AWS's spelling of it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (d Decision) Because(action string) string {
	kind := "identity"
	if d.ByResource {
		kind = "resource"
	}
	if d.Statement != nil {
		return "with an explicit deny in " + map[string]string{"identity": "an identity", "resource": "a resource"}[kind] + "-based policy"
	}
	return "because no " + kind + "-based policy allows the " + action + " action"
}
