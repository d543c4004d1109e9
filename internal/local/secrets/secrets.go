// Package secrets is the Secrets Manager of the local stack: secrets with their versions, which are kept encrypted.
//
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
package secrets

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/keys"
)

// The codes of the errors that this package gives.
const (
	NotFound       = "ResourceNotFoundException"
	Exists         = "ResourceExistsException"
	InvalidRequest = "InvalidRequestException"
	InvalidInput   = "InvalidParameterException"
)

// The labels that the service itself moves.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
	Pending  = "AWSPENDING"
)

const (
	// defaultKey encrypts secrets that name no key.
	defaultKey = "alias/aws/secretsmanager"
	// maxVersions is how many versions of a secret are kept; those without a label go first.
	maxVersions = 100
)

func errorf(code, format string, args ...any) error {
	return &control.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Value is what a secret holds: text, or bytes where Binary says so.
type Value struct {
	Data   []byte
	Binary bool
}

// Version is one version of a secret's value.
type Version struct {
	ID      string
	Stages  []string
	Created time.Time
}

// Secret is a secret without its value.
type Secret struct {
	Name, ARN, Description string
	// KeyID is the key that encrypts its values, as it was named; "" is AWS's own.
	KeyID string
	// Policy is the resource policy. It is checked for its form.
	Policy           string
	Tags             map[string]string
	Created, Changed time.Time
	// Accessed is the day on which the value was read last; Deleted is when it is gone for good, of a secret that is to be.
	Accessed, Deleted time.Time
	Versions          []Version
}

// Stages gives the labels of each version that has one.
func (s Secret) Stages() map[string][]string {
	all := map[string][]string{}
	for _, v := range s.Versions {
		if len(v.Stages) > 0 {
			all[v.ID] = v.Stages
		}
	}
	return all
}

type version struct {
	Version
	Sealed []byte
	Binary bool
}

// secret is also what a journal keeps.
type secret struct {
	Secret
	Values []*version // in the order in which they were put
}

// Store holds one region's secrets. It is safe for concurrent use.
type Store struct {
	account, region string
	clock           clock.Clock
	keys            *keys.Keys

	mu      sync.Mutex
	secrets map[string]*secret
	journal control.Journal // nil keeps nothing
}

// New gives a store without secrets, which encrypts with the region's keys.
func New(account, region string, c clock.Clock, k *keys.Keys) *Store {
	return &Store{account: account, region: region, clock: c, keys: k, secrets: map[string]*secret{}}
}

// Restore takes in what the journal has, and tells it of every change from then on. It comes before all other calls.
func (s *Store) Restore(j control.Journal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = j
	return control.Each(j, func(name string, e *secret) { s.secrets[name] = e })
}

func (s *Store) keep(e *secret) {
	if s.journal != nil {
		s.journal.Put(e.Name, e)
	}
}

func (s *Store) drop(e *secret) {
	delete(s.secrets, e.Name)
	if s.journal != nil {
		s.journal.Delete(e.Name)
	}
}

// suffix is the end of a secret's ARN, which tells it from a later one of its name.
func suffix() string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	text := make([]byte, 6)
	_, _ = rand.Read(text) // never fails
	for i := range text {
		text[i] = letters[int(text[i])%len(letters)]
	}
	return string(text)
}

func (e *secret) snapshot() Secret {
	out := e.Secret
	out.Tags, out.Versions = maps.Clone(e.Tags), nil
	for _, v := range e.Values {
		shown := v.Version
		shown.Stages = slices.Clone(v.Stages)
		out.Versions = append(out.Versions, shown)
	}
	return out
}

// find gives a secret by its name, its ARN, or its ARN without the suffix. The caller holds s.mu.
func (s *Store) find(id string) (*secret, error) {
	now := s.clock.Now()
	for _, e := range s.secrets {
		if e.Name != id && e.ARN != id && e.ARN[:len(e.ARN)-len("-abcdef")] != id {
			continue
		}
		if !e.Deleted.IsZero() && !e.Deleted.After(now) {
			s.drop(e)
			break
		}
		return e, nil
	}
	return nil, errorf(NotFound, "Secrets Manager can't find the specified secret.")
}

// live gives a secret that is not to be deleted. The caller holds s.mu.
func (s *Store) live(id string) (*secret, error) {
	e, err := s.find(id)
	if err == nil && !e.Deleted.IsZero() {
		return nil, errorf(InvalidRequest, "You can't perform this operation on the secret because it was marked for deletion.")
	}
	return e, err
}

