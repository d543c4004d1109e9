package secretsmanager_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/api/secretsmanager"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
	"streamgen/internal/local/keys"
	"streamgen/internal/local/secrets"
)

type fixture struct {
	*sdk.Client
	clock *clock.Manual
	keys  *keys.Keys
}

const secret = "shop/db"

func newFixture(t *testing.T) fixture {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	k := keys.New("000000000000", "us-east-1", c)
	server := httptest.NewServer(secretsmanager.New(secrets.New("000000000000", "us-east-1", c, k), control.ResourcePolicies{Enforced: true}))
	t.Cleanup(server.Close)
	return fixture{sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}), c, k}
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

func (f fixture) value(t *testing.T, in *sdk.GetSecretValueInput) string {
	t.Helper()
	if in.SecretId == nil {
		in.SecretId = aws.String(secret)
	}
	out, err := f.GetSecretValue(t.Context(), in)
	must(t, err)
	return aws.ToString(out.SecretString)
}

func TestSecret(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	made, err := f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret), Description: aws.String("d"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}})
	must(t, err)
	if !strings.HasPrefix(*made.ARN, "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/db-") || len(*made.ARN) != len("arn:aws:secretsmanager:us-east-1:000000000000:secret:shop/db-abcdef") || made.VersionId != nil {
		t.Errorf("got %+v", made)
	}
	_, err = f.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: aws.String(secret)})
	wantError(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
	_, err = f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret)})
	wantError(t, err, "ResourceExistsException", "The operation failed because the secret shop/db already exists.")

	one, err := f.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: made.ARN, SecretString: aws.String("one")})
	must(t, err)
	two, err := f.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: aws.String(secret), SecretString: aws.String("two")})
	must(t, err)
	partial := aws.String((*made.ARN)[:len(*made.ARN)-7])
	for want, in := range map[string]*sdk.GetSecretValueInput{
		"two": {SecretId: partial}, "one": {VersionStage: aws.String("AWSPREVIOUS")},
	} {
		if got := f.value(t, in); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := f.value(t, &sdk.GetSecretValueInput{VersionId: one.VersionId}); got != "one" {
		t.Errorf("got %s", got)
	}
	about, err := f.DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: made.ARN})
	must(t, err)
	if d := cmp.Diff(map[string][]string{*one.VersionId: {"AWSPREVIOUS"}, *two.VersionId: {"AWSCURRENT"}}, about.VersionIdsToStages); d != "" || *about.Description != "d" || len(about.Tags) != 1 || about.DeletedDate != nil {
		t.Errorf("%s %+v", d, about)
	}
	_, err = f.UpdateSecretVersionStage(ctx, &sdk.UpdateSecretVersionStageInput{SecretId: aws.String(secret), VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: one.VersionId, RemoveFromVersionId: two.VersionId})
	must(t, err)
	if got := f.value(t, &sdk.GetSecretValueInput{}); got != "one" {
		t.Errorf("after the label moved: %s", got)
	}
	versions, err := f.ListSecretVersionIds(ctx, &sdk.ListSecretVersionIdsInput{SecretId: aws.String(secret)})
	must(t, err)
	if len(versions.Versions) != 2 {
		t.Errorf("got %+v", versions.Versions)
	}
	list, err := f.ListSecrets(ctx, &sdk.ListSecretsInput{Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{"shop"}}}})
	must(t, err)
	if len(list.SecretList) != 1 || *list.SecretList[0].Name != secret {
		t.Errorf("got %+v", list.SecretList)
	}
}

func TestTokens(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	token := aws.String("11111111-2222-3333-4444-555555555555")
	made, err := f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret), SecretBinary: []byte{1, 2}, ClientRequestToken: token})
	must(t, err)
	if *made.VersionId != *token {
		t.Errorf("got %+v", made)
	}
	_, err = f.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: aws.String(secret), SecretBinary: []byte{1, 2}, ClientRequestToken: token})
	must(t, err)
	_, err = f.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: aws.String(secret), SecretBinary: []byte{3}, ClientRequestToken: token})
	wantError(t, err, "ResourceExistsException", "is already in use for a version of secret "+*made.ARN)
	out, err := f.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: aws.String(secret)})
	must(t, err)
	if string(out.SecretBinary) != "\x01\x02" || out.SecretString != nil {
		t.Errorf("got %+v", out)
	}
}

