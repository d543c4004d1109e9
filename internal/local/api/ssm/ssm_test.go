package ssm_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"streamgen/internal/local/api/ssm"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/keys"
	"streamgen/internal/local/parameters"
)

type fixture struct {
	*sdk.Client
	keys *keys.Keys
}

func newFixture(t *testing.T) fixture {
	c := clock.NewManual(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	k := keys.New("000000000000", "us-east-1", c)
	server := httptest.NewServer(ssm.New(parameters.New("000000000000", "us-east-1", c, k)))
	t.Cleanup(server.Close)
	return fixture{sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}), k}
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

func (f fixture) put(t *testing.T, name, value string) {
	t.Helper()
	_, err := f.PutParameter(t.Context(), &sdk.PutParameterInput{Name: &name, Value: &value, Type: types.ParameterTypeString})
	must(t, err)
}

func TestParameter(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	in := &sdk.PutParameterInput{Name: aws.String("/shop/key"), Value: aws.String("one"), Type: types.ParameterTypeString, Description: aws.String("d"),
		AllowedPattern: aws.String(""), DataType: aws.String("text"), Overwrite: aws.Bool(false), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}}
	made, err := f.PutParameter(ctx, in)
	must(t, err)
	if made.Version != 1 || made.Tier != types.ParameterTierStandard {
		t.Errorf("got %+v", made)
	}
	_, err = f.PutParameter(ctx, in)
	wantError(t, err, "ParameterAlreadyExists", "The parameter already exists.")
	in.Overwrite = aws.Bool(true)
	_, err = f.PutParameter(ctx, in)
	wantError(t, err, "ValidationException", "tags and overwrite can't be used together")
	in.Tags, in.Value = nil, aws.String("two")
	made, err = f.PutParameter(ctx, in)
	must(t, err)
	if made.Version != 2 {
		t.Errorf("got %+v", made)
	}
	const arn = "arn:aws:ssm:us-east-1:000000000000:parameter/shop/key"
	for name, want := range map[string]string{"/shop/key": "two", arn: "two", "/shop/key:1": "one", arn + ":1": "one"} {
		got, err := f.GetParameter(ctx, &sdk.GetParameterInput{Name: &name})
		must(t, err)
		if p := got.Parameter; *p.Value != want || *p.ARN != arn || *p.Name != "/shop/key" || p.Type != types.ParameterTypeString {
			t.Errorf("%s: got %+v", name, p)
		}
	}
	_, err = f.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String("/shop/key:9")})
	wantError(t, err, "ParameterVersionNotFound", "could not find version 9")
	_, err = f.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String("/shop/key:live")})
	wantError(t, err, "ValidationException", "does not emulate the label live of a parameter")
	_, err = f.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String("none")})
	wantError(t, err, "ParameterNotFound", "")

	history, err := f.GetParameterHistory(ctx, &sdk.GetParameterHistoryInput{Name: aws.String("/shop/key")})
	must(t, err)
	if len(history.Parameters) != 2 || *history.Parameters[0].Value != "one" {
		t.Errorf("got %+v", history.Parameters)
	}
	described, err := f.DescribeParameters(ctx, &sdk.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Name"), Option: aws.String("Equals"), Values: []string{"/shop/key"}}}})
	must(t, err)
	if d := described.Parameters; len(d) != 1 || *d[0].Description != "d" || d[0].Version != 2 {
		t.Errorf("got %+v", d)
	}
	_, err = f.AddTagsToResource(ctx, &sdk.AddTagsToResourceInput{ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: in.Name, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}}})
	must(t, err)
	_, err = f.RemoveTagsFromResource(ctx, &sdk.RemoveTagsFromResourceInput{ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: in.Name, TagKeys: []string{"a"}})
	must(t, err)
	tags, err := f.ListTagsForResource(ctx, &sdk.ListTagsForResourceInput{ResourceType: types.ResourceTypeForTaggingParameter, ResourceId: in.Name})
	must(t, err)
	if len(tags.TagList) != 1 || *tags.TagList[0].Key != "b" {
		t.Errorf("got %+v", tags.TagList)
	}
	_, err = f.DeleteParameter(ctx, &sdk.DeleteParameterInput{Name: in.Name})
	must(t, err)
	_, err = f.DeleteParameter(ctx, &sdk.DeleteParameterInput{Name: in.Name})
	wantError(t, err, "ParameterNotFound", "")
}