// context is what a value is bound to.
func (e *secret) context(id string) map[string]string {
	return map[string]string{"SecretARN": e.ARN, "SecretVersionId": id}
}

// badKey is an error of the key as this service words it.
func badKey(code string, err error) error {
	var e *control.Error
	if errors.As(err, &e) {
		return errorf(code, "Access to KMS is not allowed: %s: %s", e.Code, e.Message)
	}
	return err
}

// Create makes a secret, with a value unless it is nil. token becomes the version's id; "" makes one up.
func (s *Store) Create(about Secret, value *Value, token string) (Secret, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e, _ := s.find(about.Name); {
	case e == nil:
	case !e.Deleted.IsZero():
		return Secret{}, "", errorf(InvalidRequest, "You can't create this secret because a secret with this name is already scheduled for deletion.")
	default:
		return Secret{}, "", errorf(Exists, "The operation failed because the secret %s already exists.", about.Name)
	}
	now := s.clock.Now()
	about.ARN = fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", s.region, s.account, about.Name, suffix())
	about.Created, about.Changed, about.Tags = now, now, maps.Clone(about.Tags)
	if about.Tags == nil {
		about.Tags = map[string]string{}
	}
	e, id := &secret{Secret: about}, ""
	if value != nil {
		v, err := s.put(e, *value, token, []string{Current})
		if err != nil {
			return Secret{}, "", err
		}
		id = v.ID
	}
	s.secrets[about.Name] = e
	s.keep(e)
	return e.snapshot(), id, nil
}

// put adds a version. The same one again changes nothing. The caller holds s.mu.
func (s *Store) put(e *secret, value Value, token string, stages []string) (*version, error) {
	if token == "" {
		token = uuid.NewString()
	}
	if i := slices.IndexFunc(e.Values, func(v *version) bool { return v.ID == token }); i >= 0 {
		have, err := s.open(e, e.Values[i])
		if err != nil {
			return nil, err
		}
		if have.Binary != value.Binary || !bytes.Equal(have.Data, value.Data) {
			return nil, errorf(Exists, "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", token, e.ARN)
		}
		return e.Values[i], nil
	}
	key := e.KeyID
	if key == "" {
		key = defaultKey
	}
	sealed, _, err := s.keys.Encrypt(key, value.Data, e.context(token))
	if err != nil {
		return nil, badKey("EncryptionFailure", err)
	}
	v := &version{Version: Version{ID: token, Created: s.clock.Now()}, Sealed: sealed, Binary: value.Binary}
	e.Values = append(e.Values, v)
	for _, stage := range stages {
		e.label(stage, v)
	}
	for len(e.Values) > maxVersions {
		i := max(slices.IndexFunc(e.Values, func(v *version) bool { return len(v.Stages) == 0 }), 0)
		e.Values = slices.Delete(e.Values, i, i+1)
	}
	e.Changed = s.clock.Now()
	return v, nil
}

// holder gives the version that has a label, or nil.
func (e *secret) holder(stage string) *version {
	for _, v := range e.Values {
		if slices.Contains(v.Stages, stage) {
			return v
		}
	}
	return nil
}

func (v *version) unlabel(stage string) {
	v.Stages = slices.DeleteFunc(v.Stages, func(s string) bool { return s == stage })
}

// label moves a label to a version, or away if that is nil. What was current is the previous one then.
func (e *secret) label(stage string, to *version) {
	from := e.holder(stage)
	if from == to {
		return
	}
	if from != nil {
		from.unlabel(stage)
	}
	if to != nil {
		to.Stages = append(to.Stages, stage)
	}
	if stage == Current && from != nil {
		to.unlabel(Previous)
		e.label(Previous, from)
	}
}

// Put adds a version to a secret, with labels; none are the one of the current version.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
func (s *Store) Put(id string, value Value, token string, stages []string) (Secret, Version, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.live(id)
	if err != nil {
		return Secret{}, Version{}, err
	}
	if len(stages) == 0 {
		stages = []string{Current}
	}
	v, err := s.put(e, value, token, stages)
	if err != nil {
		return Secret{}, Version{}, err
	}
	s.keep(e)
	shown := v.Version
	shown.Stages = slices.Clone(v.Stages)
	return e.snapshot(), shown, nil
}

