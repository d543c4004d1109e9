package iam_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"streamgen/internal/local/api/iam"
	"streamgen/internal/local/clock"
	"streamgen/internal/local/control"
)

const (
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	grant   = `{"Version": "2012-10-17", "Statement": [{"Effect":"Allow","Action":"logs:*","Resource":"arn:aws:logs:us-east-1:000000000000:log-group:/a+b~c*:*"}]}`
	managed = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
)

func created() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func serve(t *testing.T) string {
	server := httptest.NewServer(iam.New(control.NewRoles("000000000000", clock.NewManual(created()), false)))
	t.Cleanup(server.Close)
	return server.URL
}

func newClient(t *testing.T) *awsiam.Client {
	return awsiam.New(awsiam.Options{Region: "us-east-1", BaseEndpoint: aws.String(serve(t)),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if api.ErrorCode() != code || response.HTTPStatusCode() != status || !strings.Contains(api.ErrorMessage(), message) {
		t.Errorf("got %d %s: %s\nwant %d %s: %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), status, code, message)
	}
}

func wantDocument(t *testing.T, encoded *string, want string) {
	t.Helper()
	got, err := url.PathUnescape(aws.ToString(encoded)) // RFC 3986: "+" is itself
	if err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if strings.ContainsAny(aws.ToString(encoded), "+ *{\"") {
		t.Errorf("%s is not percent-encoded", *encoded)
	}
}

func TestRole(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	made, err := c.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trust),
		Description: aws.String("a <role> & more"), MaxSessionDuration: aws.Int32(7200), Path: aws.String("/a/b/"),
		Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("")}, {Key: aws.String("a"), Value: aws.String("1 2")}}})
	must(t, err)
	got, err := c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("r")})
	must(t, err)
	role := got.Role
	if diff := cmp.Diff(made.Role, role, cmp.AllowUnexported(types.Role{}, types.Tag{}), cmp.FilterPath(func(p cmp.Path) bool {
		return p.Last().String() == ".noSmithyDocumentSerde"
	}, cmp.Ignore())); diff != "" {
		t.Errorf("CreateRole and GetRole differ: %s", diff)
	}
	if aws.ToString(role.Arn) != "arn:aws:iam::000000000000:role/a/b/r" || aws.ToString(role.Path) != "/a/b/" ||
		aws.ToString(role.Description) != "a <role> & more" || aws.ToInt32(role.MaxSessionDuration) != 7200 || !role.CreateDate.Equal(created()) {
		t.Errorf("got %+v", role)
	}
	if len(role.Tags) != 2 || aws.ToString(role.Tags[0].Key) != "a" || aws.ToString(role.Tags[0].Value) != "1 2" {
		t.Errorf("tags %+v", role.Tags)
	}
	wantDocument(t, role.AssumeRolePolicyDocument, trust)

	_, err = c.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trust)})
	wantError(t, err, http.StatusConflict, "EntityAlreadyExists", "Role with name r already exists.")

	_, err = c.UpdateRole(ctx, &awsiam.UpdateRoleInput{RoleName: aws.String("r"), MaxSessionDuration: aws.Int32(3600)})
	must(t, err)
	described, err := c.UpdateRoleDescription(ctx, &awsiam.UpdateRoleDescriptionInput{RoleName: aws.String("r"), Description: aws.String("")})
	must(t, err)
	if role := described.Role; role.Description != nil || aws.ToInt32(role.MaxSessionDuration) != 3600 {
		t.Errorf("after the updates: %+v", role)
	}
	wider := strings.Replace(trust, `"sts:AssumeRole"`, `["sts:AssumeRole","sts:TagSession"]`, 1)
	_, err = c.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{RoleName: aws.String("r"), PolicyDocument: aws.String(wider)})
	must(t, err)
	got, err = c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("r")})
	must(t, err)
	wantDocument(t, got.Role.AssumeRolePolicyDocument, wider)

	profiles, err := c.ListInstanceProfilesForRole(ctx, &awsiam.ListInstanceProfilesForRoleInput{RoleName: aws.String("r")})
	must(t, err)
	if len(profiles.InstanceProfiles) != 0 || profiles.IsTruncated {
		t.Errorf("got %+v", profiles)
	}

	_, err = c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String("r")})
	must(t, err)
	_, err = c.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String("r")})
	wantError(t, err, http.StatusNotFound, "NoSuchEntity", "The role with name r cannot be found.")
}