func TestSecureParameter(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	key, err := f.keys.Create("", "", nil)
	must(t, err)
	_, err = f.PutParameter(ctx, &sdk.PutParameterInput{Name: aws.String("s"), Value: aws.String("hidden"), Type: types.ParameterTypeSecureString, KeyId: aws.String("alias/none")})
	wantError(t, err, "InvalidKeyId", "Alias arn:aws:kms:us-east-1:000000000000:alias/none is not found.")
	for name, id := range map[string]*string{"own": nil, "mine": &key.ARN} {
		_, err := f.PutParameter(ctx, &sdk.PutParameterInput{Name: &name, Value: aws.String("hidden"), Type: types.ParameterTypeSecureString, KeyId: id})
		must(t, err)
		sealed, err := f.GetParameter(ctx, &sdk.GetParameterInput{Name: &name})
		must(t, err)
		opened, err := f.GetParameter(ctx, &sdk.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
		must(t, err)
		if strings.Contains(*sealed.Parameter.Value, "hidden") || *opened.Parameter.Value != "hidden" {
			t.Errorf("sealed %s, opened %s", *sealed.Parameter.Value, *opened.Parameter.Value)
		}
	}
	_, err = f.PutParameter(ctx, &sdk.PutParameterInput{Name: aws.String("mine"), Value: aws.String("hidden"), Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true)})
	must(t, err)
	described, err := f.DescribeParameters(ctx, &sdk.DescribeParametersInput{ParameterFilters: []types.ParameterStringFilter{{Key: aws.String("Name"), Values: []string{"mine"}}}})
	must(t, err)
	if got := described.Parameters[0]; aws.ToString(got.KeyId) != key.ARN { // the provider names a key that it changes alone
		t.Errorf("the second version has the key %s", aws.ToString(got.KeyId))
	}
	must(t, f.keys.Enable(key.ID, false))
	_, err = f.GetParameter(ctx, &sdk.GetParameterInput{Name: aws.String("mine"), WithDecryption: aws.Bool(true)})
	wantError(t, err, "InvalidKeyId", "is disabled.")
}

func TestSeveralParameters(t *testing.T) {
	f, ctx := newFixture(t), t.Context()
	for _, name := range []string{"/a/x", "/a/b/y", "/ab/z", "plain"} {
		f.put(t, name, name)
	}
	several, err := f.GetParameters(ctx, &sdk.GetParametersInput{Names: []string{"plain", "none"}})
	must(t, err)
	if len(several.Parameters) != 1 || len(several.InvalidParameters) != 1 {
		t.Errorf("got %+v", several)
	}
	for recursive, want := range map[bool]string{false: "/a/x", true: "/a/b/y /a/x"} {
		var names []string
		pages := sdk.NewGetParametersByPathPaginator(f, &sdk.GetParametersByPathInput{Path: aws.String("/a"), Recursive: &recursive, MaxResults: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			must(t, err)
			for _, p := range page.Parameters {
				names = append(names, *p.Name)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("recursive %v: %s, want %s", recursive, got, want)
		}
	}
	gone, err := f.DeleteParameters(ctx, &sdk.DeleteParametersInput{Names: []string{"plain", "none"}})
	must(t, err)
	if len(gone.DeletedParameters) != 1 || len(gone.InvalidParameters) != 1 {
		t.Errorf("got %+v", gone)
	}
}

func TestRefusedParameters(t *testing.T) {
	f := newFixture(t)
	for name, test := range map[string]struct {
		change        func(*sdk.PutParameterInput)
		code, message string
	}{
		"type":     {func(in *sdk.PutParameterInput) { in.Type = "" }, "ValidationException", "A parameter type is required when you create a parameter."},
		"path":     {func(in *sdk.PutParameterInput) { in.Name = aws.String("a/b") }, "ValidationException", "Parameter name must be a fully qualified name."},
		"reserved": {func(in *sdk.PutParameterInput) { in.Name = aws.String("/aws/x") }, "AccessDeniedException", "No access to reserved parameter name: /aws/x."},
		"long":     {func(in *sdk.PutParameterInput) { in.Value = aws.String(strings.Repeat("x", 4097)) }, "ValidationException", "Standard tier parameters support a maximum parameter value of 4096"},
		"image":    {func(in *sdk.PutParameterInput) { in.DataType = aws.String("aws:ec2:image") }, "ValidationException", "does not emulate the DataType aws:ec2:image"},
		"policies": {func(in *sdk.PutParameterInput) { in.Policies = aws.String("[]") }, "ValidationException", "does not emulate Policies of PutParameter"},
		"pattern":  {func(in *sdk.PutParameterInput) { in.AllowedPattern = aws.String("^\\d+$") }, "ParameterPatternMismatchException", ""},
	} {
		in := &sdk.PutParameterInput{Name: aws.String("p"), Value: aws.String("hidden"), Type: types.ParameterTypeString}
		test.change(in)
		_, err := f.PutParameter(t.Context(), in)
		wantError(t, err, test.code, test.message)
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: the error tells the value: %v", name, err)
		}
	}
	_, err := f.LabelParameterVersion(t.Context(), &sdk.LabelParameterVersionInput{Name: aws.String("p"), Labels: []string{"l"}})
	wantError(t, err, "UnknownOperationException", "does not emulate AmazonSSM.LabelParameterVersion")
}
