// Package keys is the KMS of the local stack: symmetric keys, their aliases, and encryption with them. What is encrypted is bound to its
// context and opens with its key alone, as on AWS; the keys themselves lie in the process's memory, and in the data folder, as they are.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html
package keys

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
)

// The codes of the errors that this package gives.
const (
	NotFound          = "NotFoundException"
	Disabled          = "DisabledException"
	InvalidState      = "KMSInvalidStateException"
	AlreadyExists     = "AlreadyExistsException"
	InvalidCiphertext = "InvalidCiphertextException"
	IncorrectKey      = "IncorrectKeyException"
	AccessDenied      = "AccessDeniedException"
	Unsupported       = "UnsupportedOperationException"
)

// The states of a key.
const (
	StateEnabled         = "Enabled"
	StateDisabled        = "Disabled"
	StatePendingDeletion = "PendingDeletion"
)

func errorf(code, format string, args ...any) error {
	return &control.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Key is a symmetric key without its material.
type Key struct {
	ID, ARN, Description string
	// Managed says that the key is AWS's own for one of its services: nobody changes or deletes it.
	Managed bool
	Created time.Time
	// State is one of the constants above.
	State string
	// Deleted is when a key that is pending deletion is gone.
	Deleted time.Time
	// Policy is the key's policy. It is checked for its form.
	Policy string
	Tags   map[string]string
	// RotationDays is how often the key's material is renewed; 0 is never. NextRotation is when it is next.
	RotationDays int
	NextRotation time.Time
}

// Alias is another name of a key.
type Alias struct {
	Name, ARN        string // the name with "alias/"
	KeyID            string
	Created, Changed time.Time
}

// key is also what a journal keeps.
type key struct {
	Key
	Material [][]byte // the last one encrypts
}

// Keys are one region's keys and aliases. It is safe for concurrent use.
type Keys struct {
	account, region string
	clock           clock.Clock

	mu                          sync.Mutex
	keys                        map[string]*key
	aliases                     map[string]Alias
	keysJournal, aliasesJournal control.Journal // nil keep nothing
}

// New gives a region's KMS without keys.
func New(account, region string, c clock.Clock) *Keys {
	return &Keys{account: account, region: region, clock: c, keys: map[string]*key{}, aliases: map[string]Alias{}}
}

// Restore takes in what the journals have, and tells them of every change from then on. It comes before all other calls.
func (k *Keys) Restore(keys, aliases control.Journal) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keysJournal, k.aliasesJournal = keys, aliases
	if err := control.Each(keys, func(id string, e *key) { k.keys[id] = e }); err != nil {
		return err
	}
	return control.Each(aliases, func(name string, a Alias) { k.aliases[name] = a })
}

func (k *Keys) keep(e *key) {
	if k.keysJournal != nil {
		k.keysJournal.Put(e.ID, e)
	}
}

func (k *Keys) keepAlias(a Alias) {
	k.aliases[a.Name] = a
	if k.aliasesJournal != nil {
		k.aliasesJournal.Put(a.Name, a)
	}
}

func (k *Keys) dropAlias(name string) {
	delete(k.aliases, name)
	if k.aliasesJournal != nil {
		k.aliasesJournal.Delete(name)
	}
}

func (k *Keys) arn(resource string) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:%s", k.region, k.account, resource)
}

// defaultPolicy lets the account's own IAM decide.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (k *Keys) defaultPolicy() string {
	text, _ := json.MarshalIndent(map[string]any{ // strings only: cannot fail
		"Version": "2012-10-17", "Id": "key-default-1",
		"Statement": []any{map[string]any{
			"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + k.account + ":root"},
			"Action": "kms:*", "Resource": "*",
		}},
	}, "", "  ")
	return string(text)
}

func material() []byte {
	m := make([]byte, 32)
	_, _ = rand.Read(m) // never fails
	return m
}

// Create makes a key. An empty policy is the default one.
func (k *Keys) Create(description, policy string, tags map[string]string) (Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if policy == "" {
		policy = k.defaultPolicy()
	}
	e := k.add(description, policy)
	maps.Copy(e.Tags, tags)
	k.keep(e)
	return e.snapshot(), nil
}

func (k *Keys) add(description, policy string) *key {
	id := uuid.NewString()
	e := &key{Material: [][]byte{material()}, Key: Key{
		ID: id, ARN: k.arn("key/" + id), Description: description, Created: k.clock.Now(), State: StateEnabled, Policy: policy, Tags: map[string]string{}}}
	k.keys[id] = e
	return e
}