func makeRole(t *testing.T, c *awsiam.Client, name string) {
	t.Helper()
	_, err := c.CreateRole(t.Context(), &awsiam.CreateRoleInput{RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(trust)})
	must(t, err)
}

func TestInlinePolicy(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	makeRole(t, c, "r")
	for _, name := range []string{"b", "a"} {
		_, err := c.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String(name), PolicyDocument: aws.String(grant)})
		must(t, err)
	}
	got, err := c.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("a")})
	must(t, err)
	wantDocument(t, got.PolicyDocument, grant)
	if aws.ToString(got.RoleName) != "r" || aws.ToString(got.PolicyName) != "a" {
		t.Errorf("got %+v", got)
	}
	list, err := c.ListRolePolicies(ctx, &awsiam.ListRolePoliciesInput{RoleName: aws.String("r")})
	must(t, err)
	if diff := cmp.Diff([]string{"a", "b"}, list.PolicyNames); diff != "" {
		t.Error(diff)
	}
	_, err = c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String("r")})
	wantError(t, err, http.StatusConflict, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	_, err = c.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("a")})
	must(t, err)
	_, err = c.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("a")})
	wantError(t, err, http.StatusNotFound, "NoSuchEntity", "The role policy with name a cannot be found.")
}

func TestAttachedPolicy(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	makeRole(t, c, "r")
	none, err := c.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: aws.String("r")})
	must(t, err)
	if len(none.AttachedPolicies) != 0 {
		t.Errorf("got %+v", none.AttachedPolicies)
	}
	_, err = c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String(managed)})
	must(t, err)
	list, err := c.ListAttachedRolePolicies(ctx, &awsiam.ListAttachedRolePoliciesInput{RoleName: aws.String("r")})
	must(t, err)
	if p := list.AttachedPolicies; len(p) != 1 || aws.ToString(p[0].PolicyArn) != managed || aws.ToString(p[0].PolicyName) != "AWSLambdaBasicExecutionRole" {
		t.Errorf("got %+v", p)
	}
	_, err = c.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String("r")})
	wantError(t, err, http.StatusConflict, "DeleteConflict", "must detach all policies first")
	_, err = c.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String(managed)})
	must(t, err)
	_, err = c.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String("arn:aws:iam::000000000000:policy/own")})
	wantError(t, err, http.StatusNotFound, "NoSuchEntity", "Policy arn:aws:iam::000000000000:policy/own does not exist or is not attachable.")
}

func TestTags(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	makeRole(t, c, "r")
	_, err := c.TagRole(ctx, &awsiam.TagRoleInput{RoleName: aws.String("r"), Tags: []types.Tag{
		{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("c"), Value: aws.String("3")}}})
	must(t, err)
	_, err = c.UntagRole(ctx, &awsiam.UntagRoleInput{RoleName: aws.String("r"), TagKeys: []string{"b", "z"}})
	must(t, err)
	var keys []string
	for p := awsiam.NewListRoleTagsPaginator(c, &awsiam.ListRoleTagsInput{RoleName: aws.String("r"), MaxItems: aws.Int32(1)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, err)
		if len(page.Tags) != 1 {
			t.Errorf("a page of %d tags", len(page.Tags))
		}
		keys = append(keys, aws.ToString(page.Tags[0].Key))
	}
	if diff := cmp.Diff([]string{"a", "c"}, keys); diff != "" {
		t.Error(diff)
	}
	_, err = c.TagRole(ctx, &awsiam.TagRoleInput{RoleName: aws.String("r"), Tags: []types.Tag{
		{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("2")}}})
	wantError(t, err, http.StatusBadRequest, "InvalidInput", "Duplicate tag keys")
}

