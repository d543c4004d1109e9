// Package kms is the front end of KMS in the local stack: symmetric keys, aliases, and encryption with them.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
package kms

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"streamgen/internal/local/control"
	"streamgen/internal/local/keys"
	"streamgen/internal/local/wire"
)

// Target is what stands before the operation in X-Amz-Target.
const Target = "TrentService"

// New gives the front end of one region's keys.
func New(k *keys.Keys, account string, policies control.ResourcePolicies) http.Handler {
	s := service{k, account, policies}
	return &wire.JSON{Version: "1.1", Target: Target, Operations: map[string]wire.Operation{
		"CreateKey":            wire.Func("CreateKey", s.createKey),
		"DescribeKey":          wire.Func("DescribeKey", s.describeKey),
		"ListKeys":             wire.Func("ListKeys", s.listKeys),
		"EnableKey":            wire.Func("EnableKey", s.enableKey),
		"DisableKey":           wire.Func("DisableKey", s.disableKey),
		"UpdateKeyDescription": wire.Func("UpdateKeyDescription", s.updateDescription),
		"ScheduleKeyDeletion":  wire.Func("ScheduleKeyDeletion", s.scheduleDeletion),
		"CancelKeyDeletion":    wire.Func("CancelKeyDeletion", s.cancelDeletion),

		"GetKeyPolicy":    wire.Func("GetKeyPolicy", s.getPolicy),
		"PutKeyPolicy":    wire.Func("PutKeyPolicy", s.putPolicy),
		"ListKeyPolicies": wire.Func("ListKeyPolicies", s.listPolicies),

		"EnableKeyRotation":    wire.Func("EnableKeyRotation", s.enableRotation),
		"DisableKeyRotation":   wire.Func("DisableKeyRotation", s.disableRotation),
		"GetKeyRotationStatus": wire.Func("GetKeyRotationStatus", s.rotationStatus),

		"CreateAlias": wire.Func("CreateAlias", s.createAlias),
		"UpdateAlias": wire.Func("UpdateAlias", s.updateAlias),
		"DeleteAlias": wire.Func("DeleteAlias", s.deleteAlias),
		"ListAliases": wire.Func("ListAliases", s.listAliases),

		"ListResourceTags": wire.Func("ListResourceTags", s.listTags),
		"TagResource":      wire.Func("TagResource", s.tag),
		"UntagResource":    wire.Func("UntagResource", s.untag),

		"Encrypt":                         wire.Func("Encrypt", s.encrypt),
		"Decrypt":                         wire.Func("Decrypt", s.decrypt),
		"ReEncrypt":                       wire.Func("ReEncrypt", s.reEncrypt),
		"GenerateDataKey":                 wire.Func("GenerateDataKey", s.generateDataKey),
		"GenerateDataKeyWithoutPlaintext": wire.Func("GenerateDataKeyWithoutPlaintext", s.generateDataKeyWithoutPlaintext),
		"GenerateRandom":                  wire.Func("GenerateRandom", s.generateRandom),
	}}
}

type service struct {
	keys     *keys.Keys
	account  string
	policies control.ResourcePolicies
}

// none is the output of an operation that has none.
type none struct{}

func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationException", "1 validation error detected: "+format, args...)
}

type tag struct{ TagKey, TagValue string }

type createKeyInput struct {
	BypassPolicyLockoutSafetyCheck                   bool // there is nobody who could be locked out
	CustomerMasterKeySpec, KeySpec, KeyUsage, Origin string
	CustomKeyStoreID                                 string `json:"CustomKeyStoreId"`
	XksKeyID                                         string `json:"XksKeyId"`
	Description, Policy                              string
	MultiRegion                                      bool
	Tags                                             []tag
}

type keyMetadata struct {
	AWSAccountID          string `json:"AWSAccountId"`
	KeyID                 string `json:"KeyId"`
	Arn                   string
	CreationDate          wire.EpochSeconds
	Enabled               bool
	Description           string
	KeyUsage              string
	KeyState              string
	DeletionDate          *wire.EpochSeconds `json:",omitempty"`
	Origin                string
	KeyManager            string
	CustomerMasterKeySpec string
	KeySpec               string
	EncryptionAlgorithms  []string
	MultiRegion           bool
}

type keyOutput struct{ KeyMetadata keyMetadata }

const (
	symmetric      = "SYMMETRIC_DEFAULT"
	encryptDecrypt = "ENCRYPT_DECRYPT"
)

