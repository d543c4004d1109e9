// Package secretsmanager is the front end of Secrets Manager in the local stack.
//
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html
package secretsmanager

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"streamgen/internal/local/control"
	"streamgen/internal/local/secrets"
	"streamgen/internal/local/wire"
)

// Target is what stands before the operation in X-Amz-Target.
const Target = "secretsmanager"

// New gives the front end of one region's secrets.
func New(store *secrets.Store, policies control.ResourcePolicies) http.Handler {
	s := service{store, policies}
	return &wire.JSON{Version: "1.1", Target: Target, Operations: map[string]wire.Operation{
		"CreateSecret":             wire.Func("CreateSecret", s.create),
		"DescribeSecret":           wire.Func("DescribeSecret", s.describe),
		"ListSecrets":              wire.Func("ListSecrets", s.list),
		"UpdateSecret":             wire.Func("UpdateSecret", s.update),
		"DeleteSecret":             wire.Func("DeleteSecret", s.remove),
		"RestoreSecret":            wire.Func("RestoreSecret", s.restore),
		"GetSecretValue":           wire.Func("GetSecretValue", s.getValue),
		"PutSecretValue":           wire.Func("PutSecretValue", s.putValue),
		"ListSecretVersionIds":     wire.Func("ListSecretVersionIds", s.listVersions),
		"UpdateSecretVersionStage": wire.Func("UpdateSecretVersionStage", s.moveStage),
		"GetResourcePolicy":        wire.Func("GetResourcePolicy", s.getPolicy),
		"PutResourcePolicy":        wire.Func("PutResourcePolicy", s.putPolicy),
		"DeleteResourcePolicy":     wire.Func("DeleteResourcePolicy", s.deletePolicy),
		"TagResource":              wire.Func("TagResource", s.tag),
		"UntagResource":            wire.Func("UntagResource", s.untag),
	}}
}

type service struct {
	store    *secrets.Store
	policies control.ResourcePolicies
}

// none is the output of an operation that has none.
type none struct{}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}

type tag struct{ Key, Value string }

func addTags(tags map[string]string, added []tag) error {
	for _, t := range added {
		if n := utf8.RuneCountInString(t.Key); n < 1 || n > 128 || utf8.RuneCountInString(t.Value) > 256 {
			return invalid("The tag %q must have a key of 1 to 128 characters and a value of at most 256.", t.Key)
		}
		tags[t.Key] = t.Value
	}
	if len(tags) > control.MaxTags {
		return invalid("A secret can have %d tags.", control.MaxTags)
	}
	return nil
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)

// maxValue is the largest value of a secret, in bytes.
const maxValue = 65536

// content is the value in a request; an empty text is none.
type content struct {
	SecretString *string
	SecretBinary []byte
}

// value is what the secret is to hold, or nil.
func (c *content) value() (*secrets.Value, error) {
	switch {
	case c.SecretString != nil && c.SecretBinary != nil:
		return nil, invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
	case c.SecretString != nil && len(*c.SecretString) > maxValue || len(c.SecretBinary) > maxValue:
		return nil, wire.Errorf("ValidationException", "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to %d", maxValue)
	case c.SecretString != nil && *c.SecretString != "":
		return &secrets.Value{Data: []byte(*c.SecretString)}, nil
	case c.SecretBinary != nil:
		return &secrets.Value{Data: c.SecretBinary, Binary: true}, nil
	}
	return nil, nil
}

func checkToken(token string) error {
	if token != "" && (len(token) < 32 || len(token) > 64) {
		return invalid("ClientRequestToken must be 32-64 characters long.")
	}
	return nil
}

type createInput struct {
	Name, Description, ClientRequestToken string
	KMSKeyID                              string `json:"KmsKeyId"`
	content
	Tags                        []tag
	Type                        string
	AddReplicaRegions           []json.RawMessage
	ForceOverwriteReplicaSecret bool // of replicas, of which there are none
}

type reference struct {
	ARN, Name     string
	VersionID     string   `json:"VersionId,omitempty"`
	VersionStages []string `json:",omitempty"`
}