func (e *key) snapshot() Key {
	out := e.Key
	out.Tags = maps.Clone(e.Tags)
	return out
}

// managed are the services that have a key of AWS's own, which is there as soon as somebody asks for its alias.
// https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
var managed = []string{"dynamodb", "kinesis", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm"}

// AliasPrefix begins every alias, ManagedPrefix those of AWS's own keys.
const (
	AliasPrefix   = "alias/"
	ManagedPrefix = "alias/aws/"
)

// find gives a key by its id, ARN, alias or alias's ARN. The caller holds k.mu.
func (k *Keys) find(name string) (*key, error) {
	rest := name
	if strings.HasPrefix(name, "arn:") {
		var ours bool
		if rest, ours = strings.CutPrefix(name, k.arn("")); !ours {
			return nil, errorf(NotFound, "Invalid arn %s", name)
		}
		rest = strings.TrimPrefix(rest, "key/")
	}
	if !strings.HasPrefix(rest, AliasPrefix) {
		return k.live(rest)
	}
	if a, found := k.aliases[rest]; found {
		return k.live(a.KeyID)
	}
	service, own := strings.CutPrefix(rest, ManagedPrefix)
	if !own || !slices.Contains(managed, service) {
		return nil, errorf(NotFound, "Alias %s is not found.", k.arn(rest))
	}
	e := k.add("Default key that protects my "+service+" data when no other key is defined", k.defaultPolicy())
	e.Managed, e.RotationDays = true, defaultRotation
	e.NextRotation = e.Created.AddDate(0, 0, defaultRotation)
	k.keep(e)
	k.keepAlias(Alias{Name: rest, ARN: k.arn(rest), KeyID: e.ID, Created: e.Created, Changed: e.Created})
	return e, nil
}

// live gives a key that is not gone, with the material that it has by now. The caller holds k.mu.
func (k *Keys) live(id string) (*key, error) {
	e := k.keys[id]
	now := k.clock.Now()
	if e != nil && e.State == StatePendingDeletion && !e.Deleted.After(now) {
		k.remove(e)
		e = nil
	}
	if e == nil {
		return nil, errorf(NotFound, "Key '%s' does not exist", k.arn("key/"+id))
	}
	for e.RotationDays > 0 && e.State == StateEnabled && !e.NextRotation.After(now) {
		e.Material = append(e.Material, material())
		e.NextRotation = e.NextRotation.AddDate(0, 0, e.RotationDays)
		k.keep(e)
	}
	return e, nil
}

func (k *Keys) remove(e *key) {
	delete(k.keys, e.ID)
	if k.keysJournal != nil {
		k.keysJournal.Delete(e.ID)
	}
	for name, a := range k.aliases {
		if a.KeyID == e.ID {
			k.dropAlias(name)
		}
	}
}

// Get gives a key by its id, its ARN, an alias or an alias's ARN.
func (k *Keys) Get(name string) (Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, err := k.find(name)
	if err != nil {
		return Key{}, err
	}
	return e.snapshot(), nil
}

// List gives every key, ordered by id.
func (k *Keys) List() []Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []Key
	for _, id := range slices.Sorted(maps.Keys(k.keys)) {
		if e, err := k.live(id); err == nil {
			all = append(all, e.snapshot())
		}
	}
	return all
}

// Usable says whether a service could encrypt with the key of an ARN. Keys of other accounts and regions are not this stack's to know:
// they count as usable.
func (k *Keys) Usable(arn string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.Own(arn) {
		return true
	}
	e, err := k.find(arn)
	return err == nil && e.State == StateEnabled
}

// Own says whether an ARN is of a key, or of an alias, of this account and region.
func (k *Keys) Own(arn string) bool { return strings.HasPrefix(arn, k.arn("")) }

// update applies change to a key that is neither AWS's own nor pending deletion.
func (k *Keys) update(name string, change func(*key) error) (Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, err := k.find(name)
	if err != nil {
		return Key{}, err
	}
	if err := k.changeable(e); err != nil {
		return Key{}, err
	}
	if err := change(e); err != nil {
		return Key{}, err
	}
	k.keep(e)
	return e.snapshot(), nil
}

