package control

import (
	"crypto/rand"
	"encoding/base32"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/policy"
)

// Limits of a role. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxTrustPolicy      = 2048  // characters without white space
	maxInlinePolicies   = 10240 // characters without white space, of all inline policies together
	maxAttachedPolicies = 10
)

// awsPolicy is the ARN of a policy that AWS manages.
var awsPolicy = regexp.MustCompile(`^arn:aws[a-z-]*:iam::aws:policy/([!-~]+/)?[\w+=,.@-]+$`)

// Role is an IAM role.
type Role struct {
	Name, Path, ID, ARN, Description string
	// TrustPolicy is the JSON policy that says who may assume the role, as it was given.
	TrustPolicy string
	// MaxSessionSeconds is the longest session, 3600 to 43200.
	MaxSessionSeconds int
	Created           time.Time
	Tags              map[string]string
}

// roleEntry is also what a journal keeps.
type roleEntry struct {
	Role
	Inline   map[string]string // policy documents by name
	Attached map[string]bool   // by ARN

	access *Access // what follows from all that; nil until it is asked for again
}

// Roles is the registry of IAM roles and of the sessions of those who act as one. They are the account's and of no region. It is safe for
// concurrent use.
type Roles struct {
	account  string
	clock    clock.Clock
	enforced bool

	mu       sync.Mutex
	roles    map[string]*roleEntry // by name in lower case: names differ by more than their case
	sessions map[string]*Session   // by access key
	journal  Journal               // nil keeps nothing
}

// NewRoles gives an empty registry. enforced says that decisions are made by the policies: what of them a decision does not know is then
// refused where it is put.
func NewRoles(account string, c clock.Clock, enforced bool) *Roles {
	return &Roles{account: account, clock: c, enforced: enforced, roles: map[string]*roleEntry{}, sessions: map[string]*Session{}}
}

// Restore takes in the roles that the journal has, and tells it of every change from then on. It comes before all other calls.
func (r *Roles) Restore(j Journal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.journal = j
	return each(j, func(key string, role *roleEntry) { r.roles[key] = role })
}

// keep tells the journal of a role that changed.
func (r *Roles) keep(role *roleEntry) {
	role.access = nil
	if r.journal != nil {
		r.journal.Put(strings.ToLower(role.Name), role)
	}
}

// Create adds a role. The registry sets ID, ARN and Created.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
func (r *Roles) Create(role Role) (Role, error) {
	if err := r.check(role.TrustPolicy, policy.Trust); err != nil {
		return Role{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := strings.ToLower(role.Name)
	if _, found := r.roles[key]; found {
		return Role{}, errorf("EntityAlreadyExists", "Role with name %s already exists.", role.Name)
	}
	role.ID = "AROA" + uniqueID()
	role.ARN = "arn:aws:iam::" + r.account + ":role" + role.Path + role.Name
	role.Created = r.clock.Now().UTC().Truncate(time.Second)
	role.Tags = maps.Clone(role.Tags)
	created := &roleEntry{Role: role, Inline: map[string]string{}, Attached: map[string]bool{}}
	r.roles[key] = created
	r.keep(created)
	return created.snapshot(), nil
}

// uniqueID gives the 17 characters that follow the prefix of an IAM identifier.
func uniqueID() string {
	var random [11]byte
	_, _ = rand.Read(random[:]) // never fails
	return base32.StdEncoding.EncodeToString(random[:])[:17]
}

func (r *roleEntry) snapshot() Role {
	s := r.Role
	s.Tags = maps.Clone(s.Tags)
	return s
}

func (r *Roles) find(name string) (*roleEntry, error) {
	if found := r.roles[strings.ToLower(name)]; found != nil && found.Name == name {
		return found, nil
	}
	return nil, errorf("NoSuchEntity", "The role with name %s cannot be found.", name)
}

// Get is the role of a name.
func (r *Roles) Get(name string) (Role, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return Role{}, err
	}
	return found.snapshot(), nil
}

// List gives every role, ordered by name.
func (r *Roles) List() []Role {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Role
	for _, key := range slices.Sorted(maps.Keys(r.roles)) {
		all = append(all, r.roles[key].snapshot())
	}
	return all
}

// RoleUpdate says what of a role changes; nil leaves a member as it is.
type RoleUpdate struct {
	Description       *string
	MaxSessionSeconds *int
	TrustPolicy       *string
}

// Update changes a role.
func (r *Roles) Update(name string, u RoleUpdate) (Role, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return Role{}, err
	}
	if u.TrustPolicy != nil {
		if err := r.check(*u.TrustPolicy, policy.Trust); err != nil {
			return Role{}, err
		}
		found.TrustPolicy = *u.TrustPolicy
	}
	if u.Description != nil {
		found.Description = *u.Description
	}
	if u.MaxSessionSeconds != nil {
		found.MaxSessionSeconds = *u.MaxSessionSeconds
	}
	r.keep(found)
	return found.snapshot(), nil
}