// Update changes a secret, and adds a current version unless value is nil. It gives the version's id, or "".
func (s *Store) Update(id string, change func(*Secret), value *Value, token string) (Secret, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.live(id)
	if err != nil {
		return Secret{}, "", err
	}
	was := e.Secret
	change(&e.Secret)
	added := ""
	if value != nil {
		v, err := s.put(e, *value, token, []string{Current})
		if err != nil {
			e.Secret = was
			return Secret{}, "", err
		}
		added = v.ID
	}
	e.Changed = s.clock.Now()
	s.keep(e)
	return e.snapshot(), added, nil
}

func (s *Store) open(e *secret, v *version) (Value, error) {
	plain, _, err := s.keys.Decrypt("", v.Sealed, e.context(v.ID))
	if err != nil {
		return Value{}, badKey("DecryptionFailure", err)
	}
	return Value{plain, v.Binary}, nil
}

// Get gives a secret's value: of a version, of a label, or of both if they are one; of the current version when both are empty.
func (s *Store) Get(id, versionID, stage string) (Secret, Version, Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.live(id)
	if err != nil {
		return Secret{}, Version{}, Value{}, err
	}
	if versionID == "" && stage == "" {
		stage = Current
	}
	i := slices.IndexFunc(e.Values, func(v *version) bool {
		return (versionID == "" || v.ID == versionID) && (stage == "" || slices.Contains(v.Stages, stage))
	})
	if i < 0 {
		what := "staging label: " + stage
		if versionID != "" {
			what = "VersionId: " + versionID
		}
		return Secret{}, Version{}, Value{}, errorf(NotFound, "Secrets Manager can't find the specified secret value for %s", what)
	}
	v := e.Values[i]
	value, err := s.open(e, v)
	if err != nil {
		return Secret{}, Version{}, Value{}, err
	}
	if today := s.clock.Now().UTC().Truncate(24 * time.Hour); !today.Equal(e.Accessed) {
		e.Accessed = today
		s.keep(e)
	}
	shown := v.Version
	shown.Stages = slices.Clone(v.Stages)
	return e.snapshot(), shown, value, nil
}

// Describe gives a secret, also one that is to be deleted.
func (s *Store) Describe(id string) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return Secret{}, err
	}
	return e.snapshot(), nil
}

// List gives every secret by name, also those that are to be deleted.
func (s *Store) List() []Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Secret
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		if e, err := s.find(name); err == nil {
			all = append(all, e.snapshot())
		}
	}
	return all
}

// Delete lets a secret be gone in so many days; 0 is at once.
func (s *Store) Delete(id string, days int) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return Secret{}, err
	}
	if !e.Deleted.IsZero() && days > 0 {
		return Secret{}, errorf(InvalidRequest, "You can't perform this operation on the secret because it was already scheduled for deletion.")
	}
	e.Deleted = s.clock.Now().AddDate(0, 0, days)
	if days == 0 {
		s.drop(e)
	} else {
		s.keep(e)
	}
	return e.snapshot(), nil
}

// Undelete keeps a secret that was to be deleted.
func (s *Store) Undelete(id string) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.find(id)
	if err != nil {
		return Secret{}, err
	}
	e.Deleted = time.Time{}
	s.keep(e)
	return e.snapshot(), nil
}

// Move moves a label of a secret to a version, away from one, or both.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (s *Store) Move(id, stage, to, from string) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.live(id)
	if err != nil {
		return Secret{}, err
	}
	holder := e.holder(stage)
	switch {
	case from != "" && (holder == nil || holder.ID != from):
		return Secret{}, errorf(InvalidInput, "The parameter RemoveFromVersionId can't be %s: staging label %s isn't currently attached to that version", from, stage)
	case from == "" && holder != nil && holder.ID != to:
		return Secret{}, errorf(InvalidInput, "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder.ID)
	case to == "" && stage == Current:
		return Secret{}, errorf(InvalidInput, "You can only move staging label %s to a different secret version. It can't be completely removed.", Current)
	case to == "":
		e.label(stage, nil)
	default:
		i := slices.IndexFunc(e.Values, func(v *version) bool { return v.ID == to })
		if i < 0 {
			return Secret{}, errorf(NotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", to)
		}
		e.label(stage, e.Values[i])
	}
	s.keep(e)
	return e.snapshot(), nil
}
