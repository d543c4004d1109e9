// Package parameters is the Parameter Store of the local stack: parameters with their versions, of which secure ones are kept encrypted.
//
// https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
package parameters

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/keys"
)

// The types of a parameter.
const (
	String       = "String"
	StringList   = "StringList"
	SecureString = "SecureString"
)

// The codes of the errors that this package gives.
const (
	NotFound        = "ParameterNotFound"
	VersionNotFound = "ParameterVersionNotFound"
	AlreadyExists   = "ParameterAlreadyExists"
	InvalidKey      = "InvalidKeyId"
	MaxVersions     = 100 // of a parameter, that are kept
)

// DefaultKey encrypts secure parameters that name no key.
const DefaultKey = "alias/aws/ssm"

func errorf(code, format string, args ...any) error {
	return &control.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Version is one version of a parameter.
type Version struct {
	Number int64
	// Type is one of the constants above.
	Type string
	// Value is as it was put, or encrypted and in base64 for a secure one.
	Value string
	// KeyID is the key of a secure one, as it was named.
	KeyID                             string
	Description, AllowedPattern, Tier string
	Modified                          time.Time
}

// Parameter is a parameter as one of its versions.
type Parameter struct {
	Name, ARN string
	Version
}

// parameter is also what a journal keeps.
type parameter struct {
	Name, ARN string
	Versions  []Version // the last one is the current one
	Tags      map[string]string
}

func (p *parameter) at(i int) Parameter { return Parameter{p.Name, p.ARN, p.Versions[i]} }

// Store holds one region's parameters. It is safe for concurrent use.
type Store struct {
	account, region string
	clock           clock.Clock
	keys            *keys.Keys

	mu         sync.Mutex
	parameters map[string]*parameter
	journal    control.Journal // nil keeps nothing
}

// New gives a store without parameters, which encrypts with the region's keys.
func New(account, region string, c clock.Clock, k *keys.Keys) *Store {
	return &Store{account: account, region: region, clock: c, keys: k, parameters: map[string]*parameter{}}
}

// Restore takes in what the journal has, and tells it of every change from then on. It comes before all other calls.
func (s *Store) Restore(j control.Journal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = j
	return control.Each(j, func(name string, p *parameter) { s.parameters[name] = p })
}

func (s *Store) keep(p *parameter) {
	if s.journal != nil {
		s.journal.Put(p.Name, p)
	}
}

func (s *Store) prefix() string {
	return fmt.Sprintf("arn:aws:ssm:%s:%s:parameter/", s.region, s.account)
}

func (s *Store) arn(name string) string { return s.prefix() + strings.TrimPrefix(name, "/") }

// context is what a secure value is bound to.
func (p *parameter) context() map[string]string { return map[string]string{"PARAMETER_ARN": p.ARN} }

// Put makes a parameter, or a new version of one if it may overwrite: without a type, a key or, if it is nil, a description, that has the
// ones of the version before. tags are those of a new parameter. It gives the version's number.
func (s *Store) Put(name string, v Version, description *string, overwrite bool, tags map[string]string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if description != nil {
		v.Description = *description
	}
	p := s.parameters[name]
	switch {
	case p == nil:
		p = &parameter{Name: name, ARN: s.arn(name), Tags: map[string]string{}}
		maps.Copy(p.Tags, tags)
	case !overwrite:
		return 0, errorf(AlreadyExists, "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	default:
		last := p.Versions[len(p.Versions)-1]
		if v.Type == "" {
			v.Type = last.Type
		}
		if description == nil {
			v.Description = last.Description
		}
		if v.KeyID == "" && v.Type == SecureString {
			v.KeyID = last.KeyID
		}
		v.Number = last.Number
	}
	v.Number++
	v.Modified = s.clock.Now()
	if v.Type == SecureString {
		if v.KeyID == "" {
			v.KeyID = DefaultKey
		}
		sealed, _, err := s.keys.Encrypt(v.KeyID, []byte(v.Value), p.context())
		if err != nil {
			return 0, badKey(err)
		}
		v.Value = base64.StdEncoding.EncodeToString(sealed)
	}
	p.Versions = append(p.Versions, v)
	p.Versions = p.Versions[max(len(p.Versions)-MaxVersions, 0):]
	s.parameters[name] = p
	s.keep(p)
	return v.Number, nil
}

// badKey is an error of the key as this service words it.
func badKey(err error) error {
	var e *control.Error
	if errors.As(err, &e) {
		return errorf(InvalidKey, "%s (Service: AWSKMS; Status Code: 400; Error Code: %s)", e.Message, e.Code)
	}
	return err
}

// find gives a parameter by its name or ARN. The caller holds s.mu.
func (s *Store) find(name string) (*parameter, error) {
	if rest, isARN := strings.CutPrefix(name, s.prefix()); isARN {
		if name = rest; s.parameters[name] == nil {
			name = "/" + rest
		}
	}
	if p := s.parameters[name]; p != nil {
		return p, nil
	}
	return nil, errorf(NotFound, "Parameter %s not found.", name)
}

// open gives a version's value decrypted. The caller holds s.mu.
func (s *Store) open(p *parameter, at Parameter) (Parameter, error) {
	if at.Type != SecureString {
		return at, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(at.Value)
	if err != nil {
		return Parameter{}, err
	}
	plain, _, err := s.keys.Decrypt("", sealed, p.context())
	if err != nil {
		return Parameter{}, badKey(err)
	}
	at.Value = string(plain)
	return at, nil
}

// Get gives a parameter by its name or ARN, of a version; 0 is the current one.
func (s *Store) Get(name string, version int64, decrypt bool) (Parameter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.find(name)
	if err != nil {
		return Parameter{}, err
	}
	i := len(p.Versions) - 1
	if version != 0 {
		i = slices.IndexFunc(p.Versions, func(v Version) bool { return v.Number == version })
	}
	if i < 0 {
		return Parameter{}, errorf(VersionNotFound, "Systems Manager could not find version %d of %s. Verify the version and try again.", version, p.Name)
	}
	if !decrypt {
		return p.at(i), nil
	}
	return s.open(p, p.at(i))
}

// History gives the versions of a parameter that are kept, the oldest first.
func (s *Store) History(name string, decrypt bool) ([]Parameter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.find(name)
	if err != nil {
		return nil, err
	}
	all := make([]Parameter, len(p.Versions))
	for i := range p.Versions {
		all[i] = p.at(i)
		if decrypt {
			if all[i], err = s.open(p, all[i]); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// List gives every parameter as it is now, ordered by name. Secure ones stay encrypted.
func (s *Store) List() []Parameter {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Parameter, 0, len(s.parameters))
	for _, name := range slices.Sorted(maps.Keys(s.parameters)) {
		p := s.parameters[name]
		all = append(all, p.at(len(p.Versions)-1))
	}
	return all
}

// Delete removes a parameter.
func (s *Store) Delete(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.find(name)
	if err != nil {
		return err
	}
	delete(s.parameters, p.Name)
	if s.journal != nil {
		s.journal.Delete(p.Name)
	}
	return nil
}

// UpdateTags applies change to a parameter's tags; nothing changes when it gives an error.
func (s *Store) UpdateTags(name string, change func(tags map[string]string) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.find(name)
	if err != nil {
		return err
	}
	tags := maps.Clone(p.Tags)
	if err := change(tags); err != nil {
		return err
	}
	p.Tags = tags
	s.keep(p)
	return nil
}
