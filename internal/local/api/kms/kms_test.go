package kms_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"streamgen/internal/local/api/kms"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/keys"
)

const account = "000000000000"

type fixture struct {
	*sdk.Client
	clock *clock.Manual
}

func newFixture(t *testing.T) fixture {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	server := httptest.NewServer(kms.New(keys.New(account, "us-east-1", c), account, control.ResourcePolicies{Enforced: true}))
	t.Cleanup(server.Close)
	return fixture{sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}), c}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %v, want %s: %s", err, code, message)
	}
}

func (f fixture) create(t *testing.T) *types.KeyMetadata {
	t.Helper()
	out, err := f.CreateKey(t.Context(), &sdk.CreateKeyInput{Description: aws.String("mine"), KeySpec: types.KeySpecSymmetricDefault, KeyUsage: types.KeyUsageTypeEncryptDecrypt,
		Tags: []types.Tag{{TagKey: aws.String("a"), TagValue: aws.String("1")}}})
	must(t, err)
	return out.KeyMetadata
}

func TestKey(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	made := f.create(t)
	for _, name := range []*string{made.KeyId, made.Arn} {
		out, err := f.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: name})
		must(t, err)
		m := out.KeyMetadata
		if aws.ToString(m.KeyId) != *made.KeyId || aws.ToString(m.Arn) != "arn:aws:kms:us-east-1:000000000000:key/"+*made.KeyId || !m.Enabled ||
			m.KeyState != types.KeyStateEnabled || m.Origin != types.OriginTypeAwsKms || m.KeySpec != types.KeySpecSymmetricDefault || m.KeyManager != types.KeyManagerTypeCustomer ||
			aws.ToBool(m.MultiRegion) || aws.ToString(m.Description) != "mine" || !m.CreationDate.Equal(f.clock.Now()) {
			t.Errorf("got %+v", m)
		}
	}
	policy, err := f.GetKeyPolicy(ctx, &sdk.GetKeyPolicyInput{KeyId: made.KeyId, PolicyName: aws.String("default")})
	must(t, err)
	if !json.Valid([]byte(*policy.Policy)) || !strings.Contains(*policy.Policy, "arn:aws:iam::000000000000:root") {
		t.Errorf("the policy is %s", *policy.Policy)
	}
	_, err = f.PutKeyPolicy(ctx, &sdk.PutKeyPolicyInput{KeyId: made.KeyId, Policy: aws.String("{")})
	wantError(t, err, "MalformedPolicyDocumentException", "")
	_, err = f.TagResource(ctx, &sdk.TagResourceInput{KeyId: made.KeyId, Tags: []types.Tag{{TagKey: aws.String("b"), TagValue: aws.String("2")}}})
	must(t, err)
	_, err = f.UntagResource(ctx, &sdk.UntagResourceInput{KeyId: made.KeyId, TagKeys: []string{"a"}})
	must(t, err)
	tags, err := f.ListResourceTags(ctx, &sdk.ListResourceTagsInput{KeyId: made.KeyId})
	must(t, err)
	if len(tags.Tags) != 1 || *tags.Tags[0].TagKey != "b" {
		t.Errorf("got tags %+v", tags.Tags)
	}
	_, err = f.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: aws.String("none")})
	wantError(t, err, "NotFoundException", "Key 'arn:aws:kms:us-east-1:000000000000:key/none' does not exist")
}

func TestRefusedKeys(t *testing.T) {
	f := newFixture(t)
	for want, in := range map[string]*sdk.CreateKeyInput{
		"the KeySpec RSA_2048":             {KeySpec: types.KeySpecRsa2048},
		"the KeyUsage GENERATE_VERIFY_MAC": {KeyUsage: types.KeyUsageTypeGenerateVerifyMac},
		"MultiRegion of CreateKey":         {MultiRegion: aws.Bool(true)},
		"the Origin EXTERNAL":              {Origin: types.OriginTypeExternal},
		"the CustomKeyStoreId cks-1":       {CustomKeyStoreId: aws.String("cks-1")},
	} {
		_, err := f.CreateKey(t.Context(), in)
		wantError(t, err, "ValidationException", "streamgen local does not emulate "+want)
	}
	_, err := f.CreateGrant(t.Context(), &sdk.CreateGrantInput{KeyId: aws.String("k"), GranteePrincipal: aws.String("p"), Operations: []types.GrantOperation{types.GrantOperationDecrypt}})
	wantError(t, err, "UnknownOperationException", "streamgen local does not emulate TrentService.CreateGrant")
}

