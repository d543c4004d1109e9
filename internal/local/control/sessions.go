package control

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"streamgen/internal/local/policy"
)

// keyPrefix begins the access keys that the registry gives out, and those of no other: a key of an earlier life of the stack is known for
// what it is, and anybody else's for nobody's.
const keyPrefix = "ASIASTREAMGEN"

// NobodysKey is an access key that no session has.
const NobodysKey = keyPrefix + "NOBODY"

// IsSessionKey says whether an access key was given out by a registry, be it another one.
func IsSessionKey(accessKeyID string) bool { return strings.HasPrefix(accessKeyID, keyPrefix) }

// Session is somebody who acts as a role.
type Session struct {
	AccessKeyID, SecretAccessKey, Token string
	// RoleARN and RoleID are the role's as it was when the session began: another role of the name is not this one.
	RoleARN, RoleID string
	// Name tells the role's sessions apart. ARN and ID are the session's own.
	Name, ARN, ID string
	// Function is the ARN of the function whose processes have the session; "" for one of AssumeRole.
	Function string
	// Issued is when it began, Expires when it ends; zero is never.
	Issued, Expires time.Time
}

// Access is what a role may do and who may assume it. It is a value of its moment and not to be changed.
type Access struct {
	Role     Role
	Trust    *policy.Policy
	Policies []*policy.Policy
}

// Access gives what the role with an ARN may do.
func (r *Roles) Access(arn string) (*Access, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.access(arn)
}

func (r *Roles) access(arn string) (*Access, error) {
	name := roleName(arn)
	found, err := r.find(name)
	if err != nil {
		return nil, err
	}
	if found.ARN != arn {
		return nil, errorf("NoSuchEntity", "The role with name %s cannot be found.", name)
	}
	if found.access != nil {
		return found.access, nil
	}
	access := &Access{Role: found.snapshot()}
	if access.Trust, err = policy.Parse("the trust policy", found.TrustPolicy, policy.Trust); err != nil {
		return nil, unreadable("trust policy", found.Name, err)
	}
	for _, inline := range slices.Sorted(maps.Keys(found.Inline)) {
		p, err := policy.Parse(inline, found.Inline[inline], policy.Identity)
		if err != nil {
			return nil, unreadable("policy "+inline, found.Name, err)
		}
		access.Policies = append(access.Policies, p)
	}
	for _, attached := range slices.Sorted(maps.Keys(found.Attached)) {
		p, err := managedPolicy(attached)
		if err != nil {
			return nil, unreadable("policy "+attached, found.Name, err)
		}
		access.Policies = append(access.Policies, p)
	}
	found.access = access
	return access, nil
}

// unreadable is about a policy that was put while policies were not enforced.
func unreadable(what, role string, err error) error {
	return errorf("MalformedPolicyDocument", "streamgen local: the %s of role %s: %v", what, role, err)
}

// FunctionSession gives the session that the processes of a function have, of the function's role. It lasts as long as the role.
func (r *Roles) FunctionSession(roleARN, functionARN string) (Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	access, err := r.access(roleARN)
	if err != nil {
		return Session{}, err
	}
	for _, s := range r.sessions {
		if s.Function == functionARN && s.RoleID == access.Role.ID {
			return *s, nil
		}
	}
	name := functionARN[strings.LastIndex(functionARN, ":")+1:]
	return r.begin(access.Role, Session{Name: name, Function: functionARN}), nil
}

// MayAssume says whether the role's trust policy lets a principal assume the role; identity are the principal's own policies. It is false
// for a role that does not exist.
func (r *Roles) MayAssume(who policy.Principal, identity []*policy.Policy, roleARN string, keys policy.Keys) (policy.Decision, error) {
	access, err := r.Access(roleARN)
	var missing *Error
	if errors.As(err, &missing) && missing.Code == "NoSuchEntity" {
		return policy.Decision{ByResource: true}, nil
	}
	if err != nil {
		return policy.Decision{}, err
	}
	return policy.Decide(policy.Policies{Identity: identity, Resource: access.Trust, Owned: true},
		policy.Request{Principal: who, Action: "sts:AssumeRole", Resource: roleARN, Keys: keys}), nil
}

// Assume begins a session of a role that ends after its duration. Whether the caller may assume the role is [Roles.MayAssume]'s to say.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (r *Roles) Assume(roleARN, name string, duration time.Duration) (Session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	access, err := r.access(roleARN)
	if err != nil {
		return Session{}, err
	}
	if longest := time.Duration(access.Role.MaxSessionSeconds) * time.Second; duration > longest {
		return Session{}, errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return r.begin(access.Role, Session{Name: name, Expires: r.clock.Now().Add(duration)}), nil
}

func (r *Roles) begin(role Role, s Session) Session {
	now := r.clock.Now()
	maps.DeleteFunc(r.sessions, func(_ string, old *Session) bool {
		gone := r.roles[strings.ToLower(roleName(old.RoleARN))]
		return gone == nil || gone.ID != old.RoleID || !old.Expires.IsZero() && now.Sub(old.Expires) > expiredKept
	})
	var token [96]byte
	_, _ = rand.Read(token[:]) // never fails
	s.AccessKeyID, s.SecretAccessKey = keyPrefix+rand.Text()[:16], rand.Text()
	s.Token = base64.StdEncoding.EncodeToString(token[:])
	s.RoleARN, s.RoleID, s.Issued = role.ARN, role.ID, now
	s.ARN = "arn:aws:sts::" + r.account + ":assumed-role/" + role.Name + "/" + s.Name
	s.ID = role.ID + ":" + s.Name
	r.sessions[s.AccessKeyID] = &s
	return s
}

func roleName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// expiredKept is how long a session that ended is known as such.
const expiredKept = 24 * time.Hour

// The ways in which credentials are not good for anything.
var (
	// ErrToken is about credentials that the registry did not give out, or not so.
	ErrToken = errors.New("The security token included in the request is invalid.") //nolint:staticcheck,revive // AWS's words
	// ErrExpired is about a session that is over.
	ErrExpired = errors.New("The security token included in the request is expired") //nolint:staticcheck // AWS's words
)

// Caller gives the session of an access key, whether or not it is over.
func (r *Roles) Caller(accessKeyID string) (Session, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, found := r.sessions[accessKeyID]
	if !found {
		return Session{}, false
	}
	return *s, true
}

// Principal is the session as policies name it.
func (s Session) Principal(account string) policy.Principal {
	return policy.Principal{ARN: s.ARN, Role: s.RoleARN, Account: account}
}

// Session gives the session of an access key and its role's access. token must be the one that belongs to the key. The error is
// [ErrToken] or [ErrExpired] when there is no such session, or says which policy of the role cannot be read.
func (r *Roles) Session(accessKeyID, token string) (Session, *Access, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.sessions[accessKeyID]
	if s == nil || s.Token != token {
		return Session{}, nil, ErrToken
	}
	if !s.Expires.IsZero() && !r.clock.Now().Before(s.Expires) {
		return Session{}, nil, ErrExpired
	}
	role := r.roles[strings.ToLower(roleName(s.RoleARN))]
	if role == nil || role.ID != s.RoleID {
		return Session{}, nil, ErrToken
	}
	access, err := r.access(s.RoleARN)
	return *s, access, err
}