func (k *Keys) changeable(e *key) error {
	if e.Managed {
		return errorf(AccessDenied, "User: arn:aws:iam::%s:root is not authorized to change %s: it is an AWS managed key", k.account, e.ARN)
	}
	if e.State == StatePendingDeletion {
		return errorf(InvalidState, "%s is pending deletion.", e.ARN)
	}
	return nil
}

// Describe sets a key's description.
func (k *Keys) Describe(name, description string) error {
	_, err := k.update(name, func(e *key) error { e.Description = description; return nil })
	return err
}

// SetPolicy sets a key's policy.
func (k *Keys) SetPolicy(name, policy string) error {
	_, err := k.update(name, func(e *key) error { e.Policy = policy; return nil })
	return err
}

// UpdateTags applies change to a key's tags.
func (k *Keys) UpdateTags(name string, change func(tags map[string]string) error) error {
	_, err := k.update(name, func(e *key) error {
		tags := maps.Clone(e.Tags)
		if err := change(tags); err != nil {
			return err
		}
		e.Tags = tags
		return nil
	})
	return err
}

// Enable and disable a key.
func (k *Keys) Enable(name string, enabled bool) error {
	_, err := k.update(name, func(e *key) error {
		e.State = StateDisabled
		if enabled {
			e.State = StateEnabled
		}
		return nil
	})
	return err
}

// defaultRotation is how often a key's material is renewed when nothing else is said, in days.
const defaultRotation = 365

// Rotate says how often a key's material is renewed: 90 to 2560 days, 0 for what it was or else 365, -1 for never.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html
func (k *Keys) Rotate(name string, days int) error {
	_, err := k.update(name, func(e *key) error {
		if e.State == StateDisabled {
			return errorf(Disabled, "%s is disabled.", e.ARN)
		}
		switch {
		case days < 0:
			e.RotationDays, e.NextRotation = 0, time.Time{}
			return nil
		case days == 0 && e.RotationDays > 0:
			return nil
		case days == 0:
			days = defaultRotation
		}
		e.RotationDays, e.NextRotation = days, k.clock.Now().AddDate(0, 0, days)
		return nil
	})
	return err
}

// ScheduleDeletion lets a key be gone in so many days, 7 to 30.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
func (k *Keys) ScheduleDeletion(name string, days int) (Key, error) {
	return k.update(name, func(e *key) error {
		e.State, e.Deleted = StatePendingDeletion, k.clock.Now().AddDate(0, 0, days)
		return nil
	})
}

// CancelDeletion keeps a key that was to be deleted; it is disabled.
func (k *Keys) CancelDeletion(name string) (Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, err := k.find(name)
	if err != nil {
		return Key{}, err
	}
	if e.State != StatePendingDeletion {
		return Key{}, errorf(InvalidState, "%s is not pending deletion.", e.ARN)
	}
	e.State, e.Deleted = StateDisabled, time.Time{}
	k.keep(e)
	return e.snapshot(), nil
}

// CreateAlias names a key.
func (k *Keys) CreateAlias(name, target string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, taken := k.aliases[name]; taken {
		return errorf(AlreadyExists, "An alias with the name %s already exists", k.arn(name))
	}
	return k.point(name, target, k.clock.Now())
}

// UpdateAlias names another key.
func (k *Keys) UpdateAlias(name, target string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, found := k.aliases[name]
	if !found {
		return errorf(NotFound, "Alias %s is not found.", k.arn(name))
	}
	return k.point(name, target, a.Created)
}

func (k *Keys) point(name, target string, created time.Time) error {
	e, err := k.find(target)
	if err != nil {
		return err
	}
	if err := k.changeable(e); err != nil {
		return err
	}
	k.keepAlias(Alias{Name: name, ARN: k.arn(name), KeyID: e.ID, Created: created, Changed: k.clock.Now()})
	return nil
}

// DeleteAlias removes an alias; its key stays.
func (k *Keys) DeleteAlias(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, found := k.aliases[name]; !found {
		return errorf(NotFound, "Alias %s is not found.", k.arn(name))
	}
	k.dropAlias(name)
	return nil
}

// Aliases gives every alias, or those of one key, ordered by name.
func (k *Keys) Aliases(keyName string) ([]Alias, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := ""
	if keyName != "" {
		e, err := k.find(keyName)
		if err != nil {
			return nil, err
		}
		id = e.ID
	}
	var all []Alias
	for _, name := range slices.Sorted(maps.Keys(k.aliases)) {
		if a := k.aliases[name]; id == "" || a.KeyID == id {
			all = append(all, a)
		}
	}
	return all, nil
}
