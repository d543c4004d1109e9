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
)

// Limits of a role. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxTrustPolicy      = 2048  // characters without white space
	maxInlinePolicies   = 10240 // characters without white space, of all inline policies together
	maxAttachedPolicies = 10
)

// awsPolicy is the ARN of a policy that AWS manages. Each one counts as existing: their texts are AWS's.
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

type roleEntry struct {
	Role
	inline   map[string]string // policy documents by name
	attached map[string]bool   // by ARN
}

// Roles is the registry of IAM roles, which are the account's and of no region. It is safe for concurrent use.
type Roles struct {
	account string
	clock   clock.Clock

	mu    sync.Mutex
	roles map[string]*roleEntry // by name in lower case: names differ by more than their case
}

// NewRoles gives an empty registry.
func NewRoles(account string, c clock.Clock) *Roles {
	return &Roles{account: account, clock: c, roles: map[string]*roleEntry{}}
}

// Create adds a role. The registry sets ID, ARN and Created.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
func (r *Roles) Create(role Role) (Role, error) {
	if err := checkTrustPolicy(role.TrustPolicy); err != nil {
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
	created := &roleEntry{Role: role, inline: map[string]string{}, attached: map[string]bool{}}
	r.roles[key] = created
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
		if err := checkTrustPolicy(*u.TrustPolicy); err != nil {
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
	if len(found.attached) > 0 {
		return errorf("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	if len(found.inline) > 0 {
		return errorf("DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	delete(r.roles, strings.ToLower(name))
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
	return nil
}

// PutPolicy sets an inline policy of a role.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
func (r *Roles) PutPolicy(name, policy, document string) error {
	if err := checkIdentityPolicy(document); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	size := policySize(document)
	for other, text := range found.inline {
		if other != policy {
			size += policySize(text)
		}
	}
	if size > maxInlinePolicies {
		return errorf("LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", maxInlinePolicies, name)
	}
	found.inline[policy] = document
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
	document, ok := found.inline[policy]
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
	return slices.Sorted(maps.Keys(found.inline)), nil
}

// DeletePolicy removes an inline policy of a role.
func (r *Roles) DeletePolicy(name, policy string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.find(name)
	if err != nil {
		return err
	}
	if _, ok := found.inline[policy]; !ok {
		return noPolicy(policy)
	}
	delete(found.inline, policy)
	return nil
}

// Attach attaches a policy that AWS manages; attaching it again changes nothing. The registry has no policies of the
// account's own, so that another ARN names none that exists.
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
	if !found.attached[arn] && len(found.attached) == maxAttachedPolicies {
		return errorf("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", maxAttachedPolicies)
	}
	found.attached[arn] = true
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
	if !found.attached[arn] {
		return errorf("NoSuchEntity", "Policy %s was not found.", arn)
	}
	delete(found.attached, arn)
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
	return slices.Sorted(maps.Keys(found.attached)), nil
}