func TestListRoles(t *testing.T) {
	c, ctx := newClient(t), t.Context()
	for _, name := range []string{"b", "C", "a"} {
		makeRole(t, c, name)
	}
	_, err := c.CreateRole(ctx, &awsiam.CreateRoleInput{RoleName: aws.String("d"), Path: aws.String("/other/"), AssumeRolePolicyDocument: aws.String(trust)})
	must(t, err)
	var names []string
	for p := awsiam.NewListRolesPaginator(c, &awsiam.ListRolesInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, err)
		for _, r := range page.Roles {
			names = append(names, aws.ToString(r.RoleName))
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "C", "d"}, names); diff != "" {
		t.Error(diff)
	}
	other, err := c.ListRoles(ctx, &awsiam.ListRolesInput{PathPrefix: aws.String("/other/")})
	must(t, err)
	if len(other.Roles) != 1 {
		t.Errorf("%d roles under the prefix", len(other.Roles))
	}
}

func TestRefusals(t *testing.T) {
	base := url.Values{"Action": {"CreateRole"}, "Version": {iam.Version}, "RoleName": {"r"}, "AssumeRolePolicyDocument": {trust}}
	endpoint := serve(t)
	for name, test := range map[string]struct {
		change map[string]string // "-" removes
		code   string
		text   string
	}{
		"permissions boundary":    {map[string]string{"PermissionsBoundary": managed}, "ValidationException", "does not emulate PermissionsBoundary of CreateRole"},
		"no role name":            {map[string]string{"RoleName": "-"}, "ValidationError", "Value null at &#39;roleName&#39;"},
		"role name's letters":     {map[string]string{"RoleName": "a b"}, "ValidationError", "specified value for roleName is invalid"},
		"role name too long":      {map[string]string{"RoleName": strings.Repeat("r", 65)}, "ValidationError", "length less than or equal to 64"},
		"role name empty":         {map[string]string{"RoleName": ""}, "ValidationError", "length greater than or equal to 1"},
		"path without end":        {map[string]string{"Path": "/a"}, "ValidationError", "specified value for path is invalid"},
		"session too short":       {map[string]string{"MaxSessionDuration": "60"}, "ValidationError", "value greater than or equal to 3600"},
		"session too long":        {map[string]string{"MaxSessionDuration": "43201"}, "ValidationError", "value less than or equal to 43200"},
		"session is no number":    {map[string]string{"MaxSessionDuration": "1h"}, "MalformedInput", "MaxSessionDuration must be a number"},
		"description too long":    {map[string]string{"Description": strings.Repeat("ä", 1001)}, "ValidationError", "length less than or equal to 1000"},
		"trust is no JSON":        {map[string]string{"AssumeRolePolicyDocument": "{"}, "MalformedPolicyDocument", "invalid Json"},
		"trust without principal": {map[string]string{"AssumeRolePolicyDocument": grant}, "MalformedPolicyDocument", "Has prohibited field Resource"},
		"tag without key":         {map[string]string{"Tags.member.1.Value": "x"}, "ValidationError", "tagKey"},
		"tag with colour":         {map[string]string{"Tags.member.1.Key": "x", "Tags.member.1.Colour": "x"}, "MalformedQueryString", "Tags is no list"},
		"tag value too long":      {map[string]string{"Tags.member.1.Key": "x", "Tags.member.1.Value": strings.Repeat("x", 257)}, "ValidationError", "less than or equal to 256"},
		"unknown action":          {map[string]string{"Action": "CreateUser"}, "InvalidAction", "does not emulate CreateUser"},
	} {
		t.Run(name, func(t *testing.T) {
			form := url.Values{}
			for k, v := range base {
				form[k] = v
			}
			for k, v := range test.change {
				form.Set(k, v)
				if v == "-" {
					form.Del(k)
				}
			}
			res, err := http.PostForm(endpoint, form)
			must(t, err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			must(t, err)
			if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "<Code>"+test.code+"</Code>") || !strings.Contains(string(body), test.text) {
				t.Errorf("got %d %s\nwant %s with %q", res.StatusCode, body, test.code, test.text)
			}
		})
	}
}