func TestDeletion(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	_, err := f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret), SecretString: aws.String("hidden")})
	must(t, err)
	gone, err := f.DeleteSecret(ctx, &sdk.DeleteSecretInput{SecretId: aws.String(secret), RecoveryWindowInDays: aws.Int64(7)})
	must(t, err)
	if !gone.DeletionDate.Equal(f.clock.Now().AddDate(0, 0, 7)) {
		t.Errorf("got %+v", gone)
	}
	_, err = f.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: aws.String(secret)})
	wantError(t, err, "InvalidRequestException", "because it was marked for deletion.")
	_, err = f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret)})
	wantError(t, err, "InvalidRequestException", "already scheduled for deletion.")
	_, err = f.RestoreSecret(ctx, &sdk.RestoreSecretInput{SecretId: aws.String(secret)})
	must(t, err)
	if got := f.value(t, &sdk.GetSecretValueInput{}); got != "hidden" {
		t.Errorf("got %s", got)
	}
	_, err = f.DeleteSecret(ctx, &sdk.DeleteSecretInput{SecretId: aws.String(secret)})
	must(t, err)
	f.clock.Advance(30 * 24 * time.Hour)
	_, err = f.DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: aws.String(secret)})
	wantError(t, err, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	_, err = f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret)})
	must(t, err)
	_, err = f.DeleteSecret(ctx, &sdk.DeleteSecretInput{SecretId: aws.String(secret), ForceDeleteWithoutRecovery: aws.Bool(true)})
	must(t, err)
	_, err = f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret)})
	must(t, err)
}

func TestKeyOfASecret(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	key, err := f.keys.Create("", "", nil)
	must(t, err)
	_, err = f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret), SecretString: aws.String("hidden"), KmsKeyId: &key.ARN})
	must(t, err)
	must(t, f.keys.Enable(key.ID, false))
	_, err = f.GetSecretValue(ctx, &sdk.GetSecretValueInput{SecretId: aws.String(secret)})
	wantError(t, err, "DecryptionFailure", "is disabled.")
	_, err = f.PutSecretValue(ctx, &sdk.PutSecretValueInput{SecretId: aws.String(secret), SecretString: aws.String("hidden")})
	wantError(t, err, "EncryptionFailure", "is disabled.")
}

func TestUpdatePolicyAndTags(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	_, err := f.CreateSecret(ctx, &sdk.CreateSecretInput{Name: aws.String(secret), SecretString: aws.String("one")})
	must(t, err)
	_, err = f.UpdateSecret(ctx, &sdk.UpdateSecretInput{SecretId: aws.String(secret), Description: aws.String("new"), SecretString: aws.String("two")})
	must(t, err)
	_, err = f.TagResource(ctx, &sdk.TagResourceInput{SecretId: aws.String(secret), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}})
	must(t, err)
	_, err = f.UntagResource(ctx, &sdk.UntagResourceInput{SecretId: aws.String(secret), TagKeys: []string{"a"}})
	must(t, err)
	about, err := f.DescribeSecret(ctx, &sdk.DescribeSecretInput{SecretId: aws.String(secret)})
	must(t, err)
	if *about.Description != "new" || len(about.Tags) != 1 || *about.Tags[0].Key != "b" || f.value(t, &sdk.GetSecretValueInput{}) != "two" {
		t.Errorf("got %+v", about)
	}
	policy, err := f.GetResourcePolicy(ctx, &sdk.GetResourcePolicyInput{SecretId: aws.String(secret)})
	must(t, err)
	if policy.ResourcePolicy != nil {
		t.Errorf("got %+v", policy)
	}
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"secretsmanager:DeleteSecret"}]}`
	_, err = f.PutResourcePolicy(ctx, &sdk.PutResourcePolicyInput{SecretId: aws.String(secret), ResourcePolicy: aws.String(document)})
	must(t, err)
	policy, err = f.GetResourcePolicy(ctx, &sdk.GetResourcePolicyInput{SecretId: aws.String(secret)})
	must(t, err)
	if aws.ToString(policy.ResourcePolicy) != document {
		t.Errorf("got %+v", policy)
	}
}

func TestRefusedSecrets(t *testing.T) {
	f := newFixture(t)
	for want, in := range map[string]*sdk.CreateSecretInput{
		"ValidationException: streamgen local does not emulate AddReplicaRegions of CreateSecret": {AddReplicaRegions: []types.ReplicaRegionType{{Region: aws.String("eu-west-1")}}},
		"InvalidParameterException: You can't specify both a binary secret value":                 {SecretBinary: []byte{1}},
		"ValidationException: Invalid name.":                                                      {Name: aws.String("a b")},
	} {
		if in.Name == nil {
			in.Name = aws.String(secret)
		}
		in.SecretString = aws.String("hidden")
		_, err := f.CreateSecret(t.Context(), in)
		code, message, _ := strings.Cut(want, ": ")
		wantError(t, err, code, message)
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("the error tells the value: %v", err)
		}
	}
	_, err := f.RotateSecret(t.Context(), &sdk.RotateSecretInput{SecretId: aws.String(secret)})
	wantError(t, err, "UnknownOperationException", "does not emulate secretsmanager.RotateSecret")
}