func (s service) metadata(k keys.Key) keyMetadata {
	manager := "CUSTOMER"
	if k.Managed {
		manager = "AWS"
	}
	return keyMetadata{
		AWSAccountID: s.account, KeyID: k.ID, Arn: k.ARN, CreationDate: wire.EpochSeconds(k.Created), Enabled: k.State == keys.StateEnabled,
		Description: k.Description, KeyUsage: encryptDecrypt, KeyState: k.State, DeletionDate: wire.Moment(k.Deleted), Origin: "AWS_KMS",
		KeyManager: manager, CustomerMasterKeySpec: symmetric, KeySpec: symmetric, EncryptionAlgorithms: []string{symmetric},
	}
}

func (s service) createKey(in *createKeyInput) (*keyOutput, error) {
	for member, given := range map[string]struct{ value, known string }{
		"KeySpec": {in.KeySpec, symmetric}, "CustomerMasterKeySpec": {in.CustomerMasterKeySpec, symmetric},
		"KeyUsage": {in.KeyUsage, encryptDecrypt}, "Origin": {in.Origin, "AWS_KMS"}, "CustomKeyStoreId": {in.CustomKeyStoreID, ""}, "XksKeyId": {in.XksKeyID, ""},
	} {
		if given.value != "" && given.value != given.known {
			return nil, wire.NotEmulated(fmt.Sprintf("the %s %s of CreateKey: it knows symmetric keys of its own", member, given.value))
		}
	}
	if in.MultiRegion {
		return nil, wire.NotEmulated("MultiRegion of CreateKey")
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	if in.Policy != "" {
		if err := s.checkPolicy(in.Policy); err != nil {
			return nil, err
		}
	}
	tags := map[string]string{}
	if err := addTags(tags, in.Tags); err != nil {
		return nil, err
	}
	k, err := s.keys.Create(in.Description, in.Policy, tags)
	if err != nil {
		return nil, err
	}
	return &keyOutput{s.metadata(k)}, nil
}

func checkDescription(text string) error {
	if utf8.RuneCountInString(text) > 8192 {
		return invalid("Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192")
	}
	return nil
}

func (s service) checkPolicy(text string) error {
	if len(text) > 32<<10 {
		return wire.Errorf("LimitExceededException", "A key policy can have up to 32 KB.")
	}
	if err := s.policies.Check(text); err != nil {
		return wire.Errorf("MalformedPolicyDocumentException", "%v", err)
	}
	return nil
}

func addTags(tags map[string]string, added []tag) error {
	for _, t := range added {
		switch n := utf8.RuneCountInString(t.TagKey); {
		case n < 1 || n > 128:
			return wire.Errorf("TagException", "The tag key %q must have 1 to 128 characters.", t.TagKey)
		case utf8.RuneCountInString(t.TagValue) > 256:
			return wire.Errorf("TagException", "The value of tag %q must have at most 256 characters.", t.TagKey)
		case strings.HasPrefix(t.TagKey, "aws:"):
			return wire.Errorf("TagException", "Tag key cannot begin with aws:")
		}
		tags[t.TagKey] = t.TagValue
	}
	if len(tags) > control.MaxTags {
		return wire.Errorf("LimitExceededException", "Too many tags")
	}
	return nil
}

// keyInput names a key. The stack has no grants, so that a token of one is refused.
type keyInput struct {
	KeyID       string `json:"KeyId"`
	GrantTokens []string
}

func (in *keyInput) check() error { return checkKeyID(in.KeyID, in.GrantTokens, nil) }

func checkKeyID(id string, grantTokens []string, dryRun *bool) error {
	switch {
	case id == "":
		return invalid("Value null at 'keyId' failed to satisfy constraint: Member must not be null")
	case len(id) > 2048:
		return invalid("Value '%s' at 'keyId' failed to satisfy constraint: Member must have length less than or equal to 2048", id)
	}
	return checkOptions(grantTokens, dryRun)
}

func checkOptions(grantTokens []string, dryRun *bool) error {
	if len(grantTokens) > 0 {
		return wire.NotEmulated("GrantTokens: it has no grants")
	}
	if dryRun != nil && *dryRun {
		return wire.NotEmulated("DryRun of KMS's operations")
	}
	return nil
}

func (s service) describeKey(in *keyInput) (*keyOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	k, err := s.keys.Get(in.KeyID)
	if err != nil {
		return nil, err
	}
	return &keyOutput{s.metadata(k)}, nil
}

type pageInput struct {
	Limit  *int
	Marker string
}

// page gives the part of an ordered list that follows the one which the marker names.
func page[T any](all []T, in pageInput, least, greatest int, name func(T) string) (items []T, next string, err error) {
	limit := greatest
	if in.Limit != nil {
		if limit = *in.Limit; limit < least || limit > 1000 {
			return nil, "", invalid("Value '%d' at 'limit' failed to satisfy constraint: Member must have value between %d and 1000", limit, least)
		}
	}
	if in.Marker != "" {
		from := -1
		for i, item := range all {
			if name(item) == in.Marker {
				from = i
			}
		}
		if from < 0 {
			return nil, "", wire.Errorf("InvalidMarkerException", "Could not deserialize marker '%s'", in.Marker)
		}
		all = all[from+1:]
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], name(all[limit-1]), nil
}

type keyEntry struct {
	KeyID  string `json:"KeyId"`
	KeyArn string
}

type listKeysOutput struct {
	Keys       []keyEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s service) listKeys(in *pageInput) (*listKeysOutput, error) {
	items, next, err := page(s.keys.List(), *in, 1, 100, func(k keys.Key) string { return k.ID })
	if err != nil {
		return nil, err
	}
	out := &listKeysOutput{Keys: []keyEntry{}, NextMarker: next, Truncated: next != ""}
	for _, k := range items {
		out.Keys = append(out.Keys, keyEntry{k.ID, k.ARN})
	}
	return out, nil
}

func (s service) enableKey(in *keyInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, s.keys.Enable(in.KeyID, true)
}

func (s service) disableKey(in *keyInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, s.keys.Enable(in.KeyID, false)
}

type updateDescriptionInput struct {
	KeyID       string `json:"KeyId"`
	Description string
}

func (s service) updateDescription(in *updateDescriptionInput) (*none, error) {
	if err := checkKeyID(in.KeyID, nil, nil); err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	return nil, s.keys.Describe(in.KeyID, in.Description)
}

type scheduleDeletionInput struct {
	KeyID               string `json:"KeyId"`
	PendingWindowInDays *int
}

type deletionOutput struct {
	KeyID               string             `json:"KeyId"`
	DeletionDate        *wire.EpochSeconds `json:",omitempty"`
	KeyState            string             `json:",omitempty"`
	PendingWindowInDays int                `json:",omitempty"`
}

func (s service) scheduleDeletion(in *scheduleDeletionInput) (*deletionOutput, error) {
	if err := checkKeyID(in.KeyID, nil, nil); err != nil {
		return nil, err
	}
	days := 30
	if in.PendingWindowInDays != nil {
		if days = *in.PendingWindowInDays; days < 7 || days > 30 {
			return nil, invalid("Value '%d' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value between 7 and 30", days)
		}
	}
	k, err := s.keys.ScheduleDeletion(in.KeyID, days)
	if err != nil {
		return nil, err
	}
	return &deletionOutput{k.ARN, wire.Moment(k.Deleted), k.State, days}, nil
}

func (s service) cancelDeletion(in *keyInput) (*deletionOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	k, err := s.keys.CancelDeletion(in.KeyID)
	if err != nil {
		return nil, err
	}
	return &deletionOutput{KeyID: k.ARN}, nil
}

type policyInput struct {
	KeyID                          string `json:"KeyId"`
	PolicyName                     string
	Policy                         string
	BypassPolicyLockoutSafetyCheck bool // there is nobody who could be locked out
}

// check: a key has one policy, whose name is "default".
func (in *policyInput) check() error {
	if err := checkKeyID(in.KeyID, nil, nil); err != nil {
		return err
	}
	if in.PolicyName != "" && in.PolicyName != "default" {
		return wire.Errorf("NotFoundException", "No such policy exists")
	}
	return nil
}

type policyOutput struct{ Policy, PolicyName string }

func (s service) getPolicy(in *policyInput) (*policyOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	k, err := s.keys.Get(in.KeyID)
	if err != nil {
		return nil, err
	}
	return &policyOutput{k.Policy, "default"}, nil
}

func (s service) putPolicy(in *policyInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := s.checkPolicy(in.Policy); err != nil {
		return nil, err
	}
	return nil, s.keys.SetPolicy(in.KeyID, in.Policy)
}

type listPoliciesInput struct {
	KeyID string `json:"KeyId"`
	pageInput
}

type listPoliciesOutput struct {
	PolicyNames []string
	Truncated   bool
}

func (s service) listPolicies(in *listPoliciesInput) (*listPoliciesOutput, error) {
	if _, err := s.keys.Get(in.KeyID); err != nil {
		return nil, err
	}
	return &listPoliciesOutput{PolicyNames: []string{"default"}}, nil
}

type rotationInput struct {
	KeyID                string `json:"KeyId"`
	RotationPeriodInDays *int
}

func (s service) enableRotation(in *rotationInput) (*none, error) {
	if err := checkKeyID(in.KeyID, nil, nil); err != nil {
		return nil, err
	}
	days := 0
	if in.RotationPeriodInDays != nil {
		if days = *in.RotationPeriodInDays; days < 90 || days > 2560 {
			return nil, invalid("Value '%d' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value between 90 and 2560", days)
		}
	}
	return nil, s.keys.Rotate(in.KeyID, days)
}

func (s service) disableRotation(in *keyInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, s.keys.Rotate(in.KeyID, -1)
}

type rotationOutput struct {
	KeyID                string `json:"KeyId"`
	KeyRotationEnabled   bool
	RotationPeriodInDays int                `json:",omitempty"`
	NextRotationDate     *wire.EpochSeconds `json:",omitempty"`
}

func (s service) rotationStatus(in *keyInput) (*rotationOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	k, err := s.keys.Get(in.KeyID)
	if err != nil {
		return nil, err
	}
	if k.State == keys.StatePendingDeletion { // its setting is kept, and off
		return &rotationOutput{KeyID: k.ARN}, nil
	}
	return &rotationOutput{k.ARN, k.RotationDays > 0, k.RotationDays, wire.Moment(k.NextRotation)}, nil
}

var aliasName = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

type aliasInput struct {
	AliasName   string
	TargetKeyID string `json:"TargetKeyId"`
}

func (in *aliasInput) check() error {
	switch {
	case len(in.AliasName) > 256 || !aliasName.MatchString(in.AliasName):
		return wire.Errorf("InvalidAliasNameException", "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html")
	case strings.HasPrefix(in.AliasName, keys.ManagedPrefix):
		return wire.Errorf("NotAuthorizedException", "")
	}
	return nil
}

func (s service) createAlias(in *aliasInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := in.target(); err != nil {
		return nil, err
	}
	return nil, s.keys.CreateAlias(in.AliasName, in.TargetKeyID)
}

// target refuses an alias as what an alias names.
func (in *aliasInput) target() error {
	if strings.HasPrefix(in.TargetKeyID, keys.AliasPrefix) || strings.Contains(in.TargetKeyID, ":alias/") {
		return wire.Errorf("ValidationException", "Aliases must refer to keys. Not aliases")
	}
	return checkKeyID(in.TargetKeyID, nil, nil)
}

func (s service) updateAlias(in *aliasInput) (*none, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := in.target(); err != nil {
		return nil, err
	}
	return nil, s.keys.UpdateAlias(in.AliasName, in.TargetKeyID)
}

type deleteAliasInput struct{ AliasName string }

func (s service) deleteAlias(in *deleteAliasInput) (*none, error) {
	if err := (&aliasInput{AliasName: in.AliasName}).check(); err != nil {
		return nil, err
	}
	return nil, s.keys.DeleteAlias(in.AliasName)
}

type listAliasesInput struct {
	KeyID string `json:"KeyId"`
	pageInput
}

type aliasEntry struct {
	AliasName, AliasArn           string
	TargetKeyID                   string `json:"TargetKeyId"`
	CreationDate, LastUpdatedDate wire.EpochSeconds
}

type listAliasesOutput struct {
	Aliases    []aliasEntry
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s service) listAliases(in *listAliasesInput) (*listAliasesOutput, error) {
	all, err := s.keys.Aliases(in.KeyID)
	if err != nil {
		return nil, err
	}
	items, next, err := page(all, in.pageInput, 1, 50, func(a keys.Alias) string { return a.Name })
	if err != nil {
		return nil, err
	}
	out := &listAliasesOutput{Aliases: []aliasEntry{}, NextMarker: next, Truncated: next != ""}
	for _, a := range items {
		out.Aliases = append(out.Aliases, aliasEntry{a.Name, a.ARN, a.KeyID, wire.EpochSeconds(a.Created), wire.EpochSeconds(a.Changed)})
	}
	return out, nil
}

type listTagsInput struct {
	KeyID string `json:"KeyId"`
	pageInput
}

type listTagsOutput struct {
	Tags       []tag
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s service) listTags(in *listTagsInput) (*listTagsOutput, error) {
	k, err := s.keys.Get(in.KeyID)
	if err != nil {
		return nil, err
	}
	items, next, err := page(sortedTags(k.Tags), in.pageInput, 1, control.MaxTags, func(t tag) string { return t.TagKey })
	if err != nil {
		return nil, err
	}
	return &listTagsOutput{append([]tag{}, items...), next, next != ""}, nil
}

type tagInput struct {
	KeyID string `json:"KeyId"`
	Tags  []tag
}

func (s service) tag(in *tagInput) (*none, error) {
	return nil, s.keys.UpdateTags(in.KeyID, func(tags map[string]string) error { return addTags(tags, in.Tags) })
}

type untagInput struct {
	KeyID   string `json:"KeyId"`
	TagKeys []string
}

func (s service) untag(in *untagInput) (*none, error) {
	return nil, s.keys.UpdateTags(in.KeyID, func(tags map[string]string) error {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		return nil
	})
}