func (s service) create(in *createInput) (*reference, error) {
	switch {
	case in.Name == "":
		return nil, invalid("You must provide a name.")
	case !secretName.MatchString(in.Name):
		return nil, wire.Errorf("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	case utf8.RuneCountInString(in.Description) > 2048:
		return nil, wire.Errorf("ValidationException", "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 2048")
	case len(in.AddReplicaRegions) > 0:
		return nil, wire.NotEmulated("AddReplicaRegions of CreateSecret")
	case in.Type != "":
		return nil, wire.NotEmulated("Type of CreateSecret")
	}
	if err := checkToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	value, err := in.value()
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	if err := addTags(tags, in.Tags); err != nil {
		return nil, err
	}
	made, id, err := s.store.Create(secrets.Secret{Name: in.Name, Description: in.Description, KeyID: in.KMSKeyID, Tags: tags}, value, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	return &reference{ARN: made.ARN, Name: made.Name, VersionID: id}, nil
}

type secretInput struct {
	SecretID string `json:"SecretId"`
}

type description struct {
	ARN, Name              string
	Description            string              `json:",omitempty"`
	KMSKeyID               string              `json:"KmsKeyId,omitempty"`
	CreatedDate            *wire.EpochSeconds  `json:",omitempty"`
	LastChangedDate        *wire.EpochSeconds  `json:",omitempty"`
	LastAccessedDate       *wire.EpochSeconds  `json:",omitempty"`
	DeletedDate            *wire.EpochSeconds  `json:",omitempty"`
	Tags                   []tag               `json:",omitempty"`
	VersionIDsToStages     map[string][]string `json:"VersionIdsToStages,omitempty"`
	SecretVersionsToStages map[string][]string `json:",omitempty"`
}

func described(s secrets.Secret) *description {
	d := &description{ARN: s.ARN, Name: s.Name, Description: s.Description, KMSKeyID: s.KeyID, CreatedDate: wire.Moment(s.Created), LastChangedDate: wire.Moment(s.Changed),
		LastAccessedDate: wire.Moment(s.Accessed), DeletedDate: wire.Moment(s.Deleted)}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		d.Tags = append(d.Tags, tag{key, s.Tags[key]})
	}
	return d
}

func (s service) describe(in *secretInput) (*description, error) {
	found, err := s.store.Describe(in.SecretID)
	if err != nil {
		return nil, err
	}
	d := described(found)
	d.VersionIDsToStages = found.Stages()
	return d, nil
}

type filter struct {
	Key    string
	Values []string
}

// matches says whether a secret is what a filter asks for: one of its values, at the beginning, or not if it begins with "!".
func (f filter) matches(s secrets.Secret) (bool, error) {
	texts := map[string][]string{"name": {s.Name}, "description": {s.Description}, "tag-key": slices.Collect(maps.Keys(s.Tags)), "tag-value": slices.Collect(maps.Values(s.Tags))}[f.Key]
	if !slices.Contains([]string{"name", "description", "tag-key", "tag-value"}, f.Key) {
		return false, wire.NotEmulated("the filter " + f.Key + " of ListSecrets")
	}
	return slices.ContainsFunc(f.Values, func(wanted string) bool {
		rest, not := strings.CutPrefix(wanted, "!")
		return slices.ContainsFunc(texts, func(text string) bool { return strings.HasPrefix(text, rest) }) != not
	}), nil
}

type listInput struct {
	Filters                []filter
	IncludePlannedDeletion bool
	MaxResults             *int
	NextToken              string
	SortOrder              string
}

type listOutput struct {
	SecretList []*description
	NextToken  string `json:",omitempty"`
}

func (s service) list(in *listInput) (*listOutput, error) {
	limit := 100
	if in.MaxResults != nil {
		if limit = *in.MaxResults; limit < 1 || limit > 100 {
			return nil, invalid("MaxResults must be between 1 and 100.")
		}
	}
	all := s.store.List()
	if in.SortOrder == "desc" {
		slices.Reverse(all)
	}
	out := &listOutput{SecretList: []*description{}}
	skipping := in.NextToken != ""
	for _, one := range all {
		if skipping {
			skipping = one.Name != in.NextToken
			continue
		}
		matched := in.IncludePlannedDeletion || one.Deleted.IsZero()
		for _, f := range in.Filters {
			ok, err := f.matches(one)
			if err != nil {
				return nil, err
			}
			matched = matched && ok
		}
		if !matched {
			continue
		}
		if len(out.SecretList) == limit {
			out.NextToken = out.SecretList[limit-1].Name
			break
		}
		d := described(one)
		d.SecretVersionsToStages = one.Stages()
		out.SecretList = append(out.SecretList, d)
	}
	if skipping {
		return nil, wire.Errorf("InvalidNextTokenException", "The next token is not valid.")
	}
	return out, nil
}

type updateInput struct {
	SecretID           string `json:"SecretId"`
	Description        *string
	KMSKeyID           *string `json:"KmsKeyId"`
	ClientRequestToken string
	content
}

func (s service) update(in *updateInput) (*reference, error) {
	if err := checkToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	value, err := in.value()
	if err != nil {
		return nil, err
	}
	changed, id, err := s.store.Update(in.SecretID, func(to *secrets.Secret) {
		if in.Description != nil {
			to.Description = *in.Description
		}
		if in.KMSKeyID != nil {
			to.KeyID = *in.KMSKeyID
		}
	}, value, in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	return &reference{ARN: changed.ARN, Name: changed.Name, VersionID: id}, nil
}

type removeInput struct {
	SecretID                   string `json:"SecretId"`
	ForceDeleteWithoutRecovery bool
	RecoveryWindowInDays       *int
}

type removeOutput struct {
	ARN, Name    string
	DeletionDate *wire.EpochSeconds
}

func (s service) remove(in *removeInput) (*removeOutput, error) {
	days := 30
	switch {
	case in.ForceDeleteWithoutRecovery && in.RecoveryWindowInDays != nil:
		return nil, invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case in.ForceDeleteWithoutRecovery:
		days = 0
	case in.RecoveryWindowInDays != nil:
		if days = *in.RecoveryWindowInDays; days < 7 || days > 30 {
			return nil, invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
		}
	}
	gone, err := s.store.Delete(in.SecretID, days)
	if err != nil {
		return nil, err
	}
	return &removeOutput{gone.ARN, gone.Name, wire.Moment(gone.Deleted)}, nil
}

func (s service) restore(in *secretInput) (*reference, error) {
	kept, err := s.store.Undelete(in.SecretID)
	if err != nil {
		return nil, err
	}
	return &reference{ARN: kept.ARN, Name: kept.Name}, nil
}

type getValueInput struct {
	SecretID     string `json:"SecretId"`
	VersionID    string `json:"VersionId"`
	VersionStage string
}

type getValueOutput struct {
	reference
	SecretString *string            `json:",omitempty"`
	SecretBinary []byte             `json:",omitempty"`
	CreatedDate  *wire.EpochSeconds `json:",omitempty"`
}

func (s service) getValue(in *getValueInput) (*getValueOutput, error) {
	about, version, value, err := s.store.Get(in.SecretID, in.VersionID, in.VersionStage)
	if err != nil {
		return nil, err
	}
	out := &getValueOutput{reference: reference{about.ARN, about.Name, version.ID, version.Stages}, CreatedDate: wire.Moment(version.Created)}
	if value.Binary {
		out.SecretBinary = value.Data
	} else {
		text := string(value.Data)
		out.SecretString = &text
	}
	return out, nil
}

type putValueInput struct {
	SecretID           string `json:"SecretId"`
	ClientRequestToken string
	content
	VersionStages []string
}

func (s service) putValue(in *putValueInput) (*reference, error) {
	if err := checkToken(in.ClientRequestToken); err != nil {
		return nil, err
	}
	value, err := in.value()
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, invalid("You must provide either SecretString or SecretBinary.")
	}
	about, version, err := s.store.Put(in.SecretID, *value, in.ClientRequestToken, in.VersionStages)
	if err != nil {
		return nil, err
	}
	return &reference{about.ARN, about.Name, version.ID, version.Stages}, nil
}

type listVersionsInput struct {
	SecretID          string `json:"SecretId"`
	IncludeDeprecated bool
}

type versionEntry struct {
	VersionID     string   `json:"VersionId"`
	VersionStages []string `json:",omitempty"`
	CreatedDate   *wire.EpochSeconds
}

type listVersionsOutput struct {
	ARN, Name string
	Versions  []versionEntry
}

func (s service) listVersions(in *listVersionsInput) (*listVersionsOutput, error) {
	found, err := s.store.Describe(in.SecretID)
	if err != nil {
		return nil, err
	}
	out := &listVersionsOutput{found.ARN, found.Name, []versionEntry{}}
	for _, v := range found.Versions {
		if in.IncludeDeprecated || len(v.Stages) > 0 {
			out.Versions = append(out.Versions, versionEntry{v.ID, v.Stages, wire.Moment(v.Created)})
		}
	}
	return out, nil
}

type moveStageInput struct {
	SecretID                             string `json:"SecretId"`
	VersionStage                         string
	MoveToVersionID, RemoveFromVersionID string
}

func (s service) moveStage(in *moveStageInput) (*reference, error) {
	moved, err := s.store.Move(in.SecretID, in.VersionStage, in.MoveToVersionID, in.RemoveFromVersionID)
	if err != nil {
		return nil, err
	}
	return &reference{ARN: moved.ARN, Name: moved.Name}, nil
}

type policyOutput struct {
	ARN, Name      string
	ResourcePolicy string `json:",omitempty"`
}

func (s service) getPolicy(in *secretInput) (*policyOutput, error) {
	found, err := s.store.Describe(in.SecretID)
	if err != nil {
		return nil, err
	}
	return &policyOutput{found.ARN, found.Name, found.Policy}, nil
}

type putPolicyInput struct {
	SecretID          string `json:"SecretId"`
	ResourcePolicy    string
	BlockPublicPolicy bool
}

func (s service) putPolicy(in *putPolicyInput) (*reference, error) {
	if err := s.policies.Check(in.ResourcePolicy); err != nil {
		return nil, wire.Errorf("MalformedPolicyDocumentException", "%v", err)
	}
	if in.BlockPublicPolicy {
		return nil, wire.NotEmulated("BlockPublicPolicy of PutResourcePolicy")
	}
	return s.setPolicy(in.SecretID, in.ResourcePolicy)
}

func (s service) deletePolicy(in *secretInput) (*reference, error) {
	return s.setPolicy(in.SecretID, "")
}

func (s service) setPolicy(id, policy string) (*reference, error) {
	changed, _, err := s.store.Update(id, func(to *secrets.Secret) { to.Policy = policy }, nil, "")
	if err != nil {
		return nil, err
	}
	return &reference{ARN: changed.ARN, Name: changed.Name}, nil
}

type tagInput struct {
	SecretID string `json:"SecretId"`
	Tags     []tag
	TagKeys  []string
}

func (s service) tag(in *tagInput) (*none, error) {
	found, err := s.store.Describe(in.SecretID)
	if err != nil {
		return nil, err
	}
	if err := addTags(found.Tags, in.Tags); err != nil { // on a copy first
		return nil, err
	}
	_, _, err = s.store.Update(in.SecretID, func(to *secrets.Secret) {
		for _, t := range in.Tags {
			to.Tags[t.Key] = t.Value
		}
	}, nil, "")
	return nil, err
}

func (s service) untag(in *tagInput) (*none, error) {
	_, _, err := s.store.Update(in.SecretID, func(to *secrets.Secret) {
		for _, key := range in.TagKeys {
			delete(to.Tags, key)
		}
	}, nil, "")
	return nil, err
}