// Delete removes a role that has no policies any more.
func (r *Roles) Delete(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	if len(found.Attached) > 0 {
		return errorf("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	if len(found.Inline) > 0 {
		return errorf("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	delete(r.roles, strings.ToLower(name))
	if r.journal != nil {
		r.journal.Delete(strings.ToLower(name))
	}
	return nil
}

// Tag sets tags of a role.
func (r *Roles) Tag(name string, tags map[string]string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	all := maps.Clone(found.Tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, tags)
	if len(all) > MaxTags {
		return errorf("LimitExceeded", "Cannot exceed quota for TagsPerRole: %d", MaxTags)
	}
	found.Tags = all
	r.keep(found)
	return nil
}

// Untag removes tags of a role; keys that it has not are passed over.
func (r *Roles) Untag(name string, keys []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	for _, key := range keys {
		delete(found.Tags, key)
	}
	r.keep(found)
	return nil
}

// PutPolicy sets an inline policy of a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
func (r *Roles) PutPolicy(name, inline, document string) error {
	if err := r.check(document, policy.Identity); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	size := policySize(document)
	for other, text := range found.Inline {
		if other != inline {
			size += policySize(text)
		}
	}
	if size > maxInlinePolicies {
		return errorf("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", maxInlinePolicies, name)
	}
	found.Inline[inline] = document
	r.keep(found)
	return nil
}

// Policy is the document of a role's inline policy.
func (r *Roles) Policy(name, policy string) (document string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return "", err
	}
	document, ok := found.Inline[policy]
	if !ok {
		return "", noPolicy(policy)
	}
	return document, nil
}

func noPolicy(name string) error {
	return errorf("NoSuchEntity", "The role policy with name %s cannot be found.", name)
}

// Policies gives the names of a role's inline policies in order.
func (r *Roles) Policies(name string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(found.Inline)), nil
}

// DeletePolicy removes an inline policy of a role.
func (r *Roles) DeletePolicy(name, policy string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	if _, ok := found.Inline[policy]; !ok {
		return noPolicy(policy)
	}
	delete(found.Inline, policy)
	r.keep(found)
	return nil
}

// Attach attaches a policy that AWS manages; attaching it again changes nothing. Where policies are enforced, it is one whose statements
// are known. The registry has no policies of the account's own, so that another ARN names none that exists.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
func (r *Roles) Attach(name, arn string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	if !awsPolicy.MatchString(arn) {
		return errorf("NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	if _, known := managedPolicies[arn]; r.enforced && !known {
		return errorf("NoSuchEntity", "streamgen local does not emulate the policy %s; --iam off attaches it and enforces none", arn)
	}
	if !found.Attached[arn] && len(found.Attached) == maxAttachedPolicies {
		return errorf("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", maxAttachedPolicies)
	}
	found.Attached[arn] = true
	r.keep(found)
	return nil
}

// Detach is the reverse of [Roles.Attach].
func (r *Roles) Detach(name, arn string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	if !found.Attached[arn] {
		return errorf("NoSuchEntity", "Policy %s was not found.", arn)
	}
	delete(found.Attached, arn)
	r.keep(found)
	return nil
}

// Attached gives the ARNs of a role's attached policies in order.
func (r *Roles) Attached(name string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(found.Attached)), nil
}