func TestEncryption(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	one, other := f.create(t), f.create(t)
	bound := map[string]string{"a": "1", "b": "2"}
	sealed, err := f.Encrypt(ctx, &sdk.EncryptInput{KeyId: one.KeyId, Plaintext: []byte("secret"), EncryptionContext: bound})
	must(t, err)
	if bytes.Contains(sealed.CiphertextBlob, []byte("secret")) || aws.ToString(sealed.KeyId) != *one.Arn {
		t.Errorf("got %+v", sealed)
	}
	opened, err := f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: bound})
	must(t, err)
	if string(opened.Plaintext) != "secret" || aws.ToString(opened.KeyId) != *one.Arn {
		t.Errorf("got %+v", opened)
	}
	_, err = f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: map[string]string{"a": "1"}})
	wantError(t, err, "InvalidCiphertextException", "")
	_, err = f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: bound, KeyId: other.KeyId})
	wantError(t, err, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
	for at := range sealed.CiphertextBlob {
		broken := bytes.Clone(sealed.CiphertextBlob)
		broken[at] ^= 1
		_, err = f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: broken, EncryptionContext: bound})
		wantError(t, err, "InvalidCiphertextException", "")
	}

	again, err := f.ReEncrypt(ctx, &sdk.ReEncryptInput{CiphertextBlob: sealed.CiphertextBlob, SourceEncryptionContext: bound, DestinationKeyId: other.KeyId})
	must(t, err)
	opened, err = f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: again.CiphertextBlob, KeyId: other.Arn})
	must(t, err)
	if string(opened.Plaintext) != "secret" {
		t.Errorf("got %q", opened.Plaintext)
	}
	_, err = f.Encrypt(ctx, &sdk.EncryptInput{KeyId: one.KeyId, Plaintext: make([]byte, 4097)})
	wantError(t, err, "ValidationException", "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096")

	data, err := f.GenerateDataKey(ctx, &sdk.GenerateDataKeyInput{KeyId: one.KeyId, KeySpec: types.DataKeySpecAes256})
	must(t, err)
	opened, err = f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: data.CiphertextBlob})
	must(t, err)
	if len(data.Plaintext) != 32 || !bytes.Equal(opened.Plaintext, data.Plaintext) {
		t.Error("the data key is not what its ciphertext holds")
	}
	blind, err := f.GenerateDataKeyWithoutPlaintext(ctx, &sdk.GenerateDataKeyWithoutPlaintextInput{KeyId: one.KeyId, NumberOfBytes: aws.Int32(7)})
	must(t, err)
	opened, err = f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: blind.CiphertextBlob})
	must(t, err)
	if len(opened.Plaintext) != 7 {
		t.Errorf("the data key has %d bytes", len(opened.Plaintext))
	}
}

func TestLifeOfAKey(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	key := f.create(t)
	sealed, err := f.Encrypt(ctx, &sdk.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret")})
	must(t, err)
	decrypt := func() error {
		_, err := f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
		return err
	}
	_, err = f.DisableKey(ctx, &sdk.DisableKeyInput{KeyId: key.KeyId})
	must(t, err)
	wantError(t, decrypt(), "DisabledException", *key.Arn+" is disabled.")
	_, err = f.EnableKey(ctx, &sdk.EnableKeyInput{KeyId: key.KeyId})
	must(t, err)
	must(t, decrypt())

	out, err := f.ScheduleKeyDeletion(ctx, &sdk.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: aws.Int32(7)})
	must(t, err)
	if out.KeyState != types.KeyStatePendingDeletion || !out.DeletionDate.Equal(f.clock.Now().AddDate(0, 0, 7)) {
		t.Errorf("got %+v", out)
	}
	wantError(t, decrypt(), "KMSInvalidStateException", *key.Arn+" is pending deletion.")
	_, err = f.CancelKeyDeletion(ctx, &sdk.CancelKeyDeletionInput{KeyId: key.KeyId})
	must(t, err)
	wantError(t, decrypt(), "DisabledException", "")
	_, err = f.ScheduleKeyDeletion(ctx, &sdk.ScheduleKeyDeletionInput{KeyId: key.KeyId, PendingWindowInDays: aws.Int32(7)})
	must(t, err)
	f.clock.Advance(7 * 24 * time.Hour)
	_, err = f.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: key.KeyId})
	wantError(t, err, "NotFoundException", "does not exist")
}

func TestRotation(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	key := f.create(t)
	sealed, err := f.Encrypt(ctx, &sdk.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret")})
	must(t, err)
	_, err = f.EnableKeyRotation(ctx, &sdk.EnableKeyRotationInput{KeyId: key.KeyId, RotationPeriodInDays: aws.Int32(90)})
	must(t, err)
	status, err := f.GetKeyRotationStatus(ctx, &sdk.GetKeyRotationStatusInput{KeyId: key.KeyId})
	must(t, err)
	if !status.KeyRotationEnabled || aws.ToInt32(status.RotationPeriodInDays) != 90 || !status.NextRotationDate.Equal(f.clock.Now().AddDate(0, 0, 90)) {
		t.Errorf("got %+v", status)
	}
	f.clock.Advance(200 * 24 * time.Hour)
	after, err := f.Encrypt(ctx, &sdk.EncryptInput{KeyId: key.KeyId, Plaintext: []byte("secret")})
	must(t, err)
	const material = 21 // the bytes that say which material of which key
	if bytes.Equal(sealed.CiphertextBlob[:material], after.CiphertextBlob[:material]) {
		t.Error("the key was not rotated")
	}
	opened, err := f.Decrypt(ctx, &sdk.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
	must(t, err)
	if string(opened.Plaintext) != "secret" {
		t.Error("what was encrypted before the rotation does not open")
	}
	_, err = f.DisableKeyRotation(ctx, &sdk.DisableKeyRotationInput{KeyId: key.KeyId})
	must(t, err)
	status, err = f.GetKeyRotationStatus(ctx, &sdk.GetKeyRotationStatusInput{KeyId: key.KeyId})
	must(t, err)
	if status.KeyRotationEnabled {
		t.Error("it still rotates")
	}
}

func TestAliases(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	one, other := f.create(t), f.create(t)
	name := aws.String("alias/app/key")
	_, err := f.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: name, TargetKeyId: one.KeyId})
	must(t, err)
	_, err = f.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: name, TargetKeyId: other.KeyId})
	wantError(t, err, "AlreadyExistsException", "An alias with the name arn:aws:kms:us-east-1:000000000000:alias/app/key already exists")
	for _, id := range []string{*name, "arn:aws:kms:us-east-1:000000000000:alias/app/key"} {
		out, err := f.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: &id})
		must(t, err)
		if *out.KeyMetadata.KeyId != *one.KeyId {
			t.Errorf("%s is %s", id, *out.KeyMetadata.KeyId)
		}
	}
	_, err = f.UpdateAlias(ctx, &sdk.UpdateAliasInput{AliasName: name, TargetKeyId: other.Arn})
	must(t, err)
	list, err := f.ListAliases(ctx, &sdk.ListAliasesInput{KeyId: other.KeyId})
	must(t, err)
	if len(list.Aliases) != 1 || *list.Aliases[0].AliasName != *name || *list.Aliases[0].TargetKeyId != *other.KeyId {
		t.Errorf("got %+v", list.Aliases)
	}
	_, err = f.DeleteAlias(ctx, &sdk.DeleteAliasInput{AliasName: name})
	must(t, err)
	_, err = f.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: name})
	wantError(t, err, "NotFoundException", "Alias arn:aws:kms:us-east-1:000000000000:alias/app/key is not found.")

	own, err := f.DescribeKey(ctx, &sdk.DescribeKeyInput{KeyId: aws.String("alias/aws/dynamodb")})
	must(t, err)
	if own.KeyMetadata.KeyManager != types.KeyManagerTypeAws {
		t.Errorf("got %+v", own.KeyMetadata)
	}
	_, err = f.ScheduleKeyDeletion(ctx, &sdk.ScheduleKeyDeletionInput{KeyId: own.KeyMetadata.KeyId})
	wantError(t, err, "AccessDeniedException", "it is an AWS managed key")
	_, err = f.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: aws.String("alias/aws/mine"), TargetKeyId: one.KeyId})
	wantError(t, err, "NotAuthorizedException", "")
	_, err = f.CreateAlias(ctx, &sdk.CreateAliasInput{AliasName: aws.String("mine"), TargetKeyId: one.KeyId})
	wantError(t, err, "InvalidAliasNameException", "Alias must start with the prefix")
}
